"""Every figure end to end: its table against numbers from the metamer folders, its points against its table."""

import json

import numpy as np
import pandas as pd
import pytest

from tfmetamers.metamers.folder import read_metamer, read_record
from tfmetamers.networks import load_network
from tfmetamers.reproduce.catalogue import find_reproduction


def table_of(made) -> pd.DataFrame:
    return pd.read_csv(made.folder / "table.csv", keep_default_na=False, na_values=[""])


def folders(results, network: str, layer: str):
    """Return the metamer folders of a network and layer, found by what their records say."""
    records = {path.parent: read_record(path.parent) for path in results.experiment.metamers.rglob("metamer.json")}
    return sorted(
        folder for folder, record in records.items() if (record.network.name, record.layer.name) == (network, layer)
    )


def points(axes) -> dict[str, list[float]]:
    """Return the heights of the points of each line with error bars, by the line's label."""
    return {each.get_label(): list(each.lines[0].get_ydata()) for each in axes.containers if hasattr(each, "lines")}


class TestFigure6:
    @pytest.fixture
    def made(self, reproduce):
        return reproduce("figure-6")

    def test_the_table_is_what_the_judge_says_of_the_metamers_that_passed(self, made):
        judge = load_network("small_word_reduced_aliasing")
        table = table_of(made)
        metamers = table[table["network"].notna() & (table["metamers"] == "passed")]
        assert len(metamers) == len(metamers[["network", "layer"]].drop_duplicates()) > 0
        for row in metamers.itertuples():
            verdicts = {
                folder: json.loads((folder / "verdict.json").read_text())["array"]["included"]
                for folder in folders(made.results["sounds"], row.network, row.layer)
            }
            passed = [read_metamer(folder) for folder, included in verdicts.items() if included]
            right = [judge.predict(each.stimulus[None])[0].label == each.record.stimulus.label for each in passed]
            assert row.count == len(right) and row.value == pytest.approx(np.mean(right))

    def test_the_points_are_those_of_the_table(self, made):
        found, table = find_reproduction("figure-6"), table_of(made).fillna({"network": ""})
        [axes] = found.draw(table, made.results).axes
        of_networks = table[table["network"] != ""]
        natural = table[(table["network"] == "") & (table["metamers"] == "passed")]["value"].tolist()
        expected = [*of_networks["value"], *natural * of_networks["network"].nunique()]
        assert sorted(np.concatenate(list(points(axes).values()))) == sorted(expected)
