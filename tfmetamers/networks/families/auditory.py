"""Auditory networks that are lists of layers: word networks, trained networks, and users' own."""

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tfmetamers.errors import ArgumentError, CheckpointError
from tfmetamers.networks.auditory.layer_names import INPUT, OUTPUT, label_task, paper_layers
from tfmetamers.networks.families.base import NetworkFamily, NetworkOutline
from tfmetamers.networks.families.checkpoints import (
    checkpoint_files,
    constants,
    random_provenance,
    read_weights,
    without_weights,
)
from tfmetamers.networks.spec import STIMULUS, NetworkSpec
from tfmetamers.utilities.json_files import read_json
from tfmetamers.utilities.words import counted

if TYPE_CHECKING:
    from tfmetamers.networks.auditory.architecture import Architecture
    from tfmetamers.networks.graph.traced_graph import TracedGraph
    from tfmetamers.networks.network import Network
    from tfmetamers.networks.provenance import Provenance

#: Variables that a checkpoint may hold besides the network's: those of its training.
TRAINING_EXTRAS = ("global_step", "beta1_power", "beta2_power", "*/Adam", "*/Adam_1")

RECIPE = "feather2019-audio"


@dataclass(frozen=True)
class AuditoryFiles:
    """What an auditory network is made from.

    Attributes:
        architecture: its layers.
        checkpoint: of its weights; None where there is none.
        labels: the label of each class; None for the paper's words, or numbers.
    """

    architecture: "Architecture"
    checkpoint: Path | None = None
    labels: Sequence[str] | None = None


class AuditoryFamily(NetworkFamily):
    """Auditory networks; a subclass says where their layers, weights and labels come from."""

    takes = frozenset({"checkpoint", "random_seed", "optimize"})

    def find(self, spec: NetworkSpec) -> AuditoryFiles:
        """Return what a network is made from, its own checkpoint included where there is one.

        Raises:
            ArgumentError: its layers cannot be used.
            CheckpointError: a file is missing or damaged.
        """
        raise NotImplementedError

    def architecture_file(self, spec: NetworkSpec) -> Path | None:
        """Return the JSON file of a network's layers; None where they are elsewhere."""
        return None

    def outline(self, spec):
        """Return what the file of the layers tells; None where only loading tells what is wrong with it."""
        file = self.architecture_file(spec)
        if file is None or spec.optimize != STIMULUS:
            return None
        from tfmetamers.cochlea.settings import CochleagramSettings
        from tfmetamers.stimuli.domains import Sounds

        try:
            content = read_json(file)
            settings = CochleagramSettings().replace(**content.get("cochleagram", {}))
            layers = paper_layers([(layer["layer_type"], layer["args"]["name"]) for layer in content["layers"]])
            return NetworkOutline(
                content["name"],
                Sounds(settings.sampling_rate, settings.samples),
                (INPUT, *layers),
                RECIPE,
                content["tasks"][label_task(content["tasks"])] if OUTPUT in layers else None,
                content.get("note", ""),
            )
        except (OSError, ValueError, LookupError, TypeError, AttributeError, ArgumentError):
            return None

    def load(self, spec):
        found = self.find(spec)
        checkpoint = spec.checkpoint if spec.checkpoint is not None else found.checkpoint
        if spec.random_seed is None and checkpoint is None:
            raise CheckpointError(
                f"{found.architecture.name} needs a checkpoint (--checkpoint PATH, {self.text(spec)}=PATH) or random "
                f"weights ({self.text(spec)}:random)."
            )
        return load_auditory(found.architecture, checkpoint, spec.random_seed, found.labels)

    def describe(self, spec):
        found = self.find(spec)
        traced = _trace(found.architecture)
        return _network(found.architecture, traced, {}, without_weights(), found.labels)

    def variables(self, spec):
        from tfmetamers.checkpoints.reader import CheckpointFile
        from tfmetamers.networks.auditory import release

        architecture = self.find(spec).architecture
        if spec.checkpoint is not None:
            architecture = release.class_counts(architecture, CheckpointFile(spec.checkpoint).variables)
        return variables_of(architecture)

    def files(self, spec):
        defining = self.defining_files(spec)
        if spec.random_seed is not None:
            return defining
        checkpoint = spec.checkpoint if spec.checkpoint is not None else self.own_checkpoint(spec)
        return defining + ([] if checkpoint is None else checkpoint_files(Path(checkpoint)))

    def defining_files(self, spec: NetworkSpec) -> list[Path]:
        """Return the files that hold the layers; none where the package has them."""
        return []

    def own_checkpoint(self, spec: NetworkSpec) -> Path | None:
        """Return a network's own checkpoint, None where it has none."""
        return self.find(spec).checkpoint


def load_auditory(
    architecture: "Architecture",
    checkpoint: str | Path | None,
    random_seed: int | None,
    labels: Sequence[str] | None,
) -> "Network":
    """Load an auditory network from its layers, and a checkpoint or a seed.

    Raises:
        ArgumentError: the layers or the labels cannot be used.
        CheckpointError: the checkpoint is missing, damaged, or not that of the network.
    """
    from tfmetamers.checkpoints.reader import CheckpointFile
    from tfmetamers.networks.auditory import release

    if random_seed is not None:
        traced = _trace(architecture, random_seed)
        drawn = traced.random_weights()
        provenance = random_provenance(drawn, random_seed)
        return _network(architecture, traced, constants(drawn), provenance, labels)
    file = CheckpointFile(checkpoint)
    refuse_another_network(architecture.name, Path(file.path))
    architecture = release.class_counts(architecture, file.variables)
    traced = _trace(architecture)
    values, provenance = read_weights(file, traced, TRAINING_EXTRAS)
    return _network(architecture, traced, values, provenance, labels)


def _trace(architecture: "Architecture", seed: int = 0) -> "TracedGraph":
    from tfmetamers.networks.auditory import architecture as architectures

    return architectures.trace(architecture, seed)


def variables_of(architecture: "Architecture"):
    """Return shape and dtype of every variable of an architecture, by name."""
    return _trace(architecture).specification


def refuse_another_network(name: str, checkpoint: Path) -> None:
    """Word networks with the same variables differ in strides and pools, which no checkpoint holds."""
    from tfmetamers.networks.auditory import release, word_cnn

    others = [other for other in word_cnn.ARCHITECTURES if other != name]
    if name in word_cnn.ARCHITECTURES and release.network_name(checkpoint) in others:
        raise CheckpointError(f"{checkpoint} is a checkpoint of another network than {name}; give that of {name}.")


def _network(
    architecture: "Architecture", traced: "TracedGraph", values, provenance: "Provenance", labels: Sequence[str] | None
) -> "Network":
    from functools import partial

    from tfmetamers.cochlea.cochleagram import build_front_end
    from tfmetamers.cochlea.settings import FRONT_ENDS
    from tfmetamers.networks.network import Network
    from tfmetamers.stimuli.domains import Cochleagrams, Sounds

    settings = architecture.cochleagram
    digest = "" if provenance.source == "none" else _architecture_digest(architecture)
    return Network(
        architecture.name,
        domain=Sounds(settings.sampling_rate, settings.samples),
        traced=traced,
        weights=values,
        provenance=dataclasses.replace(provenance, architecture=digest or None, note=architecture.note),
        labels=_labels(architecture, traced, labels),
        recipe=RECIPE,
        front_ends={name: partial(build_front_end, name, settings) for name in FRONT_ENDS},
        front_end_domain=Cochleagrams,
    )


def _labels(architecture: "Architecture", traced: "TracedGraph", labels: Sequence[str] | None) -> list[str] | None:
    from tfmetamers.networks.auditory.word_cnn import word_labels

    if traced.logits is None:
        return None
    classes = traced.logits.shape[-1]
    if labels is None:
        words = word_labels()
        return words if len(words) == classes else [str(number) for number in range(classes)]
    if len(labels) != classes:
        raise ArgumentError(
            f"{counted(len(labels), 'label')} came for the {classes} classes of {architecture.name}; give one label "
            "for each class."
        )
    return list(labels)


def _architecture_digest(architecture: "Architecture") -> str:
    """Return the SHA-256 of what determines a network besides its weights: layers, tasks and front end."""
    from tfmetamers.networks.auditory.architecture import inference_arguments

    described = {
        "layers": [[layer.layer_type, inference_arguments(layer)] for layer in architecture.layers],
        "tasks": dict(architecture.tasks),
        "cochleagram": architecture.cochleagram.to_json(),
    }
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()
