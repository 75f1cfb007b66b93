"""The metamer test of a model that is trained here, by the command and in Python, against counts made by hand."""

import dataclasses
import json
import re
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
import tomlkit
from click.testing import CliRunner
from PIL import Image

from tfmetamers.cli.main import tfmetamers
from tfmetamers.errors import ArgumentError, ResultError
from tfmetamers.experiments.experiment import Experiment
from tfmetamers.inclusion.verdict_file import read_verdict
from tfmetamers.metamers.folder import find_metamers, read_record
from tfmetamers.model_test import ModelTest, run_model_test
from tfmetamers.model_test.curves import find_departure, published_curves
from tfmetamers.model_test.plan import Choices, chosen_layers, chosen_recipe, experiment_text
from tfmetamers.networks.spec import NetworkSpec
from tfmetamers.published import find_published

LABELS, SIZE, COUNT, STEPS = ["red", "green", "blue"], 12, 5, 60


def coloured(count, seed):
    """Return noisy pictures of one colour each, and which."""
    generator = np.random.default_rng(seed)
    classes = np.arange(count) % 3
    pictures = generator.uniform(0, 0.5, (count, SIZE, SIZE, 3))
    pictures[np.arange(count), :, :, classes] += 0.4
    return pictures.astype("float32"), classes


def trained_model(seed):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            keras.layers.Conv2D(6, 3, activation="relu", name="early"),
            keras.layers.Conv2D(8, 3, strides=2, activation="relu", name="middle"),
            keras.layers.GlobalAveragePooling2D(name="pooled"),
            keras.layers.Dense(3, name="scores"),
        ]
    )
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False)
    model.optimizer.learning_rate = 0.02
    pictures, classes = coloured(120, 0)
    model.fit(pictures, classes, epochs=12, verbose=0)
    assert (model.predict(pictures, verbose=0).argmax(axis=1) == classes).mean() > 0.95
    return model


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    """Two trained models, their labels, a model of other labels, and pictures in class folders."""
    folder = tmp_path_factory.mktemp("material")
    for seed in (1, 2):
        trained_model(seed).save(folder / f"model_{seed}.keras")
    (folder / "labels.txt").write_text("\n".join(LABELS) + "\n")
    (folder / "others.txt").write_text("cat\ndog\nfish\n")
    for number, (picture, each) in enumerate(zip(*coloured(3 * COUNT, 7), strict=True)):
        path = folder / "pictures" / LABELS[each] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((picture * 255).round().astype("uint8")).save(path)
    return folder


def invoke(*arguments):
    return CliRunner().invoke(tfmetamers, list(map(str, arguments)), catch_exceptions=True)


@pytest.fixture(scope="module")
def tested(material, tmp_path_factory):
    """The folder of a test that was run by the command, and the command."""
    folder = tmp_path_factory.mktemp("tested") / "test"
    command = ["test-model", material / "model_1.keras", "--labels", material / "labels.txt"]
    command += ["--stimuli", material / "pictures", "--count", 6, "--steps", STEPS]
    command += ["--by", material / "model_2.keras"]  # Which has no labels, and is left out.
    command += ["--layer", "early", "--layer", "scores", "--output", folder]
    result = invoke(*command)
    assert result.exit_code == 0, result.output
    return folder, command


class TestCommand:
    def test_curves_are_those_of_the_metamers_that_passed(self, tested):
        folder, _ = tested
        experiment = Experiment.recall(folder / "experiment.toml")
        [decisions] = (experiment.out / "recognition").glob("*/recognition.csv")
        decisions = pd.read_csv(decisions).set_index("folder")
        expected = {"passed": {}, "all": {}}
        for metamer in find_metamers(experiment.metamers):
            layer = read_record(metamer).layer.name
            row = decisions.loc[[metamer.relative_to(experiment.metamers).as_posix()]]
            is_right = bool(row[row["layer"] == layer]["correct_label"].iloc[0])
            expected["all"].setdefault(layer, []).append(is_right)
            if read_verdict(metamer)["array"]["included"]:
                expected["passed"].setdefault(layer, []).append(is_right)
        curves = pd.read_csv(folder / "curves.csv")
        assert set(curves["observer"]) == {"model_1"}
        assert len(expected["all"]) == 2
        for shown, by_layer in expected.items():
            own = curves[(curves["metamers"] == shown) & (curves["layer"] != "natural")].set_index("layer")
            assert own["value"].to_dict() == pytest.approx({layer: np.mean(right) for layer, right in by_layer.items()})
            assert own["count"].to_dict() == {layer: len(right) for layer, right in by_layer.items()}
        assert curves["chance"].unique() == pytest.approx([1 / 3])

    def test_page_says_that_nobody_else_can_judge(self, tested):
        page = (tested[0] / "page.md").read_text()
        assert "self-recognition alone" in page
        assert "People were not asked" in page

    def test_card_repeats_the_test(self, tested, tmp_path):
        folder, _ = tested
        card = json.loads((folder / "card.json").read_text())
        assert [each["id"] for each in card["stimuli"]] and len(card["stimuli"]) == 6
        assert all(len(each["sha256"]) == 64 for each in card["stimuli"])
        spec = NetworkSpec.from_json(card["model"]["network"])
        assert spec.digest == card["model"]["sha256"]
        file = tmp_path / "again" / "experiment.toml"
        file.parent.mkdir()
        file.write_text(card["experiment"])
        (file.parent / "labels.txt").write_text("\n".join(spec.labels))
        again, before = Experiment.plan(file), Experiment.recall(folder / "experiment.toml")
        assert again.definition.to_json()["networks"][0]["recipe"] == card["model"]["recipe"]
        assert [item.key for item in again.items if item.kind == "metamers"] == [
            item.key for item in before.items if item.kind == "metamers"
        ]

    def test_same_command_makes_nothing_again(self, tested):
        folder, command = tested
        before = {path: path.stat().st_mtime_ns for path in (folder / "experiment").rglob("metamer.json")}
        result = invoke(*command)
        assert result.exit_code == 0, result.output
        assert {path: path.stat().st_mtime_ns for path in before} == before

    def test_another_test_in_the_folder_is_refused(self, tested):
        _, command = tested
        result = invoke(*command, "--seed-of-nothing")
        assert result.exit_code == 2
        result = invoke(*command, "--recipe", "2023")
        assert isinstance(result.exception, ResultError)
        assert "experiment.toml" in str(result.exception)


class TestJudges:
    def test_judges_without_a_shared_label_are_left_out(self, material, tmp_path):
        judge = NetworkSpec.parse(str(material / "model_2.keras"), labels=tuple(LABELS))
        stranger = judge.replace(labels=("cat", "dog", "fish"))
        choices = Choices(stimuli=[material / "pictures"], judges=[judge, stranger, judge.replace(labels=None)])
        model = NetworkSpec.parse(str(material / "model_1.keras"), labels=tuple(LABELS))
        panel = ModelTest(model, tmp_path, choices).panel
        assert panel.judges == (judge,)
        assert panel.chances == ({"label": 1 / 3}, {"label": 1 / 3})
        assert [title for title, _ in panel.left_out] == ["model_2", "model_2"]
        assert ["label" in reason for _, reason in panel.left_out] == [True, True]

    def test_judge_that_knows_no_stimulus_is_left_out(self, material, tmp_path):
        judge = NetworkSpec.parse(str(material / "model_2.keras"), labels=("red", "dog", "fish"))
        manifest = tmp_path / "green.csv"
        files = sorted((material / "pictures" / "green").iterdir())
        manifest.write_text("\n".join(["id,file,label", *(f"{file.stem},{file},green" for file in files)]))
        choices = Choices(stimuli=[manifest], judges=[judge])
        model = NetworkSpec.parse(str(material / "model_1.keras"), labels=tuple(LABELS))
        [(_, reason)] = ModelTest(model, tmp_path, choices).panel.left_out
        assert "(green)" in reason

    def test_default_judges_of_words_are_the_bundled_networks_of_words(self, tmp_path):
        test = ModelTest(NetworkSpec.parse("small_word_aliased"), tmp_path, Choices(quick=True))
        assert "small_word_aliased" not in [judge.title for judge in test.panel.judges]
        assert "small_word_reduced_aliasing" in [judge.title for judge in test.panel.judges]
        assert [title for title, _ in test.panel.left_out] == ["small_category_reduced_aliasing"]


class TestPython:
    def test_model_in_memory_with_the_2023_recipe(self, material, tmp_path):
        model, other = (keras.saving.load_model(material / f"model_{seed}.keras") for seed in (1, 2))
        given = {"labels": LABELS, "stimuli": [material / "pictures"], "count": 3, "steps": 16, "recipe": "2023"}
        given |= {"layers": ["early"], "judges": [str(material / "model_2.keras")], "report": print}
        outcome = run_model_test(model, tmp_path / "test", **given)
        assert outcome.page.is_file()
        [record] = {read_record(folder).recipe for folder in find_metamers(tmp_path / "test" / "experiment")}
        assert (record.name, record.steps, record.decay_steps) == ("feather2023-image", 16, 2)
        [departure] = outcome.departures
        assert departure.observer == "model"
        with pytest.raises(ResultError, match=r"model\.keras"):
            run_model_test(other, tmp_path / "test", **given)

    def test_block_of_the_document_runs(self, material, tmp_path, monkeypatch, capsys):
        text = Path(__file__).parents[2].joinpath("docs/model_test.md").read_text(encoding="utf-8")
        [block] = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        monkeypatch.chdir(tmp_path)
        (tmp_path / "pictures").symlink_to(material / "pictures")
        exec(block, {"model": keras.saving.load_model(material / "model_1.keras")})
        assert "scores" in capsys.readouterr().out
        assert (tmp_path / "test" / "card.json").is_file()


class TestDeparture:
    LAYERS = ("a", "b", "c")

    def curves(self, **values):
        rows = [
            {"observer": "one", "metamers": "passed", "layer": layer, "value": value, "chance": 0.1}
            for layer, value in values.items()
        ]
        return pd.DataFrame(rows)

    def test_first_layer_below_halfway_to_chance(self):
        found = find_departure(self.curves(natural=0.9, a=0.5, b=0.49, c=0.8), "one", list(self.LAYERS))
        assert (found.layer, found.depth, found.halfway) == ("b", 1, pytest.approx(0.5))

    def test_never(self):
        found = find_departure(self.curves(natural=0.9, a=0.9, c=0.6), "one", list(self.LAYERS))
        assert (found.layer, found.missing) == (None, ("b",))

    def test_one_layer(self):
        assert find_departure(self.curves(natural=1.0, a=0.0), "one", ["a"]).depth == 0


class TestPublishedCurves:
    @pytest.mark.parametrize("domain", ["image", "sound"])
    def test_they_are_means_of_the_published_tables(self, domain):
        curves = published_curves(domain)
        table = find_published("recognition_2023").read()
        sample = curves[curves["paper"] == "2023"].sample(20, random_state=0)
        for row in sample.itertuples():
            own = table[(table["model"] == row.network) & (table["stage"] == row.layer)]["people"]
            assert row.value == pytest.approx(own.mean())
        assert curves.groupby(["paper", "network"])["place"].max().unique() == pytest.approx([1])

    def test_natural_stimuli_are_at_zero_and_nothing_else(self):
        curves = published_curves("sound")
        assert set(curves[curves["place"] == 0]["layer"]) == {"natural"}


@pytest.fixture
def words():
    """A bundled network of words, and what is known of it."""
    spec = NetworkSpec.parse("small_word_aliased")
    return spec, spec.network_family.outline(spec)


class TestChoices:
    def test_unknown_recipe(self):
        with pytest.raises(ArgumentError, match="2021"):
            Choices(recipe="2021")

    def test_unknown_layer(self, words):
        spec, outline = words
        with pytest.raises(ArgumentError, match="conv_17"):
            chosen_layers(Choices(layers=["conv_17"]), outline, spec.describe)

    def test_quick_takes_layers_from_the_first_to_the_last(self, words):
        _, outline = words
        layers = chosen_layers(Choices(quick=True), outline, None)
        assert (layers[0], layers[-1], len(layers)) == (outline.layers[0], outline.layers[-1], 4)

    def test_quick_takes_the_only_layer_of_a_model_with_one(self, words):
        outline = dataclasses.replace(words[1], layers=("only",))
        assert chosen_layers(Choices(quick=True), outline, None) == ["only"]

    def test_2023_steps_are_halved_seven_times_whatever_their_number(self, words):
        _, outline = words
        recipe = chosen_recipe(Choices(recipe="2023", steps=800), outline)
        assert (recipe.name, recipe.steps, recipe.decay_steps) == ("feather2023-audio", 800, 100)

    @pytest.mark.parametrize(("recipe", "is_built"), [("2019", False), ("2023", True)])
    def test_a_bundled_null_is_taken_if_it_has_the_measures_of_the_recipe(self, words, recipe, is_built):
        spec, outline = words
        text = experiment_text(spec, outline, ["conv_2"], [], Choices(recipe=recipe))
        assert ("null" in tomlkit.parse(text)) == is_built


class TestBadInput:
    def test_model_without_labels(self, material, tmp_path):
        result = invoke(
            "test-model", material / "model_1.keras", "--stimuli", material / "pictures", "--output", tmp_path
        )
        assert isinstance(result.exception, ArgumentError)
        assert "--labels" in str(result.exception)

    def test_more_stimuli_than_there_are(self, material, tmp_path):
        model = NetworkSpec.parse(str(material / "model_1.keras"), labels=tuple(LABELS))
        with pytest.raises(ArgumentError, match="smaller"):
            ModelTest(model, tmp_path, Choices(stimuli=[material / "pictures"], count=1000, judges=[])).write()
        assert not (tmp_path / "experiment.toml").exists()
