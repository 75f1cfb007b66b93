"""Recipes are the paper's numbers, and no number that cannot be used gets into one."""

import dataclasses

import numpy as np
import pytest

from tfmetamers.errors import ArgumentError
from tfmetamers.recipes import find_recipe

RELEASED = {
    "name": "feather2019-image",
    "steps": 15000,
    "learning_rate": 1e-3,
    "decay_rate": 0.95,
    "decay_steps": 1000,
    "beta_1": 0.9,
    "beta_2": 0.999,
    "epsilon": 1e-8,
    "noise": "uniform",
    "noise_low": 0.5,
    "noise_high": 0.6,
    "noise_rms": None,
    "lower_bound": 0.0,
    "upper_bound": 1.0,
    "relu_gradient": "straight-through",
    "front_end": "none",
    "optimizer": "adam",
    "decay": "continuous",
    "noise_mean": None,
    "noise_deviation": None,
    "noise_drawn": "each",
    "criterion": "feather2019",
    "resampling": "bilinear",
    "rounding": "nearest",
}


@pytest.fixture
def recipe():
    return find_recipe("feather2019-image")


class TestNamedRecipes:
    def test_the_image_recipe_is_the_released_code(self, recipe):
        assert dataclasses.asdict(recipe) == RELEASED

    def test_the_papers_text_has_a_constant_rate_and_noise_about_one_half(self):
        text = {"name": "feather2019-image-text", "decay_rate": 1.0, "noise_low": 0.45, "noise_high": 0.55}
        assert dataclasses.asdict(find_recipe("feather2019-image-text")) == RELEASED | text

    def test_the_audio_recipes_differ_from_the_image_recipe_in_noise_bounds_and_front_end(self):
        audio = {"noise": "pink", "noise_low": None, "noise_high": None, "noise_rms": 0.01}
        audio |= {"name": "feather2019-audio", "lower_bound": None, "upper_bound": None, "front_end": "exact"}
        assert dataclasses.asdict(find_recipe("feather2019-audio")) == RELEASED | audio
        fast = {"name": "feather2019-audio-fast", "front_end": "fast"}
        assert dataclasses.asdict(find_recipe("feather2019-audio-fast")) == RELEASED | audio | fast
        cochleagram = {"name": "feather2019-audio-cochleagram", "lower_bound": 0.0, "front_end": "none"}
        assert dataclasses.asdict(find_recipe("feather2019-audio-cochleagram")) == RELEASED | audio | cochleagram

    def test_a_networks_own_waveforms_and_arrays_differ_in_front_end_noise_and_bounds(self):
        waveform, array = find_recipe("feather2019-audio-waveform"), find_recipe("feather2019-array")
        audio = dataclasses.asdict(find_recipe("feather2019-audio"))
        assert dataclasses.asdict(waveform) == audio | {"name": waveform.name, "front_end": "none"}
        free = {"noise_low": -0.05, "noise_high": 0.05, "lower_bound": None, "upper_bound": None}
        assert dataclasses.asdict(array) == RELEASED | free | {"name": array.name}

    def test_a_misspelt_name_gets_near_ones(self):
        with pytest.raises(ArgumentError, match=r"'feather2019-imgae'.*feather2019-image, "):
            find_recipe("feather2019-imgae")

    def test_a_recipe_cannot_be_changed_in_place(self, recipe):
        with pytest.raises(dataclasses.FrozenInstanceError):
            recipe.steps = 3


class TestReplace:
    def test_changes_what_is_given_and_nothing_else(self, recipe):
        changed = recipe.replace(steps=300, relu_gradient="normal")
        assert dataclasses.asdict(changed) == RELEASED | {"steps": 300, "relu_gradient": "normal"}
        assert dataclasses.asdict(recipe) == RELEASED

    def test_text_from_a_command_line_gives_the_same_recipe_as_numbers(self, recipe):
        from_text = recipe.replace(steps="300", learning_rate="1e-2", noise_low="0", upper_bound="none")
        from_numbers = recipe.replace(steps=300, learning_rate=0.01, noise_low=0.0, upper_bound=None)
        assert from_text == from_numbers
        for field in RELEASED:
            assert type(getattr(from_text, field)) is type(getattr(from_numbers, field))

    @pytest.mark.parametrize("steps", [300.0, np.int64(300)])
    def test_other_whole_numbers_become_python_integers(self, recipe, steps):
        replaced = recipe.replace(steps=steps).steps
        assert (replaced, type(replaced)) == (300, int)

    def test_values_at_the_edge_of_their_range_are_accepted(self, recipe):
        edges = {"steps": 1, "beta_1": 0, "beta_2": 0, "noise_low": 0, "noise_high": 0, "decay_rate": 1.5}
        assert recipe.replace(**edges).noise_high == 0.0

    def test_a_misspelt_field_gets_near_ones(self, recipe):
        with pytest.raises(ArgumentError, match=r"'learning_rat'.*learning_rate"):
            recipe.replace(learning_rat=0.1)

    def test_the_name_is_not_a_setting(self, recipe):
        with pytest.raises(ArgumentError, match="'name'"):
            recipe.replace(name="mine")


class TestDeviations:
    def test_a_named_recipe_has_none(self, recipe):
        assert recipe.deviations() == {}
        assert recipe.replace(steps=300).replace(steps=15000).deviations() == {}

    def test_are_pairs_of_the_recipes_value_and_this_ones(self, recipe):
        changed = recipe.replace(steps="300", noise_low=0.4, relu_gradient="normal")
        assert changed.deviations() == {
            "steps": (15000, 300),
            "noise_low": (0.5, 0.4),
            "relu_gradient": ("straight-through", "normal"),
        }

    def test_are_from_the_recipe_of_that_name(self):
        changed = find_recipe("feather2019-image-text").replace(decay_rate=0.95)
        assert changed.deviations() == {"decay_rate": (1.0, 0.95)}


class TestVariant:
    """The words that tell recipes apart in the names of folders."""

    def test_a_networks_own_recipe_has_none(self, recipe):
        assert recipe.variant("feather2019-image") == []

    def test_says_what_is_not_as_in_the_recipe_of_that_name(self, recipe):
        changed = recipe.replace(steps=60, learning_rate=2, relu_gradient="normal", upper_bound=None)
        expected = ["steps-60", "learning_rate-2", "upper_bound-None", "normal-gradient"]
        assert changed.variant("feather2019-image") == expected

    def test_begins_with_the_name_of_a_recipe_that_is_not_the_networks_own(self):
        fast = find_recipe("feather2019-audio-fast").replace(steps=60)
        assert fast.variant("feather2019-audio") == ["feather2019-audio-fast", "steps-60"]
        exact = find_recipe("feather2019-audio").replace(front_end="fast")
        assert exact.variant("feather2019-audio") == ["fast-front-end"]

    def test_a_recipe_of_ones_own_has_its_name_and_a_digest_of_all_that_it_holds(self, recipe):
        mine, other = (dataclasses.replace(recipe, name="mine", steps=steps) for steps in (2, 3))
        [word], [another] = mine.variant("feather2019-image"), other.variant("feather2019-image")
        assert word.startswith("mine-") and another.startswith("mine-") and word != another

    def test_values_that_differ_in_their_last_digit_have_different_words(self, recipe):
        first, second = (recipe.replace(learning_rate=rate).variant(recipe.name) for rate in (0.12345671, 0.12345672))
        assert first != second


class TestBadInput:
    """Each is refused in one sentence that names the field and shows what arrived."""

    @staticmethod
    def check_refused(recipe, value, **fields):
        [field] = fields
        with pytest.raises(ArgumentError) as refused:
            recipe.replace(**fields)
        message = str(refused.value)
        assert field in message and repr(value) in message
        assert "\n" not in message

    @pytest.mark.parametrize("field", ["steps", "learning_rate", "lower_bound"])
    @pytest.mark.parametrize("value", [float("nan"), "inf", "abc", True, pytest.param(10**400, id="huge")])
    def test_what_is_not_a_finite_number(self, recipe, field, value):
        self.check_refused(recipe, value, **{field: value})

    @pytest.mark.parametrize("field", ["steps", "noise_low"])
    def test_nothing_where_a_number_is_needed(self, recipe, field):
        self.check_refused(recipe, None, **{field: None})

    @pytest.mark.parametrize("field", ["steps", "learning_rate", "decay_rate", "decay_steps", "epsilon"])
    @pytest.mark.parametrize("value", [0, "-1"])
    def test_what_is_not_positive(self, recipe, field, value):
        self.check_refused(recipe, type(RELEASED[field])(value), **{field: value})

    @pytest.mark.parametrize("field", ["steps", "decay_steps"])
    def test_a_fraction_where_a_whole_number_belongs(self, recipe, field):
        self.check_refused(recipe, "1.5", **{field: "1.5"})

    @pytest.mark.parametrize("field", ["beta_1", "beta_2"])
    @pytest.mark.parametrize("value", [1.0, -0.1])
    def test_a_decay_of_moments_that_never_forgets(self, recipe, field, value):
        self.check_refused(recipe, value, **{field: value})

    @pytest.mark.parametrize("field", ["relu_gradient", "noise", "front_end", "optimizer", "decay", "noise_drawn"])
    def test_a_choice_that_is_not_there(self, recipe, field):
        self.check_refused(recipe, "exakt", **{field: "exakt"})

    @pytest.mark.parametrize("field", ["beta_1", "epsilon"])
    def test_an_optimiser_needs_its_own_numbers_and_no_others(self, recipe, field):
        self.check_refused(recipe, None, **{field: None})
        self.check_refused(find_recipe("feather2023-image"), 0.5, **{field: 0.5})

    def test_noise_of_another_kind_needs_its_own_numbers(self, recipe):
        audio = find_recipe("feather2019-audio")
        for which, fields, at_fault in (
            (recipe, {"noise": "pink"}, "noise_low"),
            (recipe, {"noise_rms": 0.01}, "noise_rms"),
            (audio, {"noise": "uniform"}, "noise_low"),
            (audio, {"noise_rms": 0}, "noise_rms"),
        ):
            with pytest.raises(ArgumentError, match=at_fault):
                which.replace(**fields)
        uniform = {"noise": "uniform", "noise_low": -0.1, "noise_high": 0.1, "noise_rms": "none"}
        assert audio.replace(**uniform).noise_low == -0.1

    @pytest.mark.parametrize(("field", "value"), [("noise_low", 0.7), ("noise_high", 1.1), ("lower_bound", 0.55)])
    def test_noise_outside_the_bounds_or_upside_down(self, recipe, field, value):
        self.check_refused(recipe, value, **{field: value})
