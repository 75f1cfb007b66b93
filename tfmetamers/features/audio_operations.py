"""The cepstral coefficients of TensorFlow's own audio operations, ``AudioSpectrogram`` and ``Mfcc``, differentiably.

Networks of keywords that were trained with TensorFlow's example ``speech_commands`` begin with these operations, which
have no gradient. Here is their arithmetic (``tensorflow/core/kernels``: ``spectrogram.cc``, ``mfcc_mel_filterbank.cc``,
``mfcc_dct.cc``, ``mfcc.cc``), in operations that have one.
"""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfmetamers.errors import ArgumentError
from tfmetamers.features.waveforms import checked_waveforms

#: What the sum of a mel filter is at least, before its logarithm is taken (``kFilterbankFloor`` in ``mfcc.cc``).
FLOOR = 1e-12

#: Squares of magnitudes below this count as zero, so that the slope of the root stays finite.
_LEAST_POWER = FLOOR**2


@dataclass(frozen=True)
class AudioOperations:
    """What a graph states of its two operations.

    Attributes:
        window: samples of a frame.
        step: samples between frames.
        lower_limit: the lower end of the mel filters, in Hz.
        upper_limit: the upper end, in Hz.
        filters: number of mel filters.
        coefficients: number of coefficients of a frame, at most as many.

    >>> AudioOperations(coefficients=10).window
    640
    """

    window: int = 640
    step: int = 320
    lower_limit: float = 20.0
    upper_limit: float = 4000.0
    filters: int = 40
    coefficients: int = 13


class AudioOperationsMfcc:
    """A front end: call it with waveforms to get what ``Mfcc`` returns for their ``AudioSpectrogram``.

    Frames are weighted by a periodic Hann window, and filled up with zeros to the next power of two. Each mel filter
    sums magnitudes, not powers. Beginnings of a frame that does not fit in whole are left out.

    Computed in double precision, and rounded to single precision at the end, as the operations do. It works inside
    `tf.function` and outside; items of a batch do not influence each other.

    Attributes:
        samples: length of the sounds.
        output_shape: shape of one sound's coefficients: (frames, coefficients).
        output_name: what the last axis counts, as a figure labels it.

    >>> front_end = AudioOperationsMfcc(AudioOperations(coefficients=10), samples=16000, sampling_rate=16000)
    >>> front_end.output_shape
    (49, 10)
    """

    output_name = "coefficient"

    def __init__(self, operations: AudioOperations, samples: int, sampling_rate: int):
        """Compute the constants.

        Args:
            operations: what the graph states of its operations.
            samples: length of the sounds.
            sampling_rate: of the sounds, in Hz.

        Raises:
            ArgumentError: the sounds are shorter than a frame.
        """
        if samples < operations.window:
            raise ArgumentError(
                f"The sounds have {samples} samples, and a frame {operations.window}; give a longer duration."
            )
        self.samples, self.operations = samples, operations
        self.output_shape = (1 + (samples - operations.window) // operations.step, operations.coefficients)
        self._length = 1 << (operations.window - 1).bit_length()
        self._window = _periodic_hann(operations.window)
        self._filters = mel_filters(operations, self._length // 2 + 1, sampling_rate)
        self._cosines = _cosines(operations)

    def __call__(self, waveforms) -> tf.Tensor:
        """Return the coefficients of a batch of sounds.

        Args:
            waveforms: float (batch, samples), full scale being 1. The level matters: it shifts the first coefficient.

        Returns:
            float32 (batch, frames, coefficients).

        Raises:
            ArgumentError: the waveforms have another shape, or are integers.
        """
        waveforms = tf.cast(checked_waveforms(waveforms, self.samples), tf.float64)
        frames = tf.signal.frame(waveforms, self.operations.window, self.operations.step) * self._window
        spectra = tf.signal.rfft(frames, [self._length])
        powers = tf.square(tf.math.real(spectra)) + tf.square(tf.math.imag(spectra))
        magnitudes = tf.where(powers > _LEAST_POWER, tf.sqrt(tf.maximum(powers, _LEAST_POWER)), 0)
        sums = tf.maximum(tf.matmul(magnitudes, self._filters), FLOOR)
        return tf.cast(tf.matmul(tf.math.log(sums), self._cosines), tf.float32)


def mel_filters(operations: AudioOperations, bins: int, sampling_rate: int) -> np.ndarray:
    """Return the mel filters: overlapping triangles in mel, over the bins between both limits.

    Args:
        operations: the limits and the number of filters.
        bins: of the Fourier transform.
        sampling_rate: in Hz.

    Returns:
        float64 (bins, filters); what a bin gives to the filter below and to that above adds up to 1.
    """
    spacing = 0.5 * sampling_rate / (bins - 1)
    lowest, highest = (_mel(limit) for limit in (operations.lower_limit, operations.upper_limit))
    centres = lowest + (highest - lowest) / (operations.filters + 1) * np.arange(1, operations.filters + 2)
    first, last = int(1.5 + operations.lower_limit / spacing), int(operations.upper_limit / spacing)
    filters = np.zeros((bins, operations.filters))
    for place in range(first, min(last, bins - 1) + 1):
        mel = _mel(place * spacing)
        above = min(int(np.searchsorted(centres, mel)), operations.filters)
        left = centres[above - 1] if above else lowest
        share = (centres[above] - mel) / (centres[above] - left)
        if above > 0:
            filters[place, above - 1] += share
        if above < operations.filters:
            filters[place, above] += 1 - share
    return filters


def _mel(hertz: float) -> float:
    return 1127.0 * np.log1p(hertz / 700.0)


def _periodic_hann(length: int) -> np.ndarray:
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)


def _cosines(operations: AudioOperations) -> np.ndarray:
    """Return the cosine transform (filters, coefficients), whose first column is longer than 1 by the root of 2."""
    places, numbers = np.arange(operations.filters)[:, None] + 0.5, np.arange(operations.coefficients)
    return np.sqrt(2 / operations.filters) * np.cos(np.pi / operations.filters * numbers * places)
