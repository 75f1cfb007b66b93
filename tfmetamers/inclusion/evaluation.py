"""Every metamer below a folder, judged by the network that made it."""

import json
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfmetamers.errors import ArgumentError, ResultError, TfmetamersWarning, shown
from tfmetamers.inclusion.judgement import judge_folder
from tfmetamers.inclusion.judging_network import JudgingNetwork
from tfmetamers.inclusion.measures import CONVENTIONS, SPEARMAN
from tfmetamers.inclusion.null import NullDistribution
from tfmetamers.inclusion.null_choice import Choice, choose_null, require_all_apply
from tfmetamers.inclusion.null_files import load_null
from tfmetamers.inclusion.published import published_match
from tfmetamers.inclusion.verdict_file import is_about, judged_files, read_verdict, write_verdict
from tfmetamers.metamers.failures import Failure, attempt
from tfmetamers.metamers.folder import HALF_WRITTEN, find_half_written, find_metamers, read_record
from tfmetamers.metamers.names import distinct_layers
from tfmetamers.metamers.record import MetamerRecord
from tfmetamers.networks.network import Network, checked_network
from tfmetamers.networks.record import distinct_names
from tfmetamers.utilities.files import file_digest
from tfmetamers.utilities.lists import listed

#: Columns of `summarize` that only the test of 2023 has.
_OF_2023 = ("low_pearson", "low_snr")


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
        judging = JudgingNetwork(records[group[0]].network, matched, all_layers, look_in, networks)
        for folder in group:
            arguments = (records[folder], judging, choices[folder], digests, all_layers)
            judged = attempt(folder, _evaluate_one, folder, *arguments)
            if isinstance(judged, Judged):
                for text in judged.verdict["array"]["warnings"]:
                    warnings.warn(text, TfmetamersWarning, stacklevel=2)
            yield judged


def summarize(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """Return a row for each network and layer, in the form of the paper's tables S4 and S5, from input to output.

    Networks that share a name get different names (`tfmetamers.networks.record.distinct_names`), and so do layers whose
    metamers were made in different ways (`tfmetamers.metamers.names.distinct_layers`).

    Columns: network, layer, metamers, passed, failed, not_judged (no null), other_label, low_correlation, low_pearson
    and low_snr (None unless a recipe's test has them), undefined, saved_failed (the array passes, but what a person is
    shown does not), median_correlation, min_margin (above the null, of all metamers whose correlation is defined),
    median_loss (of `|r - t| / |t|`, with t the original's activations and r the metamer's), and the null's maxima
    spearman_null_maximum, pearson_null_maximum and snr_null_maximum; and the published numbers beside them where the
    network is among the 48 of the 2023 paper (`tfmetamers.inclusion.published_match`), else None: published_model,
    published_loss, published_loss_range, published_correlation and a range of each of these maxima, such as
    published_snr_null_maximum_range.

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


def known_columns(columns: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return columns of `summarize` without those that only the test of 2023 has, where no row has it.

    Args:
        columns: titles, or anything else, by the columns' names.
        rows: what `summarize` returned.
    """
    known = {column for row in rows for column, value in row.items() if value is not None}
    return {column: each for column, each in columns.items() if column not in _OF_2023 or column in known}


def layer_place(each: Judged) -> tuple:
    """Return a key that sorts metamers by their matched layers, from the input to the output.

    Layers that the network does not name come last, in the order of their names.
    """
    place = each.verdict.get("place")
    return place is None, place or 0, each.layer


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


def _evaluate_one(
    folder: Path,
    record: MetamerRecord,
    judging: JudgingNetwork,
    choices: tuple[Choice, Choice],
    digests: Mapping[Path, str],
    all_layers: bool,
) -> Judged:
    judging.check()
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
    verdict = {"basis": basis, **judge_folder(judging, folder, choice, all_layers)}
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


def _counts(judged: Sequence[Judged]) -> dict[str, Any]:
    verdicts = [each.verdict for each in judged]
    arrays = [verdict["array"] for verdict in verdicts]
    correlations = [each["correlation"] for each in arrays if each["correlation"] is not None]
    margins = [each["margin"] for each in arrays if each["margin"] is not None]
    saved = [verdict["saved"]["included"] for verdict in verdicts]
    ratios = [verdict["signal_to_noise_ratio"] for verdict in verdicts if verdict["signal_to_noise_ratio"] is not None]
    return {
        "metamers": len(arrays),
        "passed": sum(each["included"] is True for each in arrays),
        "failed": sum(each["included"] is False for each in arrays),
        "not_judged": sum(each["included"] is None for each in arrays),
        "other_label": sum(each["same_label"] is False for each in arrays),
        "low_correlation": sum(_is_low(each, may_equal="further" in each) for each in arrays),
        **{column: _count_low(arrays, column.removeprefix("low_")) for column in _OF_2023},
        "undefined": sum(each["correlation"] is None for each in arrays),
        "saved_failed": sum(
            each["included"] is True and kept is not True for each, kept in zip(arrays, saved, strict=True)
        ),
        "median_correlation": float(np.median(correlations)) if correlations else None,
        "min_margin": min(margins) if margins else None,
        "median_loss": float(np.median([10 ** (-ratio / 20) for ratio in ratios])) if ratios else None,
        **{f"{measure}_null_maximum": _null_maximum(arrays, measure) for measure in CONVENTIONS},
    }


def _null_maximum(arrays: Sequence[Mapping], measure: str) -> float | None:
    """Return the largest of a measure over natural stimuli that verdicts were based on; None where there was none."""
    compared = [each if measure == SPEARMAN else each.get("further", {}).get(measure, {}) for each in arrays]
    maxima = [each["null_maximum"] for each in compared if each.get("null_maximum") is not None]
    return max(maxima, default=None)


def _published(each: Judged) -> dict[str, Any]:
    match = published_match(each.record.network, each.layer)
    return {
        "published_model": match and match.model,
        "published_loss": match and match.loss,
        "published_loss_range": match and list(match.loss_range),
        "published_correlation": match and match.correlation,
        **{
            f"published_{measure}_null_maximum_range": match and list(match.null_maximum_ranges[measure])
            for measure in CONVENTIONS
        },
    }


def _is_low(comparison: Mapping, may_equal: bool) -> bool:
    margin = comparison["margin"]
    return margin is not None and (margin < 0 if may_equal else margin <= 0)


def _count_low(arrays: Sequence[Mapping], measure: str) -> int | None:
    """Return how many verdicts of the test of 2023 have a low measure; None where there is no such verdict."""
    compared = [each["further"][measure] for each in arrays if "further" in each]
    return sum(_is_low(each, may_equal=True) for each in compared) if compared else None
