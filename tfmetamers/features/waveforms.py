"""The input of the front ends: waveforms of a known length, full scale being 1."""

import tensorflow as tf

from tfmetamers.errors import ArgumentError


def checked_waveforms(waveforms, samples: int) -> tf.Tensor:
    """Return a batch of sounds in double precision.

    Args:
        waveforms: float (batch, samples).
        samples: the length of each.

    Returns:
        float64 (batch, samples).

    Raises:
        ArgumentError: the waveforms have another shape, or are integers.
    """
    waveforms = tf.convert_to_tensor(waveforms)
    if waveforms.shape.rank != 2 or waveforms.shape[1] != samples:
        raise ArgumentError(f"The waveforms have shape {tuple(waveforms.shape)}; (batch, {samples}) was expected.")
    if not waveforms.dtype.is_floating:
        raise ArgumentError(
            f"The waveforms are of type {waveforms.dtype.name}; floating-point samples with a full scale of 1 were "
            "expected. Divide them by their full scale, 32768 for 16-bit samples."
        )
    return tf.cast(waveforms, tf.float64)
