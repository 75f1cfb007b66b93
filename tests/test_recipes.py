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
}
NUMBERS = [field for field, value in RELEASED.items() if not isinstance(value, str | None)]
POSITIVE = ["steps", "learning_rate", "decay_rate", "decay_steps", "epsilon"]


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

    def test_a_misspelt_name_gets_near_ones(self):
        with pytest.raises(ArgumentError, match=r"no recipe 'feather2019-imgae'; .*feather2019-image, "):
            find_recipe("feather2019-imgae")

    def test_a_name_like_no_other_gets_all_of_them(self):
        with pytest.raises(ArgumentError, match=r"feather2019-image, feather2019-image-text"):
            find_recipe("xyz")

    def test_a_recipe_cannot_be_changed_in_place(self, recipe):
        with pytest.raises(dataclasses.FrozenInstanceError):
            recipe.steps = 3


class TestReplace:
    def test_changes_what_is_given_and_nothing_else(self, recipe):
        changed = recipe.replace(steps=300, relu_gradient="normal")
        assert dataclasses.asdict(changed) == RELEASED | {"steps": 300, "relu_gradient": "normal"}
        assert dataclasses.asdict(recipe) == RELEASED

    @pytest.mark.parametrize(
        ("text", "number"),
        [
            ({"steps": "300"}, {"steps": 300}),
            ({"learning_rate": "1e-2"}, {"learning_rate": 0.01}),
            ({"decay_steps": "500", "decay_rate": "0.5"}, {"decay_steps": 500, "decay_rate": 0.5}),
            ({"noise_low": "0", "noise_high": "1"}, {"noise_low": 0.0, "noise_high": 1.0}),
        ],
    )
    def test_text_from_a_command_line_gives_the_same_recipe_as_numbers(self, recipe, text, number):
        from_text, from_numbers = recipe.replace(**text), recipe.replace(**number)
        assert from_text == from_numbers
        for field in RELEASED:
            assert type(getattr(from_text, field)) is type(RELEASED[field])

    @pytest.mark.parametrize("steps", [300.0, np.int64(300), np.float32(300)])
    def test_other_whole_numbers_become_python_integers(self, recipe, steps):
        replaced = recipe.replace(steps=steps).steps
        assert (replaced, type(replaced)) == (300, int)

    def test_values_at_the_edge_of_their_range_are_accepted(self, recipe):
        edges = {"steps": 1, "beta_1": 0, "beta_2": 0, "noise_low": 0, "noise_high": 0, "decay_rate": 1.5}
        assert recipe.replace(**edges).noise_high == 0.0

    def test_a_misspelt_field_gets_near_ones(self, recipe):
        with pytest.raises(ArgumentError, match=r"'learning_rat'; the nearest are learning_rate"):
            recipe.replace(learning_rat=0.1)

    def test_the_name_is_no_setting(self, recipe):
        with pytest.raises(ArgumentError, match="'name'"):
            recipe.replace(name="mine")


class TestDeviations:
    def test_a_named_recipe_has_none(self, recipe):
        assert recipe.deviations() == {}
        assert find_recipe("feather2019-image-text").deviations() == {}

    def test_are_pairs_of_the_recipes_value_and_this_ones(self, recipe):
        changed = recipe.replace(steps="300", noise_low=0.4, relu_gradient="normal")
        assert changed.deviations() == {
            "steps": (15000, 300),
            "noise_low": (0.5, 0.4),
            "relu_gradient": ("straight-through", "normal"),
        }

    def test_are_gone_when_the_value_is_given_back(self, recipe):
        assert recipe.replace(steps=300).replace(steps=15000).deviations() == {}

    def test_are_from_the_recipe_of_that_name(self):
        changed = find_recipe("feather2019-image-text").replace(decay_rate=0.95)
        assert changed.deviations() == {"decay_rate": (1.0, 0.95)}


class TestBadInput:
    """Each is refused in one sentence that names the field and shows what arrived."""

    @staticmethod
    def refusal(recipe, field, value) -> str:
        with pytest.raises(ArgumentError) as refused:
            recipe.replace(**{field: value})
        message = str(refused.value)
        assert field in message
        assert "\n" not in message
        return message

    @pytest.mark.parametrize("field", NUMBERS)
    @pytest.mark.parametrize(
        "value", [float("nan"), float("inf"), -float("inf"), "nan", "inf", "abc", "", " ", True, [1], 1j]
    )
    def test_what_is_no_finite_number(self, recipe, field, value):
        assert repr(value) in self.refusal(recipe, field, value)

    @pytest.mark.parametrize("field", sorted({*NUMBERS} - {"lower_bound", "upper_bound"}))
    @pytest.mark.parametrize("value", [None, "none"])
    def test_nothing_where_a_number_is_needed(self, recipe, field, value):
        assert repr(None if field.startswith("noise") else value) in self.refusal(recipe, field, value)

    def test_a_bound_may_be_taken_away(self, recipe):
        assert recipe.replace(lower_bound="none", upper_bound=None).deviations() == {
            "lower_bound": (0.0, None),
            "upper_bound": (1.0, None),
        }

    def test_noise_of_another_kind_needs_its_own_numbers(self, recipe):
        assert "as for pink noise" in self.refusal(recipe, "noise", "pink")
        assert "as for uniform noise" in self.refusal(recipe, "noise_rms", 0.01)
        audio = find_recipe("feather2019-audio")
        assert "as for uniform noise" in self.refusal(audio, "noise", "uniform")
        assert "as for pink noise" in self.refusal(audio, "noise_low", 0.1)
        assert "a positive number was expected" in self.refusal(audio, "noise_rms", 0)
        uniform = {"noise": "uniform", "noise_low": -0.1, "noise_high": 0.1, "noise_rms": "none"}
        assert audio.replace(**uniform).noise_low == -0.1

    @pytest.mark.parametrize("value", ["exakt", "", None])
    def test_an_unknown_front_end(self, recipe, value):
        assert "none or exact or fast was expected" in self.refusal(recipe, "front_end", value)

    @pytest.mark.parametrize("field", POSITIVE)
    @pytest.mark.parametrize("value", [0, -1, "0", "-1"])
    def test_what_is_not_positive(self, recipe, field, value):
        assert "a positive number was expected" in self.refusal(recipe, field, value)

    @pytest.mark.parametrize("field", ["steps", "decay_steps"])
    @pytest.mark.parametrize("value", [1.5, "1.5", 0.5, np.float64(2.5)])
    def test_a_fraction_where_a_whole_number_belongs(self, recipe, field, value):
        assert "of type int" in self.refusal(recipe, field, value)

    @pytest.mark.parametrize("field", ["beta_1", "beta_2"])
    @pytest.mark.parametrize("value", [1, 1.5, -0.1])
    def test_a_decay_of_moments_that_never_forgets(self, recipe, field, value):
        assert "from 0 to below 1" in self.refusal(recipe, field, value)

    @pytest.mark.parametrize("field", NUMBERS)
    def test_a_number_too_large_for_a_computer(self, recipe, field):
        self.refusal(recipe, field, 10**400)

    @pytest.mark.parametrize("value", ["relu", "", "Normal", None, True, 0])
    def test_an_unknown_relu_gradient(self, recipe, value):
        self.refusal(recipe, "relu_gradient", value)

    def test_an_unknown_relu_gradient_gets_the_known_ones(self, recipe):
        assert "straight-through or normal was expected" in self.refusal(recipe, "relu_gradient", "identity")

    @pytest.mark.parametrize("value", ["white", "", None, True])
    def test_an_unknown_noise(self, recipe, value):
        self.refusal(recipe, "noise", value)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("noise_low", 0.7),
            ("noise_low", -0.1),
            ("noise_high", 0.4),
            ("noise_high", 1.1),
            ("lower_bound", 0.55),
            ("upper_bound", 0.55),
        ],
    )
    def test_noise_outside_the_bounds_or_upside_down(self, recipe, field, value):
        assert str(value) in self.refusal(recipe, field, value)
