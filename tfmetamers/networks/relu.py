"""Which ReLU produces a layer: found in the graph, not declared."""

from dataclasses import dataclass

from tfmetamers.gradients import straight_through_relu, straight_through_relu6

#: The rectifiers that the rule knows, by their TensorFlow operation, with their straight-through form.
STRAIGHT_THROUGH = {"Relu": straight_through_relu, "Relu6": straight_through_relu6}

#: Operations that only rearrange activations: the ReLU that feeds one of them produces the layer.
REARRANGING = ("Identity", "Reshape", "Squeeze", "ConcatV2")


@dataclass(frozen=True)
class ProducingPath:
    """The operations between a layer and the ReLUs that directly produce it.

    Attributes:
        relus: the rectifiers' names, in the order of the graph walk; empty where no ReLU produces the layer.
        rearranging: names of the operations between them and the layer.
    """

    relus: tuple[str, ...]
    rearranging: tuple[str, ...]

    @property
    def rule(self) -> str:
        """What the matched layer's gradient does, in words."""
        if not self.relus:
            return "ordinary (no ReLU produces this layer)"
        count = len(self.relus)
        return f"straight-through ({count} ReLU{'s' * (count > 1)})"


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
        if operation.type in STRAIGHT_THROUGH:
            relus[operation.name] = None
        elif operation.type in REARRANGING and operation.name not in rearranging:
            rearranging[operation.name] = None
            pending.extend(tensor.op for tensor in reversed(rearranged_inputs(operation)))
    return ProducingPath(tuple(relus), tuple(rearranging) if relus else ())


def rearranged_inputs(operation) -> list:
    """Return the inputs whose values a rearranging operation hands on, without its shape or axis input."""
    inputs = list(operation.inputs)
    return inputs[:-1] if operation.type == "ConcatV2" else inputs[:1]
