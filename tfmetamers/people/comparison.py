"""Participants' proportions beside the published ones: the table and the figure that the 2019 figures use."""

from typing import TYPE_CHECKING

import numpy as np

from tfmetamers.reproduce.drawing import styled
from tfmetamers.reproduce.paper_2019.people import (
    OURS,
    PARTICIPANTS,
    PEOPLE,
    draw_people,
    published_name,
    published_places,
    tabulate_published,
)

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure


def tabulate_participants(conditions: "pandas.DataFrame") -> "pandas.DataFrame":
    """Return participants' proportions, and the published ones of the same networks, as the 2019 figures have them.

    Args:
        conditions: what `tfmetamers.people.proportions.describe_conditions` or ``summarize_conditions`` returns; with
            a column ``network_itself``, that of the network is among the rows.

    Returns:
        The rows of `tfmetamers.reproduce.paper_2019.people.tabulate_people`, and ``chance`` where it is known. Layers
        of which nothing was published come between the published ones, in the network's order.
    """
    import pandas

    natural = conditions[conditions["network"] == ""]
    tables = []
    for made_by in dict.fromkeys(conditions.loc[conditions["network"] != "", "network"]):
        network = published_name(made_by)
        own = pandas.concat([natural, conditions[conditions["network"] == made_by]]).sort_values("place", kind="stable")
        places = published_places(network)
        own = own.assign(network=network, made_by=made_by, depth=_depths(list(own["layer"]), places))
        columns = {"low", "high", "stimuli", "chance"} & set(own.columns)
        own = own.rename(columns={"trials": "count"}) if "trials" in own else own
        kept = ["network", "made_by", "layer", "depth", *sorted(columns), *(["count"] if "count" in own else [])]
        tables.append(own[[*kept, "value", "sem"]].assign(who=PARTICIPANTS))
        if "network_itself" in own:
            tables.append(own[kept].assign(who=OURS, value=own["network_itself"], sem=np.nan))
        if places:
            tables.append(tabulate_published(network))
    return pandas.concat(tables, ignore_index=True)


def _depths(layers: list[str], places: dict[str, int]) -> list[float]:
    """Return places among the published layers: the published one, or one just after the layer before."""
    depths: list[float] = []
    for layer in layers:
        before = depths[-1] if depths else -2.0
        depths.append(float(places[layer]) if layer in places else before + 1 / (len(layers) + 1))
    return depths if places else list(map(float, range(-1, len(layers) - 1)))


@styled
def draw_participants(table: "pandas.DataFrame") -> "Figure":
    """Draw a panel for each network, by the function that draws the 2019 figures.

    Args:
        table: what `tabulate_participants` returns.
    """
    return draw_people(table)


def compare_with_published(table: "pandas.DataFrame") -> "pandas.DataFrame":
    """Return published proportions beside ours, network by network and layer by layer.

    Args:
        table: what `tabulate_participants` returns.

    Returns:
        ``network``, ``made_by``, ``layer``, ``published``, ``published_sem``, ``ours``, ``sem``, ``difference`` and
        ``within`` (at most twice the square root of the sum of both squared standard errors; missing where one is not
        known). Published points were measured in figures, to .01 or .02.
    """
    keys = ["network", "layer"]
    ours = table.loc[table["who"] == PARTICIPANTS, [*keys, "made_by", "value", "sem"]]
    published = table.loc[table["who"] == PEOPLE, [*keys, "value", "sem"]].drop_duplicates(keys)
    both = ours.merge(published, on=keys, suffixes=("", "_published")).rename(
        columns={"value": "ours", "value_published": "published", "sem_published": "published_sem"}
    )
    difference = both["ours"] - both["published"]
    spread = 2 * np.sqrt(both["sem"] ** 2 + both["published_sem"] ** 2)
    within = (difference.abs() <= spread).astype("boolean").where(spread.notna())
    columns = ["network", "made_by", "layer", "published", "published_sem", "ours", "sem", "difference", "within"]
    return both.assign(difference=difference, within=within)[columns]
