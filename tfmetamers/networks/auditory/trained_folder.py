"""The folder of a network that this package trained: architecture, labels, card and checkpoint."""

import json
import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from tfmetamers.errors import CheckpointError, shown
from tfmetamers.networks.auditory.architecture import Architecture, read_architecture

#: The files of such a folder; the card says where the checkpoint is.
ARCHITECTURE_FILE = "architecture.json"
LABELS_FILE = "labels.json"
CARD_FILE = "card.json"

#: What a bundled network has besides, where its task has words: the null distribution of its metamers.
NULL_FILE = "null.npz"


@dataclass(frozen=True)
class TrainedFiles:
    """What a folder of a trained network holds.

    Attributes:
        architecture: the layers.
        labels: the labels of each task's classes, by the task's key.
        card: what is known of the training (``docs/training.md`` lists the fields).
        checkpoint: the prefix of the checkpoint that is to be used: of the epoch that training stopped at, or, where
            no threshold was reached, of the best one.
    """

    architecture: Architecture
    labels: dict[str, list[str]]
    card: dict
    checkpoint: Path

    @property
    def class_labels(self) -> list[str]:
        """The labels of the network's logits."""
        return self.labels[self.architecture.label_task]


def bundled_networks() -> dict[str, Path]:
    """Return the folder of each trained network that comes with the package, by name."""
    folder = Path(str(resources.files("tfmetamers.checkpoints"))) / "bundled"
    return {path.name: path for path in sorted(folder.glob("*")) if is_trained_folder(path)}


def find_trained(name: str | os.PathLike) -> Path | None:
    """Return the folder of a trained network, given by the name of a bundled one or by its path; None if it is none."""
    bundled = bundled_networks()
    if str(name) in bundled:
        return bundled[str(name)]
    return Path(name) if is_trained_folder(name) else None


def is_trained_folder(folder: str | os.PathLike) -> bool:
    """Return whether a folder is that of a trained network."""
    try:
        return (Path(folder) / CARD_FILE).is_file()
    except ValueError:  # A null character in the path.
        return False


def read_trained(folder: str | os.PathLike) -> TrainedFiles:
    """Read the folder of a trained network, all but its weights.

    Raises:
        CheckpointError: the folder is none, a file of it is missing or damaged, or they do not fit each other.
        ArgumentError: the architecture cannot be used.
    """
    folder = Path(folder)
    if not is_trained_folder(folder):
        raise CheckpointError(
            f"{folder} is no folder of a trained network: it has no {CARD_FILE}; give one that 'tfmetamers train' made "
            "and that has come through an epoch at least."
        )
    card, labels = _read_object(folder / CARD_FILE), _read_object(folder / LABELS_FILE)
    architecture = read_architecture(folder / ARCHITECTURE_FILE)
    checkpoint = card.get("checkpoint")
    if not isinstance(checkpoint, str):
        raise CheckpointError(f"{folder / CARD_FILE} has no 'checkpoint'; copy the folder again.")
    for task, classes in architecture.tasks.items():
        names = labels.get(task)
        is_complete = isinstance(names, list) and all(isinstance(name, str) for name in names)
        if not is_complete or len(names) != classes:
            raise CheckpointError(
                f"{folder / LABELS_FILE} has {shown(names)} for {task}; a list of {classes} labels was expected, "
                "as many as the architecture has classes: copy the folder again."
            )
    return TrainedFiles(architecture, labels, card, folder / checkpoint)


def _read_object(file: Path) -> dict:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(f"{file} cannot be read: {error.strerror or error}; copy the folder again.") from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{file} is no JSON ({shown(str(error))}); copy the folder again.") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{file} holds {shown(content)}; values by name were expected, copy the folder again.")
    return content
