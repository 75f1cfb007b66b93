"""Networks written as the release's files: read again here, and built from as the released scripts do."""

import pickle
import sys
import types

import numpy as np
import pytest
import tensorflow as tf

from tests.networks.auditory.test_architecture import functions_of_tensorflow_1
from tests.networks.auditory.test_release import tiny_reduced_aliasing
from tfmetamers.errors import CheckpointError
from tfmetamers.networks import load_network
from tfmetamers.networks.auditory.architecture import as_json, trace, write_architecture
from tfmetamers.networks.auditory.release import find_release, read_release_architecture
from tfmetamers.networks.auditory.release_export import FUNCTIONS, write_release
from tfmetamers.networks.auditory.trained_folder import read_trained
from tfmetamers.stimuli.sounds import pink_noise
from tfmetamers.training.card import CARD_FILE
from tfmetamers.training.epochs import save_variables
from tfmetamers.training.trainer import TrainableNetwork


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a network of both tasks, with random weights."""
    import dataclasses
    import json

    folder = tmp_path_factory.mktemp("trained") / "tiny"
    tasks = {"/stimuli/word_int": 5, "/stimuli/labels_binary_via_int": 3}
    described = dataclasses.replace(tiny_reduced_aliasing(), name="tiny", tasks=tasks)
    folder.mkdir()
    write_architecture(described, folder / "architecture.json")
    labels = {task: [f"{task} {number}" for number in range(classes)] for task, classes in tasks.items()}
    (folder / "labels.json").write_text(json.dumps(labels))
    (folder / CARD_FILE).write_text(json.dumps({"checkpoint": "network.ckpt"}))
    save_variables(TrainableNetwork(described, trace(described, 3).random_weights()), folder / "network.ckpt")
    return folder


def test_what_is_written_is_read_again_as_a_release(trained, tmp_path):
    names = write_release(trained, tmp_path / "release")
    assert sorted(names) == sorted(path.name for path in (tmp_path / "release").iterdir())
    (files,) = find_release(tmp_path / "release")
    expected = read_trained(trained)
    found = read_release_architecture(files.architecture, "tiny")
    for key in ("tasks", "layers"):
        assert as_json(found)[key] == as_json(expected.architecture)[key]
    network, before = load_network(f"release:{tmp_path / 'release'}"), load_network(str(trained))
    assert network.labels == before.labels == expected.class_labels
    sounds = pink_noise(40000, np.random.default_rng(0), 0.1)[None]
    assert np.array_equal(network.logits(sounds), before.logits(sounds))


@pytest.mark.filterwarnings("ignore")
def test_the_released_scripts_way_of_building_gives_the_same_network(trained, tmp_path, monkeypatch):
    """Load the pickle by Python itself, with TensorFlow 1's functions where TensorFlow 1.13 had them."""
    v1 = tf.compat.v1
    write_release(trained, tmp_path)
    tasks = read_trained(trained).architecture.tasks
    functions = functions_of_tensorflow_1(tasks)
    for home in {home for home, _ in FUNCTIONS.values()}:
        monkeypatch.setitem(sys.modules, home, types.ModuleType(home))
    for layer_type, (home, name) in FUNCTIONS.items():

        def function(inputs, *, layer_type=layer_type, n_classes_dict=None, training=False, **arguments):
            assert n_classes_dict in (None, tasks)
            return functions[layer_type](inputs, **arguments)

        setattr(sys.modules[home], name, function)
    with (tmp_path / "word_network_tiny.pckl").open("rb") as stream:
        content = pickle.load(stream)
    heard = np.random.default_rng(1).random((2, 211, 400, 1), np.float32)
    with tf.Graph().as_default(), v1.Session() as session:
        latest = tf.constant(heard)
        with v1.variable_scope("brain_network"):
            for call, described in zip(content["layer_list"], content["graph_architecture"], strict=True):
                assert call.keywords["name"] == described["args"]["name"]
                latest = call(latest)
        v1.train.Saver().restore(session, str(tmp_path / "word_tiny.ckpt"))
        expected = session.run(latest)
    expected = expected["/stimuli/word_int"]
    network = load_network(str(trained))
    weights = {name: tf.constant(value) for name, value in _values(trained).items()}
    from tfmetamers.networks.graph.frozen import FrozenFunction

    traced = trace(read_trained(trained).architecture)
    found = FrozenFunction(traced.stimulus, traced.logits, weights)(heard).numpy()
    assert np.linalg.norm(found - expected) < 1e-4 * np.linalg.norm(expected)
    with (tmp_path / "metamer_word_encodings.pckl").open("rb") as stream:
        assert list(pickle.load(stream)["word_idx_to_word"].values()) == network.labels


def _values(folder):
    reader = tf.train.load_checkpoint(str(folder / "network.ckpt"))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def test_a_folder_that_is_not_a_network_s_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match=r"card\.json"):
        write_release(tmp_path, tmp_path / "release")
