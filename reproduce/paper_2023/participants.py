"""What people and networks recognised in the experiments of the paper, from the published tables."""

from functools import cache
from typing import TYPE_CHECKING

from tfmetamers.published import find_published

if TYPE_CHECKING:
    import pandas

#: What tables call the stage of natural stimuli.
NATURAL = "natural"

#: What the release calls the input of a model; in sound models the cochleagram, whose metamers people heard.
INPUT = "input_after_preproc"

#: The chance level of people: one of 16 categories, or of 793 words.
CHANCE = {"vision": 1 / 16, "audio": 1 / 793}


@cache
def participants() -> "pandas.DataFrame":
    """Return a row for each participant, model and stage, with the shares that were recognised."""
    return find_published("recognition_2023").read()


@cache
def titles() -> dict[str, str]:
    """Return what figures call each model."""
    table = find_published("models_2023").read()
    return dict(zip(table["model"], table["title"], strict=True))


def of_experiment(domain: str, experiment: int, *models: str) -> "pandas.DataFrame":
    """Return the rows of `participants` of some models of an experiment, or of all."""
    table = participants()
    own = table[(table["domain"] == domain) & (table["experiment"] == experiment)]
    return own[own["model"].isin(models)] if models else own


def pooled(models: "pandas.Series") -> "pandas.Series":
    """Return how often people recognised metamers of each model and stage, over all experiments with the model."""
    table = participants()
    return table[table["model"].isin(set(models))].groupby(["model", "stage"])["people"].mean()


@cache
def adversarial_accuracy() -> "pandas.DataFrame":
    """Return the accuracy of variants of AlexNet under attack, by norm, size of the perturbation and seed."""
    table = find_published("adversarial_accuracy_2023").read()
    return table.assign(accuracy=table["correct_of_1024"] / 1024)


def plain_stage(stage: str) -> str:
    """Return a stage without the gradient of its ReLU, which some of the release's tables have in its name."""
    return stage.removesuffix("_fake_relu").removesuffix("_fakerelu")


def stage_title(stage: str) -> str:
    """Return what figures call a stage."""
    return {INPUT: "cochleagram"}.get(stage, plain_stage(stage))
