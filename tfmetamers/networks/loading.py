"""Networks loaded in Python."""

import os
from typing import TYPE_CHECKING, Any

from tfmetamers.networks.spec import NetworkSpec

if TYPE_CHECKING:
    from tfmetamers.networks.auditory.architecture import Architecture
    from tfmetamers.networks.network import Network


def load_network(network: str | NetworkSpec, **fields: Any) -> "Network":
    """Load a network.

    Args:
        network: a text such as ``"vgg_19"``, ``"vgg_19=vgg_19.ckpt"``, ``"vgg_19:random:3"`` or ``"mine.keras"``, in
            the notation of `tfmetamers.networks.spec`; or a spec.
        fields: further fields of `NetworkSpec`, such as ``checkpoint``, ``random_seed``, ``size``, ``duration``,
            ``labels`` and ``input_range``.

    Raises:
        ArgumentError: an unknown network, or fields that it does not take or that exclude each other.
        CheckpointError: a file is missing, damaged, or not that of the network.

    >>> network = load_network("small_word_aliased")
    >>> network
    <Network small_word_aliased: 8000 samples at 8000 Hz (1 s), 8 layers, 31 labels>
    >>> network.layer("conv_2").shape
    (2, 5, 96)
    """
    return _spec(network, fields).load()


def describe_network(network: str | NetworkSpec, **fields: Any) -> "Network":
    """Return a network, if possible without its weights, to look at its layers.

    The arguments are those of `load_network`.
    """
    return _spec(network, fields).describe()


def load_keras(file: str | os.PathLike, **fields: Any) -> "Network":
    """Load a model that Keras saved, as ``.keras`` or as HDF5 (``.h5``, ``.hdf5``); no code in the file is executed.

    Args:
        file: the file.
        fields: as `tfmetamers.networks.from_keras` takes them, such as ``labels`` and ``input_range``.

    Raises:
        ArgumentError: the model cannot be used, or a field does not fit it.
        CheckpointError: the file is missing or cannot be read as a Keras model.
    """
    return _load_file("keras", file, fields)


def from_saved_model(folder: str | os.PathLike, **fields: Any) -> "Network":
    """Load a SavedModel.

    Args:
        folder: the folder with ``saved_model.pb``.
        fields: as `tfmetamers.networks.own.saved_model.from_saved_model` takes them, such as ``signature``, ``input``,
            ``logits``, ``layers``, ``labels``, ``domain`` and ``sampling_rate``.

    Raises:
        ArgumentError: a field does not fit the model.
        CheckpointError: the folder is not a SavedModel, is damaged, or reads or writes files.
    """
    return _load_file("saved_model", folder, fields)


def from_frozen_graph(file: str | os.PathLike, **fields: Any) -> "Network":
    """Load a frozen graph of TensorFlow 1, from any of its tensors on.

    Args:
        file: the graph (``.pb``).
        fields: as `tfmetamers.networks.own.frozen_graph.from_frozen_graph` takes them, such as ``input``, ``logits``,
            ``layers``, ``labels``, ``domain`` and ``sampling_rate``.

    Raises:
        ArgumentError: a field does not fit the graph.
        CheckpointError: the file is missing or damaged, or not a graph.
    """
    return _load_file("frozen_graph", file, fields)


def _load_file(family: str, file: str | os.PathLike, fields: dict[str, Any]) -> "Network":
    given = {name: value for name, value in fields.items() if value is not None}
    return NetworkSpec(family=family, file=os.fspath(file), **given).load()


def load_architecture(
    architecture: "Architecture", *, checkpoint: str | None = None, random_seed: int | None = None, labels=None
) -> "Network":
    """Load an auditory network of any layers.

    Args:
        architecture: its layers, such as `tfmetamers.networks.read_architecture` reads.
        checkpoint: a TensorFlow checkpoint with variables in the scope ``brain_network``.
        random_seed: the seed of random weights, drawn from the layers' own initialisers, in place of a checkpoint.
        labels: the label of each class; by default the paper's words where there are as many classes, else numbers.

    Raises:
        ArgumentError: the architecture cannot be built, or arguments exclude each other.
        CheckpointError: there is no checkpoint, or it is not that of the network.
    """
    from tfmetamers.errors import ArgumentError
    from tfmetamers.networks.auditory.architecture import Architecture, as_json

    if not isinstance(architecture, Architecture):
        raise ArgumentError(f"The architecture is {architecture!r}; give what read_architecture(FILE) returns.")
    return NetworkSpec(
        family="architecture",
        definition=as_json(architecture),
        checkpoint=checkpoint,
        random_seed=random_seed,
        labels=labels,
    ).load()


def _spec(network: str | NetworkSpec, fields: dict[str, Any]) -> NetworkSpec:
    if isinstance(network, NetworkSpec):
        given = {name: value for name, value in fields.items() if value is not None}
        return network.replace(**given) if given else network
    return NetworkSpec.parse(network, **fields)
