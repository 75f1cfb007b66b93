"""Orthonormal contrasts: what an effect of factors within participants looks at.

A participant's score on a contrast is a weighted sum of that participant's cells. The scores on the contrasts of an
effect hold all that the effect depends on, whatever other factors there are, and their sums of squares are those of the
textbooks because the contrasts are orthonormal.
"""

from collections.abc import Collection, Sequence

import numpy as np


def contrasts(levels: Sequence[int], effect: Collection[int]) -> np.ndarray:
    """Return the contrasts of an effect.

    Args:
        levels: how many levels each factor has, in the order of a table's axes.
        effect: places of the factors that the effect is of, several for their interaction; none for the mean.

    Returns:
        Orthonormal columns, of the shape (product of the levels, degrees of freedom of the effect).
    """
    from scipy.linalg import helmert

    found = np.ones((1, 1))
    for place, count in enumerate(levels):
        matrix = helmert(count).T if place in effect else np.full((count, 1), count**-0.5)
        found = np.kron(found, matrix)
    return found


def sums_of_squares(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the sums of squares of scores: of their mean, of what groups differ in, and of the error.

    Args:
        scores: scores of the shape (..., groups, participants, contrasts).

    Returns:
        Three arrays of the shape of the leading axes.
    """
    groups, participants = scores.shape[-3:-1]
    means = scores.mean(axis=-2)
    of_mean = groups * participants * np.square(means.mean(axis=-2)).sum(axis=-1)
    of_groups = participants * np.square(means).sum(axis=(-2, -1))
    total = np.einsum("...gpc,...gpc->...", scores, scores)
    return of_mean, of_groups - of_mean, total - of_groups
