"""`tfmetamers checkpoints` as a user runs it."""

import json
import sys
from dataclasses import replace

import pytest
from click.testing import CliRunner

from tfmetamers.checkpoints import catalog
from tfmetamers.checkpoints.verify import Probe
from tfmetamers.cli import main as command_line
from tfmetamers.cli.checkpoints import checkpoints
from tfmetamers.errors import ArgumentError, CheckpointError
from tfmetamers.networks import families
from tfmetamers.networks.families.base import NetworkFamily


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("TFMETAMERS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def small(monkeypatch, entry, server, saved):
    """A catalogue with one checkpoint of the small network, whose probe expects a cat."""
    published = replace(
        entry,
        url=server.url.replace(".bin", ".tar.gz"),
        archive="tar.gz",
        format=saved.format,
        checkpoint="net.ckpt",
        known_extras=("global_step", "net/mean_rgb"),
        probe="cat",
    )
    for module in (catalog, sys.modules["tfmetamers.cli.checkpoints"]):
        monkeypatch.setattr(module, "load_catalog", lambda: {"small": published})
    return published


@pytest.fixture
def family(monkeypatch, network_variables):
    """A family of networks with the small one, whose answer to the probe can be set."""

    class SmallFamily(NetworkFamily):
        name = "small"
        takes = frozenset({"checkpoint"})
        answer = ("dog, cat", True)

        def network_names(self):
            return ["small"]

        def variables(self, spec):
            return network_variables

        def probe(self, entry):
            return Probe(entry.probe, lambda arrays: self.answer)

    family = SmallFamily()
    monkeypatch.setattr(families, "families", lambda: {"small": family})
    return family


def run(*arguments):
    return CliRunner().invoke(checkpoints, list(map(str, arguments)))


def test_list_shows_every_entry_and_what_the_cache_has(cache):
    cache.mkdir()
    (cache / "vggish_model.ckpt").touch()
    printed = run("list").output
    lines = {line.split()[0]: line for line in printed.splitlines() if line}
    assert lines.keys() >= catalog.load_catalog().keys()
    assert lines["vggish"].endswith("vggish_model.ckpt")
    assert lines["vgg_19"].endswith(" no") and "143667240" in lines["vgg_19"]
    assert str(cache) in printed and "MPL-2.0" in printed
    rows = {row["name"]: row for row in json.loads(run("list", "--json").stdout)}
    assert rows["vggish"]["location"].endswith("vggish_model.ckpt")
    assert rows["vgg_19"]["location"] is None and rows["vgg_19"]["parameters"] == 143667240


@pytest.mark.parametrize("saved", ["V2"], indirect=True)
def test_fetch_then_verify(cache, small, server, saved, family, make_archive):
    files = saved.path.parent.glob("net.ckpt*")
    server.content = make_archive({file.name: file.read_bytes() for file in files})
    fetched = run("fetch", "small")
    assert fetched.exit_code == 0, fetched.exception
    assert str(cache / "published/net.ckpt") in fetched.output and "Licence: unknown. Nobody" in fetched.output
    verified = run("verify", "small")
    assert verified.exit_code == 0, verified.exception
    assert "FAILED" not in verified.output and "dog, cat" in verified.output


@pytest.mark.parametrize("saved", ["V2"], indirect=True)
def test_verify_prints_the_table_and_fails_if_a_check_failed(cache, small, saved, family):
    assert run("verify", "small", saved.path).exit_code == 0
    family.answer = ("dog, hen", False)
    result = run("verify", "small", saved.path)
    assert result.exit_code == 1
    assert "FAILED" in result.output and "dog, hen" in result.output
    rows = {row["check"]: row for row in json.loads(run("verify", "small", saved.path, "--json").stdout)}
    assert (rows["probe"]["found"], rows["probe"]["ok"], rows["readable"]["ok"]) == ("dog, hen", False, True)
    assert isinstance(result.exception, CheckpointError) and "probe" in str(result.exception)


@pytest.mark.parametrize("saved", ["V2"], indirect=True)
def test_verify_of_what_was_not_fetched(cache, small, family):
    result = run("verify", "small")
    assert isinstance(result.exception, CheckpointError)
    assert "tfmetamers checkpoints fetch small" in str(result.exception)


def test_verify_of_another_kind_of_file(cache, family):
    result = run("verify", "vggish_pca")
    assert isinstance(result.exception, ArgumentError) and "npz" in str(result.exception)


def test_misspelt_name(cache, family):
    result = run("verify", "vgg19")
    assert isinstance(result.exception, ArgumentError) and "vgg_19" in str(result.exception)


@pytest.mark.slow
def test_the_real_vgg_19_passes_as_itself_and_is_named_when_given_as_another(vgg_19_8bit, capsys):
    assert command_line.run(["checkpoints", "verify", "vgg_19", str(vgg_19_8bit)]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if line.endswith(" ok")]
    assert [row[0] for row in rows] == ["readable", "SHA-256", "variables", "shapes", "no", "values", "probe"]
    assert command_line.run(["checkpoints", "verify", "inception_v3", str(vgg_19_8bit)]) == 1
    output, errors = capsys.readouterr()
    assert "0 of 378" in output and "those of vgg_19" in output
    assert "inception_v3" in errors and "variables filled, no unknown variables" in errors
