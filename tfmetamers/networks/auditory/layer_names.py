"""How the layers of auditory networks are called, told without TensorFlow."""

from collections.abc import Mapping, Sequence

#: The task whose classes are the network's labels (``build_word_network_aliased.py``).
LABEL_TASK = "/stimuli/word_int"

#: The pools that take the places of convolutions: in the released network with reduced aliasing, they do what the
#: strides of these convolutions do in the other network.
POOLS_IN_PLACE = {"conv_0": "pool_0_0", "conv_1": "pool_1_0"}

#: Types of the layers that the paper names; a name stands for the activations after the ReLU.
WEIGHTED = ("tf.layers.conv2d", "tf.layers.dense")

#: Types of the layers that give a network its logits, which come last.
TOPS = ("fc_top_classification", "multi_fc_top_classification")

#: The names that every network of this kind gives its input and its output.
RESERVED_NAMES = ("cochleagram", "logits")


def paper_names(layers: Sequence[tuple[str, str]]) -> list[str]:
    """Return the paper's names of a network's layers, from the input to the output.

    These are the cochleagram; each convolutional or dense layer, or the pool in its place; and the logits.

    Args:
        layers: the type and the name of each layer of the architecture.
    """
    names = {name for _, name in layers}
    weighted = [name for layer_type, name in layers if layer_type in WEIGHTED]
    in_place = [POOLS_IN_PLACE[name] if POOLS_IN_PLACE.get(name) in names else name for name in weighted]
    first, last = RESERVED_NAMES
    return [first, *in_place, *([last] if layers[-1][0] in TOPS else [])]


def label_task(tasks: Mapping[str, int]) -> str | None:
    """Return the task whose classes are a network's labels; None where there are no tasks."""
    return LABEL_TASK if LABEL_TASK in tasks else next(iter(sorted(tasks)), None)
