"""Mixtures of speech and backgrounds: which clips are mixed, drawn from a seed, and how they are added."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import tensorflow as tf

from tfmetamers.errors import CorpusError
from tfmetamers.stimuli.sounds import MIN_RMS, RMS
from tfmetamers.training.clip_reader import clip_reader
from tfmetamers.training.corpora import SEPARATOR
from tfmetamers.training.settings import MixtureSettings
from tfmetamers.utilities.interrupts import defer_sigint

#: The label of a clip without speech: class 0 of the released networks (``metamer_word_encodings.pckl``).
SILENCE = "__nullSignal__"

#: A clip with this many samples at full scale is counted as clipped.
CLIPPED_SAMPLES = 8

#: Clips that are read at once.
PARALLEL_READS = 4


@dataclass(frozen=True)
class Labels:
    """The classes of both tasks.

    Attributes:
        words: the words, `SILENCE` first.
        categories: the categories of backgrounds.
    """

    words: list[str]
    categories: list[str]


def word_labels(words: pd.DataFrame) -> list[str]:
    """Return the labels of the word task: `SILENCE`, then the words of training in alphabetical order.

    Args:
        words: what `tfmetamers.training.corpora.read_words` returned.

    Raises:
        CorpusError: one of the words is the label of silence.
    """
    spoken = sorted(words.loc[words["split"] == "train", "word"].unique())
    if SILENCE in spoken:
        raise CorpusError(f"One of the words is {SILENCE!r}, which stands for silence; rename that word.")
    return [SILENCE, *spoken]


def draw_mixtures(
    words: pd.DataFrame,
    backgrounds: pd.DataFrame,
    settings: MixtureSettings,
    labels: Labels,
    generator: np.random.Generator,
    *,
    clips: Sequence[int],
) -> dict[str, np.ndarray]:
    """Draw which background each clip of speech is mixed with, and how.

    Args:
        words: the clips of speech.
        backgrounds: the backgrounds, drawn with equal probability.
        settings: how they are mixed.
        labels: the classes.
        generator: where every draw comes from.
        clips: which rows of `words`, in this order.

    Returns:
        Arrays with an entry for each clip, by name: where speech and background are, the ratio in dB, whether there is
        any speech and any background, and the targets ``word`` (int32) and ``categories`` (int32 (clips, largest
        number of categories of a clip), the numbers of the categories, then -1). Files are objects that clips share,
        and categories are numbers, because an epoch may have a million clips of hundreds of categories.
    """
    count = len(clips)
    speech = words.iloc[np.asarray(clips, np.int64)]
    noise = backgrounds.iloc[generator.integers(len(backgrounds), size=count)]
    kind = generator.random(count)
    has_speech = kind >= settings.silence
    has_background = kind < 1.0 - settings.clean
    shift = generator.uniform(-settings.shift, settings.shift, count)
    number_of = pd.Categorical(speech["word"], categories=labels.words).codes
    return {
        "speech_file": speech["file"].to_numpy(object),
        "speech_start": (speech["start"].to_numpy() - shift).astype(np.float32),
        "background_file": noise["file"].to_numpy(object),
        "background_start": noise["start"].to_numpy(np.float32),
        "background_place": generator.random(count, np.float32),
        "snr": generator.uniform(settings.min_snr, settings.max_snr, count).astype(np.float32),
        "has_speech": has_speech,
        "has_background": has_background,
        "word": np.where(has_speech, number_of, 0).astype(np.int32),
        "categories": np.where(has_background[:, None], _memberships(noise, labels.categories), -1),
    }


def _memberships(backgrounds: pd.DataFrame, categories: Sequence[str]) -> np.ndarray:
    """Return the numbers of the categories of each background, followed by -1: int32 (backgrounds, largest number)."""
    position = {name: number for number, name in enumerate(categories)}
    # Each distinct cell is split once: large corpora have few of them.
    codes, cells = pd.factorize(backgrounds["categories"])
    numbers = [[position[name] for name in cell.split(SEPARATOR) if name in position] for cell in cells]
    table = np.full((len(numbers), max(map(len, numbers), default=0)), -1, np.int32)
    for row, members in zip(table, numbers, strict=True):
        row[: len(members)] = members
    return table[codes]


@defer_sigint()
def mixture_dataset(
    mixtures: dict[str, np.ndarray], *, categories: int, sampling_rate: int, samples: int, batch_size: int
) -> tf.data.Dataset:
    """Return batches of mixtures of root mean square 0.1; each is read and mixed while the one before is used.

    Args:
        mixtures: what `draw_mixtures` returned.
        categories: number of categories.
        sampling_rate: sampling rate of the result, in Hz; recordings of other rates are resampled.
        samples: length of the result.
        batch_size: clips in a batch; the last may have fewer.

    Returns:
        Batches of ``waveform`` (float32, (batch, samples)), ``word`` (int32, the class of silence where the recording
        is silent), ``categories`` (float32, (batch, categories), 1 where the mixture belongs to the category), and
        ``silent`` and ``clipped`` (bool, whether the recording of speech is).
    """
    files = pd.unique(np.concatenate([mixtures["speech_file"], mixtures["background_file"]]))
    read = clip_reader(files, sampling_rate, samples)

    def load(mixture):
        speech = read(mixture["speech_file"], mixture["speech_start"], tf.zeros([]))
        background = read(mixture["background_file"], mixture["background_start"], mixture["background_place"])
        is_silent = root_mean_square(speech - tf.reduce_mean(speech)) < MIN_RMS
        at_full_scale = tf.reduce_sum(tf.cast(tf.abs(speech) >= 1.0 - 2.0**-14, tf.int32))
        has_speech = mixture["has_speech"] & ~is_silent
        return {
            "waveform": mix(speech, background, mixture["snr"], has_speech, mixture["has_background"]),
            "word": tf.where(has_speech, mixture["word"], 0),
            "categories": tf.reduce_sum(tf.one_hot(mixture["categories"], categories), axis=0),
            "silent": mixture["has_speech"] & is_silent,
            "clipped": mixture["has_speech"] & (at_full_scale >= CLIPPED_SAMPLES),
        }

    dataset = tf.data.Dataset.from_tensor_slices(mixtures)
    dataset = dataset.map(load, num_parallel_calls=PARALLEL_READS, deterministic=True)
    return dataset.batch(batch_size).prefetch(2)


def read_batches(dataset: tf.data.Dataset) -> Iterator[dict[str, tf.Tensor]]:
    """Yield the batches of `mixture_dataset`.

    Raises:
        CorpusError: a recording cannot be read.
    """
    try:
        yield from dataset
    except tf.errors.OpError as error:
        # TensorFlow puts the node's name in double braces before the error.
        reason = re.sub(r"^\{\{.*?\}\} ", "", error.message.splitlines()[0]).rstrip(".")
        raise CorpusError(f"A recording of the corpus cannot be read ({reason}); check the recordings.") from error


def mix(speech, background, snr, has_speech, has_background) -> tf.Tensor:
    """Add a background to speech at a ratio of root mean squares, and bring the sum to mean 0 and RMS 0.1.

    Args:
        speech: float32 (samples,).
        background: float32 (samples,).
        snr: signal-to-noise ratio in dB.
        has_speech: whether the mixture has speech.
        has_background: whether the mixture has a background.

    Returns:
        float32 (samples,); zeros where there is neither.
    """
    level = tf.pow(10.0, -snr / 20.0) * tf.cast(has_background, tf.float32)
    added = _leveled(speech) * tf.cast(has_speech, tf.float32) + _leveled(background) * level
    return RMS * _leveled(added)


def root_mean_square(waveform: tf.Tensor) -> tf.Tensor:
    """Return the root mean square of a waveform."""
    return tf.sqrt(tf.reduce_mean(tf.square(waveform)))


def _leveled(waveform: tf.Tensor) -> tf.Tensor:
    """Return a waveform of mean 0 and root mean square 1; silence stays silence."""
    centred = waveform - tf.reduce_mean(waveform)
    level = root_mean_square(centred)
    return tf.where(level < MIN_RMS, tf.zeros_like(centred), centred / tf.maximum(level, MIN_RMS))
