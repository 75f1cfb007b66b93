"""The catalogue is valid, agrees with tf_slim's definitions, and finds what is in the cache."""

import math
import typing
from collections.abc import Sequence
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

import pytest

from tfmetamers.checkpoints.catalog import (
    cache_folder,
    cached_checkpoint,
    find_entry,
    load_catalog,
    network_entry,
)
from tfmetamers.errors import ArgumentError


def test_every_network_of_the_paper_is_there():
    networks = {entry.network for entry in load_catalog().values()}
    assert networks == {
        "vgg_19",
        "inception_v3",
        "resnet_v2_101",
        "word_aliased",
        "word_reduced_aliasing",
        "vggish",
        "deepspeech",
        "deepspeech_0_1_1",
    }


@pytest.mark.parametrize("entry", load_catalog().values(), ids=lambda entry: entry.name)
def test_entry_is_valid(entry):
    types = typing.get_type_hints(type(entry))
    for field, value in vars(entry).items():
        if types[field] == Sequence[str]:
            assert isinstance(value, list | tuple) and all(type(item) is str for item in value), field
        else:
            assert isinstance(value, types[field]), field
    assert entry.format in ("V1", "V2", "npz", "frozen graph", "WAV")
    assert entry.archive in ("", "tar.gz")
    assert urlsplit(entry.url).scheme in ("http", "https")
    assert entry.url.endswith(f".{entry.archive}" if entry.archive else f"/{entry.checkpoint}")
    assert entry.sha256 is None or len(entry.sha256) == 64
    assert entry.licence and entry.licence_note
    assert not entry.archive or entry.folder != entry.file


@pytest.mark.parametrize("name", ["vgg_19", "inception_v3", "resnet_v2_101"])
def test_counts_and_probes_of_image_networks_follow_from_their_graphs(name):
    from tfmetamers.networks import registry, slim

    entry, variables = find_entry(name), registry.network_variables(name)
    assert entry.variables == len(variables)
    assert entry.parameters == sum(math.prod(shape) for shape, _ in variables.values())
    assert entry.probe in slim.labels(name)
    assert all(any(fnmatchcase(variable, p) for p in entry.variable_names) for variable in variables)


def test_counts_of_vggish_and_deepspeech_follow_from_their_definitions():
    convolutions = [(9, 1, 64), (9, 64, 128), (9, 128, 256), (9, 256, 256), (9, 256, 512), (9, 512, 512)]
    dense = [(1, 12288, 4096), (1, 4096, 4096), (1, 4096, 128)]
    assert find_entry("vggish").parameters == sum(k * i * o + o for k, i, o in convolutions + dense)
    layers = [(494, 2048), (2048, 2048), (2048, 2048), (4096, 8192), (2048, 2048), (2048, 29)]
    assert find_entry("deepspeech_0.4.1").parameters == sum(i * o + o for i, o in layers)


@pytest.mark.parametrize("name", ["vggish", "deepspeech_0.1.1", "deepspeech_0.4.1"])
def test_counts_of_vggish_and_deepspeech_are_those_of_their_graphs(name):
    from tfmetamers.networks import registry

    entry = find_entry(name)
    variables = registry.network_variables(entry.network)
    assert entry.variables == len(variables)
    assert entry.parameters == sum(math.prod(shape) for shape, _ in variables.values())
    assert all(any(fnmatchcase(variable, p) for p in entry.variable_names) for variable in variables)


@pytest.mark.parametrize(
    ("network", "entry"),
    [
        ("vgg_19", "vgg_19"),
        ("word_aliased", "word_aliased"),
        ("vggish", "vggish"),
        ("vggish_2020", "vggish"),
        ("deepspeech", "deepspeech_0.4.1"),
        ("deepspeech_0_1_1", "deepspeech_0.1.1"),
    ],
)
def test_a_network_has_an_entry_of_its_weights(network, entry):
    assert network_entry(network).name == entry


def test_a_network_that_nobody_published_has_no_entry():
    assert network_entry("small") is None


def test_misspelt_name_lists_near_ones():
    with pytest.raises(ArgumentError, match="vgg_19"):
        find_entry("vgg19")


def test_environment_variable_moves_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("TFMETAMERS_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("TFMETAMERS_CACHE")
    assert cache_folder().name == "tfmetamers"


def test_cached_checkpoint_is_found_once_it_is_whole(monkeypatch, tmp_path):
    monkeypatch.setenv("TFMETAMERS_CACHE", str(tmp_path))
    assert cached_checkpoint("vggish") is None
    (tmp_path / "vggish_model.ckpt.part").touch()
    assert cached_checkpoint("vggish") is None
    (tmp_path / "vggish_model.ckpt").touch()
    assert cached_checkpoint("vggish") == tmp_path / "vggish_model.ckpt"


def test_v2_prefix_is_found_in_any_folder_of_an_archive(monkeypatch, tmp_path):
    monkeypatch.setenv("TFMETAMERS_CACHE", str(tmp_path))
    folder = tmp_path / "deepspeech-0.4.1-checkpoint/deep/deeper"
    folder.mkdir(parents=True)
    (folder / "model.v0.4.1.index").touch()
    assert cached_checkpoint("deepspeech_0.4.1") == folder / "model.v0.4.1"


def test_archive_without_a_further_file_of_the_entry_is_not_whole(monkeypatch, tmp_path):
    monkeypatch.setenv("TFMETAMERS_CACHE", str(tmp_path))
    folder = tmp_path / "metamers_audio_models_network_files"
    folder.mkdir()
    (folder / "word_aliased.ckpt.index").touch()
    assert cached_checkpoint("word_aliased") is None
    (folder / "word_network_aliased.pckl").touch()
    assert cached_checkpoint("word_aliased") == folder / "word_aliased.ckpt"
