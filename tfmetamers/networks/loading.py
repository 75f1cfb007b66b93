"""Networks loaded in Python."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tfmetamers.networks.spec import NetworkSpec

if TYPE_CHECKING:
    from tfmetamers.networks.auditory.architecture import Architecture
    from tfmetamers.networks.network import Network


def load_network(
    network: str | NetworkSpec,
    *,
    checkpoint: str | os.PathLike | None = None,
    random_seed: int | None = None,
    size: int | Sequence[int] | None = None,
    duration: float | None = None,
    input_range: tuple[float, float] | None = None,
    labels: Sequence[str] | None = None,
    layers: str | Sequence[str] | None = None,
    logits: str | None = None,
    input: str | None = None,
    signature: str | None = None,
    domain: str | None = None,
    sampling_rate: int | None = None,
    optimize: str | None = None,
) -> "Network":
    """Load a network.

    Args:
        network: a text such as ``"vgg_19"``, ``"vgg_19=vgg_19.ckpt"``, ``"vgg_19:random:3"`` or ``"mine.keras"``, in
            the notation of `tfmetamers.networks.spec`; or a spec.
        checkpoint: the file of its weights.
        random_seed: the seed of random weights.
        size: height and width of pictures in pixels, or the shape of arrays.
        duration: of sounds, in seconds.
        input_range: what a model of your own takes for black and white.
        labels: the label of each logit.
        layers: names of the layers to offer, or one of them, of a model of your own.
        logits: the name of the output that labels belong to.
        input: the name of the tensor that takes the stimulus.
        signature: the name of a SavedModel's signature.
        domain: what the stimulus is, ``"image"``, ``"sound"`` or ``"array"``, where the model alone does not tell.
        sampling_rate: of a model's sounds, in Hz.
        optimize: ``"stimulus"``, or ``"cochleagram"`` in place of the waveform.

    Raises:
        ArgumentError: an unknown network, or fields that it does not take or that exclude each other.
        CheckpointError: a file is missing, damaged, or not that of the network.

    >>> network = load_network("small_word_aliased")
    >>> network
    <Network small_word_aliased: 8000 samples at 8000 Hz (1 s), 8 layers, 31 labels>
    >>> network.layer("conv_2").shape
    (2, 5, 96)
    """
    fields = {
        "checkpoint": checkpoint,
        "random_seed": random_seed,
        "size": size,
        "duration": duration,
        "input_range": input_range,
        "labels": labels,
        "layers": layers,
        "logits": logits,
        "input": input,
        "signature": signature,
        "domain": domain,
        "sampling_rate": sampling_rate,
        "optimize": optimize,
    }
    return _spec(network, fields).load()


def describe_network(network: str | NetworkSpec, **fields: Any) -> "Network":
    """Return a network, if possible without its weights, to look at its layers.

    The arguments are those of `load_network`.

    >>> describe_network("small_word_aliased").layer("conv_2").shape
    (2, 5, 96)
    """
    return _spec(network, fields).describe()


def load_keras(
    file: str | os.PathLike,
    *,
    layers: str | Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    logits: str | None = None,
    domain: str | None = None,
    input_range: tuple[float, float] | None = None,
    size: int | Sequence[int] | None = None,
    duration: float | None = None,
    sampling_rate: int | None = None,
    name: str | None = None,
) -> "Network":
    """Load a model that Keras saved, as ``.keras`` or as HDF5 (``.h5``, ``.hdf5``); no code in the file is executed.

    Args:
        file: the file.
        layers: names of the layers to offer, or one of them; all by default.
        labels: the label of each unit of the output; without them, no label is compared.
        logits: the name of the output that the labels belong to, where there are several.
        domain: ``"image"``, ``"sound"`` or ``"array"``; by default, an input with a sampling rate is a sound, one of
            (height, width, 1 or 3) is a picture, and any other an array.
        input_range: the values that stand for 0 and 1 of a picture or an array in the input, or for -1 and 1 of a
            sound; by default, the model takes stimuli as they are.
        size: height and width of a picture in pixels, or the shape of an array, where the model takes any.
        duration: of a sound in seconds, where the model takes any.
        sampling_rate: of sounds, in Hz.
        name: the network's name; that of the file by default.

    Raises:
        ArgumentError: the model cannot be used, or a field does not fit it.
        CheckpointError: the file is missing or cannot be read as a Keras model.

    >>> import keras
    >>> layers = [keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3, activation="relu", name="conv")]
    >>> keras.Sequential(layers).save("mine.keras")
    >>> load_keras("mine.keras", input_range=(-1, 1))
    <Network mine: 8 x 8 x 3, RGB in [0, 1], 1 layer>
    """
    return NetworkSpec(
        family="keras",
        file=file,
        layers=layers,
        labels=labels,
        logits=logits,
        domain=domain,
        input_range=input_range,
        size=size,
        duration=duration,
        sampling_rate=sampling_rate,
        name=name,
    ).load()


def from_saved_model(
    folder: str | os.PathLike,
    *,
    signature: str | None = None,
    input: str | None = None,
    layers: str | Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    logits: str | None = None,
    domain: str | None = None,
    input_range: tuple[float, float] | None = None,
    size: int | Sequence[int] | None = None,
    duration: float | None = None,
    sampling_rate: int | None = None,
    name: str | None = None,
) -> "Network":
    """Load a SavedModel (`tfmetamers.networks.own.saved_model` says what of it can be used).

    Args:
        folder: the folder with ``saved_model.pb``.
        signature: the name of the signature; by default ``serving_default``, or the only one.
        input: the name of the signature's input, or of an operation or tensor of its graph, that takes stimuli; by
            default the only input.
        layers: names of the layers to offer, or one of them; all by default.
        labels: the label of each unit of the output; without them, no label is compared.
        logits: the name of the output that the labels belong to, where there are several.
        domain: ``"image"``, ``"sound"`` or ``"array"``; by default, an input with a sampling rate is a sound, one of
            (height, width, 1 or 3) is a picture, and any other an array.
        input_range: the values that stand for 0 and 1 of a picture or an array in the input, or for -1 and 1 of a
            sound; by default, the model takes stimuli as they are.
        size: height and width of a picture in pixels, or the shape of an array, where the model takes any.
        duration: of a sound in seconds, where the model takes any.
        sampling_rate: of sounds, in Hz.
        name: the network's name; that of the folder by default.

    Raises:
        ArgumentError: a field does not fit the model.
        CheckpointError: the folder is not a SavedModel, is damaged, or reads or writes files.

    >>> import tensorflow as tf
    >>> class Model(tf.Module):
    ...     @tf.function(input_signature=[tf.TensorSpec((None, 6), name="stimuli")])
    ...     def __call__(self, stimuli):
    ...         return {"tanh": tf.tanh(stimuli)}
    >>> tf.saved_model.save(Model(), "mine")
    >>> from_saved_model("mine", layers="tanh")
    <Network mine: an array of 6, 1 layer>
    """
    return NetworkSpec(
        family="saved_model",
        file=folder,
        signature=signature,
        input=input,
        layers=layers,
        labels=labels,
        logits=logits,
        domain=domain,
        input_range=input_range,
        size=size,
        duration=duration,
        sampling_rate=sampling_rate,
        name=name,
    ).load()


def from_frozen_graph(
    file: str | os.PathLike,
    *,
    input: str | None = None,
    layers: str | Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    logits: str | None = None,
    domain: str | None = None,
    input_range: tuple[float, float] | None = None,
    size: int | Sequence[int] | None = None,
    duration: float | None = None,
    sampling_rate: int | None = None,
    name: str | None = None,
) -> "Network":
    """Load a frozen graph of TensorFlow 1, from any of its tensors on.

    Args:
        file: the graph (``.pb``).
        input: the name of the operation or tensor that takes stimuli; by default the only placeholder.
        layers: names of the layers to offer, or one of them; all by default.
        labels: the label of each unit of the output; without them, no label is compared.
        logits: the name of the output that the labels belong to, where there are several.
        domain: ``"image"``, ``"sound"`` or ``"array"``; by default, an input with a sampling rate is a sound, one of
            (height, width, 1 or 3) is a picture, and any other an array.
        input_range: the values that stand for 0 and 1 of a picture or an array in the input, or for -1 and 1 of a
            sound; by default, the model takes stimuli as they are.
        size: height and width of a picture in pixels, or the shape of an array, where the model takes any.
        duration: of a sound in seconds, where the model takes any.
        sampling_rate: of sounds, in Hz.
        name: the network's name; that of the file by default.

    Raises:
        ArgumentError: a field does not fit the graph.
        CheckpointError: the file is missing or damaged, or not a graph.

    >>> import tensorflow as tf
    >>> from pathlib import Path
    >>> with tf.Graph().as_default() as graph:
    ...     stimuli = tf.compat.v1.placeholder(tf.float32, (None, 6), name="stimuli")
    ...     activations = tf.tanh(stimuli, name="tanh")
    >>> _ = Path("mine.pb").write_bytes(graph.as_graph_def().SerializeToString())
    >>> from_frozen_graph("mine.pb")
    <Network mine: an array of 6, 1 layer>
    """
    return NetworkSpec(
        family="frozen_graph",
        file=file,
        input=input,
        layers=layers,
        labels=labels,
        logits=logits,
        domain=domain,
        input_range=input_range,
        size=size,
        duration=duration,
        sampling_rate=sampling_rate,
        name=name,
    ).load()


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

    >>> from tfmetamers.cochlea import CochleagramSettings
    >>> from tfmetamers.networks import Architecture, LayerSpecification
    >>> settings = CochleagramSettings(
    ...     sampling_rate=4000, samples=2000, low_limit=50, high_limit=1800, filters=8, envelope_rate=100, window=201
    ... )
    >>> convolution = LayerSpecification("tf.layers.conv2d", {"name": "conv_0", "filters": 4, "kernel_size": [3, 4]})
    >>> architecture = Architecture("mine", (convolution,), {}, cochleagram=settings)
    >>> list(load_architecture(architecture, random_seed=3).layers)
    ['cochleagram', 'conv_0']
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
