"""A family of networks from somebody else's package, found by its entry point and used by name in every command."""

import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas
import pytest
from PIL import Image

PACKAGE = Path(__file__).parent / "outside_family"


def run_commands(folder: Path, installed: Path, *commands: str) -> subprocess.CompletedProcess:
    """Run commands of the command line one after another, until one fails, with what is installed in a folder."""
    code = f"""
import sys
from tfmetamers.cli.main import run
for command in {commands!r}:
    if status := run(command.split()):
        sys.exit(status)
"""
    paths = os.pathsep.join(filter(None, [str(installed), os.environ.get("PYTHONPATH")]))
    command, environment = [sys.executable, "-c", code], {**os.environ, "PYTHONPATH": paths}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder that pip installed the package into."""
    source, target = tmp_path_factory.mktemp("source") / "package", tmp_path_factory.mktemp("installed")
    shutil.copytree(PACKAGE, source, ignore=shutil.ignore_patterns("__pycache__"))
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--target", target]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, source], check=True, capture_output=True)
    return target


@pytest.fixture
def folder(tmp_path):
    generator = np.random.default_rng(0)
    for number in range(4):
        path = tmp_path / "pictures" / ("bear", "dog")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(generator.integers(0, 256, (16, 16, 3), np.uint8)).save(path)
    return tmp_path


def test_it_is_made_judged_and_asked_by_its_name(installed, folder):
    done = run_commands(
        folder,
        installed,
        "networks show two_relus",
        "synth --network two_relus:random:3 --layer all --steps 2 --batch-size 4 --output out pictures",
        "null build --network two_relus:random:3 --layer all --stimuli pictures --pairs 6 --output null.npz",
        "evaluate out --null null.npz --no-report",
        "recognize out --by two_tanhs@16 --by two_relus:random:3 --include-failed",
    )
    assert done.returncode == 0, done.stderr
    layers = ("first", "second", "logits")
    folders = {
        layer: [
            folder / "out" / f"two_relus~random-3/{layer}~steps-2/{stimulus}/0"
            for stimulus in ("bear/0", "bear/2", "dog/1", "dog/3")
        ]
        for layer in layers
    }
    assert {path.parent for path in (folder / "out").rglob("verdict.json")} == {*itertools.chain(*folders.values())}
    # Tables have the layers from the input to the output, as the family lists them, and not by their names.
    judges = pandas.read_csv(folder / "out" / "recognition_summary.csv")
    assert tuple(judges["layer"].unique()) == ("natural", *layers)
    assert set(judges["judge"]) == {"two_tanhs", "two_relus"}
    record = json.loads((folders["first"][0] / "metamer.json").read_text())
    assert record["network"]["spec"] == {"family": "two_layers", "name": "two_relus", "random_seed": 3}
    assert record["layer"]["relu_rule"] == "straight-through (1 ReLU)"
    without = run_commands(folder, folder, "evaluate out --no-report")
    assert without.returncode == 1
    assert "two_layers" in without.stderr and "Traceback" not in without.stderr


@pytest.mark.parametrize(
    ("content", "at_fault"),
    [
        ("FAMILY = 'mine'", "'mine'"),
        ("from tfmetamers.networks import NetworkFamily\nFAMILY = NetworkFamily()", "NetworkFamily object"),
        ("from tfmetamers.networks.families.keras import FAMILY", "KerasFamily object"),
        ("FAMILY = missing", "NameError"),
    ],
    ids=["not a family", "without a name", "a name that is taken", "an error of its own"],
)
def test_an_entry_point_that_is_broken_is_one_sentence(tmp_path, content, at_fault):
    information = tmp_path / "broken-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[tfmetamers.networks]\nmine = broken_family:FAMILY\n")
    (tmp_path / "broken_family.py").write_text(content)
    done = run_commands(tmp_path, tmp_path, "synth --network vgg_19 --layer conv1_2 .")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "mine = broken_family:FAMILY" in done.stderr and at_fault in done.stderr
