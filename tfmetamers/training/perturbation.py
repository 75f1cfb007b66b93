"""Perturbations of the sounds that a network is trained on: random ones, and those that raise its loss."""

import math
import zlib
from collections.abc import Callable

import tensorflow as tf

from tfmetamers.errors import ArgumentError
from tfmetamers.training.settings import PerturbationSettings

#: Keeps the direction of a gradient of zeros finite (``attack_steps.py`` in model_metamers_pytorch).
TINY = 1e-10

#: The range that perturbed signals are kept in. The release clamps waveforms to [-1, 1], but sounds of a fixed root
#: mean square may have clicks beyond that, which would be cut.
BOUNDS = {"waveform": (-math.inf, math.inf), "cochleagram": (0.0, math.inf)}


def perturb(
    signals: tf.Tensor,
    loss: Callable[[tf.Tensor], tf.Tensor],
    *,
    eps: float,
    steps: int,
    step_size: float,
    bounds: tuple[float, float],
    seed: tf.Tensor,
) -> tf.Tensor:
    """Add perturbations whose L2 norm is at most eps: by projected gradient descent, or at random.

    A perturbation begins at a random point of the sphere of radius eps. Each step adds a vector of fixed length along
    the gradient of the loss, and takes what lies outside the sphere back onto it (``L2Step`` in ``attack_steps.py`` of
    model_metamers_pytorch). Silent signals are perturbed too.

    Args:
        signals: float32 (batch, ...), such as waveforms, cochleagrams or pictures.
        loss: from signals to the loss to raise, a scalar; the loss of each signal adds to it without depending on the
            others.
        eps: the largest norm of a perturbation.
        steps: the number of steps; with none, perturbations are random.
        step_size: the length of a step.
        bounds: the smallest and the largest value that perturbed signals have, which signals have themselves.
        seed: int32 (2,), of the random points.

    Returns:
        float32, of the shape of `signals`.
    """
    seed = seed + tf.constant([0, zlib.crc32(b"perturbation") % 2**31], tf.int32)
    start = eps * _direction(tf.random.stateless_normal(tf.shape(signals), seed))
    start.set_shape(signals.shape)

    def bounded(perturbations):
        """Keep perturbed signals in their bounds, which makes no perturbation larger."""
        return tf.clip_by_value(signals + perturbations, *bounds) - signals

    def step(perturbations):
        with tf.GradientTape() as tape:
            tape.watch(perturbations)
            value = loss(signals + perturbations)
        moved = perturbations + step_size * _direction(tape.gradient(value, perturbations))
        return [bounded(moved * tf.minimum(1.0, eps / (norms(moved) + TINY)))]

    (perturbations,) = tf.while_loop(
        lambda _: True, step, [bounded(start)], maximum_iterations=steps, parallel_iterations=1
    )
    return signals + perturbations


def norms(signals: tf.Tensor) -> tf.Tensor:
    """Return the L2 norm of each item of a batch, float32 (batch, 1, ...)."""
    return tf.sqrt(tf.reduce_sum(tf.square(signals), axis=list(range(1, signals.shape.rank)), keepdims=True))


def check_size(settings: PerturbationSettings, signal_norm: float) -> None:
    """Refuse perturbations that are as large as the signals.

    Args:
        settings: the size of perturbations.
        signal_norm: the mean L2 norm of signals.

    Raises:
        ArgumentError: they are as large, or larger.
    """
    if not settings.eps < signal_norm:
        raise ArgumentError(
            f"The setting eps is {settings.eps:g}, but the mean L2 norm of the {settings.domain}s is only "
            f"{signal_norm:.4g}; give a smaller one (the 2023 paper's is 5 % of the norm of its waveforms)."
        )


def _direction(signals: tf.Tensor) -> tf.Tensor:
    return signals / (norms(signals) + TINY)
