"""How far scores are from sphericity, on which the F test of an effect within participants rests."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Epsilons:
    """What the degrees of freedom of an effect are multiplied by; 1 corrects nothing.

    Attributes:
        greenhouse_geisser: Box's epsilon (Greenhouse and Geisser 1959).
        huynh_feldt: Huynh and Feldt's (1976), as Lecoutre (1991) corrected it for several groups; at most 1.
        lower_bound: the smallest that there can be.
    """

    greenhouse_geisser: float = 1.0
    huynh_feldt: float = 1.0
    lower_bound: float = 1.0


def epsilons(scores: np.ndarray) -> Epsilons:
    """Return the epsilons of an effect.

    Args:
        scores: scores on its orthonormal contrasts, of the shape (groups, participants, contrasts).
    """
    groups, participants, count = scores.shape
    deviations = (scores - scores.mean(axis=1, keepdims=True)).reshape(-1, count)
    covariance = deviations.T @ deviations
    if count == 1 or not covariance.any():
        return Epsilons()
    box = np.trace(covariance) ** 2 / (count * np.square(covariance).sum())
    df = groups * (participants - 1)
    divisor = count * (df - count * box)
    huynh_feldt = min(1.0, ((df + 1) * count * box - 2) / divisor) if divisor > 0 else 1.0
    return Epsilons(float(box), float(max(huynh_feldt, 1 / count)), 1 / count)
