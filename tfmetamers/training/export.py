"""The files of a trained network, without those that only its training needs."""

import os
import shutil
from pathlib import Path

from tfmetamers.checkpoints.reader import CheckpointFile
from tfmetamers.networks.auditory.trained_folder import ARCHITECTURE_FILE, LABELS_FILE, read_trained
from tfmetamers.training.card import write_card
from tfmetamers.training.epochs import CHECKPOINT_FILE
from tfmetamers.utilities.files import atomic_write


def export_trained(folder: str | os.PathLike, destination: str | os.PathLike) -> None:
    """Copy architecture, labels, card and the chosen checkpoint from the folder of a trained network.

    Args:
        folder: the folder that ``tfmetamers train`` wrote.
        destination: the folder to make; an existing one is replaced.

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
