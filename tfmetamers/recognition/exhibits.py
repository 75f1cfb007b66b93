"""What judges are shown: metamers, and the natural stimuli that they match."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tfmetamers.errors import ResultError
from tfmetamers.inclusion.verdict_file import check_original, is_about, judged_files, read_verdict
from tfmetamers.metamers.failures import Failure, attempt
from tfmetamers.metamers.folder import (
    HALF_WRITTEN,
    VERDICT_FILE,
    find_half_written,
    find_metamers,
    read_metamer,
    read_record,
)
from tfmetamers.metamers.record import MetamerRecord
from tfmetamers.recognition.truth import Truth
from tfmetamers.utilities.words import counted, first_few

#: Takes the place of the layer for a natural stimulus.
NATURAL = "natural"


@dataclass(frozen=True)
class Exhibit:
    """A metamer, or a natural stimulus.

    Attributes:
        folders: the metamer's folder; for a natural stimulus, the folders of all its metamers, each with a copy of it.
        record: what metamer.json of the first of them holds.
        is_natural: whether it is the natural stimulus.
        included: whether a metamer passed the inclusion test; None if it was not judged, and for natural stimuli.
    """

    folders: tuple[Path, ...]
    record: MetamerRecord
    is_natural: bool = False
    included: bool | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array that was made."""
        return self.record.network.stimulus_shape

    def load(self) -> np.ndarray:
        """Return the exact array, float32.

        Raises:
            ResultError: it is damaged, or not what the record says.
        """
        for folder in self.folders:
            found = attempt(folder, self._load, folder)
            if not isinstance(found, Failure):
                return found
        raise ResultError(found.reason)

    def _load(self, folder: Path) -> np.ndarray:
        metamer = read_metamer(folder)
        if self.is_natural:
            check_original(folder, metamer)
        stimulus = metamer.original if self.is_natural else metamer.stimulus
        if stimulus.shape != self.shape or not np.isfinite(stimulus).all():
            raise ResultError(
                f"{folder} holds an array of shape {stimulus.shape}; finite numbers of shape {self.shape} were "
                "expected. Delete the folder and make the metamer again."
            )
        return stimulus.astype(np.float32)


@dataclass(frozen=True)
class Collection:
    """All exhibits below a folder.

    Attributes:
        metamers: every metamer that can be read, shown or not, in the order of the folders.
        naturals: each natural stimulus once.
        problems: folders that cannot be used, and why.
    """

    metamers: list[Exhibit]
    naturals: list[Exhibit]
    problems: list[tuple[Path, str]] = field(default_factory=list)


def collect_exhibits(out: str | os.PathLike, truth: Mapping[str, Truth] | None = None) -> Collection:
    """Read the records and verdicts of all metamers below a folder.

    A verdict on a metamer that has been replaced since does not count.

    Args:
        out: the folder that synthesis wrote to.
        truth: what natural stimuli truly are, by their ids, in place of what was recorded.

    Raises:
        ResultError: there is no metamer below the folder, none can be read, or `truth` has none of their stimuli.
    """
    metamers, problems = [], []
    for folder in find_metamers(out):
        found = attempt(folder, _read, folder)
        if isinstance(found, Failure):
            problems.append((folder, found.reason))
        else:
            metamers.append(found)
            # A file that was judged has changed: either it was made again, or it is damaged.
            changed = found.included is None and (folder / VERDICT_FILE).exists() and attempt(folder, found.load)
            if isinstance(changed, Failure):
                problems.append((folder, changed.reason))
    problems += [(folder, f"{folder}: {HALF_WRITTEN}") for folder in find_half_written(out)]
    if not metamers:
        raise ResultError(f"None of the {counted(len(problems), 'metamer')} below {out} can be read. {problems[0][1]}")
    if truth is not None:
        metamers = _with_truth(metamers, truth)
    return Collection(metamers, _naturals(metamers), problems)


def _with_truth(metamers: Sequence[Exhibit], truth: Mapping[str, Truth]) -> list[Exhibit]:
    ids = [metamer.record.stimulus.id for metamer in metamers]
    if truth.keys().isdisjoint(ids):
        raise ResultError(
            f"The truth is given for {first_few(list(truth), 1)}, but the metamers are of "
            f"{first_few(sorted(set(ids)), 1)}; "
            "use the ids that the stimuli have in the results, which 'tfmetamers index' lists."
        )
    return [
        dataclasses.replace(
            metamer, record=metamer.record.replace(stimulus=truth.get(id_, Truth()).apply_to(metamer.record.stimulus))
        )
        for id_, metamer in zip(ids, metamers, strict=True)
    ]


def _read(folder: Path) -> Exhibit:
    record = read_record(folder)
    return Exhibit((folder,), record, included=_included(folder, record))


def _included(folder: Path, record: MetamerRecord) -> bool | None:
    verdict = read_verdict(folder)
    if verdict is None:
        return None
    try:
        is_current = is_about(verdict, judged_files(folder, record))
    except ResultError:  # A file is missing or damaged, which is named when the metamer is loaded.
        return None
    return verdict["array"]["included"] if is_current else None


def _naturals(metamers: Sequence[Exhibit]) -> list[Exhibit]:
    """Return each natural stimulus once for each size that it was used at and each truth that is given for it."""
    matched: dict[tuple, list[Exhibit]] = {}
    for metamer in metamers:
        matched.setdefault(_natural_key(metamer.record), []).append(metamer)
    return [
        Exhibit(tuple(folder for each in same for folder in each.folders), same[0].record, is_natural=True)
        for same in matched.values()
    ]


def _natural_key(record: MetamerRecord) -> tuple:
    stimulus, network = record.stimulus, record.network
    truth = stimulus.label, stimulus.category
    return record.domain.name, network.stimulus_shape, stimulus.sha256, stimulus.id, truth
