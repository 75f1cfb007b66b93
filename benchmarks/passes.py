"""What a front end costs in synthesis: forward and backward passes through it alone."""

from collections.abc import Callable

import tensorflow as tf


def gradient_passes(front_end: Callable, waveforms: tf.Tensor) -> Callable[[int], list]:
    """Return a function that does so many forward and backward passes of a front end."""

    @tf.function(autograph=False)
    def gradient(stimuli):
        with tf.GradientTape() as tape:
            tape.watch(stimuli)
            loss = tf.nn.l2_loss(front_end(stimuli))
        return tape.gradient(loss, stimuli)

    return lambda passes: [gradient(waveforms).numpy() for _ in range(passes)]
