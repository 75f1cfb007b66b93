"""Reading models that Keras saved, without executing code that a file may hold."""

import contextlib
import copy
import io
import json
import os
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import keras
import tensorflow as tf
from keras.src.backend.common import global_state  # Keras exports it nowhere else.

from tfmetamers.errors import CheckpointError
from tfmetamers.utilities.zip_files import check_members, read_member

#: Endings of files of models.
ARCHIVE_SUFFIX, HDF5_SUFFIXES = ".keras", (".h5", ".hdf5")

#: The arrays of a file take at most so many times its bytes, and so many more: those of a network that was pruned are
#: mostly zeros, which are compressed well.
MAX_GROWTH, MIN_SIZE = 20, 2**20

#: The packages whose classes and functions a file may name.
_KNOWN_PACKAGES = ("keras", "tf_keras", "builtins")

#: Layers that hold code, or an operation of TensorFlow as it is, which may be one that writes files.
_LAYERS_OF_CODE = ("Lambda", "__lambda__", "TensorFlowOpLayer")

#: The modules of TensorFlow whose functions a layer of Keras 2 may stand for, and those that do more than compute.
_KNOWN_MODULES = ("", "__operators__", "image", "linalg", "math", "nn", "signal")
_UNSAFE_FUNCTIONS = ("load_library", "load_op_library", "numpy_function", "print", "py_function")


def read_keras(path: Path):
    """Return the model of a ``.keras`` or HDF5 file, of Keras 3 or else of Keras 2 (tf_keras).

    Keras executes what some files hold: pickled functions of Lambda layers, and any class or function of any package
    that a file names. Such files are refused before Keras sees them.

    Args:
        path: the file.

    Raises:
        CheckpointError: the file is missing, is not what its ending says, holds code, or cannot be read as a model.
    """
    saved = _read_saved(path)
    try:
        code = next(_code(saved.configuration), None)
    except RecursionError as error:
        raise CheckpointError(f"{path} is damaged: its configuration is nested too deeply; save it again.") from error
    if code is not None:
        raise CheckpointError(
            f"{path} holds {code}, which is not executed; build the model in Python, load its weights, and give it to "
            "tfmetamers.networks.from_keras."
        )
    import tf_keras

    errors = []
    for library in (keras, tf_keras):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                _refuse_growth(library, path, saved)
                return library.models.load_model(path, compile=False, safe_mode=True)
        except Exception as error:  # Keras raises whatever its parsers and layers raise.
            errors.append(error)
    error = errors[-1] if saved.version.startswith("2.") else errors[0]
    reason = str(error).strip().splitlines() or [type(error).__name__]
    raise CheckpointError(
        f"{path} cannot be read as a Keras model: {reason[0]} Save it again with model.save('FILE.keras'); load models "
        "with layers of your own in Python and give them to tfmetamers.networks.from_keras."
    ) from error


@dataclass(frozen=True)
class _Saved:
    """What a file holds.

    Attributes:
        configuration: the model's configuration.
        version: the version of Keras that saved it.
        numbers: how many numbers its arrays hold.
    """

    configuration: Any
    version: str
    numbers: int


def _refuse_growth(library, path: Path, saved: _Saved) -> None:
    """Refuse a model whose layers would have more weights than its file holds, before any of them is allocated.

    Raises:
        ValueError: it is one; or what a library raises that cannot build it.
    """
    if library is keras:
        with _nothing_allocated():
            if path.suffix.lower() == ARCHIVE_SUFFIX:
                configuration = {**copy.deepcopy(saved.configuration), "compile_config": None}
                model = keras.saving.deserialize_keras_object(configuration, safe_mode=True)
            else:  # Of which Keras 3 knows the configuration where it loads the whole alone.
                model = keras.models.load_model(path, compile=False, safe_mode=True)
    else:
        with tf.Graph().as_default():
            model = library.models.model_from_json(json.dumps(saved.configuration))
    # A model that was not built yet has weights where it is loaded with them.
    if model.built and model.count_params() > saved.numbers:
        raise ValueError(
            f"its layers have {model.count_params():,} weights, and the file holds {saved.numbers:,} numbers."
        )


@contextlib.contextmanager
def _nothing_allocated() -> Iterator[None]:
    """Have Keras make variables without values, and forget them: it would give them values at the next occasion."""
    waiting = global_state.get_global_attribute("uninitialized_variables")
    global_state.set_global_attribute("uninitialized_variables", [])
    try:
        with keras.StatelessScope(initialize_variables=False):
            yield
    finally:
        global_state.set_global_attribute("uninitialized_variables", waiting)


def _read_saved(path: Path) -> _Saved:
    suffix = path.suffix.lower()
    if suffix != ARCHIVE_SUFFIX and suffix not in HDF5_SUFFIXES:
        raise CheckpointError(
            f"{path} is not named FILE.keras or FILE.h5; save the model with model.save('FILE.keras')."
        )
    if not os.path.isfile(path):  # Which takes what cannot be a path for a missing file.
        raise CheckpointError(f"There is no file {path}; give a model that Keras saved.")
    kind = "a .keras archive" if zipfile.is_zipfile(path) else "an HDF5 file" if h5py.is_hdf5(path) else None
    expected = "a .keras archive" if suffix == ARCHIVE_SUFFIX else "an HDF5 file"
    if kind != expected:
        found = f"{kind}; name it so" if kind else "damaged, or something else; save the model again"
        raise CheckpointError(f"{path} cannot be read as a Keras model: {expected} was expected, and it is {found}.")
    try:
        return _of_archive(path) if suffix == ARCHIVE_SUFFIX else _of_hdf5(path)
    except CheckpointError:
        raise
    except Exception as error:  # The libraries raise whatever their parsers raise.
        raise CheckpointError(f"{path} is damaged ({error}); save the model again.") from error


def _of_archive(path: Path) -> _Saved:
    size, numbers = path.stat().st_size, 0
    with zipfile.ZipFile(path) as archive:
        check_members(archive, MAX_GROWTH * size + MIN_SIZE)
        metadata = json.loads(read_member(archive, "metadata.json"))
        for name in archive.namelist():
            if Path(name).suffix in HDF5_SUFFIXES:
                with h5py.File(io.BytesIO(read_member(archive, name))) as file:
                    numbers += _checked_numbers(file, size)
        return _Saved(json.loads(read_member(archive, "config.json")), str(metadata.get("keras_version", "")), numbers)


def _of_hdf5(path: Path) -> _Saved:
    with h5py.File(path) as file:
        numbers = _checked_numbers(file, path.stat().st_size)
        if "model_config" not in file.attrs:
            raise CheckpointError(
                f"{path} holds weights without a model; build the model in Python, load them with model.load_weights, "
                "and save it with model.save('FILE.keras')."
            )
        return _Saved(json.loads(file.attrs["model_config"]), str(file.attrs.get("keras_version", "")), numbers)


def _checked_numbers(file: h5py.File, size: int) -> int:
    """Return how many numbers the arrays of a file of HDF5 hold, without reading them.

    Args:
        file: the file.
        size: its bytes, or those of the archive that it is in.

    Raises:
        ValueError: it leads to other files, or stands for much more than its bytes hold.
    """
    leading = file.visititems_links(lambda name, link: None if isinstance(link, h5py.HardLink) else name)
    if leading is not None:
        raise ValueError(f"it leads to another place by {leading!r}")
    arrays: list[h5py.Dataset] = []
    file.visititems(lambda _, item: arrays.append(item) if isinstance(item, h5py.Dataset) else None)
    for each in arrays:
        if each.external or each.is_virtual:
            raise ValueError(f"the values of {each.name!r} are in other files")
    if sum(each.size * each.dtype.itemsize for each in arrays) > MAX_GROWTH * size + MIN_SIZE:
        raise ValueError("its arrays are much larger than the file")
    return sum(each.size for each in arrays)


def _code(configuration) -> Iterator[str]:
    """Name what in a configuration is code, or would have code imported."""
    if isinstance(configuration, list):
        for value in configuration:
            yield from _code(value)
    if not isinstance(configuration, dict):
        return
    name, settings = configuration.get("class_name"), configuration.get("config")
    called = settings.get("name", name) if isinstance(settings, dict) else name
    if name in _LAYERS_OF_CODE:
        yield f"code in the {name} layer {called!r}"
    if name == "TFOpLambda" and not _is_computation(settings):
        yield f"a function of TensorFlow that may do more than compute, in the layer {called!r}"
    module = configuration.get("module")
    if isinstance(module, str) and module.partition(".")[0] not in _KNOWN_PACKAGES:
        yield f"{module}.{name}, a class or function of your own"
    for value in configuration.values():
        yield from _code(value)


def _is_computation(settings) -> bool:
    function = settings.get("function") if isinstance(settings, dict) else None
    if not isinstance(function, str):
        return False
    module, _, name = function.rpartition(".")
    return module in _KNOWN_MODULES and name not in _UNSAFE_FUNCTIONS
