"""After how many steps metamers usually pass the inclusion test, where that was measured."""

import csv
from pathlib import Path

from tfmetamers.networks.spec import NetworkSpec
from tfmetamers.recipes import Recipe, find_recipe

#: What was measured.
TABLE = Path(__file__).with_name("usual_steps.csv")


def usual_steps(spec: NetworkSpec, layer: str, recipe: Recipe) -> int | None:
    """Return after how many steps nine in ten metamers of a layer pass; None where it is not known.

    Where fewer pass after all of the recipe's steps, it is their number.

    ``benchmarks/usual_steps.py`` measured it on the bundled networks, with a few words, their own recipes and their
    null distributions.

    Args:
        spec: the network; one with other weights than its own is not known.
        layer: the layer's name.
        recipe: the recipe; another number of steps does not matter, other deviations do.
    """
    if set(recipe.deviations()) - {"steps"}:
        return None
    with TABLE.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if (row["network"], row["layer"], row["recipe"]) == (spec.folder_name, layer, recipe.name):
                return int(row["steps"]) if row["steps"] else find_recipe(recipe.name).steps
    return None
