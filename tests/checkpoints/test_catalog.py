"""The catalogue is valid, agrees with tf_slim's definitions, and finds what is in the cache."""

from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from tfmetamers.checkpoints.catalog import (
    cache_folder,
    cached_checkpoint,
    find_entry,
    load_catalog,
    parse_catalog,
)
from tfmetamers.errors import ArgumentError, CheckpointError

SMALLEST = """
[net]
network = "net"
url = "https://example.org/net.ckpt"
format = "V1"
checkpoint = "net.ckpt"
licence = "unknown"
licence_note = ""
"""


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
    }


@pytest.mark.parametrize("entry", load_catalog().values(), ids=lambda entry: entry.name)
def test_entry_is_consistent(entry):
    assert urlsplit(entry.url).scheme in ("http", "https")
    assert entry.url.endswith(f".{entry.archive}" if entry.archive else f"/{entry.checkpoint}")
    assert entry.sha256 is None or len(entry.sha256) == 64
    assert entry.licence and entry.licence_note
    assert entry.folder != entry.file or not entry.archive
    assert entry.probe is None or entry.probe.evidence in ("run", "expected")


def test_counts_of_vggish_and_deepspeech_follow_from_their_definitions():
    convolutions = [(9, 1, 64), (9, 64, 128), (9, 128, 256), (9, 256, 256), (9, 256, 512), (9, 512, 512)]
    dense = [(1, 12288, 4096), (1, 4096, 4096), (1, 4096, 128)]
    assert find_entry("vggish").parameters == sum(k * i * o + o for k, i, o in convolutions + dense)
    layers = [(494, 2048), (2048, 2048), (2048, 2048), (4096, 8192), (2048, 2048), (2048, 29)]
    assert find_entry("deepspeech_0.4.1").parameters == sum(i * o + o for i, o in layers)


def test_smallest_entry_is_enough():
    assert parse_catalog(SMALLEST)["net"].file == "net.ckpt"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[net", "not valid TOML"),
        ("size = 3", "outside any entry"),
        ("[net]\nurl = 'x'", "net lacks network"),
        (SMALLEST + "colour = 'red'", "net holds colour"),
        (SMALLEST + "size = '3'", "net.size is '3'; a positive integer"),
        (SMALLEST + "size = -3", "net.size is -3; a positive integer"),
        (SMALLEST + "known_extras = [1]", "a list of strings was expected"),
        (SMALLEST + "probe = 3", "net.probe holds 3"),
        (SMALLEST + "archive = 'zip'", "net.archive is 'zip'; it must be one of '', 'tar.gz'"),
        (SMALLEST.replace('"V1"', '"V3"'), "net.format is 'V3'"),
        (SMALLEST + "[net.probe]\nstimulus = 'a'", "net.probe lacks label, among, evidence"),
    ],
)
def test_mistake_in_the_catalogue_is_named(text, complaint):
    with pytest.raises(CheckpointError) as error:
        parse_catalog(text)
    assert complaint in str(error.value)


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


def test_entry_cannot_be_changed():
    entry = find_entry("vgg_19")
    with pytest.raises(AttributeError):
        entry.url = "https://example.org"
    assert replace(entry, size=3).size == 3
