"""Experiments of the figures on tiny settings: the real files, with fewer networks, layers, words and steps."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import tomlkit
from click.testing import CliRunner

from tfmetamers.cli.main import tfmetamers
from tfmetamers.experiments.experiment import Experiment
from tfmetamers.reproduce.catalogue import find_reproduction
from tfmetamers.reproduce.experiments import experiment_text
from tfmetamers.reproduce.results import Results

#: Which networks of each quick experiment are kept, by their places.
NETWORKS = {
    "sounds": (0, 1),
    "aliased": (0,),
    "gradients": (0, 1),
    "cochleagram": (0, 1),
    "speech": (0,),
    "targeted_sounds": (0, 1),
}

#: So few pairs that some metamers pass after so few steps.
STIMULI, STEPS, PAIRS = 3, 40, 2


@dataclass
class Made:
    """A reproduction that was made: its folder, its results, and what the command printed."""

    folder: Path
    results: dict[str, Results]
    output: str


def reduced(paper: str, name: str) -> str:
    """Return the text of a quick experiment with few networks, layers, stimuli and steps."""
    document = tomlkit.parse(experiment_text(paper, name, "quick"))
    array = tomlkit.aot()
    for place in NETWORKS[name]:
        table = document["networks"][place]
        last = 1 if name == "speech" else -1  # Late layers of speech networks have large weights.
        table["layers"] = [table["layers"][0], table["layers"][last]]
        table["settings"].update({"steps": STEPS, "learning_rate": 0.02})
        array.append(table)
    document["networks"] = array
    document["batch_size"] = STIMULI
    if "count" in document["stimuli"]:
        document["stimuli"]["count"] = STIMULI
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
        return Made(folder / found.name, results, done.output)

    return run
