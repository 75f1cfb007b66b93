"""F values, their corrections and permutation tests, against statsmodels, arithmetic by hand, and full enumeration."""

from itertools import permutations, product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, f
from statsmodels.formula.api import ols
from statsmodels.stats.anova import AnovaRM

from tfmetamers.errors import ArgumentError
from tfmetamers.statistics import CORRECTIONS, MixedDesign, RepeatedMeasures
from tfmetamers.statistics.contrasts import contrasts


@pytest.fixture
def table():
    """Nine participants, three levels, four levels, with effects of both and of neither together."""
    generator = np.random.default_rng(0)
    effects = np.arange(3)[:, None] * 0.3 + np.arange(4) ** 2 * 0.1
    return generator.normal(size=(9, 1, 1)) + effects + generator.normal(size=(9, 3, 4))


def tidy(table: np.ndarray, axes) -> pd.DataFrame:
    index = pd.MultiIndex.from_product([range(count) for count in table.shape], names=axes)
    return pd.Series(table.ravel(), index, name="value").reset_index()


@pytest.mark.parametrize("factors", [["stage"], ["model", "stage"]])
def test_repeated_measures_are_those_of_statsmodels(factors, table):
    table = table[:, 1] if len(factors) == 1 else table
    found = RepeatedMeasures(table, factors).effects
    rows = AnovaRM(tidy(table, ["participant", *factors]), "value", "participant", within=factors).fit().anova_table
    assert list(found) == [name.replace(":", " x ") for name in rows.index]
    for effect, (_, row) in zip(found.values(), rows.iterrows(), strict=True):
        assert (effect.df, effect.df_error) == (row["Num DF"], row["Den DF"])
        assert (effect.f, effect.p()) == pytest.approx((row["F Value"], row["Pr > F"]))


def test_a_mixed_design_is_a_comparison_of_linear_models(table):
    groups = table.transpose(1, 0, 2)
    found = MixedDesign(groups, "group", "stage").effects
    rows = tidy(groups, ["group", "participant", "stage"])
    rows["person"] = rows["group"].astype(str) + "_" + rows["participant"].astype(str)
    means = rows.groupby(["group", "person"], as_index=False)["value"].mean()
    between = ols("value ~ C(group)", means).fit()
    everything = ols("value ~ C(person) + C(stage) * C(group)", rows).fit()
    value, p, _ = everything.compare_f_test(ols("value ~ C(person) + C(stage)", rows).fit())
    assert (found["group"].f, found["group"].p()) == pytest.approx((between.fvalue, between.f_pvalue))
    assert (found["group x stage"].f, found["group x stage"].p()) == pytest.approx((value, p))
    assert found["group"].error == pytest.approx(4 * between.ssr)  # Means are of four values each.
    assert found["stage"].error == pytest.approx(everything.ssr)
    # With as many participants in each group, the effect of stages is that of their means.
    assert found["stage"].sum_of_squares == pytest.approx(27 * np.square(groups.mean((0, 1)) - groups.mean()).sum())
    assert (found["stage"].df, found["group x stage"].df, found["stage"].df_error) == (3, 6, 72)


def test_sums_of_squares_by_hand():
    # Means of 1, 2 and 6 over four participants, whose own means are all 3.
    table = np.array([[1.0, 2, 6], [2, 2, 5], [0, 3, 6], [1, 1, 7]])
    effect = RepeatedMeasures(table, ["stage"]).effects["stage"]
    assert effect.sum_of_squares == pytest.approx(4 * (2**2 + 1 + 3**2))
    assert effect.error == pytest.approx(62 - 56)  # Of 62 in all.
    assert effect.partial_eta_squared == pytest.approx(56 / 62)


def test_epsilons_by_hand(table):
    table = table[:, 1] * np.array([1, 2, 1, 4])  # Far from spherical.
    scores = table @ contrasts([4], [0])
    variances = np.linalg.eigvalsh(np.cov(scores.T))
    box = variances.sum() ** 2 / (3 * np.square(variances).sum())
    effect = RepeatedMeasures(table, ["stage"]).effects["stage"]
    assert effect.epsilons.greenhouse_geisser == pytest.approx(box)
    assert effect.epsilons.huynh_feldt == pytest.approx((9 * 3 * box - 2) / (3 * (8 - 3 * box)))
    assert effect.epsilons.lower_bound == pytest.approx(1 / 3)
    by_correction = [effect.epsilons.huynh_feldt, effect.epsilons.greenhouse_geisser, effect.epsilons.lower_bound]
    assert 1 > by_correction[0] > by_correction[1] > by_correction[2]
    assert effect.p("greenhouse_geisser") == pytest.approx(f.sf(effect.f, 3 * box, 24 * box))


def test_two_levels_need_no_correction(table):
    effect = RepeatedMeasures(table[:, 0, :2], ["stage"]).effects["stage"]
    assert {effect.p(correction) for correction in CORRECTIONS} == {effect.p()}


def test_contrasts_are_orthonormal_and_all_together_are_a_basis():
    every = np.hstack([contrasts([3, 4], effect) for effect in ((), (0,), (1,), (0, 1))])
    assert np.allclose(every.T @ every, np.eye(12))


def expected_counts(found, enumerated):
    """Tell whether as many permutations were as large as the full enumeration has them, within a band of 0.9999."""
    enumerated = np.array(enumerated)
    is_equal = np.isclose(enumerated, found.f)
    for count, share in ((found.larger, (enumerated > found.f) & ~is_equal), (found.equal, is_equal)):
        low, high = binom.interval(0.9999, found.permutations, share.mean())
        assert low <= count <= high


class TestPermutations:
    def test_of_groups_are_all_ways_to_deal_participants(self):
        table = np.random.default_rng(1).normal(size=(2, 3, 2)) + np.array([0.0, 1.5])[:, None, None]
        rows = table.reshape(6, 2)
        dealt = [MixedDesign(rows[list(order)].reshape(2, 3, 2), "group", "stage") for order in permutations(range(6))]
        found = MixedDesign(table, "group", "stage").permutation_test("group")
        expected_counts(found, [each.effects["group"].f for each in dealt])
        assert found.equal > 0  # The groups may change places.

    def test_of_both_deal_participants_and_shuffle_each_ones_levels(self):
        table = np.random.default_rng(2).normal(size=(2, 2, 2))
        rows, enumerated = table.reshape(4, 2), []
        for order, flips in product(permutations(range(4)), product((1, -1), repeat=4)):
            shuffled = np.array([rows[place][::flip] for place, flip in zip(order, flips, strict=True)])
            enumerated.append(MixedDesign(shuffled.reshape(2, 2, 2), "group", "stage").effects["group x stage"].f)
        expected_counts(MixedDesign(table, "group", "stage").permutation_test("group x stage"), enumerated)

    def test_of_a_factor_shuffle_the_means_over_the_other(self):
        table = np.random.default_rng(3).normal(size=(4, 2, 3))
        means = table.mean(axis=2)
        flipped = [
            np.array([row[::flip] for row, flip in zip(means, flips, strict=True)])
            for flips in product((1, -1), repeat=4)
        ]
        found = RepeatedMeasures(table, ["model", "stage"]).permutation_test("model")
        assert found.f == pytest.approx(RepeatedMeasures(table, ["model", "stage"]).effects["model"].f)
        expected_counts(found, [RepeatedMeasures(each, ["model"]).effects["model"].f for each in flipped])

    def test_of_an_interaction_shuffle_all_cells(self):
        table = np.random.default_rng(4).normal(size=(2, 2, 2))
        orders = list(permutations(range(4)))
        enumerated = [
            RepeatedMeasures(
                np.stack([row.ravel()[list(order)].reshape(2, 2) for row, order in zip(table, pair, strict=True)]),
                ["model", "stage"],
            ).effects["model x stage"].f
            for pair in product(orders, orders)
        ]  # fmt: skip
        expected_counts(RepeatedMeasures(table, ["model", "stage"]).permutation_test("model x stage"), enumerated)

    def test_have_the_probabilities_of_their_counts(self, table):
        found = RepeatedMeasures(table[:, 0], ["stage"]).permutation_test("stage", permutations=500, seed=1)
        assert found.p_larger == max(found.larger, 1) / 500
        assert found.p_at_least == max(found.larger + found.equal, 1) / 500
        assert found.p_corrected == (found.larger + found.equal + 1) / 501
        assert found == RepeatedMeasures(table[:, 0], ["stage"]).permutation_test("stage", permutations=500, seed=1)

    def test_are_uniform_without_an_effect(self):
        generator = np.random.default_rng(5)
        found = [
            RepeatedMeasures(generator.normal(size=(8, 3)), ["stage"]).permutation_test("stage", 99, seed).p_corrected
            for seed in range(200)
        ]
        assert np.mean(np.array(found) <= 0.2) == pytest.approx(0.2, abs=0.09)


class TestRefusals:
    @pytest.mark.parametrize(
        "change, match",
        [
            (lambda table: table[:, :1], "1 of stage"),
            (lambda table: table[:1], "1 of participant"),
            (lambda table: table[None], "3 axes"),
            (lambda table: np.where(np.arange(4) == 2, np.nan, table), "participant 1, stage 3"),
            (np.ones_like, "All values"),
        ],
    )
    def test_of_tables(self, change, match, table):
        with pytest.raises(ArgumentError, match=match):
            RepeatedMeasures(change(table[:, 0]), ["stage"])

    def test_of_one_group(self, table):
        with pytest.raises(ArgumentError, match="1 of group"):
            MixedDesign(table[None, :, 0], "group", "stage")

    def test_of_names(self, table):
        design = RepeatedMeasures(table, ["model", "stage"])
        with pytest.raises(ArgumentError, match="modle"):
            design.permutation_test("modle")
        with pytest.raises(ArgumentError, match="bonferroni"):
            design.effects["model"].p("bonferroni")
        with pytest.raises(ArgumentError, match="permutations"):
            design.permutation_test("model", permutations=0)


class TestWithoutVariation:
    """Sums of squares that are rounding errors stand for zero; else their ratio would be any number."""

    @pytest.mark.parametrize("size", [1.0, 1 / 3, 1e6])
    def test_participants_who_are_the_same_everywhere_show_no_effect(self, size):
        design = RepeatedMeasures(size * np.array([[1.0, 1, 1], [2, 2, 2], [3, 3, 3]]), ["layer"])
        effect, test = design.effects["layer"], design.permutation_test("layer", permutations=100)
        assert (effect.f, effect.partial_eta_squared, effect.p()) == (0, 0, 1)
        assert (test.p_at_least, test.p_corrected) == (1, 1)

    def test_participants_who_are_all_alike_show_nothing_but_the_effect(self):
        design = RepeatedMeasures(np.tile([0.1, 0.7, 1.3], (4, 1)), ["layer"])
        effect, test = design.effects["layer"], design.permutation_test("layer", permutations=500)
        assert (effect.f, effect.partial_eta_squared, effect.p()) == (np.inf, 1, 0)
        assert test.p_corrected < 0.05

    def test_groups_that_are_alike(self):
        table = np.array([[[1.0, 2], [3, 5]], [[1, 2], [3, 5]]])
        design = MixedDesign(table, "group", "stage")
        assert design.effects["group"].f == design.effects["group x stage"].f == 0
        assert design.permutation_test("group", permutations=50).p_corrected == 1
