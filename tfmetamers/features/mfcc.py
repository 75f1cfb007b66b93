"""Mel-frequency cepstral coefficients as DeepSpeech takes them, differentiably.

They are those of the package python_speech_features 0.6 (``base.mfcc``), which DeepSpeech computed them with up to its
release 0.4.1: 26 coefficients of 26 mel filters, the first replaced by the logarithm of the frame's energy.
TensorFlow's own operations for them, which later releases use, have no gradient.
"""

import math

import numpy as np
import tensorflow as tf

from tfmetamers.errors import ArgumentError
from tfmetamers.features.waveforms import checked_waveforms
from tfmetamers.gradients import clipped_log

#: The rate of the sounds, in Hz.
SAMPLING_RATE = 16_000

#: Coefficients of a frame, as many as mel filters.
COEFFICIENTS = 26

#: Waveforms in [-1, 1] are multiplied by this: DeepSpeech read 16-bit samples as they are.
SAMPLE_SCALE = 2.0**15

#: Points of the Fourier transform of a frame.
TRANSFORM_POINTS = 512

#: The share of the sample before that is subtracted from each.
PRE_EMPHASIS = 0.97

#: Coefficient n is multiplied by ``1 + LIFTER / 2 * sin(pi * n / LIFTER)``.
LIFTER = 22

#: What stands for a power of zero, of which there is no logarithm.
SILENT_POWER = float(np.finfo(np.float64).eps)

#: An offset that changes no power.
NEGLIGIBLE = 1e-300


class Mfcc:
    """From waveforms to mel-frequency cepstral coefficients.

    It holds constants alone, and works inside `tf.function` and outside, with `tf.GradientTape`. Items of a batch do
    not influence each other.

    The logarithms have the paper's clipped gradient (section 3.1, `tfmetamers.gradients.clipped_log`), so that it is
    finite on silence. The slope of a logarithm exceeds 1 where the power is below 1, which at the scale of 16-bit
    samples is that of rounding noise: in audible sounds, nothing is clipped.

    They are computed in double precision, as python_speech_features does: rounded to single, logarithms beside a tone
    would be off by 0.1, and those of a constant, such as a pause in a sound whose mean was removed, by 0.5.

    Attributes:
        samples: the length of the waveforms.
        frames: the number of frames; the last is filled up with zeros.
        output_shape: (frames, 26).
        output_name: what the last axis counts, as a figure labels it.
    """

    output_name = "coefficient"

    def __init__(self, samples: int, *, window, step: int, every: int = 1):
        """Compute the constants.

        Args:
            samples: the length of the waveforms at 16 kHz.
            window: what a frame is multiplied by, float (frame length,), of at most 512 samples.
            step: samples from the beginning of a frame to that of the next.
            every: keep each frame whose number is a multiple of this.

        Raises:
            ArgumentError: the waveforms are shorter than a frame.
        """
        length = len(window)
        if samples < length:
            raise ArgumentError(
                f"The sounds have {samples} samples, and a frame has {length} ({1000 * length / SAMPLING_RATE:g} ms at "
                f"{SAMPLING_RATE} Hz); give longer sounds."
            )
        self.samples = samples
        self.frames = math.ceil((1 + math.ceil((samples - length) / step)) / every)
        self.output_shape = (self.frames, COEFFICIENTS)
        self._length = length
        self._step = step * every
        # Outside any graph that is being built, so that the constants can serve several.
        with tf.init_scope():
            self._window = tf.constant(window, tf.float64)
            self._filters = tf.constant(mel_filters().T, tf.float64)
            self._cosines = tf.constant(_liftered_cosines(), tf.float64)

    def __call__(self, waveforms) -> tf.Tensor:
        """Return the coefficients of a batch of sounds.

        Args:
            waveforms: float (batch, samples) in [-1, 1], at 16 kHz. The scale matters: it shifts the
                first coefficient of each frame.

        Returns:
            float32 (batch, frames, 26).

        Raises:
            ArgumentError: the waveforms have another shape, or are whole numbers.
        """
        waveforms = checked_waveforms(waveforms, self.samples)
        spectra = tf.signal.rfft(self._framed(waveforms * SAMPLE_SCALE) * self._window, [TRANSFORM_POINTS])
        powers = (tf.square(tf.math.real(spectra)) + tf.square(tf.math.imag(spectra))) / TRANSFORM_POINTS
        energies = tf.reduce_sum(powers, axis=-1, keepdims=True)
        cepstra = tf.matmul(_logarithm(tf.matmul(powers, self._filters)), self._cosines)
        return tf.cast(tf.concat([_logarithm(energies), cepstra], axis=-1), tf.float32)

    def _framed(self, samples: tf.Tensor) -> tf.Tensor:
        """Return the frames (batch, frames, frame length) of the samples less a share of those before."""
        emphasised = tf.concat([samples[:, :1], samples[:, 1:] - PRE_EMPHASIS * samples[:, :-1]], axis=1)
        # Where frames are left out, the last one kept may end before the sound does.
        missing = max(0, (self.frames - 1) * self._step + self._length - self.samples)
        padded = tf.pad(emphasised, [[0, 0], [0, missing]])
        return tf.signal.frame(padded, self._length, self._step)[:, : self.frames]


def _logarithm(powers: tf.Tensor) -> tf.Tensor:
    """Return the logarithm of powers, of `SILENT_POWER` where there is none; any other, however small, is as it is."""
    return clipped_log(tf.where(powers == 0, tf.cast(SILENT_POWER, powers.dtype), powers), NEGLIGIBLE)


def mel_filters() -> np.ndarray:
    """Return the mel filters: triangles over the bins of the Fourier transform, from 0 to 8000 Hz.

    Their corners are equally spaced in mel, ``2595 log10(1 + f / 700)``, and moved to the bin below.

    Returns:
        float64 (26, 257).
    """
    mels = np.linspace(0, 2595 * np.log10(1 + SAMPLING_RATE / 2 / 700), COEFFICIENTS + 2)
    hertz = 700 * (10 ** (mels / 2595) - 1)
    corners = np.floor((TRANSFORM_POINTS + 1) * hertz / SAMPLING_RATE)
    left, centre, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    bins = np.arange(TRANSFORM_POINTS // 2 + 1)
    return np.maximum(0, np.minimum((bins - left) / (centre - left), (right - bins) / (right - centre)))


def _liftered_cosines() -> np.ndarray:
    """Return the orthonormal cosine transform (26, 25) from logarithms to all coefficients but the first."""
    filters, numbers = np.arange(COEFFICIENTS)[:, None], np.arange(1, COEFFICIENTS)
    cosines = np.sqrt(2 / COEFFICIENTS) * np.cos(np.pi * numbers * (2 * filters + 1) / (2 * COEFFICIENTS))
    return cosines * (1 + LIFTER / 2 * np.sin(np.pi * numbers / LIFTER))
