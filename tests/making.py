"""Metamers on disk after a few steps, for tests of what comes after synthesis."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tfmetamers.inclusion.verdict_file import judged_files, write_verdict
from tfmetamers.metamers.folder import find_metamers, read_record
from tfmetamers.recipes import find_recipe
from tfmetamers.synthesis.plan import plan_run
from tfmetamers.synthesis.request import metamer_specs
from tfmetamers.synthesis.runs import execute_run
from tfmetamers.utilities.json_files import SEAL, sealed


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


def rewrite(folder: Path, change: Callable[[dict[str, Any]], Any] = lambda content: None) -> None:
    """Write the record of a metamer anew, as if it had been made with the files that are there now.

    Args:
        folder: the metamer's folder.
        change: changes what metamer.json holds.
    """
    path = folder / "metamer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["files"] = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in content["files"]}
    change(content)
    path.write_text(json.dumps(sealed({key: value for key, value in content.items() if key != SEAL})))


def give_verdict(folder: Path, included: bool | None, **further: Any) -> None:
    """Write a verdict that rests on the files that are there now, without having judged them.

    Args:
        folder: the metamer's folder.
        included: whether it passed.
        further: other values for parts of the verdict.
    """
    unknown = dict.fromkeys(("original_label", "metamer_label", "same_label", "correlation", "margin", "percentile"))
    part = {
        **unknown,
        "null_maximum": None,
        "pairs": None,
        "claim": "",
        "reasons": [],
        "warnings": [],
        "included": included,
    }
    files = judged_files(folder, read_record(folder))
    verdict = {
        "basis": {"files": files, "null": None, "without_null": None, "all_layers": False},
        "array": part,
        "saved": part,
        "pearson": None,
        "signal_to_noise_ratio": None,
        "place": None,
        "layers": None,
        "scatter": {"original": [], "metamer": []},
    }
    write_verdict(folder, {**verdict, **further})
