"""Which metamers each judge recognises: every decision of every judge (paper, Figures 5 and 6)."""

import dataclasses
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from tfmetamers.errors import ArgumentError, ResultError
from tfmetamers.metamers.names import distinct_layers
from tfmetamers.networks.categories import check_rule
from tfmetamers.networks.network import Network
from tfmetamers.networks.record import distinct_names
from tfmetamers.recognition.exhibits import NATURAL, Collection, Exhibit, collect_exhibits
from tfmetamers.recognition.judges import Judge
from tfmetamers.recognition.truth import Truth
from tfmetamers.utilities.files import atomic_write
from tfmetamers.utilities.words import first_few

#: The largest number of stimuli that a judge is shown together.
BATCH = 16

#: Results of the inclusion test.
PASSED, FAILED, NOT_JUDGED = "passed", "failed", "not judged"

_STATES = {True: PASSED, False: FAILED, None: NOT_JUDGED}


@dataclass(frozen=True)
class Maker:
    """What made a metamer, as tables call it.

    Attributes:
        network: the network, with a name that no other network has.
        layer: the matched layer, and how its metamers were made if there are several ways.
    """

    network: str
    layer: str


@dataclass(frozen=True)
class Decision:
    """One judge's decision on one metamer or natural stimulus; a row of ``recognition.csv``.

    Attributes:
        judge: the judge's name.
        judge_weights: SHA-256 of its weights.
        network: the network that made the metamer; empty for a natural stimulus.
        layer: the matched layer, as `tfmetamers.metamers.names.distinct_layers` calls it; ``natural`` for a natural
            stimulus.
        stimulus: the natural stimulus's id.
        stimulus_sha256: SHA-256 of the natural stimulus's array.
        seed: the seed of the noise; None for a natural stimulus.
        included: whether the metamer passed the inclusion test; None if it was not judged, and for natural stimuli.
        size_made: the shape of the metamer, as ``224 x 224 x 3``.
        size_shown: the shape that the judge was shown.
        resized: whether the two differ.
        truth_label: the judge's label that is correct; None if it is not known.
        decision_label: the judge's label or transcript.
        correct_label: whether they are the same, transcripts word by word; None if the truth is not known.
        truth_category: the correct one of the 16 categories; None if it is not known or the judge has no categories.
        decision_category: the judge's category.
        correct_category: whether they are the same; None if the truth is not known.
        rule: the rule that gave the category; None for a judge without categories.
        folder: the metamer's folder below the output folder; for a natural stimulus, that of one of its metamers.
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
        layers: the matched layers, as decisions have them, from the input to the output.
        counts: for each layer, how many metamers passed the inclusion test, failed it, and were not judged.
        naturals: the folders, as decisions have them, of the natural stimuli that its metamers match.
    """

    name: str
    layers: list[str]
    counts: Mapping[str, Mapping[str, int]]
    naturals: frozenset[str]


@dataclass(frozen=True)
class Recognition:
    """All decisions, and what is needed to count them.

    Attributes:
        decisions: all decisions, by judge, natural stimuli before metamers.
        generators: the networks that made metamers.
        chances: for each judge, by ``label`` and ``category``, the probability of being correct by chance; None for the
            label of a judge that transcribes, which has no number of labels.
        include_failed: whether metamers were shown that failed the inclusion test or were not judged.
        rule: how categories were chosen.
        problems: folders that could not be used, and why.
    """

    decisions: list[Decision]
    generators: list[GeneratingNetwork]
    chances: Mapping[str, Mapping[str, float | None]]
    include_failed: bool
    rule: str
    problems: list[tuple[Path, str]]

    def count(self, state: str) -> int:
        """Return the number of metamers that are ``passed``, ``failed`` or ``not judged``."""
        return sum(counts[state] for generator in self.generators for counts in generator.counts.values())


def recognize(
    out: str | os.PathLike,
    judges: Sequence[Network],
    *,
    include_failed: bool = False,
    rule: str = "max",
    truth: Mapping[str, Truth] | None = None,
    requires_truth: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Recognition:
    """Show metamers, and the natural stimuli that they match, to judges.

    Each judge is shown the exact array of each metamer that passed the inclusion test, and each natural stimulus once
    for each size that it was used at. Pictures, natural or not, are resized to the judge's size
    (`tfmetamers.stimuli.images.resize_image`). The right answer is what a manifest or a class folder gave for the
    natural stimulus, or what `truth` says, never a network's own answer.

    Args:
        out: the folder that synthesis wrote to.
        judges: networks with labels.
        include_failed: also show metamers that failed the inclusion test or were not judged.
        rule: how a judge of pictures chooses one of the 16 categories (`tfmetamers.networks.categories.decide`).
        truth: what natural stimuli truly are, by their ids, as `read_truth` returns it; it replaces what was recorded
            when their metamers were made.
        requires_truth: whether to refuse stimuli of which no truth is known; without it, a judge's own answers to
            natural stimuli can take its place.
        progress: called with the number of stimuli shown so far and the number of all.

    Raises:
        ArgumentError: there is no judge, one is given twice, has no labels, or does not take these stimuli; or the rule
            is unknown.
        ResultError: no metamer can be read, none was judged by the inclusion test, `truth` has none of the stimuli, or
            the truth is required and not known for any stimulus.

    >>> from tfmetamers.metamers import save_metamers
    >>> from tfmetamers.networks import from_function
    >>> from tfmetamers.recognition.truth import Truth
    >>> from tfmetamers.synthesis import synthesize_batch
    >>> labels = ["cat", "dog", "owl"]
    >>> network = from_function(lambda stimuli: {"logits": 2 * stimuli}, (3,), labels=labels, logits="logits")
    >>> stimuli = np.array([[0.1, 0.7, 0.2]])
    >>> metamers = synthesize_batch(network, stimuli, layers="logits", ids=["rex"], steps=2)
    >>> folders = save_metamers(metamers, "metamers")
    >>> recognition = recognize("metamers", [network], include_failed=True, truth={"rex": Truth(label="dog")})
    >>> [(decision.layer, decision.truth_label) for decision in recognition.decisions]
    [('natural', 'dog'), ('logits', 'dog')]
    """
    out = Path(out)
    check_rule(rule)
    collection = collect_exhibits(out, truth)
    panel, makers = _named(judges, collection)
    shown = collection.naturals + [each for each in collection.metamers if each.included or include_failed]
    for judge in panel:
        for exhibit in collection.metamers:
            judge.check(exhibit)
    _refuse_unjudged(out, collection, include_failed)
    if requires_truth:
        _refuse_unknown_truth(panel, shown)
    problems = list(collection.problems)
    decisions: dict[str, list[Decision]] = {judge.name: [] for judge in panel}
    done = 0
    for batch in _batches(shown):
        loaded = list(_loaded(batch, problems))
        for judge in panel if loaded else ():
            decisions[judge.name] += _decisions(judge, loaded, rule, out, makers)
        done += len(batch)
        if progress:
            progress(done, len(shown))
    rows = [decision for made in decisions.values() for decision in made]
    if requires_truth and all(row.correct_label is None and row.correct_category is None for row in rows):
        raise ResultError(f"None of the stimuli with a known right answer can be read. {problems[0][1]}")
    return Recognition(
        decisions=rows,
        generators=_generators(out, collection, makers),
        chances={judge.name: judge.chances for judge in panel},
        include_failed=include_failed,
        rule=rule,
        problems=list(dict(problems).items()),
    )


def write_rows(path: str | os.PathLike, kind: type, rows: Iterable) -> None:
    """Write dataclasses of one kind as a tidy CSV, with empty cells for None.

    Raises:
        ResultError: the file cannot be written.
    """
    import pandas

    columns = [column.name for column in dataclasses.fields(kind)]
    # As objects, whole numbers stay whole beside cells that are empty.
    table = pandas.DataFrame([vars(row) for row in rows], columns=columns, dtype=object)
    with atomic_write(path) as partial:
        table.to_csv(partial, index=False)


def _named(judges: Sequence[Network], collection: Collection) -> tuple[list[Judge], dict[Path, Maker]]:
    """Return the judges, and for each metamer, by its folder, the names of what made it."""
    if not judges:
        raise ArgumentError("No judge was given; give at least one network.")
    records = [metamer.record for metamer in collection.metamers]
    names = distinct_names([judge.describe() for judge in judges] + [record.network for record in records])
    panel = [Judge(judge, name) for judge, name in zip(judges, names, strict=False)]
    for name, times in Counter(judge.name for judge in panel).items():
        if times > 1:
            raise ArgumentError(f"The judge {name} was given {times} times with the same weights; give it once.")
    makers = map(Maker, names[len(panel) :], distinct_layers(records))
    return panel, dict(zip((metamer.folders[0] for metamer in collection.metamers), makers, strict=True))


def _refuse_unjudged(out: Path, collection: Collection, include_failed: bool) -> None:
    if not include_failed and all(each.included is None for each in collection.metamers):
        raise ResultError(
            f"No metamer below {out} has been judged by the inclusion test, and only those that passed it are shown; "
            f"run 'tfmetamers evaluate {out} --null FILE' first, or give --include-failed."
        )


def _refuse_unknown_truth(panel: Sequence[Judge], shown: Sequence[Exhibit]) -> None:
    if any(judge.truth_label(each) or judge.truth_category(each) for judge in panel for each in shown):
        return
    truths = {truth for each in shown for truth in (each.record.stimulus.label, each.record.stimulus.category)}
    truths -= {None, ""}
    found = f"they are {first_few(sorted(truths))}" if truths else "they have neither labels nor categories"
    raise ResultError(
        f"The right answer is not known for any stimulus in terms of a judge's labels: {found}. A judge's label was "
        "expected or, for judges with ImageNet's classes, one of the 16 categories; give a CSV with the columns id, "
        "label and category (--truth), or make metamers from class folders or a manifest."
    )


def _batches(shown: Sequence[Exhibit]) -> Iterator[list[Exhibit]]:
    for _, alike in groupby(shown, lambda each: (each.record.domain.name, each.shape)):
        members = list(alike)
        yield from (members[start : start + BATCH] for start in range(0, len(members), BATCH))


def _loaded(batch: Sequence[Exhibit], problems: list) -> Iterator[tuple[Exhibit, np.ndarray]]:
    for exhibit in batch:
        try:
            yield exhibit, exhibit.load()
        except ResultError as error:
            problems.append((exhibit.folders[-1], str(error)))


def _decisions(judge: Judge, loaded, rule: str, out: Path, makers: Mapping[Path, Maker]) -> Iterator[Decision]:
    exhibits, stimuli = zip(*loaded, strict=True)
    for exhibit, logits in zip(exhibits, judge.logits(exhibits, np.stack(stimuli)), strict=True):
        maker = Maker("", NATURAL) if exhibit.is_natural else makers[exhibit.folders[0]]
        yield _decision(judge, exhibit, logits, rule, out, maker)


def _decision(judge: Judge, exhibit: Exhibit, logits: np.ndarray, rule: str, out: Path, maker: Maker) -> Decision:
    folder, stimulus = exhibit.folders[0], exhibit.record.stimulus
    label, category = judge.decide(logits, rule)
    truth_label, truth_category = judge.truth_label(exhibit), judge.truth_category(exhibit)
    shape_shown = judge.shape_shown(exhibit)
    return Decision(
        judge=judge.name,
        judge_weights=judge.network.provenance.digest,
        network=maker.network,
        layer=maker.layer,
        stimulus=stimulus.id,
        stimulus_sha256=stimulus.sha256,
        seed=None if exhibit.is_natural else exhibit.record.seed,
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


def _generators(out: Path, collection: Collection, makers: Mapping[Path, Maker]) -> list[GeneratingNetwork]:
    made: dict[str, dict[str, list[Exhibit]]] = {}
    for metamer in collection.metamers:
        maker = makers[metamer.folders[0]]
        made.setdefault(maker.network, {}).setdefault(maker.layer, []).append(metamer)
    return [_generator(out, name, by_layer, collection.naturals) for name, by_layer in made.items()]


def _generator(
    out: Path, name: str, by_layer: Mapping[str, Sequence[Exhibit]], naturals: Sequence[Exhibit]
) -> GeneratingNetwork:
    folders = {folder for metamers in by_layer.values() for metamer in metamers for folder in metamer.folders}
    counts = {layer: Counter(_STATES[each.included] for each in metamers) for layer, metamers in by_layer.items()}
    matched = [natural.folders[0] for natural in naturals if folders.intersection(natural.folders)]
    firsts = {layer: metamers[0].record for layer, metamers in by_layer.items()}
    places = next(iter(firsts.values())).network.ordered({record.layer.name for record in firsts.values()})
    return GeneratingNetwork(
        name=name,
        layers=sorted(firsts, key=lambda layer: (places.index(firsts[layer].layer.name), layer)),
        counts=counts,
        naturals=frozenset(folder.relative_to(out).as_posix() for folder in matched),
    )
