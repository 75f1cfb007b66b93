"""Word networks by name, by release and by architecture."""

import dataclasses
import shutil

import numpy as np
import pytest

import tfmetamers as tm
from tfmetamers.checkpoints import catalog
from tfmetamers.errors import ArgumentError, CheckpointError
from tfmetamers.networks import describe_network, network_names
from tfmetamers.networks.registry import network_variables


@pytest.fixture(scope="module")
def release(shared):
    return shared / "golden" / "word_network_release_format"


def test_word_networks_are_listed_with_what_they_are():
    assert network_names()[3:5] == ["word_aliased", "word_reduced_aliasing"]
    network = describe_network("word_reduced_aliasing")
    names = ["cochleagram", "pool_0_0", "pool_1_0", "conv_2", "conv_3", "conv_4", "fc_intermediate", "logits"]
    assert list(network.layers) == names
    assert "stand-in" in network.provenance.note
    assert network.domain.shape == (40000,)
    assert (len(network.labels), network.labels[:2]) == (794, ["__nullSignal__", "ability"])


def test_a_release_gives_the_golden_logits_and_labels(release, shared):
    network = tm.load_release(release)
    assert (network.name, len(network.labels), network.labels[793]) == ("word_aliased", 794, "young")
    with np.load(shared / "golden" / "cochleagram_human.npz") as golden:
        waveform = golden["waveform"].reshape(1, -1)
    with np.load(release / "word_network_aliased_activations.npz") as golden:
        expected = golden["fc_top:/stimuli/word_int"]
    logits = network.logits(waveform).numpy()
    assert np.linalg.norm(logits - expected) < 1e-4 * np.linalg.norm(expected)
    assert network.predict(waveform)[0].index == expected.argmax()


def test_a_pickle_and_a_checkpoint_give_the_same_network(release):
    from tfmetamers.networks.auditory.release import read_release_architecture

    architecture = read_release_architecture(release / "word_network_aliased.pckl", "word_aliased")
    network = tm.load_architecture(architecture, checkpoint=release / "word_network_aliased.ckpt")
    assert network.describe() == tm.load_release(release, "word_aliased").describe()


def test_a_release_that_was_fetched_is_taken_with_its_architecture(release, tmp_path, monkeypatch):
    for file in release.iterdir():
        shutil.copy(file, tmp_path)
    for file in tmp_path.glob("word_network_aliased.ckpt*"):
        file.rename(tmp_path / file.name.replace("word_network_", "word_"))
    entry = catalog.find_entry("word_aliased")
    monkeypatch.setattr(type(entry), "location", lambda *_: tmp_path / "word_aliased.ckpt")
    network = tm.load_network("word_aliased")
    assert network.layer("conv_0").shape[-1] == 12
    variables = network_variables("word_aliased", tmp_path / "word_aliased.ckpt")
    assert variables["brain_network/conv_0/kernel"] == ((7, 14, 1, 12), "float32")


def test_random_weights_are_those_of_their_seed(small_architecture):
    first, again, other = (
        tm.load_architecture(small_architecture, weights="random", weights_seed=seed) for seed in (1, 1, 2)
    )
    assert first.describe() == again.describe()
    assert first.provenance.digest != other.provenance.digest
    waveform = np.random.default_rng(0).normal(0, 0.1, (1, 2000)).astype(np.float32)
    np.testing.assert_array_equal(first.logits(waveform), again.logits(waveform))
    assert np.abs(first.logits(waveform) - other.logits(waveform)).max() > 0


def test_labels_of_ones_own_are_one_a_class(small_architecture):
    network = tm.load_architecture(small_architecture, weights="random", labels=list("abcdefghij"))
    assert network.labels == list("abcdefghij")
    assert tm.load_architecture(small_architecture, weights="random").labels == list("0123456789")
    with pytest.raises(ArgumentError, match="2 labels and 10 classes of small"):
        tm.load_architecture(small_architecture, weights="random", labels=["a", "b"])


def test_a_network_without_a_top_has_no_labels(small_architecture):
    headless = dataclasses.replace(small_architecture, layers=small_architecture.layers[:-1], tasks={})
    network = tm.load_architecture(headless, weights="random")
    assert network.labels is None
    assert network.predict(np.zeros((1, 2000), np.float32)) == [None]


class TestBadInput:
    def test_a_checkpoint_of_the_release_without_its_architecture(self, release):
        with pytest.raises(CheckpointError, match=r"conv_0/kernel.*give its architecture too, by --release DIR"):
            tm.load_network("word_aliased", checkpoint=release / "word_network_aliased.ckpt")

    def test_a_size(self):
        with pytest.raises(ArgumentError, match="takes sounds; leave the size out"):
            tm.load_network("word_aliased", weights="random", size=224)

    def test_another_network_of_the_release(self, release):
        with pytest.raises(ArgumentError, match="'word_reduced_aliasing'; the nearest are word_aliased"):
            tm.load_release(release, "word_reduced_aliasing")

    def test_no_checkpoint(self, small_architecture):
        with pytest.raises(CheckpointError, match="small needs a checkpoint; give --checkpoint PATH"):
            tm.load_architecture(small_architecture)

    def test_the_size_of_a_picture_is_asked_of_a_sound_network(self, small_architecture):
        with pytest.raises(ArgumentError, match="small takes no pictures but 2000 samples at 4000 Hz"):
            tm.load_architecture(small_architecture, weights="random").input_size  # noqa: B018
