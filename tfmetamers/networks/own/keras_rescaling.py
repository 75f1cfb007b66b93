"""What the first layers of a Keras model say of the pictures that it takes."""

import itertools
from collections.abc import Iterable

import keras
import numpy as np

#: Layers that prepare a picture without changing its scale, as their classes are called; augmentation is off.
_PREPARING = ("CenterCrop", "Resizing", "Random")

#: Layers that bring a picture to the scale of a network's first weights.
_RESCALING = ("Rescaling", "Normalization")

#: What can stand for white in files and in models where black is 0: numbers of [0, 1], of 8 and of 16 bits.
WHITES = (1.0, 255.0, 65535.0)

#: How far black and white are apart after these layers where pictures have the range that they are made for: 1 or 2
#: after Rescaling to [0, 1] or [-1, 1], about 4 after Normalization to the variance of natural pictures. In the range
#: of another of `WHITES`, it would be below or above these.
MIN_CONTRAST, MAX_CONTRAST = 0.5, 16.0


def implied_white(layers: Iterable[keras.Layer], shape: tuple[int, ...]) -> float | None:
    """Return what a model takes for white, where black is 0, by the layers that it begins with.

    Args:
        layers: its layers, from the input on, those of nested models in their place.
        shape: of a picture, (height, width, channels).

    Returns:
        One of `WHITES`; None where the model does not begin with Rescaling or Normalization, or where these fit none.
    """
    first = itertools.takewhile(lambda layer: type(layer).__name__.startswith((*_PREPARING, *_RESCALING)), layers)
    rescaling = [layer for layer in first if type(layer).__name__ in _RESCALING]
    if not rescaling:
        return None
    black, white = np.zeros((1, *shape), np.float32), np.ones((1, *shape), np.float32)
    for layer in rescaling:
        black, white = layer(black), layer(white)
    contrast = float(np.abs(np.asarray(white) - np.asarray(black)).mean())
    return next((each for each in WHITES if MIN_CONTRAST <= contrast * each <= MAX_CONTRAST), None)
