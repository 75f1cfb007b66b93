"""Correlation coefficients over models or stages, and the figures that show them."""

from typing import TYPE_CHECKING

import pandas

from tfmetamers.published import find_published

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What the release printed.
PUBLISHED = "correlations_2023"


def coefficients(first: "Sequence[float]", second: "Sequence[float]") -> dict[str, tuple[float, float]]:
    """Return the coefficients that the release prints, each with its probability under no relation."""
    from scipy.stats import kendalltau, pearsonr, spearmanr

    pearson = pearsonr(first, second)
    return {
        "Spearman rho": tuple(spearmanr(first, second)),
        "Pearson R2": (float(pearson.statistic) ** 2, float(pearson.pvalue)),
        "Kendall tau": tuple(kendalltau(first, second)),
    }


def compare_coefficients(table: pandas.DataFrame, figure: str, measure: str | None = None) -> pandas.DataFrame:
    """Return published coefficients of a figure beside ours.

    Args:
        table: rows with the columns ``x`` and ``y``.
        figure: the figure, as the published table calls it.
        measure: the column of what is measured, where the figure has several panels.

    Returns:
        ``measure`` (if there are several), ``statistic``, ``published``, ``of``, ``ours``, ``of_ours`` (how many models
        or stages), ``difference``.
    """
    published = find_published(PUBLISHED).read()
    rows = []
    for each in published[published["figure"] == figure].rename(columns={"count": "number"}).itertuples():
        own = table if measure is None else table[table[measure] == each.measure]
        ours, _ = coefficients(own["x"], own["y"])[each.statistic]
        rows.append(
            {
                **({"measure": each.measure} if measure else {}),
                "statistic": each.statistic,
                "published": each.published,
                "of": each.number,
                "ours": ours,
                "of_ours": len(own),
                "difference": ours - each.published,
            }
        )
    return pandas.DataFrame(rows)
