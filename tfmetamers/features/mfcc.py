"""Mel-frequency cepstral coefficients as DeepSpeech 0.4.1 takes them, differentiably.

They are those of the package python_speech_features 0.6 (``base.mfcc``), which DeepSpeech used up to this release: 26
coefficients of 26 mel filters, the first replaced by the logarithm of the frame's energy. TensorFlow's own MFCCs,
which later releases use, have no gradient.
"""

import math

import numpy as np
import tensorflow as tf

from tfmetamers.errors import ArgumentError
from tfmetamers.features.waveforms import checked_waveforms
from tfmetamers.gradients import clipped_log

#: Sampling rate of the sounds, in Hz.
SAMPLING_RATE = 16_000

#: Length of a frame and of its Fourier transform, and the step between frames, in samples: 32 ms and 20 ms.
FRAME, STEP = 512, 320

#: Coefficients of a frame, as many as mel filters.
COEFFICIENTS = 26

#: Waveforms in [-1, 1] are multiplied by this: DeepSpeech took 16-bit samples unscaled.
SAMPLE_SCALE = 2.0**15

#: The share of the previous sample that is subtracted from each sample.
PRE_EMPHASIS = 0.97

#: Coefficient n is multiplied by ``1 + LIFTER / 2 * sin(pi * n / LIFTER)``.
LIFTER = 22

#: Replaces a power of zero, which has no logarithm.
SILENT_POWER = float(np.finfo(np.float64).eps)

#: An offset that changes no power.
NEGLIGIBLE = 1e-300


class Mfcc:
    """DeepSpeech's front end: call it with waveforms to get their mel-frequency cepstral coefficients.

    Frames of 32 ms every 20 ms are weighted by a Hamming window (``numpy.hamming``); the last one is filled up with
    zeros (``util/audio.py`` of the release).

    The logarithms have the paper's clipped gradient (section 3.1, `tfmetamers.gradients.clipped_log`), so that it is
    finite on silence. The slope of a logarithm exceeds 1 where the power is below 1, which at the scale of 16-bit
    samples is that of rounding noise: in audible sounds, nothing is clipped.

    They are computed in double precision, as python_speech_features does. In single precision, logarithms beside a
    tone would be off by 0.1, and those of a constant, such as a pause in a sound whose mean was removed, by 0.5.

    It holds only constants, and works inside `tf.function` and outside, with `tf.GradientTape`. Items of a batch do not
    influence each other.

    Attributes:
        samples: length of the sounds.
        output_shape: shape of one sound's coefficients: (frames, 26).
        output_name: what the last axis counts, as a figure labels it.

    >>> front_end = Mfcc(samples=16000)
    >>> front_end.output_shape
    (50, 26)
    >>> front_end(tf.zeros((2, 16000))).shape
    TensorShape([2, 50, 26])
    """

    output_name = "coefficient"

    def __init__(self, samples: int):
        """Compute the constants.

        Args:
            samples: length of the sounds at 16 kHz.

        Raises:
            ArgumentError: the sounds are shorter than a frame.
        """
        self.samples = samples
        self.output_shape = (count_frames(samples), COEFFICIENTS)
        # Outside any graph that is being built, so that the constants can serve several.
        with tf.init_scope():
            self._window = tf.constant(np.hamming(FRAME), tf.float64)
            self._filters = tf.constant(mel_filters().T, tf.float64)
            self._cosines = tf.constant(_liftered_cosines(), tf.float64)

    def __call__(self, waveforms) -> tf.Tensor:
        """Return the coefficients of a batch of sounds.

        Args:
            waveforms: float (batch, samples) at 16 kHz, full scale being 1. The level matters: it shifts the first
                coefficient of each frame.

        Returns:
            float32 (batch, frames, 26).

        Raises:
            ArgumentError: the waveforms have another shape, or are integers.
        """
        waveforms = checked_waveforms(waveforms, self.samples)
        spectra = tf.signal.rfft(self._framed(waveforms * SAMPLE_SCALE) * self._window)
        powers = (tf.square(tf.math.real(spectra)) + tf.square(tf.math.imag(spectra))) / FRAME
        energies = tf.reduce_sum(powers, axis=-1, keepdims=True)
        cepstra = tf.matmul(_logarithm(tf.matmul(powers, self._filters)), self._cosines)
        return tf.cast(tf.concat([_logarithm(energies), cepstra], axis=-1), tf.float32)

    def _framed(self, samples: tf.Tensor) -> tf.Tensor:
        """Return the frames (batch, frames, frame length) of the pre-emphasised samples."""
        emphasised = tf.concat([samples[:, :1], samples[:, 1:] - PRE_EMPHASIS * samples[:, :-1]], axis=1)
        missing = (self.output_shape[0] - 1) * STEP + FRAME - self.samples
        return tf.signal.frame(tf.pad(emphasised, [[0, 0], [0, missing]]), FRAME, STEP)


def count_frames(samples: int) -> int:
    """Return how many frames a sound has, the last one filled up with zeros.

    Args:
        samples: length of the sound at 16 kHz.

    Raises:
        ArgumentError: it is shorter than a frame.
    """
    if samples < FRAME:
        raise ArgumentError(
            f"The sounds have {samples} samples; DeepSpeech needs at least {FRAME}, one frame of "
            f"{1000 * FRAME / SAMPLING_RATE:g} ms at {SAMPLING_RATE} Hz. Give a longer duration."
        )
    return 1 + math.ceil((samples - FRAME) / STEP)


def _logarithm(powers: tf.Tensor) -> tf.Tensor:
    """Return the logarithm of powers; a power of exactly zero counts as `SILENT_POWER`."""
    return clipped_log(tf.where(powers == 0, tf.cast(SILENT_POWER, powers.dtype), powers), NEGLIGIBLE)


def mel_filters() -> np.ndarray:
    """Return the mel filters: triangles over the bins of the Fourier transform, from 0 to 8000 Hz.

    Their corners are equally spaced in mel, ``2595 log10(1 + f / 700)``, and moved to the bin below.

    Returns:
        float64 (26, 257).

    >>> filters = mel_filters()
    >>> filters.shape, float(filters.max())
    ((26, 257), 1.0)
    """
    mels = np.linspace(0, 2595 * np.log10(1 + SAMPLING_RATE / 2 / 700), COEFFICIENTS + 2)
    hertz = 700 * (10 ** (mels / 2595) - 1)
    corners = np.floor((FRAME + 1) * hertz / SAMPLING_RATE)
    left, centre, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    bins = np.arange(FRAME // 2 + 1)
    return np.maximum(0, np.minimum((bins - left) / (centre - left), (right - bins) / (right - centre)))


def _liftered_cosines() -> np.ndarray:
    """Return the orthonormal cosine transform (26, 25) from logarithms to all coefficients but the first."""
    filters, numbers = np.arange(COEFFICIENTS)[:, None], np.arange(1, COEFFICIENTS)
    cosines = np.sqrt(2 / COEFFICIENTS) * np.cos(np.pi * numbers * (2 * filters + 1) / (2 * COEFFICIENTS))
    return cosines * (1 + LIFTER / 2 * np.sin(np.pi * numbers / LIFTER))
