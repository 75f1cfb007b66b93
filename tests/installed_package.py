"""What a wheel brings along, where it is installed; `make package` runs this in an environment of its own."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tfmetamers as tm
from tfmetamers.inclusion.bundled import bundled_nulls
from tfmetamers.metamers.folder import load_metamers
from tfmetamers.networks.auditory.trained_folder import bundled_networks
from tfmetamers.people import assets

PACKAGE = Path(tm.__file__).parent


def test_it_is_the_installed_package_that_is_tested():
    assert PACKAGE.is_relative_to(sys.prefix)


@pytest.mark.parametrize("name", sorted(bundled_networks()) or ["no network"])
def test_bundled_networks_answer(name):
    network = tm.load_network(name)
    sound = network.domain.load(tm.stimuli.sample_word(), "centre")
    [answer] = network.predict(np.stack([sound]))
    assert answer.label in network.labels


def test_every_bundled_network_has_its_null_distribution():
    assert {file.parent for file in bundled_nulls()} == set(bundled_networks().values())


@pytest.mark.parametrize(
    "manifest", [tm.stimuli.sample_words(), tm.stimuli.sample_mixtures()], ids=lambda path: path.stem
)
def test_sample_stimuli_are_there(manifest):
    files = [manifest.parent / name for name in pd.read_csv(manifest)["file"]]
    assert len(files) >= 40 and all(file.stat().st_size > 1000 for file in files)


def test_assets_of_the_page_are_there():
    page = (PACKAGE / "people" / "page" / "index.html").read_text(encoding="utf-8")
    names = assets.named_files(page)
    assert names
    for name in names:
        assert assets.find_file(name).is_relative_to(PACKAGE), f"{name} would be fetched"


def test_a_metamer_is_made_by_the_command(tmp_path):
    command = [Path(sys.prefix) / "bin" / "tfmetamers", "synth", "--network", "small_word_aliased", "--layer", "conv_2"]
    options = ["--steps", "3", "--fit", "centre", "--output", tmp_path / "metamers", tm.stimuli.sample_word()]
    subprocess.run([*command, *options], check=True)
    [made] = load_metamers(tmp_path / "metamers")
    assert made.losses[-1] < made.losses[0]
