"""The noise that synthesis starts from."""

import hashlib

import numpy as np

from tfmetamers.errors import ArgumentError
from tfmetamers.recipes import Recipe


def stimulus_digest(stimulus: np.ndarray) -> str:
    """Return the SHA-256 of a stimulus's numbers in single precision, in hexadecimal.

    >>> stimulus_digest(np.zeros(6))[:8]
    '9d908ecf'
    """
    return hashlib.sha256(np.ascontiguousarray(stimulus, np.float32).tobytes()).hexdigest()


def initial_noise(recipe: Recipe, shape: tuple[int, ...], digest: str, layer: str, seed: int) -> np.ndarray:
    """Draw the first stimulus of a synthesis.

    The noise depends only on the recipe, the seed and, unless it is drawn once, the natural stimulus and the layer, so
    that an item's noise is the same in any batch.

    Args:
        recipe: its ``noise`` is ``"uniform"``, from ``noise_low`` to ``noise_high``; ``"pink"``, with the root mean
            square ``noise_rms``, for waveforms; or ``"normal"``, with ``noise_mean`` and ``noise_deviation``, clipped
            to the recipe's bounds. If it is drawn once, the stimulus and the layer do not matter.
        shape: the shape of the noise.
        digest: `stimulus_digest` of the natural stimulus.
        layer: name of the layer to match.
        seed: an integer from 0.

    Returns:
        float32 array of the shape.

    Raises:
        ArgumentError: pink noise was requested for a shape that is not a waveform's.

    >>> from tfmetamers.recipes import find_recipe
    >>> recipe = find_recipe("feather2019-image")
    >>> noise = initial_noise(recipe, (4, 4, 3), digest="ab12", layer="conv1_1", seed=0)
    >>> noise.shape, noise.dtype.name, bool(noise.min() >= recipe.noise_low and noise.max() <= recipe.noise_high)
    ((4, 4, 3), 'float32', True)
    >>> np.array_equal(noise, initial_noise(recipe, (4, 4, 3), digest="ab12", layer="conv1_1", seed=1))
    False
    """
    described = hashlib.sha256(f"{layer}\0{digest}".encode() if recipe.noise_drawn == "each" else b"")
    entropy = [seed, int.from_bytes(described.digest()[:16], "big")]
    generator = np.random.default_rng(np.random.SeedSequence(entropy))
    if recipe.noise == "uniform":
        uniform = generator.random(shape, np.float32)
        return recipe.noise_low + uniform * np.float32(recipe.noise_high - recipe.noise_low)
    if recipe.noise == "normal":
        normal = generator.standard_normal(shape, np.float32) * np.float32(recipe.noise_deviation)
        lowest = -np.inf if recipe.lower_bound is None else recipe.lower_bound
        highest = np.inf if recipe.upper_bound is None else recipe.upper_bound
        return np.clip(normal + np.float32(recipe.noise_mean), lowest, highest)
    if len(shape) > 1:
        raise ArgumentError(
            f"The recipe {recipe.name} starts from pink noise, which is only for waveforms; give a recipe with uniform "
            f"noise for stimuli of shape {shape}."
        )
    from tfmetamers.stimuli.sounds import pink_noise

    return pink_noise(shape[0], generator, recipe.noise_rms)
