"""How much each step that drops samples lets through of what its output cannot represent."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfmetamers.networks.auditory.architecture import Architecture, LayerSpecification, build_layers


@dataclass(frozen=True)
class LayerShape:
    """A layer of an architecture, as a table shows it.

    Attributes:
        layer: its specification.
        shape: of its output, without the batch.
        strides: by how much it divides the number of channels and of envelope samples; (1, 1) where it does not.
        aliased: the share of its output's variance that comes from frequencies above the Nyquist frequency of the
            output, 0 to 1; None for layers that drop no samples.
    """

    layer: LayerSpecification
    shape: tuple[int, ...]
    strides: tuple[int, int]
    aliased: float | None


def measure_layers(architecture: Architecture, seed: int = 0) -> Iterator[LayerShape]:
    """Give each layer of an architecture, with the aliasing of those that drop samples, measured.

    A layer is given two noises of equal variance: one of the frequencies that its output can represent, one of those
    above. The aliased share is the variance of the response to the second over the sum of both. Kernels are random, as
    their initialisers draw them.

    Args:
        architecture: the layers.
        seed: seeds the kernels and the noises.
    """
    settings = architecture.cochleagram
    with tf.Graph().as_default():
        tf.compat.v1.set_random_seed(seed)
        before = tf.compat.v1.placeholder(tf.float32, [None, settings.channels, settings.envelope_samples, 1])
        outputs = build_layers(architecture, before)
        with tf.compat.v1.Session() as session:
            session.run(tf.compat.v1.global_variables_initializer())
            for layer in architecture.layers:
                after, strides = outputs[layer.name], _strides(layer)
                aliased = None if strides == (1, 1) else _aliased(session, before, after, strides, seed)
                yield LayerShape(layer, tuple(after.shape[1:].as_list()), strides, aliased)
                before = after


def _aliased(session, before: tf.Tensor, after: tf.Tensor, strides: tuple[int, int], seed: int) -> float:
    """Return the share of a layer's response that is to frequencies above those that its output can represent."""
    shape = before.shape[1:].as_list()
    below, above = (
        _response(session, before, after, _noise(shape, strides, is_above, seed)) for is_above in (False, True)
    )
    return above / (below + above)


def _strides(layer: LayerSpecification) -> tuple[int, int]:
    strides = layer.args.get("strides", 1)
    return (strides, strides) if isinstance(strides, int) else tuple(strides)


def _noise(shape: list[int], strides: tuple[int, int], is_above: bool, seed: int) -> np.ndarray:
    """Return noise of unit variance whose frequencies are all below, or all above, what strides leave."""
    spectrum = np.fft.fft2(np.random.default_rng(seed).standard_normal(shape), axes=(0, 1))
    rows, columns = (np.abs(np.fft.fftfreq(size)) for size in shape[:2])
    kept = np.outer(rows < 0.5 / strides[0], columns < 0.5 / strides[1])
    noise = np.fft.ifft2(spectrum * (kept != is_above)[..., None], axes=(0, 1)).real
    return ((noise - noise.mean()) / noise.std()).astype(np.float32)


def _response(session, before: tf.Tensor, after: tf.Tensor, noise: np.ndarray) -> float:
    """Return the variance of a layer's output over its places, averaged over its filters."""
    found = session.run(after, {before: noise[None]})[0]
    return float(found.var(axis=(0, 1)).mean())
