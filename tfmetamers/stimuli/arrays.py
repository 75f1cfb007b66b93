"""Arrays as stimuli, such as spectrograms that a network takes in place of sounds: NumPy's ``.npy`` files."""

import os
from pathlib import Path

import numpy as np

from tfmetamers.errors import StimulusError
from tfmetamers.utilities.files import atomic_write

#: Endings of the files that a folder of arrays is searched for.
SUFFIXES = (".npy",)


def load_array(path: str | os.PathLike, shape: tuple[int, ...]) -> np.ndarray:
    """Load an array of floating-point numbers.

    Nothing is read before the file's header has told that shape and type are right, so that a large file is refused
    at once; nothing in a file is executed.

    Args:
        path: the ``.npy`` file.
        shape: the shape that the array must have.

    Returns:
        float32 array of that shape, its values as they are in the file.

    Raises:
        StimulusError: the file is missing, damaged or not an array of floating-point numbers; the array has another
            shape, or values that are not finite in single precision.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise StimulusError(f"{path} is not named FILE.npy; an array of {_shown(shape)} that NumPy saved was expected.")
    if not path.is_file():
        raise StimulusError(f"There is no file {path}; give an array of {_shown(shape)}.")
    try:
        array = np.lib.format.open_memmap(path, mode="r")
    except (OSError, ValueError) as error:
        raise StimulusError(f"{path} cannot be read as an array ({error}); save it with numpy.save.") from error
    if array.dtype.kind != "f":
        raise StimulusError(f"{path} holds an array of {array.dtype.name}; floating-point numbers were expected.")
    if array.shape != tuple(shape):
        raise StimulusError(f"{path} holds an array of {_shown(array.shape)}; {_shown(shape)} was expected.")
    with np.errstate(over="ignore"):
        values = np.array(array, np.float32, order="C")
    spoilt = np.count_nonzero(~np.isfinite(values))
    if spoilt:
        raise StimulusError(
            f"{path} has {spoilt} values of {values.size} that are not finite in single precision; finite ones were "
            "expected."
        )
    return values


def save_array(array: np.ndarray, path: str | os.PathLike) -> None:
    """Save an array as a ``.npy`` file, whole or not at all.

    Raises:
        ResultError: the file cannot be written.
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
