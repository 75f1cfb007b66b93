"""Log-mel spectrograms as VGGish takes them, differentiably."""

import numpy as np
import tensorflow as tf

from tfmetamers.errors import ArgumentError
from tfmetamers.features.waveforms import checked_waveforms
from tfmetamers.gradients import clipped_log

#: Sampling rate of the sounds, in Hz, and the other constants of ``vggish_params.py``.
SAMPLING_RATE = 16_000

#: Window, hop and length of the Fourier transform, in samples: 25 ms and 10 ms, and the next power of 2.
WINDOW, HOP, TRANSFORM = 400, 160, 512

#: Mel bands, and the frequencies where the first begins and the last ends, in Hz.
BANDS, MIN_FREQUENCY, MAX_FREQUENCY = 64, 125.0, 7500.0

#: Added to the mel spectrogram before its logarithm is taken.
OFFSET = 0.01

#: Frames of one example, 0.96 s; examples do not overlap.
EXAMPLE_FRAMES = 96


class LogMel:
    """VGGish's front end: call it with waveforms to get their log-mel spectrograms, cut into examples.

    Frames of 25 ms every 10 ms are weighted by a periodic Hann window, the magnitudes of their Fourier transforms are
    summed in 64 mel bands, and the logarithm is taken after 0.01 is added (``mel_features.py`` and
    ``vggish_input.py`` of tensorflow/models, research/audioset). The logarithm's gradient is clipped to [-1, 1]
    (`tfmetamers.gradients.clipped_log`), so that it is the mathematical one where a band holds 0.99 or more. The
    gradient of a magnitude of zero is 0. What is left over after the last whole example is dropped.

    The transform is computed in double precision: in single precision, a loud tone would change the logarithms of the
    bands that are silent beside it by 5e-5 of their value.

    It holds only constants, and works inside `tf.function` and outside, with `tf.GradientTape`. Items of a batch do not
    influence each other.

    Attributes:
        samples: length of the sounds.
        output_shape: shape of one sound's spectrogram: (examples, 96, 64).
        output_name: what the last axis counts, as a figure labels it.

    >>> front_end = LogMel(samples=16000)
    >>> front_end.output_shape
    (1, 96, 64)
    >>> round(float(front_end(tf.zeros((2, 16000)))[0, 0, 0, 0]), 3)  # the logarithm of 0.01
    -4.605
    """

    output_name = "mel band"

    def __init__(self, samples: int):
        """Compute the constants.

        Args:
            samples: length of the sounds at 16 kHz.

        Raises:
            ArgumentError: the sounds are shorter than one example.
        """
        self.samples = samples
        self.output_shape = (count_examples(samples), EXAMPLE_FRAMES, BANDS)
        # Outside any graph that is being built, so that the constants can serve several.
        with tf.init_scope():
            self._window = tf.constant(0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(WINDOW) / WINDOW), tf.float64)
            self._mel_bands = tf.constant(mel_bands(), tf.float64)

    def __call__(self, waveforms) -> tf.Tensor:
        """Return the log-mel spectrograms of a batch of sounds.

        Args:
            waveforms: float (batch, samples) at 16 kHz, full scale being 1.

        Returns:
            float32 (batch, examples, 96, 64), from the logarithm of 0.01; low frequencies first.

        Raises:
            ArgumentError: the waveforms have another shape, or are integers.
        """
        waveforms = checked_waveforms(waveforms, self.samples)
        frames = tf.signal.frame(waveforms, WINDOW, HOP)[:, : self.output_shape[0] * EXAMPLE_FRAMES]
        magnitudes = tf.abs(tf.signal.rfft(frames * self._window, [TRANSFORM]))
        log_mel = clipped_log(tf.tensordot(magnitudes, self._mel_bands, 1), OFFSET)
        return tf.reshape(tf.cast(log_mel, tf.float32), [-1, *self.output_shape])


def count_examples(samples: int) -> int:
    """Return how many examples of 96 frames a sound holds.

    Args:
        samples: length of the sound at 16 kHz.

    Raises:
        ArgumentError: it is shorter than one example.
    """
    examples = (1 + (samples - WINDOW) // HOP) // EXAMPLE_FRAMES
    if examples < 1:
        minimum = WINDOW + (EXAMPLE_FRAMES - 1) * HOP
        raise ArgumentError(
            f"The sounds have {samples} samples; VGGish needs at least {minimum}, one example of "
            f"{minimum / SAMPLING_RATE:g} s at {SAMPLING_RATE} Hz. Give a longer duration."
        )
    return examples


def mel_bands() -> np.ndarray:
    """Return the weights that sum magnitudes in mel bands.

    Triangles, linear in mel (1127 times the natural logarithm of 1 + f / 700 Hz), whose 66 edges are evenly spaced
    from 125 to 7500 Hz. No band holds 0 Hz, the mean of a frame.

    Returns:
        float64 (257, 64): bins of the Fourier transform, bands.

    >>> bands = mel_bands()
    >>> bands.shape, bands[0].any()
    ((257, 64), False)
    """
    bins = _hertz_to_mel(np.linspace(0.0, SAMPLING_RATE / 2, TRANSFORM // 2 + 1))[:, None]
    edges = np.linspace(_hertz_to_mel(MIN_FREQUENCY), _hertz_to_mel(MAX_FREQUENCY), BANDS + 2)
    lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]
    weights = np.minimum((bins - lower) / (centre - lower), (upper - bins) / (upper - centre)).clip(0.0)
    weights[0] = 0.0
    return weights


def _hertz_to_mel(hertz):
    return 1127.0 * np.log1p(np.asarray(hertz) / 700.0)
