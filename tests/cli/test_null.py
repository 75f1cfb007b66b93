"""`tfmetamers null` as a user runs it, on a small Keras model."""

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
    return ["--keras-model", tmp_path / "mine.keras"]


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
    assert "4 pairs that share stimuli, of 4 stimuli; design blocks, seed 3" in output
    assert "merged from 2 distributions" in output
    table = rows(output)
    assert set(merged.layers) <= table.keys()
    quantiles = [f"{merged.quantile('block', share):.4f}" for share in (0.5, 0.999, 1)]
    assert table["block"] == ["4", "0", *quantiles]
    with Image.open(tmp_path / "figure.png") as figure:
        assert len(figure.convert("RGB").getcolors(2**24)) > 50
    assert null("merge", all_pairs, some, "--output", some)[0] == 2
    status, _, errors = null("merge", some, "--output", tmp_path / "one.npz")
    assert (status, "some.npz alone was given to merge" in errors) == (2, True)
    pickled = tmp_path / "word_null.pckl"
    pickled.write_bytes(pickle.dumps({"block": np.array([0.5])}))
    status, _, errors = null("merge", some, pickled, "--output", tmp_path / "one.npz")
    assert (status, "word_null.pckl does not record its pairs and cannot be merged" in errors) == (1, True)
    (tmp_path / "some.npz.unfinished").mkdir()
    (tmp_path / "some.npz.unfinished" / "settings.json").write_text("{}")
    assert null(*build, "--stimuli", tmp_path / "manifest.csv", "--pairs", 1, "--output", some)[0] == 0
    assert not (tmp_path / "some.npz.unfinished").exists()
    status, _, errors = null("merge", all_pairs, all_pairs, "--output", tmp_path / "twice.npz")
    assert (status, "3 pairs are in more than one" in errors) == (1, True)


def test_copies_and_broken_files_are_named_and_counted(null, model, folder, tmp_path):
    (folder / "broken.png").write_bytes(b"nothing")
    (folder / "copy.png").write_bytes((folder / "bear/a.png").read_bytes())
    out = tmp_path / "null.npz"
    status, output, _ = null("build", *model, "--layer", "flat", "--stimuli", folder, "--pairs", 10, "--output", out)
    assert status == 0
    assert "5 different stimuli" in output
    assert "1 copies left out: copy is a copy of bear/a" in output
    assert "1 stimuli left out that cannot be loaded:\n  broken: " in output
    output = null("show", out)[1]
    assert "left out: 1 duplicates\nleft out: 1 broken" in output


@pytest.mark.parametrize(
    ("options", "status", "complaint"),
    [
        (["--pairs", "11"], 2, "11 pairs were asked for, and 5 stimuli have 10 pairs"),
        (["--pairs", "3", "--design", "independent"], 2, "5 stimuli have 2 independent pairs"),
        (["--pairs", "0"], 2, "0 is not in the range"),
        (["--pairs", "2", "--layer", "blok"], 2, "no layer of mine called 'blok'; the nearest are block"),
        (["--pairs", "2", "--design", "both"], 2, "'both' is not one of 'blocks', 'independent'"),
        (["--pairs", "2", "--memory", "4 apples"], 2, "'4 apples' is no size of memory"),
        (["--pairs", "2", "--memory", "0GB"], 2, "'0GB' is no size of memory"),
        (["--pairs", "2", "--fit", "pad"], 2, "Fitting by 'pad' is for sounds"),
        (["--pairs", "2", "--stimuli", "nowhere"], 1, "There is no nowhere"),
        (["--pairs", "2", "--output", "null.txt"], 2, "a name that ends in .npz was expected"),
    ],
)
def test_what_cannot_be_built_is_one_sentence(null, model, folder, tmp_path, options, status, complaint):
    out = tmp_path / "out" / "null.npz"
    found, _, errors = null("build", *model, "--layer", "flat", "--stimuli", folder, "--output", out, *options)
    assert (found, complaint in errors) == (status, True), errors
    assert not out.parent.exists()


def test_a_folder_with_one_picture_is_refused(null, model, folder, tmp_path):
    for path in folder.glob("dog/*"):
        path.unlink()
    (folder / "bear/b.png").unlink()
    status, _, errors = null(
        "build", *model, "--layer", "flat", "--stimuli", folder, "--pairs", 1, "--output", tmp_path / "null.npz"
    )
    assert (status, "leaves 1; a null distribution needs two or more" in errors) == (1, True)


@pytest.mark.parametrize(
    ("size", "expected"),
    [("4GB", 4 * 10**9), ("500MB", 5 * 10**8), ("1.5 GiB", 3 * 2**29), ("2k", 2000), ("123", 123), ("7b", 7)],
)
def test_sizes_of_memory(size, expected):
    from tfmetamers.cli.memory_size import MemorySize

    assert MemorySize().convert(size, None, None) == expected


def test_ctrl_c_ends_with_130_and_the_same_command_goes_on(model, folder, tmp_path):
    arguments = [
        "null",
        "build",
        *model,
        "--layer",
        "flat",
        "--layer",
        "logits",
        "--stimuli",
        folder,
        "--pairs",
        10,
        "--memory",
        "1B",
    ]
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
    assert errors.endswith("Stopped. The same command goes on from here.\n")
    assert "Traceback" not in errors
    assert unfinished.exists() and not out.exists()
    subprocess.run([*command, out], check=True, capture_output=True)
    assert out.read_bytes() == (tmp_path / "whole.npz").read_bytes()
    assert not unfinished.exists()


def test_the_figure_has_a_panel_a_layer_with_its_maximum():
    layers = {"low": np.array([-0.5, 0.1]), "high": np.array([0.9, np.nan]), "none": np.full(2, np.nan)}
    figure = plot_null(NullDistribution(None, layers))
    panels = {axes.get_title(): axes for axes in figure.axes if axes.get_title()}
    assert list(panels) == ["low", "high", "none"]
    for name, written in (("low", " 0.100 "), ("high", " 0.900 "), ("none", "no pair has a coefficient")):
        assert [text.get_text() for text in panels[name].texts] == [written]
    assert sum(patch.get_height() for patch in panels["low"].patches) == 2
    assert sum(patch.get_height() for patch in panels["high"].patches) == 1
    assert "stimuli that are not recorded" in figure.get_suptitle()


def test_coefficients_that_are_all_1_have_a_bar():
    [axes] = plot_null(NullDistribution(None, {"logits": np.ones(3)})).axes
    assert sum(patch.get_height() * (patch.get_width() > 0) for patch in axes.patches) == 3


@pytest.mark.filterwarnings("error")
def test_a_figure_without_any_coefficient_is_drawn(tmp_path):
    plot_null(NullDistribution(None, {"dead": np.full(2, np.nan)})).savefig(tmp_path / "null.png")


def test_the_authors_pickles_are_shown_too(null, tmp_path):
    path = tmp_path / "word_aliased_null_dist_spearman_r.pckl"
    path.write_bytes(pickle.dumps({"conv_4": np.array([0.25, 0.5, np.nan])}, 2))
    status, output, _ = null("show", path)
    assert status == 0
    assert "a network that is not recorded\n3 pairs of stimuli that are not recorded" in output
    assert rows(output)["conv_4"] == ["3", "1", "0.3750", "0.4998", "0.5000"]
    status, _, errors = null("show", tmp_path / "missing.npz")
    assert (status, "There is no file" in errors) == (1, True)
