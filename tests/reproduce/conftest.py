"""Experiments of the figures on tiny settings: the real files, with fewer networks, words and steps."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import tomlkit
from click.testing import CliRunner

from tfmetamers.cli.main import tfmetamers
from tfmetamers.experiments.experiment import Experiment
from tfmetamers.reproduce.catalogue import find_reproduction, published_experiments
from tfmetamers.reproduce.experiments import experiment_text
from tfmetamers.reproduce.page import Page, write_page
from tfmetamers.reproduce.results import Results

#: What is kept of each quick experiment; the word network is the first.
NETWORKS = {"sounds": (0, 1)}
COUNT, STEPS = 3, 40

#: So few that some metamers pass after so few steps.
PAIRS = 2


@dataclass
class Made:
    """A reproduction that was made: its page, its results, and what the command printed."""

    folder: Path
    results: dict[str, Results]
    page: Page | None = None


def reduced(paper: str, name: str) -> str:
    """Return the text of a quick experiment with few networks, stimuli and steps."""
    document = tomlkit.parse(experiment_text(paper, name, "quick"))
    kept = [table for place, table in enumerate(document["networks"]) if place in NETWORKS[name]]
    array = tomlkit.aot()
    for table in kept:
        table["settings"].update({"steps": STEPS, "learning_rate": 0.02})
        array.append(table)
    document["networks"] = array
    document["stimuli"]["count"] = COUNT
    if "null" in document:
        document["null"]["pairs"] = PAIRS
    return tomlkit.dumps(document)


@pytest.fixture(scope="session")
def reproduce(tmp_path_factory):
    """A function that reproduces a figure on tiny settings by the command, and returns what was made."""
    out = tmp_path_factory.mktemp("reproduction")

    def run(name: str) -> Made:
        found = find_reproduction(name)
        folder = out / found.paper / "quick"
        for experiment in found.experiments:
            file = folder / f"{experiment}.toml"
            if not file.exists():
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(reduced(found.paper, experiment))
        done = CliRunner().invoke(tfmetamers, ["reproduce", name, "--quick", "--output", str(out), "--shard", "1/1"])
        assert done.exit_code == 0, done.output
        results = {each: Results(Experiment.recall(folder / f"{each}.toml")) for each in found.experiments}
        return Made(folder / found.name, results)

    return run


def page_of(made: Made, name: str) -> Page:
    """Write the page of a figure again, and return it."""
    found = find_reproduction(name)
    return write_page(found, "quick", made.results, published_experiments(found.paper), made.folder, "a command")
