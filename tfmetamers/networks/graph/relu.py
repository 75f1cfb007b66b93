"""Which ReLU produces a layer: found in the graph, not declared."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import tensorflow as tf

from tfmetamers.gradients import straight_through_clipped_relu, straight_through_relu

#: Operations that only rearrange activations: the ReLU that feeds one of them produces the layer.
REARRANGING = ("Identity", "Reshape", "Squeeze", "ConcatV2")


@dataclass(frozen=True)
class Rectifier:
    """A ReLU of a graph, clipped or not.

    Attributes:
        pre_activation: the tensor that it rectifies.
        ceiling: what its values do not exceed; None where they are not clipped.
    """

    pre_activation: tf.Tensor
    ceiling: float | None

    @property
    def straight_through(self) -> Callable[[tf.Tensor], tf.Tensor]:
        """The function with its values and a gradient of 1 everywhere."""
        if self.ceiling is None:
            return straight_through_relu
        return partial(straight_through_clipped_relu, ceiling=self.ceiling)


@dataclass(frozen=True)
class ProducingPath:
    """The operations between a layer and the ReLUs that directly produce it.

    Attributes:
        relus: the rectifiers' names, in the order of the graph walk; empty where no ReLU produces the layer.
        rearranging: names of the operations between them and the layer.
        ceilings: what the values of each of them do not exceed; None where they are not clipped.
    """

    relus: tuple[str, ...]
    rearranging: tuple[str, ...]
    ceilings: tuple[float | None, ...] = ()

    @property
    def rule(self) -> str:
        """What the matched layer's gradient does, in words."""
        if not self.relus:
            return "ordinary (no ReLU produces this layer)"
        count = len(self.relus)
        counted = f"{count} ReLU{'s' * (count > 1)}"
        clipped = [ceiling for ceiling in self.ceilings if ceiling is not None]
        if clipped:
            some = "" if len(clipped) == count else f", {len(clipped)} of them"
            counted += f"{some} clipped at {' or '.join(f'{each:g}' for each in sorted(set(clipped)))}"
        return f"straight-through ({counted})"


def producing_path(layer) -> ProducingPath:
    """Walk back from a layer's tensor to the ReLUs that directly feed it.

    The walk passes through operations that only rearrange activations, so that an Inception block, a
    concatenation of ReLUs, is found to be produced by all of them (paper, section 3.1: the layer matched
    "immediately following a ReLU").

    Args:
        layer: the layer's tensor in a `tf.Graph`.
    """
    relus, rearranging, pending = {}, {}, [layer.op]
    while pending:
        operation = pending.pop()
        rectifier = find_rectifier(operation)
        if rectifier:
            relus[operation.name] = rectifier.ceiling
        elif operation.type in REARRANGING and operation.name not in rearranging:
            rearranging[operation.name] = None
            pending.extend(tensor.op for tensor in reversed(rearranged_inputs(operation)))
    return ProducingPath(tuple(relus), tuple(rearranging) if relus else (), tuple(relus.values()))


def find_rectifier(operation: tf.Operation) -> Rectifier | None:
    """Return the ReLU whose output an operation gives, None where it gives none.

    It is a ReLU, a ReLU6, or the smaller of a ReLU and a constant above zero, as DeepSpeech writes its clipped ReLU.
    """
    if operation.type in ("Relu", "Relu6"):
        return Rectifier(operation.inputs[0], 6.0 if operation.type == "Relu6" else None)
    if operation.type != "Minimum":
        return None
    for rectified, bound in (operation.inputs, reversed(operation.inputs)):
        ceiling = tf.get_static_value(bound)
        if rectified.op.type == "Relu" and ceiling is not None and ceiling.ndim == 0 and ceiling > 0:
            return Rectifier(rectified.op.inputs[0], float(ceiling))
    return None


def rearranged_inputs(operation) -> list:
    """Return the inputs whose values a rearranging operation hands on, without its shape or axis input."""
    inputs = list(operation.inputs)
    return inputs[:-1] if operation.type == "ConcatV2" else inputs[:1]
