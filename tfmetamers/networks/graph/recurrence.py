"""A recurrent layer whose weights never change.

TensorFlow's gradient of an LSTM computes that with respect to the weights in every step, a product as large as the
layer, which nothing here asks for; and it multiplies each step's input by the weights alone, where all steps' inputs
can be multiplied at once. For DeepSpeech's layer and a sound of two seconds, leaving both out takes the time of a
forward and backward pass from 30 s to 0.7 s on two cores.
"""

from collections.abc import Collection, Mapping
from functools import partial

import tensorflow as tf

#: TensorFlow's operation for an LSTM, and the place of its output in time among its outputs.
OPERATION, OUTPUT = "BlockLSTM", 6

_INPUTS = ("seq_len_max", "x", "cs_prev", "h_prev", "w", "wci", "wcf", "wco", "b")


def recurrence_of(operation: tf.Operation, constants: Mapping, read: Collection[str]) -> "Recurrence | None":
    """Return what computes an operation of a traced graph, None where it is not one that can be replaced.

    It can be where it is an LSTM over all steps of its input, without peepholes and clipping, its weights are known,
    and its output alone is read.

    Args:
        operation: the operation.
        constants: values by the names of tensors of the graph.
        read: names of all tensors that are read.
    """
    if operation.type != OPERATION:
        return None
    tensors = dict(zip(_INPUTS, operation.inputs, strict=True))
    known = {name: constants.get(tensor.name) for name, tensor in tensors.items()}
    is_plain = not operation.get_attr("use_peephole") and operation.get_attr("cell_clip") <= 0
    is_read = any(tensor.name in read for tensor in operation.outputs[:OUTPUT])
    if not is_plain or is_read or any(known[name] is None for name in ("seq_len_max", "w", "b")):
        return None
    if int(known["seq_len_max"]) != tensors["x"].shape[0]:
        return None
    return Recurrence(known["w"], known["b"], operation.get_attr("forget_bias"))


class Recurrence:
    """An LSTM with constant weights: call it with inputs and the states that it starts from.

    Its gradients are those with respect to the inputs and states.
    """

    def __init__(self, kernel, bias, forget_bias: float):
        """Divide the weights.

        Args:
            kernel: float (inputs + units, 4 * units): what multiplies an input and the output before it, for the input
                gate, the candidate, the forget gate and the output gate.
            bias: float (4 * units,), in the same order.
            forget_bias: what is added to the bias of the forget gate.
        """
        units = bias.shape[0] // 4
        kernel = tf.convert_to_tensor(kernel)
        self._of_input, self._of_output = kernel[:-units], kernel[-units:]
        forget = tf.concat([tf.zeros([2 * units]), tf.fill([units], forget_bias), tf.zeros([units])], axis=0)
        self._bias = bias + forget

    def __call__(self, inputs: tf.Tensor, cell: tf.Tensor, output: tf.Tensor) -> tf.Tensor:
        """Return the outputs in time.

        Args:
            inputs: float32 (steps, batch, inputs), the number of steps known.
            cell: float32 (batch, units), the cell's state before the first step.
            output: float32 (batch, units), the output before the first step.

        Returns:
            float32 (steps, batch, units).
        """
        return tf.custom_gradient(self._with_gradient)(inputs, cell, output)

    def _with_gradient(self, inputs, first_cell, first_output):
        steps = inputs.shape[0]
        of_inputs = _multiplied(inputs, self._of_input) + self._bias

        def step(number, cell, output, cells, outputs, gates):
            summed = of_inputs[number] + tf.matmul(output, self._of_output)
            admitted, candidate, kept, shown = tf.split(summed, 4, axis=1)
            opened = tf.sigmoid(admitted), tf.tanh(candidate), tf.sigmoid(kept), tf.sigmoid(shown)
            admitted, candidate, kept, shown = opened
            cell = kept * cell + admitted * candidate
            output = shown * tf.tanh(cell)
            gates = gates.write(number, tf.concat(opened, axis=1))
            return number + 1, cell, output, cells.write(number, cell), outputs.write(number, output), gates

        arrays = [tf.TensorArray(tf.float32, steps) for _ in range(3)]
        start = 0, first_cell, first_output, *arrays
        *_, cells, outputs, gates = tf.while_loop(lambda number, *_: number < steps, step, start)
        cells = tf.concat([first_cell[None], cells.stack()], axis=0)
        return outputs.stack(), partial(self._gradient, steps, cells, gates.stack())

    def _gradient(self, steps, cells, gates, upstream):
        """Return the gradient with respect to the inputs and the states, given that with respect to the outputs.

        Args:
            steps: their number.
            cells: (steps + 1, batch, units), the cell's states, from that before the first step.
            gates: (steps, batch, 4 * units), the values of the gates and of the candidate.
            upstream: (steps, batch, units).
        """

        def step(number, of_cell, of_output, of_sums):
            admitted, candidate, kept, shown = tf.split(gates[number], 4, axis=1)
            of_output += upstream[number]
            bounded = tf.tanh(cells[number + 1])
            of_cell += of_output * shown * (1 - tf.square(bounded))
            of_summed = [
                of_cell * candidate * admitted * (1 - admitted),
                of_cell * admitted * (1 - tf.square(candidate)),
                of_cell * cells[number] * kept * (1 - kept),
                of_output * bounded * shown * (1 - shown),
            ]
            of_summed = tf.concat(of_summed, axis=1)
            of_output = tf.matmul(of_summed, self._of_output, transpose_b=True)
            return number - 1, of_cell * kept, of_output, of_sums.write(number, of_summed)

        start = steps - 1, tf.zeros_like(cells[0]), tf.zeros_like(cells[0]), tf.TensorArray(tf.float32, steps)
        _, of_cell, of_output, of_sums = tf.while_loop(lambda number, *_: number >= 0, step, start)
        return _multiplied(of_sums.stack(), self._of_input, transpose_b=True), of_cell, of_output


def _multiplied(values: tf.Tensor, matrix: tf.Tensor, transpose_b: bool = False) -> tf.Tensor:
    """Multiply each of (steps, batch, rows) by a matrix (rows, columns), or its transpose, all at once."""
    rows, columns = reversed(matrix.shape) if transpose_b else matrix.shape
    product = tf.matmul(tf.reshape(values, [-1, rows]), matrix, transpose_b=transpose_b)
    return tf.reshape(product, [*tf.unstack(tf.shape(values)[:2]), columns])
