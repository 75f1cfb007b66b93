"""Parts that the figures of the papers have in common."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from tfmetamers.plotting.style import COLOURS, LINE_COLOURS, print_style

if TYPE_CHECKING:
    import pandas
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

#: Widths of a column and of a page, in inches.
COLUMN, PAGE = 3.4, 7.0


@dataclass(frozen=True)
class Role:
    """What a network, or a judge, is in a figure.

    Attributes:
        title: what the figure calls it.
        colour: its colour.
        marker: its marker.
    """

    title: str
    colour: str
    marker: str = "o"


def assign_roles(names: Sequence[str], known: Mapping[str, Role]) -> dict[str, Role]:
    """Return the role of each network: the known one, else one of its own name and a colour that is left."""
    used = {known[name].colour for name in names if name in known}
    left = [colour for colour in LINE_COLOURS if colour not in used] or list(LINE_COLOURS)
    others = [name for name in names if name not in known]
    return {name: known.get(name) or Role(name, left[others.index(name) % len(left)]) for name in names}


#: Has a function draw in the style of print.
styled = print_style()


@styled
def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure in the style of print, of a width and height in inches."""
    return Figure(figsize=(width, height), layout="constrained")


def draw_line(
    axes: "Axes", table: "pandas.DataFrame", ticks: Sequence[str], role: Role, column: str = "layer", **style
) -> None:
    """Draw means with their standard errors against layers, as a line with a label.

    Args:
        axes: where.
        table: rows with the columns `column`, ``value`` and ``sem``.
        ticks: all layers, from left to right.
        role: what the line is called and looks like.
        column: the column of the layers.
        style: further arguments of ``Axes.errorbar``.
    """
    table = table.sort_values(column, key=lambda names: names.map(ticks.index), kind="stable")
    axes.errorbar(
        [ticks.index(each) for each in table[column]],
        table["value"].to_numpy(float),
        yerr=np.nan_to_num(table["sem"].to_numpy(float)),
        **{"label": role.title, "color": role.colour, "marker": role.marker, **style},
    )


def name_ticks(axes: "Axes", ticks: Sequence[str]) -> None:
    """Name the places on the horizontal axis, slanted so that long names do not touch."""
    axes.set_xticks(range(len(ticks)), ticks, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_xlim(-0.4, len(ticks) - 0.6)


def show_chance(axes: "Axes", chance: float | None) -> None:
    """Draw a dashed line at chance; nothing where there is no chance level."""
    if chance is not None and not np.isnan(chance):
        axes.axhline(chance, color=COLOURS["grey"], linestyle="--", linewidth=0.8, label="chance")


def show_proportions(axes: "Axes", label: str) -> None:
    """Let the vertical axis go from 0 to 1."""
    axes.set(ylim=(-0.03, 1.03), ylabel=label)


def legend_handles(panels: Iterable["Axes"]) -> list["Artist"]:
    """Return what a legend of several panels names, once each."""
    handles = {handle.get_label(): handle for axes in panels for handle in axes.get_legend_handles_labels()[0]}
    return list(handles.values())
