"""The drawings of the report: one small panel each, so that a page can lay them out for its width."""

import io
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from tfmetamers.report.media import Picture, data_uri

#: Width and height of a panel, in inches.
PANEL = (3.5, 2.6)

#: The largest number of points that a curve is drawn with.
MAX_POINTS = 300

#: Colour, marker and word by whether a metamer is included: they can be told apart without colour.
OUTCOMES = {True: ("#1a7f37", "o", "passed"), False: ("#c0182f", "x", "failed"), None: ("#57606a", "|", "not judged")}

#: Colours of many lines, and of their median.
MANY_COLOR, MEDIAN_COLOR = "#8c959f", "#000000"

_SETTINGS = {
    "svg.hashsalt": "tfmetamers",  # Without it, names inside the drawing are random.
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def draw_losses(
    curves: Sequence[tuple[np.ndarray, np.ndarray]], colors: Sequence[str] | None, minimum: float, maximum: float
) -> Picture:
    """Draw how the losses of metamers fell, on a logarithmic axis.

    Args:
        curves: for each metamer the numbers of steps, and the loss after each as a fraction of the first loss.
        colors: of the curves; None draws all of them in `MANY_COLOR`, and their median in `MEDIAN_COLOR`.
        minimum: the smallest loss on the axis, above 0.
        maximum: the largest.
    """
    with matplotlib.rc_context(_SETTINGS):
        figure, axes = _panel(xlabel="step", ylabel="loss / first loss")
        for (steps, losses), color in zip(curves, colors or [MANY_COLOR] * len(curves), strict=True):
            _draw_curve(axes, steps, losses, color=color, linewidth=1.2 if colors else 0.5)
        if colors is None:
            steps = curves[0][0]
            median = np.median([np.interp(steps, *curve) for curve in curves], axis=0)
            _draw_curve(axes, steps, median, color=MEDIAN_COLOR, linewidth=1.6)
        axes.set_yscale("log")
        axes.set_ylim(minimum / 1.1, 1.1 * maximum)
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}" if maximum / minimum < 10 else NullFormatter())
        axes.grid(alpha=0.3)
        return _as_picture(figure)


def _draw_curve(axes, steps: np.ndarray, losses: np.ndarray, **style) -> None:
    drawn = np.unique(np.linspace(0, len(losses) - 1, MAX_POINTS).round().astype(int))
    axes.plot(steps[drawn], losses[drawn], **style)


def draw_scatter(original: Sequence[float], metamer: Sequence[float]) -> Picture:
    """Draw activations of a metamer against those of its original, one dot per unit, with the line of equality."""
    with matplotlib.rc_context(_SETTINGS):
        figure, axes = _panel(xlabel="original", ylabel="metamer", size=(3.1, 2.9))
        both = np.concatenate([original, metamer])
        margin = 0.04 * (np.ptp(both) or 1.0)
        limits = both.min() - margin, both.max() + margin
        axes.plot(limits, limits, color="0.6", linewidth=0.8)
        axes.plot(original, metamer, ".", markersize=3, alpha=0.6, color="#0550ae", rasterized=True)
        axes.set(xlim=limits, ylim=limits, aspect="equal")
        axes.locator_params(nbins=5)
        return _as_picture(figure)


def draw_null(
    numbers: np.ndarray, found: Sequence[tuple[float, bool | None]], ends: tuple[float, float], measure: str
) -> Picture:
    """Draw the histogram of a layer's null distribution, with metamers on it.

    Args:
        numbers: the measure of the null's pairs, at least one; counted on a logarithmic axis.
        found: the measure of each metamer, and whether it passed, None for one that was not judged.
        ends: of the axis.
        measure: what the axis is called.
    """
    with matplotlib.rc_context(_SETTINGS):
        figure, axes = _panel(xlabel=measure, ylabel="pairs")
        axes.hist(numbers, np.linspace(*ends, 61), color="0.65")
        axes.set_yscale("log")
        axes.axvline(numbers.max(), color="black", linestyle=":", linewidth=1.2, label="null maximum")
        for outcome, (color, marker, word) in OUTCOMES.items():
            drawn = [value for value, each in found if each is outcome]
            if drawn:
                places = axes.get_xaxis_transform()
                axes.vlines(drawn, 0, 0.5, color=color, linewidth=0.8, alpha=0.7, transform=places)
                heights = [0.5] * len(drawn)
                axes.plot(drawn, heights, marker, color=color, transform=places, label=word, linestyle="none")
        axes.set_xlim(ends[0], ends[1] + 0.02 * (ends[1] - ends[0]))
        figure.legend(loc="outside upper center", ncols=3, fontsize="small", frameon=False, handletextpad=0.3)
        return _as_picture(figure)


def draw_across_layers(
    names: Sequence[str], lines: Mapping[str, Sequence[Sequence[float]]], null_maxima: Sequence[float]
) -> Picture:
    """Draw the correlations of metamers at every layer, one line per generating layer (paper, Figure 2a).

    Args:
        names: of the layers that are compared, in the order of the network.
        lines: by generating layer, for each of its metamers the correlation at each layer; NaN where undefined.
            Their median is drawn, and each of them thinly.
        null_maxima: at each layer; NaN where there is none.
    """
    with matplotlib.rc_context(_SETTINGS):
        width = max(4.5, 0.3 * len(names) + 1.2)
        figure, axes = _panel(xlabel="compared layer", ylabel="Spearman's correlation", size=(width, 3.8))
        places = np.arange(len(names))
        colors = matplotlib.colormaps["viridis"](np.linspace(0, 0.85, len(lines)))
        for place, ((layer, values), color) in enumerate(zip(lines.items(), colors, strict=True)):
            values = np.array(values, float)
            if len(values) > 1:
                axes.plot(places, values.T, color=color, linewidth=0.5, alpha=0.35)
            marker = "osv^D<>pP*hX"[place % 12]
            axes.plot(places, median_defined(values), marker=marker, markersize=4, color=color, label=layer)
        if not np.isnan(null_maxima).all():
            axes.plot(places, null_maxima, ".--", color="black", linewidth=1.2, label="null maximum")
        # Names of layers are not formulas, whatever signs are in them.
        axes.set_xticks(places, names, rotation=90 if len(names) > 5 else 0, parse_math=False)
        axes.grid(alpha=0.3)
        columns = max(1, int(width / 1.6))
        figure.legend(
            loc="outside upper left", ncols=columns, fontsize="small", frameon=False, title="generating layer"
        )
        return _as_picture(figure)


def median_defined(values: np.ndarray) -> np.ndarray:
    """Return the median of each column without its NaN, float (columns,); NaN where all of it is."""
    columns = [column[~np.isnan(column)] for column in values.T]
    return np.array([np.median(column) if len(column) else np.nan for column in columns])


def _panel(xlabel: str, ylabel: str, size: tuple[float, float] = PANEL):
    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.add_subplot(xlabel=xlabel, ylabel=ylabel)


def _as_picture(figure: Figure) -> Picture:
    """Return a figure as SVG, the same bytes for the same figure."""
    drawing = io.BytesIO()
    figure.savefig(drawing, format="svg", dpi=150, metadata={"Date": None})
    width, height = (72 * figure.get_size_inches()).round().astype(int)
    return Picture(data_uri(drawing.getvalue(), "image/svg+xml"), int(width), int(height))
