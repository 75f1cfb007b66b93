"""The recurrent layer with constant weights against TensorFlow's own operation and its gradient."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.ops import rnn_grad  # noqa: F401  Registers the gradient of the operation.

from tfmetamers.networks.graph.frozen import FrozenFunction
from tfmetamers.networks.graph.recurrence import Recurrence

STEPS, BATCH, INPUTS, UNITS = 7, 3, 5, 4


@pytest.fixture
def arrays():
    """Inputs, two states, weights and a gradient with respect to the outputs."""
    generator = np.random.default_rng(0)
    shapes = [(STEPS, BATCH, INPUTS), (BATCH, UNITS), (BATCH, UNITS), (INPUTS + UNITS, 4 * UNITS), (4 * UNITS,)]
    drawn = [generator.normal(size=shape).astype(np.float32) for shape in (*shapes, (STEPS, BATCH, UNITS))]
    return [tf.constant(each) for each in drawn]


def block_lstm(inputs, cell, output, kernel, bias, **options):
    unused = tf.zeros([UNITS])
    settings = {"forget_bias": 1.0, "cell_clip": -1.0, "use_peephole": False, "seq_len_max": np.int64(STEPS)}
    return tf.raw_ops.BlockLSTM(
        x=inputs,
        cs_prev=cell,
        h_prev=output,
        w=kernel,
        wci=unused,
        wcf=unused,
        wco=unused,
        b=bias,
        **settings | options,
    )


def values_and_gradients(function, sources, upstream):
    with tf.GradientTape() as tape:
        tape.watch(sources)
        outputs = function(*sources)
    return outputs, *tape.gradient(outputs, sources, upstream)


@pytest.mark.parametrize("compiled", [False, True])
def test_outputs_and_gradients_are_those_of_the_operation(arrays, compiled):
    *states, kernel, bias, upstream = arrays
    recurrence = Recurrence(kernel, bias, forget_bias=1.0)
    function = tf.function(recurrence) if compiled else recurrence
    found = values_and_gradients(function, states, upstream)
    expected = values_and_gradients(lambda *given: block_lstm(*given, kernel, bias).h, states, upstream)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def in_a_graph(output: str = "h", **options) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the placeholder and the layer of a graph of one LSTM with random weights."""
    generator = np.random.default_rng(1)
    kernel = generator.normal(size=(INPUTS + UNITS, 4 * UNITS)).astype(np.float32)
    with tf.Graph().as_default():
        stimulus = tf.compat.v1.placeholder(tf.float32, [None, STEPS, INPUTS], "stimulus")
        state = tf.zeros([tf.shape(stimulus)[0], UNITS])
        inputs = tf.transpose(stimulus, [1, 0, 2])
        found = getattr(block_lstm(inputs, state, state, kernel, tf.zeros([4 * UNITS]), **options), output)
        return stimulus, tf.transpose(found, [1, 0, 2])


@pytest.mark.parametrize(
    ("options", "is_replaced"),
    [
        ({}, True),
        ({"forget_bias": 0.25}, True),
        ({"cell_clip": 0.1}, False),
        ({"use_peephole": True}, False),
        ({"seq_len_max": np.int64(STEPS - 2)}, False),
        ({"output": "cs"}, False),
    ],
)
def test_in_a_frozen_graph_it_has_the_values_and_gradients_of_the_operation(options, is_replaced):
    """Where the layer is not plain, the operation stays as it is."""
    stimulus, layer = in_a_graph(**options)
    values = np.random.default_rng(2).normal(size=(BATCH, STEPS, INPUTS)).astype(np.float32)
    with stimulus.graph.as_default(), tf.compat.v1.Session() as session:
        expected = session.run([layer, *tf.gradients(layer, stimulus)], {stimulus: values})
    frozen = FrozenFunction(stimulus, layer, {})
    found = values_and_gradients(frozen, [tf.constant(values)], None)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    operations = {node.op for node in graph_of(frozen, values).node}
    assert ("BlockLSTM" not in operations) == is_replaced


def graph_of(frozen, values):
    definition = tf.function(frozen).get_concrete_function(tf.constant(values)).graph.as_graph_def()
    nodes = [*definition.node, *(node for function in definition.library.function for node in function.node_def)]
    return type(definition)(node=nodes)
