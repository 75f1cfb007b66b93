"""The variables of TensorFlow checkpoints, V1 (one file) and V2 (an index and data shards)."""

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from tfmetamers.checkpoints.comparison import Variable, compare
from tfmetamers.checkpoints.layout import Layout, find_checkpoint
from tfmetamers.errors import CheckpointError, unknown_name
from tfmetamers.files import file_digest

# What names an object graph is no variable: Keras's `save_weights` and `tf.train.Checkpoint` write it.
_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


class CheckpointFile:
    """A TensorFlow checkpoint that variables can be read from by name.

    Args:
        path: a V1 file; a V2 prefix, or any of the files that begin with it; or a folder with exactly one
            checkpoint in it.

    Attributes:
        path: the V1 file, or the prefix of the V2 files.
        format: ``"V1"`` or ``"V2"``.
        files: the files that hold the variables: one (V1), or the index and then the data shards (V2).
        variables: shape and dtype of every variable, by name, such as ``((3, 3, 3, 64), "float32")``.

    Raises:
        CheckpointError: there is no checkpoint, it is damaged, or it is another kind of file.
    """

    def __init__(self, path: str | os.PathLike):
        layout = find_checkpoint(path)
        self.path: Path = layout.path
        self.format: str = layout.format
        self.files: tuple[Path, ...] = layout.files
        self._reader = _open(layout)
        self.variables: dict[str, Variable] = _variables(self._reader)
        if _OBJECT_GRAPH in self.variables:
            raise CheckpointError(
                f"{self.path} is an object-based checkpoint, as Keras's save_weights makes; "
                "variables by name, of tf.compat.v1.train.Saver, were expected: load it in Keras, save "
                "the whole model, and give that with --keras-model."
            )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the V1 file's bytes, or of the index's and then the data shards', in hexadecimal."""
        return file_digest(*self.files)

    def read(self, name: str) -> np.ndarray:
        """Return the value of the variable ``name``.

        Raises:
            ArgumentError: the checkpoint has no such variable; the message lists near names.
            CheckpointError: its bytes are missing or damaged.
        """
        if name not in self.variables:
            raise unknown_name("variable", name, self.variables, f"They are those of the checkpoint {self.path}.")
        try:
            return np.asarray(self._reader.get_tensor(name))
        except _reader_errors() as error:
            raise CheckpointError(
                f"The variable {name} of {self.path} cannot be read, so the checkpoint is damaged or cut "
                f"short ({_first_line(error)}); fetch or copy it again."
            ) from error


def _open(layout: Layout):
    """Return TensorFlow's own reader of a checkpoint."""
    import tensorflow as tf

    if layout.format == "V2" and set(str(layout.path)) & set("[\\"):
        raise CheckpointError(
            f"TensorFlow cannot read a V2 checkpoint at {layout.path} because of the bracket or backslash in "
            "its path; rename that file or folder."
        )
    # TensorFlow takes the path of a V1 file for a pattern.
    pattern = "".join(f"\\{letter}" if letter in "\\[]*?" else letter for letter in str(layout.path))
    try:
        return tf.train.load_checkpoint(pattern if layout.format == "V1" else str(layout.path))
    except _reader_errors() as error:
        raise CheckpointError(
            f"{layout.path} is a damaged {layout.format} checkpoint ({_first_line(error)}); fetch or copy it again."
        ) from error


def _variables(reader) -> dict[str, Variable]:
    dtypes = reader.get_variable_to_dtype_map()
    shapes = reader.get_variable_to_shape_map()
    return {name: (tuple(shapes[name]), dtypes[name].base_dtype.name) for name in sorted(shapes)}


def _reader_errors() -> tuple[type[Exception], ...]:
    """Return what TensorFlow's reader was seen to raise on thousands of randomly damaged checkpoints."""
    import tensorflow as tf

    return tf.errors.OpError, RuntimeError, IndexError, ValueError, MemoryError


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")[:160]


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
        CheckpointError: a variable is missing, unknown, of another shape or dtype, damaged, or holds a value
            that is NaN or infinite.
    """
    comparison = compare(checkpoint, expected, known_extras)
    if not comparison.ok:
        raise CheckpointError(comparison.sentence())
    values = {name: checkpoint.read(name) for name in expected}
    spoilt = {name: count for name, value in values.items() if (count := count_not_finite(value))}
    if spoilt:
        name = next(iter(spoilt))
        others = f", and {len(spoilt) - 1} further variables hold some" if len(spoilt) > 1 else ""
        raise CheckpointError(
            f"In {checkpoint.path}, {spoilt[name]} of the {values[name].size} values of {name} are NaN or "
            f"infinite{others}; its training diverged or the file is damaged, so use another checkpoint."
        )
    return values


def count_not_finite(value: np.ndarray) -> int:
    """Return how many values of an array are NaN or infinite."""
    # Integers, booleans and strings have neither, and NumPy cannot ask strings.
    return 0 if value.dtype.kind in "biuSUO" else int(value.size - np.count_nonzero(np.isfinite(value)))
