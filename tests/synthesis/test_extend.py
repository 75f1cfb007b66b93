"""More steps than were asked for at first: continued from the state that was kept, to the same bytes."""

import dataclasses

import numpy as np
import pytest

import tfmetamers as tm
from tests.making import rewrite
from tests.synthesis.plans import RECIPE, ids, plan
from tfmetamers.errors import ArgumentError, ResultError
from tfmetamers.metamers import folder as folders
from tfmetamers.metamers import read_metamer
from tfmetamers.synthesis import execute_run

#: More than the trace has each step of, and not a multiple of ten, at which it goes on.
SHORT, LONG = RECIPE.replace(steps=105), RECIPE.replace(steps=112)


def make(planned, network, **options):
    return [job.folder for job, _ in execute_run(planned, network, **options)]


def contents(folder_of_results, steps):
    return {
        path.relative_to(folder_of_results): path.read_bytes()
        for path in folder_of_results.rglob("*")
        if path.is_file() and path.name != "run.json" and f"steps-{steps}" in path.as_posix()
    }


@pytest.fixture
def begun(network, stimuli, tmp_path):
    """The output folder of metamers of three pictures in batches of two, whose states were kept."""
    make(plan(network, stimuli, tmp_path / "out", recipe=SHORT, batch_size=2), network, keep_state=True)
    return tmp_path / "out"


class TestExtending:
    def test_ends_with_the_bytes_of_a_run_of_as_many_steps_and_leaves_the_shorter_one(
        self, network, stimuli, tmp_path, begun
    ):
        before = contents(begun, 105)
        planned = plan(network, stimuli, begun, recipe=LONG, batch_size=2, extend=True)
        assert (planned.extended, ids(planned.batches)) == (3, [["a", "b"], ["c"]])
        steps = []
        make(planned, network, keep_state=True, progress=lambda _, state: steps.append(state.step))
        assert steps[0] == 106
        make(plan(network, stimuli, tmp_path / "whole", recipe=LONG, batch_size=2), network, keep_state=True)
        assert contents(begun, 112) == contents(tmp_path / "whole", 112)
        assert contents(begun, 105) == before
        assert not list(begun.rglob("*unfinished*"))

    def test_goes_on_after_an_interruption_to_the_same_bytes(self, network, stimuli, tmp_path, begun):
        def stop(_, state):
            if state.step > 107:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            make(plan(network, stimuli, begun, recipe=LONG, batch_size=2, extend=True), network, progress=stop)
        make(plan(network, stimuli, begun, recipe=LONG, batch_size=2, extend=True), network)
        make(plan(network, stimuli, tmp_path / "whole", recipe=LONG, batch_size=2), network)
        assert contents(begun, 112) == contents(tmp_path / "whole", 112)

    def test_what_was_not_begun_starts_from_noise_and_advances_with_its_like(self, network, stimuli, tmp_path):
        make(plan(network, stimuli[1:2], tmp_path, recipe=SHORT), network, keep_state=True)
        planned = plan(network, stimuli, tmp_path, recipe=LONG, batch_size=3, extend=True)
        assert (planned.extended, ids(planned.batches)) == (1, [["a"], ["b"], ["c"]])

    def test_the_longest_that_was_made_alike_is_continued(self, network, stimuli, begun):
        other = SHORT.replace(steps=106)
        make(plan(network, stimuli[:1], begun, recipe=other, extend=True), network, keep_state=True)
        make(plan(network, stimuli[:1], begun, recipe=SHORT.replace(learning_rate=0.1)), network, keep_state=True)
        make(plan(network, stimuli[:1], begun, recipe=SHORT.replace(steps=107)), network)  # Its state is not kept.
        [[job]] = plan(network, stimuli[:1], begun, recipe=LONG, extend=True).batches
        assert job.first_step == read_metamer(job.continued).record.recipe.steps == 106

    def test_where_there_is_nothing_to_continue_it_is_said(self, network, stimuli, tmp_path):
        make(plan(network, stimuli[:1], tmp_path, recipe=SHORT), network)
        for further in ({"recipe": LONG}, {"recipe": SHORT, "seed": 1}):
            with pytest.raises(ResultError, match="--keep-state"):
                plan(network, stimuli[:1], tmp_path, extend=True, **further)
        assert plan(network, stimuli[:1], tmp_path, recipe=SHORT, extend=True).batches == []


class TestKeptStates:
    def test_a_metamer_that_is_read_has_every_loss_and_its_moments(self, network, stimuli, begun):
        [made] = [metamer for _, metamer in execute_run(plan(network, stimuli[:1], begun, recipe=LONG), network)]
        folders.write_metamer(begun / "again", made, folders.RunRecord(1.0, "now", "here"), keep_state=True)
        read = read_metamer(begun / "again")
        for field in ("losses", "learning_rates", "steps"):
            np.testing.assert_array_equal(getattr(read, field), getattr(made, field))
        for one, other in zip(read.moments, made.moments, strict=True):
            np.testing.assert_array_equal(one, other)

    def test_one_that_depends_on_the_number_of_steps_is_refused(self, network, pictures):
        metamer = tm.synthesize(network, pictures[0], layer="block", steps=4)
        halved = dataclasses.replace(metamer, learning_rates=metamer.learning_rates * np.linspace(1, 0, 5))
        with pytest.raises(ArgumentError, match="learning rates"):
            tm.resume(network, [halved], steps=6)

    def test_on_disk_too(self, network, stimuli, begun):
        for file in begun.rglob("state.npz"):
            with np.load(file) as archive:
                kept = dict(archive)
            np.savez(file, **{**kept, "learning_rates": kept["learning_rates"] / 2})
            rewrite(file.parent)
        with pytest.raises(ArgumentError, match=r"112 steps.*learning rates"):
            make(plan(network, stimuli, begun, recipe=LONG, extend=True), network)

    @pytest.mark.parametrize("name", ["first_moment", "losses"])
    def test_one_that_is_cut_short_is_named(self, network, stimuli, begun, name):
        [file, *_] = sorted(begun.rglob("state.npz"))
        with np.load(file) as archive:
            kept = dict(archive)
        np.savez(file, **{**kept, name: kept[name][:-1]})
        rewrite(file.parent)
        with pytest.raises(ResultError, match=rf"{file.parent}.*{name}"):
            read_metamer(file.parent)
        file.write_bytes(file.read_bytes()[:50])
        with pytest.raises(ResultError, match=str(file.parent)):
            read_metamer(file.parent)

    def test_none_to_keep_is_an_error(self, network, pictures, tmp_path):
        metamer = tm.synthesize(network, pictures[0], layer="block", steps=1)
        [folder] = tm.save_metamers([metamer], tmp_path / "without")
        with pytest.raises(ArgumentError, match="state"):
            tm.save_metamers([read_metamer(folder)], tmp_path / "with", keep_state=True)
