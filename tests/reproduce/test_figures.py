"""Every figure end to end: its table against numbers from the metamer folders, its points against its table."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from tfmetamers.metamers.folder import read_metamer, read_record
from tfmetamers.networks import load_network
from tfmetamers.published import find_published
from tfmetamers.reproduce.catalogue import find_reproduction, reproductions

WORD, OTHER_SEED, ALIASED = "small_word_reduced_aliasing", "small_word_reduced_aliasing_seed_1", "small_word_aliased"


def table_of(made) -> pd.DataFrame:
    return pd.read_csv(made.folder / "table.csv", keep_default_na=False, na_values=[""], float_precision="round_trip")


def folders(results, layer: str, network: str | None = None, **recipe):
    """Return the metamer folders of a layer, found by what their records say."""
    found = []
    for path in sorted(results.experiment.metamers.rglob("metamer.json")):
        record = read_record(path.parent)
        is_alike = all(getattr(record.recipe, key) == value for key, value in recipe.items())
        if record.layer.name == layer and record.network.name == (network or record.network.name) and is_alike:
            found.append(path.parent)
    assert found
    return found


def passed(folder) -> bool:
    return json.loads((folder / "verdict.json").read_text())["array"]["included"]


def right(judge, folder) -> bool:
    metamer = read_metamer(folder)
    return judge.predict(metamer.stimulus[None])[0].label == metamer.record.stimulus.label


def units(network, folder, layer: str) -> np.ndarray:
    """Return the activations of a layer for a natural stimulus and its metamer, a row each."""
    metamer = read_metamer(folder)
    pair = np.stack([metamer.original, metamer.stimulus])
    return network.activations_together([layer])(pair)[0].numpy().reshape(2, -1)


def correlation(network, folder, layer: str) -> float:
    return spearmanr(*units(network, folder, layer)).statistic


def points(axes) -> dict[str, list[float]]:
    """Return the heights of the points of each line with error bars, by the line's label."""
    return {each.get_label(): list(each.lines[0].get_ydata()) for each in axes.containers if hasattr(each, "lines")}


def heights(axes) -> list[float]:
    """Return the heights of all points with error bars, sorted."""
    return sorted(height for line in points(axes).values() for height in line)


def draw(name, made, table):
    return find_reproduction(name).draw(table, made.results).axes


class TestFigure6:
    @pytest.fixture
    def made(self, reproduce):
        return reproduce("figure-6")

    def test_the_table_is_what_the_judge_says_of_the_metamers(self, made):
        judge, table = load_network(WORD), table_of(made)
        metamers = table[table["network"].notna()]
        assert {(WORD, "all"), (OTHER_SEED, "all")} <= set(zip(metamers["network"], metamers["metamers"], strict=True))
        assert (metamers["metamers"] == "passed").any()
        for row in metamers.itertuples():
            shown = folders(made.results["sounds"], row.layer, row.network)
            shown = [folder for folder in shown if passed(folder) or row.metamers == "all"]
            answers = [right(judge, folder) for folder in shown]
            assert row.count == len(answers) and row.value == pytest.approx(np.mean(answers))

    def test_the_points_are_those_of_the_table(self, made):
        table = table_of(made).fillna({"network": ""})
        [axes] = draw("figure-6", made, table)
        of_networks = table[table["network"] != ""]
        natural = table[(table["network"] == "") & (table["metamers"] == "passed")]["value"].tolist()
        assert heights(axes) == sorted([*of_networks["value"], *natural * of_networks["network"].nunique()])

    def test_the_page_says_what_the_table_shows(self, made):
        page = (made.folder / "page.md").read_text()
        assert "Steps 40; the paper has 15,000" in page and "3 natural stimuli; the paper has 295" in page
        table = table_of(made)
        last = table[(table["metamers"] == "all") & (table["network"] == OTHER_SEED)].iloc[-1]
        assert f"{last['value']:.4g}" in page and made.folder.joinpath("figure.pdf").read_bytes().startswith(b"%PDF")
        assert "<script" not in (made.folder / "page.html").read_text()


@pytest.mark.parametrize("name", ["figure-2a", "figure-s2"])
def test_histograms_are_of_the_correlations_of_the_metamers(name, reproduce):
    made, network = reproduce(name), load_network(WORD)
    table = table_of(made)
    for (layer, compared), rows in table.groupby(["layer", "compared"]):
        found = [correlation(network, folder, compared) for folder in folders(made.results["sounds"], layer, WORD)]
        assert rows["median"].iloc[0] == pytest.approx(np.median(found), abs=1e-4)
        counts, _ = np.histogram(found, [*rows["from"], rows["to"].iloc[-1]])
        assert rows["metamers"].tolist() == pytest.approx((counts / len(found)).tolist())
    panel = draw(name, made, table)[0]
    first = table[(table["layer"] == table["layer"].iloc[0]) & (table["compared"] == table["compared"].iloc[0])]
    assert panel.patches[1].get_data().values.tolist() == first["metamers"].tolist()


@pytest.mark.slow
def test_units_of_figure_2b_are_those_of_the_layer(reproduce):
    made, network = reproduce("figure-2b"), load_network(ALIASED)
    table = table_of(made)
    for gradient, rows in table.groupby("gradient"):
        layer, stimulus = rows["layer"].iloc[0], rows["stimulus"].iloc[0]
        for folder in folders(made.results["gradients"], layer, ALIASED, relu_gradient=gradient):
            if read_record(folder).stimulus.id == stimulus:
                everything = units(network, folder, layer).T
        own = rows[rows["stimulus"] == stimulus][["original", "metamer"]].to_numpy()
        nearest = np.abs(own[:, None] - everything[None]).max(axis=2).min(axis=1)
        assert nearest.max() < 1e-3
    drawn = np.concatenate([axes.collections[0].get_offsets() for axes in draw("figure-2b", made, table)])
    assert len(drawn) == (table["stimulus"] == table["stimulus"].iloc[0]).sum()


@pytest.mark.slow
def test_figure_2c_has_the_mean_correlation_of_each_layer_and_gradient(reproduce):
    made, network = reproduce("figure-2c"), load_network(ALIASED)
    table = table_of(made)
    assert len(table) == 4
    for row in table.itertuples():
        own = folders(made.results["gradients"], row.layer, row.network, relu_gradient=row.gradient)
        found = [correlation(network, folder, row.layer) for folder in own]
        assert row.value == pytest.approx(np.mean(found), abs=1e-4) and row.count == len(found)
    [axes] = draw("figure-2c", made, table)
    assert heights(axes) == sorted(table["value"])


@pytest.mark.slow
@pytest.mark.parametrize("name, experiment", [("figure-3c", "aliased"), ("section-4.2", "speech")])
def test_likeness_is_measured_at_the_front_end(name, experiment, reproduce):
    made = reproduce(name)
    table = table_of(made)
    network = made.results[experiment].load(table["network"].iloc[0])
    for (layer, seen_at), rows in table.groupby(["layer", "seen_at"]):
        found = [correlation(network, folder, seen_at) for folder in folders(made.results[experiment], layer)]
        assert sorted(rows["correlation"]) == pytest.approx(sorted(found), abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["figure-3d", "figure-4"])
def test_published_points_are_redrawn_beside_the_networks_own(name, reproduce):
    made, judge = reproduce(name), load_network(ALIASED)
    table = table_of(made)
    ours = table[(table["made_by"] == ALIASED) & (table["layer"] != "natural")]
    for row in ours.itertuples():
        own = [folder for folder in folders(made.results["aliased"], row.layer, ALIASED) if passed(folder)]
        assert row.value == pytest.approx(np.mean([right(judge, folder) for folder in own]))
    published = find_published("recognition_2019").read()
    published = published[published["figure"].isin(["3d"] if name == "figure-3d" else ["3d", "4"])]
    people = table[table["who"] == "people (published)"]
    assert sorted(people["value"]) == sorted(published["people"].dropna())
    drawn = [height for axes in draw(name, made, table) for height in heights(axes)]
    assert sorted(drawn) == sorted(table["value"])


@pytest.mark.parametrize("name", ["figure-4-training", "figure-4-task"])
def test_networks_of_a_panel_recognise_their_own_metamers(name, reproduce):
    made = reproduce(name)
    table, published = table_of(made), find_published("recognition_2019").read()
    [ours] = set(table["made_by"].dropna())
    judge = load_network(ours)
    for row in table[(table["made_by"] == ours) & (table["layer"] != "natural")].itertuples():
        own = [folder for folder in folders(made.results["sounds"], row.layer, ours) if passed(folder)]
        assert row.value == pytest.approx(np.mean([right(judge, folder) for folder in own]))
    people = table[table["who"] == "people (published)"]
    assert sorted(people["value"]) == sorted(published[published["figure"] == "4"]["people"])
    assert "cannot be told" in made.output


@pytest.mark.slow
def test_figure_s9_is_what_a_network_of_another_seed_says(reproduce):
    made, judge = reproduce("figure-s9"), load_network(OTHER_SEED)
    table = table_of(made)
    assert set(table["optimized"]) <= {"stimulus", "cochleagram"} and len(table)
    for row in table[table["optimized"] == "stimulus"].itertuples():
        own = folders(made.results["cochleagram"], row.layer)
        own = [folder for folder in own if read_record(folder).domain.name != "cochleagram" and passed(folder)]
        assert row.value == pytest.approx(np.mean([right(judge, folder) for folder in own]))
    [axes] = draw("figure-s9", made, table)
    assert heights(axes) == sorted(table["value"])


def test_the_table_of_passed_counts_verdicts(reproduce):
    made = reproduce("table-s1.2")
    table = table_of(made)
    for row in table.itertuples():
        experiment = "aliased" if row.network == ALIASED else "sounds"
        own = folders(made.results[experiment], row.layer, row.network)
        verdicts = [json.loads((folder / "verdict.json").read_text())["array"] for folder in own]
        assert row.made == len(own) and row.passed == sum(each["included"] for each in verdicts)
        assert row.other_label == sum(not each["same_label"] for each in verdicts)
        assert row.not_above_null == sum(each["correlation"] <= each["null_maximum"] for each in verdicts)


def test_steps_with_hann_windows_alias_less(reproduce):
    table = table_of(reproduce("section-3.2"))
    shares = table[table["aliased"].notna()].set_index(["network", "layer"])["aliased"]
    # A strided convolution with a random kernel cannot tell frequencies apart.
    assert shares["word_aliased", "conv_0"] == pytest.approx(0.5, abs=0.1)
    # The power of a Hann window of 12 taps above 1/6 cycles a sample, relative to all, in both directions.
    assert shares["word_reduced_aliasing", "pool_0_0"] < 0.005


def test_training_ends_where_the_card_says(reproduce):
    made = reproduce("section-3.3")
    used = table_of(made).query("is_used")
    cards = {name: find_card(name) for name in used["network"].unique()}
    for row in used.itertuples():
        assert row.value == cards[row.network]["validation"][row.measure]


def find_card(name):
    from tfmetamers.networks.auditory.trained_folder import bundled_networks, read_trained

    return read_trained(bundled_networks()[name]).card


@pytest.mark.slow
def test_every_figure_of_sounds_is_made_here(reproduce):
    """All that can be made in --quick and takes no pictures, with a page each."""
    for each in reproductions():
        if (
            each.stimuli != "pictures"
            and not each.quick.unavailable
            and each.name not in ("figure-s3", "figure-s4", "figure-s5")
        ):
            made = reproduce(each.name)
            assert {"page.html", "page.md", "table.csv"} <= {path.name for path in made.folder.iterdir()}, each.name
