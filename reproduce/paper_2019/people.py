"""What people recognised, as published and in experiments of one's own, beside what the network recognises itself."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tfmetamers.plotting.style import COLOURS, wrapped
from tfmetamers.published import find_published
from tfmetamers.reproduce.drawing import PAGE, Role, draw_line, name_ticks, new_figure, show_chance, show_proportions
from tfmetamers.reproduce.paper_2019.recognition import NATURAL, recognised
from tfmetamers.reproduce.results import Results
from tfmetamers.reproduce.statistics import Finding, judge_share, summarize

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

#: The table of published proportions.
TABLE = "recognition_2019"

#: Who recognises: people and networks as published, the networks of this run, and participants of one's own.
PEOPLE, PUBLISHED_NETWORK, OURS = "people (published)", "the network itself (published)", "the network itself"
PARTICIPANTS = "people"

ROLES = {
    PARTICIPANTS: Role(PARTICIPANTS, COLOURS["green"]),
    PEOPLE: Role(PEOPLE, COLOURS["vermilion"]),
    PUBLISHED_NETWORK: Role(PUBLISHED_NETWORK, COLOURS["grey"], "s"),
    OURS: Role(OURS, COLOURS["blue"], "D"),
}


def published_name(network: str) -> str:
    """Return the paper's network that a network stands for: ``word_aliased`` for ``small_word_aliased``."""
    return network.removeprefix("small_").split("@")[0]


def tabulate_people(results: Sequence[Results], figures: Sequence[str], task: str) -> "pandas.DataFrame":
    """Return how often people and networks recognise metamers, by network, layer and who.

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
    for network in dict.fromkeys(published["network"]):
        places = published_places(network)
        tables.append(tabulate_published(network))
        for each in results:
            tables += [
                _ours(each, name, network, places, task) for name in each.layers if published_name(name) == network
            ]
    return pandas.concat(tables, ignore_index=True)


def published_places(network: str) -> dict[str, int]:
    """Return the place of each published layer of one of the paper's networks, from -1; empty for other networks."""
    published = find_published(TABLE).read()
    layers = published.loc[published["network"] == network, "layer"]
    return {layer: place for place, layer in enumerate(layers, start=-1)}


def tabulate_published(network: str) -> "pandas.DataFrame":
    """Return what people and one of the paper's networks recognised, as published, in the rows of `tabulate_people`."""
    import pandas

    published, places = find_published(TABLE).read(), published_places(network)
    own = published[published["network"] == network]
    tables = []
    for who, column, error in ((PEOPLE, "people", "people_sem"), (PUBLISHED_NETWORK, "network_itself", None)):
        rows = own[own[column].notna()]
        tables.append(
            pandas.DataFrame(
                {"network": network, "layer": rows["layer"], "depth": rows["layer"].map(places), "who": who,
                 "value": rows[column], "sem": rows[error] if error else float("nan")}
            )
        )  # fmt: skip
    return pandas.concat(tables, ignore_index=True)


def _ours(results: Results, name: str, network: str, places: dict[str, int], task: str) -> "pandas.DataFrame":
    decisions = recognised(results, name, task)
    own = decisions[decisions["network"].isin(["", name]) & decisions["layer"].isin(places)]
    table = summarize(own, ["layer"], "correct")
    return table.assign(network=network, made_by=name, who=OURS, depth=table["layer"].map(places))


def draw_people(table: "pandas.DataFrame") -> "Figure":
    """Draw a panel for each network of the paper, with a line for each who."""
    networks = list(dict.fromkeys(table["network"]))
    figure = new_figure(PAGE if len(networks) > 1 else PAGE * 0.6, 2.9)
    panels = figure.subplots(1, len(networks), squeeze=False, sharey=True)[0]
    for axes, network in zip(panels, networks, strict=True):
        own = table[table["network"] == network].sort_values("depth", kind="stable")
        ticks = list(dict.fromkeys(own["layer"]))
        for who, role in ROLES.items():
            rows = own[own["who"] == who]
            if len(rows):
                draw_line(axes, rows, ticks, role, linestyle="-" if who in (PARTICIPANTS, OURS) else "--")
        if "chance" in own:
            show_chance(axes, own["chance"].max())
        name_ticks(axes, ticks)
        made_by = own["made_by"].dropna().unique()
        text = network if len(made_by) == 0 or list(made_by) == [network] else f"{network} (ours: {made_by[0]})"
        axes.set_title(wrapped(text, PAGE / len(networks) - 0.4))
    show_proportions(panels[0], "proportion correct")
    handles = {handle.get_label(): handle for axes in panels for handle in axes.get_legend_handles_labels()[0]}
    figure.legend(handles=list(handles.values()), loc="outside lower center", ncols=3)
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
        findings.append(judge_share(claim, right, int(rows["count"].sum()), is_large=True))
    return findings
