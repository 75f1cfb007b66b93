"""From a network's name to the network."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfmetamers.checkpoints.catalog import cached_checkpoint, find_entry
from tfmetamers.checkpoints.reader import CheckpointFile, read_variables
from tfmetamers.cochlea.cochleagram import FRONT_ENDS, build_front_end
from tfmetamers.errors import ArgumentError, CheckpointError, checked_whole_number, unknown_name
from tfmetamers.networks import architecture as architectures
from tfmetamers.networks import release, slim, word_cnn
from tfmetamers.networks.architecture import Architecture
from tfmetamers.networks.network import Network, Provenance
from tfmetamers.networks.trace import Trace
from tfmetamers.stimuli.domains import Images, Sounds

#: What the weights of a network can be.
WEIGHTS = ("checkpoint", "random")

#: Variables that a checkpoint of a word network may hold besides the network's: those of its training.
TRAINING_EXTRAS = ("global_step", "beta1_power", "beta2_power", "*/Adam", "*/Adam_1")


def network_names() -> list[str]:
    """Return the name of every network that can be loaded."""
    return [*slim.DEFINITIONS, *word_cnn.ARCHITECTURES]


@dataclass(frozen=True)
class NetworkSummary:
    """A network in a line.

    Attributes:
        name: the network's name.
        stimulus: what it takes, in words.
        classes: the number of labels.
        layers: names of the paper's layers.
        note: what else a reader should know about where it comes from.
    """

    name: str
    stimulus: str
    classes: int
    layers: list[str]
    note: str = ""


def summarize_networks() -> list[NetworkSummary]:
    """Return a line for each network, without building the large ones."""
    images = [
        NetworkSummary(
            name, Images(definition.default_size).describe(), definition.classes, list(definition.end_points)
        )
        for name, definition in slim.DEFINITIONS.items()
    ]
    described = [describe_network(name) for name in word_cnn.ARCHITECTURES]
    return images + [
        NetworkSummary(
            network.name,
            network.domain.describe(),
            len(network.labels),
            list(network.layers),
            network.provenance.note,
        )
        for network in described
    ]


def load_network(
    name: str,
    *,
    checkpoint: str | os.PathLike | None = None,
    weights: str = "checkpoint",
    weights_seed: int = 0,
    size: int | None = None,
) -> Network:
    """Load a network of the paper.

    A word network comes from the authors' release where that has been fetched, architecture and all; otherwise, and
    with random weights, its architecture is the one that the package carries (`tfmetamers.networks.word_cnn`).

    Args:
        name: a name that `network_names` gives.
        checkpoint: a TensorFlow checkpoint of it, of either format; by default the one that
            ``tfmetamers checkpoints fetch`` brought.
        weights: ``"checkpoint"``, or ``"random"`` for weights drawn from the network's own initialisers, a
            condition of the paper.
        weights_seed: the seed of random weights.
        size: height and width of a picture in pixels; the network's own (224, 299, 299) by default.

    Raises:
        ArgumentError: an unknown name, or arguments that exclude each other.
        CheckpointError: there is no checkpoint, or it is not that of the network.
    """
    _check_name(name)
    weights_seed = _check_weights(checkpoint, weights, weights_seed)
    if name in word_cnn.ARCHITECTURES:
        _refuse_size(name, size)
        fetched = None if weights == "random" or checkpoint else _fetched(name)
        if fetched:
            return load_release(fetched.parent, name)
        return _load_stand_in(name, checkpoint, weights, weights_seed)
    loading = {"by": "load_network", "name": name, "weights": weights, "weights_seed": weights_seed, "size": size}
    traced = slim.trace(name, size)
    if weights == "random":
        values = slim.random_weights(name, weights_seed)
        provenance = Provenance("random", _digest(values), seed=weights_seed, loading=loading)
        return _image_network(name, traced, values, provenance)
    values, provenance = _read(checkpoint or _fetched(name), traced, find_entry(name).known_extras, loading)
    return _image_network(name, traced, values, provenance)


def load_architecture(
    architecture: Architecture,
    *,
    checkpoint: str | os.PathLike | None = None,
    weights: str = "checkpoint",
    weights_seed: int = 0,
    labels: Sequence[str] | None = None,
) -> Network:
    """Load an auditory network of any architecture.

    Args:
        architecture: its layers, such as `tfmetamers.networks.architecture.read_architecture` reads.
        checkpoint: a TensorFlow checkpoint with variables in the scope ``brain_network``.
        weights: ``"checkpoint"``, or ``"random"`` for weights drawn from the layers' own initialisers.
        weights_seed: the seed of random weights.
        labels: the label of each class; by default the paper's words where there are as many classes, else numbers.

    Raises:
        ArgumentError: the architecture cannot be built, or arguments exclude each other.
        CheckpointError: there is no checkpoint, or it is not that of the network.
    """
    if not isinstance(architecture, Architecture):
        raise ArgumentError(f"The architecture is {architecture!r}; give what read_architecture(FILE) returns.")
    weights_seed = _check_weights(checkpoint, weights, weights_seed)
    loading = {
        "by": "load_architecture",
        "architecture": architectures.as_json(architecture),
        "weights": weights,
        "weights_seed": weights_seed,
        "labels": None if labels is None or list(labels) == word_cnn.word_labels() else list(labels),
    }
    if weights == "random":
        traced = architectures.trace(architecture, weights_seed)
        values = traced.random_weights()
        provenance = Provenance("random", _digest(values), seed=weights_seed, loading=loading)
    else:
        if checkpoint is None:
            raise CheckpointError(
                f"{architecture.name} needs a checkpoint; give --checkpoint PATH, or --weights random."
            )
        file = CheckpointFile(checkpoint)
        _refuse_another_network(architecture.name, Path(file.path))
        architecture = release.class_counts(architecture, file.variables)
        traced = architectures.trace(architecture)
        values, provenance = _read(file, traced, TRAINING_EXTRAS, loading)
    provenance = replace(provenance, architecture=_architecture_digest(architecture), note=architecture.note)
    return _sound_network(architecture, traced, values, provenance, labels)


def load_release(folder: str | os.PathLike, name: str | None = None) -> Network:
    """Load a network of the authors' release, from its pickle and its checkpoint; nothing in it is executed.

    Args:
        folder: where the release was unpacked.
        name: which of its networks, ``"word_aliased"`` or ``"word_reduced_aliasing"``; may be left out where the
            folder holds one.

    Raises:
        ArgumentError: the folder holds several networks and none was named, or another one was.
        CheckpointError: a file is missing, damaged, or does not fit the others.
    """
    files = _released_files(folder, name)
    architecture = release.read_release_architecture(files.architecture, files.name)
    labels = release.read_word_labels(files.labels) if files.labels else None
    try:
        return load_architecture(architecture, checkpoint=files.checkpoint, labels=labels)
    except ArgumentError as error:
        raise CheckpointError(f"The files in {folder} do not fit each other. {error}") from error


def describe_network(name: str, size: int | None = None) -> Network:
    """Return a network without its weights: its layers can be read, its activations cannot be computed.

    It is the one that `load_network` would load: of a word network, the release's where that has been fetched.

    Raises:
        ArgumentError: an unknown name, or a size that the network cannot have.
        CheckpointError: the release that was fetched cannot be read.
    """
    _check_name(name)
    if name in word_cnn.ARCHITECTURES:
        _refuse_size(name, size)
        fetched = cached_checkpoint(name)
        return describe_architecture(
            _released_architecture(fetched.parent, name) if fetched else word_cnn.find_architecture(name)
        )
    return _image_network(name, slim.trace(name, size), {}, Provenance("none", digest=""))


def describe_architecture(architecture: Architecture) -> Network:
    """Return an auditory network without its weights: its layers can be read, its activations cannot be computed."""
    provenance = Provenance("none", digest="", note=architecture.note)
    return _sound_network(architecture, architectures.trace(architecture), {}, provenance, None)


def network_variables(name: str, checkpoint: str | os.PathLike | None = None) -> dict[str, tuple[tuple[int, ...], str]]:
    """Return shape and dtype of each variable that a checkpoint of the network must hold, by name.

    Args:
        name: the network's name.
        checkpoint: a checkpoint of it: a word network's architecture is read from the release's pickle beside it.
    """
    _check_name(name)
    if name not in word_cnn.ARCHITECTURES:
        return slim.trace(name).specification
    if checkpoint is None:
        return architectures.trace(word_cnn.find_architecture(name)).specification
    _refuse_another_network(name, Path(checkpoint))
    architecture = _released_architecture(Path(checkpoint).parent, name)
    counted = release.class_counts(architecture, CheckpointFile(checkpoint).variables)
    return architectures.trace(counted).specification


def probe_label(name: str, arrays: Mapping[str, np.ndarray]) -> list[str]:
    """Return the five likeliest labels that an image network with these weights gives the probe photograph.

    The probe is ``grace_hopper.jpg``, the photograph that ships with matplotlib.
    """
    from tfmetamers.stimuli.images import load_image, sample_photograph

    network = _image_network(name, slim.trace(name), dict(arrays), Provenance("checkpoint", digest=""))
    logits = network.logits(load_image(sample_photograph(), network.input_size)[None]).numpy()[0]
    return [network.labels[index] for index in np.argsort(-logits)[:5]]


def describe_release(folder: str | os.PathLike, name: str | None = None) -> Network:
    """Return a network of the authors' release without its weights; the arguments are those of `load_release`."""
    return describe_architecture(_released_architecture(folder, name))


def _released_files(folder: str | os.PathLike, name: str | None) -> release.ReleaseFiles:
    found = {files.name: files for files in release.find_release(folder)}
    if name is None and len(found) > 1:
        raise ArgumentError(f"{folder} holds {', '.join(found)}; say which with --network NAME.")
    if name is not None and name not in found:
        raise unknown_name("network", name, found, f"These are in {folder}.")
    return found[name] if name else next(iter(found.values()))


def _released_architecture(folder: str | os.PathLike, name: str | None) -> Architecture:
    files = _released_files(folder, name)
    architecture = release.read_release_architecture(files.architecture, files.name)
    return release.class_counts(architecture, CheckpointFile(files.checkpoint).variables)


def _load_stand_in(name: str, checkpoint, weights: str, weights_seed: int) -> Network:
    try:
        return load_architecture(
            word_cnn.find_architecture(name), checkpoint=checkpoint, weights=weights, weights_seed=weights_seed
        )
    except CheckpointError as error:
        raise CheckpointError(
            f"{error} For a checkpoint of the release, give its architecture too, by --release DIR or --architecture "
            f"FILE.pckl: the {name} that the package carries has other sizes."
        ) from error


def _refuse_another_network(name: str, checkpoint: Path) -> None:
    """Word networks with the same variables differ in strides and pools, which no checkpoint holds."""
    others = [other for other in word_cnn.ARCHITECTURES if other != name]
    if name in word_cnn.ARCHITECTURES and release.network_name(checkpoint) in others:
        raise CheckpointError(f"{checkpoint} is a checkpoint of another network than {name}; give that of {name}.")


def _check_name(name: str) -> None:
    if name not in network_names():
        raise unknown_name("network", name, network_names(), "'tfmetamers networks' lists them.")


def _check_weights(checkpoint, weights, weights_seed) -> int:
    if weights not in WEIGHTS:
        raise ArgumentError(f"The weights {weights!r} are not known; give one of {', '.join(WEIGHTS)}.")
    if weights == "random" and checkpoint is not None:
        raise ArgumentError("Random weights and a checkpoint exclude each other; give one of the two.")
    return checked_whole_number("seed of the weights", weights_seed, least=0)


def _refuse_size(name: str, size: int | None) -> None:
    if size is not None:
        raise ArgumentError(f"{name} got a size of {size} pixels, and takes sounds; leave the size out.")


def _read(checkpoint, traced: Trace, known_extras, loading) -> tuple[dict[str, np.ndarray], Provenance]:
    file = checkpoint if isinstance(checkpoint, CheckpointFile) else CheckpointFile(checkpoint)
    values = read_variables(file, traced.specification, known_extras)
    path = Path(file.path).absolute()
    loading = {**loading, "checkpoint": str(path)}
    return values, Provenance("checkpoint", file.digest, file=path.name, loading=loading)


def _image_network(name, traced: Trace, values, provenance) -> Network:
    return Network(
        name,
        domain=Images(traced.stimulus.shape[1]),
        trace=traced,
        weights=_constants(values),
        provenance=provenance,
        labels=slim.labels(name),
        recipe="feather2019-image",
    )


def _sound_network(architecture: Architecture, traced: Trace, values, provenance, labels) -> Network:
    settings = architecture.cochleagram
    return Network(
        architecture.name,
        domain=Sounds(settings.sampling_rate, settings.samples),
        trace=traced,
        weights=_constants(values),
        provenance=provenance,
        labels=_labels(architecture, traced, labels),
        recipe="feather2019-audio",
        front_ends={name: partial(build_front_end, name, settings) for name in FRONT_ENDS},
    )


def _labels(architecture: Architecture, traced: Trace, labels: Sequence[str] | None) -> list[str] | None:
    if traced.logits is None:
        return None
    classes = traced.logits.shape[-1]
    if labels is None:
        words = word_cnn.word_labels()
        return words if len(words) == classes else [str(number) for number in range(classes)]
    if len(labels) != classes:
        raise ArgumentError(
            f"There are {len(labels)} labels and {classes} classes of {architecture.name}; give one each."
        )
    return list(labels)


def _constants(values) -> dict[str, tf.Tensor]:
    # Popping frees each array once it is a tensor: VGG-19's weights need not be in memory twice.
    return {variable: tf.constant(values.pop(variable)) for variable in list(values)}


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


def _architecture_digest(architecture: Architecture) -> str:
    """Return the SHA-256 of what determines a network besides its weights: layers, tasks and front end."""
    described = {
        "layers": [[layer.layer_type, architectures.inference_arguments(layer)] for layer in architecture.layers],
        "tasks": dict(architecture.tasks),
        "cochleagram": asdict(architecture.cochleagram),
    }
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()
