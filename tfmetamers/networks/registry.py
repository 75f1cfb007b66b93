"""From a network's name to the network."""

import hashlib
import json
import math
import numbers
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
import tensorflow as tf

from tfmetamers.checkpoints.catalog import cached_checkpoint, network_entry
from tfmetamers.checkpoints.reader import CheckpointFile, read_variables
from tfmetamers.cochlea.cochleagram import FRONT_ENDS, build_front_end
from tfmetamers.errors import ArgumentError, CheckpointError, checked_whole_number, shown, unknown_name
from tfmetamers.features.log_mel import SAMPLING_RATE
from tfmetamers.networks import slim
from tfmetamers.networks.auditory import architecture as architectures
from tfmetamers.networks.auditory import deepspeech, release, vggish, word_cnn
from tfmetamers.networks.auditory.architecture import Architecture
from tfmetamers.networks.auditory.trained_folder import bundled_networks, find_trained, read_trained
from tfmetamers.networks.graph.traced_graph import TracedGraph
from tfmetamers.networks.network import Network, Provenance
from tfmetamers.stimuli.domains import Images, Sounds
from tfmetamers.stimuli.sounds import MAX_SAMPLES

#: What the weights of a network can be.
WEIGHTS = ("checkpoint", "random")

#: Variables that a checkpoint of a word network may hold besides the network's: those of its training.
TRAINING_EXTRAS = ("global_step", "beta1_power", "beta2_power", "*/Adam", "*/Adam_1")

#: Seconds of the sounds of a network that takes any length: the paper's lasted two.
DURATION = 2.0


@dataclass(frozen=True)
class _OfAnyLength:
    """A network that takes sounds of any length, at 16 kHz.

    Attributes:
        module: defines it: ``trace(name, samples, seed=0)`` and ``front_end(name, samples)``.
        recipe: the name of the recipe that its metamers are synthesised with.
        note: what a reader should know about where it comes from.
        labels: the label of each logit, or its character.
        transcribe: from logits to texts, where they are characters.
    """

    module: ModuleType
    recipe: str
    note: str
    labels: Sequence[str] | None = None
    transcribe: Callable[[np.ndarray], list[str]] | None = None


_OF_ANY_LENGTH = {
    "vggish": _OfAnyLength(
        vggish, "feather2019-audio-vggish", "The code of 2017 to 2019: its embedding ends with a ReLU."
    ),
    "vggish_2020": _OfAnyLength(
        vggish, "feather2019-audio-vggish", "The code since 2020: its embedding is linear. The weights are vggish's."
    ),
    "deepspeech": _OfAnyLength(
        deepspeech,
        "feather2019-audio-deepspeech",
        "Release 0.4.1; the paper does not say which it used, and this one's date is the closest.",
        deepspeech.labels(),
        deepspeech.transcribe,
    ),
    "deepspeech_0_1_1": _OfAnyLength(
        deepspeech,
        "feather2019-audio-deepspeech",
        "Release 0.1.1, which was published as a frozen graph alone: it takes a checkpoint of your own, or random "
        "weights.",
        deepspeech.labels(),
        deepspeech.transcribe,
    ),
}


def network_names() -> list[str]:
    """Return the name of every network that can be loaded."""
    return [*slim.DEFINITIONS, *word_cnn.ARCHITECTURES, *_OF_ANY_LENGTH, *bundled_networks()]


def takes_any_length(name: str) -> bool:
    """Return whether the network of a name takes sounds of any length."""
    return name in _OF_ANY_LENGTH


@dataclass(frozen=True)
class NetworkSummary:
    """A network in a line.

    Attributes:
        name: the network's name.
        stimulus: what it takes, in words.
        classes: the number of labels or characters; None of a network that has neither.
        layers: names of the paper's layers.
        note: what else a reader should know about where it comes from.
    """

    name: str
    stimulus: str
    classes: int | None
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
    described = [describe_network(name) for name in network_names() if name not in slim.DEFINITIONS]
    return images + [
        NetworkSummary(
            network.name,
            network.domain.describe() + ("; any length" if takes_any_length(network.name) else ""),
            network.labels and len(network.labels),
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
    duration: float | None = None,
) -> Network:
    """Load a network of the paper, one that comes with the package, or one that was trained here.

    A word network comes from the authors' release where that has been fetched, architecture and all; otherwise, and
    with random weights, its architecture is the one that the package carries (`tfmetamers.networks.auditory.word_cnn`).

    Args:
        name: a name that `network_names` gives, or the folder that ``tfmetamers train`` wrote; ``./NAME`` for a folder
            here that has one of those names.
        checkpoint: a TensorFlow checkpoint of it, of either format; by default the one that
            ``tfmetamers checkpoints fetch`` brought, or that is in the folder.
        weights: ``"checkpoint"``, or ``"random"`` for weights drawn from the network's own initialisers, a
            condition of the paper.
        weights_seed: the seed of random weights.
        size: height and width of a picture in pixels; the network's own (224, 299, 299) by default.
        duration: of a sound in seconds, 2 by default, for networks that take any length: VGGish, DeepSpeech.

    Raises:
        ArgumentError: an unknown name, arguments that exclude each other, or a duration that is too short.
        CheckpointError: there is no checkpoint, or it is not that of the network.
    """
    folder = _trained_folder(name)
    if folder is not None:
        _refuse_size(name, size)
        _refuse_duration(name, duration)
        return _load_trained(folder, checkpoint, weights, weights_seed)
    _check_name(name)
    weights_seed = _check_weights(checkpoint, weights, weights_seed)
    if name in _OF_ANY_LENGTH:
        _refuse_size(name, size)
        return _load_of_any_length(name, checkpoint, weights, weights_seed, duration)
    _refuse_duration(name, duration)
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
    values, provenance = _read(checkpoint or _fetched(name), traced, network_entry(name).known_extras, loading)
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
        architecture: its layers, such as `tfmetamers.networks.auditory.architecture.read_architecture` reads.
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


def _trained_folder(name: str | os.PathLike) -> Path | None:
    """Return the folder of a trained network; None for a name of the paper's, whatever the folder here is called."""
    others = (*slim.DEFINITIONS, *word_cnn.ARCHITECTURES, *_OF_ANY_LENGTH)
    return None if str(name) in others else find_trained(name)


def _load_trained(folder: Path, checkpoint, weights: str, weights_seed: int) -> Network:
    files = read_trained(folder)
    is_own = checkpoint is None and weights != "random"
    network = load_architecture(
        files.architecture,
        checkpoint=files.checkpoint if is_own else checkpoint,
        weights=weights,
        weights_seed=weights_seed,
        labels=files.class_labels,
    )
    if is_own and bundled_networks().get(network.name) == folder:
        # By its name it is found again wherever the package is installed.
        network.provenance = replace(network.provenance, loading={"by": "load_network", "name": network.name})
    return network


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


def describe_network(name: str, size: int | None = None, duration: float | None = None) -> Network:
    """Return a network without its weights: its layers can be read, its activations cannot be computed.

    It is the one that `load_network` would load: of a word network, the release's where that has been fetched.

    Raises:
        ArgumentError: an unknown name, or a size or duration that the network cannot have.
        CheckpointError: the release that was fetched cannot be read.
    """
    folder = _trained_folder(name)
    if folder is not None:
        _refuse_size(name, size)
        _refuse_duration(name, duration)
        files = read_trained(folder)
        return describe_architecture(files.architecture, files.class_labels)
    _check_name(name)
    if name in _OF_ANY_LENGTH:
        _refuse_size(name, size)
        samples = _samples(duration)
        traced = _OF_ANY_LENGTH[name].module.trace(name, samples)
        return _network_of_any_length(name, samples, traced, {}, Provenance("none", digest=""))
    _refuse_duration(name, duration)
    if name in word_cnn.ARCHITECTURES:
        _refuse_size(name, size)
        fetched = cached_checkpoint(name)
        return describe_architecture(
            _released_architecture(fetched.parent, name) if fetched else word_cnn.find_architecture(name)
        )
    return _image_network(name, slim.trace(name, size), {}, Provenance("none", digest=""))


def describe_architecture(architecture: Architecture, labels: Sequence[str] | None = None) -> Network:
    """Return an auditory network without its weights: its layers can be read, its activations cannot be computed."""
    provenance = Provenance("none", digest="", note=architecture.note)
    return _sound_network(architecture, architectures.trace(architecture), {}, provenance, labels)


def network_variables(name: str, checkpoint: str | os.PathLike | None = None) -> dict[str, tuple[tuple[int, ...], str]]:
    """Return shape and dtype of each variable that a checkpoint of the network must hold, by name.

    Args:
        name: the network's name.
        checkpoint: a checkpoint of it: a word network's architecture is read from the release's pickle beside it.
    """
    _check_name(name)
    if name in _OF_ANY_LENGTH:
        return _OF_ANY_LENGTH[name].module.trace(name, _samples(None)).specification
    if name not in word_cnn.ARCHITECTURES:
        return slim.trace(name).specification
    if checkpoint is None:
        return architectures.trace(word_cnn.find_architecture(name)).specification
    _refuse_another_network(name, Path(checkpoint))
    architecture = _released_architecture(Path(checkpoint).parent, name)
    counted = release.class_counts(architecture, CheckpointFile(checkpoint).variables)
    return architectures.trace(counted).specification


def network_with(name: str, arrays: Mapping[str, np.ndarray], duration: float | None = None) -> Network:
    """Return an image network, or one that takes sounds of any length, with weights that are in memory.

    Args:
        name: the network's name.
        arrays: the value of every variable, by name.
        duration: of a sound in seconds.
    """
    provenance = Provenance("checkpoint", digest=_digest(arrays))
    if name not in _OF_ANY_LENGTH:
        return _image_network(name, slim.trace(name), dict(arrays), provenance)
    samples = _samples(duration)
    traced = _OF_ANY_LENGTH[name].module.trace(name, samples)
    return _network_of_any_length(name, samples, traced, dict(arrays), provenance)


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


def _load_of_any_length(name: str, checkpoint, weights: str, weights_seed: int, duration) -> Network:
    samples = _samples(duration)
    # The duration that the samples have, so that loading again gives as many.
    loading = {
        "by": "load_network",
        "name": name,
        "weights": weights,
        "weights_seed": weights_seed,
        "duration": samples / SAMPLING_RATE,
    }
    traced = _OF_ANY_LENGTH[name].module.trace(name, samples, seed=weights_seed)
    if weights == "random":
        values = traced.random_weights()
        provenance = Provenance("random", _digest(values), seed=weights_seed, loading=loading)
    else:
        file = CheckpointFile(checkpoint or _fetched(name))
        if name in deepspeech.VERSIONS:
            deepspeech.refuse_other_version(name, file.path, file.variables)
        values, provenance = _read(file, traced, network_entry(name).known_extras, loading)
    return _network_of_any_length(name, samples, traced, values, provenance)


def _samples(duration: float | None) -> int:
    """Return how many samples a sound of a duration has, for a network that takes any length."""
    duration = DURATION if duration is None else duration
    is_number = isinstance(duration, numbers.Real) and not isinstance(duration, bool) and math.isfinite(duration)
    samples = round(duration * SAMPLING_RATE) if is_number else 0
    if not 0 < samples <= MAX_SAMPLES:
        raise ArgumentError(
            f"The duration is {shown(duration)}; seconds were expected, above 0 and at most "
            f"{MAX_SAMPLES // SAMPLING_RATE}."
        )
    return samples


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
    return checked_whole_number("seed of the weights", weights_seed, minimum=0)


def _refuse_size(name: str, size: int | None) -> None:
    if size is not None:
        raise ArgumentError(f"{name} got a size of {size} pixels, and takes sounds; leave the size out.")


def _refuse_duration(name: str, duration: float | None) -> None:
    if duration is not None:
        raise ArgumentError(
            f"{name} got a duration of {shown(duration)} s, and takes stimuli of its own size alone; leave the "
            f"duration out, or give one of {', '.join(_OF_ANY_LENGTH)}."
        )


def _read(checkpoint, traced: TracedGraph, known_extras, loading) -> tuple[dict[str, np.ndarray], Provenance]:
    file = checkpoint if isinstance(checkpoint, CheckpointFile) else CheckpointFile(checkpoint)
    values = read_variables(file, traced.specification, known_extras)
    path = Path(file.path).absolute()
    loading = {**loading, "checkpoint": str(path)}
    return values, Provenance("checkpoint", file.digest, file=path.name, loading=loading)


def _image_network(name, traced: TracedGraph, values, provenance) -> Network:
    return Network(
        name,
        domain=Images(traced.stimulus.shape[1]),
        trace=traced,
        weights=_constants(values),
        provenance=provenance,
        labels=slim.labels(name),
        recipe="feather2019-image",
    )


def _sound_network(architecture: Architecture, traced: TracedGraph, values, provenance, labels) -> Network:
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


def _network_of_any_length(name, samples: int, traced: TracedGraph, values, provenance) -> Network:
    definition = _OF_ANY_LENGTH[name]
    return Network(
        name,
        domain=Sounds(SAMPLING_RATE, samples),
        trace=traced,
        weights=_constants(values),
        provenance=replace(provenance, note=definition.note),
        labels=definition.labels,
        transcribe=definition.transcribe,
        recipe=definition.recipe,
        front_ends={"exact": partial(definition.module.front_end, name, samples)},
    )


def _labels(architecture: Architecture, traced: TracedGraph, labels: Sequence[str] | None) -> list[str] | None:
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
    entry = network_entry(name)
    if entry.format not in ("V1", "V2"):
        raise CheckpointError(
            f"{name} was published as a {entry.format} alone, which is no checkpoint; give a checkpoint of your own by "
            "--checkpoint PATH, or --weights random."
        )
    path = cached_checkpoint(entry.name)
    if path is None:
        raise CheckpointError(
            f"{name} needs its checkpoint, and none has been fetched: run 'tfmetamers checkpoints fetch {entry.name}', "
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
