"""VGGish against TensorFlow 1: a checkpoint of the published format, in a session on a graph of tf_slim's layers."""

import gc
import shutil

import numpy as np
import pytest
import tensorflow as tf

import tfmetamers as tm
from tfmetamers.checkpoints.catalog import find_entry
from tfmetamers.checkpoints.verify import verify
from tfmetamers.errors import ArgumentError, CheckpointError
from tfmetamers.features import LogMel
from tfmetamers.networks import describe_network
from tfmetamers.networks.auditory import vggish
from tfmetamers.networks.families.vggish import FAMILY, VggishFamily
from tfmetamers.networks.graph.legacy_layers import import_tf_slim

v1 = tf.compat.v1

LAYERS = ["log_mel", "conv1", "conv2", "conv3_2", "conv4_2", "fc1_1", "fc1_2", "embedding"]
SAMPLES = 32_000


def published_graph(examples):
    """Return VGGish's layers on examples (examples, 96, 64), from the description of ``vggish_slim.py``."""
    slim = import_tf_slim()
    layers = {}
    with v1.variable_scope("vggish"):
        net = tf.reshape(examples, [-1, 96, 64, 1])
        layers["conv1"] = net = slim.conv2d(net, 64, [3, 3], scope="conv1")
        net = slim.max_pool2d(net, [2, 2], 2, padding="SAME")
        layers["conv2"] = net = slim.conv2d(net, 128, [3, 3], scope="conv2")
        net = slim.max_pool2d(net, [2, 2], 2, padding="SAME")
        layers["conv3_2"] = net = slim.repeat(net, 2, slim.conv2d, 256, [3, 3], scope="conv3")
        net = slim.max_pool2d(net, [2, 2], 2, padding="SAME")
        layers["conv4_2"] = net = slim.repeat(net, 2, slim.conv2d, 512, [3, 3], scope="conv4")
        net = slim.max_pool2d(net, [2, 2], 2, padding="SAME")
        layers["fc1_1"] = net = slim.fully_connected(tf.reshape(net, [-1, 12288]), 4096, scope="fc1/fc1_1")
        layers["fc1_2"] = net = slim.fully_connected(net, 4096, scope="fc1/fc1_2")
        linear = slim.fully_connected(net, 128, activation_fn=None, scope="fc2")
    return {**layers, "vggish": tf.nn.relu(linear), "vggish_2020": linear}


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Two sounds, their layers as a TensorFlow 1 session computes them, and the checkpoint, in one file."""
    folder = tmp_path_factory.mktemp("vggish")
    sounds = np.random.default_rng(0).normal(0.0, 0.1, (2, SAMPLES)).astype(np.float32)
    log_mel = LogMel(SAMPLES)(sounds).numpy()
    with tf.Graph().as_default(), v1.Session() as session:
        v1.set_random_seed(1)
        layers = published_graph(tf.constant(log_mel.reshape(4, 96, 64)))
        v1.train.create_global_step()
        session.run(v1.global_variables_initializer())
        for variable in v1.global_variables():
            if variable.op.name.endswith("biases"):
                variable.load(np.random.default_rng(2).normal(0.0, 0.1, variable.shape), session)
        saver = v1.train.Saver(write_version=v1.train.SaverDef.V1)
        path = saver.save(session, str(folder / "vggish_model.ckpt"), write_meta_graph=False)
        # Each example was a sound of its own; a network has those of a sound side by side.
        activations = {name: value.reshape(2, 2, *value.shape[1:]) for name, value in session.run(layers).items()}
    activations["log_mel"] = log_mel
    yield sounds, activations, path
    shutil.rmtree(folder)


@pytest.fixture
def memory_given_back():
    """Functions of large networks lie in cycles, which Python would collect when memory is long gone."""
    yield
    gc.collect()


def relative_error(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


@pytest.mark.usefixtures("memory_given_back")
@pytest.mark.parametrize("name", ["vggish", "vggish_2020"])
def test_layers_equal_those_of_tensorflow_1(name, original):
    sounds, expected, path = original
    network = tm.load_network(name, checkpoint=path)
    assert list(network.layers) == LAYERS
    assert network.provenance.file == "vggish_model.ckpt"
    found = [each.numpy() for each in network.activations_together(LAYERS)(sounds)]
    for layer, activations in zip(LAYERS, found, strict=True):
        reference = expected[name if layer == "embedding" else layer]
        assert activations.shape == reference.shape == (2, *network.layers[layer].shape), layer
        assert relative_error(activations, reference) < 1e-4, layer
    assert (found[-1].min() < 0) == (name == "vggish_2020")


@pytest.mark.usefixtures("memory_given_back")
def test_gradients_of_the_waveform_are_those_of_the_published_graph(original):
    """The embedding of 2017 is matched through its ReLU, whose gradient is 1; earlier ReLUs keep theirs."""
    sounds, expected, path = original
    network = tm.load_network("vggish", checkpoint=path)
    upstream = np.random.default_rng(3).normal(size=(1, 2, 128)).astype(np.float32)
    stimuli = tf.constant(sounds[:1])
    with tf.GradientTape() as tape:
        tape.watch(stimuli)
        value = tf.reduce_sum(network.activations("embedding")(stimuli) * upstream)
    found = tape.gradient(value, stimuli).numpy()
    weights = tf.train.load_checkpoint(path)
    with tf.Graph().as_default(), v1.Session() as session:
        log_mel = tf.constant(expected["log_mel"][0])
        linear = published_graph(log_mel)["vggish_2020"]
        [gradient] = tf.gradients(linear * upstream[0], log_mel)
        for variable in v1.global_variables():
            variable.load(weights.get_tensor(variable.op.name), session)
        downstream = session.run(gradient)
    front_end = network.front_end("exact")
    with tf.GradientTape() as tape:
        tape.watch(stimuli)
        value = tf.reduce_sum(front_end(stimuli) * downstream)
    # Rounding flips a few of the ReLUs and maxima in between.
    assert relative_error(found, tape.gradient(value, stimuli).numpy()) < 5e-3
    assert np.abs(found[0, :30_960]).max() > 0 and not found[0, 30_960:].any()


@pytest.mark.usefixtures("memory_given_back")
def test_a_checkpoint_of_the_published_format_verifies_but_for_the_probe(original):
    entry = find_entry("vggish")
    variables = vggish.trace("vggish", SAMPLES).specification
    rows = verify(original[2], variables, entry.known_extras, probe=FAMILY.probe(entry))
    assert [row.ok for row in rows] == [True] * 6 + [False]
    assert "vggish mean 0.131, deviation 0.238; vggish_2020 mean 0.000657, deviation 0.343" in rows[-1].expected


class TestWithoutWeights:
    """What the graph alone tells: none of these needs the 72 million weights."""

    def test_variables_are_those_of_the_published_checkpoint(self):
        variables = vggish.trace("vggish", SAMPLES).specification
        assert variables == vggish.trace("vggish_2020", SAMPLES).specification
        scopes = ["conv1", "conv2", "conv3/conv3_1", "conv3/conv3_2", "conv4/conv4_1", "conv4/conv4_2"]
        scopes += ["fc1/fc1_1", "fc1/fc1_2", "fc2"]
        assert set(variables) == {f"vggish/{scope}/{kind}" for scope in scopes for kind in ("weights", "biases")}
        assert variables["vggish/fc1/fc1_1/weights"] == ((12288, 4096), "float32")

    @pytest.mark.parametrize(("name", "relus"), [("vggish", 1), ("vggish_2020", 0)])
    def test_the_rule_finds_the_relu_of_each_layer(self, name, relus):
        network = describe_network(name)
        assert {layer.name: len(layer.path.relus) for layer in network.layers.values()} == {
            **dict.fromkeys(LAYERS[1:-1], 1),
            "log_mel": 0,
            "embedding": relus,
        }

    def test_tensors_whose_rows_are_examples_are_not_layers(self):
        network = describe_network("vggish")
        assert set(network.tensors) == {layer.tensor for layer in network.layers.values()}
        with pytest.raises(ArgumentError, match="vggish/conv1/Relu:0"):
            network.layer("tensor:vggish/conv1/Relu")

    @pytest.mark.parametrize(("duration", "examples"), [(0.975, 1), (3.0, 3)])
    def test_any_length_is_taken(self, duration, examples):
        network = describe_network("vggish", duration=duration)
        assert network.stimulus_shape == (round(duration * 16_000),)
        assert network.layer("embedding").shape == (examples, 128)

    def test_a_seed_stands_for_the_same_weights_at_every_length_and_in_both_versions(self, monkeypatch):
        monkeypatch.setattr(vggish, "DENSE_UNITS", 2)
        first = vggish.trace("vggish", 16_000, seed=3).random_weights()
        others = [vggish.trace("vggish_2020", 32_000, seed=seed).random_weights() for seed in (3, 4)]
        assert all(np.array_equal(first[name], others[0][name]) for name in first)
        assert not np.array_equal(first["vggish/conv1/weights"], others[1]["vggish/conv1/weights"])
        assert first["vggish/conv4/conv4_1/weights"].std() == pytest.approx(0.01 * 0.88, rel=0.01)
        assert not first["vggish/conv1/biases"].any()

    @pytest.mark.parametrize("name", vggish.VERSIONS)
    def test_the_published_tone_lasts_three_examples(self, name):
        tone = vggish.published_tone(name)
        assert tone.shape == (48_000,) and np.abs(tone).max() == pytest.approx(1.0, abs=0.01)
        assert np.abs(np.fft.rfft(tone)).argmax() == 3000

    def test_the_probe_is_right_about_the_published_numbers_only(self, monkeypatch):
        numbers = {"vggish": (0.14, 0.22), "vggish_2020": (0.00066, 0.35)}

        class Embedding:
            def __init__(self, mean, deviation):
                self.values = tf.constant([[[mean - deviation, mean + deviation]]])

            def activations(self, layer):
                return lambda sounds: self.values

        monkeypatch.setattr(VggishFamily, "with_weights", lambda self, spec, arrays: Embedding(*numbers[spec.name]))
        probe = FAMILY.probe(find_entry("vggish"))
        assert probe.answer({})[1] is True
        numbers["vggish_2020"] = (0.00066, 0.39)
        assert probe.answer({})[1] is False


class TestBadInput:
    def test_a_checkpoint_of_another_network(self, tmp_path):
        with tf.Graph().as_default(), v1.Session() as session:
            variables = [v1.get_variable(name, [3]) for name in ("h1", "b1", "lstm_fused_cell/kernel")]
            session.run(v1.global_variables_initializer())
            path = v1.train.Saver(variables).save(session, str(tmp_path / "model"))
        with pytest.raises(CheckpointError, match=r"deepspeech_0.4.1"):
            tm.load_network("vggish", checkpoint=path)

    def test_a_duration_that_no_sound_has(self):
        with pytest.raises(ArgumentError, match="duration"):
            describe_network("vggish", duration=float("nan"))

    def test_a_size(self):
        with pytest.raises(ArgumentError, match="size"):
            describe_network("vggish", size=224)
