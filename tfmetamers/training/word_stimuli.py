"""Natural stimuli for experiments, chosen from a manifest of clips of words: one clip of each word."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
import tensorflow as tf

from tfmetamers.errors import ArgumentError, CorpusError
from tfmetamers.training.clip_reader import clip_reader
from tfmetamers.training.mixtures import read_batches
from tfmetamers.utilities.files import atomic_write
from tfmetamers.utilities.words import first_few


def choose_clips(words: pd.DataFrame, wanted: Sequence[str], split: str, seed: int) -> tuple[pd.DataFrame, list[str]]:
    """Draw one clip of each word; which, does not depend on the other words.

    Args:
        words: what `tfmetamers.training.corpora.read_words` returned.
        wanted: the words.
        split: the split to draw from: ``train``, ``validation`` or ``test``.
        seed: decides which clips are drawn.

    Returns:
        The rows of the clips, in the order of `wanted`, and the words that have none.

    Raises:
        CorpusError: there is no clip of any of the words in the split.
    """
    places = words[words["split"] == split].groupby("word", observed=True).indices
    rows = words[words["split"] == split]
    drawn, missing = [], []
    for word in wanted:
        if word in places:
            generator = np.random.default_rng([seed, *word.encode()])
            drawn.append(places[word][generator.integers(len(places[word]))])
        else:
            missing.append(word)
    if not drawn:
        raise CorpusError(
            f"The split {split} has no clip of {first_few(list(wanted))}; give another split or another list of words."
        )
    return rows.iloc[drawn], missing


def write_stimuli(
    clips: pd.DataFrame,
    output: Path,
    *,
    seconds: float,
    sampling_rate: int,
    progress: Callable = lambda items: items,
) -> Path:
    """Write clips as 16-bit WAV, and a manifest that lists them, as a folder that appears when it is complete.

    Args:
        clips: rows of a manifest of words.
        output: the folder; it must not exist.
        seconds: length of a clip.
        sampling_rate: of the files, in Hz.
        progress: iterates over the clips.

    Returns:
        The manifest, ``stimuli.csv``, with the columns ``id`` and ``label`` (the word), ``file`` and ``speaker``.

    Raises:
        ArgumentError: the folder exists.
        CorpusError: a recording cannot be read.
    """
    if output.exists():
        raise ArgumentError(f"{output} exists already; delete it, or give another folder.")
    read = clip_reader(clips["file"], sampling_rate, round(seconds * sampling_rate))
    places = clips["file"].to_list(), clips["start"].to_numpy(np.float32)
    waveforms = tf.data.Dataset.from_tensor_slices(places).map(lambda *place: read(*place, tf.zeros([])))
    rows = []
    with atomic_write(output) as folder:
        folder.mkdir()
        for clip, waveform in zip(progress(list(clips.itertuples())), read_batches(waveforms), strict=True):
            soundfile.write(folder / f"{clip.word}.wav", waveform.numpy(), sampling_rate, subtype="PCM_16")
            rows.append([clip.word, f"{clip.word}.wav", clip.word, clip.speaker])
        pd.DataFrame(rows, columns=["id", "file", "label", "speaker"]).to_csv(folder / "stimuli.csv", index=False)
    return output / "stimuli.csv"
