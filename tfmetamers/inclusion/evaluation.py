"""Every metamer below a folder, judged by the network that made it."""

import hashlib
import json
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfmetamers.errors import ArgumentError, ResultError, TfmetamersWarning, shown
from tfmetamers.inclusion.null import NullDistribution
from tfmetamers.inclusion.null_choice import Choice, choose_null, require_all_apply
from tfmetamers.inclusion.null_files import load_null
from tfmetamers.inclusion.published import published_match
from tfmetamers.inclusion.verdict import judge
from tfmetamers.inclusion.verdict_file import check_original, is_about, judged_files, read_verdict, write_verdict
from tfmetamers.metamers.failures import Failure, attempt
from tfmetamers.metamers.folder import (
    HALF_WRITTEN,
    find_half_written,
    find_metamers,
    read_metamer,
    read_record,
    read_saved,
)
from tfmetamers.metamers.metamer import Metamer
from tfmetamers.metamers.names import distinct_layers
from tfmetamers.metamers.record import MetamerRecord
from tfmetamers.metamers.tables import COLUMNS, describe_row, write_csv
from tfmetamers.metrics import centred_ranks, pearson, rank_correlation, signal_to_noise_ratio
from tfmetamers.networks.network import Network, checked_network
from tfmetamers.networks.record import NetworkRecord, distinct_names
from tfmetamers.utilities.files import file_digest
from tfmetamers.utilities.lists import listed

if TYPE_CHECKING:
    import pandas

#: Activations of natural stimuli are kept for their other metamers, up to this many bytes.
MAX_KEPT_BYTES = 10**9

#: A verdict keeps this many units of the matched layer, drawn without replacement, for a scatter plot.
SCATTERED = 400


@dataclass(frozen=True)
class Judged:
    """A metamer that was judged.

    Attributes:
        folder: its folder.
        record: what its metamer.json holds.
        verdict: what its verdict.json holds (``docs/evaluation.md``).
        is_kept: whether the verdict is an earlier one, by a null distribution that this call does not have.
    """

    folder: Path
    record: MetamerRecord
    verdict: dict[str, Any]
    is_kept: bool = False

    @property
    def layer(self) -> str:
        """The matched layer."""
        return self.record.layer.name


def evaluate(
    out: str | os.PathLike,
    nulls: Mapping[Path, NullDistribution] | str | os.PathLike | Sequence[str | os.PathLike] = (),
    *,
    defaults: Mapping[Path, NullDistribution] | None = None,
    all_layers: bool = False,
    look_in: Sequence[str | os.PathLike] = (),
    networks: Network | Sequence[Network] = (),
) -> Iterator[Judged | Failure]:
    """Judge every finished metamer below a folder, and write verdict.json beside each.

    Each metamer is judged by the network that made it, which is loaded once for all its metamers; activations are
    computed again. Metamers that an earlier call judged in the same way are not judged again, so that the same call
    continues one that was interrupted. A verdict by a null distribution is kept where none is given now.

    Args:
        out: the folder that synthesis wrote to.
        nulls: null distributions by their files, or the files, or one file; for each metamer, that of its network and
            layer is used (`tfmetamers.inclusion.null_choice.choose_null`).
        defaults: null distributions for metamers to which none of `nulls` applies and which no earlier call judged by
            another one, such as those of `tfmetamers.inclusion.bundled_nulls`.
        all_layers: compare all layers of the network, not only the matched one (paper, Figure 2a).
        look_in: folders to look in for networks' files that have moved.
        networks: networks that are loaded already, or one. Models in memory can be judged only if they are given here.

    Yields:
        Each metamer, by network and path, or why it could not be judged.

    Raises:
        ArgumentError: something other than a folder, null distributions and networks was given.
        ResultError: there is no metamer below the folder, one of `nulls` applies to no metamer, or two apply equally
            to one metamer.

    >>> import numpy as np
    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> from tfmetamers.synthesis import synthesize
    >>> metamer = synthesize(network, np.linspace(-1.0, 1.0, 6), layer="tanh", steps=2)
    >>> from tfmetamers.metamers import save_metamers
    >>> (folder,) = save_metamers(metamer, "metamers")
    >>> [judged.verdict["array"]["reasons"] for judged in evaluate("metamers", networks=network)]
    [['no null distribution was given']]
    """
    networks = list(map(checked_network, listed(networks)))
    look_in = list(map(Path, listed(look_in)))
    nulls = nulls if isinstance(nulls, Mapping) else _loaded_nulls(nulls)
    records, failures = _read_records(find_metamers(out))
    require_all_apply(nulls, records.values())
    defaults = defaults or {}
    choices = {
        folder: (choose_null(nulls, folder, record), choose_null(defaults, folder, record))
        for folder, record in records.items()
    }
    digests = {file: file_digest(file) for file in (*nulls, *defaults)}
    yield from failures
    yield from (Failure(folder, HALF_WRITTEN) for folder in find_half_written(out))
    groups: dict[tuple, list[Path]] = {}
    for folder, record in records.items():
        groups.setdefault(_loaded_alike(record), []).append(folder)
    for group in groups.values():
        matched = [records[folder].layer.name for folder in group]
        lazy_network = _LazyNetwork(records[group[0]].network, matched, all_layers, look_in, networks)
        for folder in group:
            arguments = (records[folder], lazy_network, choices[folder], digests, all_layers)
            judged = attempt(folder, _evaluate_one, folder, *arguments)
            if isinstance(judged, Judged):
                for text in judged.verdict["array"]["warnings"]:
                    warnings.warn(text, TfmetamersWarning, stacklevel=2)
            yield judged


def verdicts(
    out: str | os.PathLike,
    nulls: str | os.PathLike | Sequence[str | os.PathLike] = (),
    *,
    defaults: Mapping[Path, NullDistribution] | None = None,
    all_layers: bool = False,
    look_in: Sequence[str | os.PathLike] = (),
    networks: Network | Sequence[Network] = (),
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


def summarize(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """Return a row for each network and layer, in the form of the paper's tables S4 and S5, from input to output.

    Networks that share a name get different names (`tfmetamers.networks.record.distinct_names`), and so do layers whose
    metamers were made in different ways (`tfmetamers.metamers.names.distinct_layers`).

    Columns: network, layer, metamers, passed, failed, not_judged (no null), other_label, low_correlation, undefined,
    saved_failed (the array passes, but what a person is shown does not), median_correlation, min_margin (above the
    null, of all metamers whose correlation is defined), null_maximum, median_loss (of |r - t| / |t|, with t the
    original's activations and r the metamer's); and the published numbers beside them where the network is among the 48
    of the 2023 paper (`tfmetamers.inclusion.published_match`), else None: published_model, published_loss,
    published_loss_range, published_correlation, published_null_maximum_range.

    >>> import numpy as np
    >>> import tensorflow as tf
    >>> from tfmetamers.metamers import save_metamers
    >>> from tfmetamers.networks import from_function
    >>> from tfmetamers.synthesis import synthesize
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> folders = save_metamers(synthesize(network, np.linspace(-1.0, 1.0, 6), layer="tanh", steps=2), "metamers")
    >>> (row,) = summarize(list(evaluate("metamers", networks=network)))
    >>> row["layer"], row["metamers"], row["not_judged"]
    ('tanh', 1, 1)
    """
    names = distinct_names([each.record.network for each in judged])
    layers = distinct_layers([each.record for each in judged])
    groups: dict[str, dict[str, list[Judged]]] = {}
    for name, layer, each in zip(names, layers, judged, strict=True):
        groups.setdefault(name, {}).setdefault(layer, []).append(each)
    return [
        {"network": name, "layer": layer, **_counts(made[layer]), **_published(made[layer][0])}
        for name, made in groups.items()
        for layer in sorted(made, key=lambda layer: (*layer_place(made[layer][0]), layer))
    ]


def layer_place(each: Judged) -> tuple:
    """Return a key that sorts metamers by their matched layers, from the input to the output.

    Layers that the network does not name come last, in the order of their names.
    """
    place = each.verdict.get("place")
    return place is None, place or 0, each.layer


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


def write_table(judged: Sequence[Judged], out: Path, path: Path) -> None:
    """Write the verdicts as a tidy CSV (`verdict_table`).

    Raises:
        ResultError: the file cannot be written.
    """
    write_csv(verdict_table(judged, out), path)


def verdict_table(judged: Sequence[Judged], out: Path) -> "pandas.DataFrame":
    """Return the verdicts as a table with a row for each metamer."""
    import pandas

    further = ["null", "pearson", "signal_to_noise_ratio", "saved_included", "saved_correlation"]
    columns = [*_RECORD_COLUMNS, *_VERDICT_COLUMNS, *further, "reasons", "warnings", "folder"]
    table = pandas.DataFrame([_row(each, out) for each in judged], columns=columns)
    return table.astype({"pairs": "Int64"})  # Missing without a null distribution, else whole numbers.


def _loaded_nulls(files: str | os.PathLike | Sequence[str | os.PathLike]) -> dict[Path, NullDistribution]:
    files = listed(files)
    for file in files:
        if not isinstance(file, str | os.PathLike):
            raise ArgumentError(f"A null distribution is {shown(file)}; its file was expected, as save writes it.")
    return {Path(file): load_null(file) for file in files}


def _read_records(folders: Sequence[Path]) -> tuple[dict[Path, MetamerRecord], list[Failure]]:
    found = {folder: attempt(folder, read_record, folder) for folder in folders}
    records = {folder: record for folder, record in found.items() if not isinstance(record, Failure)}
    return records, [failure for failure in found.values() if isinstance(failure, Failure)]


def _loaded_alike(record: MetamerRecord) -> tuple:
    """Return a value that is equal for metamers of one network, loaded in the same way with the same labels."""
    return record.network.identity, json.dumps(record.network.spec.to_json(), sort_keys=True)


class _Original:
    """A network's activations and logits for a natural stimulus, and the activations' ranks once they are needed."""

    def __init__(self, activations: Mapping[str, np.ndarray], logits: np.ndarray | None):
        self.activations = {layer: np.ravel(values[0]) for layer, values in activations.items()}
        self.logits = logits
        self._ranks: dict[str, np.ndarray] = {}

    @property
    def bytes(self) -> int:
        """The memory that it takes."""
        return sum(values.nbytes for values in (*self.activations.values(), *self._ranks.values()))

    def correlation(self, layer: str, ranks: np.ndarray) -> float | None:
        """Return Spearman's coefficient of a layer's activations with others, given as their centred ranks."""
        if layer not in self._ranks:
            self._ranks[layer] = centred_ranks(self.activations[layer])
        return rank_correlation(self._ranks[layer], ranks)


class _LazyNetwork:
    """The network of a group of metamers, loaded when it is first needed; loading is tried only once."""

    def __init__(
        self,
        record: NetworkRecord,
        matched: Sequence[str],
        all_layers: bool,
        look_in: Sequence[Path],
        networks: Sequence[Network],
    ):
        self._record, self._matched, self._all_layers = record, matched, all_layers
        self._look_in, self._networks = look_in, networks
        self._error: Exception | None = None
        self._originals: dict[str, _Original] = {}

    @cached_property
    def _is_checked(self) -> bool:
        self._record.check(self._look_in, self._networks)
        return True

    @cached_property
    def network(self) -> Network:
        """The network."""
        return self._record.load(self._look_in, self._networks)

    @cached_property
    def measure(self) -> Callable[[np.ndarray], tuple[dict[str, np.ndarray], np.ndarray]]:
        """The function from stimuli to activations and logits, planned once for all metamers of the group."""
        layers = [*self._matched, *(self.network.layers if self._all_layers else ())]
        return self.network.measurements(list(dict.fromkeys(layers)))

    def measured_original(self, digest: str, original: np.ndarray) -> "_Original":
        """Return what `measure` gives for a natural stimulus, which its metamers at all layers share.

        Args:
            digest: the hash of the stimulus.
            original: the stimulus.
        """
        if digest not in self._originals:
            self._originals[digest] = _Original(*self.require("measure")(original[None]))
            while len(self._originals) > 1 and sum(each.bytes for each in self._originals.values()) > MAX_KEPT_BYTES:
                del self._originals[next(iter(self._originals))]
        return self._originals[digest]

    def require(self, part: str):
        """Return an attribute; an earlier error is raised again.

        Raises:
            TfmetamersError: the network cannot be loaded.
        """
        if self._error:
            raise self._error
        try:
            return getattr(self, part)
        except Exception as error:  # A damaged file would raise it again.
            self._error = error
            raise

    def check(self) -> None:
        """Check that no file is gone or has changed, without loading it.

        Raises:
            TfmetamersError: a file is gone or has changed, or the network could not be loaded before.
        """
        self.require("_is_checked")


def _evaluate_one(
    folder: Path,
    record: MetamerRecord,
    lazy_network: _LazyNetwork,
    choices: tuple[Choice, Choice],
    digests: Mapping[Path, str],
    all_layers: bool,
) -> Judged:
    lazy_network.check()
    files = judged_files(folder, record)
    earlier = _earlier_verdict(folder, files)
    choice = _chosen(*choices, earlier, digests)
    basis = {
        "files": files,
        "null": choice.file and {"file": choice.file.name, "sha256": digests[choice.file]},
        "without_null": choice.reason,
        "all_layers": all_layers,
    }
    if earlier and earlier["basis"] in (basis, {**basis, "all_layers": True}):
        return Judged(folder, record, earlier)
    is_kept = bool(earlier and earlier["basis"]["null"] and choice.null is None)
    if is_kept and (earlier["layers"] or not all_layers):
        return Judged(folder, record, earlier, is_kept=True)
    verdict = {"basis": basis, **_judge(lazy_network, folder, choice, all_layers)}
    if is_kept:
        # The basis stays that of the earlier null distribution, although that was not compared with all layers.
        verdict |= {part: earlier[part] for part in ("basis", "array", "saved")}
    write_verdict(folder, verdict)
    return Judged(folder, record, verdict, is_kept=is_kept)


def _chosen(given: Choice, default: Choice, earlier: Mapping | None, digests: Mapping[Path, str]) -> Choice:
    """Prefer the null distribution given now, then that of an earlier verdict, then the default."""
    if given.null or default.null is None:
        return given
    judged_by = earlier and earlier["basis"]["null"]
    return given if judged_by and judged_by["sha256"] != digests[default.file] else default


def _earlier_verdict(folder: Path, files: Mapping[str, str]) -> dict | None:
    """Return the verdict of an earlier call on the same files, None where there is none or it is damaged."""
    try:
        verdict = read_verdict(folder)
    except ResultError:
        return None
    return verdict if verdict and is_about(verdict, files) else None


def _judge(lazy_network: _LazyNetwork, folder: Path, choice: Choice, all_layers: bool) -> dict[str, Any]:
    metamer = read_metamer(folder)
    check_original(folder, metamer)
    network, layer = lazy_network.require("network"), metamer.record.layer.name
    saved = read_saved(folder, "metamer", metamer.record)
    of_original = lazy_network.measured_original(metamer.record.stimulus.sha256, metamer.original)
    is_exact = np.array_equal(saved, metamer.stimulus)
    stimuli = metamer.stimulus[None] if is_exact else np.stack([metamer.stimulus, saved])
    of_metamer = lazy_network.require("measure")(stimuli)
    names = [layer, *(name for name in network.layers if all_layers and name != layer)]
    exact, shown = ({name: np.ravel(of_metamer[0][name][place]) for name in names} for place in (0, -1))
    for activations in ({name: of_original.activations[name] for name in names}, exact, shown):
        _refuse_nan(activations, folder)
    logits = None if of_original.logits is None else np.concatenate([of_original.logits, of_metamer[1][[0, -1]]])
    predictions = _predictions(network, logits)
    correlations = {name: of_original.correlation(name, centred_ranks(exact[name])) for name in names}
    of_saved = correlations[layer] if is_exact else of_original.correlation(layer, centred_ranks(shown[layer]))
    verdicts = [
        judge(layer, predictions[0], prediction, correlation, choice.null, choice.reason, metamer.record.warnings)
        for prediction, correlation in zip(predictions[1:], (correlations[layer], of_saved), strict=True)
    ]
    original = of_original.activations[layer]
    return {
        "array": verdicts[0].as_json(),
        "saved": verdicts[1].as_json(),
        "pearson": pearson(original, exact[layer]),
        "signal_to_noise_ratio": _finite(signal_to_noise_ratio(original, exact[layer])),
        "place": list(network.layers).index(layer) if layer in network.layers else None,
        "layers": _at_all_layers(correlations, network, choice.null) if all_layers else None,
        "scatter": _scatter(original, exact[layer], metamer),
    }


def _predictions(network: Network, logits: np.ndarray | None) -> list[dict | None]:
    """Return index and label of the network's answer to each stimulus, None for a network without labels."""
    if logits is None:
        return [None] * 3
    return [asdict(prediction) for prediction in network.predictions(logits)]


def _at_all_layers(
    correlations: Mapping[str, float | None], network: Network, null: NullDistribution | None
) -> dict[str, dict]:
    """Return each layer's correlation and how it compares with the null distribution, in the order of the layers."""
    ordered = [name for name in network.layers if name in correlations]
    ordered += [name for name in correlations if name not in ordered]
    found = {}
    for name in ordered:
        correlation = correlations[name]
        is_known = null is not None and name in null.layers and null.undefined(name) < null.pairs_count
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
                f"{folder}: activations at {name} are not finite, so the network's weights or the saved stimulus are "
                "damaged; use other weights, or delete the folder and make the metamer again."
            )


def _finite(value: float | None) -> float | None:
    """Return a finite number, or None: the ratio of equal activations is infinite, which JSON cannot hold."""
    return value if value is not None and np.isfinite(value) else None


def _counts(judged: Sequence[Judged]) -> dict[str, Any]:
    verdicts = [each.verdict for each in judged]
    arrays = [verdict["array"] for verdict in verdicts]
    correlations = [each["correlation"] for each in arrays if each["correlation"] is not None]
    margins = [each["margin"] for each in arrays if each["margin"] is not None]
    saved = [verdict["saved"]["included"] for verdict in verdicts]
    maxima = [each["null_maximum"] for each in arrays if each["null_maximum"] is not None]
    ratios = [verdict["signal_to_noise_ratio"] for verdict in verdicts if verdict["signal_to_noise_ratio"] is not None]
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
        "min_margin": min(margins) if margins else None,
        "null_maximum": max(maxima) if maxima else None,
        "median_loss": float(np.median([10 ** (-ratio / 20) for ratio in ratios])) if ratios else None,
    }


def _published(each: Judged) -> dict[str, Any]:
    match = published_match(each.record.network, each.layer)
    return {
        "published_model": match and match.model,
        "published_loss": match and match.loss,
        "published_loss_range": match and list(match.loss_range),
        "published_correlation": match and match.correlation,
        "published_null_maximum_range": match and list(match.null_maximum_range),
    }


def _row(each: Judged, out: Path) -> dict[str, Any]:
    verdict, described = each.verdict, describe_row(each.record)
    array, saved = verdict["array"], verdict["saved"]
    return {
        **{column: described[column] for column in _RECORD_COLUMNS},
        **{column: array[column] for column in _VERDICT_COLUMNS},
        "null": (verdict["basis"]["null"] or {}).get("file"),
        "pearson": verdict["pearson"],
        "signal_to_noise_ratio": verdict["signal_to_noise_ratio"],
        "saved_included": saved["included"],
        "saved_correlation": saved["correlation"],
        "reasons": "; ".join(array["reasons"]),
        "warnings": " ".join(array["warnings"]),
        "folder": each.folder.relative_to(out).as_posix(),
    }
