"""Correlations agree with SciPy's, and are None where they are undefined."""

import re
import warnings

import numpy as np
import pytest
from scipy import stats

from tfmetamers.errors import ArgumentError
from tfmetamers.metrics import (
    centred_ranks,
    pearson,
    signal_to_noise_ratio,
    spearman,
)


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


@pytest.mark.parametrize("kind", ["tied", "mostly zero"])
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


@pytest.mark.parametrize("constant", [np.full(6, 3.5), np.full(6, np.nan)])
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


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_equals_scipy_for_any_type_with_negative_zeros_infinities_and_subnormals(dtype):
    generator = np.random.default_rng(11)
    first, second = (generator.normal(scale=4, size=500).astype(dtype) for _ in range(2))
    if dtype != np.int64:
        first[:9] = [0.0, -0.0, -0.0, 0.0, np.inf, -np.inf, -np.inf, *np.array([1e-45, -1e-45], dtype)]
    expected = stats.spearmanr(first, second).statistic
    assert spearman(first, second) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("kind", ["tied", "mostly zero"])
def test_centred_ranks_are_twice_scipys_average_ranks_less_their_mean(kind):
    for activations in pair(kind):
        expected = 2 * stats.rankdata(activations) - activations.size - 1
        np.testing.assert_array_equal(centred_ranks(activations), expected)


def test_ranks_of_a_constant_are_zero():
    np.testing.assert_array_equal(centred_ranks(np.full((2, 3), 7.0, np.float32)), np.zeros(6))


@pytest.mark.parametrize("kind", ["random", "tied"])
def test_pearson_equals_scipy(kind):
    first, second = pair(kind)
    expected = stats.pearsonr(first.ravel().astype(np.float64), second.ravel().astype(np.float64)).statistic
    assert pearson(first, second) == pytest.approx(expected, abs=1e-12)


def test_pearson_of_numbers_whose_squares_would_overflow_or_vanish():
    values = np.array([1.0, 2.0, 4.0, 3.0])
    expected = pearson(values, values[::-1])
    for scale in (1e-200, 1e200):
        assert pearson(values * scale, values[::-1] * scale) == pytest.approx(expected)


@pytest.mark.parametrize("bad", [np.full(4, 0.1), np.array([1, 2, np.inf, 3])])
def test_pearson_is_none_where_it_is_undefined(bad):
    assert pearson(bad, np.arange(4.0)) is None
    assert pearson(np.arange(4.0), bad) is None


def test_signal_to_noise_ratio_by_hand():
    # Norms 5 and 0.5: a ratio of 10, of which 20 log10 is 20 dB (and 10 log10, as the code of 2023 has it, 10).
    assert signal_to_noise_ratio([3.0, 4.0], [3.3, 4.4]) == pytest.approx(20)
    assert signal_to_noise_ratio([[3e30], [4e30]], [[3.3e30], [4.4e30]]) == pytest.approx(20)
    assert signal_to_noise_ratio(np.float32([3e30, 4e30]), np.float32([0, 0])) == 0


def test_signal_to_noise_ratio_at_its_ends():
    assert signal_to_noise_ratio([1.0, 2.0], [1.0, 2.0]) == np.inf
    assert signal_to_noise_ratio([0.0, 0.0], [1.0, 2.0]) == -np.inf
    assert signal_to_noise_ratio([0.0, 0.0], [0.0, 0.0]) is None
    assert signal_to_noise_ratio([1.0, np.nan], [1.0, 2.0]) is None
    assert signal_to_noise_ratio([1.0, 2.0], [np.inf, 2.0]) is None


@pytest.mark.parametrize("measure", [spearman, pearson, signal_to_noise_ratio])
@pytest.mark.parametrize(("first", "second"), [((2, 2), (5,))])
def test_activations_of_different_sizes_are_refused(measure, first, second):
    with pytest.raises(ArgumentError, match=re.escape(str(second))):
        measure(np.ones(first), np.ones(second))
