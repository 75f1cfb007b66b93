"""``tfmetamers evaluate``: what it says of metamers that failed."""

import pytest

from tests.metamers.examples import a_record
from tfmetamers.cli.evaluate import _advise
from tfmetamers.inclusion.evaluation import Judged
from tfmetamers.recipes import find_recipe


@pytest.mark.parametrize(
    ("included", "steps", "is_kept", "advice"),
    [
        (False, 5, True, "--extend continues from there"),
        (False, 5, False, "from noise again; with --keep-state"),
        (False, None, True, ""),
        (True, 5, True, ""),
        (None, 5, True, ""),
    ],
)
def test_of_metamers_that_failed_after_few_steps_it_is_said_how_to_give_them_more(
    tmp_path, capsys, included, steps, is_kept, advice
):
    recipe = find_recipe("feather2019-image")
    record = a_record().replace(recipe=recipe if steps is None else recipe.replace(steps=steps))
    if is_kept:
        (tmp_path / "state.npz").touch()
    _advise([Judged(tmp_path, record, {"included": included})])
    assert advice in (printed := capsys.readouterr().out)
    assert bool(advice) == bool(printed)
