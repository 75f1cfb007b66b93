"""Histograms of the correlation of metamers with their natural stimuli, against null distributions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tfmetamers.plotting.style import COLOURS, wrapped
from tfmetamers.reproduce.drawing import PAGE, new_figure
from tfmetamers.reproduce.results import Results
from tfmetamers.reproduce.statistics import CANNOT_BE_TOLD, Finding, judge_share

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Edges of the bins, of Spearman's coefficient.
BINS = np.linspace(-1.0, 1.0, 81)

#: The largest number of panels in a row.
MAX_COLUMNS = 4


def tabulate_histograms(results: Results, network: str, pairs: Sequence[tuple[str, str]]) -> "pandas.DataFrame":
    """Return how the correlations of metamers lie beside the null distribution of the layer that is compared.

    Args:
        results: the experiment.
        network: the network.
        pairs: layers that metamers were made for, and layers that are compared.

    Returns:
        A row for each pair and each of `BINS`: ``network``, ``layer``, ``compared``, ``from``, ``to`` (the bin),
        ``metamers`` and ``null`` (shares of all, 0 to 1), and, the same in all rows of a pair, ``count`` (metamers),
        ``median``, ``smallest``, ``null_maximum``, ``above`` (how many metamers are above the null's maximum).
    """
    import pandas

    null = results.null(network)
    found = results.correlations
    rows = []
    for layer, compared in pairs:
        own = found[(found["network"] == network) & (found["layer"] == layer) & (found["compared"] == compared)]
        values = own["correlation"].dropna().to_numpy(float)
        if not len(values):
            continue
        coefficients = null.coefficients(compared) if null and compared in null.layers else np.array([])
        maximum = coefficients.max() if len(coefficients) else np.nan
        numbers = {
            "count": len(values),
            "median": np.median(values),
            "smallest": values.min(),
            "null_maximum": maximum,
            "above": int((values > maximum).sum()) if len(coefficients) else None,
        }
        shares = [_shares(values), _shares(coefficients)]
        for low, high, of_metamers, of_null in zip(BINS, BINS[1:], *shares, strict=False):
            rows.append(
                {"network": network, "layer": layer, "compared": compared, "from": low, "to": high,
                 "metamers": of_metamers, "null": of_null, **numbers}
            )  # fmt: skip
    return pandas.DataFrame(rows)


def _shares(values: np.ndarray) -> np.ndarray:
    counts, _ = np.histogram(values, BINS)
    return counts / max(1, len(values))


def draw_histograms(table: "pandas.DataFrame", columns: int) -> "Figure":
    """Draw a panel for each pair of layers: the null distribution in red, metamers in blue, as in the paper."""
    pairs = list(table[["layer", "compared"]].drop_duplicates().itertuples(index=False, name=None))
    rows = -(-len(pairs) // columns)
    figure = new_figure(min(PAGE, 1.9 * columns + 0.4), 1.45 * rows + 0.5)
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True).ravel()
    for axes, (layer, compared) in zip(panels, pairs, strict=False):
        own = table[(table["layer"] == layer) & (table["compared"] == compared)]
        _draw_panel(axes, own)
        text = f"metamers of {layer}" + ("" if layer == compared else f", seen at {compared}")
        axes.set_title(wrapped(text, 1.7))
    for axes in panels[len(pairs) :]:
        axes.set_axis_off()
    figure.supxlabel("Spearman correlation with the natural stimulus", fontsize=8)
    figure.supylabel("share", fontsize=8)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2)
    return figure


def _draw_panel(axes: "Axes", own: "pandas.DataFrame") -> None:
    edges = [*own["from"], own["to"].iloc[-1]]
    for column, colour, label in (("null", "vermilion", "pairs of natural stimuli"), ("metamers", "blue", "metamers")):
        if not own[column].any():  # There is no null distribution.
            continue
        axes.stairs(own[column], edges, fill=True, color=COLOURS[colour], alpha=0.6, label=label)
    axes.set_xlim(-1.02, 1.02)


def judge_layers(claim: str, table: "pandas.DataFrame", layer: str, compared: str, *, is_large: bool = True) -> Finding:
    """Tell whether nearly all, or hardly any, metamers of a layer are above all pairs of the null distribution.

    Args:
        claim: what the paper says.
        table: what `tabulate_histograms` returned.
        layer: the layer that the metamers were made for.
        compared: the layer at which they are compared.
        is_large: whether nearly all should be above.
    """
    own = table[(table["layer"] == layer) & (table["compared"] == compared)]
    if not len(own) or np.isnan(own["null_maximum"].iloc[0]):
        return Finding(CANNOT_BE_TOLD, f"{claim}: there are no metamers or no null distribution.")
    first = own.iloc[0]
    remark = f"median {first['median']:.3f}, the pairs' maximum {first['null_maximum']:.3f}"
    return judge_share(f"{claim}; above all pairs", int(first["above"]), int(first["count"]), is_large=is_large,
                       remark=remark)  # fmt: skip
