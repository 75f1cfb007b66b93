"""Keras's LSTM layers as one operation, which is replayed with its gradient where Keras has a loop that is not."""

import sys
from collections.abc import Iterator

import keras
import tensorflow as tf
from tensorflow.python.ops import rnn_grad  # noqa: F401  Registers the operation's gradient.


def lstm_layers(layer) -> Iterator:
    """Give the LSTM layers that a layer is or, being bidirectional, has, as far as they are one operation.

    They have the ordinary activations, and no state that is kept or returned; unrolled ones are left as they are.
    """
    classes = tuple(each.layers.LSTM for each in (keras, sys.modules.get("tf_keras")) if each is not None)
    for each in (layer, *(getattr(layer, f"{direction}_layer", None) for direction in ("forward", "backward"))):
        if isinstance(each, classes) and _is_ordinary(each):
            yield each


def lowered(layer, call):
    """Return what an LSTM layer computes, as one operation: (batch, steps, inputs) to (batch, steps, units).

    Where it is given a mask, a state, or a number of steps that is not fixed, its own function is called.

    Args:
        layer: the layer.
        call: its own function.
    """

    def lowered_call(sequences, *arguments, **options):
        is_plain = not arguments and all(options.get(each) is None for each in ("initial_state", "mask"))
        if not is_plain or sequences.shape[1] is None:
            return call(sequences, *arguments, **options)
        steps = tf.transpose(sequences, [1, 0, 2])
        outputs = _block_lstm(layer, tf.reverse(steps, [0]) if layer.go_backwards else steps)
        return tf.transpose(outputs, [1, 0, 2]) if layer.return_sequences else outputs[-1]

    return lowered_call


def _is_ordinary(layer) -> bool:
    names = [getattr(each, "__name__", None) for each in (layer.activation, layer.recurrent_activation)]
    return names == ["tanh", "sigmoid"] and not (layer.unroll or layer.stateful or layer.return_state)


def _block_lstm(layer, steps: tf.Tensor) -> tf.Tensor:
    """Return the outputs (steps, batch, units) of inputs (steps, batch, inputs)."""
    cell, units = layer.cell, layer.units
    bias = tf.zeros([4 * units]) if cell.bias is None else tf.convert_to_tensor(cell.bias)
    state, unused = tf.zeros([tf.shape(steps)[1], units]), tf.zeros([units])
    return tf.raw_ops.BlockLSTM(
        seq_len_max=tf.constant(steps.shape[0], tf.int64),
        x=steps,
        cs_prev=state,
        h_prev=state,
        w=_reordered(tf.concat([cell.kernel, cell.recurrent_kernel], 0)),
        wci=unused,
        wcf=unused,
        wco=unused,
        b=_reordered(bias),
        forget_bias=0.0,
        cell_clip=-1.0,
    ).h


def _reordered(weights: tf.Tensor) -> tf.Tensor:
    """Bring columns from Keras's order of gates (input, forget, candidate, output) to that of the operation."""
    admitted, kept, candidate, shown = tf.split(weights, 4, axis=-1)
    return tf.concat([admitted, candidate, kept, shown], -1)
