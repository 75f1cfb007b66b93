"""The figure of a model test: recognition by layer, over the published curves of people."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tfmetamers.model_test.curves import ITSELF, JUDGE, JUDGES, published_curves
from tfmetamers.plotting.style import COLOURS
from tfmetamers.reproduce.drawing import (
    PAGE,
    Role,
    draw_line,
    name_ticks,
    new_figure,
    show_chance,
    show_proportions,
    styled,
)
from tfmetamers.reproduce.recognition import ALL, NATURAL, PASSED

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

#: What each kind of observer looks like.
_ROLES = {
    ITSELF: Role(ITSELF, COLOURS["black"], "s"),
    JUDGES: Role("other networks, mean", COLOURS["blue"]),
    JUDGE: Role("other networks, each", COLOURS["sky"], ""),
}

CAPTION = (
    "Proportion of metamers recognised, by the layer that they were made at, with standard errors by bootstrap over "
    "stimuli. Filled: metamers that passed the inclusion test; open: all. Grey: people, in the published experiments, "
    "from natural stimuli to the last layer of each network; dashed: chance."
)


@styled
def draw_curves(curves: "pandas.DataFrame", layers: Sequence[str], domain: str) -> "Figure":
    """Draw recognition by layer.

    Args:
        curves: as `tfmetamers.model_test.curves.recognition_curves` returns them.
        layers: the layers, from the input to the output.
        domain: the name of the domain of the stimuli, for the published curves beside them.
    """
    ticks = [NATURAL, *layers]
    figure = new_figure(PAGE, 3.2)
    axes = figure.subplots()
    people = published_curves(domain)
    for place, (_, own) in enumerate(people.groupby(["paper", "network"], sort=False)):
        label = "people, published networks" if place == 0 else "_people"
        axes.plot(own["place"] * len(layers), own["value"], color="#cccccc", linewidth=0.7, zorder=0, label=label)
    several = curves.loc[curves["role"] == JUDGE, "observer"].nunique() > 1
    for role in ((JUDGE,) if several else ()) + (JUDGES, ITSELF):
        for place, (_, own) in enumerate(curves[curves["role"] == role].groupby("observer", sort=False)):
            _draw(axes, own, ticks, _ROLES[role], is_named=place == 0)
    main = curves[curves["role"] == (JUDGES if (curves["role"] == JUDGES).any() else ITSELF)]
    show_chance(axes, main["chance"].iloc[0] or None)
    show_proportions(axes, "proportion recognised")
    name_ticks(axes, ticks)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def _draw(axes, own: "pandas.DataFrame", ticks: Sequence[str], role: Role, *, is_named: bool) -> None:
    faint = {"linewidth": 0.8, "alpha": 0.7} if role.marker == "" else {}
    passed = own[own["metamers"] == PASSED].set_index("layer").reindex(ticks).reset_index()  # Gaps stay gaps.
    draw_line(axes, passed, ticks, role, **faint, **({} if is_named else {"label": f"_{role.title}"}))
    if role.marker:
        style = {"linestyle": ":", "markerfacecolor": "none", "alpha": 0.6}
        draw_line(axes, own[own["metamers"] == ALL], ticks, role, label=f"_all {role.title}", **style)
