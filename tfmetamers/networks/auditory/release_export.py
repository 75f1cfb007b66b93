"""Networks in the file formats of the authors' release, for their original tools."""

import functools
import os
import pickle
import shutil
from dataclasses import dataclass
from pathlib import Path

from tfmetamers.checkpoints.reader import CheckpointFile
from tfmetamers.networks.auditory.architecture import Architecture, LayerSpecification
from tfmetamers.networks.auditory.layer_names import LABEL_TASK
from tfmetamers.networks.auditory.trained_folder import read_trained
from tfmetamers.utilities.files import atomic_write

#: Module and name of each layer type's function, in TensorFlow 1.13 or ``audio_cnn_helpers.py`` of the release.
FUNCTIONS = {
    "tf.layers.conv2d": ("tensorflow.python.layers.convolutional", "conv2d"),
    "tf.layers.batch_normalization": ("tensorflow.python.layers.normalization", "batch_normalization"),
    "tf.layers.max_pooling2d": ("tensorflow.python.layers.pooling", "max_pooling2d"),
    "tf.layers.average_pooling2d": ("tensorflow.python.layers.pooling", "average_pooling2d"),
    "tf.layers.flatten": ("tensorflow.python.layers.core", "flatten"),
    "tf.layers.dense": ("tensorflow.python.layers.core", "dense"),
    "tf.layers.dropout": ("tensorflow.python.layers.core", "dropout"),
    "tf.nn.relu": ("tensorflow.python.ops.gen_nn_ops", "relu"),
    "tf.nn.relu6": ("tensorflow.python.ops.gen_nn_ops", "relu6"),
    "tf.nn.leaky_relu": ("tensorflow.python.ops.nn_ops", "leaky_relu"),
    "tf.nn.avg_pool": ("tensorflow.python.ops.nn_ops", "avg_pool"),
    "tf.pad": ("tensorflow.python.ops.array_ops", "pad"),
    "tf.slice": ("tensorflow.python.ops.array_ops", "slice"),
    "tf.transpose": ("tensorflow.python.ops.array_ops", "transpose"),
    "hpool": ("audio_cnn_helpers", "hanning_pooling"),
    "fc_top_classification": ("audio_cnn_helpers", "multi_fc_top_classification"),
    "multi_fc_top_classification": ("audio_cnn_helpers", "multi_fc_top_classification"),
}

#: The protocol of the release's own pickles, which Python 2.7, one of the Pythons of TensorFlow 1.13, can read.
PROTOCOL = 2


@dataclass(frozen=True)
class _Function:
    """A function that a pickle names and that need not exist here."""

    module: str
    name: str

    def __call__(self, *_, **__):
        raise NotImplementedError(f"{self.module}.{self.name} belongs to TensorFlow 1")

    def __reduce__(self):
        return self.name


class _Pickler(pickle._Pickler):
    """Names functions without importing their modules, unlike Python's own picklers."""

    def save_global(self, obj, name=None):
        if not isinstance(obj, _Function):
            return super().save_global(obj, name)
        self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode("ascii"))
        return self.memoize(obj)


def write_release(folder: str | os.PathLike, destination: str | os.PathLike) -> list[str]:
    """Write a trained network in the file formats of the authors' release.

    The pickle ``word_network_<name>.pckl`` has a ``layer_list`` of functions with their arguments, which
    ``build_word_network_*.py`` calls one after another, and a ``graph_architecture``; ``word_<name>.ckpt`` is a V2
    checkpoint; ``metamer_word_encodings.pckl`` has the words. The front end is in none of these files: the released
    scripts have it in ``COCH_PARAMS`` and ``signal_rate``, which must be set to the cochleagram of the network's card.

    Args:
        folder: a folder that ``tfmetamers train`` wrote, or that of a bundled network.
        destination: the folder to write to.

    Returns:
        The names of the files.

    Raises:
        CheckpointError: the folder cannot be read.
        ResultError: a file cannot be written.
    """
    files, destination = read_trained(folder), Path(destination)
    architecture = files.architecture
    name = architecture.name.removeprefix("word_")
    contents = {f"word_network_{name}.pckl": _network(architecture)}
    if LABEL_TASK in files.labels:
        contents["metamer_word_encodings.pckl"] = {"word_idx_to_word": dict(enumerate(files.labels[LABEL_TASK]))}
    for file, content in contents.items():
        with atomic_write(destination / file) as partial, partial.open("wb") as stream:
            _Pickler(stream, PROTOCOL).dump(content)
    names = list(contents)
    for file in map(Path, CheckpointFile(files.checkpoint).files):
        suffix = file.name.removeprefix(files.checkpoint.name)
        names.append(f"word_{name}.ckpt{suffix}")
        with atomic_write(destination / names[-1]) as partial:
            shutil.copyfile(file, partial)
    return names


def _network(architecture: Architecture) -> dict:
    return {
        "instructions": "Call the layers of layer_list one after another, in the scope brain_network.",
        "layer_list": [_call(layer, architecture) for layer in architecture.layers],
        "graph_architecture": [
            {"layer_type": layer.layer_type, "args": dict(layer.args)} for layer in architecture.layers
        ],
    }


def _call(layer: LayerSpecification, architecture: Architecture) -> functools.partial:
    classes = {"n_classes_dict": dict(architecture.tasks)} if "top" in layer.layer_type else {}
    return functools.partial(_Function(*FUNCTIONS[layer.layer_type]), **classes, **layer.args)
