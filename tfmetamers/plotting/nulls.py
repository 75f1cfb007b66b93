"""Histograms of null distributions."""

import math

import numpy as np
from matplotlib.figure import Figure

from tfmetamers.inclusion.null import NullDistribution
from tfmetamers.plotting.style import COLOURS, print_style, wrapped

#: The largest number of panels in a row.
MAX_COLUMNS = 4

#: Width of a panel, in inches.
WIDTH = 2.2


@print_style()
def plot_null(null: NullDistribution) -> Figure:
    """Draw a histogram of the coefficients at each layer, with the maximum marked.

    Panels share their horizontal axis, which ends at 1; the vertical axis is logarithmic, so that single pairs show.

    >>> import numpy as np
    >>> import tensorflow as tf
    >>> from tfmetamers.inclusion import NullDistribution
    >>> from tfmetamers.networks import from_function
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> null = NullDistribution.from_stimuli(network, np.random.default_rng(0).normal(size=(4, 6)), layers="tanh")
    >>> plot_null(null).savefig("null.png")
    """
    columns = min(MAX_COLUMNS, len(null.layers))
    rows = math.ceil(len(null.layers) / columns)
    width = WIDTH * columns
    figure = Figure(figsize=(width, 1.6 * rows + 0.8), layout="constrained")
    figure.suptitle(wrapped(f"Null distributions of {null.network_name}: {null.claim()}", width))
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    defined = {layer: null.coefficients(layer) for layer in null.layers}
    minimum = min((values.min() for values in defined.values() if len(values)), default=0.0)
    bins = np.linspace(min(math.floor(10 * minimum) / 10, 0.9), 1.0, 61)  # All coefficients may be 1.
    for axes, (layer, values) in zip(panels, defined.items(), strict=False):
        axes.set_title(wrapped(layer, WIDTH - 0.2))
        if len(values):
            axes.hist(values, bins, color=COLOURS["grey"])
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter("{x:,.0f}")  # Powers would be formulas, which names of layers are not.
            axes.axvline(values.max(), color=COLOURS["vermilion"], linewidth=1)
            has_room = 1.0 - values.max() > 0.25 * (bins[-1] - bins[0])
            axes.text(
                values.max(),
                0.96,
                f" {values.max():.3f} ",
                color=COLOURS["vermilion"],
                ha="left" if has_room else "right",
                va="top",
                transform=axes.get_xaxis_transform(),
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.5},
            )
        else:
            axes.text(0.5, 0.5, "no pair has a coefficient", ha="center", transform=axes.transAxes)
    for axes in panels[len(defined) :]:
        axes.set_axis_off()
    figure.supxlabel("Spearman's coefficient of a pair (red: the largest)", fontsize=8)
    figure.supylabel("pairs", fontsize=8)
    return figure
