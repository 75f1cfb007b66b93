"""The measure of gridding finds the grids that are there."""

import numpy as np
import pytest

from tfmetamers.reproduce.paper_2019.gridding import PERIODS, measure_gridding


@pytest.fixture
def noise():
    return np.random.default_rng(0).normal(size=(224, 224, 3))


def grid(period: int, side: int = 224) -> np.ndarray:
    """Return a picture whose every p-th row and column meet in a bright pixel."""
    picture = np.zeros((side, side, 1))
    picture[::period, ::period] = 1.0
    return picture


@pytest.mark.parametrize("period", PERIODS)
def test_noise_has_none(period):
    pictures = np.random.default_rng(1).normal(size=(20, 96, 96, 3))
    assert abs(np.mean([measure_gridding(picture, period) for picture in pictures])) < 0.1


@pytest.mark.parametrize("period", PERIODS)
def test_a_grid_is_found_at_its_period_and_not_at_longer_ones(noise, period):
    found = {other: measure_gridding(noise + 5 * grid(period), other) for other in PERIODS}
    assert found[period] > 1.0
    assert all(abs(found[other]) < 0.1 for other in PERIODS if other > period)


def test_strength_is_that_of_the_power(noise):
    weak, strong = (measure_gridding(noise + amplitude * grid(2), 2) for amplitude in (0.5, 0.5 * 10**0.5))
    assert strong - weak == pytest.approx(1.0, abs=0.1)


def test_edges_of_other_sizes_are_left_out(noise):
    padded = np.zeros((229, 226, 3))
    padded[:224, :224] = noise
    assert measure_gridding(padded, 4) == measure_gridding(noise, 4)
