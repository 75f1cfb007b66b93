"""Every metamer below a folder, judged by the network that made it."""

import csv
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfmetamers.errors import ResultError, TfmetamersError
from tfmetamers.evaluation.correlation import pearson, signal_to_noise_ratio, spearman
from tfmetamers.evaluation.inclusion import check_null, judge
from tfmetamers.evaluation.null import NullDistribution
from tfmetamers.files import file_digest, written_whole
from tfmetamers.networks.network import Network
from tfmetamers.networks.recorded import load_recorded
from tfmetamers.results import Metamer, find_metamers, read_metamer, read_record
from tfmetamers.stimuli.domains import DOMAINS

#: The version of the file's format, written as ``format`` in verdict.json.
FORMAT = 1

#: A verdict keeps this many units of the matched layer, drawn without replacement, for a scatter plot.
SCATTERED = 400


@dataclass(frozen=True)
class Judged:
    """A metamer that was judged.

    Attributes:
        folder: its folder.
        record: what its metamer.json holds.
        verdict: what its verdict.json holds (``docs/evaluation.md``).
    """

    folder: Path
    record: dict[str, Any]
    verdict: dict[str, Any]


@dataclass(frozen=True)
class Failure:
    """A metamer that could not be judged, and why."""

    folder: Path
    reason: str


def evaluate(
    out: str | os.PathLike,
    nulls: Mapping[Path, NullDistribution],
    *,
    all_layers: bool = False,
    look_in: Sequence[Path] = (),
) -> Iterator[Judged | Failure]:
    """Judge every finished metamer below a folder, and write verdict.json beside each.

    Each is judged by the network that made it, loaded once; activations are computed anew. What an earlier call has
    judged in the same way is read and not judged again, so that an interrupted call is continued by the same one.

    Args:
        out: the folder that synthesis wrote to.
        nulls: null distributions by their files; for each metamer, the one of its network and layer is used.
        all_layers: compare all layers of the network, not only the matched one (paper, Figure 2a).
        look_in: folders to look in for checkpoints that are no longer where they were.

    Yields:
        Each metamer in the order of the networks and of the paths, or why it could not be judged.

    Raises:
        ResultError: there is no metamer below the folder, or null distributions were given and none is of a network
            and layer that any of the metamers has.
    """
    folders = find_metamers(out)
    records, failures = _read_records(folders)
    yield from failures
    _refuse_useless_nulls(nulls, records.values())
    digests = {file: file_digest(file) for file in nulls}
    groups: dict[str, list[Path]] = {}
    for folder, record in records.items():
        groups.setdefault(json.dumps([record["network"], record["domain"]], sort_keys=True), []).append(folder)
    for group in groups.values():
        yield from _evaluate_network(group, records, nulls, digests, all_layers, look_in)


def summarize(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """Return a row a network and layer, in the form of the paper's tables S4 and S5.

    Columns: network, layer, metamers, passed, failed, not_judged (no null), other_label, low_correlation, undefined,
    saved_failed (what a person is shown does not pass although the array does), median_correlation, smallest_margin
    (above the null, of all whose correlation is defined).
    """
    groups: dict[tuple[str, str], list[dict]] = {}
    for each in judged:
        key = each.record["network"]["name"], each.record["layer"]["name"]
        groups.setdefault(key, []).append(each.verdict)
    return [{"network": network, "layer": layer, **_counts(group)} for (network, layer), group in groups.items()]


#: Columns of the table of verdicts that come from metamer.json, and where it has each.
_RECORD_COLUMNS = {
    "network": ("network", "name"),
    "weights": ("network", "digest"),
    "layer": ("layer", "name"),
    "stimulus": ("stimulus", "id"),
    "label": ("stimulus", "label"),
    "category": ("stimulus", "category"),
    "seed": ("seed",),
    "recipe": ("recipe", "name"),
    "steps": ("recipe", "steps"),
}

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


def write_table(judged: Sequence[Judged], out: Path, path: Path) -> None:
    """Write the verdicts as a tidy CSV, one row a metamer.

    Raises:
        ResultError: the file cannot be written.
    """
    header = [*_RECORD_COLUMNS, *_VERDICT_COLUMNS, "pearson", "signal_to_noise_ratio", "saved_included"]
    header += ["saved_correlation", "reasons", "folder"]
    rows = [_row(each, out) for each in judged]
    with written_whole(path) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *rows])


def read_verdict(folder: Path) -> dict[str, Any] | None:
    """Return what a folder's verdict.json holds, None where there is none.

    Raises:
        ResultError: it is damaged, or of another format.
    """
    path = folder / "verdict.json"
    if not path.exists():
        return None
    try:
        verdict = json.loads(path.read_text(encoding="utf-8"))
        version = verdict["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResultError(f"{path} is damaged ({error}); delete it and evaluate again.") from error
    if version != FORMAT:
        raise ResultError(f"{path} has format {version}; this version of tfmetamers reads format {FORMAT}.")
    return verdict


def _read_records(folders: Sequence[Path]) -> tuple[dict[Path, dict], list[Failure]]:
    records, failures = {}, []
    for folder in folders:
        try:
            records[folder] = read_record(folder)
        except ResultError as error:
            failures.append(Failure(folder, str(error)))
    return records, failures


def _refuse_useless_nulls(nulls: Mapping[Path, NullDistribution], records) -> None:
    """Refuse a null distribution that no metamer can be judged by, naming the first difference."""
    records = list(records)
    for file, null in nulls.items():
        differences = [difference for record in records if (difference := _difference(null, record))]
        if records and len(differences) == len(records):
            raise ResultError(f"{file} cannot judge any of the metamers. {differences[0]}")


def _difference(null: NullDistribution, record: Mapping) -> str | None:
    try:
        check_null(null, record)
    except ResultError as error:
        return str(error)
    return None


def _evaluate_network(group, records, nulls, digests, all_layers, look_in) -> Iterator[Judged | Failure]:
    network = None
    for folder in group:
        record = records[folder]
        file = next((file for file, null in nulls.items() if _difference(null, record) is None), None)
        basis = {
            "metamer": file_digest(folder / "metamer.json"),
            "null": file and {"file": file.name, "sha256": digests[file]},
            "all_layers": all_layers,
        }
        try:
            verdict = _verdict_of(folder, basis)
            if verdict is None:
                network = network or load_recorded(record, look_in)
                verdict = {"format": FORMAT, "basis": basis, **_judge(network, folder, nulls.get(file), all_layers)}
                with written_whole(folder / "verdict.json") as partial:
                    partial.write_text(json.dumps(verdict, indent=2) + "\n", encoding="utf-8")
        except TfmetamersError as error:
            yield Failure(folder, str(error))
            continue
        yield Judged(folder, record, verdict)


def _verdict_of(folder: Path, basis: Mapping) -> dict | None:
    """Return the verdict of an earlier call, if it rests on the same."""
    try:
        verdict = read_verdict(folder)
    except ResultError:
        return None
    return verdict if verdict and verdict.get("basis") == basis else None


def _judge(network: Network, folder: Path, null: NullDistribution | None, all_layers: bool) -> dict[str, Any]:
    metamer = read_metamer(folder)
    layer = metamer.record["layer"]["name"]
    saved = DOMAINS[metamer.record["domain"]].read(folder / "metamer")
    names = [layer, *(name for name in network.layers if all_layers and name != layer)]
    stimuli = np.stack([metamer.original, metamer.stimulus, saved])
    activations = dict(zip(names, network.activations_together(names)(stimuli), strict=True))
    activations = {name: values.numpy().reshape(3, -1) for name, values in activations.items()}
    _refuse_nan(activations, folder)
    predictions = [_as_json(prediction) for prediction in network.predict(stimuli)]
    original, exact, shown = activations[layer]
    verdicts = [
        judge(layer, predictions[0], prediction, spearman(original, values), null)
        for prediction, values in zip(predictions[1:], (exact, shown), strict=True)
    ]
    return {
        "array": verdicts[0].as_json(),
        "saved": verdicts[1].as_json(),
        "pearson": pearson(original, exact),
        "signal_to_noise_ratio": _finite(signal_to_noise_ratio(original, exact)),
        "layers": _at_all_layers(activations, network, null) if all_layers else None,
        "scatter": _scatter(original, exact, metamer),
    }


def _at_all_layers(activations: Mapping, network: Network, null: NullDistribution | None) -> dict[str, dict]:
    """Return each layer's correlation, and what the null distribution says of it, in the order of the layers."""
    ordered = [name for name in network.layers if name in activations]
    ordered += [name for name in activations if name not in ordered]
    found = {}
    for name in ordered:
        correlation = spearman(activations[name][0], activations[name][1])
        is_known = null is not None and name in null.layers
        found[name] = {
            "correlation": correlation,
            "null_maximum": null.maximum(name) if is_known else None,
            "percentile": null.percentile(name, correlation) if is_known and correlation is not None else None,
        }
    return found


def _scatter(original: np.ndarray, exact: np.ndarray, metamer: Metamer) -> dict[str, list[float]]:
    generator = np.random.default_rng(int(hashlib.sha256(metamer.stimulus.tobytes()).hexdigest()[:16], 16))
    units = np.sort(generator.choice(len(original), min(SCATTERED, len(original)), replace=False))
    return {
        "original": [float(f"{value:.5g}") for value in original[units]],
        "metamer": [float(f"{value:.5g}") for value in exact[units]],
    }


def _refuse_nan(activations: Mapping[str, np.ndarray], folder: Path) -> None:
    for name, values in activations.items():
        if not np.isfinite(values).all():
            raise ResultError(
                f"{folder}: activations at {name} are not finite; the weights or the saved stimulus are damaged."
            )


def _finite(value: float | None) -> float | None:
    """JSON has no infinity: equal activations have no ratio."""
    return value if value is not None and np.isfinite(value) else None


def _as_json(prediction) -> dict | None:
    return prediction and {"index": prediction.index, "label": prediction.label}


def _counts(verdicts: Sequence[Mapping]) -> dict[str, Any]:
    arrays = [verdict["array"] for verdict in verdicts]
    correlations = [each["correlation"] for each in arrays if each["correlation"] is not None]
    margins = [each["margin"] for each in arrays if each["margin"] is not None]
    saved = [verdict["saved"]["included"] for verdict in verdicts]
    return {
        "metamers": len(arrays),
        "passed": sum(each["included"] is True for each in arrays),
        "failed": sum(each["included"] is False for each in arrays),
        "not_judged": sum(each["included"] is None for each in arrays),
        "other_label": sum(each["same_label"] is False for each in arrays),
        "low_correlation": sum(each["margin"] is not None and each["margin"] <= 0 for each in arrays),
        "undefined": sum(each["correlation"] is None for each in arrays),
        "saved_failed": sum(
            each["included"] is True and kept is not True for each, kept in zip(arrays, saved, strict=True)
        ),
        "median_correlation": float(np.median(correlations)) if correlations else None,
        "smallest_margin": min(margins) if margins else None,
    }


def _row(each: Judged, out: Path) -> list:
    row = []
    for path in _RECORD_COLUMNS.values():
        value = each.record
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        row.append(value)
    array, saved = each.verdict["array"], each.verdict["saved"]
    row += [array[column] for column in _VERDICT_COLUMNS]
    row += [each.verdict["pearson"], each.verdict["signal_to_noise_ratio"], saved["included"], saved["correlation"]]
    return [*row, "; ".join(array["reasons"]), each.folder.relative_to(out).as_posix()]
