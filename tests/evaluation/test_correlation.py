"""Spearman's coefficient agrees with SciPy's, and is None where there is none."""

import warnings

import numpy as np
import pytest
from scipy import stats

from tfmetamers.evaluation.correlation import spearman


def pair(kind: str) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(7)
    first = generator.normal(size=(2, 5, 5, 8)).astype(np.float32)
    second = (first + generator.normal(size=first.shape)).astype(np.float32)
    if kind == "tied":
        return np.round(first), np.round(second)
    if kind == "mostly zero":
        return np.maximum(first - 1.5, 0), np.maximum(second - 1.5, 0)
    if kind == "opposed":
        return first, -(first**3)
    return first, second


@pytest.mark.parametrize("kind", ["random", "tied", "mostly zero", "opposed"])
def test_equals_scipy(kind):
    first, second = pair(kind)
    expected = stats.spearmanr(first.ravel(), second.ravel()).statistic
    assert spearman(first, second) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("kind", ["random", "tied", "mostly zero"])
def test_is_pearsons_coefficient_of_the_average_ranks(kind):
    first, second = pair(kind)
    expected = np.corrcoef(stats.rankdata(first), stats.rankdata(second))[0, 1]
    assert spearman(first, second) == pytest.approx(expected, abs=1e-12)
    assert 0.2 < expected < 0.95


def test_tied_values_by_hand():
    # Ranks 1.5, 1.5, 3, 4 and 1, 2, 3.5, 3.5: products of deviations 4, squares 4.5 and 4.5.
    assert spearman([0, 0, 1, 2], [1, 2, 3, 3]) == pytest.approx(4 / 4.5)


def test_is_1_for_any_increasing_relation_and_minus_1_for_any_decreasing_one():
    values = np.linspace(-3, 3, 20)
    assert spearman(values, np.exp(values)) == pytest.approx(1)
    assert spearman(values, -(values**3)) == pytest.approx(-1)


def test_is_a_plain_number():
    assert type(spearman(*pair("random"))) is float


@pytest.mark.parametrize("constant", [np.zeros(6), np.full(6, 3.5), np.full(6, np.inf), np.full(6, np.nan)])
def test_is_none_for_a_constant(constant):
    values = np.arange(6.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert spearman(constant, values) is None
        assert spearman(values, constant) is None
        assert spearman(constant, constant) is None


def test_is_none_where_a_single_activation_is_nan():
    first, second = pair("random")
    second[1, 2, 3, 4] = np.nan
    assert spearman(first, second) is None
    assert spearman(second, first) is None


def test_infinite_activations_have_a_rank():
    first, second = pair("random")
    expected = spearman(first, second)
    first[first == first.max()] = np.inf
    assert spearman(first, second) == pytest.approx(expected)


def test_leaves_its_arguments_as_they_are():
    first, second = pair("random")
    copies = first.copy(), second.copy()
    spearman(first, second)
    np.testing.assert_array_equal((first, second), copies)
