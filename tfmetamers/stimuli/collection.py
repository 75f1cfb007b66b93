"""Natural stimuli, listed from files, folders and manifests."""

import csv
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tfmetamers.errors import StimulusError, shown
from tfmetamers.utilities.files import is_lock, is_partial

#: The columns of a manifest that have a meaning; other columns are kept as they are.
MANIFEST_COLUMNS = ("id", "file", "label", "category")


#: The longest id, and the longest part of one, in bytes: it becomes a path.
MAX_ID, MAX_PART = 1024, 255


@dataclass(frozen=True)
class StimulusFile:
    """A natural stimulus on disk.

    Attributes:
        id: its name in results: the path below the input folder without the file's ending, or a manifest's id.
        path: the file.
        label: its true label, where a manifest gives one.
        category: its true category, from a manifest, or from the folder that it is in.
        columns: further columns of the manifest.
    """

    id: str
    path: Path
    label: str | None = None
    category: str | None = None
    columns: dict[str, str] = field(default_factory=dict)


def collect_stimuli(
    inputs: Iterable[str | os.PathLike], suffixes: Sequence[str], *, ignored: str | os.PathLike | None = None
) -> list[StimulusFile]:
    """List the stimuli that files, folders and manifests name.

    A folder stands for all files below it that have the given endings; where they are in subfolders, the uppermost
    subfolder is their category. A manifest is a CSV file with the columns ``id``, ``file`` (relative to the manifest)
    and, if known, ``label`` and ``category``; further columns are kept.

    Args:
        inputs: files, folders and ``.csv`` manifests, in any mixture.
        suffixes: endings of the files that folders are searched for, in lower case.
        ignored: a folder to leave out where it is inside an input: the one that results are written to.

    Returns:
        The stimuli in the order of the inputs, those of a folder by path.

    Raises:
        StimulusError: an input does not exist or holds no stimulus, a manifest cannot be read, or two stimuli have
            the same id or overlapping ids.
    """
    stimuli: list[StimulusFile] = []
    for given in map(Path, inputs):
        if given.is_dir():
            stimuli += _from_folder(given, suffixes, ignored)
        elif not given.is_file():
            raise StimulusError(f"{given} does not exist; give a file, a folder or a manifest (CSV).")
        elif given.suffix.lower() == ".csv":
            stimuli += _from_manifest(given)
        else:
            stimuli.append(StimulusFile(given.stem, given))
    for stimulus in stimuli:
        _check_id(stimulus)
    _check_distinct(stimuli)
    return stimuli


def _from_folder(folder: Path, suffixes: Sequence[str], ignored) -> list[StimulusFile]:
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in suffixes and path.is_file() and not _is_hidden(path.relative_to(folder))
    )
    if ignored is not None:
        files = [path for path in files if not path.resolve().is_relative_to(Path(ignored).resolve())]
    if not files:
        raise StimulusError(f"{folder} holds no files that end in {', '.join(suffixes)}; give another folder.")
    below = [path.relative_to(folder) for path in files]
    return [
        StimulusFile(inner.with_suffix("").as_posix(), path, category=inner.parts[0] if len(inner.parts) > 1 else None)
        for path, inner in zip(files, below, strict=True)
    ]


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _from_manifest(manifest: Path) -> list[StimulusFile]:
    try:
        with manifest.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream, strict=True)
            rows, header = list(reader), reader.fieldnames or []
    except (csv.Error, UnicodeDecodeError) as error:
        raise StimulusError(f"{manifest} is not a CSV file in UTF-8 ({error}); save it as one.") from error
    if not rows or not {"id", "file"} <= set(header) or len(set(header)) < len(header):
        raise StimulusError(
            f"{manifest} is not a manifest: a header of distinct names with 'id' and 'file', and rows, were expected."
        )
    stimuli = []
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values() or not row["id"] or not row["file"].isprintable() or not row["file"]:
            raise StimulusError(
                f"{manifest}, row {number}: an id, a file and as many cells as in the header were expected."
            )
        further = {column: value for column, value in row.items() if column not in MANIFEST_COLUMNS}
        stimuli.append(
            StimulusFile(
                row["id"],
                manifest.parent / row["file"],
                row.get("label") or None,
                row.get("category") or None,
                further,
            )
        )
    return stimuli


def _check_id(stimulus: StimulusFile) -> None:
    """Refuse an id that cannot be a path below the output folder, or that is that of a temporary file there."""
    parts = stimulus.id.split("/")
    is_plain = all(part.strip() == part and part not in ("", ".", "..") for part in parts)
    is_own = any(is_partial(part) or is_lock(part) for part in parts)
    if not is_plain or is_own or not stimulus.id.isprintable() or "\\" in stimulus.id:
        raise StimulusError(
            f"{stimulus.path} has the id {stimulus.id!r}; a plain name, or names separated by '/', was expected."
        )
    if len(stimulus.id.encode()) > MAX_ID or any(len(part.encode()) > MAX_PART for part in parts):
        raise StimulusError(
            f"{stimulus.path} has the id {shown(stimulus.id)} of {len(stimulus.id.encode())} bytes; at most {MAX_ID}, "
            f"and {MAX_PART} between two '/', were expected. Rename it, or name it in a manifest."
        )


def _check_distinct(stimuli: Sequence[StimulusFile]) -> None:
    """Refuse ids that would put two results in one folder, or one result inside another's folder."""
    by_id: dict[str, StimulusFile] = {}
    for stimulus in stimuli:
        if stimulus.id in by_id:
            raise StimulusError(
                f"{by_id[stimulus.id].path} and {stimulus.path} both have the id {stimulus.id!r}; "
                "rename one, or name them in a manifest."
            )
        by_id[stimulus.id] = stimulus
    for stimulus in stimuli:
        for parent in PurePosixPath(stimulus.id).parents:
            if parent.as_posix() in by_id:
                raise StimulusError(
                    f"The ids {parent.as_posix()!r} and {stimulus.id!r} overlap: one result would be inside the "
                    "folder of the other; rename one."
                )
