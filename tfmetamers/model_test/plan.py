"""The experiment of a model test, written from a few choices."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tomlkit

from tfmetamers.errors import ArgumentError
from tfmetamers.inclusion.null import NullDistribution
from tfmetamers.networks.auditory.trained_folder import NULL_FILE, bundled_networks
from tfmetamers.networks.families.base import NetworkOutline
from tfmetamers.networks.spec import PATHS, NetworkSpec
from tfmetamers.recipes import CRITERIA, Recipe, find_recipe
from tfmetamers.stimuli.collection import StimulusFile, collect_stimuli
from tfmetamers.stimuli.data_sets import find_data_set
from tfmetamers.synthesis.request import find_layers
from tfmetamers.utilities.words import counted

#: The papers whose recipes can be chosen, by their years; the default comes first.
RECIPES = ("2019", "2023")

#: The stimuli that come with the package, and those that its null distributions are made of, by domain.
STIMULI = {"image": "sample_photographs", "sound": "sample_words"}
NULL_STIMULI = {"sound": "sample_mixtures"}

#: What ``quick`` makes: so many layers, stimuli at most, and settings of the 2019 recipe, by domain.
QUICK_LAYERS, QUICK_STIMULI = 4, 8
QUICK_SETTINGS = {"image": {"steps": 400, "learning_rate": 0.01}, "sound": {"steps": 1200}}

#: Fewer pairs than these are no null distribution: the largest coefficient of so few says little.
FEWEST_PAIRS = 100

#: The pairs of the papers' null distributions.
PAIRS = 1_000_000

#: Metamers that advance together.
BATCH_SIZE = 4

#: Fields of a model that an experiment's file has beside its notation.
_MODEL_FIELDS = ("input_range", "logits", "input", "signature", "domain", "sampling_rate")


@dataclass(frozen=True)
class Choices:
    """What is chosen of a model test.

    Attributes:
        layers: names of layers; none for all or, with `quick`, for `QUICK_LAYERS` from the first to the last.
        stimuli: paths of natural stimuli; none for those that come with the package.
        null_stimuli: paths of the stimuli of the null distribution; none for those that come with the package or, where
            `stimuli` are given, these.
        fit: what is done with sounds of another length.
        recipe: the year of the paper whose recipe is used, one of `RECIPES`.
        judges: who is shown the metamers, besides the model itself; None for the default panel.
        steps: the number of steps; None for the recipe's or, with `quick`, those of `QUICK_SETTINGS`.
        count: how many stimuli are drawn; None for all or, with `quick`, `QUICK_STIMULI` at most.
        quick: whether to take few layers, stimuli and steps.

    Raises:
        ArgumentError: the recipe is none of `RECIPES`.
    """

    layers: Sequence[str] = ()
    stimuli: Sequence[str | os.PathLike] = ()
    null_stimuli: Sequence[str | os.PathLike] = ()
    fit: str | None = None
    recipe: str = RECIPES[0]
    judges: Sequence[NetworkSpec] | None = None
    steps: int | None = None
    count: int | None = None
    quick: bool = False

    def __post_init__(self):
        if self.recipe not in RECIPES:
            raise ArgumentError(f"The recipe is {self.recipe!r}; {' or '.join(RECIPES)} was expected.")


def natural_stimuli(choices: Choices, outline: NetworkOutline) -> list[StimulusFile]:
    """Return the natural stimuli that are chosen, before some are drawn.

    Raises:
        ArgumentError: none are given, and none of the model's kind come with the package.
        StimulusError: they cannot be found.
    """
    domain = outline.domain.of_natural_stimuli
    if choices.stimuli:
        return collect_stimuli(choices.stimuli, domain.suffixes)
    if domain.name not in STIMULI:
        raise ArgumentError(f"No {domain.name} stimuli come with the package; give some (--stimuli PATH).")
    return find_data_set(STIMULI[domain.name])


def chosen_recipe(choices: Choices, outline: NetworkOutline) -> Recipe:
    """Return the recipe with the settings that are chosen.

    With fewer steps than the 2023 recipe has, its steps are still halved seven times, after as many steps each.

    Raises:
        ArgumentError: the paper has no recipe for such stimuli, or the number of steps cannot be used.
    """
    recipe, domain = find_recipe(outline.recipe), outline.domain.of_natural_stimuli.name
    settings: dict[str, Any] = dict(QUICK_SETTINGS.get(domain, {})) if choices.quick else {}
    if choices.recipe == "2023":
        names = {"image": "feather2023-image", "sound": "feather2023-audio"}
        if domain not in names:
            raise ArgumentError(
                f"The 2023 paper has recipes for pictures and sounds, and {outline.name} takes "
                f"{outline.domain.describe()}; leave --recipe 2023 out."
            )
        settings.pop("learning_rate", None)
        front_end = {"front_end": "none"} if recipe.front_end == "none" else {}
        recipe = find_recipe(names[domain]).replace(**front_end)
    if choices.steps is not None:
        settings["steps"] = choices.steps
    if choices.recipe == "2023" and "steps" in settings:
        blocks = recipe.steps // recipe.decay_steps
        settings["decay_steps"] = max(1, settings["steps"] // blocks)
    return recipe.replace(**settings)


def chosen_layers(choices: Choices, outline: NetworkOutline, describe) -> list[str]:
    """Return the layers that metamers are made for.

    Args:
        choices: the choices.
        outline: of the model.
        describe: returns the model without its weights, for layers that are not among those with names.

    Raises:
        ArgumentError: a layer is unknown.
    """
    if choices.layers or not choices.quick:
        return find_layers(outline, list(choices.layers) or ["all"], describe)
    places = np.linspace(0, len(outline.layers) - 1, QUICK_LAYERS).round().astype(int)
    return [outline.layers[place] for place in dict.fromkeys(places.tolist())]


def experiment_text(
    model: NetworkSpec, outline: NetworkOutline, layers: Sequence[str], judges: Sequence[NetworkSpec], choices: Choices
) -> str:
    """Return the text of the experiment of a model test, for a file in the test's folder.

    The labels of the model are in ``labels.txt`` beside it, where they are not the model's own.

    Args:
        model: the model.
        outline: of the model.
        layers: names of the layers.
        judges: who is shown the metamers, besides the model.
        choices: the rest.

    Raises:
        ArgumentError: there are too few stimuli, or a setting cannot be used.
    """
    entry = _entry(model)
    document = tomlkit.document()
    document.add(tomlkit.comment(f"The metamer test of {model.title}."))
    document.add(tomlkit.nl())
    document["batch_size"] = BATCH_SIZE
    document["stimuli"] = _stimuli(choices, outline)
    document.add(tomlkit.nl())
    network = tomlkit.table()
    recipe = chosen_recipe(choices, outline)
    network.update({**entry, "layers": list(layers), "recipe": recipe.name})
    settings = tomlkit.inline_table()
    settings.update({field: used for field, (_, used) in recipe.deviations().items()})
    network["settings"] = settings
    document["networks"] = tomlkit.aot()
    document["networks"].append(network)
    null = _null(model, outline, choices, recipe)
    if null is not None:
        document["null"] = null
    document["recognition"] = {
        "judges": [_judge(entry), *(str(_located(judge)) for judge in judges)],
        "include_failed": True,
    }
    return tomlkit.dumps(document)


def _entry(spec: NetworkSpec) -> dict[str, Any]:
    """Return a network as an experiment's file has it."""
    fields = {field: getattr(spec, field) for field in _MODEL_FIELDS if getattr(spec, field) is not None}
    fields = {field: list(value) if isinstance(value, tuple) else value for field, value in fields.items()}
    labels = {} if spec.labels is None else {"labels": "labels.txt"}
    return {"network": str(_located(spec)), **fields, **labels}


def _judge(entry: dict[str, Any]) -> Any:
    if len(entry) == 1:
        return entry["network"]
    table = tomlkit.inline_table()
    table.update(entry)
    return table


def _located(spec: NetworkSpec) -> NetworkSpec:
    """Return a network with absolute paths, which mean the same in a file in another folder."""
    paths = {name: getattr(spec, name) for name in PATHS}
    return spec.replace(**{name: str(Path(path).absolute()) for name, path in paths.items() if path is not None})


def _stimuli(choices: Choices, outline: NetworkOutline) -> dict[str, Any]:
    table: dict[str, Any] = {}
    if choices.stimuli:
        table["inputs"] = [str(Path(path).absolute()) for path in choices.stimuli]
    else:
        table["data_set"] = STIMULI[outline.domain.of_natural_stimuli.name]
    found = len(natural_stimuli(choices, outline))
    if choices.count is not None and choices.count > found:
        raise ArgumentError(
            f"There are {counted(found, 'stimulus', 'stimuli')}, and {choices.count} were asked for; give a smaller "
            "number."
        )
    count = choices.count or (min(found, QUICK_STIMULI) if choices.quick else found)
    if count < found:
        table |= {"count": count, "seed": 0}
    fit = _fit(choices, outline)
    return table if fit is None else {**table, "fit": fit}


def _fit(choices: Choices, outline: NetworkOutline) -> str | None:
    """Return what is done with sounds of another length; the middle is taken of those that come with the package."""
    is_own = bool(choices.stimuli)
    return choices.fit or ("centre" if outline.domain.of_natural_stimuli.name == "sound" and not is_own else None)


def _null(model: NetworkSpec, outline: NetworkOutline, choices: Choices, recipe: Recipe) -> dict[str, Any] | None:
    """Return the table of the null distribution; None where a bundled one applies, or there are too few pairs."""
    domain = outline.domain.of_natural_stimuli
    fit = _fit(choices, outline)
    fitted = {} if fit is None else {"fit": fit}
    if _has_bundled_null(model, recipe) and not choices.null_stimuli:
        return None
    given = choices.null_stimuli or choices.stimuli
    if given:
        pairs = _pairs(len(collect_stimuli(given, domain.suffixes)))
        paths = [str(Path(path).absolute()) for path in given]
        return {"stimuli": paths, "pairs": pairs, **fitted} if pairs >= FEWEST_PAIRS else None
    if domain.name not in NULL_STIMULI:
        return None
    data_set = NULL_STIMULI[domain.name]
    return {"data_set": data_set, "pairs": _pairs(len(find_data_set(data_set))), **fitted}


def _has_bundled_null(model: NetworkSpec, recipe: Recipe) -> bool:
    """Tell whether a model is a bundled network whose null distribution has the measures of the recipe's test."""
    found = bundled_networks().items()
    folders = [folder for name, folder in found if NetworkSpec.parse(name).identity == model.identity]
    needed = set(CRITERIA[recipe.criterion].measures)
    return any(needed <= set(NullDistribution.load(folder / NULL_FILE).measures) for folder in folders)


def _pairs(count: int) -> int:
    """Return the number of pairs of so many stimuli, at most `PAIRS`."""
    return min(PAIRS, count * (count - 1) // 2)
