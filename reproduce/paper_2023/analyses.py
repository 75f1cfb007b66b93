"""The analyses of variance of the release: which design each F value is of, and on what table."""

import math
from collections.abc import Iterator

import numpy as np
import pandas

from tfmetamers.published import find_published
from tfmetamers.reproduce.paper_2023.participants import adversarial_accuracy, of_experiment
from tfmetamers.statistics import Effect, MixedDesign, RepeatedMeasures, arrange, arrange_groups

#: Kinds of analyses, and what each compares.
KINDS = {
    "observers": "a network with people",
    "models": "models with each other, for people",
    "stages": "stages, for people",
    "robustness": "networks with each other, under attack",
}

#: What the release of the paper printed.
PUBLISHED = "f_statistics_2023"

#: The columns that tell which analysis a row is of.
_ANALYSIS = ["kind", "domain", "experiment", "models", "norm", "levels"]


def analyses(published: pandas.DataFrame) -> Iterator[tuple[MixedDesign | RepeatedMeasures, pandas.DataFrame]]:
    """Give the design of each analysis, and the rows of its published effects.

    Args:
        published: rows of the published table.
    """
    for _, rows in published.groupby(_ANALYSIS, sort=False, dropna=False):
        yield _design(rows.iloc[0]), rows


def published_rows(domain: str, experiment: int) -> pandas.DataFrame:
    """Return what was published of the analyses of an experiment."""
    table = find_published(PUBLISHED).read()
    return table[(table["domain"] == domain) & (table["experiment"] == experiment)]


def compare_effects(published: pandas.DataFrame) -> pandas.DataFrame:
    """Return published F values beside ours, as the release rounds them."""
    rows = []
    for design, effects in analyses(published):
        for row in effects.itertuples():
            rows.append(
                {
                    "models": row.models.replace(";", ", "),
                    "norm": row.norm,
                    "effect": row.effect,
                    **difference(row.f, design.effects[row.effect]),
                }
            )
    table = pandas.DataFrame(rows)
    return table if table["norm"].notna().any() else table.drop(columns="norm")


def difference(published: float, effect: Effect) -> dict[str, float]:
    """Return a published F value, ours as the release prints it, and the difference."""
    decimals = printed_decimals(published)
    ours = round(effect.f, decimals)
    return {"published": published, "ours": ours, "difference": round(ours - published, decimals)}


def printed_decimals(f: float) -> int:
    """Return how many decimals the release prints of an F value: four and, below 1, five significant digits."""
    return 4 - min(0, math.floor(math.log10(f)))


def _design(row: pandas.Series) -> MixedDesign | RepeatedMeasures:
    models = row["models"].split(";")
    if row["kind"] == "robustness":
        accuracy = adversarial_accuracy()
        own = accuracy[(accuracy["norm"] == row["norm"]) & accuracy["model"].isin(models)]
        return MixedDesign(arrange_groups(own, "accuracy", "seed", "model", "eps"), "network", "eps")
    own = of_experiment(row["domain"], row["experiment"], *models)
    if row["kind"] == "models":
        # By place: the first stage of VOneAlexNet has a name of its own.
        places = own.groupby("model")["stage"].transform(lambda names: names.factorize()[0])
        table = arrange(own.assign(stage=places), "people", "participant", ["model", "stage"])
        return RepeatedMeasures(table, ["model", "stage"])
    # The release leaves out the last stage of some tables, as the degrees of freedom tell.
    tables = [arrange(own, who, "participant", ["stage"])[:, : row["levels"]] for who in ("people", "network_itself")]
    if row["kind"] == "stages":
        return RepeatedMeasures(tables[0], ["stage"])
    return MixedDesign(np.stack(tables), "observer", "stage")
