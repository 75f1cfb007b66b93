"""Section 4.1: the grid in metamers of early layers of networks that stride as they convolve."""

from dataclasses import replace

import numpy as np
import pandas

from tfmetamers.metamers.folder import read_metamer
from tfmetamers.plotting.style import COLOURS, wrapped
from tfmetamers.reproduce.drawing import PAGE, Role, draw_line, legend_handles, name_ticks, new_figure, styled
from tfmetamers.reproduce.paper_2019.gridding import PERIODS, measure_gridding
from tfmetamers.reproduce.recognition import NATURAL, has_passed, is_trained, ticks_of
from tfmetamers.reproduce.reproduction import Reproduction, Setting
from tfmetamers.reproduce.statistics import CANNOT_BE_TOLD, FOUND, NOT_FOUND, Finding, compare, summarize

ROLES = {
    period: Role(f"period of {period} pixels", COLOURS[colour], marker)
    for period, colour, marker in zip(PERIODS, ("blue", "vermilion", "green"), "osD", strict=True)
}

#: The largest number of panels in a row.
MAX_COLUMNS = 3


class Section41(Reproduction):
    """Power at the periods of strides, in metamers and in natural pictures."""

    name = "section-4.1"
    section = "4.1"
    title = "Gridding in metamers of image networks, layer by layer"
    claim = (
        "metamers of early layers of Inception-V3 and ResNet-101-V2, which stride as they convolve, have a visible "
        "grid, plausibly due to aliasing; those of VGG-19 do not."
    )
    caption = (
        "Gridding: the power at the frequencies of a period against that of the frequencies around them, as a decimal "
        "logarithm (0: no more, 1: ten times as much); natural pictures are the floor. Standard errors by bootstrap "
        "over stimuli. Only metamers that passed the inclusion test, or all, of networks without a null distribution."
    )
    experiments = ("pictures",)
    stimuli = "pictures"
    quick = Setting("tfmetamers[pictures]", "8 minutes")
    full = Setting("three checkpoints, ImageNet", "100 days")

    def tabulate(self, results):
        measured = _measured(results["pictures"])
        return summarize(measured, ["network", "layer", "depth", "stride", "period"], "gridding")

    @styled
    def draw(self, table, results):
        networks = list(dict.fromkeys(table["network"]))
        columns = min(MAX_COLUMNS, len(networks))
        rows = -(-len(networks) // columns)
        figure = new_figure(PAGE, 2.3 * rows + 0.5)
        panels = figure.subplots(rows, columns, squeeze=False, sharey=True)
        for axes in panels.ravel()[len(networks) :]:
            axes.set_axis_off()
        for axes, network in zip(panels.flat, networks, strict=False):
            own = table[table["network"] == network]
            ticks = ticks_of(own)
            for period, role in ROLES.items():
                draw_line(axes, own[own["period"] == period], ticks, role)
            axes.axhline(0, color=COLOURS["grey"], linewidth=0.8, zorder=0)
            name_ticks(axes, ticks)
            axes.set_title(wrapped(network, PAGE / columns - 0.5))
        for axes in panels[:, 0]:
            axes.set_ylabel("gridding")
        figure.legend(handles=legend_handles(panels.flat), loc="outside lower center", ncols=len(PERIODS))
        return figure

    def judge(self, table, results):
        measured = _measured(results["pictures"])
        first = {
            network: own for network, own in measured[measured["depth"] == 0].groupby("network", sort=False)
            if is_trained(network)
        }  # fmt: skip
        natural = measured[measured["layer"] == NATURAL]
        findings = [_against_natural(own, natural[natural["network"] == network]) for network, own in first.items()]
        strides = {network: own["stride"].iloc[0] for network, own in first.items()}
        for network, stride in strides.items():
            for other in (name for name in strides if strides[name] == 1 < stride):
                claim = (
                    f"At a period of {stride} pixels, metamers of {network} have more of a grid than those of {other}"
                )
                both = (first[name][first[name]["period"] == stride] for name in (network, other))
                findings.append(compare(claim, *both, "gridding"))
        return findings


def _against_natural(metamers, natural) -> Finding:
    """Tell whether metamers of a first layer have a grid where its stride is above 1, and none where it is 1."""
    network, layer, stride = metamers[["network", "layer", "stride"]].iloc[0]
    period = max(stride, min(PERIODS))
    ours, floor = (each[each["period"] == period] for each in (metamers, natural))
    where = f"At a period of {period} pixels, metamers of {layer} of {network} (stride {stride})"
    has_stride = stride > 1
    claim = f"{where} have {'more' if has_stride else 'no more'} of a grid than natural pictures"
    found = compare(claim, ours, floor, "gridding")
    if has_stride or found.verdict == CANNOT_BE_TOLD:
        return found
    return replace(found, verdict={FOUND: NOT_FOUND, NOT_FOUND: FOUND}[found.verdict])


def _measured(results) -> pandas.DataFrame:
    """Return a row for each metamer, each natural picture as a network takes it, and each of `PERIODS`."""
    passed = results.metamers[has_passed(results, results.metamers)]
    rows = []
    for network, own in passed.groupby("network", sort=False):
        made = {each.Index: read_metamer(each.folder) for each in own.itertuples()}
        shown = [(NATURAL, -1, 1, name, made[first].original) for name, first in _firsts(own).items()]
        shown += [
            (each.layer, each.depth, _stride(made[each.Index]), each.stimulus, made[each.Index].stimulus)
            for each in own.itertuples()
        ]
        rows += [
            (network, *condition, period, measure_gridding(picture, period))
            for *condition, picture in shown
            for period in PERIODS
        ]
    columns = ["network", "layer", "depth", "stride", "stimulus", "period", "gridding"]
    return pandas.DataFrame(rows, columns=columns)


def _firsts(own: pandas.DataFrame) -> pandas.Series:
    """Return the index of the first metamer of each stimulus."""
    return own.reset_index().groupby("stimulus", sort=False)["index"].first()


def _stride(metamer) -> int:
    """Return how many pixels there are to a unit, to the nearest power of two; 0 for units without a place."""
    shape = metamer.record.layer.shape
    return 2 ** round(np.log2(metamer.stimulus.shape[0] / shape[0])) if len(shape) == 3 else 0
