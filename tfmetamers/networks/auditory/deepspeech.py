"""DeepSpeech, a speech recogniser: from framed MFCCs to characters.

This is release 0.4.1 of January 2019, the closest in date to the paper, which does not say which release it used.
Variables have the names of DeepSpeech's own checkpoints, and layers are those of ``BiRNN`` in its ``DeepSpeech.py``.
"""

from itertools import groupby

import numpy as np
import tensorflow as tf

from tfmetamers.features.mfcc import COEFFICIENTS, count_frames
from tfmetamers.networks.graph.traced_graph import TracedGraph

#: Frames on each side of a frame that the first layer sees with it; beyond the ends of the sound they are zero.
CONTEXT = 9

#: Units of each hidden layer.
HIDDEN_UNITS = 2048

#: The value that a unit does not exceed.
CEILING = 20.0

#: The characters, in the order of their logits; the last logit is that of the blank, which writes nothing.
ALPHABET = " abcdefghijklmnopqrstuvwxyz'"

#: The scope of the recurrent layer's variables.
RECURRENT_SCOPE = "lstm_fused_cell"


def labels() -> list[str]:
    """Return what each logit stands for: the 28 characters, and nothing for the blank."""
    return [*ALPHABET, ""]


def transcribe(logits) -> list[str]:
    """Write down what logits say: the likeliest character of each frame (greedy decoding).

    Repeated characters are merged, then blanks are dropped (Graves et al., 2006). There is no language model.

    Args:
        logits: float array (batch, frames, 29), the blank last.

    Returns:
        A text for each item; empty where every frame is blank.
    """
    characters = labels()
    return ["".join(characters[each] for each, _ in groupby(row)) for row in np.argmax(logits, axis=-1)]


def trace(samples: int, *, seed: int = 0, hidden: int = HIDDEN_UNITS) -> TracedGraph:
    """Build the graph.

    Its placeholder ``mfcc`` takes what `tfmetamers.features.Mfcc` returns, float32 (batch, frames, 26); layers are
    (batch, frames, units). The frames of a sound influence each other; the sounds of a batch do not.

    Args:
        samples: length of the sounds at 16 kHz.
        seed: seeds the initialisers of the variables, which this function does not run. A seed stands for the same
            weights at every length.
        hidden: units of each hidden layer; those of the published checkpoint by default.

    Raises:
        ArgumentError: the sounds are shorter than a frame.
    """
    frames = count_frames(samples)
    graph = tf.Graph()
    with graph.as_default():
        tf.compat.v1.set_random_seed(seed)
        variables = _variables(hidden)
        stimulus = tf.compat.v1.placeholder(tf.float32, [None, frames, COEFFICIENTS], "mfcc")
        layers = {"mfcc": stimulus}

        def add(layer, values):
            layers[layer] = tf.reshape(values, [-1, frames, values.shape[-1]], layer)
            return layers[layer]

        values = _in_context(stimulus)
        for number in (1, 2, 3):
            dense = _dense(values, variables[f"h{number}"], variables[f"b{number}"])
            values = add(f"layer_{number}", _rectified(dense))
        values = add("rnn_output", _recurrent(values, variables))
        values = add("layer_5", _rectified(_dense(values, variables["h5"], variables["b5"])))
        logits = add("logits", _dense(values, variables["h6"], variables["b6"]))
        return TracedGraph(stimulus, layers, logits, list(variables.values()))


def _variables(hidden: int) -> dict[str, tf.Variable]:
    """Create the variables, by name, with the release's initialisers: Glorot's uniform one, and zeros for biases.

    They are created before anything else, so that a seed stands for the same weights at every length.
    """
    inputs, outputs = (2 * CONTEXT + 1) * COEFFICIENTS, len(ALPHABET) + 1
    kernels = {1: (inputs, hidden), 2: (hidden, hidden), 3: (hidden, hidden), 5: (hidden, hidden), 6: (hidden, outputs)}
    uniform, zeros = tf.compat.v1.initializers.glorot_uniform(), tf.compat.v1.initializers.zeros()
    variables = {}

    def create(name, shape, initializer):
        variables[name] = tf.compat.v1.get_variable(name, shape, initializer=initializer, use_resource=True)

    for number, shape in kernels.items():
        create(f"h{number}", shape, uniform)
        create(f"b{number}", shape[1:], zeros)
    create(f"{RECURRENT_SCOPE}/kernel", (2 * hidden, 4 * hidden), uniform)
    create(f"{RECURRENT_SCOPE}/bias", (4 * hidden,), zeros)
    return variables


def _in_context(features: tf.Tensor) -> tf.Tensor:
    """Return each frame between the frames before and after it: (batch, frames, 19 * 26)."""
    frames = features.shape[1]
    padded = tf.pad(features, [[0, 0], [CONTEXT, CONTEXT], [0, 0]])
    return tf.concat([padded[:, start : start + frames] for start in range(2 * CONTEXT + 1)], axis=-1)


def _dense(values: tf.Tensor, kernel, bias) -> tf.Tensor:
    """Return a layer of all frames of all items, (batch * frames, units)."""
    return tf.nn.bias_add(tf.matmul(tf.reshape(values, [-1, values.shape[-1]]), kernel), bias)


def _rectified(values: tf.Tensor) -> tf.Tensor:
    return tf.minimum(tf.nn.relu(values), CEILING)


def _recurrent(values: tf.Tensor, variables) -> tf.Tensor:
    """Return the output (batch, frames, units) of an LSTM that starts from zero, ``LSTMBlockFusedCell`` of 0.4.1."""
    inputs = tf.transpose(values, [1, 0, 2])
    kernel, bias = variables[f"{RECURRENT_SCOPE}/kernel"], variables[f"{RECURRENT_SCOPE}/bias"]
    units = bias.shape[0] // 4
    state = tf.zeros([tf.shape(inputs)[1], units])
    unused = tf.zeros([units])
    outputs = tf.raw_ops.BlockLSTM(
        seq_len_max=tf.constant(inputs.shape[0], tf.int64),
        x=inputs,
        cs_prev=state,
        h_prev=state,
        w=kernel,
        wci=unused,
        wcf=unused,
        wco=unused,
        b=bias,
        forget_bias=1.0,
        cell_clip=-1.0,  # No clipping; by default the operation clips at 3.
        use_peephole=False,
    ).h
    return tf.transpose(outputs, [1, 0, 2])
