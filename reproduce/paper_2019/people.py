"""What people recognised, as published, beside what the network that made the metamers recognises itself."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tfmetamers.plotting.style import COLOURS, wrapped
from tfmetamers.published import find_published
from tfmetamers.reproduce.drawing import PAGE, Role, draw_line, legend_handles, name_ticks, new_figure, show_proportions
from tfmetamers.reproduce.paper_2019.recognition import NATURAL, recognised
from tfmetamers.reproduce.paper_2019.roles import published_name
from tfmetamers.reproduce.results import Results
from tfmetamers.reproduce.statistics import Finding, judge_share, summarize

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

#: The table of published proportions.
TABLE = "recognition_2019"

#: Who recognises: people and networks as published, and the networks of this run.
PEOPLE, PUBLISHED_NETWORK, OURS = "people (published)", "the network itself (published)", "the network itself"

#: The largest number of panels in a row.
MAX_COLUMNS = 3

ROLES = {
    PEOPLE: Role(PEOPLE, COLOURS["vermilion"]),
    PUBLISHED_NETWORK: Role(PUBLISHED_NETWORK, COLOURS["grey"], "s"),
    OURS: Role(OURS, COLOURS["blue"], "D"),
}


def tabulate_people(results: Sequence[Results], figures: Sequence[str], task: str) -> "pandas.DataFrame":
    """Return how often people and networks recognise metamers, by network, layer and observer.

    Args:
        results: experiments whose networks the figure has.
        figures: the paper's figures, as the published table calls them.
        task: ``label`` or ``category``, of which networks choose one.

    Returns:
        Rows with ``network`` (the paper's), ``made_by`` (ours), ``layer``, ``depth``, ``who``, ``value``, ``sem``,
        ``low``, ``high``, ``stimuli``, ``count``. The paper's layers come in its order; those of natural stimuli first.
    """
    import pandas

    published = find_published(TABLE).read()
    published = published[published["figure"].astype(str).isin(figures)]
    tables = []
    for network, own in published.groupby("network", sort=False):
        places = {layer: place for place, layer in enumerate(own["layer"], start=-1)}
        for who, column, error in ((PEOPLE, "people", "people_sem"), (PUBLISHED_NETWORK, "network_itself", None)):
            rows = own[own[column].notna()]
            tables.append(
                pandas.DataFrame(
                    {"network": network, "layer": rows["layer"], "depth": rows["layer"].map(places), "who": who,
                     "value": rows[column], "sem": rows[error] if error else float("nan")}
                )
            )  # fmt: skip
        for each in results:
            tables += [
                _ours(each, name, network, places, task) for name in each.layers if published_name(name) == network
            ]
    return pandas.concat(tables, ignore_index=True)


def _ours(results: Results, name: str, network: str, places: dict[str, int], task: str) -> "pandas.DataFrame":
    table = tabulate_itself(results, name, task)
    table = table[table["layer"].isin(places)]
    return table.assign(network=network, depth=table["layer"].map(places))


def tabulate_itself(results: Results, name: str, task: str) -> "pandas.DataFrame":
    """Return how often a network recognises its own metamers, as the rows of `tabulate_people`.

    Args:
        results: the experiment.
        name: the network, as the experiment calls it; no rows where it is not a judge.
        task: ``label`` or ``category``.
    """
    decisions = recognised(results, name, task)
    own = decisions[decisions["network"].isin(["", name])]
    table = summarize(own, ["layer", "depth"], "correct")
    return table.assign(network=name, made_by=name, who=OURS)


def draw_people(table: "pandas.DataFrame") -> "Figure":
    """Draw a panel for each network of the paper, with a line for each observer."""
    networks = list(dict.fromkeys(table["network"]))
    columns = min(MAX_COLUMNS, len(networks))
    rows = -(-len(networks) // columns)
    figure = new_figure(PAGE if columns > 1 else PAGE * 0.6, 2.4 * rows + 0.5)
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for axes in panels.ravel()[len(networks) :]:
        axes.set_axis_off()
    for axes, network in zip(panels.flat, networks, strict=False):
        own = table[table["network"] == network].sort_values("depth", kind="stable")
        ticks = list(dict.fromkeys(own["layer"]))
        for who, role in ROLES.items():
            rows = own[own["who"] == who]
            if len(rows):
                draw_line(axes, rows, ticks, role, linestyle="-" if who == OURS else "--")
        name_ticks(axes, ticks)
        made_by = own["made_by"].dropna().unique()
        text = network if len(made_by) == 0 or list(made_by) == [network] else f"{network} (ours: {made_by[0]})"
        axes.set_title(wrapped(text, PAGE / columns - 0.4))
    for axes in panels[:, 0]:
        show_proportions(axes, "proportion correct")
    figure.legend(handles=legend_handles(panels.flat), loc="outside lower center", ncols=3)
    return figure


def compare_people(table: "pandas.DataFrame") -> "pandas.DataFrame | None":
    """Return the recognition of networks themselves, published and ours; None where we have none that was published."""
    keys = ["network", "layer"]
    ours = table[table["who"] == OURS][[*keys, "made_by", "value"]]
    published = table[table["who"] == PUBLISHED_NETWORK][[*keys, "value"]]
    both = published.merge(ours, on=keys, suffixes=("_published", "_ours"))
    if not len(both):
        return None
    both = both.rename(columns={"value_published": "published", "value_ours": "ours"})
    return both.assign(difference=both["ours"] - both["published"])[
        ["network", "made_by", "layer", "published", "ours", "difference"]
    ]


def judge_itself(table: "pandas.DataFrame") -> list[Finding]:
    """Tell, network by network, whether the network recognises its own metamers of all layers."""
    findings = []
    own = table[(table["who"] == OURS) & (table["layer"] != NATURAL)]
    for made_by, rows in own.groupby("made_by", sort=False):
        right = round((rows["value"] * rows["count"]).sum())
        claim = f"{made_by} recognises its own metamers, of all layers"
        shown, stimuli = int(rows["count"].sum()), int(rows["stimuli"].max())
        findings.append(judge_share(claim, right, shown, is_large=True, stimuli=stimuli))
    return findings
