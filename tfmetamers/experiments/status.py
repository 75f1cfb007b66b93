"""How an experiment stands: what is done, who works on what, what failed and why, and how long the rest takes."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from tfmetamers.experiments.claims import FoundClaim
from tfmetamers.experiments.experiment import Experiment
from tfmetamers.experiments.items import Item, SynthesisItem
from tfmetamers.experiments.speeds import known_speeds


@dataclass
class StatusRow:
    """How one kind of items of a network and layer stands, counted in metamers, or else in items.

    Attributes:
        network: the network (`NetworkItem.network_title`); empty for recognition.
        layer: the layer, as tables call it (`Experiment.layer_titles`); empty where the items have none.
        kind: ``metamers``, ``null``, ``evaluation`` or ``recognition``.
        total: how many there are.
        done: how many are done.
        running: how many somebody works on.
        failed: how many failed.
        waiting: how many are left.
        seconds_left: how long one worker takes for the metamers that are left; None where that is not known.
    """

    network: str
    layer: str
    kind: str
    seconds_left: float | None
    total: int = 0
    done: int = 0
    running: int = 0
    failed: int = 0
    waiting: int = 0


@dataclass(frozen=True)
class Running:
    """An item that somebody works on.

    Attributes:
        item: the item.
        worker: the host and the process.
        since: when it was begun, in UTC.
        beat: how many seconds ago the worker was last heard of.
        step: how many steps of a batch, or how many stimuli, are done.
        steps: how many there are; 0 where that is not known yet.
        steps_a_second: how many a second.
        unit: ``steps`` or ``stimuli``.
    """

    item: str
    worker: str
    since: str
    beat: float
    step: int
    steps: int
    steps_a_second: float
    unit: str


@dataclass(frozen=True)
class Failed:
    """An item that failed.

    Attributes:
        item: the item.
        network: the network, as in the rows.
        layer: the layer, as in the rows.
        kind: what kind of item.
        worker: who tried it.
        since: when it was begun, in UTC.
        failures: how many of its parts failed.
        reasons: why, by what failed; the first ones.
    """

    item: str
    network: str
    layer: str
    kind: str
    worker: str
    since: str
    failures: int
    reasons: dict[str, str]


@dataclass(frozen=True)
class Status:
    """How an experiment stands.

    Attributes:
        rows: by network and layer, in the order of the items.
        running: what is being done.
        failed: what failed.
        seconds_left: how long the workers that are at work now, or one if there is none, take for the metamers that are
            left; None where it is not known.
    """

    rows: list[StatusRow]
    running: list[Running]
    failed: list[Failed]
    seconds_left: float | None

    def to_json(self) -> dict[str, Any]:
        """Return the status as JSON has it."""
        return dataclasses.asdict(self)


def survey(experiment: Experiment) -> Status:
    """Look at the disk, and return how an experiment stands.

    >>> from pathlib import Path
    >>> from tfmetamers.experiments import Experiment
    >>> _ = Path("mine.toml").write_text('''
    ... [stimuli]
    ... data_set = "sample_words"
    ... [[networks]]
    ... network = "small_word_aliased"
    ... layers = ["conv_2"]
    ... ''')
    >>> [(row.layer, row.kind, row.done, row.waiting) for row in survey(Experiment.plan("mine.toml")).rows]
    [('conv_2', 'metamers', 0, 60), ('conv_2', 'evaluation', 0, 1)]
    """
    claims = experiment.claims.find_all()
    now = experiment.claims.now() if claims else 0.0
    speeds = known_speeds(experiment, claims)
    rows: dict[tuple[str, ...], StatusRow] = {}
    running, failed = [], []
    for item in experiment.items:
        place = item.network_title, experiment.layer_titles[item.layer_folder], item.kind
        is_timed = isinstance(item, SynthesisItem)
        row = rows.setdefault(place, StatusRow(*place, seconds_left=0.0 if is_timed else None))
        total, done = _counts(experiment, item)
        row.total += total
        row.done += done
        if done == total:
            continue
        claim = claims.get(item.key)
        if claim is not None and claim.has_failed:
            row.failed += total - done
            record = claim.record
            details = record.worker, record.since, record.failures, dict(record.reasons)
            failed.append(Failed(item.describe(), *place, *details))
            continue
        step = 0
        if claim is not None and claim.is_held(now):
            row.running += total - done
            running.append(_running(item, claim, now))
            step = running[-1].step
        else:
            row.waiting += total - done
        if is_timed:
            seconds = speeds.get(item.layer_folder.as_posix())
            left = item.condition.recipe.steps - step
            is_known = seconds is not None and row.seconds_left is not None
            row.seconds_left = row.seconds_left + left * seconds if is_known else None
    lefts = [row.seconds_left for row in rows.values() if row.kind == SynthesisItem.kind]
    workers = len({each.worker for each in running})
    seconds_left = None if None in lefts else sum(lefts) / max(workers, 1)
    places = list(dict.fromkeys((row.network, row.layer) for row in rows.values()))
    ordered = sorted(rows.values(), key=lambda row: places.index((row.network, row.layer)))
    return Status(ordered, running, failed, seconds_left)


def _counts(experiment: Experiment, item: Item) -> tuple[int, int]:
    if isinstance(item, SynthesisItem):
        return len(item.stimuli), experiment.count_made(item)
    return 1, int(experiment.is_done(item))


def _running(item: Item, claim: FoundClaim, now: float) -> Running:
    beat = round(max(now - claim.beat, 0.0), 1)
    if claim.record is None:
        return Running(item.describe(), "", "", beat, 0, 0, 0.0, item.unit)
    record = claim.record
    done = record.step, record.steps, round(record.steps_a_second, 3)
    return Running(item.describe(), record.worker, record.since, beat, *done, item.unit)
