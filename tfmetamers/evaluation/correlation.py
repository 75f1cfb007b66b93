"""How well activations match."""

import math

import numpy as np
from scipy import stats


def spearman(first: np.ndarray, second: np.ndarray) -> float | None:
    """Return Spearman's rank correlation of two sets of activations.

    Ties have their average rank. The paper's test of a match (section 3.1) compares this number with its
    distribution over random pairs of natural stimuli.

    Args:
        first: float array of any shape.
        second: float array of the same shape.

    Returns:
        The coefficient, -1 to 1, or None where it is undefined because either set is constant or holds NaN.
    """
    first, second = np.ravel(first), np.ravel(second)
    if first.min() == first.max() or second.min() == second.max():
        return None
    coefficient = float(stats.spearmanr(first, second).statistic)
    return None if math.isnan(coefficient) else coefficient
