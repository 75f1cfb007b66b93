"""`tfmetamers synth` as a user runs it, on a small Keras model and on checkpoints that are not right."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from tfmetamers.cli import main as command_line


@pytest.fixture
def model(small_model, tmp_path):
    small_model.save(tmp_path / "mine.keras")
    (tmp_path / "labels.txt").write_text("\n".join("abcdefghij"))
    return ["--keras-model", tmp_path / "mine.keras", "--labels", tmp_path / "labels.txt", "--input-range", 0, 255]


@pytest.fixture
def folder(tmp_path, pictures):
    for name, picture in zip(("bear/x", "bear/y", "dog/x"), pictures, strict=False):
        path = tmp_path / "pictures" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((picture * 255).astype(np.uint8)).save(path)
    return tmp_path / "pictures"


@pytest.fixture
def synth(capsys, tmp_path):
    """Run the command and return its status, output and errors."""

    def run(*arguments, out=tmp_path / "out"):
        return command_line.run(["synth", "--output", str(out), *map(str, arguments)]), *capsys.readouterr()

    return run


def test_a_folder_in_metamers_out_and_nothing_twice(synth, model, folder, tmp_path):
    arguments = [*model, "--layer", "block", "--layer", "flat", "--steps", 20, "--batch-size", 2, folder]
    status, output, _ = synth(*arguments)
    assert status == 0
    assert "6 metamers to make, 0 made before" in output
    assert "steps: 20 in place of 15000" in output
    made = {path.parent.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("metamer.json")}
    assert made == {f"mine/{layer}/{name}/0" for layer in ("block", "flat") for name in ("bear/x", "bear/y", "dog/x")}
    record = json.loads((tmp_path / "out/mine/block/dog/x/0/metamer.json").read_text())
    assert record["stimulus"]["category"] == "dog"
    assert record["prediction"]["original"]["label"] in "abcdefghij"
    status, output, _ = synth(*arguments)
    assert (status, "0 metamers to make, 6 made before" in output) == (0, True)

    assert command_line.run(["index", str(tmp_path / "out")]) == 0
    rows = list(csv.DictReader((tmp_path / "out/index.csv").open()))
    assert [row["category"] for row in rows] == ["bear", "bear", "dog"] * 2
    assert {row["steps"] for row in rows} == {"20"}


def test_a_manifest_names_stimuli_and_its_columns_are_kept(synth, model, folder, tmp_path):
    manifest = folder / "manifest.csv"
    manifest.write_text("id,file,label,category,photographer\nfirst,bear/x.png,brown bear,bear,Ann\n")
    assert synth(*model, "--layer", "block", "--steps", 1, manifest)[0] == 0
    record = json.loads((tmp_path / "out/mine/block/first/0/metamer.json").read_text())
    assert record["stimulus"]["label"] == "brown bear"
    assert record["stimulus"]["columns"] == {"photographer": "Ann"}


def test_a_dry_run_estimates_and_makes_nothing(synth, model, folder, tmp_path):
    status, output, _ = synth(*model, "--layer", "all", "--dry-run", folder)
    assert status == 0
    assert "33 metamers to make" in output and "Nothing was made" in output
    for piece in ("seconds a step", "hours", "MB on disk", "block"):
        assert piece in output
    assert not (tmp_path / "out").exists()


def test_any_tensor_can_be_matched(synth, model, folder, tmp_path):
    status, _, errors = synth(*model, "--layer", "tensor:nothing", folder)
    assert status == 2
    tensor = errors.split("the nearest are ")[1].split(",")[0]
    assert synth(*model, "--layer", f"tensor:{tensor}", "--steps", 1, folder / "dog")[0] == 0
    [path] = (tmp_path / "out").rglob("metamer.json")
    assert json.loads(path.read_text())["layer"]["tensor"] == tensor


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--layer", "blok"], "no layer of mine called 'blok'; the nearest are block"),
        (["--layer", "block", "--steps", "0"], "steps is 0; a positive number was expected"),
        (["--layer", "block", "--steps", "-5"], "steps is -5"),
        (["--layer", "block", "--steps", "many"], "steps is 'many'; of type int"),
        (["--layer", "block", "--steps", "1.5"], "steps is '1.5'"),
        (["--layer", "block", "--learning-rate", "0"], "learning_rate is 0.0; a positive"),
        (["--layer", "block", "--learning-rate", "-1e-3"], "learning_rate is -0.001"),
        (["--layer", "block", "--learning-rate", "nan"], "learning_rate is 'nan'"),
        (["--layer", "block", "--relu-gradient", "none"], "relu_gradient is 'none'; straight-through or normal"),
        (["--layer", "block", "--recipe", "feather"], "no recipe 'feather'; the nearest are feather2019-image"),
        (["--layer", "block", "--set", "decay"], "FIELD=VALUE was expected"),
        (["--layer", "block", "--set", "decay=1"], "no recipe field called 'decay'; the nearest are decay_"),
        (["--layer", "block", "--seed", "-1"], "-1 is not in the range"),
        (["--layer", "block", "--batch-size", "0"], "0 is not in the range"),
        (["--layer", "block", "--size", "64"], "32 pixels; a size of 64"),
        (["--layer", "block", "--network", "vgg_19"], "--architecture FILE and --keras-model FILE.keras."),
        (["--layer", "block", "--checkpoint", "x"], "leave --checkpoint, --weights and --weights-seed out"),
        (["--layer", "block", "--input-range", "1", "1"], "input range"),
        (["--layer", "block", "--weights-seed", "3"], "leave --checkpoint, --weights and --weights-seed out"),
        (["--layer", "all", "--layer", "blok"], "no layer of mine called 'blok'"),
        (["--layer", "block", "--steps", "3", "--set", "steps=4"], "set twice"),
        (["--layer", "block", "--learning-rate", "1e40"], "learning_rate is '1e40'"),
    ],
)
def test_a_wrong_option_is_one_sentence_with_status_2(synth, model, folder, tmp_path, options, complaint):
    status, _, errors = synth(*model, *options, folder)
    assert (status, complaint in errors) == (2, True), errors
    assert not (tmp_path / "out").exists()


def test_every_field_of_the_recipe_can_be_set(synth, model, folder, tmp_path):
    options = [
        "--recipe",
        "feather2019-image-text",
        "--set",
        "noise_low=0.2",
        "--set",
        "steps=2",
        "--learning-rate",
        "0.1",
    ]
    status, output, _ = synth(*model, "--layer", "block", *options, folder / "dog")
    assert status == 0
    assert "noise_low: 0.2 in place of 0.45" in output and "learning_rate: 0.1 in place of 0.001" in output
    [path] = (tmp_path / "out").rglob("metamer.json")
    record = json.loads(path.read_text())
    assert record["deviations"] == {"steps": [15000, 2], "learning_rate": [0.001, 0.1], "noise_low": [0.45, 0.2]}


def test_missing_and_broken_inputs_are_named_before_anything_is_made(synth, model, folder, tmp_path):
    (folder / "dog" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    for given, complaint in [
        (tmp_path / "nowhere", "There is no"),
        (tmp_path / "labels.txt", "is not a picture that Pillow can read"),
        (folder, "broken.png is"),
    ]:
        status, _, errors = synth(*model, "--layer", "block", "--steps", 1, given)
        assert (status, complaint in errors, errors.count("\n")) == (1, True, 1), errors
    assert not (tmp_path / "out").exists()


def test_an_output_that_cannot_be_written_is_refused_before_the_work(synth, model, folder, tmp_path):
    (tmp_path / "file").write_text("in the way")
    for out, expected in ((tmp_path / "file", 2), (tmp_path / "file" / "out", 1)):
        status, _, errors = synth(*model, "--layer", "block", "--steps", 10**6, folder, out=out)
        assert (status, "Traceback" in errors) == (expected, False)
        assert "step/s, loss" not in errors, "steps were done"


def test_another_input_range_is_another_network(synth, model, folder):
    arguments = ["--layer", "block", "--steps", 1, folder / "dog"]
    assert synth(*model, *arguments)[0] == 0
    status, _, errors = synth(*model[:4], "--input-range", -1, 1, *arguments)
    assert status == 1
    assert "network.input_range: [0.0, 255.0] there, [-1.0, 1.0] asked" in errors


def test_results_inside_the_input_folder_are_not_taken_for_stimuli(synth, model, folder):
    arguments = [*model, "--layer", "block", "--steps", 1, folder]
    assert "3 metamers to make, 0 made before" in synth(*arguments, out=folder / "metamers")[1]
    assert "0 metamers to make, 3 made before" in synth(*arguments, out=folder / "metamers")[1]


def test_options_of_keras_models_are_refused_for_published_networks(synth, folder, tmp_path):
    (tmp_path / "names.txt").write_bytes(b"\xff\xfe")
    network = ["--network", "vgg_19", "--layer", "conv1_2"]
    for options, complaint in [
        (["--input-range", 0, 255], "is for a Keras model"),
        (["--labels", tmp_path / "names.txt"], "is for a model or an architecture of your own"),
        (["--optimize", "cochleagram", "--weights", "random"], "vgg_19 has no cochleagram to optimise"),
        (["--fit", "pad", "--weights", "random"], "is for sounds"),
        (["--weights-seed", 3], "goes with --weights random"),
    ]:
        status, _, errors = synth(*network, *options, folder)
        assert (status, complaint in errors) == (2, True), errors


def test_labels_that_are_no_text_are_refused(synth, small_model, folder, tmp_path):
    small_model.save(tmp_path / "mine.keras")
    (tmp_path / "names.txt").write_bytes(b"\xff\xfe")
    options = ["--keras-model", tmp_path / "mine.keras", "--labels", tmp_path / "names.txt", "--layer", "block"]
    status, _, errors = synth(*options, folder)
    assert (status, "is not text in UTF-8" in errors) == (2, True)


def test_other_settings_under_the_same_name_are_refused_naming_the_difference(synth, model, folder):
    arguments = [*model, "--layer", "block", folder / "dog"]
    assert synth(*arguments, "--steps", 1)[0] == 0
    status, _, errors = synth(*arguments, "--steps", 2)
    assert status == 1
    assert "recipe.steps: 1 there, 2 asked" in errors and "another --output or --seed" in errors


def test_a_network_without_its_checkpoint_says_how_to_get_it(synth, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("TFMETAMERS_CACHE", str(tmp_path / "cache"))
    status, _, errors = synth("--network", "vgg_19", "--layer", "conv1_2", folder)
    assert status == 1
    assert "tfmetamers checkpoints fetch vgg_19" in errors and "--weights random" in errors


def test_a_checkpoint_that_is_none_is_refused(synth, folder, tmp_path):
    text = tmp_path / "vgg_19.ckpt"
    text.write_text("weights")
    for path in (text, tmp_path / "none.ckpt"):
        status, _, errors = synth("--network", "vgg_19", "--checkpoint", path, "--layer", "conv1_2", folder)
        assert (status, path.name in errors, errors.count("\n")) == (1, True, 1), errors


def test_random_weights_and_a_checkpoint_exclude_each_other(synth, folder, tmp_path):
    status, _, errors = synth(
        "--network", "vgg_19", "--weights", "random", "--checkpoint", tmp_path, "--layer", "conv1_2", folder
    )
    assert status == 2
    assert "exclude each other" in errors
