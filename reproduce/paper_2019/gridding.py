"""Gridding: how much more power pictures have at the period of a stride than at the frequencies around it."""

from functools import cache

import numpy as np

#: The periods that are measured, in pixels: those of one, two and three strides of two.
PERIODS = (2, 4, 8)

#: What is a peak, and what is around it: the largest distances in bins, along either axis.
PEAK, GAP, AROUND = 2, 4, 10


def measure_gridding(picture: np.ndarray, period: int) -> float:
    """Return the gridding of a picture at a period, as a decimal logarithm: 0 for none, 1 for ten times the power.

    A pattern that repeats every p pixels along both axes has its power at the frequencies (i / p, j / p) cycles per
    pixel. Of these, those are taken that no shorter of the `PERIODS` has: i and j are not both even. At each, the mean
    power of the 5 x 5 bins about it is divided by that of the bins that are 5 to 10 bins away along one axis or the
    other, and at most 10 along both; the logarithms of these ratios are averaged. Power is that of all channels
    together, after a Hann window, which keeps the edges of the picture from spreading along both axes.

    Args:
        picture: float (height, width, channels); rows and columns beyond a multiple of the longest period are left out.
        period: one of `PERIODS`, in pixels.
    """
    height, width = (side - side % max(PERIODS) for side in picture.shape[:2])
    part = np.asarray(picture[:height, :width], np.float64)
    window = np.outer(np.hanning(height), np.hanning(width))[..., None]
    power = (np.abs(np.fft.fft2((part - part.mean((0, 1))) * window, axes=(0, 1))) ** 2).sum(-1)
    rows, columns = np.indices((2 * AROUND + 1,) * 2) - AROUND
    ratios = []
    for down, across in _frequencies(period):
        nearby = power[(down * height // period + rows) % height, (across * width // period + columns) % width]
        ratios.append(nearby[_distances() <= PEAK].mean() / nearby[_distances() > GAP].mean())
    return float(np.mean(np.log10(ratios)))


def _frequencies(period: int) -> list[tuple[int, int]]:
    """Return i and j of all frequencies of a period that no shorter one has."""
    return [(i, j) for i in range(period) for j in range(period) if i % 2 or j % 2]


@cache
def _distances() -> np.ndarray:
    """Return how many bins each bin around a frequency is away from it, along the axis where that is more."""
    return np.abs(np.indices((2 * AROUND + 1,) * 2) - AROUND).max(0)
