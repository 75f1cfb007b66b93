"""After how many steps metamers usually pass: of the network's own recipe, at layers that were measured."""

import csv

import pytest

from tfmetamers.networks.auditory.trained_folder import bundled_networks
from tfmetamers.networks.spec import NetworkSpec
from tfmetamers.recipes import find_recipe
from tfmetamers.synthesis import usual_steps as module
from tfmetamers.synthesis.usual_steps import usual_steps

MINE = NetworkSpec.parse("small_word_aliased")
RECIPE = find_recipe("feather2019-audio")


@pytest.fixture
def measured(tmp_path, monkeypatch):
    table = tmp_path / "usual_steps.csv"
    table.write_text(
        "network,weights,layer,recipe,words,steps\nsmall_word_aliased,ab,conv_0,feather2019-audio,5,2000\n"
        "small_word_aliased,ab,conv_1,feather2019-audio,5,\n"
    )
    monkeypatch.setattr(module, "TABLE", table)


def test_it_is_known_for_the_recipe_that_was_measured_with_any_number_of_steps(measured):
    assert usual_steps(MINE, "conv_0", RECIPE) == usual_steps(MINE, "conv_0", RECIPE.replace(steps=5)) == 2000
    assert usual_steps(MINE, "conv_0", RECIPE.replace(learning_rate=0.01)) is None
    assert (
        usual_steps(MINE, "conv_9", RECIPE)
        is usual_steps(NetworkSpec.parse("small_word_aliased:random:0"), "conv_0", RECIPE)
        is None
    )


def test_where_not_even_all_steps_suffice_it_is_all_of_them(measured):
    assert usual_steps(MINE, "conv_1", RECIPE.replace(steps=7)) == RECIPE.steps


def test_what_was_measured_is_of_bundled_networks_as_they_are():
    with module.TABLE.open() as stream:
        assert {row["network"] for row in csv.DictReader(stream)} <= set(bundled_networks())
