"""`tfmetamers recognize` as a user runs it, on small Keras models and small networks of sounds."""

import csv
import json

import numpy as np
import pytest
import soundfile
from PIL import Image

from tfmetamers.cli import main as command_line
from tfmetamers.cli.judges import parse_judge
from tfmetamers.errors import ArgumentError
from tfmetamers.inclusion.verdict_file import judged_files
from tfmetamers.metamers.folder import read_record
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
    assert run("synth", "--keras-model", model, *options, *layers, "--output", out, tmp_path / "pictures")[0] == 0
    for path in out.rglob("metamer.json"):
        included = path.parent != out / "mine/flat/dog/y/0"
        files = judged_files(path.parent, read_record(path.parent))
        verdict = {"format": 1, "array": {"included": included}, "basis": {"files": files}}
        path.with_name("verdict.json").write_text(json.dumps(verdict))
    return out


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_tables_and_a_figure_are_written_and_the_table_is_printed(run, out, model, options, tmp_path):
    other = tmp_path / "other.keras"
    other.write_bytes(model.read_bytes())
    status, output, errors = run("recognize", out, "--by", model, "--by", other, *options, "--input-range", 0, 1)
    assert status == 0, errors
    decisions, summary = rows_of(out / "recognition.csv"), rows_of(out / "recognition_summary.csv")
    assert len(decisions) == 2 * (4 + 7)
    assert {row["truth_label"] for row in decisions} == {"bear", "dog"}
    assert [(row["judge"], row["layer"], row["shown"], row["left_out"]) for row in summary] == [
        (judge, layer, shown, left_out)
        for judge in ("mine", "other")
        for layer, shown, left_out in [("natural", "4", "0"), ("block", "4", "0"), ("flat", "3", "1")]
    ]
    line = next(line for line in output.splitlines() if line.startswith("mine") and "flat" in line)
    correct = [row["correct_label"] == "true" for row in decisions if row["judge"] == "mine" and row["layer"] == "flat"]
    assert line.split()[-3] == f"{np.mean(correct):.3f}"
    assert "1 failed the inclusion test and 0 were not judged: left out." in output
    with Image.open(out / "recognition.png") as figure:
        assert len(figure.convert("RGB").getcolors(2**24)) > 50


def test_the_same_seed_gives_the_same_tables_and_another_folder_may_be_given(run, out, model, tmp_path):
    predictions = [json.loads(path.read_text())["prediction"]["original"] for path in out.rglob("metamer.json")]
    labels = ["dog"] * 10
    labels[predictions[0]["index"]] = "bear"  # So that the judge is right about some, and the error depends on luck.
    (tmp_path / "half.txt").write_text("\n".join(labels))
    arguments = ["recognize", out, "--by", model, "--labels", tmp_path / "half.txt", "--include-failed"]
    for folder in ("first", "second"):
        status, output, _ = run(*arguments, "--output", tmp_path / folder)
        assert (status, "shown all the same" in output) == (0, True)
    assert run(*arguments, "--bootstrap-seed", 5, "--output", tmp_path / "third")[0] == 0
    tables = [(tmp_path / name / "recognition_summary.csv").read_bytes() for name in ("first", "second", "third")]
    assert tables[0] == tables[1] != tables[2]
    assert not (out / "recognition.csv").exists()


def test_random_weights_of_sounds_are_told_apart_by_their_seed(run, small_architecture, tmp_path):
    write_architecture(small_architecture, tmp_path / "mine.json")
    (tmp_path / "words.txt").write_text("\n".join("abcdefghij"))
    for word in "ab":
        (tmp_path / "sounds" / word).mkdir(parents=True)
        noise = np.random.default_rng(ord(word)).normal(0, 0.1, 2000)
        soundfile.write(tmp_path / "sounds" / word / "0.wav", noise, 4000)
    network = ["--architecture", tmp_path / "mine.json", "--weights", "random", "--labels", tmp_path / "words.txt"]
    arguments = ["--layer", "conv_1", "--steps", 1, "--output", tmp_path / "out", tmp_path / "sounds"]
    assert run("synth", *network, *arguments)[0] == 0
    judges = [argument for seed in (0, 1) for argument in ("--by", f"{tmp_path / 'mine.json'}:random:{seed}")]
    recognize = ["recognize", tmp_path / "out", *judges, "--labels", tmp_path / "words.txt"]
    status, _, errors = run(*recognize)
    assert (status, "run 'tfmetamers evaluate" in errors) == (1, True)
    status, output, errors = run(*recognize, "--include-failed")
    assert status == 0, errors
    assert "0 failed the inclusion test and 2 were not judged: shown all the same." in output
    judges = [(row["judge"], row["network"]) for row in rows_of(tmp_path / "out/recognition_summary.csv")]
    assert judges == [(f"small (random, seed {seed})", "small (random, seed 0)") for seed in (0, 0, 1, 1)]


def test_a_broken_folder_is_named_and_the_status_is_1(run, out, model, options):
    (out / "mine/block/bear/x/0/metamer.npy").write_bytes(b"")
    status, _, errors = run("recognize", out, "--by", model, *options)
    assert (status, f"Not shown: {out / 'mine/block/bear/x/0'}" in errors) == (1, True)
    assert len(rows_of(out / "recognition.csv")) == 4 + 6


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "No judge was given"),
        (["--by", "vgg_91"], "no network 'vgg_91'; the nearest are vgg_19"),
        (["--by", "vgg_19:randm:3"], "--by got 'vgg_19:randm:3'; one of NAME"),
        (["--by", "vgg_19:random:x"], "--by got 'vgg_19:random:x'"),
        (["--by", "vgg_19:random", "--input-range", 0, 1], "--input-range is for Keras models"),
        (["--by", "MODEL"], "has no labels"),
        (["--by", "word_aliased:random", "--by", "vgg_91"], "no network 'vgg_91'"),
        (["--by", "MODEL", "--rule", "median"], "'median' is not one of"),
        (["--by", "MODEL", "--labels", "LABELS", "--by", "MODEL"], "given 2 times"),
    ],
)
def test_a_wrong_command_line_is_one_sentence_with_status_2(run, out, model, tmp_path, arguments, complaint):
    names = {"MODEL": model, "LABELS": tmp_path / "labels.txt"}
    status, _, errors = run("recognize", out, *(names.get(argument, argument) for argument in arguments))
    assert (status, complaint in errors) == (2, True), errors
    assert not (out / "recognition.csv").exists()


def test_labels_without_a_model_of_one_s_own_are_refused(run, out, options):
    status, _, errors = run("recognize", out, "--by", "vgg_19:random", *options)
    assert (status, "--labels is for a model or an architecture" in errors) == (2, True)


@pytest.mark.parametrize(
    ("judge", "expected", "named"),
    [
        ("nothing.keras", 1, "nothing.keras"),
        ("release:nowhere", 1, "nowhere"),
        ("vgg_19=nothing.ckpt", 1, "nothing.ckpt"),
        ("nothing.json:random", 2, "nothing.json"),
    ],
)
def test_weights_that_are_not_there_are_named(run, out, judge, expected, named):
    status, _, errors = run("recognize", out, "--by", judge)
    assert (status, named in errors, errors.count("\n")) == (expected, True, 1), errors


def test_a_folder_without_metamers_is_named_before_networks_are_loaded(run, tmp_path):
    status, _, errors = run("recognize", tmp_path, "--by", "vgg_19:random")
    assert (status, "There is no finished metamer" in errors) == (1, True)


def test_help_lists_the_forms_of_a_judge(run):
    status, output, _ = run("recognize", "--help")
    assert status == 0
    assert "NAME:random:SEED" in output and "release:DIR:NAME" in output


def test_forms_of_judges(tmp_path):
    as_text = {
        form: {option: str(value) for option, value in parse_judge(form).items()}
        for form in (
            "vgg_19",
            "vgg_19:random",
            "vgg_19:random:3",
            "vgg_19=a/b:c=d.ckpt",
            "a:b/mine.keras",
            "release:some/folder",
            "release:some/folder:word_aliased",
            f"release:{tmp_path}",
            "nets/mine.json=x.ckpt",
            "nets/mine.pckl:random:2",
        )
    }
    assert list(as_text.values()) == [
        {"name": "vgg_19"},
        {"name": "vgg_19", "weights": "random", "weights_seed": "0"},
        {"name": "vgg_19", "weights": "random", "weights_seed": "3"},
        {"name": "vgg_19", "checkpoint": "a/b:c=d.ckpt"},
        {"keras_model": "a:b/mine.keras"},
        {"release": "some/folder"},
        {"release": "some/folder", "name": "word_aliased"},
        {"release": str(tmp_path)},
        {"architecture": "nets/mine.json", "checkpoint": "x.ckpt"},
        {"architecture": "nets/mine.pckl", "weights": "random", "weights_seed": "2"},
    ]
    for wrong in ("", "vgg_19:", "vgg_19=", ":random", "vgg_19:random:-1"):
        with pytest.raises(ArgumentError, match="was expected"):
            parse_judge(wrong)
