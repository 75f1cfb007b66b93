"""A frozen graph of TensorFlow 1 as a network."""

from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError

from tfmetamers.errors import ArgumentError, CheckpointError
from tfmetamers.networks.network import Network
from tfmetamers.networks.own.audio_front_end import with_front_end
from tfmetamers.networks.own.graph_def import (
    SavedGraph,
    check_constants,
    inferred_shape,
    network_of_graph,
    operation_name,
)
from tfmetamers.networks.provenance import Provenance
from tfmetamers.networks.spec import NetworkSpec
from tfmetamers.utilities.files import file_digest
from tfmetamers.utilities.regular_files import read_regular, require_file
from tfmetamers.utilities.words import counted

#: The largest message of the protocol that graphs are written in, in bytes.
MAX_BYTES = 2**31 - 1


def network_of_frozen_graph(spec: NetworkSpec) -> Network:
    """Make a network of a frozen graph (``.pb``): a GraphDef of TensorFlow whose weights are constants.

    The graph is used from its input onwards. The input may be any of its tensors; its first axis is the batch. Whatever
    cannot be computed from it alone is left out: what needs other inputs, loops, functions or stateful operations. Any
    other tensor is reached as ``tensor:NAME``. A graph that decodes a WAV file and computes its MFCCs takes waveforms
    in place of the file, if their sampling rate is stated (`tfmetamers.networks.own.audio_front_end`).

    Args:
        spec: its file, and what is stated of it (`tfmetamers.networks.from_frozen_graph`). Without logits, the labels
            belong to the only operation that no other reads. Without layers, such operations are offered, and those
            of `tfmetamers.networks.own.graph_def.LAYER_OPERATIONS`.

    Raises:
        CheckpointError: the file is missing or damaged, or not a graph.
        ArgumentError: there are several placeholders and no input is given; a name is unknown, or stands for something
            that cannot be computed from the input alone; or something else does not fit.
    """
    path = Path(spec.file)
    graph, features = _read(path), ()
    if spec.sampling_rate is not None and spec.input is None:
        changed = with_front_end(graph, spec.network_name, spec.sampling_rate, spec.duration)
        graph, *features = changed or (graph,)
    given = spec.input or _only_placeholder(path, graph)
    provenance = Provenance("frozen_graph", file_digest(path), file=path.name, note=f"from {given} onwards")
    saved = SavedGraph(spec.network_name, graph, _unread(graph), provenance, frozenset(features))
    return network_of_graph(saved, spec, given, inferred_shape(graph, given))


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
    read = {operation_name(name) for node in graph.node for name in node.input}
    return {node.name: f"{node.name}:0" for node in graph.node if node.name not in read and node.input}
