"""The verdict beside a metamer, and whether it is about the metamer that is there now."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfmetamers.errors import ResultError
from tfmetamers.metamers.metamer import Metamer
from tfmetamers.metamers.record import MetamerRecord
from tfmetamers.stimuli.noise import stimulus_digest
from tfmetamers.utilities.files import file_digest

#: The version of the file's format, written as ``format`` in verdict.json.
FORMAT = 2


def read_verdict(folder: Path) -> dict[str, Any] | None:
    """Return what a folder's verdict.json holds, None where there is none.

    Raises:
        ResultError: it is damaged, or of another format.
    """
    path = folder / "verdict.json"
    if not path.exists():
        return None
    try:
        verdict = json.loads(path.read_text(encoding="utf-8"))
        version = verdict["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResultError(f"{path} is damaged ({error}); delete it and evaluate again.") from error
    if version != FORMAT:
        raise ResultError(
            f"{path} has format {version}, and this version of tfmetamers reads format {FORMAT}; evaluate again."
        )
    return verdict


def judged_files(folder: Path, record: MetamerRecord) -> dict[str, str]:
    """Return the SHA-256 of each file that a verdict rests on, by its name.

    Args:
        folder: the metamer's folder.
        record: what its metamer.json holds.

    Raises:
        ResultError: one is missing or cannot be read.
    """
    ending = record.domain.ending
    names = dict.fromkeys(["metamer.json", "metamer.npy", f"metamer{ending}", f"original{ending}"])
    if (folder / "original.npy").exists():
        names["original.npy"] = None
    try:
        return {name: file_digest(folder / name) for name in names}
    except OSError as error:
        raise ResultError(
            f"{folder} is damaged ({Path(error.filename).name}: {error.strerror}); delete it and make it again."
        ) from error


def check_original(folder: Path, metamer: Metamer) -> None:
    """Refuse an original that is not the natural stimulus that the metamer was made of.

    A cochleagram's record has the hash of the sound that it is made from, which is not kept; it is not checked.

    Raises:
        ResultError: its hash is not the recorded one.
    """
    record = metamer.record
    is_kept = record.domain.of_natural_stimuli == record.domain
    if is_kept and stimulus_digest(metamer.original) != record.stimulus.sha256:
        raise ResultError(
            f"{folder} is damaged: its original is not the natural stimulus that the metamer was made of; delete the "
            "folder and make the metamer again."
        )


def is_about(verdict: Mapping, files: Mapping[str, str]) -> bool:
    """Tell whether a verdict rests on these files (`judged_files`)."""
    basis = verdict.get("basis")
    return isinstance(basis, Mapping) and basis.get("files") == files
