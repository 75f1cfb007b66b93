"""Published numbers are read from one place, and stand in no other."""

import re

import pandas as pd
import pytest
from click.testing import CliRunner

from tests.golden import GOLDEN, SHARED, needs_shared
from tests.scripts import load_script
from tfmetamers.errors import ArgumentError
from tfmetamers.networks.own.keras_stages import STAGES
from tfmetamers.published import find_published, published_tables
from tfmetamers.published.models import find_model, published_models

ROOT = GOLDEN.parents[1]


def test_each_table_has_a_source_and_numbers():
    for table in published_tables():
        assert table.source and table.reading and table.about
        assert find_published(table.name).read().select_dtypes("number").notna().any().all()


def test_layers_are_those_of_the_networks_here():
    from tfmetamers.networks import NetworkSpec

    recognition = find_published("recognition_2019").read()
    for network, rows in recognition.groupby("network"):
        spec = NetworkSpec.parse(network)
        outline = spec.network_family.outline(spec)
        if outline is not None:
            assert set(rows["layer"]) - {"natural"} <= set(outline.layers), network


def test_no_published_number_stands_elsewhere():
    """Numbers of five significant digits or more, which nothing else has by chance."""
    numbers = {
        float(f"{number:.10g}")
        for table in published_tables()
        for number in pd.to_numeric(table.read().select_dtypes("number").stack())
        if len(f"{number:.10g}".replace(".", "").strip("0")) >= 5
    }
    assert len(numbers) > 10
    for folder in ("tfmetamers", "cli", "checkpoints", "reproduce"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8").replace("_", "")
            literals = re.findall(r"(?<![\d.])\d+(?:\.\d+)?(?![\d.])", text)
            assert not numbers & set(map(float, literals)), path


def test_tables_of_the_2023_paper_name_its_models_and_experiments():
    titles = find_published("models_2023").read().set_index("model")["title"]
    experiments = find_published("experiments_2023").read().set_index(["domain", "experiment"])
    assert len(titles) == titles.nunique() == 48
    people = find_published("recognition_2023").read()
    assert people.groupby(["domain", "experiment", "model"]).ngroups == 59
    assert people[["people", "network_itself"]].stack().between(0, 1).all()
    for (domain, experiment), rows in people.groupby(["domain", "experiment"]):
        row = experiments.loc[(domain, experiment)]
        assert rows["participant"].max() == row["participants"]
        assert len(rows[["model", "stage"]].drop_duplicates()) - rows["model"].nunique() + 1 == row["conditions"]
    statistics = find_published("f_statistics_2023").read()
    assert statistics["kind"].value_counts().to_dict() == {"models": 98, "observers": 66, "robustness": 18, "stages": 2}
    named = {model for models in statistics["models"] for model in models.split(";")}
    for name, column in (("recognition", "model"), ("network_recognition", "generator"), ("brain_score", "model")):
        named |= set(find_published(f"{name}_2023").read()[column])
    assert named == set(titles.index)


def test_models_of_the_2023_paper_have_the_stages_that_its_tables_name():
    models = {model.name: model for model in published_models()}
    stages = {name: set(model.stages) for name, model in models.items()}
    for table, column in (("recognition_2023", "model"), ("network_recognition_2023", "generator")):
        named = find_published(table).read().drop_duplicates([column, "stage"])
        for model, stage in zip(named[column], named["stage"], strict=True):
            stage = stage.removesuffix("_fake_relu").removesuffix("_fakerelu")
            assert stage == "natural" or stage in stages[model], (model, stage)
    for table in ("losses_2023", "matching_2023"):
        rows = find_published(table).read()
        named = rows.groupby("model")["stage"].agg(set).to_dict()
        assert named == {name: stages[name] for name in stages.keys() - {"hmax_standard", "spectemp_filters"}}
    assert {model.tensorflow for model in models.values()} == {"weights", "architecture", "no"}
    assert all((model.tensorflow == "architecture") == (model.keras is not None) for model in models.values())
    assert {model.domain for model in models.values()} == {"vision", "audio"}
    with pytest.raises(ArgumentError, match="resnet50"):
        find_model("resnet51")


def test_the_page_of_the_models_has_all_of_them():
    page = (ROOT / "docs" / "models_2023.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("|")]
    for model in published_models():
        [row] = [row for row in rows if row.startswith(f"| `{model.name}` | {model.title} |")]
        for piece in (*(f"`{stage}`" for stage in model.stages), model.weights, f"| {model.licence} |"):
            assert piece in row, (model.name, piece)
        assert (f"`keras:{model.keras}`" in row) == (model.keras is not None)
    for stages in STAGES.values():
        assert all(f"| `{stage}` | `" in page and f"`{layer}`" in page for stage, layer in stages.layers.items())
        assert " ".join(stages.differences.split()) in " ".join(page.split())


def test_published_tables_are_small():
    assert sum(path.stat().st_size for path in (ROOT / "tfmetamers" / "published").iterdir() if path.is_file()) < 4e6


@needs_shared
def test_the_script_makes_the_table_of_participants_again(tmp_path):
    release = str(SHARED / "data" / "behaviour_2023")
    CliRunner().invoke(load_script("published_2023").main, ["--release", release, "--output", str(tmp_path)])
    name = "recognition_2023.csv.gz"
    assert (tmp_path / name).read_bytes() == (ROOT / "tfmetamers" / "published" / name).read_bytes()


def test_a_table_that_is_not_there_lists_near_ones():
    with pytest.raises(ArgumentError, match="losses_2019"):
        find_published("losses_2018")
