"""A SavedModel as a network."""

import itertools
from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from tfmetamers.checkpoints.layout import find_checkpoint
from tfmetamers.checkpoints.saved_variables import BundledVariables
from tfmetamers.errors import ArgumentError, CheckpointError, first_line, unknown_name
from tfmetamers.networks.network import Network
from tfmetamers.networks.own.frozen_graph import MAX_BYTES
from tfmetamers.networks.own.graph_def import UNSAFE, SavedGraph, check_constants, inferred_shape, network_of_graph
from tfmetamers.networks.provenance import Provenance
from tfmetamers.networks.spec import NetworkSpec
from tfmetamers.utilities.files import file_digest
from tfmetamers.utilities.regular_files import read_regular

#: The signature that is used where none is named.
DEFAULT_SIGNATURE = "serving_default"


def network_of_saved_model(spec: NetworkSpec) -> Network:
    """Make a network of a SavedModel: an export of Keras, a module of `tf.function`, or a model of TensorFlow 1.

    The functions that the signature calls become part of its graph, and its variables constants. Whatever cannot
    be computed from the input alone is left out: what needs other inputs, loops or stateful operations. Any other
    tensor is reached as ``tensor:NAME``.

    Args:
        spec: its folder as the ``file``, and what is stated of it (`tfmetamers.networks.from_saved_model`). Without
            layers, the outputs are offered and the operations of `tfmetamers.networks.own.graph_def.LAYER_OPERATIONS`,
            without ``StatefulPartitionedCall`` in their names.

    Raises:
        CheckpointError: the folder is not a SavedModel, is damaged, or reads or writes files.
        ArgumentError: the signature has several inputs and none is given; a name is unknown, or stands for something
            that cannot be computed from the input alone; or something else does not fit.
    """
    folder, name = Path(spec.file), spec.network_name
    _check(folder)
    model = _loaded(folder)  # Which keeps the variables of its functions alive.
    function = _chosen(name, model.signatures, spec.signature)
    takes = function.structured_input_signature[1]
    if spec.input is None and len(takes) != 1:
        raise ArgumentError(
            f"{name} takes {len(takes)} inputs ({', '.join(takes)}); one was expected. Name the one that takes "
            "stimuli with input=; whatever needs the others is then left out."
        )
    given = next(iter(takes)) if spec.input is None else spec.input
    try:
        frozen = convert_variables_to_constants_v2(function, lower_control_flow=False, aggressive_inlining=True)
    except (ValueError, TypeError, KeyError, tf.errors.OpError) as error:
        raise CheckpointError(f"The weights of {folder} cannot be made constants: {first_line(error)}") from error
    # Outputs are flattened in the order of their names.
    outputs = dict(zip(sorted(function.structured_outputs), (each.name for each in frozen.outputs), strict=True))
    graph = frozen.graph.as_graph_def()
    provenance = Provenance("saved_model", _digest(folder), file=folder.resolve().name, note=f"from {given} onwards")
    return network_of_graph(SavedGraph(name, graph, outputs, provenance), spec, given, inferred_shape(graph, given))


def _check(folder: Path) -> None:
    """Refuse a folder that is not a SavedModel, and a SavedModel that does more than compute."""
    file = folder / "saved_model.pb"
    if not file.is_file():
        raise CheckpointError(f"{folder} holds no saved_model.pb; give the folder of a SavedModel.")
    saved = SavedModel()
    try:
        saved.ParseFromString(read_regular(file, MAX_BYTES))
    except (OSError, DecodeError) as error:
        raise CheckpointError(f"{file} is damaged ({error}); get the SavedModel again.") from error
    _check_variables(folder / "variables" / "variables")
    for graph in (each.graph_def for each in saved.meta_graphs):
        check_constants(file, graph)
        for node in itertools.chain(graph.node, *(function.node_def for function in graph.library.function)):
            _refuse_unsafe(file, node)


def _check_variables(prefix: Path) -> None:
    """Refuse a damaged checkpoint of variables, which TensorFlow's own reader would trust."""
    if not Path(f"{prefix}.index").exists():
        return  # A model without variables.
    try:
        _, _, (index, *shards) = find_checkpoint(prefix)
        BundledVariables(index, shards).check_texts()
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{prefix} is damaged ({error}); get the SavedModel again.") from error


def _refuse_unsafe(file: Path, node) -> None:
    if node.op in UNSAFE:
        raise CheckpointError(
            f"{file} holds an operation that reads or writes files or calls Python ({node.name}, {node.op}), which is "
            "never executed; export the model without it."
        )


def _loaded(folder: Path):
    try:
        model = tf.saved_model.load(folder)
    except Exception as error:  # TensorFlow raises whatever its readers raise.
        raise CheckpointError(f"{folder} cannot be read as a SavedModel: {first_line(error)}") from error
    if not model.signatures:
        raise CheckpointError(f"{folder} has no signature; save it with signatures=, so that its input is known.")
    return model


def _chosen(name: str, signatures, signature: str | None):
    if signature is None:
        signature = next(iter(signatures)) if len(signatures) == 1 else DEFAULT_SIGNATURE
    if signature not in signatures:
        raise unknown_name("signature", signature, signatures, where=f" in {name}")
    return signatures[signature]


def _digest(folder: Path) -> str:
    """Return the SHA-256 of the bytes of all files of a folder, in the order of their paths."""
    return file_digest(*sorted(path for path in folder.rglob("*") if path.is_file()))
