"""Designs with repeated measures: every participant in every condition, in one group or in several of equal size.

Sums of squares, error terms and degrees of freedom are those of Winer, Brown and Michels (1991), of which MATLAB's
``ranova``, with which the 2023 paper was analysed, gives the same.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import combinations

import numpy as np

from tfmetamers.errors import unknown_name
from tfmetamers.statistics import permutation
from tfmetamers.statistics.contrasts import contrasts, sums_of_squares
from tfmetamers.statistics.effects import Effect
from tfmetamers.statistics.permutation import PermutationTest, permutation_test
from tfmetamers.statistics.sphericity import epsilons
from tfmetamers.statistics.tables import checked_table

#: How many permutations are drawn, as by the release of the 2023 paper.
PERMUTATIONS = 10_000

#: A sum of squares below this share of that of all values is a rounding error, and stands for zero.
_ROUNDING = 1e-13


class RepeatedMeasures:
    """One group of participants, each in every combination of the levels of one or two factors.

    >>> table = np.array([[1.0, 2.0, 6.0], [2.0, 2.0, 5.0], [0.0, 3.0, 6.0], [1.0, 1.0, 7.0]])
    >>> effect = RepeatedMeasures(table, ["stage"]).effects["stage"]
    >>> effect.df, effect.df_error, f"{effect.f:.1f}"
    (2, 6, '28.0')
    """

    def __init__(self, table: np.ndarray, factors: Sequence[str]):
        """Take a table.

        Args:
            table: values of the shape (participants, levels) for one factor, (participants, levels of the first, levels
                of the second) for two.
            factors: their names, in the order of the table's axes.

        Raises:
            ArgumentError: the table has another shape, a factor of one level, fewer than two participants, or a value
                that is missing; or all its values are the same.
        """
        self.table = checked_table(table, ["participant", *factors])
        self.factors = tuple(factors)

    @cached_property
    def effects(self) -> Mapping[str, Effect]:
        """The effect of each factor and, with two, their interaction, by name: ``model``, ``stage``, ``model x stage``.

        Each has an error term of its own, its interaction with participants.
        """
        return {name: self._effect(name, places) for name, places in self._effects.items()}

    def permutation_test(self, effect: str, permutations: int = PERMUTATIONS, seed: int = 0) -> PermutationTest:
        """Test an effect by permutation, as the release of the 2023 paper does (matlab_statistics_functions).

        For a factor, the other factor is averaged over, and each participant's levels are shuffled; for the
        interaction, all cells of each participant are.

        Args:
            effect: its name.
            permutations: how many permutations are drawn.
            seed: of the random numbers.

        Raises:
            ArgumentError: there is no such effect; or the number of permutations or the seed is no whole number.
        """
        if effect not in self._effects:
            raise unknown_name("effect", effect, self._effects)
        places = self._effects[effect]
        others = tuple(place + 1 for place in range(len(self.factors)) if place not in places)
        table = self.table.mean(axis=others) if others else self.table
        matrix = contrasts(table.shape[1:], range(table.ndim - 1))

        def f_values(tables):
            of_mean, _, error = (_exact(each, table) for each in sums_of_squares(tables @ matrix))
            return _ratio(of_mean, error, len(table) - 1)

        cells = table.reshape(1, len(table), -1)
        return permutation_test(cells, f_values, permutation.shuffled_cells, permutations, seed)

    @cached_property
    def _effects(self) -> dict[str, tuple[int, ...]]:
        places = range(len(self.factors))
        found = [each for count in (1, 2) for each in combinations(places, count)]
        return {" x ".join(self.factors[place] for place in each): each for each in found}

    def _effect(self, name: str, places: tuple[int, ...]) -> Effect:
        matrix = contrasts(self.table.shape[1:], places)
        scores = self.table.reshape(1, len(self.table), -1) @ matrix
        of_mean, _, error = (float(_exact(each, self.table)) for each in sums_of_squares(scores))
        df = matrix.shape[1]
        return Effect(name, of_mean, error, df, df * (len(self.table) - 1), epsilons(scores))


class MixedDesign:
    """Groups of participants, each participant in every level of one factor.

    >>> table = np.array([[[1.0, 2.0], [2.0, 4.0], [0.0, 3.0]], [[1.0, 1.0], [2.0, 1.0], [0.0, 2.0]]])
    >>> design = MixedDesign(table, "group", "stage")
    >>> [f"{name}: {effect.f:.2f}" for name, effect in design.effects.items()]
    ['group: 2.50', 'stage: 4.90', 'group x stage: 2.50']
    """

    def __init__(self, table: np.ndarray, between: str, within: str):
        """Take a table.

        Args:
            table: values of the shape (groups, participants of a group, levels).
            between: the name of the factor that the groups differ in.
            within: the name of the factor of the levels.

        Raises:
            ArgumentError: the table has another shape, one group, one level, fewer than two participants, or a value
                that is missing; or all its values are the same.
        """
        self.table = checked_table(table, [between, "participant", within])
        self.between, self.within = between, within

    @cached_property
    def effects(self) -> Mapping[str, Effect]:
        """The effects of groups, of levels, and their interaction, by name: ``group``, ``stage``, ``group x stage``."""
        groups, participants, levels = self.table.shape
        means, scores = (self.table @ contrasts([levels], effect) for effect in ((), (0,)))
        _, of_groups, error = (float(_exact(each, self.table)) for each in sums_of_squares(means))
        of_levels, of_both, error_within = (float(_exact(each, self.table)) for each in sums_of_squares(scores))
        df_error, corrections = groups * (participants - 1), epsilons(scores)
        df_within = (levels - 1) * df_error
        found = [
            Effect(self.between, of_groups, error, groups - 1, df_error),
            Effect(self.within, of_levels, error_within, levels - 1, df_within, corrections),
            Effect(self._both, of_both, error_within, (groups - 1) * (levels - 1), df_within, corrections),
        ]
        return {effect.name: effect for effect in found}

    def permutation_test(self, effect: str, permutations: int = PERMUTATIONS, seed: int = 0) -> PermutationTest:
        """Test an effect by permutation, as the release of the 2023 paper does (matlab_statistics_functions).

        For the groups, participants are dealt to them at random; for the levels, those of each participant are
        shuffled, which the release has no test of; for the interaction, both.

        Args:
            effect: its name.
            permutations: how many permutations are drawn.
            seed: of the random numbers.

        Raises:
            ArgumentError: there is no such effect; or the number of permutations or the seed is no whole number.
        """
        tests: dict[str, tuple[tuple[int, ...], bool, Callable]] = {
            self.between: ((), True, permutation.shuffled_groups),
            self.within: ((0,), False, permutation.shuffled_cells),
            self._both: ((0,), True, permutation.shuffled_groups_and_cells),
        }
        if effect not in tests:
            raise unknown_name("effect", effect, tests)
        factors, is_of_groups, shuffle = tests[effect]
        groups, participants, levels = self.table.shape
        matrix = contrasts([levels], factors)
        df_ratio = groups * (participants - 1) / (groups - 1 if is_of_groups else 1)

        def f_values(tables):
            of_mean, of_groups, error = (_exact(each, self.table) for each in sums_of_squares(tables @ matrix))
            return _ratio(of_groups if is_of_groups else of_mean, error, df_ratio)

        return permutation_test(self.table, f_values, shuffle, permutations, seed)

    @property
    def _both(self) -> str:
        return f"{self.between} x {self.within}"


def _exact(sums: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Return sums of squares of a table's contrasts, with those that are rounding errors as zero."""
    return np.where(sums < _ROUNDING * np.sum(np.square(table)), 0.0, sums)


def _ratio(effect: np.ndarray, error: np.ndarray, df_ratio: float) -> np.ndarray:
    """Return F values: infinite where the error is zero and the effect is not, zero where both are."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(effect > 0, effect / error * df_ratio, 0.0)
