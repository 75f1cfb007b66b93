"""Figure 5: what image networks recognise of each other's metamers, of 16 categories and of ImageNet's thousand."""

import pandas

from tfmetamers.networks.categories import CATEGORIES
from tfmetamers.plotting.style import wrapped
from tfmetamers.reproduce.drawing import (
    PAGE,
    draw_line,
    legend_handles,
    name_ticks,
    new_figure,
    show_chance,
    show_proportions,
    styled,
)
from tfmetamers.reproduce.paper_2019.roles import image_roles
from tfmetamers.reproduce.recognition import NATURAL, TASKS, chance, is_trained, recognised, ticks_of
from tfmetamers.reproduce.reproduction import Reproduction, Setting
from tfmetamers.reproduce.statistics import Finding, compare, judge_share, summarize

#: Why there is nothing of networks of another initialisation.
NEVER_PUBLISHED = (
    "The paper's networks that were trained from another initialisation were never published; their column is empty. "
    "Random weights do not stand in for them."
)

#: Width of that column, in layers.
EMPTY_WIDTH = 2.5


class Figure5(Reproduction):
    """Image networks' recognition of each other's metamers."""

    name = "figure-5"
    section = "4.4"
    title = "Image networks' recognition of their own metamers and of those of other networks"
    claim = (
        "networks recognise their own metamers, and those of other networks' early layers; they recognise fewer of "
        "other networks' late layers, even of a network that differs only in its initialisation."
    )
    caption = (
        "Above: a choice of 16 categories; below: all labels. Each column: metamers of one network, by the layer that "
        "they were made at, shown to all judges. Standard errors by bootstrap over stimuli. Only metamers that passed "
        "the inclusion test, or all, of networks without a null distribution."
    )
    experiments = ("pictures",)
    stimuli = "pictures"
    quick = Setting("tfmetamers[pictures]", "8 minutes", differences=(NEVER_PUBLISHED,))
    full = Setting("three checkpoints, ImageNet", "100 days", differences=(NEVER_PUBLISHED,))

    def tabulate(self, results):
        found = results["pictures"]
        tables = [
            summarize(recognised(found, judge, task), ["network", "layer", "depth"], "correct")
            .sort_values("depth", kind="stable")
            .assign(task=task, judge=judge)
            for task in TASKS
            for judge in found.judges
        ]
        columns = ["task", "judge", "network", "layer", "depth", "value", "low", "high", "sem", "stimuli", "count"]
        return pandas.concat(tables, ignore_index=True)[columns]

    @styled
    def draw(self, table, results):
        networks = [name for name in dict.fromkeys(table["network"]) if name]
        ticks = {name: ticks_of(table[table["network"].isin(["", name])]) for name in networks}
        roles = image_roles(list(dict.fromkeys(table["judge"])))
        chances = {"category": 1 / len(CATEGORIES), "label": chance(results["pictures"])}
        widths = [*map(len, ticks.values()), EMPTY_WIDTH]
        figure = new_figure(PAGE, 4.6)
        panels = figure.subplots(len(TASKS), len(widths), squeeze=False, sharey=True, width_ratios=widths)
        for (task, described), across in zip(TASKS.items(), panels, strict=True):
            for network, axes in zip(networks, across, strict=False):
                _draw_panel(axes, table[table["task"] == task], network, ticks[network], roles)
                show_chance(axes, chances[task])
            show_proportions(across[0], f"proportion correct,\n{described}")
        for network, axes, width in zip(networks, panels[0], widths, strict=False):
            axes.tick_params(labelbottom=False)
            axes.set_title(f"metamers of\n{wrapped(network, (PAGE - 0.6) * width / sum(widths))}")
        for axes in panels[:, -1]:
            axes.set_axis_off()
            axes.text(0.5, 0.5, wrapped("weights never published", 0.9), ha="center", va="center", fontsize=7)
        panels[0, -1].set_title("of another\ninitialisation")
        figure.legend(handles=legend_handles(panels.flat), loc="outside lower center", ncols=3, title="judge")
        return figure

    def judge(self, table, results):
        found = results["pictures"]
        return [finding for network in found.layers for finding in _judge(found, network)]


def _draw_panel(axes, table, network, ticks, roles) -> None:
    for judge, role in roles.items():
        own = table[(table["judge"] == judge) & table["network"].isin(["", network])]
        if len(own):
            draw_line(axes, own, ticks, role)
    name_ticks(axes, ticks)


def _judge(results, network: str) -> list[Finding]:
    """Tell what each trained judge recognises of the metamers of a network's first and last layer."""
    layers = results.layers[network]
    findings = []
    for judge in filter(is_trained, results.judges):
        for task, described in TASKS.items():
            decisions = recognised(results, judge, task).dropna(subset=["correct"])
            own = decisions[decisions["network"] == network]
            if judge == network:
                natural = decisions[(decisions["layer"] == NATURAL) & decisions["correct"].astype(bool)]
                known = own[own["stimulus"].isin(set(natural["stimulus"]))]
                claim = (
                    f"{judge} recognises its own metamers, of all layers and {described}, where it recognises the "
                    "natural picture"
                )
                findings.append(judge_share(claim, int(known["correct"].sum()), len(known), is_large=True))
            else:
                claim = f"Of {described}, {judge} recognises metamers of {network} more often at {layers[0]} than at "
                ends = (own[own["layer"] == layer] for layer in (layers[0], layers[-1]))
                findings.append(compare(claim + layers[-1], *ends, "correct"))
    return findings
