"""Figure S9: metamers whose cochleagram was optimised in place of the waveform, shown to a network of another seed."""

from tfmetamers.networks.spec import STIMULUS
from tfmetamers.plotting.style import COLOURS
from tfmetamers.reproduce.drawing import (
    COLUMN,
    Role,
    draw_line,
    name_ticks,
    new_figure,
    show_chance,
    show_proportions,
    styled,
)
from tfmetamers.reproduce.recognition import NATURAL, chance, recognised, ticks_of
from tfmetamers.reproduce.reproduction import Reproduction, Setting
from tfmetamers.reproduce.statistics import compare, summarize
from tfmetamers.stimuli.domains import Cochleagrams

#: What was optimised, as specs of networks have it.
ROLES = {
    STIMULUS: Role("waveform optimised", COLOURS["blue"]),
    Cochleagrams.name: Role("cochleagram optimised", COLOURS["vermilion"], "s"),
}


class FigureS9(Reproduction):
    """Recognition, by a network of another seed, of metamers made by optimising the waveform or the cochleagram."""

    name = "figure-s9"
    section = "5"
    title = "A network of another seed, shown metamers whose waveform or whose cochleagram was optimised"
    claim = "metamers whose cochleagram was optimised are recognised less often by a network of another seed."
    caption = (
        "Proportion of metamers that the network of another seed recognises, by the layer that they were made at; "
        "standard errors by bootstrap over stimuli. Only metamers that passed the inclusion test."
    )
    experiments = ("cochleagram",)
    stimuli = "sounds"
    quick = Setting("nothing more", "5 minutes")
    full = Setting("word_reduced_aliasing, one of another seed that you train, the 295 words", "150 days")

    def tabulate(self, results):
        table = summarize(recognised(results["cochleagram"]), ["network", "optimized", "layer", "depth"], "correct")
        return table[table["layer"] != NATURAL].reset_index(drop=True)

    @styled
    def draw(self, table, results):
        figure = new_figure(COLUMN * 1.3, 2.5)
        axes = figure.subplots()
        ticks = ticks_of(table)
        for optimized, role in ROLES.items():
            draw_line(axes, table[table["optimized"] == optimized], ticks, role)
        show_chance(axes, chance(results["cochleagram"]))
        show_proportions(axes, "proportion correct")
        name_ticks(axes, ticks)
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        return figure

    def judge(self, table, results):
        decisions = recognised(results["cochleagram"])
        findings = []
        for layer in table["layer"].drop_duplicates():
            own = decisions[decisions["layer"] == layer]
            waveform, cochleagram = (own[own["optimized"] == optimized] for optimized in ROLES)
            claim = f"Metamers of {layer} are recognised more often where the waveform was optimised"
            findings.append(compare(claim, waveform, cochleagram, "correct"))
        return findings
