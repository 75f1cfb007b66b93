"""Convolutions by tiles against the direct sum in double precision."""

import numpy as np
import pytest
import tensorflow as tf

from tfmetamers.networks.graph.frozen import FrozenFunction
from tfmetamers.networks.graph.winograd import WinogradConvolution, pays


def relative_error(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


@pytest.mark.parametrize(("outputs", "tolerance"), [(2, 1e-6), (4, 1e-5)])
@pytest.mark.parametrize("extent", [(8, 8), (7, 9), (1, 5), (22, 21)])
def test_equals_the_direct_sum(outputs, tolerance, extent):
    generator = np.random.default_rng(0)
    kernel = generator.normal(size=(3, 3, 16, 24))
    inputs = generator.normal(size=(3, *extent, 16))
    expected = tf.nn.conv2d(inputs, kernel, 1, "SAME").numpy()
    found = WinogradConvolution(kernel, *extent, outputs=outputs)(inputs.astype(np.float32)).numpy()
    assert found.shape == expected.shape
    assert relative_error(found, expected) < tolerance


def test_small_tiles_round_to_single_precision():
    generator = np.random.default_rng(1)
    kernel = generator.normal(size=(3, 3, 256, 256)) / 48
    inputs = np.maximum(generator.normal(size=(1, 28, 28, 256)), 0)
    exact = tf.nn.conv2d(inputs, kernel, 1, "SAME").numpy()
    tiles = WinogradConvolution(kernel, 28, 28, outputs=2)(inputs.astype(np.float32)).numpy()
    assert relative_error(tiles, exact) < 1e-6  # Direct sums have 2e-7 to 4e-7, by the processor's order of adding.


@pytest.mark.parametrize(
    ("kernel", "height", "outputs", "expected"),
    [
        ((3, 3, 128, 128), 20, 4, True),
        ((3, 3, 128, 128), 20, 2, False),
        ((3, 3, 256, 256), 20, 2, True),
        ((3, 3, 127, 256), 20, 4, False),
        ((3, 3, 256, 256), 19, 4, False),
        ((3, 3, 256, 256), 14, 2, True),
        ((3, 3, 256, 256), 13, 2, False),
        ((5, 5, 256, 256), 40, 4, False),
    ],
)
def test_is_used_where_it_pays(kernel, height, outputs, expected):
    assert pays(kernel, height, height, outputs=outputs) is expected


@pytest.mark.parametrize("kernels", ["small", "quick"])
@pytest.mark.parametrize(("size", "padding"), [((3, 3), "SAME"), ((4, 5), "SAME"), ((1, 1), "SAME"), ((2, 3), "VALID")])
def test_frozen_convolutions_of_every_kind_have_the_ordinary_gradient(size, padding, kernels):
    generator = np.random.default_rng(2)
    kernel = generator.normal(size=(*size, 256, 256)).astype(np.float32) / 40
    with tf.Graph().as_default():
        stimulus = tf.compat.v1.placeholder(tf.float32, [None, 21, 23, 256], "stimulus")
        layer = tf.nn.conv2d(stimulus, kernel, 1, padding)
    values = tf.constant(generator.normal(size=(2, 21, 23, 256)), tf.float32)
    frozen = FrozenFunction(stimulus, layer, {}, kernels=kernels)
    results = {}
    for name, function in {"frozen": frozen, "plain": lambda x: tf.nn.conv2d(x, kernel, 1, padding)}.items():
        with tf.GradientTape() as tape:
            tape.watch(values)
            activations = function(values)
        upstream = tf.random.stateless_normal(activations.shape, [1, 2])
        results[name] = activations.numpy(), tape.gradient(activations, values, upstream).numpy()
    for found, expected in zip(results["frozen"], results["plain"], strict=True):
        assert relative_error(found, expected) < 1e-5
