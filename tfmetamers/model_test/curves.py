"""How recognisable a model's metamers are, layer by layer, and the published curves that this is held against."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas

from tfmetamers.published import find_published
from tfmetamers.reproduce.recognition import ALL, NATURAL, PASSED, recognised
from tfmetamers.reproduce.statistics import summarize

if TYPE_CHECKING:
    from tfmetamers.reproduce.results import Results

#: Who recognises, in tables: the model itself, each judge, and all judges together.
ITSELF, JUDGE, JUDGES = "the model itself", "judge", "mean of judges"

#: Columns of a curve, in this order.
COLUMNS = ["observer", "role", "task", "layer", "depth", "metamers", "value", "low", "high", "sem", "stimuli", "count",
           "chance"]  # fmt: skip


@dataclass(frozen=True)
class Departure:
    """Where recognition leaves the natural level.

    Attributes:
        observer: who recognises.
        natural: the proportion of natural stimuli that is recognised; None where none was shown.
        halfway: halfway between that and chance.
        layer: the first layer at which the proportion is below that; None where there is none.
        depth: the place of that layer, from 0 at the first.
        missing: the layers of which no metamer passed, so that they have no proportion.
    """

    observer: str
    natural: float | None
    halfway: float | None
    layer: str | None
    depth: int | None
    missing: tuple[str, ...]


def recognition_curves(results: "Results", chances: Sequence[Mapping[str, float | None]]) -> pandas.DataFrame:
    """Return how often a model's metamers are recognised by the model, by each judge, and by the judges together.

    Args:
        results: what the experiment of the test has made; the model itself is its first judge.
        chances: of each of its judges (`tfmetamers.recognition.judges.Judge.chances`).

    Returns:
        A row for each observer, layer (natural stimuli first) and set of metamers (those that passed the inclusion
        test, and all), with `COLUMNS`: the proportion and its interval by bootstrap over stimuli. The task is
        ``category``, one of 16, for judges that have these categories, else ``label``.
    """
    judges = results.judges
    if not len(results.decisions):
        return pandas.DataFrame(columns=COLUMNS)
    tasks = {judge: _task(results, judge) for judge in judges}
    guessed = {judge: by_task[tasks[judge]] or 0.0 for judge, by_task in zip(judges, chances, strict=True)}
    parts = []
    for shown in (PASSED, ALL):
        decisions = {judge: recognised(results, judge, tasks[judge], passed=shown == PASSED) for judge in judges}
        for place, judge in enumerate(judges):
            role = ITSELF if place == 0 else JUDGE
            parts.append(_curve(decisions[judge], judge, role, tasks[judge], shown, guessed[judge]))
        others = judges[1:]
        if others:
            together = pandas.concat([decisions[judge] for judge in others], ignore_index=True)
            task = " and ".join(dict.fromkeys(tasks[judge] for judge in others))
            chance = float(np.mean([guessed[judge] for judge in others]))
            parts.append(_curve(together, JUDGES, JUDGES, task, shown, chance))
    return pandas.concat(parts, ignore_index=True)[COLUMNS]


def find_departure(curves: pandas.DataFrame, observer: str, layers: list[str]) -> Departure:
    """Return where an observer's recognition of metamers that passed falls halfway from the natural level to chance.

    Args:
        curves: what `recognition_curves` returned.
        observer: who recognises.
        layers: the layers of the test, from the input to the output.
    """
    own = curves[(curves["observer"] == observer) & (curves["metamers"] == PASSED)].set_index("layer")
    missing = tuple(layer for layer in layers if layer not in own.index)
    if NATURAL not in own.index:
        return Departure(observer, None, None, None, None, missing)
    natural, chance = own.loc[NATURAL, ["value", "chance"]]
    halfway = (natural + chance) / 2
    for depth, layer in enumerate(layers):
        if layer in own.index and own.loc[layer, "value"] < halfway:
            return Departure(observer, float(natural), float(halfway), layer, depth, missing)
    return Departure(observer, float(natural), float(halfway), None, None, missing)


@cache
def published_curves(domain: str) -> pandas.DataFrame:
    """Return how often people recognised metamers of the networks of the 2019 and 2023 papers.

    Args:
        domain: ``image`` or ``sound``; other domains have none.

    Returns:
        A row for each network and layer, with ``paper``, ``network``, ``place`` (0 for natural stimuli, 1 for the last
        layer) and ``value``. Networks that were in several experiments have the mean over all participants.

    >>> curves = published_curves("sound")
    >>> curves.groupby("paper")["network"].nunique().to_dict()
    {'2019': 2, '2023': 18}
    """
    figures, kind = {"image": (("3b",), "vision"), "sound": (("3d", "4"), "audio")}.get(domain, ((), None))
    first = find_published("recognition_2019").read()
    first = first[first["figure"].isin(figures)].rename(columns={"people": "value"}).assign(paper="2019")
    second = find_published("recognition_2023").read()
    second = second[second["domain"] == kind].rename(columns={"model": "network", "stage": "layer"})
    second = second.groupby(["network", "layer"], sort=False, as_index=False)["people"].mean()
    second = second.rename(columns={"people": "value"}).assign(paper="2023")
    table = pandas.concat([first, second], ignore_index=True)[["paper", "network", "layer", "value"]]
    groups = table.groupby(["paper", "network"], sort=False)["layer"]
    # Only natural stimuli are at 0: networks of which none were shown begin at their first layer.
    place = groups.cumcount() + (groups.transform("first") != NATURAL)
    return table.assign(place=place / place.groupby([table["paper"], table["network"]]).transform("max"))


def _task(results: "Results", judge: str) -> str:
    """Return which of a judge's answers count: its category, if it has any."""
    own = results.decisions[results.decisions["judge"] == judge]
    return "category" if own["decision_category"].notna().any() else "label"


def _curve(
    decisions: pandas.DataFrame, observer: str, role: str, task: str, shown: str, chance: float
) -> pandas.DataFrame:
    table = summarize(decisions, ["layer", "depth"], "correct").sort_values("depth", kind="stable")
    return table.assign(observer=observer, role=role, task=task, metamers=shown, chance=chance)
