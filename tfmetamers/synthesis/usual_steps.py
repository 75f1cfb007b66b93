"""After how many steps metamers usually pass the inclusion test, where that was measured."""

import csv
from importlib import resources

from tfmetamers.recipes import Recipe, find_recipe


def usual_steps(network: str, layer: str, recipe: Recipe) -> int | None:
    """Return after how many steps nine in ten metamers of a layer pass; None where it is not known.

    Where fewer pass after all of the recipe's steps, it is their number.

    ``benchmarks/usual_steps.py`` measured it on the bundled networks, with a few words, their own recipes and their
    null distributions.

    Args:
        network: the network's name.
        layer: the layer's name.
        recipe: the recipe; another number of steps does not matter, other deviations do.
    """
    if set(recipe.deviations()) - {"steps"}:
        return None
    with resources.files(__package__).joinpath("usual_steps.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if (row["network"], row["layer"], row["recipe"]) == (network, layer, recipe.name):
                return int(row["steps"]) if row["steps"] else find_recipe(recipe.name).steps
    return None
