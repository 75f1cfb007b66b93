"""Figures of metamers."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from tfmetamers.recipes import Recipe
from tfmetamers.results import Metamer
from tfmetamers.stimuli.noise import initial_noise


def plot_metamers(metamers: Sequence[Metamer], title: str) -> Figure:
    """Draw the original, the noise that synthesis started from, each metamer, and how the losses fell.

    Args:
        metamers: metamers of one stimulus at several layers of one network.
        title: what they are metamers of.

    Returns:
        A figure with a picture for each, and the loss curves below, relative to the first loss.
    """
    figure = Figure(figsize=(2.6 * (len(metamers) + 2), 6.2), layout="constrained")
    figure.suptitle(title)
    grid = figure.add_gridspec(2, len(metamers) + 2, height_ratios=[3, 2.4])
    pictures = [("original", metamers[0].original), ("start", _start(metamers[0]))]
    pictures += [(_caption(metamer), metamer.stimulus) for metamer in metamers]
    for column, (caption, picture) in enumerate(pictures):
        axes = figure.add_subplot(grid[0, column])
        axes.imshow(picture)
        axes.set_title(caption, fontsize="medium")
        axes.set_axis_off()
    axes = figure.add_subplot(grid[1, :])
    for metamer in metamers:
        axes.semilogy(metamer.traced_steps, metamer.losses / metamer.losses[0], label=metamer.record["layer"]["name"])
    axes.set(xlabel="step", ylabel="loss / first loss")
    axes.grid(alpha=0.3)
    axes.legend(title="matched layer")
    return figure


def _start(metamer: Metamer) -> np.ndarray:
    record = metamer.record
    return initial_noise(Recipe(**record["recipe"]), metamer.original, record["layer"]["name"], record["seed"])


def _caption(metamer: Metamer) -> str:
    correlation = metamer.record["correlation"]
    matched = "correlation undefined" if correlation is None else f"correlation {correlation:.3f}"
    return f"metamer of {metamer.record['layer']['name']}\n{matched}"
