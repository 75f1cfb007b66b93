"""The measures of how well activations match, by which metamers are judged."""

import numpy as np

from tfmetamers.metrics import pearson, signal_to_noise_ratio
from tfmetamers.recipes import CRITERIA

#: Spearman's coefficient, by which the 2019 paper judges alone.
SPEARMAN = "spearman"

#: The measures, and how each is computed, as null distributions record it.
CONVENTIONS = {
    SPEARMAN: "Spearman's coefficient, with average ranks for ties",
    "pearson": "Pearson's coefficient",
    "snr": "signal-to-noise ratio in dB, 10 log10(|x| / |x - y|) of norms that are not squared, at most 60",
}

#: What messages and pages call each measure.
TITLES = {SPEARMAN: "correlation", "pearson": "Pearson correlation", "snr": "signal-to-noise ratio in dB"}

#: The largest signal-to-noise ratio: the difference is a millionth of the signal, as the rounding of a network in
#: single precision leaves it. Equal activations have this one instead of infinity.
MAX_SNR = 60.0


def snr(original: np.ndarray, metamer: np.ndarray) -> float | None:
    """Return the signal-to-noise ratio of activations as the code of 2023 computes it.

    It is 10 log10 of the norm of the original's activations over the norm of the difference
    (``tools/distance_measures.py`` of model_metamers_pytorch), half of `tfmetamers.metrics.signal_to_noise_ratio`.

    Args:
        original: float array of any shape.
        metamer: float array of the same shape.

    Returns:
        The ratio in dB, at most `MAX_SNR`; None where the original's activations are all zero, for which the released
        code has 0, or where either is not finite.

    Raises:
        ArgumentError: they are of different sizes, or empty.

    >>> round(snr([3.0, 4.0], [3.0, 3.5]), 12)  # The norms are 5 and 0.5.
    10.0
    """
    ratio = signal_to_noise_ratio(original, metamer)
    return None if ratio is None or ratio == -np.inf else min(ratio / 2, MAX_SNR)


def further_measures(criterion: str, original: np.ndarray, metamer: np.ndarray) -> dict[str, float | None]:
    """Return the measures besides Spearman's coefficient that a criterion asks for.

    Args:
        criterion: of `tfmetamers.recipes.CRITERIA`.
        original: float array of any shape, the activations of the natural stimulus.
        metamer: float array of the same shape.
    """
    compute = {"pearson": pearson, "snr": snr}
    return {name: compute[name](original, metamer) for name in CRITERIA[criterion].measures if name != SPEARMAN}
