"""The three image networks of the paper, from tf_slim's own definitions.

Each is traced in a TensorFlow 1 graph, so that its variables have the names of the published slim
checkpoints by construction. Preprocessing is part of the graph: the stimulus is RGB in [0, 1].
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tfmetamers.networks.graph.traced_graph import TracedGraph

#: The mean of ImageNet's training pictures, red, green and blue in 0 to 255, which VGG networks subtract
#: (``vgg_preprocessing.py`` of the slim model library).
VGG_CHANNEL_MEANS = np.array([123.68, 116.779, 103.939], np.float32)


@dataclass(frozen=True)
class SlimDefinition:
    """What distinguishes one slim network from another.

    Attributes:
        build: from a placeholder (batch, size, size, 3) to the logits (batch, height, width, classes) and
            the end points by name.
        default_size: height and width of the network's input in pixels.
        minimum_size: the smallest input that leaves the last layer one unit wide.
        classes: number of logits: 1000, or 1001 with a background class first.
        end_points: for each layer of the paper, by the paper's name, the end point or tensor that it is.
    """

    build: Callable
    default_size: int
    minimum_size: int
    classes: int
    end_points: dict[str, str]


def _vgg_19(pixels):
    from tf_slim.nets import vgg

    return vgg.vgg_19(pixels * 255.0 - VGG_CHANNEL_MEANS, is_training=False, spatial_squeeze=False)


def _inception_v3(pixels):
    from tf_slim.nets import inception

    from tfmetamers.networks.graph.legacy_layers import import_tf_slim

    # The auxiliary head serves training alone, and its variables would change shape with the input's size.
    with import_tf_slim().arg_scope(inception.inception_v3_arg_scope()):
        return inception.inception_v3(
            (pixels - 0.5) * 2.0,
            num_classes=1001,
            is_training=False,
            create_aux_logits=False,
            spatial_squeeze=False,
        )


def _resnet_v2_101(pixels):
    from tf_slim.nets import resnet_v2

    from tfmetamers.networks.graph.legacy_layers import import_tf_slim

    with import_tf_slim().arg_scope(resnet_v2.resnet_arg_scope()):
        return resnet_v2.resnet_v2_101((pixels - 0.5) * 2.0, num_classes=1001, is_training=False)


#: The networks by name; their layers are those of the paper's Figure 3.
DEFINITIONS = {
    "vgg_19": SlimDefinition(
        _vgg_19,
        default_size=224,
        minimum_size=224,
        classes=1000,
        end_points={
            "conv1_2": "vgg_19/conv1/conv1_2",
            "conv2_2": "vgg_19/conv2/conv2_2",
            "conv3_4": "vgg_19/conv3/conv3_4",
            "conv4_4": "vgg_19/conv4/conv4_4",
            "conv5_4": "vgg_19/conv5/conv5_4",
            "fc6": "vgg_19/fc6",
            "fc7": "vgg_19/fc7",
            "fc8": "logits",
        },
    ),
    "inception_v3": SlimDefinition(
        _inception_v3,
        default_size=299,
        minimum_size=75,
        classes=1001,
        end_points={
            "Conv2d_1a_3x3": "Conv2d_1a_3x3",
            "Conv2d_2b_3x3": "Conv2d_2b_3x3",
            "Conv2d_3b_1x1": "Conv2d_3b_1x1",
            "Conv2d_4a_3x3": "Conv2d_4a_3x3",
            "Mixed_5d": "Mixed_5d",
            "Mixed_6e": "Mixed_6e",
            "Logits": "logits",
        },
    ),
    "resnet_v2_101": SlimDefinition(
        _resnet_v2_101,
        default_size=299,
        minimum_size=32,
        classes=1001,
        end_points={
            "conv1": "resnet_v2_101/conv1",
            "block1": "resnet_v2_101/block1",
            "block2": "resnet_v2_101/block2",
            "block3": "resnet_v2_101/block3",
            "block4": "resnet_v2_101/block4",
            "global_pool": "resnet_v2_101/pool5:0",
            "logits": "logits",
        },
    ),
}


def trace(name: str, size: int | None = None, *, seed: int = 0) -> "TracedGraph":
    """Build a slim network's graph.

    Args:
        name: a key of `DEFINITIONS`.
        size: height and width of the input in pixels; the network's own by default.
        seed: seeds the initialisers of the variables, which this function does not run.
    """
    import tensorflow as tf

    from tfmetamers.networks.graph.legacy_layers import import_tf_slim
    from tfmetamers.networks.graph.traced_graph import TracedGraph

    definition = DEFINITIONS[name]
    size = definition.default_size if size is None else size
    import_tf_slim()
    graph = tf.Graph()
    with graph.as_default(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tf_slim calls functions that TensorFlow has since deprecated.
        tf.compat.v1.set_random_seed(seed)
        stimulus = tf.compat.v1.placeholder(tf.float32, [None, size, size, 3], "stimulus")
        maps, end_points = definition.build(stimulus)
        # An input larger than the network's own gives a map of logits: its mean is the network's answer.
        single = maps.shape[1:3] == [1, 1]
        logits = tf.squeeze(maps, [1, 2]) if single else tf.reduce_mean(maps, [1, 2])
        end_points = {**end_points, "logits": logits}
        layers = {
            layer: graph.get_tensor_by_name(point) if ":" in point else end_points[point]
            for layer, point in definition.end_points.items()
        }
        return TracedGraph(stimulus, layers, logits, tf.compat.v1.global_variables())


def random_weights(name: str, seed: int) -> dict[str, np.ndarray]:
    """Draw a slim network's weights from tf_slim's own initialisers.

    Random networks are a condition of the paper. The graph is built at the network's own size, so that a
    seed stands for the same weights at every size.

    Args:
        name: a key of `DEFINITIONS`.
        seed: the seed.

    Returns:
        Arrays by variable name.
    """
    return trace(name, seed=seed).random_weights()


def labels(name: str) -> list[str]:
    """Return the label of each logit of a slim network.

    The labels are ImageNet's in the order of their WordNet numbers; networks of 1001 classes have
    ``background`` before them.
    """
    thousand = list(imagenet_classes().values())
    return thousand if DEFINITIONS[name].classes == 1000 else ["background", *thousand]


def imagenet_classes() -> dict[str, str]:
    """Return the labels of ImageNet's thousand classes by their WordNet numbers, such as ``n02690373``, in order."""
    listed = resources.files(__package__).joinpath("imagenet_labels.txt").read_text("utf-8")
    return dict(line.split(" ", 1) for line in listed.splitlines())
