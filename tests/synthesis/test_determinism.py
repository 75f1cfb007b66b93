"""The same bytes in every process: deterministic operations, and what the last digits depend on."""

import subprocess
import sys

import numpy as np
import pytest
from tensorflow.python.framework.config import is_op_determinism_enabled

import tfmetamers as tm
from tests.synthesis.plans import plan
from tfmetamers.metamers import read_record
from tfmetamers.networks.graph.frozen import FrozenFunction
from tfmetamers.recipes import find_recipe
from tfmetamers.stimuli.noise import stimulus_digest
from tfmetamers.synthesis import Synthesis, execute_run

RECIPE = find_recipe("feather2019-image").replace(steps=2)


def observe(network, pictures, **options):
    """Return whether each compiled call of two steps had deterministic operations, and the last state."""
    synthesis = Synthesis(network, layer="block", recipe=RECIPE, **options)
    compiled, observed = synthesis._compiled, []
    synthesis._compiled = lambda *each: observed.append(is_op_determinism_enabled()) or compiled(*each)
    targets = synthesis.targets(pictures[:1])
    *_, last = synthesis.advance_in_calls(targets, synthesis.start([stimulus_digest(pictures[0])], 0))
    return observed, last


def test_steps_are_deterministic_unless_asked_otherwise(network, pictures):
    observed, state = observe(network, pictures)
    assert (observed, state.deterministic) == ([True, True], True)
    observed, state = observe(network, pictures, deterministic=False)
    assert (observed, state.deterministic) == ([False, False], False)
    assert not is_op_determinism_enabled()


def test_whatever_a_network_computes_is_deterministic(network, pictures, monkeypatch):
    observed, call = [], FrozenFunction.__call__
    monkeypatch.setattr(
        FrozenFunction, "__call__", lambda *each: observed.append(is_op_determinism_enabled()) or call(*each)
    )
    network.predict(pictures)
    network.activations("block")(pictures)
    network.activations_together(["first", "block"])(pictures)
    network.measurements(["first"])(pictures)
    assert len(observed) == 4 and all(observed)


def test_what_the_last_digits_depend_on_is_recorded_and_determines_nothing(network, stimuli, tmp_path):
    planned = plan(network, stimuli, tmp_path, recipe=RECIPE, batch_size=2)
    made = [read_record(job.folder) for job, _ in execute_run(planned, network, deterministic=False)]
    computed = [each.computation for each in made]
    assert [(each.batch_size, each.place) for each in computed] == [(2, 0), (2, 1), (1, 0)]
    assert {each.deterministic for each in computed} == {False}
    assert all(each.threads >= 1 for each in computed)
    assert plan(network, stimuli, tmp_path, recipe=RECIPE).batches == []


def test_steps_of_both_kinds_are_recorded_as_not_deterministic(network, pictures):
    (begun,) = tm.synthesize_batch(network, pictures[:1], layers=["block"], steps=2, deterministic=False)
    (resumed,) = tm.resume(network, [begun], steps=3)
    assert (begun.record.computation.deterministic, resumed.record.computation.deterministic) == (False, False)
    assert tm.synthesize(network, pictures[0], layer="block", steps=2).record.computation.deterministic


SCRIPT = """
import hashlib, sys
import numpy as np
import tfmetamers as tm
network = tm.load_network("small_word_reduced_aliasing")
sound = network.domain.load(tm.stimuli.sample_word(), "centre")
metamers = tm.synthesize_batch(network, [sound, sound[::-1].copy()], layers=["logits"], steps=40)
print(hashlib.sha256(b"".join(each.stimulus.tobytes() for each in metamers)).hexdigest())
"""


@pytest.mark.slow
def test_processes_agree_to_the_last_bit():
    """At the logits, where six processes in a row gave up to two versions before."""
    found = {
        subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True).stdout
        for _ in range(6)
    }
    assert len(found) == 1


def test_a_batch_of_metamers_read_again_is_resumed_in_its_batches(network, pictures, tmp_path):
    made = tm.synthesize_batch(network, pictures, layers=["block", "flat"], steps=3, ids=list("abcd"))
    tm.save_metamers(made, tmp_path, keep_state=True)
    resumed = tm.resume(network, tm.load_metamers(tmp_path), steps=5)
    whole = tm.synthesize_batch(network, pictures, layers=["block", "flat"], steps=5, ids=list("abcd"))
    for one, other in zip(resumed, whole, strict=True):
        np.testing.assert_array_equal(one.stimulus, other.stimulus)
        np.testing.assert_array_equal(one.losses, other.losses)
        assert one.record == other.record
