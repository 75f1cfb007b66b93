"""What does not fit into memory is refused before the first step of the first layer."""

from types import SimpleNamespace

import psutil
import pytest

import tfmetamers as tm
from tests.synthesis.plans import plan
from tfmetamers.errors import ArgumentError
from tfmetamers.synthesis import execute_run
from tfmetamers.synthesis.loop import Synthesis
from tfmetamers.synthesis.runs import measure_seconds


@pytest.fixture
def room(network, monkeypatch):
    """Memory for a step of two stimuli at the layer ``first`` alone, with quick kernels; nothing may be prepared."""
    sizes = network.step_bytes(["first", "flat"], 2, "quick")
    assert sizes["first"] < sizes["flat"]
    free = (sizes["first"] + sizes["flat"]) // 2
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=free))
    monkeypatch.setattr(Synthesis, "__init__", lambda *_, **__: pytest.fail("a layer was begun"))


REFUSED = r"small at flat with quick kernels takes about \d+ kB"


def test_a_run_is_refused_for_a_layer_whose_turn_is_late(room, network, stimuli, tmp_path):
    planned = plan(network, stimuli, tmp_path / "out", layers=["first", "flat"], batch_size=2)
    with pytest.raises(ArgumentError, match=REFUSED):
        list(execute_run(planned, network))
    with pytest.raises(ArgumentError, match=REFUSED):
        measure_seconds(planned, network, "first")
    assert not (tmp_path / "out").exists()


def test_so_are_arrays(room, network, pictures):
    with pytest.raises(ArgumentError, match=REFUSED):
        tm.synthesize_batch(network, pictures[:2], layers=["first", "flat"])


def test_small_kernels_are_not_refused(network, pictures, monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=0))
    assert tm.synthesize(network, pictures[0], layer="first", kernels="small", steps=1).record.kernels == "small"
    sizes = [network.step_bytes(["flat"], kernels=kernels)["flat"] for kernels in ("small", "quick")]
    assert sizes[1] - sizes[0] == network.kernel_bytes("flat") > 0
