"""Word networks by name, by release and by architecture."""

import dataclasses
import shutil

import numpy as np
import pytest

import tfmetamers as tm
from tests.golden import GOLDEN
from tfmetamers.checkpoints import catalog
from tfmetamers.errors import ArgumentError, CheckpointError
from tfmetamers.networks import NetworkRecord, NetworkSpec, describe_network, network_names
from tfmetamers.networks.auditory.architecture import as_json
from tfmetamers.networks.auditory.release import read_release_architecture

RELEASE = GOLDEN / "word_network_release_format"


def test_word_networks_are_listed_with_what_they_are():
    assert network_names()[3:5] == ["word_aliased", "word_reduced_aliasing"]
    network = describe_network("word_reduced_aliasing")
    names = ["cochleagram", "pool_0_0", "pool_1_0", "conv_2", "conv_3", "conv_4", "fc_intermediate", "logits"]
    assert list(network.layers) == names
    assert "stand-in" in network.provenance.note
    assert network.domain.shape == (40000,)
    assert (len(network.labels), network.labels[:2]) == (794, ["__nullSignal__", "ability"])


def test_a_release_gives_the_golden_logits_and_labels():
    network = tm.load_network(f"release:{RELEASE}")
    assert (network.name, len(network.labels), network.labels[793]) == ("word_aliased", 794, "young")
    with np.load(GOLDEN / "cochleagram_human.npz") as golden:
        waveform = golden["waveform"].reshape(1, -1)
    with np.load(RELEASE / "word_network_aliased_activations.npz") as golden:
        expected = golden["fc_top:/stimuli/word_int"]
    logits = network.logits(waveform).numpy()
    assert np.linalg.norm(logits - expected) < 1e-4 * np.linalg.norm(expected)
    assert network.predict(waveform)[0].index == expected.argmax()


def test_a_pickle_and_a_checkpoint_give_the_same_network():
    architecture = read_release_architecture(RELEASE / "word_network_aliased.pckl", "word_aliased")
    checkpoint = RELEASE / "word_network_aliased.ckpt"
    same = {
        tm.load_architecture(architecture, checkpoint=checkpoint).describe().identity,
        tm.load_network(f"{RELEASE}/word_network_aliased.pckl={checkpoint}").describe().identity,
        tm.load_network(f"release:{RELEASE}:word_aliased").describe().identity,
        tm.load_network(f"word_aliased={checkpoint}").describe().identity,
    }
    assert len(same) == 1


@pytest.fixture
def fetched(tmp_path, monkeypatch):
    """The release in the cache, as `checkpoints fetch` leaves it."""
    monkeypatch.setenv("TFMETAMERS_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "cache" / catalog.find_entry("word_aliased").folder
    shutil.copytree(RELEASE, folder)
    for file in folder.glob("word_network_aliased.ckpt*"):
        file.rename(folder / file.name.replace("word_network_", "word_"))
    return folder


def test_a_release_that_was_fetched_is_taken_with_its_architecture(fetched):
    network = tm.load_network("word_aliased")
    assert network.layer("conv_0").shape[-1] == 12
    spec = NetworkSpec.parse("word_aliased", checkpoint=fetched / "word_aliased.ckpt")
    assert spec.network_family.variables(spec)["brain_network/conv_0/kernel"] == ((7, 14, 1, 12), "float32")


def test_a_release_that_was_fetched_and_moved_is_found_again(fetched, tmp_path):
    record = NetworkRecord.from_json(tm.load_network("word_aliased").describe().to_json())
    (tmp_path / "cache").rename(tmp_path / "moved")
    with pytest.raises(CheckpointError, match="word_aliased was not fetched"):
        record.load()
    assert record.load(look_in=[tmp_path / "moved"]).describe().identity == record.identity


def test_random_weights_are_those_of_their_seed(small_architecture):
    first, again, other = (tm.load_architecture(small_architecture, random_seed=seed) for seed in (1, 1, 2))
    assert first.describe() == again.describe()
    assert first.provenance.digest != other.provenance.digest
    waveform = np.random.default_rng(0).normal(0, 0.1, (1, 2000)).astype(np.float32)
    np.testing.assert_array_equal(first.logits(waveform), again.logits(waveform))
    assert np.abs(first.logits(waveform) - other.logits(waveform)).max() > 0


def test_labels_of_ones_own_are_one_a_class(small_architecture):
    network = tm.load_architecture(small_architecture, random_seed=0, labels=list("abcdefghij"))
    assert network.labels == list("abcdefghij")
    assert tm.load_architecture(small_architecture, random_seed=0).labels == list("0123456789")
    with pytest.raises(ArgumentError, match=r"2 labels.*small"):
        tm.load_architecture(small_architecture, random_seed=0, labels=["a", "b"])


def test_a_network_without_a_top_has_no_labels(small_architecture):
    headless = dataclasses.replace(small_architecture, layers=small_architecture.layers[:-1], tasks={})
    network = tm.load_architecture(headless, random_seed=0)
    assert network.labels is None
    assert network.predict(np.zeros((1, 2000), np.float32)) == [None]


def test_an_architecture_in_memory_is_described_without_weights(small_architecture):
    described = NetworkSpec(family="architecture", definition=as_json(small_architecture)).describe()
    assert list(described.layers) == ["cochleagram", "conv_0", "conv_1", "logits"]
    assert described.provenance.digest == ""


class TestBadInput:
    def test_a_checkpoint_of_the_release_without_its_architecture(self, tmp_path):
        for file in RELEASE.glob("word_network_aliased.ckpt*"):
            shutil.copy(file, tmp_path)
        with pytest.raises(CheckpointError, match=r"conv_0/kernel.*release:DIR"):
            tm.load_network("word_aliased", checkpoint=tmp_path / "word_network_aliased.ckpt")

    def test_another_network_of_the_release(self):
        with pytest.raises(ArgumentError, match=r"'word_reduced_aliasing'.*word_aliased"):
            tm.load_network(f"release:{RELEASE}:word_reduced_aliasing")

    def test_no_checkpoint(self, small_architecture):
        with pytest.raises(CheckpointError, match="small needs a checkpoint"):
            tm.load_architecture(small_architecture)

    def test_a_layer_table_that_is_not_an_architecture(self):
        with pytest.raises(ArgumentError, match="read_architecture"):
            tm.load_architecture("layers.json")
