"""The command line of checkpoints."""

import sys
from dataclasses import replace
from types import ModuleType

import pytest
from click.testing import CliRunner

from tfmetamers.checkpoints import catalog
from tfmetamers.checkpoints.verify import Probe
from tfmetamers.cli import main as command_line
from tfmetamers.cli.checkpoints import checkpoints
from tfmetamers.errors import ArgumentError, CheckpointError


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("TFMETAMERS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def small(monkeypatch, entry, server, saved):
    """A catalogue with one V1 or V2 checkpoint of the small network, whose probe expects a cat."""
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
def registry(monkeypatch, network_variables):
    """Stand-ins for the registry of networks and their probes, which would build real ones; returns the latter."""
    stand_in = ModuleType("tfmetamers.networks.registry")
    stand_in.network_variables = lambda name, checkpoint: network_variables
    probes = ModuleType("tfmetamers.networks.probes")
    probes.find_probe = lambda entry: Probe(entry.probe, lambda arrays: ("dog, cat", True))
    networks = ModuleType("tfmetamers.networks")
    networks.registry = stand_in
    for module in (networks, stand_in, probes):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return probes


def run(*arguments):
    return CliRunner().invoke(checkpoints, list(map(str, arguments)))


def test_list_shows_every_entry(cache):
    printed = run("list").output
    for name in catalog.load_catalog():
        assert f"\n{name} " in printed
    assert str(cache) in printed and "MPL-2.0" in printed


def test_list_says_what_the_cache_has(cache):
    cache.mkdir()
    (cache / "vggish_model.ckpt").touch()
    lines = {line.split()[0]: line for line in run("list").output.splitlines() if line}
    assert lines["vggish"].endswith("vggish_model.ckpt")
    assert lines["vgg_19"].endswith(" no") and "143667240" in lines["vgg_19"]


def test_fetch_then_verify(cache, small, server, saved, registry, make_archive):
    files = saved.path.parent.glob("net.ckpt*")
    server.content = make_archive({file.name: file.read_bytes() for file in files})
    fetched = run("fetch", "small")
    assert fetched.exit_code == 0, fetched.exception
    assert str(cache / "published/net.ckpt") in fetched.output and "Licence: unknown. Nobody" in fetched.output
    verified = run("verify", "small")
    assert verified.exit_code == 0, verified.exception
    assert "OFF" not in verified.output and "dog, cat" in verified.output


def test_verify_of_a_given_path(cache, small, saved, registry):
    assert run("verify", "small", saved.path).exit_code == 0


def test_verify_prints_the_table_and_fails_when_something_is_off(cache, small, saved, registry):
    registry.find_probe = lambda entry: Probe(entry.probe, lambda arrays: ("dog, hen", False))
    result = run("verify", "small", saved.path)
    assert result.exit_code == 1
    assert "OFF" in result.output and "dog, hen" in result.output
    assert isinstance(result.exception, CheckpointError) and "off: probe" in str(result.exception)


def test_verify_of_what_was_not_fetched(cache, small, registry):
    result = run("verify", "small")
    assert result.exit_code == 1
    assert "tfmetamers checkpoints fetch small" in str(result.exception)


def test_verify_of_what_is_no_checkpoint(cache, registry):
    result = run("verify", "vggish_pca")
    assert isinstance(result.exception, ArgumentError) and "format npz" in str(result.exception)


@pytest.mark.parametrize("command", ["fetch", "verify"])
def test_misspelt_name(command, cache, registry):
    result = run(command, "vgg19")
    assert isinstance(result.exception, ArgumentError) and "vgg_19" in str(result.exception)


def test_the_real_vgg_19_passes_as_itself_and_is_named_when_given_as_another(vgg_19_8bit, capsys):
    assert command_line.run(["checkpoints", "verify", "vgg_19", str(vgg_19_8bit)]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if line.endswith(" ok")]
    assert [row[0] for row in rows] == ["readable", "SHA-256", "variables", "shapes", "no", "values", "probe"]
    assert command_line.run(["checkpoints", "verify", "inception_v3", str(vgg_19_8bit)]) == 1
    output, errors = capsys.readouterr()
    assert "0 of 378; its names seem to be those of vgg_19" in output
    assert "is not the checkpoint inception_v3 (off: variables filled, no unknown variable)" in errors
