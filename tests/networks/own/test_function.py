"""Any function of TensorFlow is a network, if it is a function of its input."""

import numpy as np
import pytest
import tensorflow as tf

import tfmetamers as tm
from tfmetamers.errors import ArgumentError
from tfmetamers.networks.own.function import from_function
from tfmetamers.networks.spec import NetworkSpec
from tfmetamers.stimuli.domains import Arrays, Images, Sounds

KERNEL = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)


def dense(stimuli):
    """Two layers of a matrix, the first with a ReLU."""
    hidden = tf.nn.relu(stimuli @ KERNEL)
    return {"hidden": hidden, "logits": hidden[:, :3] * 2.0}


@pytest.fixture
def arrays() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(5, 6)).astype(np.float32)


def test_activations_are_those_of_the_function(arrays):
    network = from_function(dense, (6,), labels=["a", "b", "c"], logits="logits")
    expected = dense(tf.constant(arrays))
    for layer in ("hidden", "logits"):
        np.testing.assert_allclose(network.activations(layer)(arrays), expected[layer], rtol=1e-6)
    assert [each.index for each in network.predict(arrays)] == list(np.argmax(expected["logits"], -1))
    assert network.layers["hidden"].path.rule == "straight-through (1 ReLU)"
    assert (network.name, network.domain, network.provenance.source) == ("function", Arrays((6,)), "function")


def test_variables_and_functions_of_tensorflow_belong_to_it(arrays):
    weights = tf.Variable(KERNEL)
    inner = tf.function(lambda stimuli: tf.nn.relu(stimuli @ weights))
    network = from_function(lambda stimuli: {"hidden": inner(stimuli)}, (6,))
    np.testing.assert_allclose(network.activations("hidden")(arrays), np.maximum(arrays @ KERNEL, 0), rtol=1e-5)


@pytest.mark.parametrize(
    ("shape", "options", "domain"),
    [
        ((4, 6, 3), {}, Images(4, 6)),
        ((4, 6, 3), {"domain": "array"}, Arrays((4, 6, 3))),
        ((6,), {"sampling_rate": 3}, Sounds(3, 6)),
        ((4, 6), {}, Arrays((4, 6))),
    ],
)
def test_the_domain_is_told_by_the_shape_or_given(shape, options, domain):
    assert from_function(lambda stimuli: {"same": stimuli * 1.0}, shape, **options).domain == domain


@pytest.mark.parametrize(("layers", "offered"), [(["hidden"], ["hidden"]), ("hidden", ["hidden"]), ("all", None)])
def test_layers_can_be_chosen(layers, offered):
    assert list(from_function(dense, (6,), layers=layers).layers) == (offered or ["hidden", "logits"])
    assert NetworkSpec.parse("/a/mine.keras", layers=layers).layers == (offered and tuple(offered))


def test_the_digest_is_of_what_is_computed():
    def scaled(factor, name="scaled"):
        variable = tf.Variable(factor)
        return lambda stimuli: {"layer": tf.tanh(stimuli * variable, name=name)}

    def digest(function):
        return from_function(function, (6,)).provenance.digest

    assert digest(scaled(2.0)) == digest(scaled(2.0, "other")) != digest(scaled(3.0))
    assert digest(lambda stimuli: {"layer": tf.tanh(stimuli)}) != digest(lambda stimuli: {"layer": tf.sin(stimuli)})


def test_a_metamer_of_a_function(arrays):
    network = from_function(lambda stimuli: {"layer": tf.tanh(stimuli @ KERNEL)}, (6,))
    recipe = tm.find_recipe(network.recipe).replace(steps=200, learning_rate=0.01)
    metamer = tm.synthesize(network, arrays[0], layer="layer", recipe=recipe)
    assert metamer.losses[-1] < metamer.losses[0] / 2


def not_finite(stimuli):
    return {"fine": stimuli * 1.0, "logarithm": tf.math.log(-tf.square(stimuli))}


@pytest.mark.parametrize(
    ("function", "fault"),
    [
        (lambda stimuli: stimuli, "dictionary"),
        (lambda stimuli: {}, "dictionary"),
        (lambda stimuli: {"layer": KERNEL}, "'layer'"),
        (lambda stimuli: {3: stimuli}, "3"),
        (lambda stimuli: {"layer": tf.cast(stimuli, tf.float64)}, "'layer'"),
        (lambda stimuli: {"layer": tf.transpose(stimuli)}, r"'layer' of shape \(6, None\)"),
        (lambda stimuli: {"layer": tf.reshape(stimuli, [-1, 3])}, r"'layer' of shape \(4, 3\) for 2 stimuli"),
        (lambda stimuli: {"layer": tf.reduce_sum(stimuli)}, r"'layer' of shape \(\)"),
        (not_finite, "'logarithm'"),
        (lambda stimuli: {"layer": tf.zeros_like(stimuli)}, "layer layer"),
        (lambda stimuli: {"layer": tf.stop_gradient(stimuli)}, "layer layer"),
        (lambda stimuli: {"layer": tf.one_hot(tf.argmax(stimuli, 1), 6)}, "layer layer"),
        (lambda stimuli: {"layer": stimuli - tf.reduce_mean(stimuli)}, "in a batch"),
        (lambda stimuli: {"layer": stimuli + tf.random.normal([6])}, "in a batch"),
        (lambda stimuli: {"layer": np.tanh(stimuli.numpy())}, "cannot be traced"),
        (lambda stimuli: 1 / 0, "cannot be traced.*division"),
    ],
)
def test_what_is_not_a_function_of_its_input_is_refused(function, fault):
    with pytest.raises(ArgumentError, match=fault) as caught:
        from_function(function, (6,))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("shape", "options", "fault"),
    [
        ((6,), {"layers": ["hiden"]}, "'hiden'.*hidden"),
        ((6,), {"labels": ["a"], "logits": "logit"}, "'logit'.*logits"),
        ((6,), {"labels": ["a"], "logits": "logits"}, r"1 label.*\(None, 3\)"),
        ((6,), {"labels": ["a"]}, "logits="),
        ((None,), {}, "any"),
        ((6.5,), {}, "6.5"),
        (6, {}, "shape .* is 6"),
        ((6,), {"fn": None}, "function is None"),
        ((6,), {"name": 3}, "name is 3"),
        ((6,), {"name": ""}, "name is ''"),
    ],
)
def test_what_does_not_fit_the_function_is_refused(shape, options, fault):
    with pytest.raises(ArgumentError, match=fault):
        from_function(**{"fn": dense, "stimulus_shape": shape, **options})
