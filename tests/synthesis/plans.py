"""Plans of metamers at layers of a network, as the command line makes them."""

from tfmetamers.recipes import find_recipe
from tfmetamers.synthesis import metamer_specs, plan_run

RECIPE = find_recipe("feather2019-image").replace(steps=30)


def plan(network, stimuli, out, *, layers=("block",), recipe=RECIPE, seed=0, batch_size=1, fit=None, extend=False):
    """Plan metamers of stimuli at layers of a network that is loaded."""
    options = {"recipe": recipe, "own_recipe": network.recipe, "seed": seed, "fit": fit}
    return plan_run(metamer_specs(network.spec, layers, stimuli, **options), out, batch_size, extend=extend)


def ids(batches):
    """Return the ids of the stimuli of batches."""
    return [[job.spec.stimulus.id for job in batch] for batch in batches]
