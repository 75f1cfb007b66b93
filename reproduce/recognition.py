"""Decisions of judges, as the figures of recognition use them."""

from typing import TYPE_CHECKING

from tfmetamers.reproduce.results import Results

if TYPE_CHECKING:
    import pandas

#: Which metamers a proportion is of, in tables and legends.
PASSED, ALL = "passed", "all"

#: What tables call the layer of natural stimuli.
NATURAL = "natural"

#: What a judge chooses from: the 16 categories, and all its labels.
TASKS = {"category": "16 categories", "label": "all labels"}


def recognised(
    results: Results, judge: str | None = None, task: str = "label", *, passed: bool = True
) -> "pandas.DataFrame":
    """Return a judge's decisions on natural stimuli and on metamers that passed the inclusion test, or on all.

    Args:
        results: the experiment.
        judge: the judge; by default the first of the experiment's file.
        task: ``label`` or ``category``.
        passed: whether to leave out metamers that did not pass.

    Returns:
        The rows of `Results.decisions`, with the column ``correct``: whether the answer was right or, where the right
        answer is not known, the judge's own answer to the natural stimulus.
    """
    decisions = results.decisions
    if not len(decisions):
        return decisions.assign(correct=[])
    decisions = decisions[decisions["judge"] == (judge or decisions["judge"].iloc[0])]
    counts = (decisions["layer"] == NATURAL) | has_passed(results, decisions) | (not passed)
    own = {"label": "agrees", "category": "same_category"}[task]
    correct = decisions[f"correct_{task}"].astype("boolean").fillna(decisions[own])
    return decisions.assign(correct=correct)[counts].reset_index(drop=True)


def has_passed(results: Results, table: "pandas.DataFrame") -> "pandas.Series":
    """Tell which metamers of a table passed the inclusion test; all, of a network without a null distribution.

    Args:
        results: the experiment.
        table: rows with the columns ``network`` and ``included``.
    """
    without_null = [network for network in results.layers if results.null(network) is None]
    return table["included"].astype("boolean").fillna(False).astype(bool) | table["network"].isin(without_null)


def is_trained(judge: str) -> bool:
    """Tell whether a judge, or a network, has weights that were trained."""
    return ":random:" not in judge


def ticks_of(table: "pandas.DataFrame") -> list[str]:
    """Return the layers of a table from the input to the output, natural stimuli first."""
    return list(dict.fromkeys(table.sort_values("depth", kind="stable")["layer"]))


def chance(results: Results) -> float | None:
    """Return the chance level of the first judge's labels; None where it is not known."""
    definition = results.experiment.definition
    outline = definition.judges[0].spec.network_family.outline(definition.judges[0].spec) if definition.judges else None
    return 1 / outline.classes if outline is not None and outline.classes else None
