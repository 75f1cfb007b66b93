"""Anybody's Keras model."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfmetamers.errors import ArgumentError, CheckpointError
from tfmetamers.networks import from_keras, load_keras


def test_labels_and_input_range_belong_to_the_model(small_model, pictures):
    labels = [f"class {index}" for index in range(10)]
    network = from_keras(small_model, labels=labels, input_range=(-1, 1))
    largest = small_model(pictures * 2.0 - 1.0).numpy().argmax(-1)
    assert [prediction.label for prediction in network.predict(pictures)] == [labels[index] for index in largest]


def test_without_labels_nothing_is_predicted(small_model, pictures):
    assert from_keras(small_model).predict(pictures) == [None] * 4


def test_layers_can_be_chosen_and_have_their_relu_rule(small_model):
    network = from_keras(small_model, layers=["block", "flat"])
    assert {name: layer.path.rule for name, layer in network.layers.items()} == {
        "block": "straight-through (2 ReLUs, 1 of them clipped at 6)",
        "flat": "straight-through (1 ReLU)",
    }
    with pytest.raises(ArgumentError, match="'blok'; the nearest are block"):
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


@pytest.mark.parametrize(
    ("shape", "size", "complaint"),
    [
        ((32, 32, 1), None, r"\(None, 32, 32, 1\); one of shape \(batch, height, width, 3\)"),
        ((100,), None, r"\(None, 100\)"),
        ((None, None, 3), None, "any size; say which"),
        ((32, 24, 3), None, "32 x 24; square"),
        ((32, 32, 3), 64, "32 pixels; a size of 64"),
    ],
)
def test_an_input_that_is_no_square_rgb_picture_is_refused(shape, size, complaint):
    model = keras.Sequential([keras.Input(shape), keras.layers.Activation("relu")])
    with pytest.raises(ArgumentError, match=complaint):
        from_keras(model, size=size)


def test_two_inputs_are_refused():
    inputs = [keras.Input((8, 8, 3)), keras.Input((8, 8, 3))]
    with pytest.raises(ArgumentError, match="2 inputs"):
        from_keras(keras.Model(inputs, keras.layers.Add()(inputs)))


@pytest.mark.parametrize("input_range", [(1, 0), (0, 0), (0, float("nan")), (0, float("inf")), ("a", 1), (1,)])
def test_an_impossible_input_range_is_refused(small_model, input_range):
    with pytest.raises(ArgumentError, match="input range"):
        from_keras(small_model, input_range=input_range)


def test_labels_that_do_not_fit_are_refused(small_model):
    with pytest.raises(ArgumentError, match=r"3 labels.*\(None, 10\)"):
        from_keras(small_model, labels=["a", "b", "c"])


def test_a_file_that_is_no_keras_model_is_refused(tmp_path):
    broken = tmp_path / "broken.keras"
    broken.write_text("not a model")
    for path, complaint in [
        (broken, "cannot be read as a Keras model"),
        (tmp_path / "none.keras", "There is no file"),
        (tmp_path, "There is no file"),
    ]:
        with pytest.raises(CheckpointError, match=complaint):
            load_keras(path)
    other = tmp_path / "model.h5"
    other.write_text("")
    with pytest.raises(CheckpointError, match=r"not named FILE\.keras"):
        load_keras(other)


def test_code_inside_a_file_is_not_executed(tmp_path):
    witness = tmp_path / "witness"
    path = str(witness)
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Lambda(lambda x: (open(path, "w").close(), x)[1])])
    model.save(tmp_path / "lambda.keras")
    witness.unlink(missing_ok=True)
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_keras(tmp_path / "lambda.keras")
    assert not witness.exists()


def test_a_cut_file_is_refused(small_model, tmp_path):
    small_model.save(tmp_path / "whole.keras")
    whole = (tmp_path / "whole.keras").read_bytes()
    (tmp_path / "half.keras").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_keras(tmp_path / "half.keras")


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


@pytest.mark.parametrize("name", ["EfficientNetB0", "MobileNetV2", "ConvNeXtTiny", "DenseNet121"])
def test_architectures_that_come_with_keras_can_be_inverted(name):
    keras.utils.set_random_seed(0)
    model = getattr(keras.applications, name)(weights=None, input_shape=(64, 64, 3), classes=10)
    network = from_keras(model, input_range=(0, 255), labels=list("abcdefghij"))
    picture = tf.constant(np.random.default_rng(0).random((1, 64, 64, 3), np.float32))
    layer = list(network.layers)[-1]
    with tf.GradientTape() as tape:
        tape.watch(picture)
        activations = network.activations(layer)(picture)
        first = activations[:, 0]
    assert relative_error(activations, model(picture * 255.0)) < 1e-4
    assert np.any(tape.gradient(first, picture))


def test_mixed_precision_is_refused():
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3, dtype="mixed_float16", name="half")])
    with pytest.raises(ArgumentError, match=r"half of .* computes in float16"):
        from_keras(model)


def test_what_is_no_model_is_refused():
    with pytest.raises(ArgumentError, match=r"a keras\.Model was expected"):
        from_keras("model")


@pytest.mark.parametrize("name", ["../../elsewhere", "a/b", "..", ".hidden"])
def test_a_name_that_would_be_a_path_is_refused(small_model, name):
    with pytest.raises(ArgumentError, match="a plain name was expected"):
        from_keras(small_model, name=name)


def test_activations_of_another_shape_are_refused(small_model):
    with pytest.raises(ArgumentError, match=r"\(2, 16, 16, 3\); \('batch', 32, 32, 3\) was expected"):
        from_keras(small_model).activations("block")(np.zeros((2, 16, 16, 3), np.float32))
