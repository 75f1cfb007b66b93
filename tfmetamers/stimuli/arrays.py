"""Arrays as stimuli, such as spectrograms for a network that takes these in place of sounds: ``.npy`` files."""

import math
import os
from pathlib import Path

import numpy as np

from tfmetamers.errors import ArgumentError, StimulusError, shown
from tfmetamers.utilities.array_files import read_array, read_header
from tfmetamers.utilities.files import atomic_write
from tfmetamers.utilities.regular_files import require_file

#: Endings of the files that a folder of arrays is searched for.
SUFFIXES = (".npy",)


def load_array(path: str | os.PathLike, shape: tuple[int, ...]) -> np.ndarray:
    """Load an array of floating-point numbers.

    Shape and type are checked by the file's header before anything else is read, so that a large file is refused at
    once; nothing in a file is executed.

    Args:
        path: the ``.npy`` file.
        shape: the shape that the array must have.

    Returns:
        float32 array of that shape, its values as they are in the file.

    Raises:
        StimulusError: the file is missing, damaged or not an array of floating-point numbers; the array has another
            shape, or values that are not finite in single precision.

    >>> np.save("spectrogram.npy", np.ones((96, 64)))
    >>> load_array("spectrogram.npy", (96, 64)).dtype.name
    'float32'
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise StimulusError(f"{path} is not named FILE.npy; an array of {_shown(shape)} saved by NumPy was expected.")
    require_file(path, f"an array of {_shown(shape)}", StimulusError)
    try:
        header = read_header(path)
        if header.dtype.kind != "f":
            raise StimulusError(f"{path} holds an array of {header.dtype.name}; floating-point numbers were expected.")
        if header.shape != tuple(shape):
            raise StimulusError(f"{path} holds an array of {_shown(header.shape)}; {_shown(shape)} was expected.")
        array = read_array(path, max_bytes=header.size)
    except (OSError, ValueError) as error:
        raise StimulusError(f"{path} cannot be read as an array ({error}); save it with numpy.save.") from error
    with np.errstate(over="ignore"):
        values = np.array(array, np.float32, order="C")
    not_finite = np.count_nonzero(~np.isfinite(values))
    if not_finite:
        raise StimulusError(
            f"In {path}, {not_finite} of {values.size} values are not finite in single precision; finite ones were "
            "expected."
        )
    return values


def checked_stimulus(value: np.ndarray, shape: tuple[int, ...], what: str = "A stimulus") -> np.ndarray:
    """Return a stimulus that was given as an array.

    Args:
        value: floating-point numbers that are finite in single precision.
        shape: the shape that they must have.
        what: what it is, as a message begins.

    Returns:
        float32 array of that shape.

    Raises:
        ArgumentError: it is something else, such as the path of a file, or has another shape or type.
    """
    try:
        array = None if isinstance(value, str | os.PathLike) or value is None else np.asarray(value)
    except (TypeError, ValueError):  # Lists of unequal lengths.
        array = None
    if array is None or array.dtype.kind != "f":
        given = shown(value) if array is None else f"an array of {array.dtype.name}"
        raise ArgumentError(
            f"{what} is {given}; an array of floating-point numbers was expected, as network.domain.load(FILE) gives."
        )
    if array.shape != tuple(shape):
        raise ArgumentError(f"{what} has shape {array.shape}; {tuple(shape)} was expected.")
    with np.errstate(over="ignore"):
        stimulus = array.astype(np.float32, copy=False)
    if not np.isfinite(stimulus).all():
        raise ArgumentError(f"{what} has values that are NaN or infinite; finite ones were expected.")
    return stimulus


def read_saved(path: str | os.PathLike, shape: tuple[int, ...]) -> np.ndarray:
    """Read an array that `save_array` wrote.

    Args:
        path: the ``.npy`` file.
        shape: its shape.

    Raises:
        OSError: the file is missing, or larger than such an array.
        ValueError: it is damaged.
    """
    return read_array(path, max_bytes=math.prod(shape) * np.dtype(np.float64).itemsize)


def save_array(array: np.ndarray, path: str | os.PathLike) -> None:
    """Save an array as a ``.npy`` file, whole or not at all.

    Raises:
        ResultError: the file cannot be written.

    >>> save_array(np.arange(6.0).reshape(2, 3), "spectrogram.npy")
    >>> np.load("spectrogram.npy").tolist()
    [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    """
    with atomic_write(path) as partial, partial.open("wb") as stream:
        np.save(stream, array)


def picture_of(array: np.ndarray) -> np.ndarray:
    """Return a grey picture of an array to look at: its lowest value white, its highest black.

    Args:
        array: float (rows, columns), or (rows, columns, channels), of which the mean over channels is shown.

    Returns:
        float (rows, columns, 1), in [0, 1].
    """
    plane = np.asarray(array, np.float64)
    plane = plane.mean(axis=2) if plane.ndim == 3 else plane
    low, high = plane.min(), plane.max()
    return 1.0 - ((plane - low) / max(high - low, 1e-12))[..., None]


def _shown(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "one number"
