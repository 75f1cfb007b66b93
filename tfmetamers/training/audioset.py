"""Backgrounds from AudioSet: its published lists of segments, and a folder with as many of the sounds as one has.

AudioSet (Gemmeke et al., 2017, https://research.google.com/audioset/download.html) publishes, for ten seconds of each
of two million YouTube videos, which of 527 sound categories can be heard, but not the sounds.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np
import pandas as pd

from tfmetamers.errors import ArgumentError, CorpusError, shown
from tfmetamers.training.checks import check_positive, check_shares, check_whole_numbers
from tfmetamers.training.corpora import BACKGROUND_COLUMNS, SEPARATOR, category_names, check_backgrounds
from tfmetamers.training.corpus_choices import SPLITS
from tfmetamers.training.sound_files import list_sounds, measure_sounds
from tfmetamers.training.tables import cannot_read, check_ends, open_csv, read_seconds, read_table, refuse_rows
from tfmetamers.training.tally import Dropped, Tally
from tfmetamers.utilities.json_files import read_json, typed
from tfmetamers.utilities.words import counted

#: How sounds are named: by the identifier of the YouTube video, with ``Y`` before it or not, and after it nothing, the
#: segment's start, or its start and end, in seconds or milliseconds.
SOUND_NAME = re.compile(r"Y?(?P<id>[\w-]{11})(?:_(?P<start>\d+(?:\.\d+)?)(?:[_-]\d+(?:\.\d+)?)?)?", re.ASCII)

#: A sound that is longer than its segment by more than this many seconds is taken to be the whole video.
_MAX_EXCESS = 1.0


class _OntologyEntry(TypedDict):
    """What is used of an entry of ``ontology.json``."""

    id: str
    name: str


@dataclass(frozen=True)
class BackgroundSettings:
    """Which sounds become backgrounds.

    Attributes:
        seconds: length of a clip in s; shorter sounds are dropped.
        min_clips: categories with fewer clips are dropped.
        validation: share of the training lists' clips that becomes validation, above 0 and below 1.
        seed: seed of the draw of these.

    Raises:
        ArgumentError: a value is out of its range.
    """

    seconds: float = 2.0
    min_clips: int = 1
    validation: float = 0.1
    seed: int = 0

    def __post_init__(self):
        check_positive(self, "seconds")
        check_whole_numbers(self, "min_clips", "seed", minimum=0)
        check_shares(self, "validation")


def read_segments(paths: Iterable[str | os.PathLike]) -> pd.DataFrame:
    """Read AudioSet's lists of segments.

    A list has comments that begin with ``#`` and lines such as ``-0RWZT-miFs, 420.000, 430.000, "/m/03v3yw,/m/0k4j"``:
    the video, the segment's start and end in s, and the labels of its categories. A list with ``eval`` in its name is
    for the test, one with ``train`` for training.

    Args:
        paths: the lists.

    Returns:
        A row for each segment: ``id`` (text), ``begin`` and ``end`` (float64, s), ``labels`` (text, separated by
        commas), ``split`` (``train`` or ``test``) and ``list`` (the name of the list).

    Raises:
        ArgumentError: a list's name has neither ``eval`` nor ``train``, or both.
        CorpusError: a list is missing, cannot be read, has no segments, or has lines of another form.
    """
    return pd.concat([_read_list(Path(path)) for path in paths], ignore_index=True)


def read_labels(path: str | os.PathLike) -> dict[str, str]:
    """Return the names of AudioSet's categories by their labels, such as ``/m/0k4j``.

    Args:
        path: ``class_labels_indices.csv`` (columns ``mid`` and ``display_name``) or ``ontology.json`` (objects with
            ``id`` and ``name``).

    Raises:
        CorpusError: the file is missing or is neither of these, or a name is empty or has a ``;``.
    """
    path = Path(path)
    if path.suffix.lower() == ".json":
        try:
            names = {entry["id"]: entry["name"] for entry in typed(read_json(path), list[_OntologyEntry])}
        except (OSError, ValueError) as error:
            raise cannot_read(path, "AudioSet's ontology.json", error) from error
    else:
        _, cells = read_table(path, ("mid", "display_name"))
        names = dict(zip(cells["mid"], cells["display_name"], strict=True))
    wrong = [name for name in names.values() if SEPARATOR in name or not name.strip()]
    if wrong or not names:
        raise CorpusError(
            f"{path} names categories {shown(wrong[:1])}; names without {SEPARATOR!r} were expected, get it again."
        )
    return names


def gather_backgrounds(
    segments: pd.DataFrame,
    labels: dict[str, str],
    sounds: str | os.PathLike,
    settings: BackgroundSettings,
    progress: Callable[[Sequence[str]], Iterable[str]] = iter,
) -> tuple[pd.DataFrame, list[Dropped]]:
    """Find the sounds of segments, drop those that cannot be used, and split off some of training for validation.

    Sounds are looked for in the folder and its subfolders, by the names that downloaders give them: ``ID.wav``,
    ``YID.wav``, ``ID_START.wav`` and ``ID_START_END.wav`` (or ``ID_START-END.wav``), in any format that libsndfile
    reads; a start in the name, in s or ms, must be the segment's. A sound must be the segment, not the whole video.

    Args:
        segments: what `read_segments` returned.
        labels: what `read_labels` returned.
        sounds: the folder of the sounds.
        settings: which of them become backgrounds.
        progress: called with the sounds; yields them one by one, such as a progress bar.

    Returns:
        The clips as `tfmetamers.training.corpora.read_backgrounds` returns them, and what was dropped.

    Raises:
        CorpusError: the folder does not exist, or has no sound of a segment; a label has no name; nothing remains, a
            split is empty, or fewer than two categories remain.
    """
    tally = Tally(lambda row: f"{row['id']} of {row['list']}")
    _check_labels(segments, labels)
    # Those of the test come first, so that a segment in lists of both kinds stays in the test.
    clips = segments.sort_values("split", key=lambda split: split != "test", kind="stable", ignore_index=True)
    clips = tally.keep(clips, ~clips.duplicated(["id", "begin"]), "listed more than once")
    clips = _find_sounds(clips, Path(sounds), tally)
    clips = _check_lengths(clips, settings.seconds, tally, progress)
    clips = clips.sort_values("file", kind="stable", ignore_index=True)
    rows = np.flatnonzero(clips["split"] == "train")
    chosen = np.random.default_rng(settings.seed).permutation(rows)[: round(settings.validation * len(rows))]
    clips.loc[chosen, "split"] = "validation"
    clips = _name_categories(clips, labels, settings.min_clips, tally)
    tally.require_clips(clips, "sounds")
    clips = clips.assign(start=0.0)[list(BACKGROUND_COLUMNS)].astype({"categories": "category", "split": "category"})
    check_backgrounds(clips, SPLITS)
    return clips, tally.dropped


def summarize_backgrounds(clips: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Return how many clips and categories there are in each split and in all.

    Args:
        clips: what `gather_backgrounds` or `tfmetamers.training.corpora.read_backgrounds` returned.
    """
    parts = {split: clips[clips["split"] == split] for split in SPLITS} | {"all": clips}
    return {name: {"clips": len(part), "categories": len(category_names(part))} for name, part in parts.items()}


def _read_list(path: Path) -> pd.DataFrame:
    split = _split_of(path)
    with open_csv(path, "a list of AudioSet's segments", skipinitialspace=True) as reader:
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if row and row[0][:1] != "#"]
    wrong = [(line, shown(",".join(row))) for line, row in rows if len(row) != 4 or not all(row)]
    refuse_rows(path, wrong, "other than 'YTID, start, end, \"labels\"'", "get the list again")
    if not rows:
        raise CorpusError(f"{path} has no segments; get the list again.")
    lines, rows = zip(*rows, strict=True)
    identifiers, begins, ends, labels = zip(*rows, strict=True)
    begin, end = (read_seconds(path, lines, cells, what) for cells, what in ((begins, "start"), (ends, "end")))
    check_ends(path, lines, begin, end)
    columns = {"id": identifiers, "begin": begin, "end": end, "labels": labels, "split": split, "list": path.name}
    return pd.DataFrame(columns)


def _split_of(path: Path) -> str:
    kinds = [split for kind, split in (("eval", "test"), ("train", "train")) if kind in path.name.lower()]
    if len(kinds) != 1:
        raise ArgumentError(
            f"The name of {path} does not say whether it is for training or the test; give AudioSet's "
            "balanced_train_segments.csv, unbalanced_train_segments.csv or eval_segments.csv under its own name."
        )
    return kinds[0]


def _check_labels(segments: pd.DataFrame, labels: dict[str, str]) -> None:
    known = {label.strip() for cell in segments["labels"].unique() for label in cell.split(",")}
    unknown = sorted(known - set(labels))
    if unknown:
        raise CorpusError(
            f"The segments have {counted(len(unknown), 'label')} without a name, such as {unknown[0]}; give AudioSet's "
            "own class_labels_indices.csv or ontology.json."
        )


def _find_sounds(clips: pd.DataFrame, folder: Path, tally: Tally) -> pd.DataFrame:
    """Give segments the column ``file``, and drop those without a sound."""
    known: dict[str, list[tuple[float | None, str]]] = {}
    root = os.path.abspath(folder)
    for file in list_sounds(folder):
        name = SOUND_NAME.fullmatch(os.path.splitext(os.path.basename(file))[0])
        if name:
            start = None if name["start"] is None else float(name["start"])
            known.setdefault(name["id"], []).append((start, os.path.join(root, file)))
    found = [
        next((file for start, file in known.get(video, ()) if start in (None, begin, round(begin * 1000))), None)
        for video, begin in zip(clips["id"], clips["begin"], strict=True)
    ]
    if not any(found):
        raise CorpusError(
            f"{folder} has no sound of any segment, such as {clips['id'].iloc[0]}.wav; give the folder of AudioSet's "
            "sounds, named by their videos."
        )
    clips = clips.assign(file=found)
    clips = tally.keep(clips, clips["file"].notna(), "without a sound")
    return tally.keep(clips, ~clips.duplicated("file"), "whose sound belongs to another segment")


def _check_lengths(clips: pd.DataFrame, seconds: float, tally: Tally, progress) -> pd.DataFrame:
    ends, unusable = measure_sounds(list(clips["file"]), progress)
    example = next(iter(unusable.values()), None)
    clips = tally.keep(clips, clips["file"].isin(ends), "whose sound cannot be used", example)
    clips = tally.keep(clips, clips["file"].map(ends) >= seconds, f"whose sound is shorter than {seconds:g} s")
    is_segment = clips["file"].map(ends) <= clips["end"] - clips["begin"] + _MAX_EXCESS
    return tally.keep(clips, is_segment, "whose sound is longer than the segment, such as the whole video")


def _name_categories(clips: pd.DataFrame, labels: dict[str, str], min_clips: int, tally: Tally) -> pd.DataFrame:
    """Give clips the column ``categories``, without rare categories and those that training lacks."""
    named = [{labels[label.strip()] for label in cell.split(",")} for cell in clips["labels"]]
    counts = Counter(name for names in named for name in names)
    frequent = {name for name, count in counts.items() if count >= min_clips}
    trained = {name for names, split in zip(named, clips["split"], strict=True) if split == "train" for name in names}
    kept = frequent & trained
    clips = clips.assign(categories=[SEPARATOR.join(sorted(names & kept)) for names in named])
    reason = f"without a category that has {counted(min_clips, 'clip')} and is in training"
    return tally.keep(clips, clips["categories"] != "", reason)
