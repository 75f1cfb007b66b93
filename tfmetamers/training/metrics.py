"""Metrics of how well a network does its tasks."""

import numpy as np
from scipy import stats


def accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the fraction of items whose largest logit is that of their label.

    Args:
        logits: float (items, classes).
        labels: int (items,).
    """
    return float(np.mean(np.argmax(logits, axis=1) == labels))


def mean_area_under_roc(logits: np.ndarray, memberships: np.ndarray) -> float | None:
    """Return the area under the receiver operating characteristic, averaged over the classes that can have one.

    The area is the probability that an item of the class has a larger logit than one outside it, ties counting half:
    the statistic of Mann and Whitney divided by the number of such pairs.

    Args:
        logits: float (items, classes).
        memberships: (items, classes), 1 where an item belongs to the class, else 0.

    Returns:
        The mean area; None if no class has items both inside and outside it.
    """
    areas = []
    for scores, member in zip(logits.T, memberships.T > 0.5, strict=True):
        if member.any() and not member.all():
            statistic = stats.mannwhitneyu(scores[member], scores[~member], method="asymptotic").statistic
            areas.append(statistic / (member.sum() * (~member).sum()))
    return float(np.mean(areas)) if areas else None
