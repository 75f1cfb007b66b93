"""A frozen graph of TensorFlow 1 as a network."""

import os
from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError

from tfmetamers.errors import ArgumentError, CheckpointError
from tfmetamers.networks.network import Network, Provenance
from tfmetamers.networks.own.graph_def import SavedGraph, check_constants, inferred_shape, network_of_graph
from tfmetamers.utilities.files import file_digest
from tfmetamers.utilities.regular_files import read_regular, require_file
from tfmetamers.utilities.words import counted

#: The largest message of the protocol that graphs are written in, in bytes.
MAX_BYTES = 2**31 - 1


def from_frozen_graph(
    file: str | os.PathLike,
    *,
    input: str | None = None,
    logits: str | None = None,
    layers: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    domain: str | None = None,
    input_range: tuple[float, float] | None = None,
    size: int | Sequence[int] | None = None,
    duration: float | None = None,
    sampling_rate: int | None = None,
    name: str | None = None,
) -> Network:
    """Make a network of a frozen graph (``.pb``): a GraphDef of TensorFlow whose weights are constants.

    The graph is used from its input onwards. The input may be any of its tensors, such as the output of ``Mfcc``, an
    operation without a gradient; its first axis is the batch. Whatever cannot be computed from it alone is left out:
    what needs other inputs, loops, functions or stateful operations. Any other tensor is reached as ``tensor:NAME``.

    Args:
        file: the graph.
        input: the name of the operation or tensor that takes stimuli; by default the only placeholder.
        logits: the name of the operation or tensor that the labels belong to; by default the only one that no other
            operation reads.
        layers: names of operations or tensors to offer; by default those of
            `tfmetamers.networks.own.graph_def.LAYER_OPERATIONS`, and those that no other operation reads.
        labels: the label of each unit of `logits`; without them, no label is compared.
        domain: ``"image"``, ``"sound"`` or ``"array"``; by default, an input with a sampling rate is a sound, one of
            (height, width, 1 or 3) is a picture, and any other an array.
        input_range: the values that stand for 0 and 1 of a picture or an array in the input, or for -1 and 1 of a
            sound; by default, the network takes stimuli as they are.
        size: height and width of a picture in pixels, or the shape of an array, where the graph does not state it.
        duration: of a sound in seconds, where the graph does not state it.
        sampling_rate: of sounds, in Hz.
        name: the network's name; that of the file by default.

    Raises:
        CheckpointError: the file is missing or damaged, or not a graph.
        ArgumentError: there are several placeholders and no input is given; a name is unknown, or stands for something
            that cannot be computed from the input alone; or something else does not fit.
    """
    path = Path(file)
    graph = _read(path)
    given = input or _only_placeholder(path, graph)
    name = name or path.stem
    provenance = Provenance("frozen_graph", file_digest(path), file=path.name, note=f"from {given} onwards")
    return network_of_graph(
        SavedGraph(name, graph, _unread(graph), provenance),
        input=given,
        shape=inferred_shape(graph, given),
        logits=logits,
        layers=layers,
        labels=labels,
        domain=domain,
        input_range=input_range,
        size=size,
        duration=duration,
        sampling_rate=sampling_rate,
    )


def _read(path: Path) -> tf.compat.v1.GraphDef:
    require_file(path, "a frozen graph, FILE.pb", CheckpointError)
    if path.name == "saved_model.pb":
        raise CheckpointError(f"{path} is part of a SavedModel; give its folder, {path.parent}.")
    graph = tf.compat.v1.GraphDef()
    try:
        graph.ParseFromString(read_regular(path, MAX_BYTES))
    except (OSError, DecodeError) as error:
        raise CheckpointError(f"{path} is damaged or not a graph ({error}); get the file again.") from error
    if not graph.node or not all(node.name and node.op for node in graph.node):
        raise CheckpointError(
            f"{path} does not hold a TensorFlow graph; give a GraphDef with its weights as constants."
        )
    check_constants(path, graph)
    return graph


def _only_placeholder(path: Path, graph: tf.compat.v1.GraphDef) -> str:
    placeholders = [node.name for node in graph.node if node.op == "Placeholder"]
    if len(placeholders) != 1:
        raise ArgumentError(
            f"{path} has {counted(len(placeholders), 'placeholder')} ({', '.join(placeholders) or 'none'}); name the "
            "tensor that takes the stimuli with input=."
        )
    return placeholders[0]


def _unread(graph: tf.compat.v1.GraphDef) -> dict[str, str]:
    """Return the tensors of operations that no other reads, by their names."""
    read = {name.removeprefix("^").partition(":")[0] for node in graph.node for name in node.input}
    return {node.name: f"{node.name}:0" for node in graph.node if node.name not in read and node.input}
