"""Metamers on disk after a few steps, for tests of what comes after synthesis."""

from pathlib import Path

from tfmetamers.metamers.folder import find_metamers, read_record
from tfmetamers.recipes import find_recipe
from tfmetamers.synthesis.plan import plan_run
from tfmetamers.synthesis.request import metamer_specs
from tfmetamers.synthesis.runs import execute_run


def make_metamers(network, layers, stimuli, out, *, seed=0, recipe=None, **changes) -> list[Path]:
    """Make a metamer of each stimulus at each layer, of one step unless the changes of the recipe say otherwise.

    Args:
        network: the network.
        layers: names of layers.
        stimuli: as `tfmetamers.stimuli.collection.collect_stimuli` returns them.
        out: the output folder.
        seed: the seed of the noise.
        recipe: the name of a recipe; the network's own by default.
        changes: other values for fields of the recipe.

    Returns:
        The folders, layer by layer.
    """
    changed = find_recipe(recipe or network.recipe).replace(**{"steps": 1, **changes})
    specs = metamer_specs(network.spec, layers, stimuli, recipe=changed, own_recipe=network.recipe, seed=seed)
    return [job.folder for job, _ in execute_run(plan_run(specs, out, batch_size=len(stimuli)), network)]


def folder_of(out, layer, stimulus, seed=0) -> Path:
    """Return the folder of the one metamer that was made so."""
    wanted = layer, stimulus, seed
    records = {folder: read_record(folder) for folder in find_metamers(out)}
    [folder] = [folder for folder, each in records.items() if (each.layer.name, each.stimulus.id, each.seed) == wanted]
    return folder
