"""Metamers of arrays in memory: batches at several layers, continued runs, starts of one's own."""

import numpy as np
import pytest

import tfmetamers as tm
from tfmetamers.errors import ArgumentError
from tfmetamers.networks import from_keras
from tfmetamers.recipes import find_recipe
from tfmetamers.stimuli.noise import initial_noise, stimulus_digest

STEPS = {"steps": 6}


@pytest.fixture(scope="module")
def network(small_model):
    return from_keras(small_model, labels=list("abcdefghij"))


def assert_same_numbers(first, second):
    for field in ("stimulus", "original", "losses", "learning_rates", "steps"):
        np.testing.assert_array_equal(getattr(first, field), getattr(second, field))
    for one, other in zip(first.moments, second.moments, strict=True):
        np.testing.assert_array_equal(one, other)
    assert first.record == second.record


class TestBatches:
    def test_metamers_come_layer_by_layer_with_their_names(self, network, pictures):
        made = tm.synthesize_batch(network, pictures[:2], layers=["first", "block"], ids=["a", "b"], **STEPS)
        found = [(metamer.record.layer.name, metamer.record.stimulus.id) for metamer in made]
        assert found == [("first", "a"), ("first", "b"), ("block", "a"), ("block", "b")]
        for metamer, natural in zip(made, [*pictures[:2], *pictures[:2]], strict=True):
            np.testing.assert_array_equal(metamer.original, natural)
            assert metamer.losses[-1] < metamer.losses[0]
            assert metamer.record.recipe.steps == len(metamer.losses) - 1 == 6

    def test_a_stimulus_of_which_only_the_array_is_known_is_named_by_its_hash(self, network, pictures):
        record = tm.synthesize(network, pictures[0], layer="first", steps=1).record
        assert record.stimulus.id == stimulus_digest(pictures[0])[:12]
        assert (record.stimulus.file, record.stimulus.file_sha256) == (None, None)

    def test_one_is_a_batch_of_one(self, network, pictures):
        alone = tm.synthesize(network, pictures[0], layer="block", seed=3, **STEPS)
        (batch,) = tm.synthesize_batch(network, pictures[:1], layers=["block"], seed=3, **STEPS)
        assert_same_numbers(alone, batch)

    def test_progress_is_shown_on_request(self, network, pictures, capsys):
        tm.synthesize_batch(network, pictures[:1], layers=["first", "flat"], steps=2, progress=True)
        shown = capsys.readouterr().err
        assert "first" in shown and "flat" in shown
        tm.synthesize(network, pictures[0], layer="first", steps=2)
        assert capsys.readouterr() == ("", "")

    @pytest.mark.parametrize(
        ("arguments", "at_fault"),
        [
            ({"layers": ["blok"]}, r"'blok'.*block"),
            ({"seed": -1}, "-1"),
            ({"seed": 1.5}, r"1\.5"),
            ({"steps": 0}, "steps"),
            ({"recipe": "feather2019-image"}, "'feather2019-image'"),
            ({"ids": ["a"]}, "2 stimuli and 1 ids"),
            ({"ids": ["a", "../../b"]}, r"Stimulus 1.*'\.\./\.\./b'"),
            ({"ids": ["a", 3]}, "Stimulus 1.* 3"),
            ({"ids": ["a", "a"]}, "both have the id 'a'"),
            ({"layers": []}, "layer"),
            ({"layers": [["block"]]}, r"\['block'\]"),
            ({"network": "vgg_19"}, "'vgg_19'"),
            ({"initial": np.zeros((1, 32, 32, 3))}, "2 stimuli and 1 initial"),
            ({"stimuli": []}, "stimulus"),
            ({"stimuli": [np.zeros((32, 32, 3)), np.zeros((16, 16, 3))]}, r"\(16, 16, 3\).*\(32, 32, 3\)"),
            ({"stimuli": ["x.png", "y.png"]}, r"'x\.png'.*load"),
        ],
    )
    def test_arguments_that_cannot_be_used_are_named(self, network, pictures, arguments, at_fault):
        arguments = {"network": network, "stimuli": pictures[:2], "layers": ["block"], "steps": 1} | arguments
        with pytest.raises(ArgumentError, match=at_fault):
            tm.synthesize_batch(**arguments)

    @pytest.mark.parametrize(
        ("asked", "named"),
        [("all", None), ("block", ["block"]), (["left", "all"], None), (["left", "left"], ["left"])],
    )
    def test_layers_are_named_as_on_the_command_line(self, network, asked, named):
        assert network.layer_names(asked) == (named or list(network.layers))
        assert list(tm.compare_layers(network, *np.zeros((2, 32, 32, 3)), asked).index) == (named or [*network.layers])

    def test_one_layer_is_not_all(self, network, pictures):
        with pytest.raises(ArgumentError, match="'all'"):
            tm.synthesize(network, pictures[0], layer="all")

    def test_one_metamer_is_taken_in_place_of_several(self, network, pictures, tmp_path):
        metamer = tm.synthesize(network, pictures[0], layer="block", steps=1)
        assert [len(each.losses) for each in tm.resume(network, metamer, steps=2)] == [3]
        assert len(tm.plot_losses(metamer).axes[0].lines) == len(tm.metamers.tabulate(metamer)) == 1
        assert tm.save_metamers(metamer, tmp_path) == [tmp_path / metamer.record.relative_folder]
        for take_a_folder in (tm.verdicts, tm.index, tm.write_index):
            with pytest.raises(ArgumentError, match=r"Metamer of .*include"):
                take_a_folder(metamer)
        with pytest.raises(ArgumentError, match="'metamers'"):
            tm.plot_losses(["metamers"])


class TestResuming:
    def test_ends_as_an_uninterrupted_run_of_as_many_steps(self, network, pictures):
        options = {"layers": ["block", "flat"], "seed": 2, "ids": ["a", "b"]}
        begun = tm.synthesize_batch(network, pictures[:2], steps=4, **options)
        whole = tm.synthesize_batch(network, pictures[:2], steps=9, **options)
        for resumed, expected in zip(tm.resume(network, begun, steps=9), whole, strict=True):
            assert_same_numbers(resumed, expected)

    def test_goes_on_from_a_start_of_ones_own_and_again(self, network, pictures):
        options = {"layer": "block", "initial": np.full((32, 32, 3), 0.5), "recipe": find_recipe("feather2019-image")}
        metamer = tm.synthesize(network, pictures[0], steps=2, **options)
        for steps in (4, 6):
            (metamer,) = tm.resume(network, [metamer], steps=steps)
        assert_same_numbers(metamer, tm.synthesize(network, pictures[0], steps=6, **options))

    def test_what_cannot_be_continued_is_named(self, network, pictures, small_model, tmp_path):
        metamer = tm.synthesize(network, pictures[0], layer="block", **STEPS)
        for steps, at_fault in ((6, "already has 6 steps"), (3, "already has 6 steps"), ("9", "'9'")):
            with pytest.raises(ArgumentError, match=at_fault):
                tm.resume(network, [metamer], steps=steps)
        with pytest.raises(ArgumentError, match="Network small"):
            tm.resume(from_keras(small_model, input_range=(0, 255)), [metamer], steps=9)
        (folder,) = tm.metamers.save_metamers([metamer], tmp_path)
        with pytest.raises(ArgumentError, match="without the optimiser's state"):
            tm.resume(network, [tm.read_metamer(folder)], steps=9)


class TestInitialStimuli:
    def test_synthesis_starts_from_it_and_records_its_hash(self, network, pictures):
        start = np.random.default_rng(9).random((32, 32, 3))
        metamer = tm.synthesize(network, pictures[0], layer="block", initial=start, steps=1)
        activations = network.activations("block")
        difference = (activations(start[None].astype(np.float32)) - activations(pictures[:1])).numpy()
        assert metamer.losses[0] == pytest.approx(0.5 * np.square(difference).sum(), rel=1e-5)
        assert metamer.record.initial == stimulus_digest(start.astype(np.float32))
        assert f"initial-{metamer.record.initial[:8]}" in metamer.record.relative_folder.as_posix()

    def test_the_noise_given_as_a_start_ends_with_the_same_numbers(self, network, pictures):
        recipe = find_recipe(network.recipe)
        noise = initial_noise(recipe, network.stimulus_shape, stimulus_digest(pictures[0]), "block", 4)
        usual = tm.synthesize(network, pictures[0], layer="block", seed=4, **STEPS)
        given = tm.synthesize(network, pictures[0], layer="block", seed=4, initial=noise, **STEPS)
        np.testing.assert_array_equal(usual.stimulus, given.stimulus)
        assert usual.record.initial is None
        assert given.record.identity != usual.record.identity

    @pytest.mark.parametrize(
        ("start", "at_fault"),
        [
            (np.zeros((16, 16, 3)), r"\(16, 16, 3\).*\(32, 32, 3\)"),
            (np.full((32, 32, 3), np.nan), "NaN"),
            (np.full((32, 32, 3), 1.5), r"1\.5.*from 0 to 1"),
            (np.full((32, 32, 3), None), "object"),
        ],
        ids=["another shape", "NaN", "out of bounds", "not numbers"],
    )
    def test_one_that_cannot_be_used_is_refused_before_the_first_step(self, network, pictures, start, at_fault):
        with pytest.raises(ArgumentError, match=at_fault):
            tm.synthesize(network, pictures[0], layer="block", initial=start, steps=10**6)

    def test_without_bounds_every_finite_number_is_a_start(self, network, pictures):
        recipe = find_recipe("feather2019-array").replace(steps=1)
        start = np.full((32, 32, 3), -3.0)
        assert tm.synthesize(network, pictures[0], layer="block", initial=start, recipe=recipe).stimulus.min() < -2


def test_what_is_made_says_what_it_is(network, pictures):
    metamer = tm.synthesize(network, pictures[0], layer="block", steps=2)
    for word in ("block", "small", "2 steps", "correlation"):
        assert word in repr(metamer)
