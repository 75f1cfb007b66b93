"""A small network, and pictures on disk."""

import numpy as np
import pytest
from PIL import Image

from tfmetamers.networks import from_keras
from tfmetamers.stimuli.collection import collect_stimuli
from tfmetamers.stimuli.images import SUFFIXES


@pytest.fixture
def network(small_model):
    return from_keras(small_model, labels=list("abcdefghij"))


@pytest.fixture
def deaf_network():
    """A network whose layer ``relu`` is silent on noise (0.5 to 0.6) and on darker pictures."""
    import keras

    layers = [keras.Input((32, 32, 3)), keras.layers.Conv2D(1, 1, activation="relu", name="relu")]
    model = keras.Sequential(layers, name="deaf")
    model.get_layer("relu").set_weights([np.ones((1, 1, 3, 1), np.float32), np.array([-2.0], np.float32)])
    return from_keras(model)


@pytest.fixture
def stimuli(tmp_path, pictures):
    """The pictures a, b and c."""
    folder = tmp_path / "stimuli"
    folder.mkdir()
    for name, picture in zip("abc", pictures, strict=False):
        Image.fromarray((picture * 255).astype(np.uint8)).save(folder / f"{name}.png")
    return collect_stimuli([folder], SUFFIXES)
