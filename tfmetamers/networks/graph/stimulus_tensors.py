"""The tensors of a traced graph that have one row for each stimulus."""

from collections.abc import Sequence

import tensorflow as tf

#: The batch size with which tensors that have one row for each stimulus are found.
_ROWS = 7


def stimulus_tensors(stimulus: tf.Tensor) -> list[str]:
    """Return the names of all floating-point tensors of a graph with one row for each stimulus.

    Args:
        stimulus: the graph's input, (batch, ...).
    """
    outputs = [tensor for op in stimulus.graph.get_operations() for tensor in op.outputs]
    activations = [tensor.name for tensor in outputs if _is_activation(tensor)]
    rows = _rows_of_a_batch(stimulus, activations)
    return [name for name in activations if rows[name] in (_ROWS, None)]


def _is_activation(tensor: tf.Tensor) -> bool:
    return (
        tensor.dtype == tf.float32
        and tensor.shape.rank not in (None, 0)
        and tensor.shape[0] is None
        and tensor.shape[1:].is_fully_defined()
    )


def _rows_of_a_batch(stimulus: tf.Tensor, names: Sequence[str]) -> dict[str, int | None]:
    """Return how many rows each tensor of a graph has for a batch of `_ROWS` stimuli; None where it is unknown."""
    with tf.Graph().as_default() as graph:
        batch = tf.compat.v1.placeholder(stimulus.dtype, [_ROWS, *stimulus.shape[1:]])
        tf.graph_util.import_graph_def(stimulus.graph.as_graph_def(), {stimulus.name: batch}, name="traced")
        tensors = {name: graph.get_tensor_by_name(f"traced/{name}") for name in names}
        return {name: batch.shape[0] if name == stimulus.name else each.shape[0] for name, each in tensors.items()}
