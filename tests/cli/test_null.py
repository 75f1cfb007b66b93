"""`tfmetamers null` as a user runs it, on a small Keras model."""

import json
import pickle
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from tfmetamers.cli import main as command_line
from tfmetamers.inclusion.null import NullDistribution
from tfmetamers.plotting.nulls import plot_null


@pytest.fixture
def model(small_model, tmp_path):
    small_model.save(tmp_path / "mine.keras")
    return ["--network", tmp_path / "mine.keras"]


@pytest.fixture
def folder(tmp_path):
    generator = np.random.default_rng(8)
    for name in ("bear/a", "bear/b", "dog/a", "dog/b", "dog/c"):
        path = tmp_path / "pictures" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(generator.integers(0, 256, (32, 32, 3), np.uint8)).save(path)
    return tmp_path / "pictures"


@pytest.fixture
def null(capsys):
    """Run a command of the group and return its status, output and errors."""

    def run(*arguments):
        return command_line.run(["null", *map(str, arguments)]), *capsys.readouterr()

    return run


def rows(output):
    return {line.split()[0]: line.split()[1:] for line in output.splitlines() if line and not line.startswith("-")}


def test_build_merge_and_show(null, model, folder, tmp_path):
    (tmp_path / "manifest.csv").write_text("id,file\nbear,pictures/bear/a.png\ndog,pictures/dog/a.png\n")
    build = ["build", *model, "--layer", "all", "--seed", 3]
    all_pairs, some = tmp_path / "all.npz", tmp_path / "some.npz"
    status, output, _ = null(*build, "--stimuli", folder / "dog", "--pairs", 3, "--output", all_pairs)
    assert status == 0
    assert "3 different stimuli" in output and "3 pairs, blocks, seed 3" in output
    status, output, _ = null(*build, "--stimuli", tmp_path / "manifest.csv", "--pairs", 1, "--output", some)
    assert status == 0
    status, output, _ = null("merge", all_pairs, some, "--output", tmp_path / "merged.npz")
    assert status == 0
    merged = NullDistribution.load(tmp_path / "merged.npz")
    assert (merged.pairs_count, merged.distinct_stimuli) == (4, 4)
    status, output, _ = null("show", tmp_path / "merged.npz", "--figure", tmp_path / "figure.png")
    assert status == 0
    assert f"mine, weights with SHA-256 {merged.network['digest'][:12]}" in output
    assert "4 overlapping pairs of 4 stimuli; design blocks, seed 3" in output and "2 null distributions" in output
    table = rows(output)
    assert set(merged.layers) <= table.keys()
    quantiles = [f"{merged.quantile('block', share):.4f}" for share in (0.5, 0.999, 1)]
    maxima = [f"{merged.maximum('block', measure):.4f}" for measure in ("pearson", "snr")]
    assert table["block"] == ["4", "0", *quantiles, *maxima]
    shown = {row["layer"]: row for row in json.loads(null("show", tmp_path / "merged.npz", "--json")[1])}
    assert shown["block"]["maximum"] == merged.maximum("block") and shown["block"]["pairs"] == 4
    with Image.open(tmp_path / "figure.png") as figure:
        assert len(figure.convert("RGB").getcolors(2**24)) > 50
    # What a run that was killed at its very end left goes with the next one.
    (tmp_path / "some.npz.unfinished").mkdir()
    (tmp_path / "some.npz.unfinished" / "settings.json").write_text("{}")
    assert null(*build, "--stimuli", tmp_path / "manifest.csv", "--pairs", 1, "--output", some)[0] == 0
    assert not (tmp_path / "some.npz.unfinished").exists()
    pickled = tmp_path / "word_null.pckl"
    pickled.write_bytes(pickle.dumps({"block": np.array([0.5])}))
    for files, out, expected, named in (
        ([all_pairs, some], some, 2, "some.npz"),
        ([some], tmp_path / "other.npz", 2, "some.npz"),
        ([some, pickled], tmp_path / "other.npz", 1, "word_null.pckl"),
        ([all_pairs, all_pairs], tmp_path / "other.npz", 1, "3 pairs"),
    ):
        status, _, errors = null("merge", *files, "--output", out)
        assert (status, named in errors) == (expected, True), errors


def test_copies_and_broken_files_are_named_and_counted(null, model, folder, tmp_path):
    (folder / "broken.png").write_bytes(b"nothing")
    (folder / "copy.png").write_bytes((folder / "bear/a.png").read_bytes())
    out = tmp_path / "null.npz"
    build = ["build", *model, "--layer", "flat", "--stimuli", folder, "--pairs", 10, "--output", out]
    status, output, errors = null(*build)
    assert status == 0
    assert "5 different stimuli" in output
    assert "1 copy left out: copy is a copy of bear/a" in output
    assert "1 file" in errors and "\n  broken: " in errors
    assert "1 copy, 1 file" in null("show", out)[1]


@pytest.mark.parametrize(
    ("options", "status", "named"),
    [
        (["--pairs", "11"], 2, "10 pairs"),
        (["--pairs", "0"], 2, "0 is not in the range"),
        (["--pairs", "2", "--layer", "blok"], 2, "'blok'"),
        (["--pairs", "2", "--design", "both"], 2, "'both'"),
        (["--pairs", "2", "--memory", "4 apples"], 2, "'4 apples'"),
        (["--pairs", "2", "--fit", "pad"], 2, "'pad'"),
        (["--pairs", "2", "--stimuli", "nowhere"], 1, "nowhere"),
        (["--pairs", "2", "--output", "null.txt"], 2, ".npz"),
        (["--pairs", "2", "--network", "vgg_91"], 2, "vgg_19"),
    ],
)
def test_what_cannot_be_built_is_one_sentence(null, model, folder, tmp_path, options, status, named):
    out = tmp_path / "out" / "null.npz"
    found, _, errors = null("build", *model, "--layer", "flat", "--stimuli", folder, "--output", out, *options)
    assert (found, named in errors, "Traceback" in errors) == (status, True, False), errors
    assert not out.parent.exists()


def test_sizes_of_memory():
    from tfmetamers.cli.memory_size import MemorySize

    sizes = {"4GB": 4 * 10**9, "1.5 GiB": 3 * 2**29, "2k": 2000, "123": 123, "7b": 7}
    assert {size: MemorySize().convert(size, None, None) for size in sizes} == sizes


@pytest.mark.slow
def test_ctrl_c_ends_with_130_and_the_same_command_goes_on(model, folder, tmp_path):
    layers = ["--layer", "flat", "--layer", "logits"]
    arguments = ["null", "build", *model, *layers, "--stimuli", folder, "--pairs", 10, "--memory", "1B"]
    # A shell's background job would ignore Ctrl-C.
    script = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    script += "from tfmetamers.cli.main import main; main()"
    command = [sys.executable, "-c", script, *map(str, arguments), "--output"]
    subprocess.run([*command, tmp_path / "whole.npz"], check=True, capture_output=True)
    out = tmp_path / "stopped.npz"
    unfinished = tmp_path / "stopped.npz.unfinished"
    process = subprocess.Popen([*command, out], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not list(unfinished.glob("block_*.npz")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "same command again" in errors
    assert "Traceback" not in errors
    assert unfinished.exists() and not out.exists()
    subprocess.run([*command, out], check=True, capture_output=True)
    assert out.read_bytes() == (tmp_path / "whole.npz").read_bytes()
    assert not unfinished.exists()


@pytest.mark.filterwarnings("error")
def test_the_figure_has_a_panel_for_each_layer_with_its_maximum(tmp_path):
    layers = {"low": np.array([-0.5, 0.1]), "high": np.array([0.9, np.nan]), "none": np.full(2, np.nan)}
    figure = plot_null(NullDistribution(None, layers, source="word.pckl"))
    panels = {axes.get_title(): axes for axes in figure.axes if axes.get_title()}
    assert list(panels) == ["low", "high", "none"]
    for name, written in (("low", " 0.100 "), ("high", " 0.900 "), ("none", "no pair has a coefficient")):
        assert [text.get_text() for text in panels[name].texts] == [written]
    assert sum(patch.get_height() for patch in panels["low"].patches) == 2
    assert sum(patch.get_height() for patch in panels["high"].patches) == 1
    assert "word.pckl" in figure.get_suptitle()
    # Coefficients that are all 1 have a bar, and a figure without any coefficient is drawn.
    [axes] = plot_null(NullDistribution(None, {"logits": np.ones(3)})).axes
    assert sum(patch.get_height() * (patch.get_width() > 0) for patch in axes.patches) == 3
    plot_null(NullDistribution(None, {"dead": np.full(2, np.nan)})).savefig(tmp_path / "null.png")


def test_the_authors_pickles_are_shown_too(null, tmp_path):
    path = tmp_path / "word_aliased_null_dist_spearman_r.pckl"
    path.write_bytes(pickle.dumps({"conv_4": np.array([0.25, 0.5, np.nan])}, 2))
    status, output, _ = null("show", path)
    assert status == 0
    assert "unrecorded network" in output and "3 pairs of unrecorded stimuli" in output
    assert rows(output)["conv_4"] == ["3", "1", "0.3750", "0.4998", "0.5000"]
    status, _, errors = null("show", tmp_path / "missing.npz")
    assert (status, "missing.npz" in errors) == (1, True)
