"""Figure 6: what the word network recognises of the metamers of networks with another seed, other tasks, or none."""

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
from tfmetamers.reproduce.paper_2019.recognition import NATURAL, chance, recognised, ticks_of
from tfmetamers.reproduce.paper_2019.roles import TASKS
from tfmetamers.reproduce.reproduction import Reproduction, Setting
from tfmetamers.reproduce.statistics import compare, summarize


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
        "errors by bootstrap over stimuli. Only metamers that passed the inclusion test."
    )
    experiments = ("sounds",)
    stimuli = "sounds"
    quick = Setting("nothing more", "8 minutes")
    full = Setting("word_reduced_aliasing, networks that you train, recordings of the 295 words", "400 days")

    def tabulate(self, results):
        decisions = recognised(results["sounds"])
        table = summarize(decisions, ["network", "layer", "depth"], "correct")
        return table.assign(judge=decisions["judge"].iloc[0] if len(decisions) else "")

    @styled
    def draw(self, table, results):
        ticks = ticks_of(table)
        figure = new_figure(COLUMN * 1.3, 2.6)
        axes = figure.subplots()
        networks = [name for name in dict.fromkeys(table["network"]) if name]
        natural = table[table["layer"] == NATURAL]
        for network, role in assign_roles(networks, TASKS).items():
            own = table[table["network"] == network]
            draw_line(axes, natural.merge(own, how="outer", sort=False) if len(natural) else own, ticks, role)
        show_chance(axes, chance(results["sounds"]))
        show_proportions(axes, "proportion correct")
        name_ticks(axes, ticks)
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), title="metamers of")
        return figure

    def judge(self, table, results):
        decisions = recognised(results["sounds"])
        late = decisions[decisions["depth"] == decisions["depth"].max()]
        networks = [name for name in dict.fromkeys(decisions["network"]) if name]
        by_title = {role.title: name for name, role in assign_roles(networks, TASKS).items()}
        claims = {
            ("Word, other seed", "Untrained"): "another seed above no training",
            ("Word, other seed", "AudioSet"): "another seed above the other task",
            ("Word and AudioSet", "AudioSet"): "both tasks above the other task",
            ("Word and AudioSet", "Untrained"): "both tasks above no training",
        }
        return [
            compare(
                f"At {', '.join(dict.fromkeys(late['layer']))}, {claim}",
                *(late[late["network"] == by_title[title]] for title in pair),
                "correct",
            )
            for pair, claim in claims.items()
            if set(pair) <= set(by_title)
        ]
