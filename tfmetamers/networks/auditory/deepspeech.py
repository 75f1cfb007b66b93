"""DeepSpeech, a recogniser of speech: from framed MFCCs to characters.

Two of its releases: 0.4.1, of January 2019, which is the closest in date to the paper, whose text does not say what it
used; and 0.1.1, whose recurrent layer is bidirectional. Variables bear the names of DeepSpeech's own checkpoints, and
layers are those of ``BiRNN`` in each release's ``DeepSpeech.py``; what a sound becomes before them is in its
``util/audio.py``.
"""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import tensorflow as tf

from tfmetamers.errors import CheckpointError
from tfmetamers.features.mfcc import COEFFICIENTS, Mfcc
from tfmetamers.networks.graph.traced_graph import TracedGraph

#: Frames on each side of a frame that the first layer sees with it; beyond the sound's ends they are zero.
CONTEXT = 9

#: Units of a layer, and of one direction of the recurrent layer.
HIDDEN_UNITS = 2048

#: The value that a unit does not exceed.
CEILING = 20.0

#: Standard deviation of the normal distribution that release 0.1.1 drew weights from (its ``default_stddev``).
EARLY_DEVIATION = 0.046875

#: The characters, in the order of their logits; the last logit is that of the blank, which writes nothing.
ALPHABET = " abcdefghijklmnopqrstuvwxyz'"


@dataclass(frozen=True)
class Version:
    """What distinguishes one release from another.

    Attributes:
        release: its number.
        frame_length: of a frame, in samples.
        step: samples from one frame to the next.
        every: of all frames, every so many-th is kept.
        hamming: whether frames are multiplied by a Hamming window (``numpy.hamming``), or taken as they are.
        whitened: whether all numbers that a sound gives the first layer, those of the zero frames too, are brought to
            mean 0 and standard deviation 1 together.
        directions: scopes of the recurrent layer's variables: one for each direction in time, forward first.
    """

    release: str
    frame_length: int
    step: int
    every: int
    hamming: bool
    whitened: bool
    directions: tuple[str, ...]


#: The releases by the names of the networks.
VERSIONS = {
    "deepspeech": Version(
        release="0.4.1",
        frame_length=512,
        step=320,
        every=1,
        hamming=True,
        whitened=False,
        directions=("lstm_fused_cell",),
    ),
    "deepspeech_0_1_1": Version(
        release="0.1.1",
        frame_length=400,
        step=160,
        every=2,
        hamming=False,
        whitened=True,
        directions=("bidirectional_rnn/fw/basic_lstm_cell", "bidirectional_rnn/bw/basic_lstm_cell"),
    ),
}


def front_end(name: str, samples: int) -> Mfcc:
    """Build the front end of a release: from waveforms (batch, samples) to MFCCs (batch, frames, 26).

    Args:
        name: a key of `VERSIONS`.
        samples: the length of the sounds at 16 kHz.

    Raises:
        ArgumentError: the sounds are shorter than a frame.
    """
    version = VERSIONS[name]
    window = (np.hamming if version.hamming else np.ones)(version.frame_length)
    return Mfcc(samples, window=window, step=version.step, every=version.every)


def labels() -> list[str]:
    """Return what each logit stands for: the 28 characters, and nothing for the blank."""
    return [*ALPHABET, ""]


def transcribe(logits) -> list[str]:
    """Write down what logits say, by the likeliest character of each frame (greedy decoding).

    Of equal characters that follow each other one is kept, then blanks are dropped (Graves et al., 2006). There is no
    language model.

    Args:
        logits: float array (batch, frames, 29), the blank last.

    Returns:
        A text for each item; empty where every frame is blank.
    """
    characters = labels()
    return ["".join(characters[each] for each, _ in groupby(row)) for row in np.argmax(logits, axis=-1)]


def trace(name: str, samples: int, *, seed: int = 0, hidden: int = HIDDEN_UNITS) -> TracedGraph:
    """Build a release's graph.

    Its placeholder ``mfcc`` takes what `front_end` gives, float32 (batch, frames, 26); layers are (batch, frames,
    units). A sound's frames influence each other, sounds do not.

    Args:
        name: a key of `VERSIONS`.
        samples: the length of the sounds at 16 kHz.
        seed: seeds the initialisers of the variables, which this function does not run. A seed stands for the same
            weights at every length.
        hidden: units of a layer; those of the published checkpoints by default.

    Raises:
        ArgumentError: the sounds are shorter than a frame.
    """
    version = VERSIONS[name]
    frames = front_end(name, samples).frames
    graph = tf.Graph()
    with graph.as_default():
        tf.compat.v1.set_random_seed(seed)
        variables = _variables(version, hidden)
        stimulus = tf.compat.v1.placeholder(tf.float32, [None, frames, COEFFICIENTS], "mfcc")
        layers = {"mfcc": stimulus}

        def add(layer, values):
            layers[layer] = tf.reshape(values, [-1, frames, values.shape[-1]], layer)
            return layers[layer]

        values = _whitened(_in_context(stimulus)) if version.whitened else _in_context(stimulus)
        for number in (1, 2, 3):
            dense = _dense(values, variables[f"h{number}"], variables[f"b{number}"])
            values = add(f"layer_{number}", _rectified(dense))
        values = add("rnn_output", _recurrent(version, values, variables))
        values = add("layer_5", _rectified(_dense(values, variables["h5"], variables["b5"])))
        logits = add("logits", _dense(values, variables["h6"], variables["b6"]))
        return TracedGraph(stimulus, layers, logits, list(variables.values()))


def refuse_other_version(name: str, path, found: Collection[str]) -> None:
    """Refuse the checkpoint of another release, which shares most variables with this one.

    Releases 0.2 to 0.4 have the same variables and cannot be told apart by them.

    Args:
        name: a key of `VERSIONS`.
        path: the checkpoint's.
        found: names of its variables.

    Raises:
        CheckpointError: it is that of another release.
    """
    # Later releases come first: 0.5 has the recurrent variables of 0.4.1 besides its own.
    others = {"layer_1/weights": "DeepSpeech 0.5 or later, which no network here is"}
    others |= {
        f"{version.directions[0]}/kernel": f"DeepSpeech {version.release} ('{other}')"
        for other, version in VERSIONS.items()
        if other != name
    }
    for variable, release in others.items():
        if variable in found:
            raise CheckpointError(
                f"{path} is a checkpoint of {release}: it holds {variable}; give one of DeepSpeech "
                f"{VERSIONS[name].release} ('{name}')."
            )


def _variables(version: Version, hidden: int) -> dict[str, tf.Variable]:
    """Create the variables, by name, with the initialisers that the release trained from.

    Release 0.4.1 has Glorot's uniform one and biases of zero; 0.1.1 draws biases and the kernels of hidden layers from
    a normal distribution, and those of the first and last layer from Glorot's normal one. Recurrent layers have
    TensorFlow's default, Glorot's uniform one. They come before anything else, so that a seed stands for the same ones
    at every length.
    """
    inputs, outputs = (2 * CONTEXT + 1) * COEFFICIENTS, len(ALPHABET) + 1
    recurrent = len(version.directions) * hidden
    shapes = {1: (inputs, hidden), 2: (hidden, hidden), 3: (hidden, recurrent), 5: (recurrent, hidden)}
    shapes[6] = (hidden, outputs)
    initializers = tf.compat.v1.initializers
    uniform, zeros = initializers.glorot_uniform(), initializers.zeros()
    ends, hidden_kernel, bias = uniform, uniform, zeros
    if version.release == "0.1.1":
        ends = initializers.glorot_normal()
        hidden_kernel = bias = initializers.random_normal(stddev=EARLY_DEVIATION)
    variables = {}

    def create(name, shape, initializer):
        variables[name] = tf.compat.v1.get_variable(name, shape, initializer=initializer, use_resource=True)

    for number, shape in shapes.items():
        create(f"h{number}", shape, ends if number in (1, 6) else hidden_kernel)
        create(f"b{number}", shape[1:], bias)
    for scope in version.directions:
        create(f"{scope}/kernel", (recurrent + hidden, 4 * hidden), uniform)
        create(f"{scope}/bias", (4 * hidden,), zeros)
    return variables


def _in_context(features: tf.Tensor) -> tf.Tensor:
    """Return each frame after the frames before it and before those after it: (batch, frames, 19 * 26)."""
    frames = features.shape[1]
    padded = tf.pad(features, [[0, 0], [CONTEXT, CONTEXT], [0, 0]])
    return tf.concat([padded[:, start : start + frames] for start in range(2 * CONTEXT + 1)], axis=-1)


def _whitened(values: tf.Tensor) -> tf.Tensor:
    """Bring each item to mean 0 and standard deviation 1."""
    centred = values - tf.reduce_mean(values, axis=[1, 2], keepdims=True)
    return centred / tf.sqrt(tf.reduce_mean(tf.square(centred), axis=[1, 2], keepdims=True))


def _dense(values: tf.Tensor, kernel, bias) -> tf.Tensor:
    """Return a layer of all frames of all items, (batch * frames, units)."""
    return tf.nn.bias_add(tf.matmul(tf.reshape(values, [-1, values.shape[-1]]), kernel), bias)


def _rectified(values: tf.Tensor) -> tf.Tensor:
    return tf.minimum(tf.nn.relu(values), CEILING)


def _recurrent(version: Version, values: tf.Tensor, variables) -> tf.Tensor:
    """Return the recurrent layer (batch, frames, units): one LSTM, or one a direction side by side."""
    inputs = tf.transpose(values, [1, 0, 2])
    outputs = []
    for backward, scope in enumerate(version.directions):
        directed = tf.reverse(inputs, [0]) if backward else inputs
        directed = _lstm(directed, variables[f"{scope}/kernel"], variables[f"{scope}/bias"])
        outputs.append(tf.reverse(directed, [0]) if backward else directed)
    return tf.transpose(tf.concat(outputs, axis=-1), [1, 0, 2])


def _lstm(inputs: tf.Tensor, kernel, bias) -> tf.Tensor:
    """Return the outputs of an LSTM that starts from zero: (frames, batch, units).

    ``LSTMBlockFusedCell`` of 0.4.1 is this operation; ``BasicLSTMCell`` of 0.1.1 computes the same, with the gates in
    the same order (input, candidate, forget, output).
    """
    frames, units = inputs.shape[0], bias.shape[0] // 4
    state = tf.zeros([tf.shape(inputs)[1], units])
    unused = tf.zeros([units])
    return tf.raw_ops.BlockLSTM(
        seq_len_max=tf.constant(frames, tf.int64),
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
