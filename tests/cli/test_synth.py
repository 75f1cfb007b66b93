"""`tfmetamers synth` as a user runs it, on a small Keras model and on checkpoints that are not right."""

import csv
import json
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tfmetamers.cli import main as command_line
from tfmetamers.metamers.folder import read_record
from tfmetamers.synthesis import loop


@pytest.fixture
def model(small_model, tmp_path):
    small_model.save(tmp_path / "mine.keras")
    (tmp_path / "labels.txt").write_text("\n".join("abcdefghij"))
    return ["--network", tmp_path / "mine.keras", "--labels", tmp_path / "labels.txt", "--input-range", 0, 255]


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


def records(out):
    return [read_record(path.parent) for path in sorted(out.rglob("metamer.json"))]


def test_a_folder_in_metamers_out_and_nothing_twice(synth, model, folder, tmp_path):
    arguments = [*model, "--layer", "block", "--layer", "flat", "--steps", 20, "--batch-size", 2, folder]
    status, output, _ = synth(*arguments)
    assert status == 0
    assert "6 metamers to make, 0 made before" in output and "steps: 20 in place of 15000" in output
    made = {(record.layer.name, record.stimulus.id, record.seed) for record in records(tmp_path / "out")}
    assert made == {(layer, name, 0) for layer in ("block", "flat") for name in ("bear/x", "bear/y", "dog/x")}
    record = next(each for each in records(tmp_path / "out") if each.stimulus.id == "dog/x")
    assert record.stimulus.category == "dog" and record.prediction["original"]["label"] in "abcdefghij"
    status, output, _ = synth(*arguments)
    assert (status, "0 metamers to make, 6 made before" in output) == (0, True)

    assert command_line.run(["index", str(tmp_path / "out")]) == 0
    rows = list(csv.DictReader((tmp_path / "out/index.csv").open()))
    assert [row["category"] for row in rows] == ["bear", "bear", "dog"] * 2
    assert {row["steps"] for row in rows} == {"20"}


def test_what_is_finished_is_told_without_tensorflow(synth, model, folder, tmp_path):
    arguments = [*model, "--layer", "all", "--steps", 1, folder / "dog"]
    assert synth(*arguments)[0] == 0
    command = ["synth", "--output", str(tmp_path / "out"), *map(str, arguments)]
    script = (
        "import sys; from tfmetamers.cli.main import run; "
        f"assert run({command!r}) == 0; "
        "heavy = {'tensorflow', 'keras', 'scipy', 'matplotlib'} & set(sys.modules); assert not heavy, heavy"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert "0 metamers to make, 11 made before" in found.stdout


def test_more_steps_continue_what_was_kept(synth, model, folder, tmp_path):
    arguments = [*model, "--layer", "block", "--batch-size", 2, folder]
    assert synth(*arguments, "--steps", 3, "--keep-state")[0] == 0
    assert "3 metamers to make (3 continu" in synth(*arguments, "--steps", 5, "--extend", "--dry-run")[1]
    assert synth(*arguments, "--steps", 5, "--extend")[0] == 0
    assert synth(*arguments, "--steps", 5, out=tmp_path / "whole")[0] == 0
    for path in (tmp_path / "whole").rglob("*"):
        if path.is_file() and path.name != "run.json":
            assert (tmp_path / "out" / path.relative_to(tmp_path / "whole")).read_bytes() == path.read_bytes()
    status, _, errors = synth(*arguments, "--steps", 7, "--seed", 1, "--extend")
    assert (status, "--keep-state" in errors, errors.count("\n")) == (1, True, 1), errors


def test_fast_operations_are_recorded(synth, model, folder, tmp_path):
    assert synth(*model, "--layer", "block", "--steps", 1, "--fast-operations", folder / "dog")[0] == 0
    (record,) = records(tmp_path / "out")
    assert record.computation.deterministic is False


def test_a_forgotten_input_range_is_one_line_and_in_the_record_and_the_verdict(synth, folder, tmp_path, capsys):
    import keras

    layers = [keras.layers.Rescaling(1 / 255), keras.layers.Conv2D(2, 3, name="conv")]
    keras.Sequential([keras.Input((32, 32, 3)), *layers]).save(tmp_path / "mine.keras")
    arguments = ["--network", tmp_path / "mine.keras", "--layer", "conv", "--steps", 1, folder]
    status, _, errors = synth(*arguments)
    lines = [line for line in errors.splitlines() if line.startswith("Warning: ")]
    assert (status, len(lines), "--input-range 0 255" in lines[0]) == (0, 1, True), errors
    assert all(record.warnings == (lines[0].removeprefix("Warning: "),) for record in records(tmp_path / "out"))
    assert command_line.run(["evaluate", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().err.count("Warning: mine begins with") == 1
    rows = list(csv.DictReader((tmp_path / "out/verdicts.csv").open()))
    assert {row["warnings"] for row in rows} == {lines[0].removeprefix("Warning: ")}


def test_of_metamers_that_failed_after_few_steps_it_is_said_how_they_get_more(synth, model, folder, tmp_path, capsys):
    arguments = [*model, "--layer", "block", folder / "dog"]
    null = tmp_path / "null.pckl"

    def remarks(maximum):
        null.write_bytes(pickle.dumps({"block": [maximum] * 3}))
        command_line.run(["evaluate", str(tmp_path / "out"), "--null", f"mine={null}", "--no-report"])
        return capsys.readouterr().out

    assert synth(*arguments, "--steps", 1)[0] == 0
    assert "1 metamer failed after fewer steps" in (said := remarks(0.999999)) and "from noise again" in said
    assert synth(*arguments, "--steps", 2, "--keep-state")[0] == 0
    said = remarks(0.999999)
    assert said.count("1 metamer failed after fewer steps") == 2 and "--extend continues from there" in said
    assert synth(*arguments, "--steps", 3, "--extend")[0] == 0
    assert "fewer steps" not in remarks(-1.0)


def test_one_metamer_is_counted_in_the_singular(synth, model, folder):
    output = synth(*model, "--layer", "block", "--steps", 1, folder / "dog")[1]
    assert "1 metamer to make, 0 made before" in output and ": 1 step of Adam" in output


def test_variants_lie_side_by_side_and_are_told_apart_in_the_tables(synth, model, folder, tmp_path):
    arguments = [*model, "--layer", "block", "--steps", 2, folder / "dog"]
    for further in ([], ["--seed", 1], ["--relu-gradient", "normal"], ["--recipe", "feather2019-image-text"]):
        assert synth(*arguments, *further)[0] == 0
    assert synth(*arguments, "--kernels", "small")[0] == 0
    assert len(records(tmp_path / "out")) == 5
    assert command_line.run(["evaluate", str(tmp_path / "out")]) == 0
    rows = list(csv.DictReader((tmp_path / "out/verdicts.csv").open()))
    told = {(row["seed"], row["recipe"], row["deviations"], row["kernels"]) for row in rows}
    assert len(rows) == len(told) == 5


def test_a_manifest_names_stimuli_and_its_columns_are_kept(synth, model, folder, tmp_path):
    manifest = folder / "manifest.csv"
    manifest.write_text("id,file,label,category,photographer\nfirst,bear/x.png,brown bear,bear,Ann\n")
    assert synth(*model, "--layer", "block", "--steps", 1, manifest)[0] == 0
    (record,) = records(tmp_path / "out")
    assert record.stimulus.label == "brown bear" and record.stimulus.columns == {"photographer": "Ann"}


def test_a_dry_run_estimates_and_makes_nothing(synth, model, folder, tmp_path):
    status, output, _ = synth(*model, "--layer", "block", "--layer", "flat", "--dry-run", folder)
    assert status == 0
    assert "6 metamers to make" in output and "Nothing was made" in output
    for piece in ("seconds per step", "MB on disk", "block", "on the CPU (", "a few timed steps"):
        assert piece in output
    assert "--batch-size" not in output, "advice on what takes no time"
    assert not (tmp_path / "out").exists()


def test_a_dry_run_gives_ranges_and_advises_where_it_is_long(synth, model, folder):
    status, output, errors = synth(*model, "--layer", "block", "--dry-run", folder, "--steps", 10**9, "--json")
    assert status == 0
    (row,) = json.loads(output)
    low, high = row["seconds_per_step"]
    assert row["metamers"] == 3 and 0 < low <= high < 1
    assert row["seconds"] == [pytest.approx(3e9 * low), pytest.approx(3e9 * high)]
    assert all(word in errors for word in (" days on this machine", "--batch-size", "no GPU", "Several processes"))


def test_a_run_says_what_it_runs_on_and_from_its_first_steps_how_long_it_takes(synth, model, folder, monkeypatch):
    monkeypatch.setattr(loop, "SECONDS_A_CALL", 0.01)
    status, output, _ = synth(*model, "--layer", "block", "--layer", "flat", "--steps", 400, folder / "bear")
    assert status == 0
    (loaded,) = [line for line in output.splitlines() if "SHA-256" in line]
    assert loaded.startswith("mine, ") and "on the CPU (" in loaded
    said = [line for line in output.splitlines() if "judging by the first steps" in line]
    assert [line.split(":")[0] for line in said] == ["2 metamers of block", "2 metamers of flat"]
    assert all("second" in line for line in said)


def test_rows_as_json_and_nothing_beside_them(synth, model, folder, tmp_path):
    arguments = [*model, "--layer", "block", "--steps", 2, folder / "dog"]
    status, output, errors = synth(*arguments, "--json", "--quiet")
    assert (status, errors) == (0, "")
    (row,) = json.loads(output)
    record = read_record(row["folder"])
    assert (row["stimulus"], row["layer"], row["correlation"]) == ("x", "block", record.correlation)
    assert row["last_loss"] == record.loss.final and row["original_is"] == record.prediction["original"]["label"]
    assert synth(*arguments, "--json", "--quiet") == (0, "[]\n", "")


def test_any_tensor_can_be_matched(synth, model, folder, tmp_path):
    status, _, errors = synth(*model, "--layer", "tensor:nothing", folder)
    assert status == 2
    tensor = re.split("similar: |known: ", errors)[1].split(",")[0]
    assert synth(*model, "--layer", f"tensor:{tensor}", "--steps", 1, folder / "dog")[0] == 0
    (record,) = records(tmp_path / "out")
    assert record.layer.tensor == tensor


@pytest.mark.parametrize(
    ("options", "at_fault"),
    [
        (["--layer", "blok"], "'blok'"),
        (["--layer", "block", "--steps", "0"], "steps"),
        (["--layer", "block", "--steps", "many"], "'many'"),
        (["--layer", "block", "--learning-rate", "nan"], "learning_rate"),
        (["--layer", "block", "--relu-gradient", "none"], "relu-gradient"),
        (["--layer", "block", "--recipe", "feather"], "feather2019-image"),
        (["--layer", "block", "--set", "decay"], "decay"),
        (["--layer", "block", "--set", "decays=1"], "decay_"),
        (["--layer", "block", "--steps", "3", "--set", "steps=4"], "twice"),
        (["--layer", "block", "--batch-size", "0"], "0 is not in the range"),
        (["--layer", "block", "--checkpoint", "x"], "checkpoint"),
        (["--layer", "block", "--input-range", "1", "1"], "input range"),
        (["--layer", "block", "--kernels", "huge"], "'huge'"),
    ],
)
def test_a_wrong_option_is_one_sentence_with_status_2(synth, model, folder, tmp_path, options, at_fault):
    status, _, errors = synth(*model, *options, folder)
    assert (status, at_fault in errors, "Traceback" in errors) == (2, True, False), errors
    assert not (tmp_path / "out").exists()


def test_every_field_of_the_recipe_can_be_set(synth, model, folder, tmp_path):
    options = ["--recipe", "feather2019-image-text", "--set", "noise_low=0.2", "--set", "steps=2"]
    status, output, _ = synth(*model, "--layer", "block", *options, "--learning-rate", "0.1", folder / "dog")
    assert status == 0
    assert "noise_low: 0.2 in place of 0.45" in output and "learning_rate: 0.1 in place of 0.001" in output
    (record,) = records(tmp_path / "out")
    assert record.recipe.deviations() == {
        "steps": (15000, 2),
        "learning_rate": (0.001, 0.1),
        "noise_low": (0.45, 0.2),
    }


def test_missing_inputs_are_named_before_anything_is_made(synth, model, folder, tmp_path):
    status, _, errors = synth(*model, "--layer", "block", "--steps", 1, tmp_path / "nowhere")
    assert (status, "nowhere" in errors, errors.count("\n")) == (1, True, 1), errors
    assert not (tmp_path / "out").exists()


def test_a_broken_input_is_named_and_spares_the_others(synth, model, folder, tmp_path):
    (folder / "dog" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    layers = ["--layer", "block", "--layer", "flat"]
    status, output, errors = synth(*model, *layers, "--steps", 1, "--batch-size", 4, folder)
    assert (status, errors.count("broken.png"), "Traceback" in errors) == (1, 1, False), errors
    assert len(records(tmp_path / "out")) == 6
    assert all(name in output for name in ("bear/x", "bear/y", "dog/x")), "what was made is told"


def test_an_output_that_cannot_be_written_is_refused_before_the_work(synth, model, folder, tmp_path):
    (tmp_path / "file").write_text("in the way")
    for out, expected in ((tmp_path / "file", 2), (tmp_path / "file" / "out", 1)):
        status, _, errors = synth(*model, "--layer", "block", "--steps", 10**6, folder, out=out)
        assert (status, "Traceback" in errors) == (expected, False)
        assert "step/s, loss" not in errors, "steps were done"


def test_results_inside_the_input_folder_are_not_taken_for_stimuli(synth, model, folder):
    arguments = [*model, "--layer", "block", "--steps", 1, folder]
    assert "3 metamers to make, 0 made before" in synth(*arguments, out=folder / "metamers")[1]
    assert "0 metamers to make, 3 made before" in synth(*arguments, out=folder / "metamers")[1]


def test_what_a_published_network_does_not_take_is_refused(synth, folder, tmp_path):
    (tmp_path / "names.txt").write_text("a\n")
    for options, at_fault in [
        (["--input-range", 0, 255], "input range"),
        (["--labels", tmp_path / "names.txt"], "labels"),
        (["--optimize", "cochleagram"], "cochleagram"),
        (["--checkpoint", tmp_path], "checkpoint"),
    ]:
        status, _, errors = synth("--network", "vgg_19:random", "--layer", "conv1_2", *options, folder)
        assert (status, at_fault in errors) == (2, True), errors


def test_labels_that_are_not_text_are_refused(synth, model, folder, tmp_path):
    (tmp_path / "labels.txt").write_bytes(b"\xff\xfe")
    status, _, errors = synth(*model, "--layer", "block", folder)
    assert (status, "labels.txt" in errors) == (2, True)


def test_a_network_without_its_checkpoint_says_how_to_get_it(synth, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("TFMETAMERS_CACHE", str(tmp_path / "cache"))
    status, _, errors = synth("--network", "vgg_19", "--layer", "conv1_2", folder)
    assert status == 1
    assert "tfmetamers checkpoints fetch vgg_19" in errors and "vgg_19:random" in errors


def test_what_is_not_a_checkpoint_is_refused(synth, folder, tmp_path):
    text = tmp_path / "vgg_19.ckpt"
    text.write_text("weights")
    for path in (text, tmp_path / "none.ckpt"):
        status, _, errors = synth("--network", f"vgg_19={path}", "--layer", "conv1_2", folder)
        assert (status, path.name in errors, errors.count("\n")) == (1, True, 1), errors
