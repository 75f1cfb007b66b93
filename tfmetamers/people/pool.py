"""The metamers and natural stimuli that participants may be shown."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tfmetamers.errors import ArgumentError, ResultError
from tfmetamers.inclusion.verdict_file import read_verdict
from tfmetamers.metamers.folder import checked_file
from tfmetamers.metamers.names import distinct_layers
from tfmetamers.metamers.record import MetamerRecord
from tfmetamers.networks.categories import CATEGORIES
from tfmetamers.networks.record import distinct_names
from tfmetamers.people.listening import ListeningCopies
from tfmetamers.people.protocol import TASKS
from tfmetamers.recognition.exhibits import NATURAL, Exhibit, collect_exhibits
from tfmetamers.recognition.truth import Truth
from tfmetamers.utilities.files import file_digest
from tfmetamers.utilities.words import counted

#: The end of the name of the file that is shown, by task.
SHOWN = {"images": ".png", "sounds": "_listening.wav"}


@dataclass(frozen=True)
class Condition:
    """What a proportion correct is of: a network's layer, or the natural stimuli.

    Attributes:
        network: the network; empty for natural stimuli, which all networks share.
        layer: the matched layer; `tfmetamers.recognition.exhibits.NATURAL` for natural stimuli.
        place: the layer's place in the network, from the input; -1 for natural stimuli.
    """

    network: str
    layer: str
    place: int

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.layer} of {self.network}" if self.network else "natural stimuli"


NATURALS = Condition("", NATURAL, -1)


@dataclass(frozen=True)
class Candidate:
    """A stimulus that may be shown.

    Attributes:
        condition: what it is.
        stimulus: the id of the natural stimulus.
        answer: the right answer: a category, or a word.
        file: what is shown: a PNG, or a WAV of 16 bits.
        folder: the folder of the metamer, or of one of the natural stimulus's metamers, below that of all metamers.
        record_sha256: SHA-256 of its metamer.json.
    """

    condition: Condition
    stimulus: str
    answer: str
    file: Path
    folder: str
    record_sha256: str

    @property
    def sha256(self) -> str:
        """SHA-256 of the file that is shown."""
        return file_digest(self.file)


@dataclass(frozen=True)
class Pool:
    """Everything that may be shown.

    Attributes:
        candidates: natural stimuli first, then network by network and layer by layer.
        left_out: how many metamers are not among them, by the reason.
        labels: the labels of each network, for sounds.
    """

    candidates: Sequence[Candidate]
    left_out: Mapping[str, int] = field(default_factory=dict)
    labels: Sequence[Sequence[str]] = ()

    @property
    def conditions(self) -> list[Condition]:
        """All conditions, natural stimuli first."""
        return list(dict.fromkeys(each.condition for each in self.candidates))


def collect_pool(
    metamers: str | os.PathLike,
    task: str,
    *,
    truth: Mapping[str, Truth] | None = None,
    look_in: Sequence[str | os.PathLike] = (),
) -> Pool:
    """Return the metamers that passed the inclusion test as they are shown, and all natural stimuli.

    For images, the verdict on the PNG of 8 bits decides. For sounds, the listening copy of 16 bits is judged here
    (`tfmetamers.people.listening`), for which the networks are loaded.

    Args:
        metamers: the folder that synthesis wrote to.
        task: ``"images"`` or ``"sounds"``.
        truth: what natural stimuli truly are, by their ids, in place of what was recorded.
        look_in: folders to look in for networks' files that have moved.

    Raises:
        ArgumentError: metamers are of another kind of stimuli than the task's, or of both.
        ResultError: none can be shown.
    """
    collection = collect_exhibits(metamers, truth)
    exhibits = collection.metamers
    _require_domain(exhibits, task, metamers)
    copies = ListeningCopies(look_in)
    answers = {each.folders[0]: _answer(each, task) for each in exhibits}
    left_out: Counter[str] = Counter()
    if collection.problems:
        left_out["cannot be read"] = len(collection.problems)
    kept = []
    for exhibit in exhibits:
        reason = _refusal(exhibit, answers[exhibit.folders[0]], task, copies)
        if reason:
            left_out[reason] += 1
        else:
            kept.append(exhibit)
    if not kept:
        reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
        raise ResultError(
            f"None of {counted(len(exhibits), 'metamer')} below {metamers} can be shown ({reasons}); judge them with "
            "'tfmetamers evaluate', and give the stimuli's categories or words with --truth CSV if they have none."
        )
    candidates = [*_naturals(collection.naturals, task, metamers), *_metamers(kept, task, metamers, left_out)]
    return Pool(candidates, dict(left_out), copies.labels)


def _require_domain(exhibits: Sequence[Exhibit], task: str, metamers) -> None:
    found = Counter(each.record.domain.name for each in exhibits)
    if set(found) != {TASKS[task]}:
        listed = " and ".join(f"{counted(count, 'metamer')} of the kind {name}" for name, count in found.items())
        raise ArgumentError(
            f"{metamers} has {listed}; the task {task} needs metamers of the kind {TASKS[task]} alone. Give another "
            "folder, or another --task."
        )


def _answer(exhibit: Exhibit, task: str) -> str | None:
    stimulus = exhibit.record.stimulus
    if task == "sounds":
        return stimulus.label
    return stimulus.category if stimulus.category in CATEGORIES else None


def _refusal(exhibit: Exhibit, answer: str | None, task: str, copies: ListeningCopies) -> str | None:
    """Return why a metamer is not shown; None where it is."""
    if answer is None:
        return "without a word" if task == "sounds" else "without one of the 16 categories"
    if exhibit.included is None:
        return "not judged"
    if not exhibit.included:
        return "did not pass the inclusion test"
    [folder] = exhibit.folders
    verdict = read_verdict(folder)
    passed = verdict["saved"]["included"] if task == "images" else copies.pass_test(folder, exhibit.record, verdict)
    return None if passed else "did not pass as shown"


def _naturals(naturals: Sequence[Exhibit], task: str, metamers) -> list[Candidate]:
    """Return each natural stimulus once, from the first of its metamers' folders."""
    found: dict[str, Candidate] = {}
    for exhibit in naturals:
        answer = _answer(exhibit, task)
        if answer is not None:
            found.setdefault(
                exhibit.record.stimulus.id, _candidate(exhibit, NATURALS, answer, f"original{SHOWN[task]}", metamers)
            )
    return [found[stimulus] for stimulus in sorted(found)]


def _metamers(kept: Sequence[Exhibit], task: str, metamers, left_out: Counter) -> list[Candidate]:
    """Return the first metamer of each stimulus in each condition, network by network and layer by layer."""
    records = [each.record for each in kept]
    names, layers = distinct_names([record.network for record in records]), distinct_layers(records)
    networks = [_named(name, record) for name, record in zip(names, records, strict=True)]
    networks = list(dict.fromkeys(networks))
    found: dict[tuple, Candidate] = {}
    for exhibit, name, layer in zip(kept, names, layers, strict=True):
        record = exhibit.record
        network = _named(name, record)
        order = record.network.ordered({*record.network.layers, record.layer.name})
        condition = Condition(network, layer, order.index(record.layer.name))
        key = networks.index(network), condition.place, layer, record.stimulus.id
        if key in found:
            left_out["of a stimulus that has another metamer in the same condition"] += 1
        else:
            found[key] = _candidate(exhibit, condition, _answer(exhibit, task), f"metamer{SHOWN[task]}", metamers)
    return [found[key] for key in sorted(found)]


def _named(name: str, record: MetamerRecord) -> str:
    """Return a network's name that tells random weights, so that they are not taken for the trained network's."""
    is_told = record.network.source != "random" or "random" in name
    return name if is_told else f"{name} (random, seed {record.network.seed})"


def _candidate(exhibit: Exhibit, condition: Condition, answer: str, name: str, metamers) -> Candidate:
    folder = exhibit.folders[0]
    return Candidate(
        condition,
        exhibit.record.stimulus.id,
        answer,
        checked_file(folder, name, exhibit.record),
        folder.relative_to(metamers).as_posix(),
        file_digest(folder / "metamer.json"),
    )
