"""A named activation of a traced network."""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfmetamers.networks.graph.relu import ProducingPath, producing_path


@dataclass(frozen=True)
class Layer:
    """A named activation of a network.

    Attributes:
        name: the paper's name, or ``tensor:`` and the tensor's name.
        tensor: the tensor's name in the traced graph.
        shape: the activation's shape, without the batch.
        path: the ReLUs that directly produce it, found in the graph.

    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> network = from_function(lambda stimuli: {"relu": tf.nn.relu(stimuli)}, (4, 6))
    >>> layer = network.layer("relu")
    >>> layer.name, layer.shape, layer.size
    ('relu', (4, 6), 24)
    """

    name: str
    tensor: str
    shape: tuple[int, ...]
    path: ProducingPath

    @property
    def size(self) -> int:
        """The number of units."""
        return int(np.prod(self.shape))


def describe_layer(name: str, tensor: tf.Tensor) -> Layer:
    """Return the layer of a tensor of a traced graph, whose first axis is the batch."""
    return Layer(name, tensor.name, tuple(tensor.shape[1:].as_list()), producing_path(tensor))
