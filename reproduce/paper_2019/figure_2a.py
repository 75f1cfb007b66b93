"""Figure 2a: metamers of an early layer match late layers, too; metamers of a late layer do not match early ones."""

from tfmetamers.reproduce.drawing import styled
from tfmetamers.reproduce.paper_2019.histograms import draw_histograms, judge_layers, tabulate_histograms
from tfmetamers.reproduce.reproduction import Reproduction, Setting


class Figure2a(Reproduction):
    """Histograms of correlation at an early and a late layer, for metamers of either."""

    name = "figure-2a"
    section = "3.1"
    title = "Correlation of metamers with their natural stimuli at an early and at a late layer"
    claim = (
        "metamers of an early layer match it, and all later layers; metamers of a late layer match that layer, and "
        "earlier layers no better than chance."
    )
    caption = (
        "Each row: metamers of one layer; each column: the layer at which they are compared. Blue: metamers and their "
        "natural stimuli. Red: pairs of natural stimuli."
    )
    experiments = ("sounds",)
    stimuli = "sounds"
    quick = Setting("nothing more", "8 minutes")
    full = Setting("word_reduced_aliasing, recordings of the 295 words", "400 days")

    def tabulate(self, results):
        network, layers = next(iter(results["sounds"].layers.items()))
        ends = (layers[0], layers[-1])
        return tabulate_histograms(results["sounds"], network, [(made, seen) for made in ends for seen in ends])

    @styled
    def draw(self, table, results):
        return draw_histograms(table, columns=2)

    def judge(self, table, results):
        early, late = table["layer"].iloc[0], table["layer"].iloc[-1]
        return [
            judge_layers(f"Metamers of {early} match it", table, early, early),
            judge_layers(f"Metamers of {late} match it", table, late, late),
            judge_layers(f"Metamers of {early} match {late}, too", table, early, late),
            judge_layers(f"Metamers of {late} do not match {early}", table, late, early, is_large=False),
        ]
