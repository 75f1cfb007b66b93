"""What counts as found, as not found, and as too little to tell."""

import numpy as np
import pandas as pd
import pytest

from tfmetamers.reproduce.statistics import (
    CANNOT_BE_TOLD,
    FOUND,
    NOT_FOUND,
    Finding,
    compare,
    conclude,
    judge_share,
    match,
    summarize,
)


def table(values) -> pd.DataFrame:
    return pd.DataFrame({"stimulus": [f"s{number}" for number in range(len(values))], "value": values})


@pytest.mark.parametrize(
    "higher, lower, verdict",
    [
        ([1.0] * 6, [0.0] * 6, FOUND),
        ([1.0] * 4, [0.0] * 4, CANNOT_BE_TOLD),  # Chance alone gives this once in 16.
        ([0.5] * 6, [0.5] * 6, NOT_FOUND),
        ([0.0] * 6, [1.0] * 6, NOT_FOUND),
        ([0.5] * 4, [0.5] * 4, CANNOT_BE_TOLD),
        ([1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0], CANNOT_BE_TOLD),
        ([1.0], [0.0], CANNOT_BE_TOLD),
        ([], [0.0, 0.0], CANNOT_BE_TOLD),
    ],
)
def test_a_difference_is_judged_stimulus_by_stimulus(higher, lower, verdict):
    found = compare("A is above B", table(higher), table(lower), "value")
    assert found.verdict == verdict and found.sentence.startswith("A is above B: ")


@pytest.mark.parametrize(
    "first, second, verdict",
    [
        ([0.5] * 6, [0.5] * 6, FOUND),
        ([0.55] * 6, [0.5] * 6, FOUND),  # Less than the smallest difference that counts.
        ([1.0] * 6, [0.0] * 6, NOT_FOUND),
        ([0.0] * 6, [1.0] * 6, NOT_FOUND),
        ([1.0, 0.0, 1.0, 0.0, 1.0], [0.0, 1.0, 0.0, 0.0, 0.0], CANNOT_BE_TOLD),
        ([0.5] * 4, [0.5] * 4, CANNOT_BE_TOLD),
        ([1.0], [1.0], CANNOT_BE_TOLD),
    ],
)
def test_no_difference_is_judged_by_its_interval(first, second, verdict):
    found = match("A is like B", table(first), table(second), "value")
    assert found.verdict == verdict and found.sentence.startswith("A is like B: ")


def test_stimuli_are_paired_and_seeds_of_one_averaged():
    first = pd.DataFrame({"stimulus": ["a", "a", "b", "c"], "value": [1.0, 0.0, 1.0, 1.0]})
    second = pd.DataFrame({"stimulus": ["c", "b", "a"], "value": [0.0, 0.0, 0.5]})
    assert "0.83 against 0.17, difference +0.67" in compare("A is above B", first, second, "value").sentence


def test_means_have_the_intervals_of_a_bootstrap_over_stimuli():
    values = np.random.default_rng(0).normal(size=200)
    [row] = summarize(table(values).assign(layer="a"), ["layer"], "value").itertuples()
    error = values.std(ddof=1) / np.sqrt(len(values))
    assert row.value == pytest.approx(values.mean())
    assert row.sem == pytest.approx(error, rel=0.05)
    assert (row.low, row.high) == pytest.approx((row.value - 1.96 * error, row.value + 1.96 * error), abs=0.3 * error)
    [one] = summarize(table([0.5]).assign(layer="a"), ["layer"], "value").itertuples()
    assert one.value == 0.5 and np.isnan(one.sem)


def test_rows_without_a_value_are_left_out():
    [row] = summarize(table([1.0, None, 0.0]).assign(layer="a"), ["layer"], "value").itertuples()
    assert (row.count, row.stimuli, row.value) == (2, 2, 0.5)


@pytest.mark.parametrize(
    "count, total, is_large, verdict",
    [(9, 10, True, FOUND), (8, 10, True, NOT_FOUND), (1, 10, False, FOUND), (2, 10, False, NOT_FOUND),
     (4, 4, True, CANNOT_BE_TOLD), (0, 0, True, CANNOT_BE_TOLD)],
)  # fmt: skip
def test_nearly_all_and_hardly_any(count, total, is_large, verdict):
    assert judge_share("It is so", count, total, is_large=is_large).verdict == verdict


@pytest.mark.parametrize(
    "verdicts, together",
    [([FOUND, FOUND], FOUND), ([FOUND, CANNOT_BE_TOLD], CANNOT_BE_TOLD), ([CANNOT_BE_TOLD, NOT_FOUND], NOT_FOUND),
     ([], CANNOT_BE_TOLD)],
)  # fmt: skip
def test_claims_together(verdicts, together):
    assert conclude(Finding(verdict, "") for verdict in verdicts) == together
    assert (
        conclude([*(Finding(verdict, "") for verdict in verdicts), Finding(NOT_FOUND, "", is_decisive=False)])
        == together
    )
