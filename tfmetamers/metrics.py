"""How well activations match."""

import math

import numpy as np

from tfmetamers.errors import ArgumentError

#: Stimuli whose activations correlate by more than this barely differ to a network. With trained weights (VGG-19,
#: Inception-V3, EfficientNet-Lite0, the bundled networks on words) the median of pairs of natural stimuli was at most
#: 0.83, and that of noise with one at most 0.90, at all layers that were tried; given pictures in [0, 1/255], VGG-19
#: has medians of 0.956 to 0.9999. Layers of random networks can be above it too: there as well, a match says little.
BARELY_DIFFERENT = 0.95


def spearman(first: np.ndarray, second: np.ndarray) -> float | None:
    """Return Spearman's rank correlation of two sets of activations.

    Ties have their average rank, as in `scipy.stats.spearmanr`. The paper's test of a match (section 3.1) compares this
    number with its distribution over random pairs of natural stimuli.

    Args:
        first: float array of any shape.
        second: float array of the same shape.

    Returns:
        The coefficient, -1 to 1, or None where it is undefined because either set is constant or holds NaN.

    Raises:
        ArgumentError: they are of different sizes, or empty.

    >>> f"{spearman(np.array([0.0, 1.0, 4.0]), np.array([0.0, 2.0, 3.0])):.3f}"
    '1.000'
    >>> spearman(np.zeros(3), np.arange(3.0)) is None
    True
    """
    first, second = _flat_pair(first, second)
    if np.isnan(first).any() or np.isnan(second).any():
        return None
    return rank_correlation(centred_ranks(first), centred_ranks(second))


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float | None:
    """Return Spearman's rank correlation of two sets of activations from their ranks.

    Args:
        first: float64 (units,), as `centred_ranks` returns it.
        second: the same of the other set.

    Returns:
        The coefficient, -1 to 1, or None where it is undefined because either set is constant.

    >>> first, second = np.array([0.0, 1.0, 4.0]), np.array([5.0, 2.0, 1.0])
    >>> f"{rank_correlation(centred_ranks(first), centred_ranks(second)):.3f}"
    '-1.000'
    """
    return _cosine(first, second)


def pearson(first: np.ndarray, second: np.ndarray) -> float | None:
    """Return Pearson's correlation of two sets of activations, computed in double precision.

    Args:
        first: float array of any shape.
        second: float array of the same shape.

    Returns:
        The coefficient, -1 to 1, or None where it is undefined because either set is constant or not finite.

    Raises:
        ArgumentError: they are of different sizes, or empty.

    >>> first, second = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 3.0, 2.0, 4.0])
    >>> round(pearson(first, second), 6)
    0.8
    """
    first, second = _flat_pair(first, second)
    is_finite = np.isfinite(first).all() and np.isfinite(second).all()
    if not is_finite or first.min() == first.max() or second.min() == second.max():
        return None
    first, second = (_scaled(each.astype(np.float64)) for each in (first, second))
    return _cosine(first - first.mean(), second - second.mean())


def signal_to_noise_ratio(original: np.ndarray, metamer: np.ndarray) -> float | None:
    """Return how close the activations of a metamer are to the original's, in dB.

    It is 20 log10 of the norm of the original's activations over the norm of the difference. The code of 2023
    (model_metamers_pytorch) prints 10 log10 of the same ratio of norms, half this number.

    Args:
        original: float array of any shape.
        metamer: float array of the same shape.

    Returns:
        The ratio in dB: infinity where they are equal, minus infinity where only the original's activations are all
        zero, None where it is undefined because both are all zero or either is not finite.

    Raises:
        ArgumentError: they are of different sizes, or empty.

    >>> original = np.array([3.0, 4.0])
    >>> round(signal_to_noise_ratio(original, 1.1 * original), 6)
    20.0
    """
    original, metamer = (each.astype(np.float64) for each in _flat_pair(original, metamer))
    if not (np.isfinite(original).all() and np.isfinite(metamer).all()):
        return None
    largest = max(np.abs(original).max(), np.abs(metamer).max()) or 1.0
    signal = np.linalg.norm(original / largest)  # Scaled, so that no square overflows.
    noise = np.linalg.norm(original / largest - metamer / largest)
    if noise == 0:
        return math.inf if signal else None
    return 20 * math.log10(signal / noise) if signal else -math.inf


def centred_ranks(activations: np.ndarray) -> np.ndarray:
    """Return twice the average rank of each activation, less its mean.

    These are whole numbers below the number of units in magnitude, so that Spearman's coefficient is the cosine of
    two of them, and their products are exact.

    Args:
        activations: array of any shape, without NaN.

    Returns:
        float64 (units,), all zero where the activations are constant.

    >>> centred_ranks(np.array([10.0, 20.0, 20.0, 50.0])).tolist()
    [-3.0, 0.0, 0.0, 3.0]
    """
    activations = np.ravel(activations)
    units = len(activations)
    above = np.flatnonzero(activations != activations.min())  # A ReLU's zeros need no sorting.
    ordered, order = _sorted(activations[above])
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if len(above) else above
    ends = np.append(starts[1:], len(above)) if len(above) else above
    ranks = np.full(units, -float(len(above)))
    ranks[above[order]] = np.repeat((starts + ends + units - 2 * len(above)).astype(np.float64), ends - starts)
    return ranks


def _flat_pair(first, second) -> tuple[np.ndarray, np.ndarray]:
    shapes = np.shape(first), np.shape(second)
    first, second = np.ravel(first), np.ravel(second)
    if not len(first) or len(first) != len(second):
        raise ArgumentError(f"The activations have shapes {shapes[0]} and {shapes[1]}; two of one size were expected.")
    return first, second


def _scaled(values: np.ndarray) -> np.ndarray:
    """Bring the largest magnitude to 1, so that no square overflows or vanishes."""
    return values / (np.abs(values).max() or 1.0)


def _cosine(first: np.ndarray, second: np.ndarray) -> float | None:
    norms = np.linalg.norm(first) * np.linalg.norm(second)
    return float(np.clip(first @ second / norms, -1, 1)) if norms else None


def _sorted(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return keys that are sorted and equal exactly where the sorted values are, and the order that sorts them."""
    if values.dtype != np.float32 or len(values) >= 2**32:
        order = np.argsort(values)
        return values[order], order
    # Sorting integers that hold the value and its place takes a fifth of the time of argsort.
    bits = (values + np.float32(0)).view(np.uint32)  # Minus zero becomes zero.
    is_negative = bits >> np.uint32(31) == 1
    keys = np.where(is_negative, ~bits, bits | np.uint32(1 << 31))
    packed = (keys.astype(np.uint64) << np.uint64(32)) | np.arange(len(values), dtype=np.uint64)
    packed.sort()
    return packed >> np.uint64(32), (packed & np.uint64(0xFFFFFFFF)).astype(np.intp)
