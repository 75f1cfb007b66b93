"""Figures of pictures end to end, of one tiny experiment: tables against metamer folders, points against tables."""

import json

import numpy as np
import pandas as pd
import pytest
import tomlkit
from click.testing import CliRunner
from scipy.stats import pearsonr

from tests.reproduce.test_figures import folders, points, table_of
from tfmetamers.cli.main import tfmetamers
from tfmetamers.errors import ResultError
from tfmetamers.experiments.experiment import Experiment
from tfmetamers.inclusion.verdict_file import read_verdict
from tfmetamers.metamers.folder import read_metamer
from tfmetamers.networks import load_network
from tfmetamers.networks.categories import decide
from tfmetamers.reproduce.catalogue import find_reproduction, published_experiments, reproductions
from tfmetamers.reproduce.experiments import experiment_text
from tfmetamers.reproduce.page import write_page
from tfmetamers.reproduce.paper_2019.gridding import measure_gridding
from tfmetamers.reproduce.results import Results

NETWORK, LAYERS = "efficientnet_lite0", ["stage_1", "head"]
COUNT, STEPS = 2, 2

#: Of the draw of photographs: with this one, the cat is among them, whose category is known.
SEED = 2

#: All figures of pictures that have a quick setting.
FIGURES = [each.name for each in reproductions() if each.stimuli == "pictures" and not each.quick.unavailable]


class Made:
    """The tiny experiment, and the figures that are made of it."""

    def __init__(self, folder, experiment):
        self.root, self.results = folder, {"pictures": Results(experiment)}

    def table(self, name: str) -> pd.DataFrame:
        """Make a figure, and return its table as it was written."""
        found, self.folder = find_reproduction(name), self.root / name
        self.page = write_page(found, "quick", self.results, published_experiments("2019"), self.folder, "a command")
        return table_of(self)

    def metamers(self, layer: str):
        """Return the metamers of a layer, found by their records."""
        return [read_metamer(folder) for folder in folders(self.results["pictures"], layer, NETWORK)]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The quick experiment of pictures with one network, two layers, two photographs and two steps, made by a user."""
    out = tmp_path_factory.mktemp("reproduction")
    document = tomlkit.parse(experiment_text("2019", "pictures", "quick"))
    document["networks"] = document["networks"][:1]
    document["networks"][0].update({"layers": LAYERS, "settings": {"steps": STEPS}})
    document["stimuli"].update({"count": COUNT, "seed": SEED})
    document["recognition"]["judges"] = [NETWORK, f"{NETWORK}:random:0"]
    file = out / "2019" / "quick" / "pictures.toml"
    file.parent.mkdir(parents=True)
    file.write_text(tomlkit.dumps(document))
    done = CliRunner().invoke(tfmetamers, ["reproduce", "figure-5", "--quick", "--output", str(out), "--shard", "1/1"])
    assert done.exit_code == 0, done.output
    assert (file.parent / "figure-5" / "page.html").is_file()
    return Made(file.parent, Experiment.recall(file))


@pytest.fixture(scope="module")
def network():
    return load_network(NETWORK)


def test_a_folder_of_another_figure_is_refused_before_anything_is_made(tmp_path):
    marker = tmp_path / "2019" / "quick" / "figure-3a" / "reproduction.json"
    marker.parent.mkdir(parents=True)
    marker.write_text(json.dumps({"reproduction": "2019/figure-5", "setting": "quick"}))
    done = CliRunner().invoke(tfmetamers, ["reproduce", "figure-3a", "--quick", "--output", str(tmp_path)])
    assert isinstance(done.exception, ResultError) and "figure-5" in str(done.exception)
    assert not (marker.parents[1] / "pictures").exists()


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_a_page(made, name):
    assert len(made.table(name))
    page = (made.folder / "page.md").read_text()
    assert "6 natural stimuli" not in page and "not known" in page and "No null distribution" in page
    assert all(finding.sentence in page for finding in made.page.findings)


def test_figure_5_is_what_the_network_says_of_its_metamers(made, network):
    table = made.table("figure-5")
    own = table[(table["judge"] == NETWORK) & (table["network"] == NETWORK)].set_index(["task", "layer"])
    assert set(own.index) == {(task, layer) for task in ("category", "label") for layer in LAYERS}
    for layer in LAYERS:
        right = {"label": [], "category": []}
        for metamer in made.metamers(layer):
            natural, other = network.logits(np.stack([metamer.original, metamer.stimulus])).numpy()
            known = metamer.record.stimulus.category
            right["category"].append(decide(other) == (known or decide(natural)))
            right["label"].append(np.argmax(other) == np.argmax(natural))
        for task, expected in right.items():
            assert (own.loc[(task, layer), "count"], own.loc[(task, layer), "value"]) == (COUNT, np.mean(expected))


def test_the_points_of_figure_5_are_those_of_its_table(made):
    table = made.table("figure-5").fillna({"network": ""})
    figure = find_reproduction("figure-5").draw(table, made.results)
    panels = [axes for axes in figure.axes if axes.axison]
    for task, axes in zip(("category", "label"), panels, strict=True):
        own = table[table["task"] == task]
        assert points(axes) == {judge: list(of_one["value"]) for judge, of_one in own.groupby("judge")}


def test_figure_3a_shows_the_metamers_whose_likeness_is_in_its_table(made):
    table = made.table("figure-3a")
    for layer in LAYERS:
        expected = [pearsonr(each.stimulus.ravel(), each.original.ravel()).statistic for each in made.metamers(layer)]
        assert sorted(table[table["layer"] == layer]["pixel_correlation"]) == pytest.approx(sorted(expected))
    figure = find_reproduction("figure-3a").draw(table, made.results)
    every = [each for layer in LAYERS for each in made.metamers(layer)]
    first = [each for each in every if each.record.stimulus.id == table["stimulus"][0]]
    drawn = [np.asarray(axes.images[0].get_array()) for axes in figure.axes]
    for shown, expected in zip(drawn, [first[0].original, *(each.stimulus for each in first)], strict=True):
        np.testing.assert_array_equal(shown, expected)


def test_figure_3b_has_the_published_points_and_the_network_itself(made):
    table = made.table("figure-3b")
    figure_5 = made.table("figure-5")
    own = figure_5[(figure_5["judge"] == NETWORK) & (figure_5["task"] == "category")]
    ours = table[table["made_by"] == NETWORK]
    assert dict(zip(ours["layer"], ours["value"], strict=True)) == dict(zip(own["layer"], own["value"], strict=True))
    figure = find_reproduction("figure-3b").draw(table, made.results)
    networks = list(dict.fromkeys(table["network"]))
    for name, axes in zip(networks, (axes for axes in figure.axes if axes.axison), strict=True):
        expected = {
            who: list(rows.sort_values("depth", kind="stable")["value"])
            for who, rows in table[table["network"] == name].groupby("who")
        }
        assert points(axes) == expected


def test_gridding_is_that_of_the_metamers_and_of_the_natural_pictures(made):
    table = made.table("section-4.1")
    assert set(table["layer"]) == {"natural", *LAYERS}
    for row in table.itertuples():
        metamers = made.metamers(LAYERS[0] if row.layer == "natural" else row.layer)
        pictures = [each.original if row.layer == "natural" else each.stimulus for each in metamers]
        assert row.value == pytest.approx(np.mean([measure_gridding(each, row.period) for each in pictures]))
    assert set(table[table["layer"] == "stage_1"]["stride"]) == {2}
    [axes] = find_reproduction("section-4.1").draw(table, made.results).axes
    expected = [list(of_one.sort_values("depth")["value"]) for _, of_one in table.groupby("period")]
    assert list(points(axes).values()) == expected


@pytest.mark.parametrize("name", ["figure-2a-pictures", "figure-s6"])
def test_histograms_are_of_the_verdicts(made, name):
    table = made.table(name)
    for (layer, compared), rows in table.groupby(["layer", "compared"]):
        verdicts = [
            json.loads((folder / "verdict.json").read_text())["layers"][compared]["correlation"]
            for folder in folders(made.results["pictures"], layer, NETWORK)
        ]
        assert rows["metamers"].sum() == pytest.approx(1.0)
        assert set(rows["count"]) == {COUNT} and rows["median"].iloc[0] == pytest.approx(np.median(verdicts))


def test_table_s4_counts_verdicts_and_tells_nothing_without_null_distributions(made):
    table = made.table("tables-s4-and-s5")
    verdicts = {layer: [read_verdict(folder) for folder in folders(made.results["pictures"], layer, NETWORK)]
                for layer in LAYERS}  # fmt: skip
    other = [sum(not each["array"]["same_label"] for each in verdicts[layer]) for layer in table["layer"]]
    assert list(table["made"]) == [COUNT] * len(LAYERS) and list(table["other_label"]) == other
    assert not table["passed"].any() and table["null_maximum"].isna().all()
    assert made.page.verdict == "cannot be told with so few"
