"""What front ends make of a sound and of its metamers, one row for each network."""

from typing import TYPE_CHECKING

import numpy as np
import pandas

from tfmetamers.cochlea.figures import draw_front_end
from tfmetamers.metamers.folder import read_metamer
from tfmetamers.plotting.style import wrapped
from tfmetamers.reproduce.drawing import PAGE, new_figure
from tfmetamers.reproduce.results import Results
from tfmetamers.reproduce.statistics import Finding, compare

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: What these figures say nothing about.
NOBODY = "Nobody listened; likeness is measured as the correlation of the outputs of the front end."


def tabulate_heard(results: Results) -> "pandas.DataFrame":
    """Return how alike metamers and their natural sounds are at the front end, a row for each metamer.

    Returns:
        ``network``, ``layer``, ``depth``, ``stimulus``, ``seed``, ``included``, ``seen_at`` (the front end's layer) and
        ``correlation`` there, Spearman's.
    """
    found = results.correlations
    fronts = {name: results.front_end_layer(name) for name in results.layers}
    seen = found[found["compared"] == found["network"].map(fronts)]
    columns = ["network", "layer", "depth", "stimulus", "seed", "included", "compared", "correlation"]
    return seen[columns].rename(columns={"compared": "seen_at"}).reset_index(drop=True)


def draw_heard(results: Results) -> "Figure":
    """Draw the front end's outputs for the first sound and its metamers, one row for each network."""
    metamers = results.metamers
    word, seed = metamers[["stimulus", "seed"]].iloc[0]
    shown = metamers[(metamers["stimulus"] == word) & (metamers["seed"] == seed)]
    networks = list(dict.fromkeys(shown["network"]))
    columns = 1 + max(shown.groupby("network").size())
    figure = new_figure(PAGE, 1.7 * len(networks) + 0.2)
    rows = figure.subfigures(len(networks), squeeze=False)[:, 0]
    for row, network in zip(rows, networks, strict=True):
        own = shown[shown["network"] == network]
        made = [read_metamer(folder) for folder in own["folder"]]
        loaded = results.load(network)
        front_end = loaded.front_end("exact")
        sounds = np.stack([made[0].original, *(each.stimulus for each in made)])
        panels = row.subplots(1, columns, sharex=True, sharey=True)
        draw_front_end(panels[: len(sounds)], front_end(sounds).numpy(), front_end)
        for axes, title in zip(panels, (f'"{word}"', *own["layer"]), strict=False):
            axes.set_title(wrapped(title, PAGE / columns - 0.3))
            axes.label_outer()
        for axes in panels[len(sounds) :]:
            axes.set_axis_off()
        row.suptitle(network, fontsize=8)
    return figure


def judge_heard(table: "pandas.DataFrame") -> list[Finding]:
    """Tell, network by network, whether metamers of the first layer are more like the sound than those of the last."""
    findings = []
    for network, own in table.groupby("network", sort=False):
        early, late = (own[own["depth"] == depth] for depth in (own["depth"].min(), own["depth"].max()))
        names = [each["layer"].iloc[0] for each in (early, late)]
        claim = f"{network}: metamers of {names[0]} are more like the sound than those of {names[1]}"
        findings.append(compare(claim, early, late, "correlation"))
    return findings
