"""Figures of recognition."""

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tfmetamers.plotting.style import COLOURS, LINE_COLOURS, print_style, wrapped
from tfmetamers.recognition.summary import TASKS, RecognitionRow

_TITLES = {"label": "all labels", "category": "16 categories"}


@print_style()
def plot_recognition(rows: Sequence[RecognitionRow]) -> Figure:
    """Draw recognition against the layer at which metamers were made, in the form of the paper's Figures 5 and 6.

    There is a column of panels for each network that made metamers, and a row for each task. Natural stimuli come
    first, then the layers from the input to the output. Each judge is a line, with the standard error of each
    proportion; chance is a dashed line. A layer of which no metamer was shown is a gap.

    Args:
        rows: what `tfmetamers.recognition.summary.summarize_recognition` returns, at least one row.

    >>> from tfmetamers.recognition.summary import RecognitionRow
    >>> common = dict(judge="vgg_19", network="vgg_19", task="label", rule=None, failed=0, not_judged=0, left_out=0)
    >>> counts = dict(passed=8, shown=8, without_truth=0, decisions=8, stimuli=8, sem=0.1, chance=0.001)
    >>> proportions = {"natural": 1.0, "conv1_2": 0.875, "conv5_4": 0.5}
    >>> rows = [RecognitionRow(layer=layer, correct=value, **common, **counts) for layer, value in proportions.items()]
    >>> plot_recognition(rows).savefig("recognition.png")
    """
    tasks = [task for task in TASKS if any(row.task == task for row in rows)]
    networks = list(dict.fromkeys(row.network for row in rows))
    judges = list(dict.fromkeys(row.judge for row in rows))
    widths = [max(1.9, 0.32 * len({row.layer for row in rows if row.network == network})) for network in networks]
    height = 2.2 + max(0.0, 0.045 * max(len(row.layer) for row in rows) - 0.6)  # Slanted names take room.
    figure = Figure(figsize=(sum(widths) + 0.6, height * len(tasks) + 0.9), layout="constrained")
    panels = figure.subplots(
        len(tasks), len(networks), squeeze=False, sharey=True, gridspec_kw={"width_ratios": widths}
    )
    for task, across in zip(tasks, panels, strict=True):
        across[0].set_ylabel(f"proportion correct,\n{_TITLES[task]}")
        for network, axes in zip(networks, across, strict=True):
            _draw(axes, [row for row in rows if (row.task, row.network) == (task, network)], judges)
    for network, axes, width in zip(networks, panels[0], widths, strict=True):
        axes.set_title(f"metamers of\n{wrapped(network, width - 0.2)}")
    _add_legend(figure, panels.flat, judges)
    return figure


def _add_legend(figure: Figure, panels: Iterable[Axes], judges: Sequence[str]) -> None:
    """Name the judges below the panels, in as many columns as fit."""
    handles = {handle.get_label(): handle for axes in panels for handle in axes.get_legend_handles_labels()[0]}
    names = [name for name in (*judges, "chance") if name in handles]
    inches = 0.5 + 0.06 * max(map(len, names))
    columns = min(len(names), max(1, int(figure.get_figwidth() / inches)))
    listed = [handles[name] for name in names]
    figure.legend(handles=listed, loc="outside lower center", ncols=columns, title="judge")


def _draw(axes: Axes, rows: Sequence[RecognitionRow], judges: Sequence[str]) -> None:
    layers = list(dict.fromkeys(row.layer for row in rows))
    spread = np.linspace(-0.1, 0.1, len(judges)) if len(judges) > 1 else [0.0]
    for number, judge in enumerate(judges):
        own = [row for row in rows if row.judge == judge]
        if own:
            axes.errorbar(
                [layers.index(row.layer) + spread[number] for row in own],
                _numbers([row.correct for row in own]),
                yerr=np.nan_to_num(_numbers([row.sem for row in own])),
                label=judge,
                color=LINE_COLOURS[number % len(LINE_COLOURS)],
                marker="osD^v"[number % 5],
            )
    for chance in {row.chance for row in rows} - {None}:
        axes.axhline(chance, color=COLOURS["grey"], linestyle="--", linewidth=0.8, label="chance")
    axes.set_xticks(range(len(layers)), layers, rotation=45, ha="right", rotation_mode="anchor")
    axes.set(xlim=(-0.5, len(layers) - 0.5), ylim=(-0.03, 1.03))


def _numbers(values: Sequence[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], float)
