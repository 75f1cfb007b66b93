"""The start of a synthesis is decided by the recipe, the seed, the stimulus and the layer."""

import hashlib

import numpy as np
import pytest

from tfmetamers.recipes import find_recipe
from tfmetamers.stimuli.noise import initial_noise

RECIPE = find_recipe("feather2019-image")


def gradient(size: int) -> np.ndarray:
    return np.arange(size * size * 3, dtype=np.float32).reshape(size, size, 3) / np.float32(2**18)


@pytest.mark.parametrize(
    ("seed", "first"),
    [
        (0, [0.5555108, 0.5319544, 0.5117467, 0.54771346]),
        (1, [0.5762656, 0.5787896, 0.5703697, 0.51955533]),
        (4294967296, [0.5915053, 0.54480815, 0.59619474, 0.56212866]),
    ],
)
def test_first_values_stay_what_they_were_when_seeds_were_published(seed, first):
    noise = initial_noise(RECIPE, gradient(8), "conv1_2", seed)
    np.testing.assert_array_equal(noise.ravel()[:4], np.float32(first))


def test_all_values_stay_what_they_were_when_seeds_were_published():
    noise = initial_noise(RECIPE, gradient(32), "conv5_4", 2019)
    digest = hashlib.sha256(noise.tobytes()).hexdigest()
    assert digest == "ca76f8ddb3d624b87deccb446495df58d06ded2c9111043689b24bfb31d580dd"


@pytest.mark.parametrize(
    ("name", "low", "high"), [("feather2019-image", 0.5, 0.6), ("feather2019-image-text", 0.45, 0.55)]
)
def test_is_uniform_over_the_recipes_range(name, low, high):
    noise = initial_noise(find_recipe(name), gradient(224), "conv1_2", 0)
    assert low <= noise.min() < low + 1e-5
    assert high - 1e-5 < noise.max() < high
    assert noise.mean() == pytest.approx((low + high) / 2, abs=3e-4)
    assert noise.std() == pytest.approx((high - low) / 12**0.5, rel=0.01)


def test_has_the_stimulus_shape_as_float32():
    noise = initial_noise(RECIPE, np.zeros((5, 7, 3), np.float32), "conv1_2", 0)
    assert (noise.shape, noise.dtype) == ((5, 7, 3), np.float32)


def test_is_the_same_for_the_same_arguments():
    first, second = (initial_noise(RECIPE, gradient(8), "conv1_2", 3) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("stimulus", "layer", "seed"),
    [
        pytest.param(gradient(8), "conv1_2", 1, id="seed"),
        pytest.param(gradient(8), "conv1_1", 0, id="layer"),
        pytest.param(gradient(8)[::-1], "conv1_2", 0, id="stimulus"),
        pytest.param(np.nextafter(gradient(8), np.float32(2)), "conv1_2", 0, id="last bit of the stimulus"),
    ],
)
def test_differs_with_each_argument(stimulus, layer, seed):
    noise = initial_noise(RECIPE, gradient(8), "conv1_2", 0)
    other = initial_noise(RECIPE, stimulus, layer, seed)
    assert np.mean(noise == other) < 0.05


def test_does_not_depend_on_the_batch_that_the_stimulus_lies_in():
    batch = np.stack([gradient(8)[::-1], gradient(8), gradient(8) / 2], axis=-1)
    from_batch = initial_noise(RECIPE, batch[..., 1], "conv1_2", 0)
    np.testing.assert_array_equal(from_batch, initial_noise(RECIPE, gradient(8), "conv1_2", 0))


def test_does_not_touch_global_random_state():
    before = np.random.get_state()
    initial_noise(RECIPE, gradient(8), "conv1_2", 0)
    after = np.random.get_state()
    np.testing.assert_array_equal(after[1], before[1])
    assert after[2:] == before[2:]
