"""Any TensorFlow function as a network."""

import hashlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from tfmetamers.errors import ArgumentError, first_line, shown, unknown_name
from tfmetamers.networks.network import Network, check_name
from tfmetamers.networks.own.stimulus_input import find_input
from tfmetamers.networks.own.traced_network import (
    TracedFunction,
    check_independence,
    noise_stimuli,
    trace_function,
    traced_network,
)
from tfmetamers.networks.provenance import Provenance
from tfmetamers.networks.spec_values import offered_layers


def from_function(
    fn: Callable[[tf.Tensor], Mapping[str, tf.Tensor]],
    stimulus_shape: Sequence[int],
    *,
    layers: str | Sequence[str] | None = None,
    domain: str | None = None,
    labels: Sequence[str] | None = None,
    logits: str | None = None,
    sampling_rate: int | None = None,
    name: str = "function",
) -> Network:
    """Make a network of a TensorFlow function.

    Args:
        fn: from a batch of stimuli, float32 `(batch, *stimulus_shape)`, to activations by name, each float32 (batch,
            ...). It is traced once, as `tf.function` does, and tried on noise.
        stimulus_shape: of one stimulus: (height, width, channels) of a picture in [0, 1]; (samples,) of a sound with a
            full scale of 1; any shape of an array.
        layers: names of the activations to offer, or one of them; all by default.
        domain: ``"image"``, ``"sound"`` or ``"array"``; by default, stimuli with a sampling rate are sounds, those of
            (height, width, 1 or 3) pictures, and any others arrays.
        labels: the label of each unit of `logits`.
        logits: the name of the activation that the labels belong to.
        sampling_rate: of sounds, in Hz.
        name: the network's name.

    Raises:
        ArgumentError: an argument is not of the expected kind; the function cannot be traced; it does not return a
            dictionary of tensors, or returns activations whose first axis is not the batch, with an axis of no fixed
            length, with values that are not finite, or without a gradient with respect to the stimulus; stimuli of a
            batch influence each other; or a layer or the labels do not fit.

    >>> from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    <Network function: an array of 6, 1 layer>
    """
    if not callable(fn):
        raise ArgumentError(f"The function is {shown(fn)}; something that can be called was expected.")
    check_name(name)
    layers = offered_layers(layers)
    taken = find_input(stimulus_shape, network=name, domain=domain, sampling_rate=sampling_rate)
    found: dict[str, tf.Tensor] = {}

    def traced(stimuli):
        found.update(_checked_activations(name, fn(taken(stimuli))))
        return list(found.values())

    try:
        function = trace_function(traced, taken.domain.shape)
    except ArgumentError:
        raise
    except Exception as error:  # The function may raise anything.
        raise ArgumentError(
            f"The function {name} cannot be traced ({first_line(error)}); it must compute with TensorFlow alone."
        ) from error
    _check_values(name, dict(zip(found, function.function(noise_stimuli(taken)), strict=True)))
    check_independence(name, function.function, taken)
    if logits is not None and logits not in found:
        raise unknown_name("activation", logits, found, "Give one that the function returns.", where=f" of {name}")
    return traced_network(
        name,
        taken,
        stimulus=function.stimulus,
        found=found,
        layers=list(found) if layers is None else layers,
        logits=None if logits is None else found[logits],
        weights=function.weights,
        provenance=Provenance("function", _digest(function)),
        labels=labels,
    )


def _checked_activations(name: str, activations) -> Mapping[str, tf.Tensor]:
    if not isinstance(activations, Mapping) or not activations:
        raise ArgumentError(
            f"The function {name} returns {shown(activations)}; a dictionary of activations was expected."
        )
    for layer, tensor in activations.items():
        if not isinstance(layer, str) or not tf.is_tensor(tensor) or tensor.dtype != tf.float32:
            raise ArgumentError(
                f"The function {name} returns {_kind(tensor)} as {shown(layer)}; a float32 tensor by its name was "
                "expected."
            )
        shape = tensor.shape
        if shape.rank in (None, 0) or shape[0] is not None or not shape[1:].is_fully_defined():
            raise ArgumentError(
                f"The function {name} returns {layer!r} of shape {shape}; (batch, ...) was expected, with a batch of "
                "any length and all other axes fixed."
            )
    return activations


def _check_values(name: str, activations: Mapping[str, tf.Tensor]) -> None:
    """Refuse activations of two stimuli that are not finite, or do not have two rows."""
    for layer, tensor in activations.items():
        if tensor.shape[0] != 2:
            raise ArgumentError(
                f"The function {name} returns {layer!r} of shape {tuple(tensor.shape)} for 2 stimuli; the batch was "
                "expected as the first axis."
            )
        if not np.isfinite(tensor).all():
            raise ArgumentError(
                f"The function {name} returns NaN or infinite values in {layer!r} for noise; finite ones were expected."
            )


def _digest(function: TracedFunction) -> str:
    """Return the SHA-256 of what a graph computes: its operations, how they are joined, and its weights.

    Names, which may hold numbers that differ between two traces of one function, are not part of it.
    """
    digest = hashlib.sha256()
    places: dict[str, str] = {}
    for number, operation in enumerate(function.stimulus.graph.get_operations()):
        places.update({tensor.name: f"{number}:{index}" for index, tensor in enumerate(operation.outputs)})
        inputs = [places[tensor.name] for tensor in operation.inputs]
        digest.update(f"{operation.type} {inputs}\n".encode())
        for attribute, value in sorted(operation.node_def.attr.items()):
            if not attribute.startswith("_"):
                digest.update(attribute.encode() + value.SerializeToString(deterministic=True))
    for value in function.weights.values():
        digest.update(tf.convert_to_tensor(value).numpy().tobytes())
    return digest.hexdigest()


def _kind(value) -> str:
    return f"a tensor of {value.dtype.name}" if tf.is_tensor(value) else f"a value of type {type(value).__name__}"
