"""Recognition of metamers by people and by the network that they were made for, stage by stage (Figures 2 to 6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas

from tfmetamers.plotting.style import LINE_COLOURS, wrapped
from tfmetamers.published import find_published
from tfmetamers.reproduce.drawing import (
    PAGE,
    Role,
    draw_line,
    name_ticks,
    new_figure,
    show_chance,
    show_proportions,
    styled,
)
from tfmetamers.reproduce.paper_2023.analyses import PUBLISHED, compare_effects, published_rows
from tfmetamers.reproduce.paper_2023.participants import CHANCE, NATURAL, of_experiment, stage_title, titles
from tfmetamers.reproduce.reproduction import Reproduction, Setting
from tfmetamers.reproduce.statistics import ALPHA, FOUND, NOT_FOUND, SMALLEST_DIFFERENCE, Finding

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Who recognises, in tables.
PEOPLE, NETWORK = "people", "network_itself"

#: How many panels a row of a figure has.
_ACROSS = 3


@dataclass(frozen=True)
class Panel:
    """A panel of a figure: models of one experiment that share an axis.

    Attributes:
        domain: ``vision`` or ``audio``.
        experiment: the release's number of the experiment.
        models: the models, in the order of the legend.
    """

    domain: str
    experiment: int
    models: tuple[str, ...]


@dataclass(frozen=True)
class Claim:
    """What the paper says of two models of a panel: whether people recognise late metamers of the first more often.

    Attributes:
        panel: their panel.
        first: a model.
        second: the model that it is compared with.
        is_higher: whether people recognise those of the first more often; else as often.
    """

    panel: Panel
    first: str
    second: str
    is_higher: bool


class RecognitionCurves(Reproduction):
    """Recognition by people and by the network itself."""

    paper = "2023"
    caption = (
        "Proportion recognised, by the stage that metamers were made at. Solid: people, with standard errors over "
        "participants; dashed: the network itself, on what each participant was shown; grey: chance of people."
    )
    sources = f"Published: {find_published(PUBLISHED).source}; {find_published(PUBLISHED).reading}."
    digits = 8

    def __init__(
        self,
        name: str,
        title: str,
        claim: str,
        panels: Sequence[Panel],
        claims: Sequence[Claim] = (),
        differences: tuple[str, ...] = (),
    ):
        """Take a figure.

        Args:
            name: its name, such as ``figure-2c``.
            title: what it shows.
            claim: what the paper found.
            panels: its panels.
            claims: comparisons of two models; without any, late metamers of all should be unrecognisable.
            differences: how it differs from the paper.
        """
        self.name, self.title, self.claim = name, title, claim
        number, _, part = name.removeprefix("figure-").partition("-")
        figure = f"Extended Data Figure {number[2:]}" if number.startswith("ed") else f"Figure {number}"
        self.section = f"Results, {figure}" + (f" ({part})" if part else "")
        self.panels, self.claims = tuple(panels), tuple(claims)
        self.quick = self.full = Setting("nothing more", "seconds", differences=differences)

    def tabulate(self, results):
        return pandas.concat([_tabulate(panel) for panel in self.panels], ignore_index=True)

    @styled
    def draw(self, table, results):
        across = min(len(self.panels), _ACROSS)
        down = -(-len(self.panels) // across)
        figure = new_figure(PAGE, 2.9 * down)
        grid = figure.subplots(down, across, squeeze=False, sharey=True).ravel()
        for axes in grid[len(self.panels) :]:
            axes.set_axis_off()
        for axes, (_, own) in zip(grid, table.groupby("panel", sort=False), strict=False):
            draw_panel(axes, own, PAGE / across)
        for axes in grid[::across]:
            axes.set_ylabel("proportion recognised")
        return figure

    def compare(self, table):
        found = []
        for domain, experiment in dict.fromkeys((panel.domain, panel.experiment) for panel in self.panels):
            rows = published_rows(domain, experiment)
            shown = {model for panel in self.panels if panel.domain == domain for model in panel.models}
            own = rows[[set(models.split(";")) <= shown for models in rows["models"]]]
            found.append(compare_effects(own).assign(experiment=f"{domain} {experiment}"))
        return pandas.concat(found, ignore_index=True)

    def judge(self, table, results):
        if self.claims:
            return [_judge_claim(claim) for claim in self.claims]
        return [_judge_last(own) for _, own in table[table["who"] == PEOPLE].groupby(["panel", "model"], sort=False)]


def draw_panel(axes: "Axes", table: pandas.DataFrame, width: float) -> None:
    """Draw the lines of one panel, with a legend where it has several models.

    Args:
        axes: where.
        table: its rows of `RecognitionCurves.tabulate`.
        width: of the panel, in inches.
    """
    models = list(dict.fromkeys(table["model"]))
    shown = table.assign(stage=table.groupby("depth")["stage"].transform("first").map(stage_title))
    ticks = list(dict.fromkeys(shown["stage"]))
    for model, colour in zip(models, LINE_COLOURS, strict=False):
        own = shown[shown["model"] == model]
        people, network = (own[own["who"] == who] for who in (PEOPLE, NETWORK))
        draw_line(axes, people, ticks, Role(wrapped(titles()[model], width * 0.8), colour), column="stage")
        draw_line(axes, network.assign(sem=0), ticks, Role("_network", colour, ""), column="stage",
                  linestyle="--", linewidth=0.8)  # fmt: skip
    show_chance(axes, CHANCE[table["domain"].iloc[0]])
    show_proportions(axes, "")
    name_ticks(axes, ticks)
    if len(models) == 1:
        axes.set_title(titles()[models[0]])
    else:
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.4), fontsize=6)


def _tabulate(panel: Panel) -> pandas.DataFrame:
    """Return a row for each model, stage and who, with the standard error that the release draws."""
    tables = []
    for model in panel.models:
        own = of_experiment(panel.domain, panel.experiment, model)
        for who in (PEOPLE, NETWORK):
            groups = own.groupby("stage", sort=False)[who]
            values = groups.agg(value="mean", spread=lambda column: column.std(ddof=0), participants="count")
            values["sem"] = values.pop("spread") / np.sqrt(values["participants"])
            tables.append(values.reset_index().assign(model=model, who=who, depth=range(len(values))))
    table = pandas.concat(tables, ignore_index=True)
    name = f"{panel.domain} {panel.experiment}: {titles()[panel.models[0]]}"
    return table.assign(panel=name, domain=panel.domain)[
        ["panel", "domain", "model", "stage", "depth", "who", "value", "sem", "participants"]
    ]


def _judge_last(own: pandas.DataFrame) -> Finding:
    """Tell whether people recognise metamers of the last stage less than half as often as natural stimuli."""
    natural, last = own["value"].iloc[0], own["value"].iloc[-1]
    return Finding(
        FOUND if last < natural / 2 else NOT_FOUND,
        f"{titles()[own['model'].iloc[0]]}: people recognise {last:.3f} of the metamers of the last stage, and "
        f"{natural:.3f} of natural stimuli (chance {CHANCE[own['domain'].iloc[0]]:.3f}).",
    )


def _judge_claim(claim: Claim) -> Finding:
    """Compare two models at the second half of their stages, participant by participant."""
    from scipy.stats import ttest_rel

    first, second = (_late(claim.panel, model) for model in (claim.first, claim.second))
    difference = float((first - second).mean())
    test = ttest_rel(first, second, alternative="greater")
    is_higher = bool(test.pvalue < ALPHA) and (claim.is_higher or difference >= SMALLEST_DIFFERENCE)
    names = [titles()[model] for model in (claim.first, claim.second)]
    said = "more often than those" if claim.is_higher else f"no more often (by {SMALLEST_DIFFERENCE}) than those"
    return Finding(
        FOUND if is_higher == claim.is_higher else NOT_FOUND,
        f"People recognise metamers of late stages of {names[0]} {said} of {names[1]}: {first.mean():.3f} against "
        f"{second.mean():.3f} (t({len(first) - 1}) = {test.statistic:.2f}, one-sided p = {test.pvalue:.2g}).",
    )


def _late(panel: Panel, model: str) -> pandas.Series:
    """Return what each participant recognised at the second half of a model's stages."""
    own = of_experiment(panel.domain, panel.experiment, model)
    stages = [stage for stage in dict.fromkeys(own["stage"]) if stage != NATURAL]
    return own[own["stage"].isin(stages[len(stages) // 2 :])].groupby("participant")["people"].mean()
