"""Natural stimuli, listed from files, folders and manifests."""

import csv
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tfmetamers.errors import StimulusError
from tfmetamers.stimuli.ids import check_ids

#: The columns of a manifest that have a meaning; other columns are kept as they are.
MANIFEST_COLUMNS = ("id", "file", "label", "category")


@dataclass(frozen=True)
class StimulusFile:
    """A natural stimulus on disk.

    Attributes:
        id: its name in results: the path below the input folder without the file's ending, or a manifest's id.
        path: the file.
        label: its true label, where a manifest gives one.
        category: its true category, from a manifest, or from the folder that it is in.
        columns: further columns of the manifest.

    >>> stimulus = StimulusFile("dog", Path("pictures/dog.png"), category="dog")
    >>> stimulus.id, stimulus.category, stimulus.label
    ('dog', 'dog', None)
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

    >>> from tfmetamers.stimuli import sample_words
    >>> stimuli = collect_stimuli([sample_words()], [".wav"])
    >>> len(stimuli), len({stimulus.label for stimulus in stimuli})
    (60, 30)
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
    check_ids([stimulus.id for stimulus in stimuli], [stimulus.path for stimulus in stimuli], StimulusError)
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
            f"{manifest} is not a manifest; a header of distinct names, with 'id' and 'file', and rows were expected."
        )
    places = {name: header.index(name) for name in MANIFEST_COLUMNS if name in header}
    further = [(place, name) for place, name in enumerate(header) if name not in MANIFEST_COLUMNS]
    paths = {cell: manifest.parent / cell for cell in {row[places["file"]] for row in rows if len(row) == len(header)}}
    stimuli = []
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header) or not row[places["id"]] or not row[places["file"]].isprintable():
            raise StimulusError(
                f"{manifest}, row {number}: an id, a file, and as many cells as the header has were expected."
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
