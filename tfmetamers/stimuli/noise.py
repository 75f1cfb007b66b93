"""The noise that synthesis starts from."""

import hashlib

import numpy as np

from tfmetamers.recipes import Recipe


def initial_noise(recipe: Recipe, stimulus: np.ndarray, layer: str, seed: int) -> np.ndarray:
    """Draw the first stimulus of a synthesis.

    The noise depends on the seed, the natural stimulus and the layer alone, so that an item's noise is the
    same in a batch and by itself.

    Args:
        recipe: says which noise: ``"uniform"`` is ``noise_low`` to ``noise_high``.
        stimulus: the natural stimulus, float32 of any shape.
        layer: the name of the layer to match.
        seed: the seed, an integer from 0.

    Returns:
        float32 array of the stimulus's shape.
    """
    described = hashlib.sha256(layer.encode() + b"\0" + np.ascontiguousarray(stimulus, np.float32).tobytes())
    entropy = [seed, int.from_bytes(described.digest()[:16], "big")]
    generator = np.random.default_rng(np.random.SeedSequence(entropy))
    uniform = generator.random(stimulus.shape, np.float32)
    return recipe.noise_low + uniform * np.float32(recipe.noise_high - recipe.noise_low)
