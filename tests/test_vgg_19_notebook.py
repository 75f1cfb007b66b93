"""The published notebook's losses beside ours, on VGG-19 with weights of 8 bits, for one step."""

import pytest
from click.testing import CliRunner

from tests.golden import GOLDEN
from tests.scripts import load_script


@pytest.mark.slow
def test_it_prints_published_losses_beside_ours(vgg_19_8bit, tmp_path):
    options = ["--checkpoint", vgg_19_8bit, "--layer", "conv1_2", "--layer", "conv5_4", "--steps", 1]
    arguments = [GOLDEN / "paper_stimuli" / "pocketwatch.jpg", *options, "--output", tmp_path]
    done = CliRunner().invoke(load_script("vgg_19_notebook").main, list(map(str, arguments)))
    assert done.exit_code == 0, done.output
    rows = [line.split() for line in done.output.splitlines() if line.startswith("0 ")]
    assert [row[1] for row in rows] == ["3.77353e+10", "3.6552e+06"]
    assert all(abs(float(row[4]) - 1) < 0.03 for row in rows)
