"""Epochs on disk: each is a folder with the weights, the optimiser's state and the curves up to then."""

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tfmetamers.checkpoints.reader import CheckpointFile
from tfmetamers.errors import CheckpointError, ResultError
from tfmetamers.training.trainer import TrainableNetwork, Trainer
from tfmetamers.utilities.array_files import read_archive
from tfmetamers.utilities.files import atomic_write
from tfmetamers.utilities.json_files import read_json, typed

EPOCHS_FOLDER = "epochs"
CHECKPOINT_FILE = "network.ckpt"
STATE_FILE = "optimizer.npz"
HISTORY_FILE = "history.json"


def save_epoch(out: Path, trainer: Trainer, history: Sequence[dict]) -> None:
    """Write the state at the end of an epoch, whole or not at all.

    Args:
        out: the folder of the run.
        trainer: the network and the optimiser.
        history: an entry for each epoch so far.

    Raises:
        ResultError: it cannot be written.
    """
    with atomic_write(epoch_folder(out, history[-1]["epoch"])) as partial:
        partial.mkdir()
        save_variables(trainer.network, partial / CHECKPOINT_FILE)
        state = {f"{number:04d}": variable.numpy() for number, variable in enumerate(trainer.optimizer.variables)}
        with (partial / STATE_FILE).open("wb") as stream:
            np.savez(stream, **state)
        (partial / HISTORY_FILE).write_text(json.dumps(list(history), indent=1) + "\n", encoding="utf-8")


def save_variables(network: TrainableNetwork, prefix: Path) -> None:
    """Write a V2 checkpoint with the variable names of the released checkpoints.

    Raises:
        OSError: it cannot be written.
    """
    names = list(network.variables)
    tensors = [network.variables[name].read_value() for name in names]
    try:
        tf.raw_ops.SaveV2(prefix=str(prefix), tensor_names=names, shape_and_slices=[""] * len(names), tensors=tensors)
    except tf.errors.OpError as error:
        raise OSError(error.message) from error


def saved_epochs(out: Path) -> list[int]:
    """Return the numbers of the epochs of a run whose weights are on disk, in order."""
    return sorted(int(path.name) for path in (out / EPOCHS_FOLDER).glob("*") if re.fullmatch(r"\d{4,}", path.name))


def restore_epoch(out: Path, epoch: int, trainer: Trainer) -> list[dict]:
    """Restore network and optimiser as they were at the end of an epoch, and return the history up to then.

    Raises:
        ResultError: the epoch is damaged.
    """
    folder = epoch_folder(out, epoch)
    try:
        history = typed(read_json(folder / HISTORY_FILE), list[dict[str, Any]])
        arrays = read_archive(folder / STATE_FILE)
        state = [arrays[f"{number:04d}"] for number in range(len(arrays))]
        checkpoint = CheckpointFile(folder / CHECKPOINT_FILE)
        values = [checkpoint.read(name) for name in trainer.network.variables]
        variables = [*trainer.network.variables.values(), *trainer.optimizer.variables]
        for variable, value in zip(variables, [*values, *state], strict=True):
            _assign(variable, value)
    except (OSError, ValueError, KeyError, CheckpointError) as error:
        raise ResultError(
            f"{folder} is damaged ({error}); delete it, and training continues from the epoch before."
        ) from error
    return history


def _assign(variable, value: np.ndarray) -> None:
    """Give a variable of TensorFlow or Keras a value of its own shape and type."""
    held = variable.numpy()
    if (value.shape, value.dtype) != (held.shape, held.dtype):
        raise ValueError(
            f"it holds {value.dtype} of shape {value.shape} where {held.dtype} of shape {held.shape} was expected"
        )
    variable.assign(value)


def drop_epochs(out: Path, kept: set[int]) -> None:
    """Delete the folders of all epochs except some."""
    for path in (out / EPOCHS_FOLDER).iterdir():
        if path.name not in {f"{epoch:04d}" for epoch in kept}:
            shutil.rmtree(path, ignore_errors=True)


def epoch_folder(out: Path, epoch: int) -> Path:
    """Return the folder of an epoch, counted from 1."""
    return out / EPOCHS_FOLDER / f"{epoch:04d}"
