"""The start of a synthesis is decided by the recipe, the seed, the stimulus and the layer."""

import hashlib

import numpy as np
import pytest

from tfmetamers.recipes import find_recipe
from tfmetamers.stimuli.noise import initial_noise, stimulus_digest

RECIPE = find_recipe("feather2019-image")


def noise_for(stimulus: np.ndarray, layer: str, seed: int, recipe=RECIPE) -> np.ndarray:
    return initial_noise(recipe, stimulus.shape, stimulus_digest(stimulus), layer, seed)


def gradient(size: int) -> np.ndarray:
    return np.arange(size * size * 3, dtype=np.float32).reshape(size, size, 3) / np.float32(2**18)


@pytest.mark.parametrize(
    ("seed", "first"),
    [
        (0, [0.58281016, 0.5396768, 0.51629716, 0.5320423]),
        (4294967296, [0.51980615, 0.5866169, 0.55916893, 0.5186606]),
    ],
)
def test_first_values_of_a_seed_stay_what_they_are(seed, first):
    noise = noise_for(gradient(8), "conv1_2", seed)
    np.testing.assert_array_equal(noise.ravel()[:4], np.float32(first))


def test_all_values_of_a_seed_stay_what_they_are():
    noise = noise_for(gradient(32), "conv5_4", 2019)
    digest = hashlib.sha256(noise.tobytes()).hexdigest()
    assert digest == "e922e93d2cad1218746ec21d22422a5d279e74735f4eb7e2328dbe0d8719eb6d"


@pytest.mark.parametrize(
    ("name", "low", "high"), [("feather2019-image", 0.5, 0.6), ("feather2019-image-text", 0.45, 0.55)]
)
def test_is_uniform_over_the_recipe_s_range(name, low, high):
    noise = noise_for(gradient(224), "conv1_2", 0, find_recipe(name))
    assert low <= noise.min() < low + 1e-5
    assert high - 1e-5 < noise.max() < high
    assert noise.mean() == pytest.approx((low + high) / 2, abs=3e-4)
    assert noise.std() == pytest.approx((high - low) / 12**0.5, rel=0.01)


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
    noise = noise_for(gradient(8), "conv1_2", 0)
    other = noise_for(stimulus, layer, seed)
    assert np.mean(noise == other) < 0.05


def test_does_not_touch_global_random_state():
    before = np.random.get_state()
    noise_for(gradient(8), "conv1_2", 0)
    after = np.random.get_state()
    np.testing.assert_array_equal(after[1], before[1])
    assert after[2:] == before[2:]
