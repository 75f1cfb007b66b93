"""The original way of synthesis: a TensorFlow 1 session, stepped by `tf.compat.v1.train.AdamOptimizer`."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfmetamers.networks.graph.traced_graph import TracedGraph

v1 = tf.compat.v1


def imported_layer(traced: TracedGraph, layer: str, stimulus: tf.Tensor) -> tuple[tf.Tensor, dict[str, tuple]]:
    """Import a layer of a traced graph into the graph that is being built, on variables of its own.

    Args:
        traced: the traced graph.
        layer: the layer's name.
        stimulus: what takes the place of its stimulus.

    Returns:
        The activations; and for each variable, by name, the variable and the placeholder of its initial value.
    """
    graph_def = traced.stimulus.graph.as_graph_def()
    variables = {}
    for variable in traced.variables:
        value = v1.placeholder(tf.float32, variable.shape)
        variables[variable.op.name] = (v1.Variable(value, name=variable.op.name, trainable=False), value)
    mapped = {traced.stimulus.name: stimulus}
    for node in graph_def.node:
        if node.op == "ReadVariableOp":
            mapped[f"{node.name}:0"] = variables[node.input[0]][0]
    used = v1.graph_util.extract_sub_graph(graph_def, [traced.layers[layer].op.name])
    there = {f"{node.name}:0" for node in used.node}
    [activations] = tf.graph_util.import_graph_def(
        used,
        input_map={name: tensor for name, tensor in mapped.items() if name in there},
        return_elements=[traced.layers[layer].name],
    )
    return activations, variables


def stepping(
    activations: tf.Tensor, stimulus: tf.Variable, variables: dict[str, tuple], values: Callable[[str], np.ndarray]
) -> Callable[[int], None]:
    """Return a function that does a number of steps, after having given the variables their values.

    Args:
        activations: the matched layer.
        stimulus: the variable that is optimised.
        variables: as `imported_layer` gives them.
        values: from a variable's name to its value.
    """
    targets = v1.placeholder(tf.float32, activations.shape)
    loss = tf.nn.l2_loss(targets - activations)
    update = v1.train.AdamOptimizer(0.001).minimize(loss, var_list=[stimulus])
    session = v1.Session()
    session.run(v1.global_variables_initializer(), {value: values(name) for name, (_, value) in variables.items()})
    wanted = {targets: session.run(activations) * 0.5}

    def step(steps: int) -> None:
        for _ in range(steps):
            session.run(update, wanted)

    return step
