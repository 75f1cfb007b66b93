"""`tfmetamers recognize` as a user runs it, on small Keras models and small networks of sounds."""

import json

import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image

from tests.making import folder_of, give_verdict
from tfmetamers.cli import main as command_line
from tfmetamers.metamers.folder import find_metamers, read_record
from tfmetamers.networks import write_architecture


@pytest.fixture
def run(capsys):
    """Run a command and return its status, output and errors."""

    def run(*arguments):
        return command_line.run([*map(str, arguments)]), *capsys.readouterr()

    return run


@pytest.fixture
def model(small_model, tmp_path):
    small_model.save(tmp_path / "mine.keras")
    (tmp_path / "labels.txt").write_text("\n".join(["bear", "dog", *"cdefghij"]))
    return tmp_path / "mine.keras"


@pytest.fixture
def options(tmp_path):
    return ["--labels", tmp_path / "labels.txt"]


@pytest.fixture
def out(run, model, options, tmp_path, pictures):
    """Four metamers at each of two layers, all of which passed but one."""
    for name, picture in zip(("bear/x", "bear/y", "dog/x", "dog/y"), pictures, strict=True):
        path = tmp_path / "pictures" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((picture * 255).astype(np.uint8)).save(path)
    out = tmp_path / "out"
    layers = ["--layer", "block", "--layer", "flat", "--steps", 1, "--batch-size", 4]
    assert run("synth", "--network", model, *options, *layers, "--output", out, tmp_path / "pictures")[0] == 0
    failed = folder_of(out, "flat", "dog/y")
    for folder in find_metamers(out):
        give_verdict(folder, folder != failed)
    return out


def table(path):
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def test_tables_and_a_figure_are_written_and_the_table_is_printed(run, out, model, options, tmp_path):
    other = tmp_path / "other.keras"
    other.write_bytes(model.read_bytes())
    status, output, errors = run("recognize", out, "--by", model, "--by", other, *options, "--input-range", 0, 1)
    assert status == 0, errors
    decisions, summary = table(out / "recognition.csv"), table(out / "recognition_summary.csv")
    assert len(decisions) == 2 * (4 + 7)
    assert set(decisions["truth_label"]) == {"bear", "dog"}
    assert set(decisions["correct_label"]) <= {"True", "False"} and set(decisions["included"]) == {"True", ""}
    assert summary[["judge", "layer", "shown", "left_out"]].to_numpy().tolist() == [
        [judge, layer, shown, left_out]
        for judge in ("mine", "other")
        for layer, shown, left_out in [("natural", "4", "0"), ("block", "4", "0"), ("flat", "3", "1")]
    ]
    line = next(line for line in output.splitlines() if line.startswith("mine") and "flat" in line)
    flat = decisions[(decisions["judge"] == "mine") & (decisions["layer"] == "flat")]
    assert line.split()[-3] == f"{np.mean(flat['correct_label'] == 'True'):.3f}"
    shown = json.loads(run("recognize", out, "--by", model, *options, "--input-range", 0, 1, "--json")[1])
    assert [(row["layer"], row["shown"], row["rule"]) for row in shown] == [
        *(("natural", 4, None), ("block", 4, None), ("flat", 3, None))
    ]
    assert "1 metamer failed the inclusion test and 0 were not judged" in output
    with Image.open(out / "recognition.png") as figure:
        assert len(figure.convert("RGB").getcolors(2**24)) > 50


def test_the_same_seed_gives_the_same_tables_and_another_folder_may_be_given(run, out, model, tmp_path):
    labels = ["dog"] * 10
    # So that the judge is right about some, and the error depends on luck.
    labels[read_record(folder_of(out, "block", "bear/x")).prediction["original"]["index"]] = "bear"
    (tmp_path / "half.txt").write_text("\n".join(labels))
    arguments = ["recognize", out, "--by", model, "--labels", tmp_path / "half.txt", "--include-failed"]
    for folder in ("first", "second"):
        status, output, _ = run(*arguments, "--output", tmp_path / folder)
        assert (status, "shown nevertheless" in output) == (0, True)
    assert run(*arguments, "--bootstrap-seed", 5, "--output", tmp_path / "third")[0] == 0
    tables = [(tmp_path / name / "recognition_summary.csv").read_bytes() for name in ("first", "second", "third")]
    assert tables[0] == tables[1] != tables[2]
    assert not (out / "recognition.csv").exists()


def test_truth_can_be_told_after_the_metamers_were_made(run, out, model, options, tmp_path):
    (tmp_path / "truth.csv").write_text("id,label\nbear/x,c\nbear/y,d\ndog/x,e\ndog/y,f\n")
    status, _, errors = run("recognize", out, "--by", model, *options, "--truth", tmp_path / "truth.csv")
    assert status == 0, errors
    assert set(table(out / "recognition.csv")["truth_label"]) == {"c", "d", "e", "f"}
    (tmp_path / "truth.csv").write_text("id,label\nx,c\n")
    status, _, errors = run("recognize", out, "--by", model, *options, "--truth", tmp_path / "truth.csv")
    assert (status, "bear/x" in errors) == (1, True), errors


def test_random_weights_of_sounds_are_told_apart_by_their_seed(run, small_architecture, tmp_path):
    write_architecture(small_architecture, tmp_path / "mine.json")
    (tmp_path / "words.txt").write_text("\n".join("abcdefghij"))
    for word in "ab":
        (tmp_path / "sounds" / word).mkdir(parents=True)
        noise = np.random.default_rng(ord(word)).normal(0, 0.1, 2000)
        soundfile.write(tmp_path / "sounds" / word / "0.wav", noise, 4000)
    network = ["--network", f"{tmp_path / 'mine.json'}:random", "--labels", tmp_path / "words.txt"]
    arguments = ["--layer", "conv_1", "--steps", 1, "--output", tmp_path / "out", tmp_path / "sounds"]
    assert run("synth", *network, *arguments)[0] == 0
    judges = [argument for seed in (0, 1) for argument in ("--by", f"{tmp_path / 'mine.json'}:random:{seed}")]
    recognize = ["recognize", tmp_path / "out", *judges, "--labels", tmp_path / "words.txt"]
    status, _, errors = run(*recognize)
    assert (status, "tfmetamers evaluate" in errors) == (1, True)
    status, output, errors = run(*recognize, "--include-failed")
    assert status == 0, errors
    assert "0 metamers failed the inclusion test and 2 were not judged" in output
    summary = table(tmp_path / "out/recognition_summary.csv")
    assert summary["judge"].tolist() == [f"small (random, seed {seed})" for seed in (0, 0, 1, 1)]
    assert set(summary["network"]) == {"small (random, seed 0)"}


def test_a_broken_folder_is_named_and_the_status_is_1(run, out, model, options):
    broken = folder_of(out, "block", "bear/x")
    (broken / "metamer.npy").write_bytes(b"")
    status, _, errors = run("recognize", out, "--by", model, *options)
    assert (status, f"Not shown: {broken}" in errors) == (1, True)
    assert len(table(out / "recognition.csv")) == 4 + 6


def test_a_wrong_command_line_is_one_sentence(run, out, model, tmp_path):
    labels = tmp_path / "labels.txt"
    for arguments, expected, named in (
        ([], 2, "--by"),
        (["--by", "vgg_91"], 2, "vgg_19"),
        (["--by", "vgg_19:random:x"], 2, "'x'"),
        (["--by", "vgg_19:random", "--input-range", 0, 1], 2, "--input-range"),
        (["--by", "vgg_19:random", "--labels", labels], 2, "--labels"),
        (["--by", model], 2, "mine has no labels"),
        (["--by", model, "--rule", "median"], 2, "'median'"),
        (["--by", model, "--labels", labels, "--by", model], 2, "mine was given 2 times"),
        (["--by", "nothing.keras"], 1, "nothing.keras"),
        (["--by", "vgg_19=nothing.ckpt"], 1, "nothing.ckpt"),
        (["--by", "release:nowhere"], 1, "nowhere"),
    ):
        status, _, errors = run("recognize", out, *arguments)
        assert (status, named in errors, "Traceback" in errors) == (expected, True, False), errors
    assert not (out / "recognition.csv").exists()


def test_a_folder_without_metamers_is_named_before_networks_are_loaded(run, tmp_path):
    status, _, errors = run("recognize", tmp_path, "--by", "vgg_19=nothing.ckpt")
    assert (status, str(tmp_path) in errors, "nothing.ckpt" in errors) == (1, True, False)


def test_help_lists_the_forms_of_a_judge(run):
    status, output, _ = run("recognize", "--help")
    assert status == 0
    assert "vgg_19:random:3" in output and "release:DIR:word_aliased" in output
