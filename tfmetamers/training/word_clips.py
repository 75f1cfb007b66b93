"""Clips with a word in their middle, cut from aligned recordings and divided into training, validation and test."""

import math
import os
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from tfmetamers.errors import ArgumentError, CorpusError, checked_whole_number, unknown_name
from tfmetamers.stimuli.sounds import SUFFIXES
from tfmetamers.training.corpora import SPLITS, WORD_COLUMNS, check_words
from tfmetamers.training.sound_files import list_sounds, measure_sounds
from tfmetamers.training.tally import Dropped, Tally, distinct

#: What clips are divided by.
DIVISIONS = ("clip", "speaker")

#: Labels that aligners give to what is no word: silence, a short pause, noise.
MARKS = {"sil", "sp", "spn"}

#: Brackets that aligners and transcribers put around what is no word, such as ``<unk>`` and ``[noise]``.
BRACKETS = {"<": ">", "[": "]", "(": ")", "{": "}"}

#: Endings of recordings in alignments, where the recordings themselves have been converted (Wall Street Journal).
SPHERE_SUFFIXES = (".wv1", ".wv2", ".sph")

#: Starts are rounded to so many decimal places of a second, which is less than a sample.
_DECIMALS = 6


@dataclass(frozen=True)
class ClipSettings:
    """How words become clips.

    Attributes:
        seconds: length of a clip.
        minimum_clips: words of fewer clips are dropped.
        minimum_speakers: words that fewer speakers say are dropped.
        minimum_speaker_clips: speakers of fewer clips are dropped.
        divided_by: ``"clip"``, which spreads each word's clips over the splits, or ``"speaker"``, which puts each
            speaker into one.
        validation: share of the clips for validation, above 0 and below 1.
        test: share of the clips for the test; together below 1.
        seed: draws the splits.

    Raises:
        ArgumentError: a setting has a value that cannot be used.
    """

    seconds: float = 2.0
    minimum_clips: int = 1
    minimum_speakers: int = 0
    minimum_speaker_clips: int = 0
    divided_by: str = "clip"
    validation: float = 0.1
    test: float = 0.1
    seed: int = 0

    def __post_init__(self):
        if not 0 < self.seconds < math.inf:
            raise ArgumentError(f"The length of a clip is {self.seconds} s; a number above 0 was expected.")
        for name in ("minimum_clips", "minimum_speakers", "minimum_speaker_clips", "seed"):
            checked_whole_number(name.replace("_", " "), getattr(self, name), minimum=0)
        if self.divided_by not in DIVISIONS:
            raise unknown_name("division of clips by", self.divided_by, DIVISIONS, "Choose one of these.")
        if not (self.validation > 0 and self.test > 0 and self.validation + self.test < 1):
            raise ArgumentError(
                f"The shares of validation and test are {self.validation} and {self.test}; numbers above 0 that leave "
                "something for training were expected."
            )


def gather_clips(
    alignments: pd.DataFrame,
    recordings: str | os.PathLike,
    settings: ClipSettings,
    progress: Callable[[Sequence[str]], Iterable[str]] = iter,
) -> tuple[pd.DataFrame, list[Dropped]]:
    """Cut clips with a word in their middle, drop those that cannot be used or are too rare, and divide the rest.

    A word's clip has its middle where the word has. Words are case-folded; punctuation around them is taken off. A
    speaker that the alignments do not name is the folder that the recording is in, if it is in one below `recordings`.
    Dividing by clip gives each split its share of every word's clips, rounded up or down at random, at least one for
    training; dividing by speaker fills the test and then validation with speakers in random order until they have their
    share, and leaves the rest, at least one, to training; speakers who share a recording stay together. The same
    alignments, recordings and seed give the same splits.

    Args:
        alignments: what `tfmetamers.training.word_alignments.read_alignments` returned.
        recordings: the folder of the recordings; they are found by their path below it or, where that is not there, by
            their name, each with or without its ending.
        settings: how long clips are, what is too rare, and how they are divided.
        progress: is given the recordings, and gives them back one by one.

    Returns:
        The clips as `tfmetamers.training.corpora.read_words` has them, and what was dropped.

    Raises:
        CorpusError: there is no such folder, or no recording in it; several recordings have the name of one that is
            asked for, or one has the name of several; clips without speaker are to be divided by speaker or counted by
            it; nothing remains, a split is empty, or training has fewer than two words.
    """
    tally = Tally(_describe, counted=("word", "speaker"))
    names = {label: plain_word(label) for label in alignments["word"].unique()}
    clips = alignments.assign(word=alignments["word"].map(names))
    is_word = (clips["word"] != "").to_numpy()
    example = None if is_word.all() else _describe(alignments.iloc[int(np.argmin(is_word))])
    clips = tally.keep(clips, is_word, "no word, but silence, noise or unknown", example)
    tally.check_some_left(clips, "clip", "recordings")
    clips = _find_recordings(clips, Path(recordings), tally)
    clips = _cut(clips, settings.seconds, tally, progress)
    _check_speakers(clips, settings)
    clips = _drop_rare(clips, settings, tally)
    tally.check_some_left(clips, "clip", "recordings")
    clips = clips.sort_values(["file", "start", "word"], kind="stable", ignore_index=True)
    divide = {"clip": _divide_by_clip, "speaker": _divide_by_speaker}[settings.divided_by]
    clips["split"] = divide(clips, settings, np.random.default_rng(settings.seed))
    trained = clips["word"][clips["split"] == "train"].unique()
    clips = tally.keep(clips, clips["word"].isin(trained), "of a word that fell to no training clip")
    clips = clips[list(WORD_COLUMNS)].astype(dict.fromkeys(("word", "speaker", "split"), "category"))
    check_words(clips, SPLITS)
    return clips, tally.dropped


def plain_word(label: str) -> str:
    """Return a word case-folded and without punctuation around it, empty for what is no word.

    Apostrophes and hyphens inside stay; typographic apostrophes become plain ones; letters are composed (NFC).
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
    """Give clips the column ``file``, and those without one the speaker that their folder is named for."""
    found = _match_recordings(clips["recording"].unique(), list_sounds(folder))
    clips = clips.assign(file=clips["recording"].map(found))
    missing = clips["file"].isna()
    if missing.all():
        raise CorpusError(
            f"{folder} has none of the recordings of the alignments, such as {next(iter(found))}; give the "
            "folder that they are in."
        )
    clips = tally.keep(clips, ~missing, "no recording of that name")
    parents = {file: PurePath(file).parent.name for file in clips["file"].unique()}
    clips = clips.assign(speaker=clips["speaker"].where(clips["speaker"] != "", clips["file"].map(parents)))
    paths = {file: os.path.join(os.path.abspath(folder), file) for file in parents}
    return clips.assign(file=clips["file"].map(paths))


def _match_recordings(recordings: Iterable[str], sounds: Iterable[str]) -> dict[str, str | None]:
    """Return the sound of each recording of the alignments: that of its path or, where there is none, of its name."""
    paths: dict[str, list[str]] = {}
    names: dict[str, list[str]] = {}
    for file in sounds:
        below = PurePath(file)
        for key in (below, below.with_suffix("")):
            paths.setdefault(key.as_posix(), []).append(file)
            names.setdefault(key.name, []).append(file)
    found = {recording: _find_recording(recording, paths) for recording in recordings}
    # A sound that another recording has by its path is not that of a recording which only has its name.
    taken = set(found.values())
    named: dict[str, str] = {}
    for recording in [recording for recording, file in found.items() if file is None]:
        file = _find_recording(PurePosixPath(recording).name, names)
        if file is not None and file not in taken:
            found[recording] = file
            if (other := named.setdefault(file, recording)) != recording:
                raise CorpusError(
                    f"The recordings {other!r} and {recording!r} of the alignments both have the name of {file}; give "
                    "the path of the one that it is."
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
                    "path below that folder in the alignments."
                )
            return files[0]
    return None


def _cut(clips: pd.DataFrame, seconds: float, tally: Tally, progress) -> pd.DataFrame:
    """Give clips the column ``start``, and drop those that do not lie within their recording."""
    ends, unusable = measure_sounds(list(clips["file"].unique()), progress)
    example = next(iter(unusable.values()), None)
    clips = tally.keep(clips, clips["file"].isin(ends), "of a recording that cannot be used", example)
    start = ((clips["begin"] + clips["end"] - seconds) / 2).round(_DECIMALS)
    clips = clips.assign(start=start + 0.0)  # Not -0.0.
    clips = tally.keep(clips, clips["end"] - clips["begin"] <= seconds, f"longer than {seconds:g} s")
    clips = tally.keep(clips, clips["start"] >= 0, "from before the recording's start")
    clips = tally.keep(clips, clips["start"] + seconds <= clips["file"].map(ends), "past the recording's end")
    return tally.keep(clips, ~clips.duplicated(["file", "start", "word"]), "there before")


def _check_speakers(clips: pd.DataFrame, settings: ClipSettings) -> None:
    without = int((clips["speaker"] == "").sum())
    if without and (settings.divided_by == "speaker" or settings.minimum_speakers or settings.minimum_speaker_clips):
        raise CorpusError(
            f"{without} of {len(clips)} clips have no speaker, so that they cannot be counted or divided by it; name "
            "speakers in the alignments, or put each speaker's recordings into a folder."
        )


def _drop_rare(clips: pd.DataFrame, settings: ClipSettings, tally: Tally) -> pd.DataFrame:
    """Drop words and speakers of too few clips, again and again, because each takes clips from the other."""
    while True:
        before = len(clips)
        counts = clips.groupby("word")["word"].transform("size")
        reason = f"of a word of under {settings.minimum_clips} clips"
        clips = tally.keep(clips, counts >= settings.minimum_clips, reason)
        counts = clips.groupby("word")["speaker"].transform("nunique")
        reason = f"of a word of under {settings.minimum_speakers} speakers"
        clips = tally.keep(clips, counts >= settings.minimum_speakers, reason)
        counts = clips.groupby("speaker")["speaker"].transform("size")
        reason = f"of a speaker of under {settings.minimum_speaker_clips} clips"
        clips = tally.keep(clips, counts >= settings.minimum_speaker_clips, reason)
        if len(clips) == before:
            return clips


def _divide_by_clip(clips: pd.DataFrame, settings: ClipSettings, generator: np.random.Generator) -> np.ndarray:
    """Give each split its share of every word's clips, rounded up or down at random so that shares are met overall."""
    order = generator.permutation(len(clips))
    word, names = pd.factorize(clips["word"].to_numpy()[order], sort=True)
    rank = pd.Series(word).groupby(word).cumcount().to_numpy()
    counts = np.bincount(word)
    most = counts - 1  # One is for training.
    test = np.minimum(np.floor(counts * settings.test + generator.random(len(names))), most)
    validation = np.floor(counts * settings.validation + generator.random(len(names)))
    validation = np.minimum(validation, most - test)
    split = np.where(rank < test[word], "test", np.where(rank < (test + validation)[word], "validation", "train"))
    divided = np.empty(len(clips), object)
    divided[order] = split
    return divided


def _divide_by_speaker(clips: pd.DataFrame, settings: ClipSettings, generator: np.random.Generator) -> np.ndarray:
    """Fill the test, then validation, with groups of speakers in random order until they have their share of clips."""
    group = _group_speakers(clips)
    counts = np.bincount(group)
    if len(counts) < len(SPLITS):
        raise CorpusError(
            f"{len(counts)} speakers cannot be divided into {', '.join(SPLITS)} (those who share a recording count as "
            "one); give recordings of more, or divide by clip."
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
    """Return the group of each clip's speaker, from 0: who shares a recording is heard in each other's clips."""
    speaker, speakers = pd.factorize(clips["speaker"], sort=True)
    recording, recordings = pd.factorize(clips["file"])
    nodes = len(speakers) + len(recordings)
    links = coo_array((np.ones(len(clips)), (speaker, len(speakers) + recording)), shape=(nodes, nodes))
    _, group = connected_components(links, directed=False)
    return group[speaker]


def summarize_words(clips: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Return how many clips, words and speakers each split has, and all of them together.

    Args:
        clips: what `gather_clips` or `tfmetamers.training.corpora.read_words` returned.
    """
    parts = {split: clips[clips["split"] == split] for split in SPLITS} | {"all": clips}
    return {
        name: {"clips": len(part), "words": distinct(part["word"]), "speakers": distinct(part["speaker"])}
        for name, part in parts.items()
    }
