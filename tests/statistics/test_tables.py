"""Tidy tables become arrays, and what is missing in them is named."""

import numpy as np
import pandas as pd
import pytest

from tfmetamers.errors import ArgumentError
from tfmetamers.statistics import arrange, arrange_groups


@pytest.fixture
def rows():
    """Two groups of three participants at two stages; values say where they belong."""
    return pd.DataFrame(
        [(group, participant, stage, 100 * place + 10 * participant + late)
         for place, group in enumerate(["people", "network"])
         for participant in (1, 2, 3)
         for late, stage in enumerate(["natural", "final"])],
        columns=["group", "participant", "stage", "value"],
    )  # fmt: skip


def test_values_are_put_where_they_belong_whatever_the_order_of_the_rows(rows):
    shuffled = pd.concat([rows.iloc[:1], rows.iloc[1:].sample(frac=1, random_state=0)])
    found = arrange_groups(rows, "value", "participant", "group", "stage")
    assert found.tolist() == [[[10, 11], [20, 21], [30, 31]], [[110, 111], [120, 121], [130, 131]]]
    groups = arrange_groups(shuffled, "value", "participant", "group", "stage")
    assert np.array_equal(np.sort(groups, axis=1), found)
    own = rows[rows["participant"] < 3]
    assert arrange(own, "value", "participant", ["group", "stage"])[1].tolist() == [[20, 21], [120, 121]]


@pytest.mark.parametrize(
    "change, match",
    [
        (lambda rows: rows.drop(index=3), "participant 2, stage final"),
        (lambda rows: rows.assign(value=rows["value"].where(rows["value"] != 21)), "participant 2, stage final"),
        (lambda rows: pd.concat([rows, rows.iloc[:1]]), "several.*participant 1, stage natural"),
        (lambda rows: rows[(rows["group"] == "people") | (rows["participant"] < 3)], "people has 3, network has 2"),
        (lambda rows: rows[(rows["group"] == "people") | (rows["stage"] == "final")], "network has no value.*natural"),
    ],
)
def test_incomplete_tables_are_refused(change, match, rows):
    with pytest.raises(ArgumentError, match=match):
        arrange_groups(change(rows), "value", "participant", "group", "stage")
