"""Permutation tests: how often tables that were shuffled as no effect allows have an F value as large."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tfmetamers.errors import checked_whole_number

#: F values that differ by less than this share are the same: the sums of a permutation are rounded in another order.
_TIE = 1e-9

#: How many numbers are shuffled at a time.
_CHUNK = 1_000_000


@dataclass(frozen=True)
class PermutationTest:
    """What came of a permutation test.

    Attributes:
        f: the F value of the table.
        permutations: how many permutations were drawn.
        larger: how many of them have a larger F value.
        equal: how many have the same.

    >>> test = PermutationTest(f=28.0, permutations=999, larger=3, equal=1)
    >>> f"{test.p_larger:.4f}, {test.p_at_least:.4f}, {test.p_corrected:.4f}"
    '0.0030, 0.0040, 0.0050'
    """

    f: float
    permutations: int
    larger: int
    equal: int

    @property
    def p_larger(self) -> float:
        """The share that is larger, at least 1 / permutations.

        So does the release of the 2023 paper test models against each other, and accuracy under attack
        (matlab_statistics_functions). Ties count as smaller, which makes it too small where few arrangements exist.
        """
        return max(self.larger, 1) / self.permutations

    @property
    def p_at_least(self) -> float:
        """The share that is as large or larger, at least 1 / permutations.

        So does the release of the 2023 paper test networks against people, and stages.
        """
        return max(self.larger + self.equal, 1) / self.permutations

    @property
    def p_corrected(self) -> float:
        """The probability with the table itself among the permutations, (k + 1) / (n + 1) (Phipson and Smyth 2010)."""
        return (self.larger + self.equal + 1) / (self.permutations + 1)


def permutation_test(
    table: np.ndarray,
    f_values: Callable[[np.ndarray], np.ndarray],
    shuffle: Callable[[np.ndarray, np.random.Generator], np.ndarray],
    permutations: int,
    seed: int,
) -> PermutationTest:
    """Count the permutations of a table whose F value is as large as the table's.

    Args:
        table: the table, of the shape (groups, participants, cells).
        f_values: returns the F values of tables of the shape (permutations, groups, participants, cells).
        shuffle: shuffles such tables.
        permutations: how many permutations are drawn.
        seed: of the random numbers.

    Raises:
        ArgumentError: the number of permutations or the seed is no whole number, or too small.
    """
    permutations = checked_whole_number("number of permutations", permutations, 1)
    generator = np.random.default_rng(checked_whole_number("seed", seed, 0))
    [f] = f_values(table[None])
    larger = equal = 0
    step = max(1, _CHUNK // table.size)
    for first in range(0, permutations, step):
        count = min(step, permutations - first)
        null = f_values(shuffle(np.broadcast_to(table, (count, *table.shape)), generator))
        is_equal = np.isclose(null, f, rtol=_TIE, atol=0)
        larger += int(np.sum((null > f) & ~is_equal))
        equal += int(np.sum(is_equal))
    return PermutationTest(float(f), permutations, larger, equal)


def shuffled_groups(tables: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return tables whose participants are dealt to the groups at random, with all their cells."""
    count, groups, participants, cells = tables.shape
    order = generator.permuted(np.tile(np.arange(groups * participants), (count, 1)), axis=1)
    rows = tables.reshape(count, groups * participants, cells)
    return np.take_along_axis(rows, order[:, :, None], axis=1).reshape(tables.shape)


def shuffled_cells(tables: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return tables in which the cells of each participant are in a random order, each participant's in its own."""
    return generator.permuted(tables, axis=-1)


def shuffled_groups_and_cells(tables: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return tables that are shuffled in both ways."""
    return shuffled_cells(shuffled_groups(tables, generator), generator)
