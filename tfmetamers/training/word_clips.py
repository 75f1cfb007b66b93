"""Clips with a word in the middle, cut from aligned recordings and split into training, validation and test."""

import os
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from tfmetamers.errors import CorpusError, unknown_name
from tfmetamers.stimuli.sounds import SUFFIXES
from tfmetamers.training.checks import check_positive, check_shares, check_whole_numbers
from tfmetamers.training.corpora import PAD_COLUMN, WORD_COLUMNS, check_words
from tfmetamers.training.corpus_choices import SPLIT_BY, SPLITS
from tfmetamers.training.sound_files import list_sounds, measure_sounds
from tfmetamers.training.tally import Dropped, Tally, distinct
from tfmetamers.utilities.words import counted

#: Labels that aligners give to silence, a short pause and noise.
MARKS = {"sil", "sp", "spn"}

#: Brackets that aligners and transcribers put around labels that are not words, such as ``<unk>`` and ``[noise]``.
BRACKETS = {"<": ">", "[": "]", "(": ")", "{": "}"}

#: Endings of recordings in alignments whose recordings have been converted since (Wall Street Journal).
SPHERE_SUFFIXES = (".wv1", ".wv2", ".sph")

#: Starts are rounded to so many decimal places of a second, finer than a sample.
_DECIMALS = 6


@dataclass(frozen=True)
class ClipSettings:
    """How words become clips.

    Attributes:
        seconds: length of a clip in s.
        pad: keep clips that reach beyond their recording, with silence there.
        min_clips: words with fewer clips are dropped.
        min_speakers: words with fewer speakers are dropped.
        min_speaker_clips: speakers with fewer clips are dropped.
        split_by: ``"clip"``, which spreads each word's clips over the splits, or ``"speaker"``, which puts each
            speaker into one split.
        validation: share of the clips for validation, above 0.
        test: share of the clips for the test, above 0; the two shares together are below 1.
        seed: seed of the draw of the splits.

    Raises:
        ArgumentError: a value is unknown or out of its range.
    """

    seconds: float = 2.0
    pad: bool = False
    min_clips: int = 1
    min_speakers: int = 0
    min_speaker_clips: int = 0
    split_by: str = "clip"
    validation: float = 0.1
    test: float = 0.1
    seed: int = 0

    def __post_init__(self):
        check_positive(self, "seconds")
        check_whole_numbers(self, "min_clips", "min_speakers", "min_speaker_clips", "seed", minimum=0)
        if self.split_by not in SPLIT_BY:
            raise unknown_name("way to split clips by", self.split_by, SPLIT_BY)
        check_shares(self, "validation", "test")


def gather_clips(
    alignments: pd.DataFrame,
    recordings: str | os.PathLike,
    settings: ClipSettings,
    progress: Callable[[Sequence[str]], Iterable[str]] = iter,
) -> tuple[pd.DataFrame, list[Dropped]]:
    """Cut clips with a word in the middle, drop those that cannot be used or are too rare, and split the rest.

    The middle of a clip is the middle of its word. Words are case-folded and stripped of punctuation around them. A
    speaker that the alignments do not name is the folder that the recording is in, if that is below `recordings`.
    Splitting by clip gives each split its share of every word's clips, rounded up or down at random, with at least one
    for training. Splitting by speaker fills the test and then validation with speakers in random order until they have
    their share, and leaves the rest, at least one, to training; speakers who share a recording stay together. The same
    alignments, recordings and seed give the same splits.

    Args:
        alignments: what `tfmetamers.training.word_alignments.read_alignments` returned.
        recordings: the folder of the recordings; they are found by their path in it or, failing that, by their name,
            with or without their ending.
        settings: how long clips are, what is too rare, and how clips are split.
        progress: called with the recordings; yields them one by one, such as a progress bar.

    Returns:
        The clips as `tfmetamers.training.corpora.read_words` returns them, and what was dropped.

    Raises:
        CorpusError: the folder does not exist or has no recordings of the alignments; a name fits several recordings,
            or several names fit one; clips without a speaker would have to be split or counted by speaker; nothing
            remains, a split is empty, or training has fewer than two words.
    """
    tally = Tally(_describe, columns=("word", "speaker"))
    names = {label: plain_word(label) for label in alignments["word"].unique()}
    clips = alignments.assign(word=alignments["word"].map(names))
    is_word = (clips["word"] != "").to_numpy()
    example = None if is_word.all() else _describe(alignments.iloc[int(np.argmin(is_word))])
    clips = tally.keep(clips, is_word, "of silence, noise or an unknown word", example)
    tally.require_clips(clips, "recordings")
    clips = _find_recordings(clips, Path(recordings), tally)
    clips = _cut(clips, settings, tally, progress)
    _check_speakers(clips, settings)
    clips = _drop_rare(clips, settings, tally)
    tally.require_clips(clips, "recordings")
    clips = clips.sort_values(["file", "start", "word"], kind="stable", ignore_index=True)
    split = {"clip": _split_by_clip, "speaker": _split_by_speaker}[settings.split_by]
    clips["split"] = split(clips, settings, np.random.default_rng(settings.seed))
    trained = clips["word"][clips["split"] == "train"].unique()
    clips = tally.keep(clips, clips["word"].isin(trained), "of a word without a clip in training")
    clips = clips[[*WORD_COLUMNS, PAD_COLUMN]].astype(dict.fromkeys(("word", "speaker", "split"), "category"))
    check_words(clips, SPLITS)
    return clips, tally.dropped


def plain_word(label: str) -> str:
    """Return a label as a word, case-folded and without punctuation around it; empty if it is not a word.

    Apostrophes and hyphens inside a word stay; typographic apostrophes become plain ones; letters are composed (NFC).
    """
    label = unicodedata.normalize("NFC", label.strip())
    if label and BRACKETS.get(label[0]) == label[-1]:
        return ""
    word = label.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").casefold()
    kept = [place for place, sign in enumerate(word) if unicodedata.category(sign)[0] in "LNM"]
    word = word[kept[0] : kept[-1] + 1] if kept else ""
    return "" if word in MARKS else word


def _describe(row: pd.Series) -> str:
    return f"{row['word']!r} at {row['begin']:g} s in {row['recording']}"


def _find_recordings(clips: pd.DataFrame, folder: Path, tally: Tally) -> pd.DataFrame:
    """Give clips the column ``file``, and clips without a speaker the one that their folder is named after."""
    found = _match_recordings(clips["recording"].unique(), list_sounds(folder))
    clips = clips.assign(file=clips["recording"].map(found))
    missing = clips["file"].isna()
    if missing.all():
        raise CorpusError(
            f"{folder} has none of the recordings of the alignments, such as {next(iter(found))}; give their folder."
        )
    clips = tally.keep(clips, ~missing, "without a recording of that name")
    parents = {file: PurePath(file).parent.name for file in clips["file"].unique()}
    clips = clips.assign(speaker=clips["speaker"].where(clips["speaker"] != "", clips["file"].map(parents)))
    paths = {file: os.path.join(os.path.abspath(folder), file) for file in parents}
    return clips.assign(file=clips["file"].map(paths))


def _match_recordings(recordings: Iterable[str], sounds: Iterable[str]) -> dict[str, str | None]:
    """Return the sound of each recording of the alignments: the one with its path or, failing that, with its name."""
    paths: dict[str, list[str]] = {}
    names: dict[str, list[str]] = {}
    for file in sounds:
        below = PurePath(file)
        for key in (below, below.with_suffix("")):
            paths.setdefault(key.as_posix(), []).append(file)
            names.setdefault(key.name, []).append(file)
    found = {recording: _find_recording(recording, paths) for recording in recordings}
    # A sound that matches one recording by its path does not also belong to another that merely has its name.
    taken = set(found.values())
    named: dict[str, str] = {}
    for recording in [recording for recording, file in found.items() if file is None]:
        file = _find_recording(PurePosixPath(recording).name, names)
        if file is not None and file not in taken:
            found[recording] = file
            if (other := named.setdefault(file, recording)) != recording:
                raise CorpusError(
                    f"The recordings {other!r} and {recording!r} of the alignments both have the name of {file}; give "
                    "their paths in the alignments."
                )
    return found


def _find_recording(name: str, known: dict[str, list[str]]) -> str | None:
    below = PurePosixPath(name)
    is_ending = below.suffix.lower() in (*SUFFIXES, *SPHERE_SUFFIXES)
    for key in (below, below.with_suffix("") if is_ending else below):
        if files := known.get(str(key)):
            if len(files) > 1:
                raise CorpusError(
                    f"{files[0]} and {files[1]} both have the name of the recording {name!r}; rename one, or give its "
                    "path in the alignments."
                )
            return files[0]
    return None


def _cut(clips: pd.DataFrame, settings: ClipSettings, tally: Tally, progress) -> pd.DataFrame:
    """Give clips the columns ``start`` and ``pad``, and drop those that are not within their recording."""
    seconds = settings.seconds
    ends, unusable = measure_sounds(list(clips["file"].unique()), progress)
    example = next(iter(unusable.values()), None)
    clips = tally.keep(clips, clips["file"].isin(ends), "whose recording cannot be used", example)
    start = ((clips["begin"] + clips["end"] - seconds) / 2).round(_DECIMALS)
    clips = clips.assign(start=start + 0.0)  # Not -0.0.
    clips = tally.keep(clips, clips["end"] - clips["begin"] <= seconds, f"whose word is longer than {seconds:g} s")
    last = clips["file"].map(ends)
    clips = tally.keep(clips, clips["end"] <= last, "whose word ends after its recording")
    is_early, is_late = clips["start"] < 0, clips["start"] + seconds > clips["file"].map(ends)
    clips = clips.assign(**{PAD_COLUMN: is_early | is_late})
    if not settings.pad:
        hint = "(--pad puts silence there)"
        clips = tally.keep(clips, ~is_early, f"that would begin before the recording {hint}")
        clips = tally.keep(clips, ~clips[PAD_COLUMN], f"that would end after the recording {hint}")
    return tally.keep(clips, ~clips.duplicated(["file", "start", "word"]), "listed more than once")


def _check_speakers(clips: pd.DataFrame, settings: ClipSettings) -> None:
    without = int((clips["speaker"] == "").sum())
    if without and (settings.split_by == "speaker" or settings.min_speakers or settings.min_speaker_clips):
        raise CorpusError(
            f"Clips without a speaker ({without} of {len(clips)}) cannot be split or counted by speaker; name the "
            "speakers in the alignments, or put the recordings of each into a folder."
        )


def _drop_rare(clips: pd.DataFrame, settings: ClipSettings, tally: Tally) -> pd.DataFrame:
    """Drop words and speakers with too few clips until none is left, because each drop takes clips from the other."""
    while True:
        before = len(clips)
        counts = clips.groupby("word")["word"].transform("size")
        reason = f"of a word with fewer than {counted(settings.min_clips, 'clip')}"
        clips = tally.keep(clips, counts >= settings.min_clips, reason)
        counts = clips.groupby("word")["speaker"].transform("nunique")
        reason = f"of a word with fewer than {counted(settings.min_speakers, 'speaker')}"
        clips = tally.keep(clips, counts >= settings.min_speakers, reason)
        counts = clips.groupby("speaker")["speaker"].transform("size")
        reason = f"of a speaker with fewer than {counted(settings.min_speaker_clips, 'clip')}"
        clips = tally.keep(clips, counts >= settings.min_speaker_clips, reason)
        if len(clips) == before:
            return clips


def _split_by_clip(clips: pd.DataFrame, settings: ClipSettings, generator: np.random.Generator) -> np.ndarray:
    """Give each split its share of every word's clips, rounded up or down at random so that shares are met overall."""
    order = generator.permutation(len(clips))
    word, names = pd.factorize(clips["word"].to_numpy()[order], sort=True)
    rank = pd.Series(word).groupby(word).cumcount().to_numpy()
    counts = np.bincount(word)
    max_held_out = counts - 1  # One is for training.
    test = np.minimum(np.floor(counts * settings.test + generator.random(len(names))), max_held_out)
    validation = np.floor(counts * settings.validation + generator.random(len(names)))
    validation = np.minimum(validation, max_held_out - test)
    split = np.where(rank < test[word], "test", np.where(rank < (test + validation)[word], "validation", "train"))
    splits = np.empty(len(clips), object)
    splits[order] = split
    return splits


def _split_by_speaker(clips: pd.DataFrame, settings: ClipSettings, generator: np.random.Generator) -> np.ndarray:
    """Fill the test, then validation, with groups of speakers in random order until they have their share of clips."""
    group = _group_speakers(clips)
    counts = np.bincount(group)
    if len(counts) < len(SPLITS):
        raise CorpusError(
            f"Splits by speaker need at least {len(SPLITS)} speakers, but there are {len(counts)} (those who share a "
            "recording count as one); give recordings of more speakers, or split by clip."
        )
    waiting = list(generator.permutation(len(counts)))
    split_of = np.full(len(counts), "train", object)
    for split, share, needed in (("test", settings.test, 2), ("validation", settings.validation, 1)):
        taken = 0
        while taken < share * len(clips) and len(waiting) > needed:
            chosen = waiting.pop()
            split_of[chosen] = split
            taken += counts[chosen]
    return split_of[group]


def _group_speakers(clips: pd.DataFrame) -> np.ndarray:
    """Return the group of each speaker, from 0: speakers who share a recording are heard in each other's clips."""
    speaker, speakers = pd.factorize(clips["speaker"], sort=True)
    recording, recordings = pd.factorize(clips["file"])
    nodes = len(speakers) + len(recordings)
    links = coo_array((np.ones(len(clips)), (speaker, len(speakers) + recording)), shape=(nodes, nodes))
    _, group = connected_components(links, directed=False)
    return group[speaker]


def summarize_words(clips: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Return how many clips, words and speakers there are in each split and in all.

    Args:
        clips: what `gather_clips` or `tfmetamers.training.corpora.read_words` returned.
    """
    parts = {split: clips[clips["split"] == split] for split in SPLITS} | {"all": clips}
    return {
        name: {"clips": len(part), "words": distinct(part["word"]), "speakers": distinct(part["speaker"])}
        for name, part in parts.items()
    }
