"""Corpora: manifests that say which recordings contain which words, and which sounds belong to which categories.

A corpus of words is a CSV file with the columns ``file``, ``start``, ``word``, ``speaker`` and ``split``; a corpus of
backgrounds has the columns ``file`` and ``categories`` and, where needed, ``start`` and ``split``. ``docs/corpora.md``
shows an example of each.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from tfmetamers.errors import CorpusError, shown
from tfmetamers.training.corpus_choices import SPLITS
from tfmetamers.training.sound_files import measure_sounds
from tfmetamers.training.tables import EXAMPLES, read_seconds, read_table, refuse_rows
from tfmetamers.utilities.files import atomic_write
from tfmetamers.utilities.words import counted

#: The columns of a manifest of words.
WORD_COLUMNS = ("file", "start", "word", "speaker", "split")

#: Whether a clip of a word may reach beyond its recording, where it is silent; optional in a manifest.
PAD_COLUMN = "pad"

#: What a manifest has in that column.
_PAD_CELLS = {"": False, "no": False, "yes": True}

#: The columns of a manifest of backgrounds.
BACKGROUND_COLUMNS = ("file", "start", "categories", "split")

#: What separates the names of categories in one cell.
SEPARATOR = ";"


def read_words(manifest: str | os.PathLike, needed: Sequence[str] = ("train", "test")) -> pd.DataFrame:
    """Read a manifest of words.

    Args:
        manifest: a CSV file in UTF-8 with a header and the columns ``file`` (relative ones are relative to the
            manifest's folder), ``start`` (in s, at least 0), ``word``, ``speaker`` (may be empty) and ``split``
            (``train``, ``validation`` or ``test``), and optionally ``pad`` (``yes`` where a clip may reach beyond its
            recording, and begin at a negative start); other columns, empty lines and space around cells are ignored.
        needed: the splits that must have rows; training needs all three.

    Returns:
        A row for each clip, indexed by its line in the manifest (from 1, as an editor counts), with the columns of
        `WORD_COLUMNS`: ``file`` (absolute path, text), ``start`` (float64, s), ``word``, ``speaker`` and ``split``
        (categoricals of text; those of ``split`` are `SPLITS`, in order), and ``pad`` (bool). ``attrs["manifest"]`` is
        the manifest's path.

    Raises:
        CorpusError: the manifest cannot be read, lacks columns, or has a row with too many or too few cells; a start
            is not a number, or below 0 without ``pad``; a ``pad`` is neither yes nor no; a word or file is empty; a
            split is unknown, or needed and empty; a clip is repeated; training has fewer than two words, or lacks
            words of another split.

    >>> splits = ["train", "train", "test", "test"]
    >>> columns = {"file": [f"{split}.wav" for split in splits], "start": [0, 1, 0, 1], "word": ["yes", "no"] * 2}
    >>> pd.DataFrame({**columns, "speaker": splits, "split": splits}).to_csv("words.csv", index=False)
    >>> words = read_words("words.csv")
    >>> words[words["split"] == "test"]["word"].tolist()
    ['yes', 'no']
    """
    frame = _read(Path(manifest), required=WORD_COLUMNS, optional={PAD_COLUMN: ""})
    check_words(frame, needed)
    return frame


def read_backgrounds(manifest: str | os.PathLike, needed: Sequence[str] = ("train",)) -> pd.DataFrame:
    """Read a manifest of backgrounds.

    Args:
        manifest: a CSV file as `read_words` reads it, with the columns ``file`` and ``categories`` (one name, or
            several separated by ``;``) and, optionally, ``start`` (in s, 0 by default) and ``split`` (``train`` by
            default).
        needed: the splits that must have rows.

    Returns:
        A row for each clip, indexed and typed as the result of `read_words`, with the columns of `BACKGROUND_COLUMNS`;
        ``categories`` is a categorical of text, with the names of a clip sorted and separated by ``;``.

    Raises:
        CorpusError: as for `read_words`; a clip has no category; there are fewer than two categories, or training lacks
            a category of another split.

    >>> columns = {"file": ["rain.wav", "street.wav"], "categories": ["water;weather", "traffic"]}
    >>> pd.DataFrame(columns).to_csv("backgrounds.csv", index=False)
    >>> read_backgrounds("backgrounds.csv")["categories"].tolist()
    ['water;weather', 'traffic']
    """
    frame = _read(Path(manifest), required=("file", "categories"), optional={"start": "0", "split": "train"})
    frame["categories"] = _renamed(frame["categories"], lambda cell: SEPARATOR.join(_names(cell)))
    check_backgrounds(frame, needed)
    return frame


def category_names(backgrounds: pd.DataFrame) -> list[str]:
    """Return the names of all categories of a manifest's backgrounds, sorted."""
    return sorted({name for cell in backgrounds["categories"].unique() for name in _names(cell)})


def check_words(frame: pd.DataFrame, needed: Sequence[str]) -> None:
    """Refuse words that no network can be trained on, and give their splits the order of `SPLITS`.

    Args:
        frame: the columns of `WORD_COLUMNS`; ``word``, ``speaker`` and ``split`` categorical.
        needed: the splits that must have rows.

    Raises:
        CorpusError: as for `read_words`.
    """
    _check_filled(frame, "file")
    _check_filled(frame, "word")
    _check_splits(frame, needed)
    _check_distinct(frame, ["file", "start", "word"])
    trained = set(frame["word"][frame["split"] == "train"])
    if len(trained) < 2:
        raise CorpusError(
            f"{_name(frame)} has {counted(len(trained), 'word')} to train on; at least two were expected. Add clips "
            "of other words."
        )
    _check_trained(frame, "word", trained)


def check_backgrounds(frame: pd.DataFrame, needed: Sequence[str]) -> None:
    """Refuse backgrounds that no network can be trained on, and give their splits the order of `SPLITS`.

    Args:
        frame: the columns of `BACKGROUND_COLUMNS`; ``categories`` and ``split`` categorical.
        needed: the splits that must have rows.

    Raises:
        CorpusError: as for `read_backgrounds`.
    """
    _check_filled(frame, "file")
    _check_filled(frame, "categories")
    _check_splits(frame, needed)
    _check_distinct(frame, ["file", "start"])
    names = category_names(frame)
    if len(names) < 2:
        raise CorpusError(
            f"{_name(frame)} has only the category {shown(names[0])}; at least two were expected. Add sounds of others."
        )
    trained = set(category_names(frame[frame["split"] == "train"]))
    _check_trained(frame, "categories", {cell for cell in frame["categories"].unique() if trained >= set(_names(cell))})


def check_recordings(frame: pd.DataFrame, seconds: float) -> None:
    """Open each recording once, and refuse those that are missing, unreadable, or end before a clip does.

    Only headers are read. A clip may end one sample after its recording, because programs round differently, and a
    padded one any time after it has begun.

    Args:
        frame: what `read_words` or `read_backgrounds` returned, or rows of it.
        seconds: length of a clip.

    Raises:
        CorpusError: a recording is missing, empty, damaged, cut short or not a sound, or ends before one of its clips;
            a padded clip has nothing of its recording.

    >>> from tfmetamers.stimuli import save_sound
    >>> save_sound(np.full(8000, 0.1, np.float32), "rain.wav", sampling_rate=8000)
    >>> columns = {"file": ["rain.wav", "rain.wav"], "start": [0.0, 0.5], "categories": ["water", "weather"]}
    >>> pd.DataFrame(columns).to_csv("backgrounds.csv", index=False)
    >>> check_recordings(read_backgrounds("backgrounds.csv"), seconds=0.5)
    """
    first = frame.drop_duplicates("file")
    ends, unusable = measure_sounds(list(first["file"]))
    examples = [(line, unusable[file]) for line, file in first["file"].items() if file in unusable]
    _refuse(frame, examples, "whose recording cannot be used", "copy missing recordings there, or delete such rows")
    end = frame["file"].map(ends).to_numpy(np.float64)
    start = frame["start"].to_numpy()
    padded = frame[PAD_COLUMN].to_numpy() if PAD_COLUMN in frame else np.zeros(len(frame), bool)
    outside = np.flatnonzero(padded & ((start + seconds <= 0) | (start >= end)))
    examples = [(frame.index[row], f"{start[row]:g} s in {frame['file'].iloc[row]}") for row in outside[:EXAMPLES]]
    which = f"whose padded clip of {seconds:g} s has nothing of its recording"
    _refuse(frame, examples, which, "correct the start, or delete such rows", len(outside))
    late = np.flatnonzero(~padded & (start + seconds > end))
    examples = [
        (frame.index[row], f"from {start[row]:g} s in {frame['file'].iloc[row]}, which has {end[row]:g} s")
        for row in late[:EXAMPLES]
    ]
    which = f"whose clip of {seconds:g} s ends after its recording"
    _refuse(frame, examples, which, "correct the start, or delete such rows", len(late))


def write_manifest(frame: pd.DataFrame, path: str | os.PathLike) -> None:
    """Write a manifest of words or backgrounds; reading it gives the same frame again.

    Args:
        frame: the columns of `WORD_COLUMNS` or of `BACKGROUND_COLUMNS`; ``file`` absolute.
        path: the CSV file to write; recordings in its folder or below are named relative to it.

    Raises:
        ResultError: the file cannot be written.
    """
    folder = os.path.join(os.path.abspath(Path(path).parent), "")
    files = frame["file"].astype(object)
    below = files.str.startswith(folder)
    files = files.where(~below, files.str.removeprefix(folder))
    frame = frame.assign(file=files)
    if PAD_COLUMN in frame:
        pad = frame.pop(PAD_COLUMN)
        frame = frame.assign(**{PAD_COLUMN: pad.map({True: "yes", False: ""})}) if pad.any() else frame
    with atomic_write(path) as partial:
        frame.to_csv(partial, index=False, encoding="utf-8", lineterminator="\n")


def _refuse(frame: pd.DataFrame, examples, which: str, remedy: str, count: int | None = None) -> None:
    refuse_rows(_name(frame), examples, which, remedy, count)


def _name(frame: pd.DataFrame) -> str:
    return frame.attrs.get("manifest", "The corpus")


def _read(manifest: Path, required: Sequence[str], optional: dict[str, str]) -> pd.DataFrame:
    lines, cells = read_table(manifest, required, optional)
    padded = _padded(manifest, lines, cells.pop(PAD_COLUMN)) if PAD_COLUMN in cells else None
    columns = {
        "file": _absolute(manifest.parent, cells.pop("file")),
        "start": read_seconds(manifest, lines, cells.pop("start"), "start", False if padded is None else padded),
    }
    frame = pd.DataFrame(columns | {name: pd.Categorical(column) for name, column in cells.items()})
    if padded is not None:
        frame[PAD_COLUMN] = padded
    frame.index = pd.Index(lines, name="line")
    frame.attrs["manifest"] = str(manifest)
    return frame


def _padded(manifest: Path, lines: Sequence[int], cells: Sequence[str]) -> np.ndarray:
    wrong = [row for row, cell in enumerate(cells) if cell not in _PAD_CELLS]
    examples = [(lines[row], shown(cells[row])) for row in wrong[:EXAMPLES]]
    refuse_rows(manifest, examples, f"whose {PAD_COLUMN} is not yes or no", "correct it", len(wrong))
    return np.array([_PAD_CELLS[cell] for cell in cells], bool)


def _absolute(folder: Path, files: Iterable[str]) -> list[str]:
    """Return the absolute paths of files relative to a folder; empty paths stay empty, equal ones share one object."""
    folder = os.path.abspath(folder)
    paths = {file: file and os.path.normpath(os.path.join(folder, file)) for file in set(files)}
    return [paths[file] for file in files]


def _renamed(column: pd.Series, rename: Callable[[str], str]) -> pd.Series:
    """Return a categorical with its categories renamed; several may become one."""
    names = column.cat.categories.map(rename)
    return pd.Series(pd.Categorical(names.to_numpy(object)[column.cat.codes]), column.index, name=column.name)


def _names(cell: str) -> list[str]:
    return sorted({name.strip() for name in cell.split(SEPARATOR)} - {""})


def _check_filled(frame: pd.DataFrame, column: str) -> None:
    empty = frame.index[frame[column] == ""]
    examples = [(line, "an empty cell") for line in empty[:EXAMPLES]]
    _refuse(frame, examples, f"whose {column} is empty", f"fill in the {column}, or delete such rows", len(empty))


def _check_splits(frame: pd.DataFrame, needed: Sequence[str]) -> None:
    """Refuse unknown and empty splits, and give the column the categories of `SPLITS`."""
    unknown = frame["split"][~frame["split"].isin(SPLITS)]
    examples = [(line, shown(name)) for line, name in unknown[:EXAMPLES].items()]
    _refuse(frame, examples, f"whose split is none of {', '.join(SPLITS)}", "correct the split", len(unknown))
    frame["split"] = frame["split"].cat.set_categories(SPLITS, ordered=True)
    empty = sorted(set(needed) - set(frame["split"]), key=SPLITS.index)
    if empty:
        raise CorpusError(
            f"{_name(frame)} has no row in the split {' or '.join(empty)}; rows in {', '.join(needed)} were expected. "
            "Add clips, or move some to that split."
        )


def _check_distinct(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    repeated = frame[frame.duplicated(columns)]
    first = repeated[:EXAMPLES]
    examples = [
        (line, f"{start:g} s in {file}")
        for line, start, file in zip(first.index, first["start"], first["file"], strict=True)
    ]
    _refuse(frame, examples, "whose clip is in an earlier row", "delete such rows", len(repeated))


def _check_trained(frame: pd.DataFrame, column: str, trained: set[str]) -> None:
    """Refuse rows of validation and test whose cell is not trained on."""
    unknown = frame[(frame["split"] != "train") & ~frame[column].isin(trained)]
    first = unknown[:EXAMPLES]
    examples = [
        (line, f"{shown(cell)} in {split}")
        for line, cell, split in zip(first.index, first[column], first["split"], strict=True)
    ]
    which = f"of validation or test whose {column} training lacks"
    _refuse(frame, examples, which, "move such rows to training, or delete them", len(unknown))
