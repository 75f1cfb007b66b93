"""Figure 2a: metamers of an early layer match late layers, too; metamers of a late layer do not match early ones."""

from tfmetamers.reproduce.drawing import styled
from tfmetamers.reproduce.paper_2019.histograms import draw_histograms, judge_layers, tabulate_histograms
from tfmetamers.reproduce.reproduction import Reproduction, Setting


class Figure2a(Reproduction):
    """Histograms of correlation at an early and a late layer, for metamers of either, of an experiment's first network.

    The paper does not say whose layers its figure shows.
    """

    section = "3.1"
    claim = (
        "metamers of an early layer match it, and all later layers; metamers of a late layer match that layer, and "
        "earlier layers no better than chance."
    )
    caption = (
        "Each row: metamers of one layer; each column: the layer at which they are compared. Blue: metamers and their "
        "natural stimuli. Red: pairs of natural stimuli."
    )

    def __init__(self, name: str, kind: str, experiment: str, quick: Setting, full: Setting):
        """Describe the figure for one kind of network.

        Args:
            name: the figure's name.
            kind: ``pictures`` or ``sounds``.
            experiment: the experiment that its metamers are of.
            quick: the setting of ``--quick``.
            full: the setting of ``--full``.
        """
        self.name, self.stimuli, self.experiments = name, kind, (experiment,)
        self.title = f"Correlation of metamers of {kind} with natural ones at an early and at a late layer"
        self.quick, self.full = quick, full

    def tabulate(self, results):
        [found] = (results[name] for name in self.experiments)
        network, layers = next(iter(found.layers.items()))
        ends = (layers[0], layers[-1])
        return tabulate_histograms(found, network, [(made, seen) for made in ends for seen in ends])

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
