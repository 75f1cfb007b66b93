"""VGGish, the network whose embeddings AudioSet was published with: from log-mel spectrograms to embeddings.

It is the graph of ``vggish_slim.py`` (tensorflow/models, research/audioset), with the variable names of the published
checkpoint. The paper matched "the VGGish Embedding model" and does not say at which layers: here they are the last
convolution before each pool, and each dense layer.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfmetamers.features.log_mel import BANDS, EXAMPLE_FRAMES, SAMPLING_RATE, count_examples
from tfmetamers.networks.graph.legacy_layers import import_tf_slim
from tfmetamers.networks.graph.traced_graph import TracedGraph
from tfmetamers.stimuli.sounds import resample

#: The convolutions between one pool and the next: their scopes and their channels.
BLOCKS = (
    (("conv1",), 64),
    (("conv2",), 128),
    (("conv3/conv3_1", "conv3/conv3_2"), 256),
    (("conv4/conv4_1", "conv4/conv4_2"), 512),
)

#: Units of the two dense layers before the embedding, and of the embedding.
DENSE_UNITS, EMBEDDING_UNITS = 4096, 128

#: The standard deviation of random weights (``INIT_STDDEV`` of ``vggish_params.py``); random biases are zero.
WEIGHT_DEVIATION = 0.01

#: The sound that the published code is tested with: a tone of full scale.
TONE_HERTZ, TONE_SECONDS = 1000, 3


@dataclass(frozen=True)
class Version:
    """What distinguishes one version of the published code from the other; the checkpoint is the same.

    Attributes:
        rectified: whether a ReLU ends the embedding.
        tone_times: returns the time of each sample, in seconds, of the tone that this version was tested with.
        tone_rate: its sampling rate, in Hz.
        tone_mean: mean of the tone's embeddings.
        tone_deviation: their standard deviation; both are tested to 10%.
    """

    rectified: bool
    tone_times: Callable[[], np.ndarray]
    tone_rate: int
    tone_mean: float
    tone_deviation: float


#: The versions by network name: the code of 2017 to 2019, which is the paper's, and the code since 2020.
VERSIONS = {
    "vggish": Version(
        rectified=True,
        tone_times=lambda: np.linspace(0, TONE_SECONDS, TONE_SECONDS * 44_100),
        tone_rate=44_100,
        tone_mean=0.131,
        tone_deviation=0.238,
    ),
    "vggish_2020": Version(
        rectified=False,
        tone_times=lambda: np.arange(0, TONE_SECONDS, 1 / SAMPLING_RATE),
        tone_rate=SAMPLING_RATE,
        tone_mean=0.000657,
        tone_deviation=0.343,
    ),
}


def published_tone(name: str) -> np.ndarray:
    """Return the tone that a version was tested with (``vggish_smoke_test.py``), at 16 kHz: float64 (samples,)."""
    version = VERSIONS[name]
    return resample(np.sin(2 * np.pi * TONE_HERTZ * version.tone_times()), version.tone_rate, SAMPLING_RATE)


def trace(name: str, samples: int, *, seed: int = 0) -> TracedGraph:
    """Build a version's graph.

    The examples of a sound go through the network one by one, and each layer has them side by side.

    Args:
        name: a key of `VERSIONS`.
        samples: length of the sounds at 16 kHz.
        seed: seeds the initialisers of the variables, which this function does not run. A seed stands for the same
            weights at every length, and in both versions.

    Returns:
        The graph; its stimulus is the placeholder ``log_mel``, float32 (batch, examples, 96, 64), and its layers are
        (batch, examples, ...).

    Raises:
        ArgumentError: the sounds are shorter than one example.
    """
    examples = count_examples(samples)
    slim, v1 = import_tf_slim(), tf.compat.v1
    with tf.Graph().as_default(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tf_slim calls functions that TensorFlow has since deprecated.
        v1.set_random_seed(seed)
        log_mel = v1.placeholder(tf.float32, [None, examples, EXAMPLE_FRAMES, BANDS], "log_mel")
        initializer = v1.truncated_normal_initializer(stddev=WEIGHT_DEVIATION)
        weighted = slim.arg_scope([slim.conv2d, slim.fully_connected], weights_initializer=initializer)
        with weighted, v1.variable_scope("vggish"):
            outputs = _build(slim, tf.reshape(log_mel, [-1, EXAMPLE_FRAMES, BANDS, 1]), VERSIONS[name].rectified)
        layers = {
            layer: tf.reshape(output, [-1, examples, *output.shape[1:]], f"layers/{layer}")
            for layer, output in outputs.items()
        }
        return TracedGraph(log_mel, {"log_mel": log_mel, **layers}, None, v1.global_variables())


def _build(slim, maps: tf.Tensor, is_rectified: bool) -> dict[str, tf.Tensor]:
    """Build the network on examples (examples, 96, 64, 1) and return its layers by name."""
    layers = {}
    for block, (scopes, channels) in enumerate(BLOCKS, 1):
        for scope in scopes:
            maps = slim.conv2d(maps, channels, 3, scope=scope)
        layers[scopes[-1].rpartition("/")[2]] = maps
        maps = slim.max_pool2d(maps, 2, padding="SAME", scope=f"pool{block}")
    flat = tf.reshape(maps, [-1, np.prod(maps.shape[1:])])
    layers["fc1_1"] = slim.fully_connected(flat, DENSE_UNITS, scope="fc1/fc1_1")
    layers["fc1_2"] = slim.fully_connected(layers["fc1_1"], DENSE_UNITS, scope="fc1/fc1_2")
    activation = tf.nn.relu if is_rectified else None
    layers["embedding"] = slim.fully_connected(layers["fc1_2"], EMBEDDING_UNITS, activation_fn=activation, scope="fc2")
    return layers
