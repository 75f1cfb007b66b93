"""From a network's name to the network."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfmetamers.checkpoints.catalog import cached_checkpoint, find_entry
from tfmetamers.checkpoints.reader import CheckpointFile, read_variables
from tfmetamers.errors import ArgumentError, CheckpointError, checked_whole_number, unknown_name
from tfmetamers.networks import slim
from tfmetamers.networks.network import Network, Provenance

#: What the weights of a network can be.
WEIGHTS = ("checkpoint", "random")


def network_names() -> list[str]:
    """Return the name of every network that can be loaded."""
    return list(slim.DEFINITIONS)


def load_network(
    name: str,
    *,
    checkpoint: str | os.PathLike | None = None,
    weights: str = "checkpoint",
    weights_seed: int = 0,
    size: int | None = None,
) -> Network:
    """Load a network of the paper.

    Args:
        name: ``"vgg_19"``, ``"inception_v3"`` or ``"resnet_v2_101"``.
        checkpoint: a TensorFlow checkpoint of it, of either format; by default the one that
            ``tfmetamers checkpoints fetch`` brought.
        weights: ``"checkpoint"``, or ``"random"`` for weights drawn from tf_slim's own initialisers, a
            condition of the paper.
        weights_seed: the seed of random weights.
        size: height and width of the stimulus in pixels; the network's own (224, 299, 299) by default.

    Raises:
        ArgumentError: an unknown name, or arguments that exclude each other.
        CheckpointError: there is no checkpoint, or it is not that of the network.
    """
    _check_name(name)
    if weights not in WEIGHTS:
        raise ArgumentError(f"The weights {weights!r} are not known; give one of {', '.join(WEIGHTS)}.")
    if weights == "random" and checkpoint is not None:
        raise ArgumentError("Random weights and a checkpoint exclude each other; give one of the two.")
    weights_seed = checked_whole_number("seed of the weights", weights_seed, least=0)
    traced = slim.trace(name, size)
    if weights == "random":
        values = slim.random_weights(name, weights_seed)
        provenance = Provenance("random", _digest(values), seed=weights_seed)
    else:
        file = CheckpointFile(checkpoint or _fetched(name))
        values = read_variables(file, _specification(traced), find_entry(name).known_extras)
        provenance = Provenance("checkpoint", file.digest, file=Path(file.path).name)
    return _network(name, traced, values, provenance)


def describe_network(name: str, size: int | None = None) -> Network:
    """Return a network without its weights: its layers can be read, its activations cannot be computed."""
    _check_name(name)
    return _network(name, slim.trace(name, size), {}, Provenance("none", digest=""))


def network_variables(name: str) -> dict[str, tuple[tuple[int, ...], str]]:
    """Return shape and dtype of each variable that a checkpoint of the network must hold, by name."""
    _check_name(name)
    return _specification(slim.trace(name))


def probe_label(name: str, arrays: Mapping[str, np.ndarray]) -> list[str]:
    """Return the five likeliest labels that a network with these weights gives the probe photograph.

    The probe is ``grace_hopper.jpg``, the photograph that ships with matplotlib.
    """
    from tfmetamers.stimuli.images import load_image, sample_photograph

    network = _network(name, slim.trace(name), dict(arrays), Provenance("checkpoint", digest=""))
    logits = network.logits(load_image(sample_photograph(), network.input_size)[None]).numpy()[0]
    return [network.labels[index] for index in np.argsort(-logits)[:5]]


def _check_name(name: str) -> None:
    if name not in slim.DEFINITIONS:
        raise unknown_name("network", name, network_names(), "'tfmetamers networks' lists them.")


def _specification(traced: slim.Trace) -> dict[str, tuple[tuple[int, ...], str]]:
    return {
        variable.op.name: (tuple(variable.shape.as_list()), variable.dtype.base_dtype.name)
        for variable in traced.variables
    }


def _network(name, traced, values, provenance) -> Network:
    # Popping frees each array once it is a tensor: VGG-19's weights need not be in memory twice.
    weights = {variable: tf.constant(values.pop(variable)) for variable in list(values)}
    return Network(
        name,
        domain="image",
        stimulus=traced.stimulus,
        layers=traced.layers,
        logits=traced.logits,
        weights=weights,
        provenance=provenance,
        labels=slim.labels(name),
        recipe="feather2019-image",
    )


def _fetched(name: str) -> Path:
    path = cached_checkpoint(name)
    if path is None:
        raise CheckpointError(
            f"{name} needs its checkpoint, and none has been fetched: run 'tfmetamers checkpoints fetch {name}', "
            "or give --checkpoint PATH, or --weights random."
        )
    return path


def _digest(values: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(values):
        digest.update(name.encode() + values[name].tobytes())
    return digest.hexdigest()
