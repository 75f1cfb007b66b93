"""The authors' own null distributions: pickles that are read without executing anything in them."""

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tfmetamers.errors import ResultError
from tfmetamers.inclusion.null import NullDistribution

#: How the names of the release's pickles end.
SUFFIXES = (".pckl", ".pkl", ".pickle")

#: The largest file that is read, in bytes; a million pairs at eleven layers take 90 MB.
MAX_PICKLE = 2**28

#: Enough for a million pairs at eleven layers as lists of numbers.
MAX_INSTRUCTIONS = 10**8

#: Coefficients take at most this many bytes in double precision for each byte of the file: half precision, four.
MAX_GROWTH = 8

#: The names that NumPy's arrays and numbers refer to in pickles of all protocols.
KNOWN_GLOBALS = (
    (r"collections", r"OrderedDict"),
    (r"numpy(\._?core\.(multiarray|numeric))?", r"dtype|scalar|ndarray|_reconstruct|_frombuffer"),
    (r"_codecs", r"encode"),
)


def load_null(path: str | os.PathLike, network: str | None = None) -> NullDistribution:
    """Read a null distribution: one that `NullDistribution.save` wrote, or one of the authors' pickles.

    Args:
        path: the file.
        network: the name of its network, for a file that does not record it.

    Raises:
        ResultError: the file is missing or damaged, is neither of these, or records a network of another name.
    """
    described = None if network is None else {"name": network}
    if Path(path).suffix.lower() in SUFFIXES:
        return load_released(path, described)
    null = NullDistribution.load(path)
    if described is None:
        return null
    recorded = (null.network or described).get("name")
    if recorded != network:
        raise ResultError(f"{path} is for {recorded}, but was given for {network}; give it without a name.")
    return null if null.network else dataclasses.replace(null, network=described)


def load_released(path: str | os.PathLike, network: Mapping[str, Any] | None = None) -> NullDistribution:
    """Read one of the authors' null distributions, a pickle of a dict from layer to coefficients.

    Nothing in the pickle is executed. It does not record stimuli, pairs and weights, so the result does not either. The
    paper used a million pairs.

    Args:
        path: such as ``word_aliased_null_dist_spearman_r.pckl``.
        network: the fields of `NetworkRecord.to_json` that are known of its network; they are compared when a metamer
            is judged.

    Raises:
        ResultError: the file is missing or damaged, refers to functions that no array needs, or holds something else.
    """
    from tfmetamers.utilities.pickles import read_pickle

    path = Path(path)
    content = read_pickle(
        path,
        KNOWN_GLOBALS,
        max_bytes=MAX_PICKLE,
        max_instructions=MAX_INSTRUCTIONS,
        error_type=ResultError,
    )
    found = content if isinstance(content, dict) else {}
    if sum(map(_count, found.values())) * np.dtype(np.float64).itemsize > MAX_GROWTH * path.stat().st_size:
        raise ResultError(
            f"{path} would expand to many more coefficients than its size allows, so it is damaged or malicious."
        )
    layers = {name: _numbers(values) for name, values in found.items()}
    lengths = {len(values) for values in layers.values() if values is not None}
    are_named = all(isinstance(name, str) and name.isprintable() for name in layers)
    are_coefficients = are_named and all(map(_are_coefficients, layers.values()))
    if len(lengths) != 1 or not are_coefficients:
        raise ResultError(
            f"{path} is not a null distribution; a dict from layers to equal numbers of coefficients from -1 to 1 was "
            "expected. Give one of the authors' pickles, or build one with 'tfmetamers null build'."
        )
    return NullDistribution(network=network, layers=layers, source=path.name)


def _count(values) -> int:
    """Return how many numbers an array or a list of numbers holds."""
    from tfmetamers.utilities.pickles import Array

    if isinstance(values, Array):
        return 0 if values.values is None else values.values.size
    return len(values) if isinstance(values, list | tuple) else 0


def _numbers(values) -> np.ndarray | None:
    """Return an array, or a list of numbers, as float64; None for anything else."""
    from tfmetamers.utilities.pickles import Array

    if isinstance(values, Array):
        return None if values.values is None else values.values.ravel().astype(np.float64)
    if isinstance(values, list | tuple) and all(isinstance(value, float) for value in values):
        return np.array(values, np.float64)
    return None


def _are_coefficients(values: np.ndarray | None) -> bool:
    return values is not None and len(values) > 0 and not np.any(np.abs(values) > 1 + 1e-9)
