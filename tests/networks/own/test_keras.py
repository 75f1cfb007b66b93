"""Anybody's Keras model."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tfmetamers.errors import ArgumentError, TfmetamersWarning
from tfmetamers.networks import from_keras, load_keras
from tfmetamers.stimuli.domains import Arrays, Images, Sounds


def test_labels_and_input_range_belong_to_the_model(small_model, pictures):
    labels = [f"class {index}" for index in range(10)]
    network = from_keras(small_model, labels=labels, input_range=(-1, 1))
    largest = small_model(pictures * 2.0 - 1.0).numpy().argmax(-1)
    assert [prediction.label for prediction in network.predict(pictures)] == [labels[index] for index in largest]


def test_without_labels_nothing_is_predicted(small_model, pictures):
    assert from_keras(small_model).predict(pictures) == [None] * 4


def beginning_with(*layers):
    """A model of pictures of 8 x 8 pixels that begins with these layers."""
    return keras.Sequential([keras.Input((8, 8, 3)), *layers, keras.layers.Conv2D(2, 3)], name="mine")


def normalization(mean, deviation):
    return keras.layers.Normalization(mean=[mean] * 3, variance=[deviation**2] * 3)


class TestForgottenRanges:
    @pytest.mark.parametrize(
        ("layers", "white"),
        [
            ([keras.layers.Rescaling(1 / 255)], "255"),
            ([keras.layers.Rescaling(1 / 127.5, offset=-1)], "255"),
            ([keras.layers.Rescaling(1 / 65535)], "65535"),
            ([normalization(120.0, 60.0)], "255"),
            ([keras.layers.Rescaling(1 / 255), normalization(0.45, 0.22)], "255"),
            ([keras.layers.RandomFlip(), keras.layers.Resizing(8, 8), keras.layers.Rescaling(1 / 255)], "255"),
            ([keras.Sequential([keras.layers.Rescaling(1 / 255)])], "255"),
        ],
    )
    def test_the_range_that_the_first_layers_are_made_for_is_suggested(self, layers, white):
        with pytest.warns(TfmetamersWarning, match=rf"mine .*--input-range 0 {white}"):
            network = from_keras(beginning_with(*layers))
        assert len(network.warnings) == 1

    @pytest.mark.parametrize(
        ("layers", "options"),
        [
            ([], {}),
            ([keras.layers.Rescaling(2, offset=-1)], {}),
            ([keras.layers.Rescaling(255.0)], {}),
            ([normalization(0.45, 0.22)], {}),
            ([keras.layers.Conv2D(3, 1), keras.layers.Rescaling(1 / 255)], {}),
            ([keras.layers.Rescaling(1 / 255)], {"input_range": (0, 1)}),
            ([keras.layers.Rescaling(1 / 255)], {"domain": "array"}),
        ],
    )
    def test_where_nothing_speaks_against_0_to_1_or_it_was_asked_for_nothing_is_said(self, layers, options):
        with warnings.catch_warnings():
            warnings.simplefilter("error", TfmetamersWarning)
            assert from_keras(beginning_with(*layers), **options).warnings == ()

    def test_models_of_keras_2_too(self):
        layers = [tf_keras.Input((8, 8, 3)), tf_keras.layers.Rescaling(1 / 255), tf_keras.layers.Conv2D(2, 3)]
        with pytest.warns(TfmetamersWarning, match="--input-range 0 255"):
            from_keras(tf_keras.Sequential(layers, name="mine"))


def test_layers_can_be_chosen_and_have_their_relu_rule(small_model):
    network = from_keras(small_model, layers=["block", "flat"])
    assert {name: layer.path.rule for name, layer in network.layers.items()} == {
        "block": "straight-through (2 ReLUs, 1 of them clipped at 6)",
        "flat": "straight-through (1 ReLU)",
    }
    with pytest.raises(ArgumentError, match=r"'blok'.*block"):
        from_keras(small_model, layers=["blok"])


def test_nested_and_subclassed_models_show_their_inner_layers():
    class Classifier(keras.Model):
        def __init__(self):
            super().__init__(name="classifier")
            self.stem = keras.Sequential([keras.layers.Conv2D(4, 3, activation="relu", name="inner")], name="stem")
            self.head = keras.layers.Dense(2, name="head")

        def call(self, inputs):
            return self.head(tf.reduce_mean(self.stem(inputs), [1, 2]))

    network = from_keras(Classifier(), size=20)
    assert {"stem/inner", "stem", "head"} <= network.layers.keys()
    assert network.layers["stem/inner"].path.rule == "straight-through (1 ReLU)"


def test_a_saved_model_gives_the_same_network(small_model, pictures, tmp_path):
    small_model.save(tmp_path / "mine.keras")
    network = load_keras(tmp_path / "mine.keras")
    assert (network.name, network.provenance.source, network.provenance.file) == ("mine", "keras", "mine.keras")
    np.testing.assert_allclose(
        network.activations("block")(pictures), from_keras(small_model).activations("block")(pictures), rtol=1e-6
    )


def test_sides_and_channels_of_pictures_are_the_models():
    model = keras.Sequential([keras.Input((None, None, 1)), keras.layers.Conv2D(2, 3, name="convolved")])
    network = from_keras(model, size=(12, 20))
    assert network.domain == Images(12, 20, 1)
    assert network.recipe == "feather2019-image"
    pictures = np.random.default_rng(0).random((2, 12, 20, 1), np.float32)
    np.testing.assert_allclose(network.activations("convolved")(pictures), model(pictures), rtol=1e-5, atol=1e-6)


def test_pictures_of_other_channels_are_arrays_with_the_bounds_of_pictures():
    model = keras.Sequential([keras.Input((8, 6, 5)), keras.layers.Activation("relu", name="rectified")])
    network = from_keras(model, domain="image", input_range=(-2, 2))
    assert (network.domain, network.recipe) == (Arrays((8, 6, 5)), "feather2019-image")
    values = np.random.default_rng(0).random((2, 8, 6, 5), np.float32)
    np.testing.assert_allclose(network.activations("rectified")(values), np.maximum(values * 4 - 2, 0), atol=1e-6)


@pytest.mark.parametrize(("shape", "duration"), [((100,), None), ((100, 1), 0.025), ((None, 1), 0.025)])
def test_a_model_with_a_sampling_rate_takes_waveforms(shape, duration):
    model = keras.Sequential([keras.Input(shape), keras.layers.Rescaling(2.0, name="doubled")])
    network = from_keras(model, sampling_rate=4000, duration=duration, input_range=(-32768, 32768))
    assert (network.domain, network.recipe) == (Sounds(4000, 100), "feather2019-audio-waveform")
    waveforms = np.random.default_rng(0).normal(0, 0.1, (2, 100)).astype(np.float32)
    doubled = network.activations("doubled")(waveforms).numpy()
    np.testing.assert_allclose(doubled.reshape(2, 100), waveforms * 65536, rtol=1e-6)


@pytest.mark.parametrize(("shape", "size"), [((9, 4), None), ((9, 4, 2), None), ((None, 4), (9, 4)), ((7,), None)])
def test_any_other_input_is_an_array(shape, size):
    model = keras.Sequential([keras.Input(shape), keras.layers.Activation("relu", name="rectified")])
    network = from_keras(model, size=size)
    assert (network.domain, network.recipe) == (Arrays(size or shape), "feather2019-array")
    values = np.random.default_rng(0).normal(0, 9, (2, *network.stimulus_shape)).astype(np.float32)
    np.testing.assert_array_equal(network.activations("rectified")(values), np.maximum(values, 0))


def test_a_grey_picture_and_an_array_of_its_shape_are_told_apart_by_the_domain():
    model = keras.Sequential([keras.Input((9, 4, 1)), keras.layers.Activation("relu")])
    assert from_keras(model).domain == Images(9, 4, 1)
    assert from_keras(model, domain="array").domain == Arrays((9, 4, 1))


@pytest.mark.parametrize(
    ("shape", "options", "fault"),
    [
        ((None, None, 3), {}, "size="),
        ((32, 24, 3), {"size": 32}, r"\(32, 24, 3\).*32"),
        ((32, 32, 3), {"size": 0}, "size is 0"),
        ((32, 32), {"domain": "image"}, r"\(32, 32\)"),
        ((32, 32, 3), {"domain": "picture"}, "'picture'"),
        ((32, 32, 3), {"sampling_rate": 4000}, r"\(32, 32, 3\)"),
        ((32, 32, 3), {"duration": 1.0}, "duration"),
        ((100,), {"domain": "sound"}, "sampling_rate="),
        ((None,), {"sampling_rate": 4000}, "duration="),
        ((None,), {"sampling_rate": 4000, "duration": float("nan")}, "nan"),
        ((100,), {"sampling_rate": 4000, "duration": 1.0}, "100 samples"),
        ((100,), {"sampling_rate": 4000, "size": 100}, "size of 100"),
        ((9, None), {"size": (8, 4)}, r"\(8, 4\)"),
    ],
)
def test_an_input_that_does_not_fit_what_is_told_is_refused(shape, options, fault):
    model = keras.Sequential([keras.Input(shape), keras.layers.Activation("relu")])
    with pytest.raises(ArgumentError, match=fault):
        from_keras(model, **options)


def test_two_inputs_are_refused():
    inputs = [keras.Input((8, 8, 3)), keras.Input((8, 8, 3))]
    with pytest.raises(ArgumentError, match="2 inputs"):
        from_keras(keras.Model(inputs, keras.layers.Add()(inputs)))


@pytest.fixture(scope="module")
def forked_model():
    """A model of two outputs, of two and of three units."""
    inputs = keras.Input((4,))
    return keras.Model(inputs, [keras.layers.Dense(units, name=f"of_{units}")(inputs) for units in (2, 3)])


def test_one_of_several_outputs_gives_the_labels(forked_model):
    network = from_keras(forked_model, labels=["a", "b", "c"], logits="of_3")
    values = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    largest = forked_model(values)[1].numpy().argmax(-1)
    assert [prediction.index for prediction in network.predict(values)] == list(largest)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"labels": ["a", "b"]}, "logits="),
        ({"labels": ["a", "b"], "logits": "of_4"}, "'of_4'.*of_3, of_2"),
        ({"labels": ["a", "b"], "logits": "of_3"}, r"2 labels.*\(None, 3\)"),
    ],
)
def test_an_output_that_labels_do_not_fit_is_refused(forked_model, options, fault):
    with pytest.raises(ArgumentError, match=fault):
        from_keras(forked_model, **options)


def test_outputs_by_name_are_asked_for_by_it():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, {"words": keras.layers.Dense(2)(inputs), "speakers": keras.layers.Dense(3)(inputs)})
    assert from_keras(model, labels=["a", "b"], logits="words").labels == ["a", "b"]


def test_a_layer_that_does_not_depend_on_the_stimulus_is_not_offered():
    class Constant(keras.layers.Layer):
        def call(self, inputs):
            return tf.zeros_like(inputs) + tf.cast(tf.argmax(inputs, -1), tf.float32)[:, None]

    inputs = keras.Input((4,))
    model = keras.Model(inputs, [Constant(name="constant")(inputs), keras.layers.ReLU(name="rectified")(inputs)])
    assert list(from_keras(model).layers) == ["rectified"]
    with pytest.raises(ArgumentError, match="constant"):
        from_keras(model, layers=["constant"])


def test_a_model_of_keras_2_is_taken_as_it_is():
    """Its layers of TensorFlow's functions have a call of their own, which is the same afterwards."""
    inputs = tf_keras.Input((12, 12, 3))
    convolved = tf_keras.layers.Conv2D(4, 3, activation="relu", name="convolved")(inputs)
    inner = tf_keras.Sequential([tf_keras.layers.Dense(5, name="dense")], name="inner")
    model = tf_keras.Model(inputs, inner(tf.reduce_mean(convolved, [1, 2])))
    network = from_keras(model, labels=list("abcde"))
    assert {"convolved", "inner", "inner/dense", "tf.math.reduce_mean"} == network.layers.keys()
    pictures = np.random.default_rng(0).random((2, 12, 12, 3), np.float32)
    expected = model(pictures)
    for layer in ("inner/dense", "inner"):
        np.testing.assert_allclose(network.activations(layer)(pictures), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(model(pictures), expected)
    assert network.layers["convolved"].path.rule == "straight-through (1 ReLU)"


@pytest.mark.parametrize("input_range", [(1, 0), (0, float("inf")), ("a", 1), (1,)])
def test_an_impossible_input_range_is_refused(small_model, input_range):
    with pytest.raises(ArgumentError, match="input range"):
        from_keras(small_model, input_range=input_range)


def test_labels_that_do_not_fit_are_refused(small_model):
    with pytest.raises(ArgumentError, match=r"3 labels.*\(None, 10\)"):
        from_keras(small_model, labels=["a", "b", "c"])


def relative_error(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.Conv2D(12, 3, groups=3, padding="same", activation="silu"),
        keras.layers.Conv2D(12, 3, groups=6, strides=2),
        keras.layers.Conv2D(6, (2, 5), groups=6, padding="same", activation="gelu"),
        keras.layers.DepthwiseConv2D(3, activation="swish"),
        keras.layers.SeparableConv2D(8, 3, activation="hard_swish"),
        keras.layers.Conv2DTranspose(5, 3, strides=2, activation="leaky_relu"),
        keras.layers.LayerNormalization(),
        keras.layers.Normalization(mean=np.linspace(0, 1, 6), variance=np.linspace(1, 2, 6)),
        keras.layers.Resizing(20, 20),
        keras.layers.MultiHeadAttention(2, 3),
    ],
    ids=lambda layer: f"{type(layer).__name__}",
)
def test_layers_of_many_kinds_have_the_models_own_value_and_gradient(layer):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((12, 12, 3))
    before = keras.layers.Conv2D(6, 1, activation="tanh")(inputs)
    after = layer(before, before) if isinstance(layer, keras.layers.MultiHeadAttention) else layer(before)
    model = keras.Model(inputs, after)
    network = from_keras(model)
    pictures = tf.constant(np.random.default_rng(0).random((2, 12, 12, 3), np.float32))
    results = []
    # The gradient of grouped convolutions exists on a CPU only where XLA compiles them.
    itself = tf.function(model, jit_compile=getattr(layer, "groups", 1) > 1)
    for function in (network.activations(layer.name), itself):
        with tf.GradientTape() as tape:
            tape.watch(pictures)
            activations = function(pictures)
            loss = tf.reduce_sum(tf.sin(activations))
        results.append((activations.numpy(), tape.gradient(loss, pictures).numpy()))
    assert relative_error(results[0][0], results[1][0]) < 1e-5
    assert relative_error(results[0][1], results[1][1]) < 1e-4


def test_a_model_that_normalises_over_the_batch_is_refused():
    class Normalised(keras.layers.Layer):
        def call(self, inputs):
            return inputs / (1e-6 + tf.reduce_max(tf.abs(inputs)))

    model = keras.Sequential([keras.Input((100,)), Normalised(), keras.layers.Dense(3)])
    with pytest.raises(ArgumentError, match="in a batch"):
        from_keras(model, sampling_rate=100)


def test_mixed_precision_is_refused():
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3, dtype="mixed_float16", name="half")])
    with pytest.raises(ArgumentError, match=r"half of .* computes in float16"):
        from_keras(model)


def test_what_is_no_model_is_refused():
    with pytest.raises(ArgumentError, match="Keras model"):
        from_keras("model")


@pytest.mark.parametrize("name", ["a/b", ".hidden"])
def test_a_name_that_would_be_a_path_is_refused(small_model, name):
    with pytest.raises(ArgumentError, match="a plain name was expected"):
        from_keras(small_model, name=name)


def test_activations_of_another_shape_are_refused(small_model):
    with pytest.raises(ArgumentError, match=r"\(2, 16, 16, 3\); \('batch', 32, 32, 3\) was expected"):
        from_keras(small_model).activations("block")(np.zeros((2, 16, 16, 3), np.float32))
