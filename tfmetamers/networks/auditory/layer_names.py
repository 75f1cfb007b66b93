"""Which layers of an auditory network the paper names, and which task labels it: told from plain text."""

import re
from collections.abc import Iterable, Sequence

#: The task whose classes are the network's labels (``build_word_network_aliased.py``).
LABEL_TASK = "/stimuli/word_int"

#: The pools that take the places of convolutions: in the released network with reduced aliasing, they do what the
#: strides of these convolutions do in the other network.
POOLS_IN_PLACE = {"conv_0": "pool_0_0", "conv_1": "pool_1_0"}

#: Types of the layers that the paper names; a name stands for the activations after the ReLU.
WEIGHTED = ("tf.layers.conv2d", "tf.layers.dense")

RECTIFIERS = ("tf.nn.relu", "tf.nn.relu6", "tf.nn.leaky_relu")

#: Types of the layers that have an output for each task; such a layer is the last.
TOPS = ("fc_top_classification", "multi_fc_top_classification")

#: The names of a network's input, and of its output where its last layer is one of `TOPS`.
INPUT, OUTPUT = "cochleagram", "logits"


def label_task(tasks: Iterable[str]) -> str | None:
    """Return the task whose classes are the network's labels; None where there are no tasks."""
    return LABEL_TASK if LABEL_TASK in tasks else min(tasks, default=None)


def activation_layers(layers: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return, for each layer with weights, the layer whose output are its activations: its ReLU, if it has one.

    Args:
        layers: the type and the name of each layer.
    """
    return {
        name: _rectifier(name, layers[place + 1 :]) or name
        for place, (layer_type, name) in enumerate(layers)
        if layer_type in WEIGHTED
    }


def paper_layers(layers: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return, for each name of the paper's but that of the input, the layer whose output it stands for.

    Args:
        layers: the type and the name of each layer.
    """
    names = {name for _, name in layers}
    named = {}
    for name, activations in activation_layers(layers).items():
        pool = POOLS_IN_PLACE.get(name)
        named |= {pool: pool} if pool in names else {name: activations}
    last_type, last = layers[-1]
    return {**named, OUTPUT: last} if last_type in TOPS else named


def _rectifier(name: str, later: Sequence[tuple[str, str]]) -> str | None:
    """Return the name of a layer's ReLU: the one with the layer's name, or else the one that directly follows."""
    named = f"relu_{re.sub('^conv_', '', name)}"
    if any(layer_type in RECTIFIERS and each == named for layer_type, each in later):
        return named
    return next((each for layer_type, each in later[:1] if layer_type in RECTIFIERS), None)
