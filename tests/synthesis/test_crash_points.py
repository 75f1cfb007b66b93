"""Whenever a run is killed, the same run ends with the same tree: nothing is missing, and nothing is left over."""

import pytest

from tests.crashes import count_events, crash, tree
from tests.synthesis.plans import RECIPE, plan
from tfmetamers.synthesis import execute_run
from tfmetamers.synthesis.unfinished import clear_leftovers


@pytest.fixture
def make(network, stimuli):
    """A function that makes two metamers as one batch in a folder, with snapshots."""

    def work(out):
        planned = plan(network, stimuli[:2], out, recipe=RECIPE.replace(steps=2), batch_size=2)
        clear_leftovers(out, planned.finished)
        list(execute_run(planned, network, snapshot_every=1))

    return work


def without_times(found):
    """The tree without what run.json holds, in which nothing is the same again."""
    return {path: None if path.endswith("run.json") else content for path, content in found.items()}


@pytest.mark.parametrize("every", [31, pytest.param(1, marks=pytest.mark.slow)])
def test_a_run_that_is_killed_whenever_it_touches_a_file_ends_with_the_same_tree(make, tmp_path, every):
    whole = tmp_path / "whole"
    whole.mkdir()
    events = count_events(lambda: make(whole), whole)
    expected = without_times(tree(whole))
    assert events > 80 and len([path for path in expected if path.endswith("metamer.json")]) == 2
    for last in range(0, events, every):
        out = tmp_path / str(last)
        out.mkdir()
        crash(lambda out=out: make(out), out, last)
        assert without_times(tree(out)) != expected or last > events - 5, f"killed at event {last} of {events}"
        make(out)
        assert without_times(tree(out)) == expected, f"killed at event {last} of {events}"
