"""The table of families, and what each tells of its networks without loading them."""

import dataclasses

import pytest

from tfmetamers.errors import ArgumentError, CheckpointError
from tfmetamers.networks import NetworkOutline, NetworkSpec, from_keras, network_names
from tfmetamers.networks.families import families, find_family
from tfmetamers.networks.families.memory import MemoryFamily

FIELDS = {field.name for field in dataclasses.fields(NetworkSpec)} - {"family", "name"}


WORDS = ["small_word_aliased", "small_word_and_category_reduced_aliasing", "word_reduced_aliasing:random"]


@pytest.mark.parametrize("text", ["vggish@1s", "vggish_2020", "deepspeech@0.5s", *WORDS])
def test_an_outline_is_what_the_network_itself_says(text):
    spec = NetworkSpec.parse(text)
    assert spec.network_family.outline(spec) == NetworkOutline.of(spec.describe())


def test_layers_of_a_cochleagram_that_is_optimised_are_told_by_loading():
    spec = NetworkSpec.parse("small_word_aliased", optimize="cochleagram")
    assert spec.network_family.outline(spec) is None


def test_every_network_has_one_name_and_is_parsed_to_its_family():
    assert len(set(network_names())) == len(network_names())
    for name in network_names():
        spec = NetworkSpec.parse(name)
        assert (spec.name, str(spec), spec.network_name) == (name, name, name)
        assert name in spec.network_family.network_names()


def test_families_take_fields_that_there_are():
    for name, family in families().items():
        assert family.name == name
        assert family.takes <= FIELDS, name


def test_a_family_that_is_not_there_lists_near_ones():
    with pytest.raises(ArgumentError, match=r"'slimm'.*slim"):
        find_family("slimm")


@pytest.mark.parametrize("duration", [1e-5, 1e6])
def test_a_sound_shorter_than_a_sample_or_too_long_is_refused(duration):
    spec = NetworkSpec.parse("deepspeech", duration=duration)
    with pytest.raises(ArgumentError, match=r"deepspeech.*duration"):
        spec.network_family.outline(spec)


def test_whether_weights_are_at_hand_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("TFMETAMERS_CACHE", str(tmp_path))

    def state(name):
        return NetworkSpec.parse(name).network_family.state(NetworkSpec.parse(name))

    assert state("vggish") == state("word_aliased") == "not fetched"
    (tmp_path / "vggish_model.ckpt").write_bytes(b"weights")
    assert state("vggish") == state("vggish_2020") == "fetched"
    assert state("small_word_aliased") == "comes with the package"


class TestModelsInMemory:
    def test_they_are_told_apart_by_their_weights_and_what_they_take(self, small_model):
        network, again = from_keras(small_model), from_keras(small_model)
        assert isinstance(network.spec.network_family, MemoryFamily)
        assert network.spec == again.spec
        assert network.spec.folder_name.startswith("small~")
        assert from_keras(small_model, input_range=(0, 255)).spec.identity != network.spec.identity

    def test_they_are_loaded_from_those_that_are_given_alone(self, small_model, smooth_model):
        network, other = from_keras(small_model), from_keras(smooth_model)
        record = network.describe()
        assert record.load(networks=[other, network]) is network
        with pytest.raises(CheckpointError, match=r"small.*networks="):
            record.load(networks=[other])
