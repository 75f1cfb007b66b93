"""A network made from a graph that TensorFlow saved, with its weights as constants."""

import dataclasses
import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf
from tensorflow.python.framework import op_def_registry  # TensorFlow exports it nowhere else.

from tfmetamers.errors import ArgumentError, CheckpointError, first_line, shown, unknown_name
from tfmetamers.networks.network import Network
from tfmetamers.networks.own.stimulus_input import find_input
from tfmetamers.networks.own.traced_network import check_independence, traced_network
from tfmetamers.networks.provenance import Provenance
from tfmetamers.networks.spec import NetworkSpec

#: The operations whose outputs are offered as layers by default: what a reader of the network's definition would look
#: for.
LAYER_OPERATIONS = {
    *("Relu", "Relu6", "LeakyRelu", "Elu", "Selu", "Softplus", "Softsign", "Tanh", "Sigmoid", "Softmax"),
    *("BiasAdd", "Add", "AddV2", "FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"),
    *("MaxPool", "AvgPool", "ConcatV2"),
}

#: What the constants of a graph may take in memory beyond the bytes of its file.
MAX_CONSTANTS = 2**28

#: Operations that read or write files, or call Python; TensorFlow takes half of them for stateless.
UNSAFE = {"EagerPyFunc", "ImmutableConst", "MatchingFiles", "PyFunc", "PyFuncStateless", "ReadFile", "WriteFile"}

#: Operations of TensorFlow 1's loops and conditions.
_CONTROL_FLOW = {"Enter", "Exit", "LoopCond", "Merge", "NextIteration", "Switch"}


@dataclass(frozen=True)
class SavedGraph:
    """A graph as it was read.

    Attributes:
        name: the network's name.
        graph: the graph.
        outputs: names of tensors that are outputs, by the names that the network has for them.
        provenance: where it comes from.
        offered: names of operations that are offered as layers besides those of `LAYER_OPERATIONS`.
    """

    name: str
    graph: tf.compat.v1.GraphDef
    outputs: Mapping[str, str]
    provenance: Provenance
    offered: frozenset[str] = frozenset()


def check_constants(file: Path, graph: tf.compat.v1.GraphDef) -> None:
    """Refuse a graph whose constants have other types than they state, or are much larger than its file.

    TensorFlow ends the process where a constant's type is not the stated one, and a few bytes can stand for an array of
    any size.

    Args:
        file: the graph's file, for the message.
        graph: the graph.

    Raises:
        CheckpointError: it is such a graph.
    """
    functions = (node for function in graph.library.function for node in function.node_def)
    constants = [node for node in itertools.chain(graph.node, functions) if node.op == "Const"]
    for node in constants:
        if node.attr["dtype"].type != node.attr["value"].tensor.dtype:
            raise CheckpointError(
                f"{file} is damaged: the constant {shown(node.name)} has another type than it states; get the file "
                "again."
            )
    size = sum(map(_constant_bytes, constants))
    if size > file.stat().st_size + MAX_CONSTANTS:
        raise CheckpointError(
            f"{file} has constants of {size / 1e9:.1f} GB, much more than the file holds, so it is damaged or "
            "malicious; get it from a source that you trust."
        )


def _constant_bytes(node) -> int:
    tensor = node.attr["value"].tensor
    try:
        width = tf.as_dtype(tensor.dtype).size or 1
    except TypeError:  # A type that TensorFlow does not have, which it refuses.
        return 0
    # So it does lengths below 0.
    return width * math.prod(max(dimension.size, 0) for dimension in tensor.tensor_shape.dim)


def network_of_graph(saved: SavedGraph, spec: NetworkSpec, input: str, shape: Sequence[int | None] | None) -> Network:
    """Make a network of a graph, from one of its tensors onwards.

    What cannot be computed from that tensor alone is left out: what needs other inputs, loops, functions, or operations
    with a state, such as random numbers.

    Args:
        saved: the graph.
        spec: what is stated of it. Its logits are the name of the output or tensor that the labels belong to, by
            default the only output; its layers are names of operations or tensors, by default the outputs of the graph
            and of the operations of `LAYER_OPERATIONS`.
        input: the name of the operation or tensor that takes the stimuli.
        shape: of one item of the input; None where it is unknown.

    Raises:
        ArgumentError: a name is unknown, or stands for something that cannot be computed from the input alone; stimuli
            of a batch influence each other; or something else does not fit.
        CheckpointError: the graph cannot be imported, or takes a batch of a fixed size.
    """
    nodes = {node.name: node for node in saved.graph.node}
    if operation_name(input) not in nodes:
        raise unknown_name("operation", input, nodes, where=f" in the graph of {saved.name}")
    _check_dtype(saved, nodes[operation_name(input)])
    stated, layers, logits = spec.stated_input, spec.layers, spec.logits
    if shape is None:
        shape, stated["size"] = stated["size"], None
    if shape is None:
        raise ArgumentError(f"The graph does not tell the shape of {input} in {saved.name}; give it with size=.")
    taken = find_input(shape, network=saved.name, **stated)
    if spec.labels is not None and logits is None and len(saved.outputs) == 1:
        logits = next(iter(saved.outputs))
    kept = _computable(saved.graph, operation_name(input))
    for name in [*(layers or ()), *([] if logits is None else [logits])]:
        _check_computable(saved, name, nodes, kept, input)
    _check_used(saved, nodes, kept, input)
    stimulus = _imported(saved, [nodes[name] for name in kept], _tensor(input), taken)
    common = {
        "stimulus": stimulus,
        "weights": {},
        "provenance": dataclasses.replace(saved.provenance, input_range=taken.input_range),
    }
    bare = traced_network(saved.name, taken, found={}, layers=None, logits=None, labels=None, **common)
    by_layer, by_any_name = _activations(stimulus.graph, saved, _activation_names(bare))
    with tf.compat.v1.Session(graph=stimulus.graph) as session:
        check_independence(saved.name, lambda batch: session.run(list(by_layer.values()), {stimulus: batch}), taken)
    if logits is not None and logits not in by_any_name:
        raise unknown_name("output", logits, by_any_name, "Give one of its tensors.", where=f" in {saved.name}")
    return traced_network(
        saved.name,
        taken,
        found=by_layer if layers is None else by_any_name,
        layers=layers,
        logits=None if logits is None else by_any_name[logits],
        labels=spec.labels,
        **common,
    )


def _check_dtype(saved: SavedGraph, node) -> None:
    if node.op == "Placeholder" and node.attr["dtype"].type != tf.float32.as_datatype_enum:
        raise ArgumentError(
            f"The placeholder {node.name} of {saved.name} does not take float32; name a tensor further on that takes "
            "the stimuli with input=."
        )


def inferred_shape(graph: tf.compat.v1.GraphDef, tensor: str) -> tuple[int | None, ...] | None:
    """Return the shape of one item of a graph's tensor, its first axis being the batch; None where it is unknown."""
    with tf.Graph().as_default() as scratch:
        try:
            tf.graph_util.import_graph_def(graph, name="")
            shape = scratch.get_tensor_by_name(_tensor(tensor)).shape
        except (ValueError, KeyError, tf.errors.OpError):  # Whatever is in front of the tensor may be unknown here.
            return None
    return tuple(shape[1:].as_list()) if shape.rank else None


def operation_name(name: str) -> str:
    """Return the name of the operation that a name of a tensor, or of an input of a node, stands for."""
    return name.removeprefix("^").partition(":")[0]


def _tensor(name: str) -> str:
    return name if ":" in name else f"{name}:0"


def _computable(graph: tf.compat.v1.GraphDef, input: str) -> dict[str, None]:
    """Return the names of the operations that need only the input and constants, each after those it needs.

    Operations in a loop are not among them, because each waits for another.
    """
    readers: dict[str, list] = {}
    waiting: Counter[str] = Counter()
    for node in graph.node:
        for needed in {operation_name(name) for name in node.input if not name.startswith("^")}:
            readers.setdefault(needed, []).append(node)
            waiting[node.name] += 1
    ready = [input, *(node.name for node in graph.node if not waiting[node.name] and _is_pure(node))]
    found: dict[str, None] = {}
    while ready:
        name = ready.pop(0)
        if name in found:
            continue
        found[name] = None
        for reader in readers.get(name, []):
            waiting[reader.name] -= 1
            if not waiting[reader.name] and _is_pure(reader):
                ready.append(reader.name)
    return found


def _is_pure(node) -> bool:
    """Tell whether an operation does nothing but compute the same for the same inputs, and holds no function."""
    definition = op_def_registry.get(node.op)
    return (
        definition is not None
        and node.op not in _CONTROL_FLOW | UNSAFE
        and node.op != "Placeholder"
        and not definition.is_stateful
        and not any(attribute.type in ("func", "list(func)") for attribute in definition.attr)
    )


def _check_computable(saved: SavedGraph, name: str, nodes: Mapping, kept: Mapping, input: str) -> None:
    operation = operation_name(saved.outputs.get(name, name))
    if operation not in nodes or operation in kept:
        return
    seen, culprit = {operation}, operation
    pending = [operation]
    while pending:
        culprit = pending.pop()
        if not _is_pure(nodes[culprit]):
            break
        further = [operation_name(each) for each in nodes[culprit].input if not each.startswith("^")]
        pending.extend(each for each in further if each in nodes and each not in kept and each not in seen)
        seen.update(further)
    node = nodes[culprit]
    raise ArgumentError(
        f"{name} of {saved.name} cannot be computed from {input} alone: it needs {culprit} ({node.op}), which is "
        f"{_reason(node)}."
    )


def _check_used(saved: SavedGraph, nodes: Mapping, kept: Mapping, input: str) -> None:
    readers = [node.name for node in saved.graph.node if operation_name(input) in map(operation_name, node.input)]
    if not any(reader in kept for reader in readers):
        for reader in readers:
            _check_computable(saved, reader, nodes, kept, input)
        raise ArgumentError(f"Nothing in {saved.name} is computed from {input}; name another tensor with input=.")


def _reason(node) -> str:
    if node.op == "Placeholder":
        return "another input; name that one as the input, or freeze the graph with a constant in its place"
    if node.op.startswith("Var"):
        return "a variable without a value; freeze the graph, so that its weights are constants"
    if op_def_registry.get(node.op) is None:
        return "an operation that this TensorFlow does not have"
    if node.op in UNSAFE:
        return "an operation that reads or writes files or calls Python, which is never executed"
    return "a loop, a function or a stateful operation; build recurrent layers with unroll=True"


def _imported(saved: SavedGraph, nodes, input: str, taken) -> tf.Tensor:
    """Import operations into a graph of their own, and return the placeholder that takes stimuli."""
    pruned = tf.compat.v1.GraphDef(versions=saved.graph.versions)
    for node in nodes:
        if node.name == operation_name(input):
            continue
        copied = pruned.node.add()
        copied.CopyFrom(node)
        copied.device = ""
        copied.attr.pop("_class", None)  # It names operations that may not be kept.
        del copied.input[:]
        copied.input.extend(name for name in node.input if not name.startswith("^"))
    with tf.Graph().as_default() as graph:
        stimulus = tf.compat.v1.placeholder(tf.float32, [None, *taken.domain.shape], "stimulus")
        with tf.name_scope("stimulus_to_input"):
            fed = tf.identity(taken(stimulus))
        try:
            tf.graph_util.import_graph_def(pruned, {input: fed}, name="")
        except (ValueError, TypeError, tf.errors.OpError) as error:
            raise CheckpointError(
                f"The graph of {saved.name} cannot be imported from {input} onwards: {first_line(error)}"
            ) from error
    return graph.get_tensor_by_name(stimulus.name)


def _activation_names(network: Network) -> set[str]:
    try:
        return set(network.tensors)
    except ValueError as error:
        raise CheckpointError(
            f"The graph of {network.name} does not take batches of any size ({first_line(error)}); save it with a "
            "batch size of None."
        ) from error


def _activations(graph: tf.Graph, saved: SavedGraph, known: set[str]) -> tuple[dict, dict]:
    """Return the tensors that are layers where none are named, and all that can be, by name.

    A layer has the name of its operation, without what inlined functions put before it. Any tensor can be named so
    too, or in full, with or without the number of the output.

    Args:
        graph: the graph.
        saved: what was imported into it.
        known: names of the tensors that are activations of a stimulus each.
    """
    layers: dict[str, tf.Tensor] = {}
    others: dict[str, tf.Tensor] = {}
    for operation in graph.get_operations():
        if not operation.outputs or operation.outputs[0].name not in known:
            continue
        tensor = operation.outputs[0]
        short = "/".join(part for part in operation.name.split("/") if "PartitionedCall" not in part)
        name = operation.name if short in others or not short else short
        others |= {name: tensor, operation.name: tensor, tensor.name: tensor}
        if operation.type in LAYER_OPERATIONS or operation.name in saved.offered:
            layers[name] = tensor
    named = {name: graph.get_tensor_by_name(tensor) for name, tensor in saved.outputs.items() if tensor in known}
    return {**layers, **named}, {**others, **named}
