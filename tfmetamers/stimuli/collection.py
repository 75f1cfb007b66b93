"""Natural stimuli, listed from files, folders and manifests."""

import csv
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tfmetamers.errors import StimulusError, shown
from tfmetamers.utilities.files import is_lock, is_partial

#: The columns of a manifest that have a meaning; other columns are kept as they are.
MANIFEST_COLUMNS = ("id", "file", "label", "category")

#: Names of files by which metamers are found: a folder of such a name would be taken for one of them.
FOUND_BY = ("metamer.json", "metamer.npy")

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
    files = sorted(_files_below(folder, tuple(suffixes), None if ignored is None else Path(ignored).resolve()))
    if not files:
        raise StimulusError(f"{folder} holds no files that end in {', '.join(suffixes)}; give another folder.")
    below = [path.relative_to(folder) for path in files]
    return [
        StimulusFile(inner.with_suffix("").as_posix(), path, category=inner.parts[0] if len(inner.parts) > 1 else None)
        for path, inner in zip(files, below, strict=True)
    ]


def _files_below(folder: Path, suffixes: tuple[str, ...], ignored: Path | None) -> Iterator[Path]:
    """Give the files below a folder that have one of several endings, but not hidden ones nor those of one folder."""
    if ignored is not None and folder.resolve().is_relative_to(ignored):
        return
    for parent, folders, names in os.walk(folder):
        inside = Path(parent)
        folders[:] = [name for name in folders if not name.startswith(".") and (inside / name).resolve() != ignored]
        for name in names:
            path = inside / name
            if not name.startswith(".") and path.suffix.lower() in suffixes and path.is_file():
                yield path


def _from_manifest(manifest: Path) -> list[StimulusFile]:
    try:
        with manifest.open(newline="", encoding="utf-8-sig") as stream:
            rows = [row for row in csv.reader(stream, strict=True) if row]
    except (csv.Error, UnicodeDecodeError) as error:
        raise StimulusError(f"{manifest} is not a CSV file in UTF-8 ({error}); save it as one.") from error
    header = rows.pop(0) if rows else []
    if not rows or not {"id", "file"} <= set(header) or len(set(header)) < len(header):
        raise StimulusError(
            f"{manifest} is not a manifest: a header of distinct names with 'id' and 'file', and rows, were expected."
        )
    places = {name: header.index(name) for name in MANIFEST_COLUMNS if name in header}
    further = [(place, name) for place, name in enumerate(header) if name not in MANIFEST_COLUMNS]
    paths = {cell: manifest.parent / cell for cell in {row[places["file"]] for row in rows if len(row) == len(header)}}
    stimuli = []
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header) or not row[places["id"]] or not row[places["file"]].isprintable():
            raise StimulusError(
                f"{manifest}, row {number}: an id, a file and as many cells as in the header were expected."
            )
        cells = {name: row[place] for name, place in places.items()}
        stimuli.append(
            StimulusFile(
                cells["id"],
                paths[cells["file"]],
                cells.get("label") or None,
                cells.get("category") or None,
                {name: row[place] for place, name in further},
            )
        )
    return stimuli


def _check_id(stimulus: StimulusFile) -> None:
    """Refuse an id that cannot be a path below the output folder, or that is the name of one of its own files there."""
    parts = stimulus.id.split("/")
    is_plain = all(part.strip() == part and part not in ("", ".", "..") for part in parts)
    is_own = any(is_partial(part) or is_lock(part) or part in FOUND_BY for part in parts)
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
        parent, slash, _ = stimulus.id.rpartition("/")
        while slash:
            if parent in by_id:
                raise StimulusError(
                    f"The ids {parent!r} and {stimulus.id!r} overlap: one result would be inside the folder of the "
                    "other; rename one."
                )
            parent, slash, _ = parent.rpartition("/")
