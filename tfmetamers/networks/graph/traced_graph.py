"""A traced graph, before it has weights."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf


@dataclass(frozen=True)
class TracedGraph:
    """A TensorFlow 1 graph of a network, and the tensors in it that matter.

    Attributes:
        stimulus: the placeholder that takes a batch of stimuli, or of what a front end makes of them.
        layers: the paper's layers by the paper's names, from the input to the output.
        logits: float (batch, classes), or None for a network without labels.
        variables: the network's variables.
        further_layers: other layers that have a name of their own.
    """

    stimulus: tf.Tensor
    layers: Mapping[str, tf.Tensor]
    logits: tf.Tensor | None
    variables: list
    further_layers: Mapping[str, tf.Tensor] = field(default_factory=dict)

    @property
    def specification(self) -> dict[str, tuple[tuple[int, ...], str]]:
        """Shape and dtype of each variable by name: what a checkpoint of the network must hold."""
        return {
            variable.op.name: (tuple(variable.shape.as_list()), variable.dtype.base_dtype.name)
            for variable in self.variables
        }

    def random_weights(self) -> dict[str, np.ndarray]:
        """Draw weights from the variables' own initialisers, by the seed that the graph was built with.

        Returns:
            Arrays by variable name.
        """
        with tf.compat.v1.Session(graph=self.stimulus.graph) as session:
            session.run([variable.initializer for variable in self.variables])
            values = session.run(self.variables)
        return {variable.op.name: value for variable, value in zip(self.variables, values, strict=True)}
