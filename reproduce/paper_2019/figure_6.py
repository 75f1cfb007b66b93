"""Figure 6: what the word network recognises of the metamers of networks with another seed, other tasks, or none."""

import dataclasses

import pandas

from tfmetamers.reproduce.drawing import (
    COLUMN,
    assign_roles,
    draw_line,
    name_ticks,
    new_figure,
    show_chance,
    show_proportions,
    styled,
)
from tfmetamers.reproduce.paper_2019.roles import TASKS
from tfmetamers.reproduce.recognition import ALL, NATURAL, PASSED, chance, recognised, ticks_of
from tfmetamers.reproduce.reproduction import Reproduction, Setting
from tfmetamers.reproduce.statistics import CANNOT_BE_TOLD, Finding, compare, summarize

#: What the paper says of pairs of networks, by their roles: metamers of the first are recognised more often.
CLAIMS = {
    ("Word, other seed", "Untrained"): "another seed above no training",
    ("Word, other seed", "Backgrounds alone"): "another seed above the other task",
    ("Both tasks", "Backgrounds alone"): "both tasks above the other task",
    ("Both tasks", "Untrained"): "both tasks above no training",
}


class Figure6(Reproduction):
    """The word network's recognition of metamers of other networks."""

    name = "figure-6"
    section = "4.5"
    title = "A word network's recognition of metamers of networks with another seed, another task, or no training"
    claim = (
        "metamers of a network that was trained from another seed are recognised best, those of a network of both "
        "tasks nearly as well; those of a network of the other task and of an untrained one are recognised poorly."
    )
    caption = (
        "Proportion of metamers that the word network recognises, by the layer that they were made at; standard "
        "errors by bootstrap over stimuli. Filled: metamers that passed the inclusion test; open: all."
    )
    experiments = ("sounds",)
    stimuli = "sounds"
    quick = Setting("nothing more", "8 minutes")
    full = Setting("word_reduced_aliasing, networks that you train, recordings of the 295 words", "400 days")

    def tabulate(self, results):
        tables = []
        for shown in (PASSED, ALL):
            decisions = recognised(results["sounds"], passed=shown == PASSED)
            table = summarize(decisions, ["network", "layer", "depth"], "correct")
            tables.append(table.assign(metamers=shown, judge=decisions["judge"].iloc[0] if len(decisions) else ""))
        return pandas.concat(tables, ignore_index=True)

    @styled
    def draw(self, table, results):
        ticks = ticks_of(table)
        figure = new_figure(COLUMN * 1.4, 2.8)
        axes = figure.subplots()
        natural = table[(table["layer"] == NATURAL) & (table["metamers"] == PASSED)]
        for network, role in assign_roles(list(results["sounds"].layers), TASKS).items():
            own = table[table["network"] == network]
            passed = pandas.concat([natural, own[own["metamers"] == PASSED]])
            draw_line(axes, passed, ticks, role)
            faint = {"label": f"_{role.title}", "linestyle": ":", "markerfacecolor": "none", "alpha": 0.6}
            draw_line(axes, own[own["metamers"] == ALL], ticks, role, **faint)
        show_chance(axes, chance(results["sounds"]))
        show_proportions(axes, "proportion correct")
        name_ticks(axes, ticks)
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), title="metamers of")
        return figure

    def judge(self, table, results):
        roles = assign_roles(list(results["sounds"].layers), TASKS)
        by_title = {role.title: name for name, role in roles.items()}
        findings = []
        for pair, claim in CLAIMS.items():
            if set(pair) <= set(by_title):
                findings += self._judge(results, claim, *(by_title[title] for title in pair))
        return findings

    @staticmethod
    def _judge(results, claim, *pair) -> list[Finding]:
        """Compare two networks at the last layer: metamers that passed and, where that cannot tell, all of them."""
        findings = []
        for shown in (PASSED, ALL):
            decisions = recognised(results["sounds"], passed=shown == PASSED)
            last = decisions[decisions["depth"] == results["sounds"].metamers["depth"].max()]
            remark = "" if shown == PASSED else ", whether metamers passed or not"
            conditions = (last[last["network"] == name] for name in pair)
            found = compare(f"At the last layer, {claim}{remark}", *conditions, "correct")
            findings.append(dataclasses.replace(found, is_decisive=shown == PASSED))
            if found.verdict != CANNOT_BE_TOLD:
                break
        return findings
