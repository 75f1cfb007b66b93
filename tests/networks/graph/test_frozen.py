"""The frozen function against the plain one: the traced operations as they are, with their own gradients."""

import gc

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfmetamers.errors import ArgumentError
from tfmetamers.networks import from_keras, load_network
from tfmetamers.networks.graph.frozen import FrozenFunction


def value_and_gradient(function, stimuli, upstream=None):
    stimuli = tf.constant(stimuli)
    with tf.GradientTape() as tape:
        tape.watch(stimuli)
        activations = function(stimuli)
    return activations.numpy(), tape.gradient(activations, stimuli, output_gradients=upstream).numpy()


def relative_error(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


LAYERS = ["first", "normalized", "left", "right", "linear", "block", "pooled", "rectified", "flat", "logits"]


@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_of_a_keras_model_has_the_models_own_value_and_gradient(small_model, pictures, layer):
    import keras

    plain = keras.Model(small_model.input, small_model.get_layer(layer).output)
    expected = value_and_gradient(lambda x: plain(x * 255.0), pictures)
    network = from_keras(small_model, input_range=(0, 255))
    found = value_and_gradient(network.activations(layer, relu_gradient="normal"), pictures)
    assert relative_error(found[0], expected[0]) < 1e-6
    assert relative_error(found[1], expected[1]) < 1e-5


def test_only_the_relus_that_directly_feed_a_block_are_straight_through(small_model, pictures):
    """The block holds ReLUs at its end (left, right), one further up (first), and a branch without (linear)."""
    network = from_keras(small_model)
    names = {layer: network.layers[layer].path.relus for layer in ("left", "right")}
    assert set(network.layers["block"].path.relus) == {*names["left"], *names["right"]}
    upstream = tf.random.stateless_normal([4, 32, 32, 12], [1, 2])
    _, found = value_and_gradient(network.activations("block"), pictures, upstream)
    parts = tf.split(upstream, [4, 5, 3], axis=3)
    expected = 0
    for layer, part in zip(("left", "right", "linear"), parts, strict=True):
        tensor = network.layers[layer].tensor
        if layer != "linear":
            relu = network._stimulus.graph.get_operation_by_name(names[layer][0])
            tensor = relu.inputs[0].name
        expected += value_and_gradient(network.activations(f"tensor:{tensor}"), pictures, part)[1]
    assert relative_error(found, expected) < 1e-5
    _, normal = value_and_gradient(network.activations("block", relu_gradient="normal"), pictures, upstream)
    assert relative_error(found, normal) > 0.1


def test_a_relu_that_also_feeds_the_network_upstream_keeps_its_ordinary_gradient_there():
    """The layer joins a ReLU with a convolution of the same ReLU: only the direct path is straight-through."""
    with tf.Graph().as_default():
        stimulus = tf.compat.v1.placeholder(tf.float32, [None, 3], "stimulus")
        relu = tf.nn.relu(stimulus)
        layer = tf.concat([relu, 10.0 * relu], 1)
    values = np.array([[-1.0, 0.0, 2.0]], np.float32)
    _, straight = value_and_gradient(FrozenFunction(stimulus, layer, {}), values)
    np.testing.assert_array_equal(straight, [[1.0, 1.0, 11.0]])
    _, normal = value_and_gradient(FrozenFunction(stimulus, layer, {}, straight_through=False), values)
    np.testing.assert_array_equal(normal, [[0.0, 0.0, 11.0]])


def test_a_fetched_convolution_keeps_its_value_where_its_normalisation_is_folded():
    """Folding may not reach a convolution whose own output is asked for, or read twice."""
    generator = np.random.default_rng(0)
    kernel = generator.normal(size=(3, 3, 2, 4)).astype(np.float32)
    statistics = [generator.uniform(0.5, 2, 4).astype(np.float32) for _ in range(4)]
    with tf.Graph().as_default():
        stimulus = tf.compat.v1.placeholder(tf.float32, [None, 6, 6, 2], "stimulus")
        convolution = tf.nn.conv2d(stimulus, kernel, 1, "SAME")
        normalized = tf.compat.v1.nn.fused_batch_norm(convolution, *statistics, epsilon=0.01, is_training=False)[0]
        joined = normalized + convolution
    values = generator.random((2, 6, 6, 2), np.float32)
    plain = tf.nn.conv2d(values, kernel, 1, "SAME").numpy()
    gamma, beta, mean, variance = statistics
    expected = (plain - mean) / np.sqrt(variance + 0.01) * gamma + beta
    for layer, value in ((convolution, plain), (normalized, expected), (joined, expected + plain)):
        np.testing.assert_allclose(FrozenFunction(stimulus, layer, {})(values), value, rtol=1e-4, atol=1e-5)


def test_a_loop_is_refused_with_the_way_out():
    import keras

    layers = keras.layers
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.Reshape((8, 24)), layers.GRU(3, name="loop")])
    with pytest.raises(ArgumentError, match=r"loop.*unroll=True"):
        from_keras(model).activations("loop")
    unrolled = keras.Sequential([model.layers[0], layers.GRU(3, name="steps", unroll=True)])
    unrolled.build((None, 8, 8, 3))
    unrolled.layers[-1].set_weights(model.layers[-1].get_weights())
    stimulus = np.random.default_rng(0).random((2, 8, 8, 3), np.float32)
    np.testing.assert_allclose(
        from_keras(unrolled).activations("steps")(stimulus), model(stimulus), rtol=1e-5, atol=1e-6
    )


def test_a_gradient_of_its_own_is_refused_rather_than_lost():
    import keras

    @tf.custom_gradient
    def reversed_gradient(values):
        return tf.identity(values), lambda upstream: -upstream

    class Reversal(keras.layers.Layer):
        def call(self, inputs):
            return reversed_gradient(inputs)

    model = keras.Sequential([keras.Input((4, 4, 3)), Reversal(name="reversal")])
    with pytest.raises(ArgumentError, match=r"tf\.custom_gradient"):
        from_keras(model).activations("reversal")


@pytest.mark.slow
@pytest.mark.parametrize("layer", ["fc6", "fc8"])
def test_fully_connected_layers_of_a_large_picture(layer):
    """Beyond the network's own size, the layers that were fully connected become convolutions over places."""
    network = load_network("vgg_19", random_seed=0, size=256)
    stimulus = np.random.default_rng(0).random((1, 256, 256, 3), np.float32)
    activations, gradient = value_and_gradient(network.activations(layer), stimulus)
    assert activations.shape == (1, *network.layers[layer].shape)
    assert np.isfinite(gradient).all()
    assert np.any(gradient)


def test_a_function_that_is_gone_leaves_nothing_behind(small_model, pictures):
    """TensorFlow registers each gradient of its own for good, and with it the graph and the weights it captures."""
    from tensorflow.python.framework import ops

    from tfmetamers.recipes import find_recipe
    from tfmetamers.stimuli.noise import stimulus_digest
    from tfmetamers.synthesis.loop import Synthesis

    def use():
        network = from_keras(small_model)
        network.activations("linear")(pictures)
        synthesis = Synthesis(network, layer="block", recipe=find_recipe("feather2019-image"))
        start = synthesis.start([stimulus_digest(pictures[0])], 0)
        synthesis.advance(synthesis.targets(pictures[:1]), start, 2)
        return len(ops.gradient_registry._registry)

    before = len(ops.gradient_registry._registry)
    assert use() > before
    gc.collect()
    assert len(ops.gradient_registry._registry) <= before


def test_the_gradient_of_a_max_pool_is_tensorflows_and_left_alone_by_onednn():
    layers = [keras.Input((9, 8, 3)), keras.layers.MaxPooling2D((3, 2), strides=2, padding="same", name="pool")]
    function = from_keras(keras.Sequential(layers)).activations("pool")
    generator = np.random.default_rng(0)
    stimuli = tf.constant(generator.random((2, 9, 8, 3)), tf.float32)
    upstream = tf.constant(generator.standard_normal((2, 5, 4, 3)), tf.float32)

    @tf.function
    def gradient(stimuli, pooled):
        with tf.GradientTape() as tape:
            tape.watch(stimuli)
            product = tf.reduce_sum(pooled(stimuli) * upstream)
        return tape.gradient(product, stimuli)

    ordinary = gradient(stimuli, lambda each: tf.nn.max_pool2d(each, (3, 2), 2, "SAME"))
    np.testing.assert_allclose(gradient(stimuli, function), ordinary, rtol=1e-6, atol=1e-6)
    used = {operation.type for operation in gradient.get_concrete_function(stimuli, function).graph.get_operations()}
    assert "MaxPoolGradV2" in used and "MaxPoolGrad" not in used
