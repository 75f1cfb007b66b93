"""How long steps take: measured on this machine, or told by what is being made and has been made."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tfmetamers.experiments.claims import FoundClaim
from tfmetamers.experiments.experiment import LEDGER, Experiment
from tfmetamers.experiments.items import Condition, SynthesisItem
from tfmetamers.metamers.folder import read_run
from tfmetamers.utilities.files import atomic_write

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Of so many finished batches of a condition it is looked up how long they took.
BATCHES_READ = 3


def measure_speeds(experiment: Experiment) -> "Iterator[tuple[Condition, float]]":
    """Time a few steps of each layer that has something to be made, and keep what was found for `known_speeds`.

    Yields:
        Each condition, and the seconds that a step of one of its batches takes on this machine.

    Raises:
        TfmetamersError: a network or a stimulus cannot be loaded.
    """
    from tfmetamers.synthesis.plan import plan_run
    from tfmetamers.synthesis.runs import measure_seconds

    found: dict[str, float] = {}
    networks, measured = {}, {}
    for item in experiment.items:
        if not isinstance(item, SynthesisItem) or item.condition.digest in found or experiment.is_done(item):
            continue
        condition = item.condition
        seedless = condition.layer_folder
        if seedless not in measured:
            spec = condition.network
            if spec.folder_name not in networks:
                networks = {spec.folder_name: spec.load()}  # One at a time: they come network by network.
            plan = plan_run(item.specs, experiment.metamers, len(item.stimuli))
            measured[seedless] = measure_seconds(plan, networks[spec.folder_name], condition.layer)
        found[condition.digest] = measured[seedless]
        yield condition, found[condition.digest]
    with atomic_write(_file(experiment)) as partial:
        partial.write_text(json.dumps({**_read(experiment), **found}) + "\n", encoding="utf-8")


def known_speeds(experiment: Experiment, claims: Mapping[str, FoundClaim]) -> dict[str, float]:
    """Return the seconds that a step of a batch takes, by the digest of its condition, where that is known.

    What is running tells it, then what was finished, then what was measured.

    Args:
        experiment: the experiment.
        claims: the newest claim of each item, by its key.
    """
    speeds = dict(_read(experiment))
    read: dict[str, list[float]] = {}
    running: dict[str, list[float]] = {}
    for item in experiment.items:
        if not isinstance(item, SynthesisItem):
            continue
        digest, steps = item.condition.digest, item.condition.recipe.steps
        claim = claims.get(item.key)
        if claim is not None and claim.record is not None and claim.record.steps_a_second > 0:
            running.setdefault(digest, []).append(1 / claim.record.steps_a_second)
        elif len(read.setdefault(digest, [])) < BATCHES_READ:
            run = read_run(next(item.folders(str(experiment.out))))
            read[digest] += [run.seconds / steps] if run is not None else []
    for found in (read, running):
        speeds |= {digest: sum(seconds) / len(seconds) for digest, seconds in found.items() if seconds}
    return speeds


def _file(experiment: Experiment) -> Path:
    return experiment.out / LEDGER / "speeds.json"


def _read(experiment: Experiment) -> dict[str, float]:
    try:
        return json.loads(_file(experiment).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


@dataclass(frozen=True)
class Estimate:
    """What is to be made at one layer.

    Attributes:
        network: the network's name.
        layer: the layer's name.
        metamers: how many the experiment has.
        made: how many of them are made.
        items: how many batches are still to be made.
        steps: how many steps they take.
        seconds_a_step: how long one takes; None where it is not known.
        bytes: what they take on disk at most.
    """

    network: str
    layer: str
    metamers: int
    made: int
    items: int
    steps: int
    seconds_a_step: float | None
    bytes: int

    @property
    def hours(self) -> float | None:
        """How long one worker takes; None where it is not known."""
        return None if self.seconds_a_step is None else self.steps * self.seconds_a_step / 3600


def estimate(experiment: Experiment) -> list[Estimate]:
    """Return what is still to be made, layer by layer."""
    from tfmetamers.synthesis.plan import Plan, estimate_bytes
    from tfmetamers.synthesis.unfinished import Job

    speeds = known_speeds(experiment, experiment.claims.find_all())
    domains = {network.spec.folder_name: network.outline.domain for network in experiment.definition.networks}
    rows: dict[Path, Estimate] = {}
    sizes: dict[Path, int] = {}
    for item in experiment.items:
        if not isinstance(item, SynthesisItem):
            continue
        condition = item.condition
        folder, count = condition.layer_folder, len(item.stimuli)
        if folder not in sizes:
            jobs = [Job(condition.spec(item.stimuli[0]), Path(folder))]
            sizes[folder] = estimate_bytes(Plan([jobs], []), domains[condition.network.folder_name])
        before = rows.get(folder) or Estimate(
            condition.network.network_name, folder.name, 0, 0, 0, 0, speeds.get(condition.digest), 0
        )
        made = experiment.count_made(item)
        is_open = made < count
        rows[folder] = Estimate(
            before.network,
            before.layer,
            before.metamers + count,
            before.made + made,
            before.items + is_open,
            before.steps + is_open * condition.recipe.steps,
            before.seconds_a_step,
            before.bytes + (count - made) * sizes[folder],
        )
    return list(rows.values())
