"""The release's files: pickles as the authors' code makes them, damaged ones, and harmful ones."""

import collections
import dataclasses
import functools
import json
import os
import pathlib
import pickle
import shutil
import sys
import time
import tracemalloc
import types

import numpy as np
import pytest
import tensorflow as tf

from tests.golden import GOLDEN
from tests.networks.auditory.test_architecture import (
    EVERYTHING,
    RECTIFIED,
    REDUCED_ALIASING,
    SOUNDS,
    WORDS,
    assert_equals_tensorflow_1,
    cochleagrams,
    relative_error,
    run_in_tensorflow_1,
)
from tfmetamers.checkpoints.reader import CheckpointFile, read_variables
from tfmetamers.cochlea.cochleagram import build_front_end
from tfmetamers.cochlea.settings import FRONT_ENDS, CochleagramSettings
from tfmetamers.errors import CheckpointError, TfmetamersError
from tfmetamers.networks import NetworkSpec, load_network
from tfmetamers.networks.auditory.architecture import Architecture, LayerSpecification, trace
from tfmetamers.networks.auditory.release import (
    ReleaseFiles,
    class_counts,
    find_release,
    network_name,
    read_release_architecture,
    read_word_labels,
)
from tfmetamers.networks.auditory.word_cnn import find_architecture
from tfmetamers.networks.graph.frozen import FrozenFunction
from tfmetamers.networks.graph.relu import producing_path
from tfmetamers.stimuli.sounds import pink_noise

#: Where TensorFlow 1 and the release keep the functions that a pickle of the release names.
HOMES = {
    "tf.layers.conv2d": "tensorflow.python.layers.convolutional",
    "tf.layers.batch_normalization": "tensorflow.python.layers.normalization",
    "tf.layers.max_pooling2d": "tensorflow.python.layers.pooling",
    "tf.layers.average_pooling2d": "tensorflow.python.layers.pooling",
    "tf.layers.flatten": "tensorflow.python.layers.core",
    "tf.layers.dense": "tensorflow.python.layers.core",
    "tf.layers.dropout": "tensorflow.python.layers.core",
    "tf.nn.relu": "tensorflow.python.ops.gen_nn_ops",
    "tf.nn.relu6": "tensorflow.python.ops.gen_nn_ops",
    "tf.nn.leaky_relu": "tensorflow.python.ops.nn_ops",
    "tf.nn.avg_pool": "tensorflow.python.ops.nn_ops",
    "tf.pad": "tensorflow.python.ops.array_ops",
    "tf.slice": "tensorflow.python.ops.array_ops",
    "tf.transpose": "tensorflow.python.ops.array_ops",
    "hpool": "audio_cnn_helpers",
    "fc_top_classification": "audio_cnn_helpers",
    "multi_fc_top_classification": "audio_cnn_helpers",
}


def release_pickle(described, monkeypatch, protocol=2):
    """Return a pickle of a network as ``make_brain_net`` of the authors' code writes it."""
    modules = {home: types.ModuleType(home) for home in HOMES.values()}
    functions = {}
    for layer_type, home in HOMES.items():
        name = {"hpool": "hanning_pooling"}.get(layer_type, layer_type.split(".")[-1])
        function = functions[layer_type] = types.FunctionType((lambda: None).__code__, {}, name)
        function.__module__, function.__qualname__ = home, name
        setattr(modules[home], name, function)
    classes = {"n_classes_dict": dict(described.tasks)}
    layer_list = [
        functools.partial(functions[each.layer_type], **(classes if "top" in each.layer_type else {}), **each.args)
        for each in described.layers
    ]
    listed = [{"layer_type": each.layer_type, "args": dict(each.args)} for each in described.layers]
    content = {"instructions": "loop", "layer_list": layer_list, "graph_architecture": listed}
    with monkeypatch.context() as patch:
        for home, module in modules.items():
            patch.setitem(sys.modules, home, module)
        return pickle.dumps(content, protocol)


def read_small(file):
    return read_release_architecture(file, "small")


@pytest.fixture
def read(tmp_path):
    """From a pickle's bytes to what is read of it."""

    def read_bytes(content, reader=read_small):
        file = tmp_path / "pickle.pckl"
        file.write_bytes(content)
        return reader(file)

    return read_bytes


@pytest.fixture
def golden():
    return GOLDEN / "word_network_release_format"


def test_golden_network_has_the_activations_that_tensorflow_1_computed(golden):
    (files,) = find_release(golden)
    prefix = golden / "word_network_aliased.ckpt"
    assert files == ReleaseFiles("word_aliased", golden / "word_network_aliased.pckl", prefix, None)
    checkpoint = CheckpointFile(files.checkpoint)
    described = class_counts(read_release_architecture(files.architecture, files.name), checkpoint.variables)
    assert described.tasks == {WORDS: 794}
    traced = trace(described)
    weights = {name: tf.constant(value) for name, value in read_variables(checkpoint, traced.specification).items()}
    cochleagram = np.load(GOLDEN / "cochleagram_human.npz")["cochleagram"]
    with np.load(golden / "word_network_aliased_activations.npz") as arrays:
        expected = {name.partition(":")[0]: array for name, array in arrays.items()}
    assert set(expected) == {each.name for each in described.layers}
    named = {**traced.layers, **traced.further_layers}

    def assert_equal(tensor, wanted):
        found = FrozenFunction(traced.stimulus, tensor, weights)(cochleagram).numpy()
        assert relative_error(found.ravel()[::97] if found.size >= 40_000 else found, wanted) < 1e-4, tensor.name

    for name, array in expected.items():
        if name.startswith("conv") or name == "fc_intermediate":
            # In the release, the name of a layer with weights is that of its output before the ReLU.
            assert_equal(traced.stimulus.graph.get_tensor_by_name(f"brain_network/{name}/BiasAdd:0"), array)
            array = np.maximum(array, 0)
        assert_equal(named[name], array)


def test_golden_network_has_a_relu_for_each_layer_with_weights(golden):
    traced = trace(read_release_architecture(golden / "word_network_aliased.pckl", "word_aliased"))
    relus = {name: producing_path(tensor).relus for name, tensor in traced.layers.items()}
    for name in ("conv_0", "conv_1", "conv_2", "conv_3", "conv_4", "fc_intermediate"):
        assert relus.pop(name) == (f"brain_network/relu_{name.removeprefix('conv_')}",)
    assert relus == {"cochleagram": (), "logits": ()}


def test_labels_of_the_release_are_read_from_its_pickle_and_from_json():
    folder = GOLDEN / "paper_stimuli"
    listed = json.loads((folder / "word_labels.json").read_text())
    assert read_word_labels(folder / "metamer_word_encodings.pckl") == listed
    assert read_word_labels(folder / "word_labels.json") == listed


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_every_protocol_give_the_architecture_that_they_were_made_from(protocol, monkeypatch, read):
    for described in (EVERYTHING, REDUCED_ALIASING):
        found = read(release_pickle(described, monkeypatch, protocol))
        assert found == Architecture("small", described.layers, described.tasks)


@pytest.mark.filterwarnings("ignore")
def test_a_release_with_two_tasks_has_the_activations_of_tensorflow_1(tmp_path, monkeypatch):
    checkpoint = tmp_path / "word_reduced_aliasing.ckpt"
    expected, weights = run_in_tensorflow_1(REDUCED_ALIASING, cochleagrams(), checkpoint)
    content = release_pickle(REDUCED_ALIASING, monkeypatch)
    assert b"brain" not in content and SOUNDS.encode() in content
    (tmp_path / "word_network_reduced_aliasing.pckl").write_bytes(content)
    (files,) = find_release(tmp_path)
    assert files.name == "word_reduced_aliasing"
    described = read_release_architecture(files.architecture, files.name)
    described = dataclasses.replace(described, tasks={WORDS: 1, SOUNDS: 1}, cochleagram=REDUCED_ALIASING.cochleagram)
    described = class_counts(described, CheckpointFile(files.checkpoint).variables)
    assert described.tasks == {WORDS: 11, SOUNDS: 5}
    traced = trace(described)
    values = read_variables(CheckpointFile(files.checkpoint), traced.specification)
    assert set(values) == set(weights)
    assert_equals_tensorflow_1(traced, described, expected, values)


def tiny_reduced_aliasing():
    """The layers of the network with reduced aliasing on the released cochleagram, with few filters, and two tasks."""
    whole = find_architecture("word_reduced_aliasing")
    few = {"filters": 3, "units": 8}
    layers = [
        dataclasses.replace(each, args=each.args | {key: few[key] for key in few if key in each.args})
        for each in whole.layers[:-1]
    ]
    top = dataclasses.replace(whole.layers[-1], layer_type="multi_fc_top_classification")
    return dataclasses.replace(whole, layers=(*layers, top), tasks={WORDS: 794, SOUNDS: 17})


def write_trained_checkpoint(prefix, weights):
    """Write a V2 checkpoint as training leaves it: with the slots of Adam."""
    v1 = tf.compat.v1
    slots = {f"{name}/{slot}": np.full_like(value, 7) for name, value in weights.items() for slot in ("Adam", "Adam_1")}
    further = {"global_step": np.int64(3), "beta1_power": np.float32(0.9), "beta2_power": np.float32(0.999)}
    with tf.Graph().as_default(), v1.Session() as session:
        saved = {name: v1.Variable(value) for name, value in (weights | slots | further).items()}
        session.run(v1.global_variables_initializer())
        v1.train.Saver(saved, write_version=v1.train.SaverDef.V2).save(session, str(prefix), write_meta_graph=False)


@pytest.mark.filterwarnings("ignore")
def test_a_folder_of_a_release_gives_a_network_that_answers_as_tensorflow_1(tmp_path, monkeypatch):
    described = tiny_reduced_aliasing()
    labels = [f"label {number}" for number in range(794)]
    sounds = np.stack([pink_noise(40000, np.random.default_rng(seed), 0.1) for seed in (1, 2)])
    (tmp_path / "word_network_reduced_aliasing.pckl").write_bytes(release_pickle(described, monkeypatch))
    (tmp_path / "metamer_word_encodings.pckl").write_bytes(pickle.dumps({"word_idx_to_word": dict(enumerate(labels))}))
    front_end = build_front_end(FRONT_ENDS[0], CochleagramSettings())
    heard = front_end(tf.constant(sounds)).numpy()
    assert heard.shape == (2, 211, 400, 1)
    expected, weights = run_in_tensorflow_1(described, heard)
    write_trained_checkpoint(tmp_path / "word_reduced_aliasing.ckpt", weights)

    network = load_network(f"release:{tmp_path}")
    assert (network.name, network.labels) == ("word_reduced_aliasing", labels)
    assert list(network.layers) == [
        *("cochleagram", "pool_0_0", "pool_1_0", "conv_2", "conv_3", "conv_4", "fc_intermediate", "logits")
    ]
    outputs = {layer: value for layer, value in expected.items() if layer != "fc_top"}
    outputs |= {layer: expected[relu] for layer, relu in RECTIFIED.items() if layer in expected}
    outputs |= {f"fc_top:{task}": expected["fc_top"][task] for task in (WORDS, SOUNDS)}
    logits = outputs["logits"] = outputs["fc_top"] = expected["fc_top"][WORDS]
    outputs["cochleagram"] = heard
    assert set(outputs) == {*network.layers, *network.further_layers}
    found = network.activations_together(list(outputs))(tf.constant(sounds))
    for layer, value in zip(outputs, found, strict=True):
        assert value.shape == outputs[layer].shape, layer
        assert relative_error(value.numpy(), outputs[layer]) < 1e-4, layer
    assert [answer.index for answer in network.predict(sounds)] == logits.argmax(axis=1).tolist()
    assert [answer.label for answer in network.predict(sounds)] == [f"label {index}" for index in logits.argmax(axis=1)]


def test_where_the_pickle_does_not_say_the_tasks_there_is_one_the_words(read):
    layers = [{"layer_type": "fc_top_classification", "args": {"name": "fc_top"}}]
    for layer_list in ([], None, [functools.partial(dict)] * 0):
        found = read(pickle.dumps({"graph_architecture": layers, "layer_list": layer_list}))
        assert found.tasks == {WORDS: 794}
        assert class_counts(found, {"brain_network/fc_top/kernel": ((48, 20), "float32")}).tasks == {WORDS: 20}


def test_numbers_may_be_numpys_and_dicts_ordered(read, monkeypatch):
    tasks = collections.OrderedDict({WORDS: np.int64(300), SOUNDS: np.dtype(">u2").type(5)})
    content = release_pickle(dataclasses.replace(REDUCED_ALIASING), monkeypatch)
    assert read(content).tasks == {WORDS: 11, SOUNDS: 5}
    listed = [{"layer_type": "tf.layers.dense", "args": {"name": "fc", "units": np.int32(-7), "use_bias": True}}]
    found = read(pickle.dumps({"graph_architecture": listed, "layer_list": [tasks]}, 4))
    assert found.layers[0].args["units"] == -7


def test_a_network_without_a_top_layer_keeps_its_tasks():
    described = Architecture("small", EVERYTHING.layers[:4], {WORDS: 3})
    assert class_counts(described, {}) == described


@pytest.mark.parametrize(
    ("described", "variables"),
    [
        (EVERYTHING, {}),
        (EVERYTHING, {"brain_network/fc_top/kernel": ((), "float32")}),
        (REDUCED_ALIASING, {f"brain_network/fc_top_{n}/kernel": ((9, 11), "float32") for n in range(3)}),
    ],
)
def test_a_checkpoint_with_another_top_layer_is_refused(described, variables):
    with pytest.raises(CheckpointError, match=f"top layer of {described.name}.*brain_network/fc_top"):
        class_counts(described, variables)


def test_the_variables_of_another_layer_are_not_taken_for_those_of_the_top_layer():
    layers = [LayerSpecification("tf.layers.dense", {"name": "fc_top_0", "units": 9}), EVERYTHING.layers[-1]]
    variables = {
        f"brain_network/{name}/kernel": ((9, size), "float32") for name, size in (("fc_top_0", 9), ("fc_top", 4))
    }
    assert class_counts(Architecture("small", layers, {WORDS: 3}), variables).tasks == {WORDS: 4}


def make_release(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()


def test_both_networks_and_the_labels_are_found_in_folders_within(tmp_path):
    make_release(tmp_path / "a", "word_network_aliased.pckl", "word_aliased_null_dist_spearman_r.pckl")
    make_release(tmp_path / "b", "word_aliased.ckpt.index", "word_aliased.ckpt.data-00000-of-00001", "word_labels.json")
    make_release(tmp_path / "b", "word_network_reduced_aliasing.pckl", "word_reduced_aliasing.ckpt")
    make_release(tmp_path / "c", "word_reduced_aliasing.ckpt", "word_network_other.pckl")
    a, b = tmp_path / "a", tmp_path / "b"
    labels = b / "word_labels.json"
    reduced = ("word_network_reduced_aliasing.pckl", "word_reduced_aliasing.ckpt")
    assert find_release(tmp_path) == [
        ReleaseFiles("word_aliased", a / "word_network_aliased.pckl", b / "word_aliased.ckpt", labels),
        ReleaseFiles("word_reduced_aliasing", b / reduced[0], b / reduced[1], labels),
    ]
    make_release(a, "metamer_word_encodings.pckl")
    assert find_release(tmp_path)[0].labels == a / "metamer_word_encodings.pckl"


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("there/word_network_reduced_aliasing.pckl", "word_reduced_aliasing"),
        ("my_word_network_a.pckl", "my_word_network_a"),
    ],
)
def test_a_network_is_called_as_its_pickle_is(file, name):
    assert network_name(file) == network_name(pathlib.Path(file)) == name


def test_a_folder_without_a_release_or_with_two_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match=str(tmp_path)):
        find_release(tmp_path)
    make_release(tmp_path / "a", "word_network_aliased.pckl", "word_aliased.ckpt", "word_network_aliased.ckpt.index")
    with pytest.raises(CheckpointError, match="checkpoints of word_aliased"):
        find_release(tmp_path)
    make_release(tmp_path / "b", "word_network_aliased.pckl")
    with pytest.raises(CheckpointError, match="architectures of word_aliased"):
        find_release(tmp_path)


class Harmful:
    """What calls a function when it is loaded in the usual way."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def harmful_calls(victim):
    text = f"open({str(victim)!r}, 'w')"
    return {
        "posix.system": Harmful(os.system, f"touch {victim}"),
        "builtins.exec": Harmful(exec, text),
        "io.open": Harmful(open, str(victim), "w"),
        "numpy.load": Harmful(np.load, str(victim)),
    }


@pytest.mark.parametrize("protocol", [0, 4])
@pytest.mark.parametrize("name", harmful_calls(pathlib.Path("victim")))
def test_a_pickle_that_names_another_function_is_refused_and_nothing_is_executed(name, protocol, tmp_path, read):
    victim = tmp_path / "victim"
    harmful = harmful_calls(victim)[name]
    function = name.rpartition(".")[-1]
    for reader, content in (
        (read_small, {"graph_architecture": [], "layer_list": [harmful]}),
        (read_small, {"graph_architecture": [harmful]}),
        (read_word_labels, {"word_idx_to_word": {0: harmful}}),
    ):
        with pytest.raises(CheckpointError, match=rf"\.{function}'"):
            read(pickle.dumps(content, protocol), reader)
    assert not victim.exists()


def test_the_harmful_pickles_of_these_tests_would_do_harm(tmp_path):
    for name in ("posix.system", "builtins.exec", "io.open"):
        pickle.loads(pickle.dumps(harmful_calls(tmp_path / name)[name]))
        assert (tmp_path / name).exists()


def global_(name):
    return b"c" + name.replace(" ", "\n").encode() + b"\n"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"\x80\x04Nq\x00Q.", "BINPERSID"),
        (b"\x80\x02\x82\x01.", "EXT1"),
        (b"\x80\x04\x8c\x09functools\x8c\x0bpartial.new\x93.", "functools.partial.new"),
        (global_("tensorflow.python os.system"), "tensorflow.python.os.system"),
        (b"<html>", "bytes"),
        (b' {"name": "mine"}', "JSON"),
        (pickle.dumps({"graph_architecture": [3]}), "graph_architecture"),
        (pickle.dumps({"graph_architecture": [{}]}), "layer_type None"),
        (bytes(2**22 + 1), "4,194,304"),
        # A state for a function, a dict whose key is a list, a call of a dict.
        (global_("functools partial") + b"}b.", "state"),
        (b"}]Ns.", "keys"),
        (b"})R.", "function"),
        # Ten billion bytes, and a place in the memo far away.
        (b"\x80\x05\x96" + (10**10).to_bytes(8, "little") + b"abc.", "bytes"),
        (b"\x80\x02]r\xff\xff\xff\xff.", "graph_architecture"),
    ],
    ids=range(14),
)
def test_a_damaged_or_harmful_pickle_is_refused(content, fault, read):
    tracemalloc.start()
    with pytest.raises(CheckpointError, match=fault):
        read(content)
    assert tracemalloc.get_traced_memory()[1] < 3e7
    tracemalloc.stop()


PARTIAL = global_("functools partial") + b"q\x000"


def nested(count):
    """Pickles of as many values in each other."""
    return {
        "tuples": b")" + b"\x85" * count + b".",
        "states": PARTIAL + b"h\x00)R(NN}K\x00" * (count // 8) + b"N" + b"sNtb" * (count // 8) + b".",
        # As a key of a dict, which would have to be hashed, level by level.
        "key": b"})" + b"\x85" * count + b"Ns.",
    }


@pytest.mark.parametrize("kind", nested(8))
def test_deeply_nested_values_are_refused(kind, read):
    with pytest.raises(CheckpointError, match=r"graph_architecture|keys"):
        read(nested(90_000)[kind])


@pytest.mark.parametrize("place", ["args", "task", "label"])
def test_a_few_bytes_that_stand_for_billions_of_values_are_refused_at_once(place, read):
    value = []
    for _ in range(60):
        value = [value] * 9
    args = {"name": "relu_0"} | ({"value": value} if place == "args" else {})
    layer = {"layer_type": "tf.nn.relu", "args": args}
    reader = read_word_labels if place == "label" else read_small
    made = pickle.dumps({"graph_architecture": [layer], "word_idx_to_word": {0: value}})
    if place == "task":
        state = b"(NN" + pickle.dumps({"n_classes_dict": {WORDS: value}}, 2)[2:-1] + b"Ntb"
        listed = pickle.dumps([{"layer_type": "tf.nn.relu", "args": args}], 2)[2:-1]
        made = b"}(X\x0a\x00\x00\x00layer_list](" + global_("functools partial") + b")R" + state + b"e"
        made += b"X\x12\x00\x00\x00graph_architecture" + listed + b"u."
    began = time.monotonic()
    with pytest.raises(CheckpointError, match=r"pickle\.pckl"):
        read(made, reader)
    assert time.monotonic() - began < 5


def corrupted(content, generator):
    """Return bytes with one to three places changed, left out, doubled, or cut off."""
    content = bytearray(content)
    for _ in range(generator.integers(1, 4)):
        place, length = generator.integers(len(content)), generator.integers(1, 20)
        kind = generator.integers(5)
        if kind == 0:
            content[place] = generator.integers(256)
        elif kind == 1:
            content[place] ^= 1 << generator.integers(8)
        elif kind == 2:
            content = content[:place] + content[place + length :]
        elif kind == 3:
            content = content[: place + length] + content[place:]
        elif generator.integers(10) == 0:
            content = content[: place + 1]
    return bytes(content)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:invalid escape sequence")
def test_thousands_of_corrupted_pickles_give_an_architecture_or_an_error_of_ours(monkeypatch, read):
    generator = np.random.default_rng(13)
    labels = pickle.dumps({"word_idx_to_word": {np.int64(index): f"word {index}" for index in range(30)}}, 3)
    outcomes = {"read": 0, "refused": 0}
    for content, reader, count in (
        (release_pickle(EVERYTHING, monkeypatch, 2), read_small, 1000),
        (release_pickle(REDUCED_ALIASING, monkeypatch, 4), read_small, 500),
        (labels, read_word_labels, 700),
    ):
        for _ in range(count):
            try:
                found = read(corrupted(content, generator), reader)
                assert isinstance(found, Architecture) or all(isinstance(word, str) for word in found)
                outcomes["read"] += 1
            except CheckpointError:
                outcomes["refused"] += 1
    assert min(outcomes.values()) > 200


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:invalid escape sequence")
def test_corrupted_architectures_that_can_be_read_can_be_traced_or_are_refused(monkeypatch, read):
    generator, content, traced = np.random.default_rng(14), release_pickle(REDUCED_ALIASING, monkeypatch), 0
    names = len(content) // 2  # Where the layers are listed, so that damage reaches them.
    while traced < 30:
        try:
            described = read(content[:names] + corrupted(content[names:], generator))
            trace(dataclasses.replace(described, cochleagram=REDUCED_ALIASING.cochleagram))
            traced += 1
        except TfmetamersError:
            continue


@pytest.mark.parametrize("words", [{1: "a"}, {0: 3}], ids=str)
def test_labels_that_are_not_one_for_each_class_are_refused(words, read):
    with pytest.raises(CheckpointError, match="word_idx_to_word"):
        read(pickle.dumps({"word_idx_to_word": words}), read_word_labels)


@pytest.mark.parametrize("text", ["", "{}", "[1]"])
def test_json_without_labels_is_refused(text, tmp_path):
    file = tmp_path / "labels.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"labels\.json"):
        read_word_labels(file)


def test_a_missing_file_is_refused(tmp_path):
    for reader, name in ((read_word_labels, "none.pckl"), (read_word_labels, "none.json"), (read_small, "none")):
        with pytest.raises(CheckpointError, match=name):
            reader(tmp_path / name)


class TestVariablesOfACheckpointThatIsGivenByItsPath:
    @staticmethod
    def variables(checkpoint, network="word_aliased"):
        spec = NetworkSpec.parse(network, checkpoint=str(checkpoint))
        return spec.network_family.variables(spec)

    @staticmethod
    def copied(golden, folder, name="word_network_aliased.ckpt"):
        folder.mkdir(exist_ok=True)
        for file in golden.glob("*.ckpt.*"):
            shutil.copyfile(file, folder / file.name.replace("word_network_aliased.ckpt", name))
        return folder / name

    def test_its_layers_may_lie_in_a_folder_beside_and_it_may_have_any_name(self, golden, tmp_path):
        expected = self.variables(golden / "word_network_aliased.ckpt")
        (tmp_path / "layers").mkdir()
        shutil.copyfile(golden / "word_network_aliased.pckl", tmp_path / "layers/word_network_aliased.pckl")
        for checkpoint in (
            self.copied(golden, tmp_path / "weights"),
            self.copied(golden, tmp_path / "weights", "word_aliased.ckpt"),  # Beside the first one.
            self.copied(golden, tmp_path / "weights", "mine.ckpt"),
        ):
            assert self.variables(checkpoint) == expected
            assert self.variables(f"{checkpoint}.index") == expected

    def test_that_of_the_other_network_is_refused_by_each_name_of_its_files(self, golden):
        for file in golden.glob("*.ckpt.*"):
            for name in (file, file.with_suffix("")):
                with pytest.raises(CheckpointError, match="another network"):
                    self.variables(name, "word_reduced_aliasing")

    def test_without_layers_it_is_said_what_is_missing(self, golden, tmp_path):
        with pytest.raises(CheckpointError, match=r"word_network_aliased\.pckl"):
            self.variables(self.copied(golden, tmp_path / "weights"))
