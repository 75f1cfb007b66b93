"""Whenever judging or the building of a null distribution is killed, the same call ends with the same tree."""

import shutil

import numpy as np
import pytest
from PIL import Image

from tests.crashes import count_events, crash, tree
from tests.making import make_metamers
from tfmetamers.inclusion import build_null, evaluate, examine_stimuli, plan_null
from tfmetamers.networks import from_keras
from tfmetamers.stimuli.collection import collect_stimuli
from tfmetamers.utilities.files import sweep


@pytest.fixture(scope="module")
def network(small_model):
    return from_keras(small_model, labels=list("abcdefghij"))


@pytest.fixture(scope="module")
def stimuli(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stimuli")
    for place in range(3):
        pixels = np.random.default_rng(place).integers(0, 256, (32, 32, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{place}.png")
    return collect_stimuli([folder], (".png",))


@pytest.fixture(scope="module")
def made(network, stimuli, tmp_path_factory):
    """Two metamers."""
    out = tmp_path_factory.mktemp("made") / "out"
    make_metamers(network, ["flat"], stimuli[:2], out)
    return out


def assert_survives(work, start, tmp_path, every: int) -> None:
    """Crash at events that are so far apart, and do the work again."""
    whole = start(tmp_path / "whole")
    events = count_events(lambda: work(whole), whole)
    expected = tree(whole)
    assert events > 5
    for last in range(1, events, every):
        out = start(tmp_path / str(last))
        crash(lambda out=out: work(out), out, last)
        work(out)
        assert tree(out) == expected, f"killed at event {last} of {events}"


@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.slow)])
def test_evaluate(network, made, tmp_path, every):
    def work(out):
        sweep(out)
        assert len(list(evaluate(out, networks=[network]))) == 2

    assert_survives(work, lambda out: shutil.copytree(made, out), tmp_path, every)


@pytest.mark.parametrize("every", [12, pytest.param(1, marks=pytest.mark.slow)])
def test_a_null_distribution(network, stimuli, tmp_path, every):
    found = examine_stimuli(network, stimuli)

    def work(out):
        build_null(plan_null(network, ["flat"], found, pairs=3, seed=0, out=out / "null.npz"))

    def start(out):
        out.mkdir()
        return out

    assert_survives(work, start, tmp_path, every)
