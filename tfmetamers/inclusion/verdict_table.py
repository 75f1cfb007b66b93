"""The verdicts as a tidy table."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfmetamers.errors import ResultError
from tfmetamers.inclusion.evaluation import Judged, evaluate
from tfmetamers.inclusion.null import NullDistribution
from tfmetamers.metamers.failures import Failure
from tfmetamers.metamers.tables import COLUMNS, describe_row, write_csv

if TYPE_CHECKING:
    import pandas

    from tfmetamers.networks.network import Network

#: Columns that the table of verdicts has in common with the index: the network, the stimulus and the settings.
_RECORD_COLUMNS = COLUMNS[: COLUMNS.index("kernels") + 1]

#: Columns that come from the verdict on the exact array.
_VERDICT_COLUMNS = (
    "included",
    "same_label",
    "original_label",
    "metamer_label",
    "correlation",
    "null_maximum",
    "margin",
    "percentile",
    "pairs",
)

#: Columns of the measures that only the test of 2023 has.
_FURTHER_COLUMNS = ("pearson_null_maximum", "snr", "snr_null_maximum")


def verdicts(
    out: str | os.PathLike,
    nulls: str | os.PathLike | Sequence[str | os.PathLike] = (),
    *,
    defaults: Mapping[Path, NullDistribution] | None = None,
    all_layers: bool = False,
    look_in: Sequence[str | os.PathLike] = (),
    networks: "Network | Sequence[Network]" = (),
) -> "pandas.DataFrame":
    """Judge every finished metamer below a folder, and return the verdicts as a table with a row for each.

    Args:
        out: the folder that synthesis wrote to.
        nulls: the files of null distributions, or one file.
        defaults: null distributions for metamers to which none of `nulls` applies, as for `evaluate`.
        all_layers: compare all layers of the network, not only the matched one.
        look_in: folders to look in for networks' files that have moved.
        networks: networks that are loaded already, or one; models that are only in memory must be given.

    Raises:
        ArgumentError: something else was given than a folder, files and networks.
        ResultError: there is no metamer, or one cannot be judged.

    >>> import numpy as np
    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> from tfmetamers.synthesis import synthesize
    >>> metamer = synthesize(network, np.linspace(-1.0, 1.0, 6), layer="tanh", steps=2)
    >>> from tfmetamers.metamers import save_metamers
    >>> (folder,) = save_metamers(metamer, "metamers")
    >>> null = NullDistribution.from_stimuli(network, np.random.default_rng(0).normal(size=(4, 6)), layers="tanh")
    >>> null.save("null.npz")
    >>> verdicts("metamers", "null.npz", networks=network)[["layer", "pairs"]].values.tolist()
    [['tanh', 6]]
    """
    options = {"defaults": defaults, "all_layers": all_layers, "look_in": look_in, "networks": networks}
    found = list(evaluate(out, nulls, **options))
    for each in found:
        if isinstance(each, Failure):
            raise ResultError(f"{each.folder} cannot be judged: {each.reason}")
    return verdict_table(found, Path(out))


def write_table(judged: Sequence[Judged], out: Path, path: Path) -> None:
    """Write the verdicts as a tidy CSV (`verdict_table`).

    Raises:
        ResultError: the file cannot be written.
    """
    write_csv(verdict_table(judged, out), path)


def verdict_table(judged: Sequence[Judged], out: Path) -> "pandas.DataFrame":
    """Return the verdicts as a table with a row for each metamer."""
    import pandas

    further = ["null", "pearson", "signal_to_noise_ratio", *_FURTHER_COLUMNS, "saved_included", "saved_correlation"]
    columns = [*_RECORD_COLUMNS, "criterion", *_VERDICT_COLUMNS, *further, "reasons", "warnings", "folder"]
    table = pandas.DataFrame([_row(each, out) for each in judged], columns=columns)
    return table.astype({"pairs": "Int64"})  # Missing without a null distribution, else whole numbers.


def _row(each: Judged, out: Path) -> dict[str, Any]:
    verdict, described = each.verdict, describe_row(each.record)
    array, saved = verdict["array"], verdict["saved"]
    further = array.get("further", {})
    return {
        **{column: described[column] for column in _RECORD_COLUMNS},
        **{column: array[column] for column in _VERDICT_COLUMNS},
        "null": (verdict["basis"]["null"] or {}).get("file"),
        "pearson": verdict["pearson"],
        "signal_to_noise_ratio": verdict["signal_to_noise_ratio"],
        "criterion": each.record.recipe.criterion,
        "pearson_null_maximum": further.get("pearson", {}).get("null_maximum"),
        "snr": further.get("snr", {}).get("value"),
        "snr_null_maximum": further.get("snr", {}).get("null_maximum"),
        "saved_included": saved["included"],
        "saved_correlation": saved["correlation"],
        "reasons": "; ".join(array["reasons"]),
        "warnings": " ".join(array["warnings"]),
        "folder": each.folder.relative_to(out).as_posix(),
    }
