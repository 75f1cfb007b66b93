"""Two stimuli are compared by their activations, once both are what the network takes."""

import numpy as np
import pytest
import tensorflow as tf

from tfmetamers.errors import ArgumentError
from tfmetamers.metrics import pearson, signal_to_noise_ratio, spearman
from tfmetamers.networks import compare_layers, from_function


@pytest.fixture
def network():
    return from_function(lambda stimuli: {"tanh": tf.tanh(stimuli), "double": 2.0 * stimuli}, (6,))


def test_each_layer_has_the_figures_of_its_activations(network):
    first, second = np.random.default_rng(0).normal(size=(2, 6))
    table = compare_layers(network, first, second)
    for layer, function in (("tanh", np.tanh), ("double", lambda stimulus: 2 * stimulus)):
        pair = function(first.astype(np.float32)), function(second.astype(np.float32))
        expected = [6, *(measure(*pair) for measure in (spearman, pearson, signal_to_noise_ratio))]
        np.testing.assert_allclose(table.loc[layer].to_numpy(float), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("second", "at_fault"),
    [
        (np.zeros(5), r"second stimulus has shape \(5,\)"),
        (np.full(6, np.nan), "second stimulus.*NaN"),
        (np.zeros(6, np.int16), "second stimulus.*int16"),
        (np.zeros(6, complex), "second stimulus.*complex"),
        ([[0.0], [0.0, 1.0]], "second stimulus"),
    ],
)
def test_what_is_not_a_stimulus_is_named(network, second, at_fault):
    with pytest.raises(ArgumentError, match=at_fault):
        compare_layers(network, np.zeros(6), second)
