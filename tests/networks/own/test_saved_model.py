"""SavedModels of Keras, of modules and of TensorFlow 1, against the models that were saved."""

import hashlib
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tfmetamers.errors import ArgumentError, CheckpointError
from tfmetamers.networks import from_saved_model
from tfmetamers.stimuli.domains import Arrays, Images, Sounds

v1 = tf.compat.v1

#: Endings of the two files that hold a SavedModel's variables.
PARTS = ("index", "data-00000-of-00001")


def forked(library):
    """A model of two outputs whose names are not in the order of the alphabet."""
    inputs = library.Input((12, 10, 3))
    layers = library.layers
    convolved = layers.Conv2D(4, 3, activation="relu", name="convolved")(inputs)
    normalized = layers.BatchNormalization(name="normalized")(convolved)
    separable = layers.SeparableConv2D(5, 3, activation="relu", name="separable")(normalized)
    flat = layers.Dense(6, activation="silu", name="gated")(layers.Flatten(name="flat")(separable))
    outputs = {name: layers.Dense(units, name=name)(flat) for name, units in (("words", 3), ("speakers", 2))}
    return library.Model(inputs, outputs, name="forked")


@pytest.fixture(scope="module", params=["keras 3", "keras 2"])
def exported(request, tmp_path_factory):
    """A Keras model, and the folder that it was saved in."""
    folder = tmp_path_factory.mktemp("exported") / "mine"
    if request.param == "keras 3":
        keras.utils.set_random_seed(0)
        model = forked(keras)
        model.export(folder, verbose=False)
    else:
        model = forked(tf_keras)
        model.save(folder)
    return model, folder


@pytest.fixture
def pictures():
    return np.random.default_rng(0).random((3, 12, 10, 3), np.float32)


def find(network, name: str) -> str:
    """Return the layer whose name has a part: Keras numbers what it exports."""
    return next(layer for layer in network.layers if name in layer and layer.endswith("Relu"))


def test_layers_and_outputs_are_those_of_the_model(exported, pictures):
    model, folder = exported
    network = from_saved_model(folder, labels=["a", "b", "c"], logits="words")
    assert (network.name, network.domain) == ("mine", Images(12, 10))
    expected = model(pictures)
    for name in ("words", "speakers"):
        np.testing.assert_allclose(network.activations(name)(pictures), expected[name], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(network.logits(pictures), expected["words"], rtol=1e-4, atol=1e-5)
    library = keras if isinstance(model, keras.Model) else tf_keras
    separable = library.Model(model.inputs, model.get_layer("separable").output)(pictures)
    layer = find(network, "separable")
    np.testing.assert_allclose(network.activations(layer)(pictures), separable, rtol=1e-4, atol=1e-5)
    assert network.layers[layer].path.rule == "straight-through (1 ReLU)"
    assert not any("PartitionedCall" in name for name in network.layers)
    tensor = network.layers[layer].tensor
    assert network.layer(f"tensor:{tensor}").shape == network.layers[layer].shape


def test_gradients_are_those_of_the_model(exported, pictures):
    model, folder = exported
    network = from_saved_model(folder)
    gradients = []
    for function in (network.activations("words"), lambda stimuli: model(stimuli)["words"]):
        stimuli = tf.constant(pictures)
        with tf.GradientTape() as tape:
            tape.watch(stimuli)
            loss = tf.reduce_sum(tf.sin(function(stimuli)))
        gradients.append(tape.gradient(loss, stimuli).numpy())
    np.testing.assert_allclose(*gradients, rtol=1e-3, atol=1e-5)


def test_the_digest_is_of_all_files_in_order(exported):
    _, folder = exported
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(file.read_bytes())
    assert from_saved_model(folder).provenance.digest == digest.hexdigest()


class Module(tf.Module):
    """Functions with variables, one of which calls another."""

    def __init__(self):
        super().__init__()
        self.weights = tf.Variable(np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32))

    @tf.function
    def inner(self, values):
        return tf.nn.relu(values @ self.weights, name="hidden")

    @tf.function(input_signature=[tf.TensorSpec([None, 6])])
    def one(self, values):
        return {"answer": self.inner(values) * 2.0}

    @tf.function(input_signature=[tf.TensorSpec([None, 6], name="left"), tf.TensorSpec([None, 4], name="right")])
    def two(self, left, right):
        return {"alone": self.inner(left), "both": self.inner(left) + right}

    @tf.function(input_signature=[tf.TensorSpec([None, 6])])
    def loop(self, values):
        before = tf.tanh(values, name="before")
        return {"after": tf.while_loop(lambda n, _: n < 3, lambda n, x: (n + 1, tf.sin(x)), (0, before))[1]}

    @tf.function(input_signature=[tf.TensorSpec([None, None, 1])])
    def wave(self, values):
        return tf.tanh(values)


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    folder = tmp_path_factory.mktemp("module") / "functions"
    saved = Module()
    signatures = {name: getattr(saved, name) for name in ("one", "two", "loop", "wave")}
    tf.saved_model.save(saved, str(folder), signatures=signatures)
    return saved, folder


def test_a_function_of_a_module_is_chosen_by_its_signature(module):
    saved, folder = module
    values = np.random.default_rng(0).normal(size=(3, 6)).astype(np.float32)
    network = from_saved_model(folder, signature="one")
    assert (network.domain, list(network.layers)) == (Arrays((6,)), ["hidden", "answer"])
    np.testing.assert_allclose(network.activations("answer")(values), saved.one(values)["answer"], rtol=1e-6)
    assert from_saved_model(folder, signature="wave", sampling_rate=100, duration=0.5).domain == Sounds(100, 50)


def test_of_several_inputs_one_can_be_the_stimulus(module):
    folder = module[1]
    with pytest.raises(ArgumentError, match=r"2 inputs \(left, right\)"):
        from_saved_model(folder, signature="two")
    network = from_saved_model(folder, signature="two", input="left")
    assert "alone" in network.layers and "both" not in network.layers
    with pytest.raises(ArgumentError, match=r"both .* right \(Placeholder\)"):
        from_saved_model(folder, signature="two", input="left", layers=["both"])


def test_a_model_of_tensorflow_1(tmp_path):
    generator = np.random.default_rng(0)
    values = generator.normal(size=(3, 6)).astype(np.float32)
    with tf.Graph().as_default(), v1.Session() as session:
        given = v1.placeholder(tf.float32, [None, 6], "given")
        kept = v1.placeholder_with_default(1.0, [], "kept")
        weights = v1.get_variable("weights", initializer=generator.normal(size=(6, 4)).astype(np.float32))
        answer = tf.nn.softmax(tf.nn.relu(given @ weights, name="hidden") * kept, name="answer")
        session.run(v1.global_variables_initializer())
        expected = session.run([answer, "hidden:0"], {given: values})
        v1.saved_model.simple_save(session, str(tmp_path / "old"), {"given": given}, {"answer": answer})
    network = from_saved_model(tmp_path / "old", labels=list("abcd"))
    np.testing.assert_allclose(network.logits(values), expected[0], rtol=1e-5)
    np.testing.assert_allclose(network.activations("hidden")(values), expected[1], rtol=1e-5)


def test_what_is_behind_a_loop_is_left_out(module):
    network = from_saved_model(module[1], signature="loop")
    assert list(network.layers) == ["before"]
    with pytest.raises(ArgumentError, match=r"after .*While.*unroll=True"):
        from_saved_model(module[1], signature="loop", labels=list("abcdef"))


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({}, "'serving_default'"),
        ({"signature": "on"}, "'on'.*one"),
        ({"signature": "one", "layers": ["hiden"]}, "'hiden'.*hidden"),
        ({"signature": "one", "input": "elsewhere"}, "'elsewhere'"),
        ({"signature": "one", "labels": list("abc")}, r"3 labels.*\(None, 4\)"),
        ({"signature": "wave"}, "size="),
    ],
)
def test_names_and_labels_that_do_not_fit_are_refused(module, options, fault):
    with pytest.raises(ArgumentError, match=fault):
        from_saved_model(module[1], **options)


def test_a_folder_that_is_not_a_saved_model_is_refused(module, tmp_path):
    (tmp_path / "empty").mkdir()
    for folder in ("empty", "missing"):
        with pytest.raises(CheckpointError, match=folder):
            from_saved_model(tmp_path / folder)


@pytest.mark.parametrize(
    "name", ["saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"]
)
def test_a_damaged_file_is_one_sentence(module, tmp_path, name):
    folder = tmp_path / "damaged"
    shutil.copytree(module[1], folder)
    file = folder / name
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(CheckpointError, match="damaged") as caught:
        from_saved_model(folder, signature="one")
    assert "\n" not in str(caught.value)


def test_an_operation_that_writes_files_is_refused_before_anything_runs(tmp_path):
    class Writer(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, 2])])
        def write(self, values):
            tf.io.write_file(str(tmp_path / "witness"), "written")
            return values * 2.0

    saved = Writer()
    tf.saved_model.save(saved, str(tmp_path / "writer"), signatures={"serving_default": saved.write})
    with pytest.raises(CheckpointError, match="WriteFile"):
        from_saved_model(tmp_path / "writer")
    assert not (tmp_path / "witness").exists()


def test_a_model_without_a_signature_is_refused(tmp_path):
    tf.saved_model.save(tf.Module(), str(tmp_path / "bare"))
    with pytest.raises(CheckpointError, match="bare has no signature"):
        from_saved_model(tmp_path / "bare")
