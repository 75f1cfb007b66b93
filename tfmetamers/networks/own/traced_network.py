"""A network made from a traced function or from a saved graph."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.ops import get_gradient_function  # TensorFlow exports it nowhere else.

from tfmetamers.errors import ArgumentError, unknown_name
from tfmetamers.networks.graph.traced_graph import TracedGraph
from tfmetamers.networks.network import Network
from tfmetamers.networks.own.stimulus_input import StimulusInput
from tfmetamers.networks.provenance import Provenance
from tfmetamers.networks.spec_values import offered_layers
from tfmetamers.recipes import find_recipe
from tfmetamers.utilities.words import counted

#: The fraction by which activations may differ with the batch that a stimulus is in, because of rounding.
MAX_INFLUENCE = 0.01


def traced_network(
    name: str,
    taken: StimulusInput,
    *,
    stimulus: tf.Tensor,
    found: Mapping[str, tf.Tensor],
    layers: str | Sequence[str] | None,
    logits: tf.Tensor | None,
    weights: Mapping[str, tf.Variable | tf.Tensor],
    provenance: Provenance,
    labels: Sequence[str] | None,
    default_layers: Sequence[str] | None = None,
) -> Network:
    """Make a network of a traced graph.

    Args:
        name: the network's name, as of a file.
        taken: what it takes.
        stimulus: the graph's placeholder for a batch of stimuli.
        found: activations that can be layers, by name; those without a gradient to the stimulus are left out.
        layers: names of the layers to offer, or one of them; `default_layers` by default.
        logits: the output that the labels belong to; None where there is none.
        weights: the values of variables and of captured placeholders, by name.
        provenance: where they come from.
        labels: the label of each unit of `logits`.
        default_layers: names of the layers that are offered first, the others as further ones; all by default.

    Raises:
        ArgumentError: a layer is unknown or does not depend on the stimulus, or the labels do not fit.
    """
    layers = offered_layers(layers)
    reached = _differentiable(stimulus)
    offered = {layer: tensor for layer, tensor in found.items() if tensor.name in reached}
    first = default_layers if layers is None else layers
    chosen = offered if first is None else {layer: _chosen(name, layer, found, offered) for layer in first}
    further = {layer: tensor for layer, tensor in offered.items() if layers is None and layer not in chosen}
    return Network(
        name,
        domain=taken.domain,
        traced=TracedGraph(stimulus, chosen, logits, variables=[], further_layers=further),
        weights=weights,
        provenance=provenance,
        labels=checked_labels(labels, logits),
        recipe=taken.recipe,
    )


@dataclass(frozen=True)
class TracedFunction:
    """A traced function of a batch of stimuli, with the functions that it calls.

    Attributes:
        function: the function, compiled.
        stimulus: the placeholder of its stimuli.
        weights: the graph's other inputs, variables and constants, by the names of their placeholders.
    """

    function: Callable
    stimulus: tf.Tensor
    weights: Mapping[str, tf.Variable | tf.Tensor]


def trace_function(function: Callable[[tf.Tensor], object], shape: tuple[int, ...]) -> TracedFunction:
    """Trace a function of float32 (batch, *shape)."""
    with _inlined_functions():
        traced = tf.function(function, autograph=False).get_concrete_function(
            tf.TensorSpec([None, *shape], tf.float32, "stimulus")
        )
    by_handle = {variable.handle.ref(): variable for variable in traced.graph.variables}
    captured = zip(traced.inputs[1:], traced.captured_inputs, strict=True)
    weights = {placeholder.op.name: by_handle.get(external.ref(), external) for placeholder, external in captured}
    return TracedFunction(traced, traced.inputs[0], weights)


def noise_stimuli(taken: StimulusInput) -> np.ndarray:
    """Return two stimuli to try a network on, float32 (2, *domain.shape): noise, and other noise of half its level."""
    recipe = find_recipe(taken.recipe)
    first, second = (taken.domain.noise(recipe, "", "probe", seed) for seed in (0, 1))
    return np.stack([first, second / 2])


def check_independence(name: str, function: Callable, taken: StimulusInput) -> None:
    """Refuse a network in which stimuli of a batch influence each other, or whose output is random.

    Args:
        name: its name.
        function: from a batch of stimuli to activations.
        taken: its input.

    Raises:
        ArgumentError: one of two stimuli gives other activations alone than in a batch of both.
    """
    stimuli = noise_stimuli(taken)
    try:
        together, *alone = (tf.nest.flatten(function(batch)) for batch in (stimuli, stimuli[:1], stimuli[1:]))
    except tf.errors.OpError:  # An operation that only replaying computes, such as a convolution in groups on a CPU.
        return
    for values, *each in zip(together, *alone, strict=True):
        if not _are_alike(np.asarray(values), each):
            raise ArgumentError(
                f"{name} computes other values for a stimulus in a batch than for the stimulus alone; normalise over "
                "each stimulus, not over the batch, and leave random numbers out."
            )


def _are_alike(together: np.ndarray, alone: Sequence[np.ndarray]) -> bool:
    if together.shape[:1] != (len(alone),):
        return False
    pairs = zip(together, (np.asarray(each)[0] for each in alone), strict=True)
    return not any(np.linalg.norm(one - other) > MAX_INFLUENCE * np.linalg.norm(other) for one, other in pairs)


def checked_labels(labels: Sequence[str] | None, logits: tf.Tensor | None) -> Sequence[str] | None:
    """Return the labels where there is one for each unit of the logits.

    Raises:
        ArgumentError: they do not fit.
    """
    if labels is None:
        return None
    if logits is None:
        raise ArgumentError(
            f"{counted(len(labels), 'label')} came without the output that they are for; name that output with logits=."
        )
    if logits.shape.rank != 2 or logits.shape[-1] != len(labels):
        raise ArgumentError(
            f"{counted(len(labels), 'label')} came for an output of shape {tuple(logits.shape)}; one label for each "
            "unit of a flat output was expected."
        )
    return labels


def _chosen(name: str, layer: str, found, offered) -> tf.Tensor:
    if layer in offered:
        return offered[layer]
    if layer in found:
        raise ArgumentError(f"The layer {layer} of {name} has no gradient with respect to the stimulus; leave it out.")
    raise unknown_name("layer", layer, offered, "Give one of its layers.", where=f" in {name}")


def _differentiable(stimulus: tf.Tensor) -> set[str]:
    """Return the names of the tensors from which a gradient leads to the stimulus."""
    reached = {stimulus.name}
    for operation in stimulus.graph.get_operations():
        if any(tensor.name in reached for tensor in operation.inputs) and _has_gradient(operation):
            reached.update(tensor.name for tensor in operation.outputs if _carries_gradient(tensor))
    return reached


def _carries_gradient(tensor: tf.Tensor) -> bool:
    return tensor.dtype.is_floating or tensor.dtype.is_complex or tensor.dtype == tf.variant


def _has_gradient(operation: tf.Operation) -> bool:
    try:
        return get_gradient_function(operation) is not None
    except LookupError:
        # A custom gradient that was not saved with the graph: replaying decides whether it can be left out.
        return "_gradient_op_type" in operation.node_def.attr


@contextlib.contextmanager
def _inlined_functions() -> Iterator[None]:
    """Have functions that a function calls (Keras's grouped convolutions) traced as part of it."""
    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)
