"""Who recognises which metamers: every decision of every judge (paper, Figures 5 and 6)."""

import csv
import dataclasses
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from tfmetamers.errors import ArgumentError, ResultError
from tfmetamers.networks.distinct_names import distinct_names
from tfmetamers.networks.network import Network
from tfmetamers.recognition.categories import CATEGORIES, check_rule
from tfmetamers.recognition.exhibits import Collection, Exhibit, collect_exhibits
from tfmetamers.recognition.judges import Judge
from tfmetamers.recognition.layer_order import ordered_layers
from tfmetamers.utilities.files import atomic_write

#: Stimuli that a judge is shown together.
BATCH = 16

#: Results of the inclusion test.
PASSED, FAILED, NOT_JUDGED = "passed", "failed", "not judged"

_STATES = {True: PASSED, False: FAILED, None: NOT_JUDGED}


@dataclass(frozen=True)
class Decision:
    """What one judge decided on one metamer or natural stimulus; a row of ``recognition.csv``.

    Attributes:
        judge: the judge's name.
        judge_weights: SHA-256 of its weights.
        network: the network that made the metamer; empty for a natural stimulus.
        layer: the matched layer; ``natural`` for a natural stimulus.
        stimulus: the natural stimulus's id.
        stimulus_sha256: SHA-256 of the natural stimulus's array.
        seed: the seed of the noise; None for a natural stimulus.
        included: whether the metamer passed the inclusion test; None where it was not judged, and of natural stimuli.
        size_made: the shape of the metamer, as ``224 x 224 x 3``.
        size_shown: the shape that the judge was shown.
        resized: whether the two differ.
        truth_label: the true one of the judge's labels, None where it is not known.
        decision_label: the judge's label or transcript.
        correct_label: whether they are the same, transcripts word by word; None where the truth is not known.
        truth_category: the true one of the 16 categories, None where it is not known or the judge has none.
        decision_category: the judge's category.
        correct_category: whether they are the same; None where the truth is not known.
        rule: the rule that gave the category; None for a judge without categories.
        folder: the metamer's folder below the one that was given, of a natural stimulus that of one of its metamers.
    """

    judge: str
    judge_weights: str
    network: str
    layer: str
    stimulus: str
    stimulus_sha256: str
    seed: int | None
    included: bool | None
    size_made: str
    size_shown: str
    resized: bool
    truth_label: str | None
    decision_label: str
    correct_label: bool | None
    truth_category: str | None
    decision_category: str | None
    correct_category: bool | None
    rule: str | None
    folder: str


@dataclass(frozen=True)
class GeneratingNetwork:
    """A network that made metamers.

    Attributes:
        name: its name in tables.
        layers: the matched layers, from the input to the output.
        counts: of each layer, how many metamers passed the inclusion test, failed it, and were not judged.
        naturals: the folders, as decisions have them, of the natural stimuli that its metamers match.
    """

    name: str
    layers: list[str]
    counts: Mapping[str, Mapping[str, int]]
    naturals: frozenset[str]


@dataclass(frozen=True)
class Recognition:
    """All decisions, and what they are to be counted by.

    Attributes:
        decisions: a row each, by judge, then natural stimuli, then metamers.
        generators: the networks that made metamers.
        chances: of each judge, by ``label`` and ``category``, the probability of being correct by chance; None for
            the label of a judge that transcribes, whose guesses cannot be counted.
        include_failed: whether metamers were shown that failed the inclusion test or were not judged.
        rule: how categories were decided.
        problems: folders that could not be used, and why.
    """

    decisions: list[Decision]
    generators: list[GeneratingNetwork]
    chances: Mapping[str, Mapping[str, float | None]]
    include_failed: bool
    rule: str
    problems: list[tuple[Path, str]]

    def count(self, state: str) -> int:
        """Return how many metamers there are in all that are ``passed``, ``failed`` or ``not judged``."""
        return sum(counts[state] for generator in self.generators for counts in generator.counts.values())


def recognize(
    out: str | os.PathLike,
    judges: Sequence[Network],
    *,
    include_failed: bool = False,
    rule: str = "max",
    progress: Callable[[int, int], None] | None = None,
) -> Recognition:
    """Show metamers, and the natural stimuli that they match, to judges.

    Each judge is shown the exact array of each metamer that passed the inclusion test, and each natural stimulus once
    for each size that it was used at. Pictures are resized to the judge's size (`tfmetamers.recognition.judges
    .resize_picture`), metamers and natural stimuli alike. Truth is what a manifest or a class folder says of the
    natural stimulus, never what a network makes of it.

    Args:
        out: the folder that synthesis wrote to.
        judges: networks with labels.
        include_failed: show metamers too that failed the inclusion test or were not judged.
        rule: how a judge of pictures decides for one of the 16 categories (`tfmetamers.recognition.categories.decide`).
        progress: called with the number of stimuli shown and the number in all.

    Raises:
        ArgumentError: there is no judge, the same one twice, one without labels, or one that does not take these
            stimuli; or the rule is unknown.
        ResultError: there is no metamer that can be read, none was judged by the inclusion test, or of no stimulus is
            the truth known.
    """
    out = Path(out)
    check_rule(rule)
    collection = collect_exhibits(out)
    panel, generator_names = _named(judges, collection)
    shown = collection.naturals + [each for each in collection.metamers if each.included or include_failed]
    for judge in panel:
        for exhibit in collection.metamers:
            judge.check(exhibit)
    _refuse_unjudged(out, collection, include_failed)
    _refuse_unknown_truth(panel, shown)
    problems = list(collection.problems)
    decisions: dict[str, list[Decision]] = {judge.name: [] for judge in panel}
    done = 0
    for batch in _batches(shown):
        loaded = list(_loaded(batch, problems))
        for judge in panel if loaded else ():
            decisions[judge.name] += _decisions(judge, loaded, rule, out, generator_names)
        done += len(batch)
        if progress:
            progress(done, len(shown))
    rows = [decision for made in decisions.values() for decision in made]
    if all(row.correct_label is None and row.correct_category is None for row in rows):
        raise ResultError(f"No stimulus whose truth is known can be read. {problems[0][1]}")
    return Recognition(
        decisions=rows,
        generators=_generators(out, collection, generator_names, judges),
        chances={judge.name: _chances(judge) for judge in panel},
        include_failed=include_failed,
        rule=rule,
        problems=list(dict(problems).items()),
    )


def write_rows(path: str | os.PathLike, kind: type, rows: Iterable) -> None:
    """Write dataclasses of one kind as a tidy CSV: None is an empty cell, truth is ``true`` or ``false``.

    Raises:
        ResultError: the file cannot be written.
    """
    columns = [column.name for column in dataclasses.fields(kind)]
    with atomic_write(path) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([columns, *([_cell(getattr(row, name)) for name in columns] for row in rows)])


def _cell(value):
    return str(value).lower() if isinstance(value, bool) else value


def _named(judges: Sequence[Network], collection: Collection) -> tuple[list[Judge], dict[Path, str]]:
    """Return the judges, and the name of the network that made each metamer, by its folder."""
    if not judges:
        raise ArgumentError("No judge was given; give at least one network.")
    makers = [metamer.record["network"] for metamer in collection.metamers]
    names = distinct_names([judge.describe() for judge in judges] + makers)
    panel = [Judge(judge, name) for judge, name in zip(judges, names, strict=False)]
    for name, times in Counter(judge.name for judge in panel).items():
        if times > 1:
            raise ArgumentError(f"The judge {name} was given {times} times, with the same weights; give it once.")
    folders = [metamer.folders[0] for metamer in collection.metamers]
    return panel, dict(zip(folders, names[len(panel) :], strict=True))


def _refuse_unjudged(out: Path, collection: Collection, include_failed: bool) -> None:
    if not include_failed and all(each.included is None for each in collection.metamers):
        raise ResultError(
            f"None of the {len(collection.metamers)} metamers below {out} was judged by the inclusion test, and only "
            f"those that passed it are shown; run 'tfmetamers evaluate {out} --null FILE' first, or give "
            "--include-failed."
        )


def _refuse_unknown_truth(panel: Sequence[Judge], shown: Sequence[Exhibit]) -> None:
    if any(judge.truth_label(each) or judge.truth_category(each) for judge in panel for each in shown):
        return
    told = {each.record["stimulus"].get(key) for each in shown for key in ("label", "category")} - {None, ""}
    listed = f"they are called {', '.join(sorted(map(str, told))[:3])}" if told else "nothing says what they are"
    raise ResultError(
        f"Of no stimulus is the truth known that a judge could recognise: {listed}, and one of a judge's labels or, "
        "for judges of ImageNet's classes, one of the 16 categories was expected; make metamers of class folders, or "
        "of a manifest with the columns label and category."
    )


def _batches(shown: Sequence[Exhibit]) -> Iterator[list[Exhibit]]:
    for _, alike in groupby(shown, lambda each: (each.record["domain"], each.shape)):
        members = list(alike)
        yield from (members[start : start + BATCH] for start in range(0, len(members), BATCH))


def _loaded(batch: Sequence[Exhibit], problems: list) -> Iterator[tuple[Exhibit, np.ndarray]]:
    for exhibit in batch:
        try:
            yield exhibit, exhibit.load()
        except ResultError as error:
            problems.append((exhibit.folders[-1], str(error)))


def _decisions(judge: Judge, loaded, rule: str, out: Path, generator_names) -> Iterator[Decision]:
    exhibits, stimuli = zip(*loaded, strict=True)
    for exhibit, logits in zip(exhibits, judge.logits(exhibits, np.stack(stimuli)), strict=True):
        yield _decision(judge, exhibit, logits, rule, out, generator_names)


def _decision(judge: Judge, exhibit: Exhibit, logits: np.ndarray, rule: str, out: Path, generator_names) -> Decision:
    folder, stimulus = exhibit.folders[0], exhibit.record["stimulus"]
    label, category = judge.decide(logits, rule)
    truth_label, truth_category = judge.truth_label(exhibit), judge.truth_category(exhibit)
    shape_shown = judge.shape_shown(exhibit)
    return Decision(
        judge=judge.name,
        judge_weights=judge.network.provenance.digest,
        network="" if exhibit.is_natural else generator_names[folder],
        layer=exhibit.layer,
        stimulus=stimulus["id"],
        stimulus_sha256=stimulus["sha256"],
        seed=None if exhibit.is_natural else exhibit.record["seed"],
        included=exhibit.included,
        size_made=_extents(exhibit.shape),
        size_shown=_extents(shape_shown),
        resized=shape_shown != exhibit.shape,
        truth_label=truth_label,
        decision_label=label,
        correct_label=None if truth_label is None else judge.is_right(label, truth_label),
        truth_category=truth_category,
        decision_category=category,
        correct_category=None if truth_category is None else category == truth_category,
        rule=rule if judge.has_categories else None,
        folder=folder.relative_to(out).as_posix(),
    )


def _extents(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))


def _chances(judge: Judge) -> dict[str, float | None]:
    by_label = {"label": None if judge.network.transcribe else 1 / len(judge.network.labels)}
    return by_label | ({"category": 1 / len(CATEGORIES)} if judge.has_categories else {})


def _generators(out: Path, collection: Collection, names: Mapping[Path, str], judges) -> list[GeneratingNetwork]:
    made: dict[str, list[Exhibit]] = {}
    for metamer in collection.metamers:
        made.setdefault(names[metamer.folders[0]], []).append(metamer)
    return [_generator(out, name, metamers, collection.naturals, judges) for name, metamers in made.items()]


def _generator(
    out: Path, name: str, metamers: Sequence[Exhibit], naturals: Sequence[Exhibit], judges
) -> GeneratingNetwork:
    folders = {folder for metamer in metamers for folder in metamer.folders}
    counts: dict[str, Counter] = {}
    for metamer in metamers:
        counts.setdefault(metamer.layer, Counter())[_STATES[metamer.included]] += 1
    matched = [natural.folders[0] for natural in naturals if folders.intersection(natural.folders)]
    return GeneratingNetwork(
        name=name,
        layers=ordered_layers(metamers[0].record, list(counts), judges),
        counts=counts,
        naturals=frozenset(folder.relative_to(out).as_posix() for folder in matched),
    )
