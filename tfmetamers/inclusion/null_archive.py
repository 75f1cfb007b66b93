"""The file of a null distribution: a NumPy archive of coefficients and pairs, with everything else as JSON."""

import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import numpy as np

from tfmetamers.errors import ResultError
from tfmetamers.inclusion.measures import CONVENTIONS, MAX_SNR, SPEARMAN
from tfmetamers.utilities.array_files import read_archive
from tfmetamers.utilities.files import atomic_write
from tfmetamers.utilities.json_files import other_format, parse_json, typed
from tfmetamers.utilities.regular_files import require_file

#: The version of the file's format, written as ``format`` in its metadata.
FORMAT = 1


class NullNetwork(TypedDict, total=False):
    """The types of what is recorded of a network: those of `tfmetamers.inclusion.null.RECORDED` that are known."""

    name: str
    stimulus_shape: list[int]
    digest: str
    input_range: list[float] | None
    architecture: str | None
    source: str
    file: str | None
    seed: int | None
    note: str


class NullMetadata(TypedDict):
    """The types of a file's metadata, as `NullDistribution.metadata` gives it; earlier files have no measures."""

    network: NullNetwork | None
    layers: list[str]
    measures: NotRequired[dict[str, str]]
    stimuli: list[tuple[str, str]] | None
    pairs: int
    seed: int | None
    design: str | None
    front_end: str | None
    versions: dict[str, str]
    parts: list[dict[str, Any]]
    left_out: dict[str, list[str]]
    source: str | None


#: The values of each measure, float64 (pairs,), by the layer's name.
Values = Mapping[str, Mapping[str, np.ndarray]]


def array_name(measure: str, place: int) -> str:
    """Return the name of an array: of a measure at a layer, by its place among the layers from 0."""
    return f"{'layer' if measure == SPEARMAN else measure}_{place}"


def write_null(path: str | os.PathLike, metadata: Mapping[str, Any], values: Values, pairs: np.ndarray | None) -> None:
    """Write a file, whole or not at all; the same content gives the same bytes.

    Raises:
        ResultError: the file cannot be written.
    """
    arrays = {
        array_name(measure, place): numbers
        for measure, layers in values.items()
        for place, numbers in enumerate(layers.values())
    }
    if pairs is not None:
        arrays["pairs"] = pairs
    archive = io.BytesIO()  # In memory first: an archive on a disk that fills up cannot even be closed.
    np.savez(archive, metadata=np.array(json.dumps({"format": FORMAT, **metadata})), **arrays)
    with atomic_write(path) as partial:
        partial.write_bytes(archive.getbuffer())


def read_null(path: str | os.PathLike) -> tuple[NullMetadata, Values, np.ndarray | None]:
    """Return what `write_null` wrote; a file without measures, as earlier versions wrote it, has Spearman's alone.

    Raises:
        ResultError: the file is missing or damaged, is not a null distribution, or has another format.
    """
    path = Path(path)
    require_file(path, "a null distribution, or build one with 'tfmetamers null build'", ResultError)
    try:
        arrays = read_archive(path)
        content = parse_json(str(arrays.pop("metadata")))
        version = content["format"]
        if version == FORMAT:
            metadata, pairs = typed(content, NullMetadata), arrays.get("pairs")
            measures = metadata.get("measures", {SPEARMAN: CONVENTIONS[SPEARMAN]})
            values = {
                measure: {name: arrays[array_name(measure, place)] for place, name in enumerate(metadata["layers"])}
                for measure in measures
            }
            if not measures.items() <= CONVENTIONS.items():
                raise ValueError(f"its measures are {', '.join(measures.values())}")
            _check_arrays(values, pairs, len(metadata["stimuli"] or ()), metadata["pairs"])
            return metadata, values, pairs
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ResultError(
            f"{path} is damaged or is not a null distribution ({reason}); build it again with 'tfmetamers null build'."
        ) from error
    raise other_format(path, version, FORMAT, "build it again")


def _check_arrays(values: Values, pairs: np.ndarray | None, stimuli: int, count: int) -> None:
    """Refuse arrays that do not belong together."""
    if not values.get(SPEARMAN) or not count:
        raise ValueError("it has no layer or no pair")
    for measure, layers in values.items():
        limit = MAX_SNR if measure == "snr" else 1
        for name, numbers in layers.items():
            is_table = numbers.dtype == np.float64 and numbers.shape == (count,)
            largest = numbers if measure == "snr" else np.abs(numbers)
            if not is_table or np.isinf(numbers).any() or np.nanmax(largest, initial=0) > limit + 1e-9:
                kind = "coefficients" if measure == SPEARMAN else f"numbers of {measure}"
                least = "numbers of at most" if measure == "snr" else "numbers from -1 to"
                raise ValueError(f"the {kind} of {name} are not {count} {least} {limit:g}")
    if pairs is None:
        return
    is_whole = pairs.dtype == np.int32 and pairs.shape == (count, 2)
    if not is_whole or (count and not (pairs >= 0).all()) or not (pairs[:, 0] < pairs[:, 1]).all():
        raise ValueError(f"the pairs are not {count} pairs of places")
    if count and pairs.max() >= stimuli:
        raise ValueError(f"the pairs name more than the {stimuli} stimuli")
