"""What evaluation finds of one metamer: its verdicts, and how it compares with the original."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tfmetamers.errors import ResultError
from tfmetamers.inclusion.judging_network import JudgingNetwork
from tfmetamers.inclusion.measures import further_measures
from tfmetamers.inclusion.null import NullDistribution
from tfmetamers.inclusion.null_choice import Choice
from tfmetamers.inclusion.predictions import describe_predictions
from tfmetamers.inclusion.verdict import judge
from tfmetamers.inclusion.verdict_file import check_original
from tfmetamers.metamers.folder import read_metamer, read_saved
from tfmetamers.metamers.metamer import Metamer
from tfmetamers.metrics import centred_ranks, pearson, signal_to_noise_ratio
from tfmetamers.networks.network import Network

#: A verdict keeps this many units of the matched layer, drawn without replacement, for a scatter plot.
SCATTERED = 400


def judge_folder(judging: JudgingNetwork, folder: Path, choice: Choice, all_layers: bool) -> dict[str, Any]:
    """Return what verdict.json holds of a metamer besides its basis (`tfmetamers.inclusion.verdict_file`).

    Args:
        judging: the network that made it.
        folder: its folder.
        choice: the null distribution to judge it by.
        all_layers: compare all layers of the network, not only the matched one.

    Raises:
        ResultError: the folder is damaged, or activations or logits are not finite.
        TfmetamersError: the network cannot be loaded.
    """
    metamer = read_metamer(folder)
    check_original(folder, metamer)
    network, layer = judging.require("network"), metamer.record.layer.name
    saved = read_saved(folder, "metamer", metamer.record)
    of_original = judging.measured_original(metamer.record.stimulus.sha256, metamer.original)
    is_exact = np.array_equal(saved, metamer.stimulus)
    stimuli = metamer.stimulus[None] if is_exact else np.stack([metamer.stimulus, saved])
    of_metamer = judging.require("measure")(stimuli)
    names = [layer, *(name for name in network.layers if all_layers and name != layer)]
    exact, shown = ({name: np.ravel(of_metamer[0][name][place]) for name in names} for place in (0, -1))
    for activations in ({name: of_original.activations[name] for name in names}, exact, shown):
        _refuse_nan(activations, folder)
    logits = None if of_original.logits is None else np.concatenate([of_original.logits, of_metamer[1][[0, -1]]])
    criterion, original = metamer.record.recipe.criterion, of_original.activations[layer]
    predictions = [None] * 3 if logits is None else describe_predictions(network, logits, criterion)
    correlations = {name: of_original.correlation(name, centred_ranks(exact[name])) for name in names}
    of_saved = correlations[layer] if is_exact else of_original.correlation(layer, centred_ranks(shown[layer]))
    verdicts = [
        judge(
            layer,
            predictions[0],
            prediction,
            correlation,
            choice.null,
            choice.reason,
            metamer.record.warnings,
            criterion=criterion,
            further=further_measures(criterion, original, activations),
        )
        for prediction, correlation, activations in (
            (predictions[1], correlations[layer], exact[layer]),
            (predictions[2], of_saved, shown[layer]),
        )
    ]
    return {
        "array": verdicts[0].as_json(),
        "saved": verdicts[1].as_json(),
        "pearson": pearson(original, exact[layer]),
        "signal_to_noise_ratio": _finite(signal_to_noise_ratio(original, exact[layer])),
        "place": list(network.layers).index(layer) if layer in network.layers else None,
        "layers": _at_all_layers(correlations, network, choice.null) if all_layers else None,
        "scatter": _scatter(original, exact[layer], metamer),
    }


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
