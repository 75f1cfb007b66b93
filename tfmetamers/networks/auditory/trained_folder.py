"""The folder of a network that this package trained: architecture, labels, card and checkpoint."""

import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from tfmetamers.errors import CheckpointError, shown
from tfmetamers.utilities.json_files import Kind, read_json, typed

if TYPE_CHECKING:
    from tfmetamers.networks.auditory.architecture import Architecture

#: The files of such a folder; the card says where the checkpoint is.
ARCHITECTURE_FILE = "architecture.json"
LABELS_FILE = "labels.json"
CARD_FILE = "card.json"

#: The null distribution that a bundled network has in addition.
NULL_FILE = "null.npz"


@dataclass(frozen=True)
class TrainedFiles:
    """What the folder of a trained network holds.

    Attributes:
        architecture: the layers.
        labels: the labels of each task's classes, by the task's key.
        card: what is known about the training (``docs/training.md`` lists the fields).
        checkpoint: the prefix of the checkpoint to use: of the epoch that training stopped at or, where no threshold
            was reached, of the best epoch.
    """

    architecture: "Architecture"
    labels: dict[str, list[str]]
    card: dict
    checkpoint: Path

    @property
    def class_labels(self) -> list[str]:
        """The labels of the network's logits."""
        return self.labels[self.architecture.label_task]


def bundled_networks() -> dict[str, Path]:
    """Return the folders of the trained networks that come with the package, by name."""
    folder = Path(str(resources.files("tfmetamers.checkpoints"))) / "bundled"
    return {path.name: path for path in sorted(folder.glob("*")) if is_trained_folder(path)}


def find_trained(name: str | os.PathLike) -> Path | None:
    """Return the folder of a trained network, given the name of a bundled one or a path; None if there is none."""
    bundled = bundled_networks()
    if str(name) in bundled:
        return bundled[str(name)]
    return Path(name) if is_trained_folder(name) else None


def is_trained_folder(folder: str | os.PathLike) -> bool:
    """Return whether a folder is that of a trained network."""
    return os.path.isfile(os.path.join(folder, CARD_FILE))  # Which takes what cannot be a path for a missing file.


def read_trained(folder: str | os.PathLike) -> TrainedFiles:
    """Read the folder of a trained network, all but its weights.

    Raises:
        CheckpointError: it is not such a folder, a file is missing or damaged, or the files do not fit each other.
        ArgumentError: the architecture cannot be used.
    """
    from tfmetamers.networks.auditory.architecture import read_architecture

    folder = Path(folder)
    if not is_trained_folder(folder):
        raise CheckpointError(
            f"{folder} is not the folder of a trained network: it has no {CARD_FILE}. Give one in which 'tfmetamers "
            "train' has finished at least one epoch."
        )
    card, labels = _read_card(folder), _read_object(folder / LABELS_FILE, dict[str, list[str]])
    architecture = read_architecture(folder / ARCHITECTURE_FILE)
    for task, classes in architecture.tasks.items():
        names = labels.get(task, [])
        if len(names) != classes:
            raise CheckpointError(
                f"{folder / LABELS_FILE} has {shown(names)} for {task}; a list of {classes} labels, one for each "
                "class, was expected. Copy the folder again."
            )
    return TrainedFiles(architecture, labels, card, folder / card["checkpoint"])


def trained_checkpoint(folder: str | os.PathLike) -> Path:
    """Return the prefix of the checkpoint of a trained network.

    Raises:
        CheckpointError: the card is missing, damaged, or does not name it.
    """
    return Path(folder) / _read_card(Path(folder))["checkpoint"]


class _CardNeeded(TypedDict):
    """The types of what every card has."""

    checkpoint: str


class _Card(_CardNeeded, total=False):
    """The types of what is used of a card, where it has it."""

    test: dict[str, float | None]


def _read_card(folder: Path) -> dict[str, Any]:
    card = _read_object(folder / CARD_FILE, dict[str, Any])
    _typed(folder / CARD_FILE, card, _Card)
    return card


def _read_object(file: Path, kind: type[Kind]) -> Kind:
    try:
        content = read_json(file)
    except OSError as error:
        raise CheckpointError(f"{file} cannot be read: {error.strerror or error}; copy the folder again.") from error
    except ValueError as error:
        raise _damaged(file, error) from error
    return _typed(file, content, kind)


def _typed(file: Path, content: Any, kind: type[Kind]) -> Kind:
    try:
        return typed(content, kind)
    except ValueError as error:
        raise _damaged(file, error) from error


def _damaged(file: Path, error: ValueError) -> CheckpointError:
    return CheckpointError(f"{file} is not the JSON file that it should be ({error}); copy the folder again.")
