"""The script of the networks of words: which are trained, and how the size of one perturbation is chosen."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.scripts import load_script


@pytest.fixture
def script():
    return load_script("targeted_networks")


@pytest.fixture
def trained(script, monkeypatch):
    """The names and options of networks that are trained, and what each pilot reaches, which can be set."""
    reached, options = {}, {}

    def train(architecture, corpus, folder, given):
        options[folder.name] = [architecture, *given]
        return reached.get(folder.name, 0.0)

    monkeypatch.setattr(script, "train", train)
    return reached, options


@pytest.mark.parametrize(
    ("accuracies", "chosen"), [((0.88, 0.80, 0.74, 0.5), "4"), ((0.9, 0.9, 0.9, 0.76), "16"), ((0.1,) * 4, "2")]
)
def test_the_largest_size_is_taken_that_costs_little(script, trained, accuracies, chosen):
    reached, _ = trained
    reached |= {"standard": 0.9}
    reached |= {f"cochleagram_{eps}": value for eps, value in zip(script.COCHLEAGRAM_EPS, accuracies, strict=True)}
    assert script.pilot(Path("corpus"), Path("pilots")) == chosen


def test_each_condition_is_trained_from_each_seed(script, trained, tmp_path, monkeypatch):
    monkeypatch.setattr(script, "test_words", lambda corpus, work: work / "test_words.csv")
    done = CliRunner().invoke(script.main, ["--corpus", str(tmp_path), "--output", str(tmp_path / "networks")])
    assert done.exit_code == 0, done.output
    _, options = trained
    networks = {f"{condition}_{seed}" for condition in script.CONDITIONS for seed in (10, 11, 12)}
    assert networks == {name for name in options if not name.startswith("cochleagram_") and name != "standard"}
    eps = options["adversarial_cochleagram_11"]
    assert eps[eps.index("--eps") + 1] == "16" and eps[eps.index("--seed") + 1] == "11"
    assert options["reduced_aliasing_12"][0] == "small_word_reduced_aliasing"
