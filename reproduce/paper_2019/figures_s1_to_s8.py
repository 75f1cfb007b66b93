"""Figures S1 to S8: histograms of the correlation of metamers at their own layers, against null distributions."""

from tfmetamers.errors import ResultError
from tfmetamers.reproduce.drawing import styled
from tfmetamers.reproduce.paper_2019.histograms import MAX_COLUMNS, draw_histograms, judge_layers, tabulate_histograms
from tfmetamers.reproduce.paper_2019.roles import published_name
from tfmetamers.reproduce.reproduction import Reproduction, Setting


class HistogramsOfNetwork(Reproduction):
    """Histograms of metamers and of the null distribution, for every layer of one network."""

    section = "3.1"
    claim = "metamers correlate with their natural stimuli more than nearly all pairs of natural stimuli do."
    caption = "Each panel: a layer. Blue: metamers and their natural stimuli. Red: pairs of natural stimuli."

    def __init__(
        self,
        number: int,
        described: str,
        experiment: str,
        networks: tuple[str, ...],
        stimuli: str,
        quick: Setting,
        full: Setting,
    ):
        """Describe one of the figures.

        Args:
            number: its number in the supplement.
            described: the network, in words.
            experiment: the experiment that its metamers are of.
            networks: the paper's network, and others that stand for it in ``--quick``.
            stimuli: ``pictures`` or ``sounds``.
            quick: the setting of ``--quick``.
            full: the setting of ``--full``.
        """
        self.name, self.title = f"figure-s{number}", f"Correlation of metamers of {described}, layer by layer"
        self._described = described
        self.experiments, self._networks, self.stimuli = (experiment,), networks, stimuli
        self.quick, self.full = quick, full

    def tabulate(self, results):
        [found] = (results[name] for name in self.experiments)
        network = self._network(list(found.layers))
        return tabulate_histograms(found, network, [(layer, layer) for layer in found.layers[network]])

    def _network(self, names: list[str]) -> str:
        if len(names) == 1:  # Which was put in the place of the paper's.
            return names[0]
        for name in names:
            if published_name(name) in self._networks:
                return name
        raise ResultError(
            f"The experiment has {', '.join(names)}, and {self.name} shows {self._described}; add it to the "
            "experiment's file, or give --networks and another --output."
        )

    @styled
    def draw(self, table, results):
        return draw_histograms(table, min(MAX_COLUMNS, table["layer"].nunique()))

    def judge(self, table, results):
        layers = table["layer"].drop_duplicates()
        return [judge_layers(f"Metamers of {layer} match it", table, layer, layer) for layer in layers]
