"""What front ends take: waveforms of a known length, full scale being 1."""

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
        ArgumentError: the waveforms have another shape, or are whole numbers.
    """
    waveforms = tf.convert_to_tensor(waveforms)
    if waveforms.shape.rank != 2 or waveforms.shape[1] != samples:
        raise ArgumentError(f"The waveforms have shape {tuple(waveforms.shape)}; (batch, {samples}) was expected.")
    if not waveforms.dtype.is_floating:
        raise ArgumentError(
            f"The waveforms are of type {waveforms.dtype.name}, as of samples that were not scaled; floating-point "
            "numbers were expected, at a full scale of 1: divide by it, 32768 for samples of 16 bits."
        )
    return tf.cast(waveforms, tf.float64)
