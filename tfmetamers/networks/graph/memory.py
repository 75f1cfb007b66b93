"""How much memory a step of synthesis takes, estimated from graphs alone."""

from collections.abc import Callable

import tensorflow as tf

from tfmetamers.networks.graph.frozen import operations_up_to


def layer_bytes(stimulus: tf.Tensor, layer: tf.Tensor, by_operation: dict[str, int]) -> tuple[int, int]:
    """Return the bytes of the weights that a layer needs, and those of all that is computed for one stimulus.

    Args:
        stimulus: the placeholder of the traced graph that takes the stimulus.
        layer: the tensor of the traced graph to compute.
        by_operation: what `stimulus_bytes` returned.
    """
    operations = operations_up_to([layer], stimulus)
    weights = [operation.outputs[0] for operation in operations if operation.type in ("ReadVariableOp", "Const")]
    return sum(map(_bytes, weights)), sum(by_operation.get(operation.name, 0) for operation in operations)


def stimulus_bytes(stimulus: tf.Tensor) -> dict[str, int]:
    """Return the bytes of what each operation of a traced graph computes for one stimulus, by the operation's name."""
    computed = {
        operation.name
        for operation in stimulus.graph.get_operations()
        if any(tensor.shape.rank and tensor.shape[0] is None for tensor in operation.outputs)
    }
    with tf.Graph().as_default() as graph:
        one = tf.compat.v1.placeholder(stimulus.dtype, [1, *stimulus.shape[1:]])
        tf.graph_util.import_graph_def(stimulus.graph.as_graph_def(), {stimulus.name: one}, name="traced")
        operations = {name: graph.get_operation_by_name(f"traced/{name}") for name in computed}
    return {name: sum(map(_bytes, operation.outputs)) for name, operation in operations.items()}


def front_end_bytes(front_end: Callable, shape: tuple[int, ...]) -> int:
    """Return the bytes of all that a front end computes for one stimulus of a shape."""
    traced = tf.function(front_end, autograph=False).get_concrete_function(tf.TensorSpec([1, *shape], tf.float32))
    return sum(_bytes(tensor) for operation in traced.graph.get_operations() for tensor in operation.outputs)


def _bytes(tensor: tf.Tensor) -> int:
    return tensor.shape.num_elements() * tensor.dtype.size if tensor.shape.is_fully_defined() else 0
