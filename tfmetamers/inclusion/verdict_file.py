"""The verdict beside a metamer, and whether it is about the metamer that is there now."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from tfmetamers.errors import ResultError
from tfmetamers.metamers.folder import VERDICT_FILE, checked_file
from tfmetamers.metamers.metamer import Metamer
from tfmetamers.metamers.record import MetamerRecord
from tfmetamers.stimuli.noise import stimulus_digest
from tfmetamers.utilities.files import atomic_write, file_digest
from tfmetamers.utilities.json_files import check_seal, other_format, read_json, sealed, typed

#: The version of the file's format, written as ``format`` in verdict.json.
FORMAT = 2


class NullFile(TypedDict):
    """A null distribution's file: its name and the SHA-256 of its bytes."""

    file: str
    sha256: str


class Basis(TypedDict):
    """What a verdict is based on; ``docs/evaluation.md`` describes the fields of this and of the classes below."""

    files: dict[str, str]
    null: NullFile | None
    without_null: str | None
    all_layers: bool


class MeasureComparison(TypedDict):
    """A further measure against its null distribution."""

    value: float | None
    null_maximum: float | None
    percentile: float | None
    margin: float | None


class VerdictPart(TypedDict):
    """The verdict on the exact array, or on what a person is shown."""

    included: bool | None
    original_label: str | None
    metamer_label: str | None
    same_label: bool | None
    correlation: float | None
    null_maximum: float | None
    percentile: float | None
    pairs: int | None
    claim: str
    reasons: list[str]
    warnings: list[str]
    margin: float | None
    further: NotRequired[dict[str, MeasureComparison]]


class LayerComparison(TypedDict):
    """The comparison at a layer."""

    correlation: float | None
    null_maximum: float | None
    percentile: float | None


class Scatter(TypedDict):
    """Activations of some units of the matched layer."""

    original: list[float]
    metamer: list[float]


class VerdictContent(TypedDict):
    """What verdict.json holds, besides its format and its hash."""

    basis: Basis
    array: VerdictPart
    saved: VerdictPart
    pearson: float | None
    signal_to_noise_ratio: float | None
    place: int | None
    layers: dict[str, LayerComparison] | None
    scatter: Scatter


def write_verdict(folder: Path, verdict: Mapping[str, Any]) -> None:
    """Write a metamer's verdict.json.

    Args:
        folder: the metamer's folder.
        verdict: what `VerdictContent` describes.

    Raises:
        ResultError: it cannot be written.
    """
    content = sealed({"format": FORMAT, **verdict})
    with atomic_write(folder / VERDICT_FILE) as partial:
        partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read_verdict(folder: Path) -> VerdictContent | None:
    """Return what a folder's verdict.json holds, None where there is none.

    Raises:
        ResultError: it is damaged, altered, lacks a part, or is of another format.
    """
    path = folder / VERDICT_FILE
    if not path.exists():
        return None
    try:
        verdict = read_json(path)
        version = verdict["format"]
        if version == FORMAT:
            check_seal(verdict)
            return typed(verdict, VerdictContent)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResultError(f"{path} is damaged ({error}); delete it and evaluate again.") from error
    raise other_format(path, version, FORMAT, "evaluate again")


def judged_files(folder: Path, record: MetamerRecord) -> dict[str, str]:
    """Return the SHA-256 of each file that a verdict is based on, by its name.

    Args:
        folder: the metamer's folder.
        record: what its metamer.json holds.

    Raises:
        ResultError: one is missing, cannot be read, or is not what was written.
    """
    names = ["metamer.npy", *(f"{name}{record.domain.ending}" for name in ("metamer", "original"))]
    names += ["original.npy"] if "original.npy" in record.files else []
    files = [folder / "metamer.json", *(checked_file(folder, name, record) for name in dict.fromkeys(names))]
    return {file.name: file_digest(file) for file in files}


def check_original(folder: Path, metamer: Metamer) -> None:
    """Refuse an original that is not the natural stimulus that was recorded.

    A cochleagram's record has the hash of the sound that it is made from, which is not kept; it is not checked.

    Raises:
        ResultError: its hash is not the recorded one.
    """
    record = metamer.record
    is_kept = record.domain.of_natural_stimuli == record.domain
    if is_kept and stimulus_digest(metamer.original) != record.stimulus.sha256:
        raise ResultError(
            f"{folder} is damaged: its original is not the natural stimulus that was recorded; delete the folder and "
            "make the metamer again."
        )


def is_about(verdict: VerdictContent, files: Mapping[str, str]) -> bool:
    """Tell whether a verdict is based on these files (`judged_files`)."""
    return verdict["basis"]["files"] == files
