"""The variables of TensorFlow checkpoints, V1 (one file) and V2 (an index and data shards)."""

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from tfmetamers.checkpoints.comparison import Variable, compare
from tfmetamers.checkpoints.layout import find_checkpoint
from tfmetamers.checkpoints.saved_variables import BundledVariables, SlicedVariables
from tfmetamers.errors import CheckpointError, unknown_name
from tfmetamers.utilities.files import file_digest

# The entry that an object-based checkpoint has, as Keras's `save_weights` and `tf.train.Checkpoint` write it.
_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


class CheckpointFile:
    """A TensorFlow checkpoint that variables can be read from by name.

    Args:
        path: a V1 file; or a V2 prefix, or any of the files that begin with it.

    Attributes:
        path: the V1 file, or the prefix of the V2 files.
        format: ``"V1"`` or ``"V2"``.
        files: the files that hold the variables: one (V1), or the index and then the data shards (V2).
        variables: shape and dtype of every variable, by name, such as ``((3, 3, 3, 64), "float32")``.

    Raises:
        CheckpointError: there is no checkpoint, it is damaged, or it is a file of another kind.
    """

    def __init__(self, path: str | os.PathLike):
        self.path, self.format, self.files = find_checkpoint(path)
        try:
            self._saved = SlicedVariables(self.path) if self.format == "V1" else _bundled(self.files)
        except (OSError, ValueError, KeyError) as error:
            raise CheckpointError(
                f"{self.path} is a {self.format} checkpoint, but damaged ({error}); fetch or copy it again."
            ) from error
        self.variables = self._saved.variables
        if _OBJECT_GRAPH in self.variables:
            raise CheckpointError(
                f"{self.path} is an object-based checkpoint, as Keras's save_weights writes; variables by name, as "
                "tf.compat.v1.train.Saver writes, were expected: load it in Keras, save the whole model, and give "
                "that (--network FILE.keras)."
            )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the V1 file's bytes, or of the index's and then the data shards', in hexadecimal."""
        try:
            return file_digest(*self.files)
        except OSError as error:
            raise CheckpointError(f"{error.filename} cannot be read: {error.strerror}; copy it again.") from error

    def read(self, name: str) -> np.ndarray:
        """Return the value of the variable ``name``.

        Raises:
            ArgumentError: the checkpoint has no such variable; the message lists near names.
            CheckpointError: its bytes are missing or damaged.
        """
        if name not in self.variables:
            raise unknown_name("variable", name, self.variables, f"The checkpoint is {self.path}.")
        try:
            return self._saved.read(name)
        except (OSError, ValueError) as error:
            raise CheckpointError(
                f"The variable {name} of {self.path} cannot be read ({error}): the checkpoint is damaged or cut short; "
                "fetch or copy it again."
            ) from error


def _bundled(files: Sequence[Path]) -> BundledVariables:
    index, *shards = files
    return BundledVariables(index, shards)


def read_variables(
    checkpoint: CheckpointFile, expected: Mapping[str, Variable], known_extras: Sequence[str] = ()
) -> dict[str, np.ndarray]:
    """Return the value of every expected variable, by name.

    Args:
        checkpoint: the checkpoint to read.
        expected: shape and dtype of every variable of the network, by name.
        known_extras: shell patterns of variables that the checkpoint may hold although the network leaves
            them unused.

    Raises:
        CheckpointError: a variable is missing, unknown, of another shape or dtype, or damaged, or it has a value
            that is NaN or infinite.
    """
    problem = compare(checkpoint.variables, expected, known_extras).problem
    if problem:
        raise CheckpointError(f"{checkpoint.path} {problem}")
    values = {name: checkpoint.read(name) for name in expected}
    # NumPy cannot test strings, and integers are always finite.
    numbers = {name: value for name, value in values.items() if value.dtype.kind not in "biuSUO"}
    infinite = [name for name, value in numbers.items() if not np.isfinite(value).all()]
    if infinite:
        value = values[infinite[0]]
        others = f" (variables with such values: {len(infinite)})" if len(infinite) > 1 else ""
        raise CheckpointError(
            f"In {checkpoint.path}, {np.count_nonzero(~np.isfinite(value))} of the {value.size} values of "
            f"{infinite[0]} are NaN or infinite{others}; its training diverged or the file is damaged. Use another "
            "checkpoint."
        )
    return values
