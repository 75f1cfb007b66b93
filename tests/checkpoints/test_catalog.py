"""The catalogue is valid, agrees with the networks' definitions, and finds what is in the cache."""

import math
import re
import typing
from collections.abc import Mapping, Sequence
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


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("TFMETAMERS_CACHE", str(tmp_path))
    return tmp_path


def test_every_entry_is_valid():
    catalog = load_catalog()
    assert catalog
    for entry in catalog.values():
        types = typing.get_type_hints(type(entry))
        for field, value in vars(entry).items():
            if types[field] == Sequence[str]:
                assert isinstance(value, list | tuple) and all(type(item) is str for item in value), field
            elif types[field] == Mapping[str, str]:
                assert all(re.fullmatch("[0-9a-f]{32}", digest) for digest in value.values()), field
                assert bool(value) == bool(entry.md5_source), field
            else:
                assert isinstance(value, types[field]), field
        assert entry.format in ("V1", "V2", "npz", "frozen graph", "WAV")
        assert entry.archive in ("", "tar.gz")
        assert urlsplit(entry.url).scheme == "https"
        assert entry.max_bytes > 4 * (entry.parameters or 0)
        assert entry.url.endswith(f".{entry.archive}" if entry.archive else f"/{entry.checkpoint}")
        assert entry.licence and entry.licence_note
        assert not entry.archive or entry.folder != entry.file


@pytest.mark.parametrize(
    "name",
    [
        "vgg_19",
        pytest.param("inception_v3", marks=pytest.mark.slow),
        pytest.param("resnet_v2_101", marks=pytest.mark.slow),
        "vggish",
        "deepspeech_0.4.1",
    ],
)
def test_counts_and_probes_follow_from_the_graphs(name):
    from tfmetamers.networks import NetworkSpec, slim

    entry = find_entry(name)
    spec = NetworkSpec.parse(entry.network)
    variables = spec.network_family.variables(spec)
    assert entry.variables == len(variables)
    assert entry.parameters == sum(math.prod(shape) for shape, _ in variables.values())
    assert all(any(fnmatchcase(variable, p) for p in entry.variable_names) for variable in variables)
    if name in slim.DEFINITIONS:
        assert entry.probe in slim.labels(name)


def test_counts_of_vggish_and_deepspeech_follow_from_their_published_definitions():
    convolutions = [(9, 1, 64), (9, 64, 128), (9, 128, 256), (9, 256, 256), (9, 256, 512), (9, 512, 512)]
    dense = [(1, 12288, 4096), (1, 4096, 4096), (1, 4096, 128)]
    assert find_entry("vggish").parameters == sum(k * i * o + o for k, i, o in convolutions + dense)
    layers = [(494, 2048), (2048, 2048), (2048, 2048), (4096, 8192), (2048, 2048), (2048, 29)]
    assert find_entry("deepspeech_0.4.1").parameters == sum(i * o + o for i, o in layers)


def test_every_network_of_the_paper_has_an_entry_with_its_weights():
    entries = {
        **{name: name for name in ("vgg_19", "inception_v3", "resnet_v2_101", "word_aliased", "word_reduced_aliasing")},
        **{"vggish": "vggish", "vggish_2020": "vggish", "deepspeech": "deepspeech_0.4.1"},
    }
    assert {network: network_entry(network).name for network in entries} == entries
    assert network_entry("small") is None


def test_misspelt_name_lists_similar_ones():
    with pytest.raises(ArgumentError, match="vgg_19"):
        find_entry("vgg19")


def test_environment_variable_moves_the_cache(cache, monkeypatch):
    assert cache_folder() == cache
    monkeypatch.delenv("TFMETAMERS_CACHE")
    assert cache_folder().name == "tfmetamers"


def test_cached_checkpoint_is_found_once_it_is_whole(cache):
    assert cached_checkpoint("vggish") is None
    (cache / "vggish_model.ckpt.part").touch()
    assert cached_checkpoint("vggish") is None
    (cache / "vggish_model.ckpt").touch()
    assert cached_checkpoint("vggish") == cache / "vggish_model.ckpt"


def test_v2_prefix_is_found_in_any_folder_of_an_archive(cache):
    folder = cache / "deepspeech-0.4.1-checkpoint/deep/deeper"
    folder.mkdir(parents=True)
    (folder / "model.v0.4.1.index").touch()
    assert cached_checkpoint("deepspeech_0.4.1") == folder / "model.v0.4.1"


def test_archive_that_lacks_another_file_of_the_entry_is_not_whole(cache):
    folder = cache / "metamers_audio_models_network_files"
    folder.mkdir()
    (folder / "word_aliased.ckpt.index").touch()
    assert cached_checkpoint("word_aliased") is None
    (folder / "word_network_aliased.pckl").touch()
    assert cached_checkpoint("word_aliased") == folder / "word_aliased.ckpt"
