"""A trained network without what only its training needs."""

import os
import shutil
from pathlib import Path

from tfmetamers.checkpoints.reader import CheckpointFile
from tfmetamers.networks.auditory.trained_folder import ARCHITECTURE_FILE, LABELS_FILE, read_trained
from tfmetamers.training.card import write_card
from tfmetamers.training.epochs import CHECKPOINT_FILE
from tfmetamers.utilities.files import atomic_write


def export_trained(folder: str | os.PathLike, destination: str | os.PathLike) -> None:
    """Copy what loads from the folder of a trained network: architecture, labels, card and the chosen checkpoint.

    Args:
        folder: what ``tfmetamers train`` wrote.
        destination: the folder to make; one that is there is replaced.

    Raises:
        CheckpointError: the folder cannot be read.
        ResultError: the destination cannot be written.
    """
    files, destination = read_trained(folder), Path(destination)
    with atomic_write(destination) as partial:
        partial.mkdir()
        for name in (ARCHITECTURE_FILE, LABELS_FILE):
            shutil.copyfile(Path(folder) / name, partial / name)
        for file in map(Path, CheckpointFile(files.checkpoint).files):
            shutil.copyfile(file, partial / file.name)
        write_card({**files.card, "checkpoint": CHECKPOINT_FILE}, partial)
        shutil.rmtree(destination, ignore_errors=True)
