"""Figure 3a: a photograph and its metamers, layer by layer, a row for each network."""

import numpy as np

from tfmetamers.metamers.folder import read_metamer
from tfmetamers.plotting.style import wrapped
from tfmetamers.reproduce.drawing import PAGE, new_figure, styled
from tfmetamers.reproduce.reproduction import Reproduction, Setting
from tfmetamers.reproduce.statistics import compare

#: What this figure says nothing about.
NOBODY = "Nobody looked; likeness is measured as the correlation of pixels."


class Figure3a(Reproduction):
    """Metamers of one photograph."""

    name = "figure-3a"
    section = "4.1"
    title = "A photograph and its metamers, layer by layer and network by network"
    claim = "metamers of early layers look like the photograph; those of late layers do not."
    caption = (
        "The first photograph, and its metamers by the layer that they were made at. Those below which it says so did "
        "not pass the inclusion test."
    )
    experiments = ("pictures",)
    stimuli = "pictures"
    quick = Setting("tfmetamers[pictures]", "8 minutes", differences=(NOBODY,))
    full = Setting("three checkpoints, ImageNet", "100 days", differences=(NOBODY,))

    def tabulate(self, results):
        metamers = results["pictures"].metamers
        likeness = [_likeness(read_metamer(folder)) for folder in metamers["folder"]]
        columns = ["network", "layer", "depth", "stimulus", "seed", "included", "correlation"]
        return metamers[columns].assign(pixel_correlation=likeness)

    @styled
    def draw(self, table, results):
        metamers = results["pictures"].metamers
        own = metamers[metamers["stimulus"] == metamers["stimulus"].iloc[0]].drop_duplicates(["network", "layer"])
        rows = {network: list(of_one.itertuples()) for network, of_one in own.groupby("network", sort=False)}
        columns = 1 + max(map(len, rows.values()))
        width = PAGE / columns
        figure = new_figure(PAGE, (width + 0.35) * len(rows))
        panels = figure.subplots(len(rows), columns, squeeze=False)
        for axes in panels.flat:
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        for across, (network, found) in zip(panels, rows.items(), strict=True):
            made = [read_metamer(each.folder) for each in found]
            pictures = [made[0].original, *(each.stimulus for each in made)]
            titles = ["natural", *(each.layer for each in found)]
            for axes, picture, title in zip(across, pictures, titles, strict=False):
                axes.imshow(picture, interpolation="nearest", vmin=0, vmax=1)
                axes.set_title(wrapped(title, width, 7), fontsize=7)
            for axes, each in zip(across[1:], found, strict=False):
                if each.included is False:
                    axes.set_xlabel("did not pass", fontsize=7)
            across[0].set_ylabel(wrapped(network, width, 8))
        return figure

    def judge(self, table, results):
        findings = []
        for network, own in table.groupby("network", sort=False):
            early, late = (own[own["depth"] == depth] for depth in (own["depth"].min(), own["depth"].max()))
            names = [each["layer"].iloc[0] for each in (early, late)]
            claim = f"{network}: metamers of {names[0]} are more like the photograph than those of {names[1]}"
            findings.append(compare(claim, early, late, "pixel_correlation"))
        return findings


def _likeness(metamer) -> float:
    """Return Pearson's correlation of the values of all pixels of a metamer and of its natural picture."""
    return float(np.corrcoef(metamer.stimulus.ravel(), metamer.original.ravel())[0, 1])
