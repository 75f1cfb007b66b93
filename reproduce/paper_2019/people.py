"""What people recognised, as published and in experiments of one's own, beside what the network itself recognises."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfmetamers.errors import ResultError, first_line
from tfmetamers.plotting.style import COLOURS, wrapped
from tfmetamers.published import find_published
from tfmetamers.reproduce.drawing import (
    PAGE,
    Role,
    draw_line,
    legend_handles,
    name_ticks,
    new_figure,
    show_chance,
    show_proportions,
    styled,
)
from tfmetamers.reproduce.paper_2019.roles import published_name
from tfmetamers.reproduce.recognition import NATURAL, recognised
from tfmetamers.reproduce.reproduction import Reproduction
from tfmetamers.reproduce.results import Results
from tfmetamers.reproduce.statistics import Finding, judge_share, summarize
from tfmetamers.utilities.words import counted

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

#: The table of published proportions, and the number of participants.
TABLE, PUBLISHED_PARTICIPANTS = "recognition_2019", 16

#: Who recognises: people and networks as published, and participants and networks of one's own.
PEOPLE, PUBLISHED_NETWORK = "people (published)", "the network itself (published)"
PARTICIPANTS, OURS = "people", "the network itself"

#: The largest number of panels in a row.
MAX_COLUMNS = 3

ROLES = {
    PARTICIPANTS: Role(PARTICIPANTS, COLOURS["green"]),
    PEOPLE: Role(PEOPLE, COLOURS["vermilion"]),
    PUBLISHED_NETWORK: Role(PUBLISHED_NETWORK, COLOURS["grey"], "s"),
    OURS: Role(OURS, COLOURS["blue"], "D"),
}

#: The file with participants' proportions in the folder that ``tfmetamers people analyse`` writes, and its columns.
CONDITIONS_FILE = "conditions.csv"
CONDITION_COLUMNS = ("network", "layer", "place", "participants", "value", "sem")


class RecognitionByPeople(Reproduction):
    """A figure of what people recognise, with participants of one's own where they are given (`add_people`)."""

    caption = "Proportion of metamers recognised, by the layer that they were made at; standard errors."
    sources = f"Published: {find_published(TABLE).source}; {find_published(TABLE).reading}."
    takes_people = True

    def differences(self, setting, people):
        """Return how people differ from the paper's, and the setting's own differences."""
        if people is None:
            asked = "Nobody was asked: what people recognised is redrawn from the paper."
        else:
            asked = (
                f"{counted(int(people['participants'].max()), 'participant')} of an experiment of one's own; the paper "
                f"has {PUBLISHED_PARTICIPANTS}, whose proportions are redrawn."
            )
        return (asked, *super().differences(setting, people))

    def add_people(self, table, people):
        """Return the table with what participants recognised of the networks that the figure has."""
        import pandas

        own = tabulate_participants(people)
        own = own[(own["who"] == PARTICIPANTS) & own["network"].isin(set(table["network"]))]
        return pandas.concat([table, own], ignore_index=True)

    @styled
    def draw(self, table, results):
        return draw_people(table)

    def compare(self, table):
        compared = compare_people(table)
        return compared if len(compared) else None

    def judge(self, table, results):
        return judge_itself(table)


def read_participants(folder: Path) -> "pandas.DataFrame":
    """Return participants' proportions from a folder that ``tfmetamers people analyse`` wrote.

    Returns:
        A row for each condition, with `CONDITION_COLUMNS` at least; natural stimuli have no network.

    Raises:
        ResultError: the folder has no such table, or a damaged one.
    """
    import pandas

    file = folder / CONDITIONS_FILE
    try:
        table = pandas.read_csv(file).fillna({"network": ""})
        missing = [column for column in CONDITION_COLUMNS if column not in table]
        if missing or not len(table):
            raise ValueError(f"it has no {', '.join(missing) or 'rows'}")
    except (OSError, ValueError) as error:
        raise ResultError(
            f"{file} cannot be used ({first_line(error)}); give the folder that 'tfmetamers people analyse' wrote."
        ) from error
    return table


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
    for network in dict.fromkeys(published["network"]):
        places = published_places(network)
        tables.append(tabulate_published(network))
        for each in results:
            tables += [
                _ours(each, name, network, places, task) for name in each.layers if published_name(name) == network
            ]
    return pandas.concat(tables, ignore_index=True)


def tabulate_networks(results: Results, networks: Sequence[str], task: str) -> "pandas.DataFrame":
    """Return how often networks recognise their own metamers, and what was published, in the rows of `tabulate_people`.

    Args:
        results: the experiment.
        networks: the paper's networks; of those of which nothing was published, all layers are shown.
        task: ``label`` or ``category``.
    """
    import pandas

    tables = []
    for network in networks:
        places = published_places(network)
        tables += [tabulate_published(network)] if places else []
        for name in results.layers:
            if published_name(name) == network:
                own = _ours(results, name, network, places, task) if places else tabulate_itself(results, name, task)
                tables.append(own.assign(network=network))
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


def tabulate_participants(conditions: "pandas.DataFrame") -> "pandas.DataFrame":
    """Return participants' proportions, and the published ones of the same networks, in the rows of `tabulate_people`.

    Args:
        conditions: a row for each condition, with `CONDITION_COLUMNS`; with a column ``network_itself``, what the
            network recognises is among the rows.

    Returns:
        The rows, and ``chance`` where it is known. Layers of which nothing was published come between the published
        ones, in the network's order.
    """
    import pandas

    natural, keys = conditions[conditions["network"] == ""], ["network", "made_by", "layer", "depth"]
    tables = []
    for made_by in dict.fromkeys(conditions.loc[conditions["network"] != "", "network"]):
        network = published_name(made_by)
        own = pandas.concat([natural, conditions[conditions["network"] == made_by]]).sort_values("place", kind="stable")
        places = published_places(network)
        own = own.assign(network=network, made_by=made_by, depth=_depths(list(own["layer"]), places))
        own = own.rename(columns={"trials": "count"})
        kept = [column for column in (*keys, "low", "high", "stimuli", "chance", "count") if column in own]
        tables.append(own[[*kept, "value", "sem"]].assign(who=PARTICIPANTS))
        if "network_itself" in own:
            tables.append(own[kept].assign(who=OURS, value=own["network_itself"], sem=np.nan))
        if places:
            tables.append(tabulate_published(network))
    return pandas.concat(tables, ignore_index=True)


def _depths(layers: list[str], places: dict[str, int]) -> list[float]:
    """Return places among the published layers: the published one, or one just after the layer before."""
    if not places:
        return list(map(float, range(-1, len(layers) - 1)))
    depths: list[float] = []
    for layer in layers:
        before = depths[-1] if depths else -2.0
        depths.append(float(places[layer]) if layer in places else before + 1 / (len(layers) + 1))
    return depths


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
                draw_line(axes, rows, ticks, role, linestyle="-" if who in (PARTICIPANTS, OURS) else "--")
        if "chance" in own:
            show_chance(axes, own["chance"].max())
        name_ticks(axes, ticks)
        made_by = own["made_by"].dropna().unique()
        text = network if len(made_by) == 0 or list(made_by) == [network] else f"{network} (ours: {made_by[0]})"
        axes.set_title(wrapped(text, PAGE / columns - 0.4))
    for axes in panels[:, 0]:
        show_proportions(axes, "proportion correct")
    figure.legend(handles=legend_handles(panels.flat), loc="outside lower center", ncols=3)
    return figure


def compare_people(table: "pandas.DataFrame") -> "pandas.DataFrame":
    """Return published proportions beside ours, of networks themselves and of people.

    Args:
        table: the rows of `tabulate_people` or `tabulate_participants`.

    Returns:
        ``network``, ``layer``, ``made_by``, ``who``, ``published``, ``ours``, ``difference`` and, of people, both
        standard errors and ``within``: whether the difference is at most twice the square root of the sum of their
        squares. Published points were measured in figures, to .01 or .02.
    """
    import pandas

    keys = ["network", "layer"]
    tables = []
    for who, by in ((PARTICIPANTS, PEOPLE), (OURS, PUBLISHED_NETWORK)):
        ours = table.loc[table["who"] == who, [*keys, "made_by", "value", "sem"]]
        published = table.loc[table["who"] == by, [*keys, "value", "sem"]].drop_duplicates(keys)
        tables.append(ours.merge(published, on=keys, suffixes=("", "_published")).assign(who=who))
    both = pandas.concat(tables, ignore_index=True).rename(
        columns={"value": "ours", "value_published": "published", "sem_published": "published_sem"}
    )
    difference = both["ours"] - both["published"]
    spread = 2 * np.sqrt(both["sem"] ** 2 + both["published_sem"] ** 2)
    within = (difference.abs() <= spread).astype("boolean").where(spread.notna())
    columns = [*keys, "made_by", "who", "published", "published_sem", "ours", "sem", "difference", "within"]
    return both.assign(difference=difference, within=within)[columns]


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
