"""Perturbations of what a network is trained on: by an adversary, or at random and as large."""

from collections.abc import Callable

import tensorflow as tf

from tfmetamers.training.settings import PerturbationSettings

#: Added to the length of a gradient before it is divided by (``attack_steps.py`` of the 2023 release).
_SMALLEST = 1e-10

#: What seeds the random start, beside the seed of the step: dropout has the others.
_SEED = 7919


def perturb(
    settings: PerturbationSettings, inputs: tf.Tensor, loss: Callable[[tf.Tensor], tf.Tensor], seed: tf.Tensor
) -> tf.Tensor:
    """Return inputs with a perturbation of at most the settings' size, inside a `tf.function`.

    An adversary starts at a random perturbation of that size, goes some steps up the gradient of the loss, and is put
    back onto the ball around the inputs after each (projected gradient descent; ``attacker.py`` and ``attack_steps.py``
    of the library robustness, which the 2023 paper's networks were trained with). A random perturbation is the start
    alone.

    Args:
        settings: the norm, the size and the steps.
        inputs: float32 (batch, ...), waveforms or cochleagrams.
        loss: the loss of perturbed inputs, a scalar.
        seed: int32 (2,), of the random start.

    Returns:
        float32 of the same shape.
    """
    difference = _random_difference(settings, tf.shape(inputs), seed + tf.constant([0, _SEED]))
    for _ in range(0 if settings.random else settings.steps):
        with tf.GradientTape() as tape:
            tape.watch(difference)
            value = loss(inputs + difference)
        difference = _stepped(settings, difference, tape.gradient(value, difference))
    return inputs + tf.stop_gradient(difference)


def _random_difference(settings: PerturbationSettings, shape: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Return a perturbation of the full size: on the sphere, or in a corner of the cube."""
    noise = tf.random.stateless_normal(shape, seed)
    if settings.norm == "linf":
        return settings.eps * tf.sign(noise)
    return settings.eps * noise / (_lengths(noise) + _SMALLEST)


def _stepped(settings: PerturbationSettings, difference: tf.Tensor, gradient: tf.Tensor) -> tf.Tensor:
    """Return a perturbation after a step up a gradient, put back onto the ball."""
    if settings.norm == "linf":
        moved = difference + settings.used_step_size * tf.sign(gradient)
        return tf.clip_by_value(moved, -settings.eps, settings.eps)
    moved = difference + settings.used_step_size * gradient / (_lengths(gradient) + _SMALLEST)
    return moved * tf.minimum(1.0, settings.eps / (_lengths(moved) + _SMALLEST))


def _lengths(values: tf.Tensor) -> tf.Tensor:
    """Return the Euclidean length of each item, of a shape that the items can be divided by."""
    return tf.sqrt(tf.reduce_sum(tf.square(values), axis=tf.range(1, tf.rank(values)), keepdims=True))
