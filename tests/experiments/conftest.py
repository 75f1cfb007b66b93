"""An experiment of two small networks, made once by one worker."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from tests.experiments.making import write_experiment, write_sounds
from tfmetamers.experiments.collection import collect
from tfmetamers.experiments.experiment import Experiment
from tfmetamers.experiments.work import Worker


def work(file, **options):
    """Have one worker do an experiment, and return the experiment and what became of each item."""
    experiment = Experiment.plan(file)
    experiment.keep()
    outcomes = []
    Worker(experiment, **options).work(experiment.items, lambda *each: outcomes.append(each))
    return experiment, outcomes


@pytest.fixture(scope="session")
def networks(tmp_path_factory, small_architecture):
    """Two networks and their layers; the file of both stays where it is, since records name it."""
    from tfmetamers.networks.auditory.architecture import write_architecture

    file = tmp_path_factory.mktemp("networks") / "small.json"
    write_architecture(small_architecture, file)
    return {f"{file}:random:1": ("conv_1", "logits"), f"{file}:random:2": ("conv_1",)}


@pytest.fixture(scope="session")
def one(networks):
    """One network and one layer."""
    return {next(iter(networks)): ("conv_1",)}


@pytest.fixture(scope="session")
def recognition(one):
    """The table of an experiment that has a judge."""
    return f'[recognition]\njudges = ["{next(iter(one))}"]\ninclude_failed = true\n'


@dataclasses.dataclass
class Made:
    """An experiment that was made, and what became of each item."""

    experiment: Experiment
    outcomes: list

    def copy(self, folder):
        """Copy its file and stimuli into a folder, and return the copy of the file."""
        shutil.copytree(self.experiment.file.parent / "sounds", folder / "sounds")
        return Path(shutil.copy(self.experiment.file, folder))


@pytest.fixture(scope="session")
def made(tmp_path_factory, networks, recognition):
    folder = tmp_path_factory.mktemp("made")
    write_sounds(folder / "sounds", 2)
    file = write_experiment(folder / "mine.toml", networks, batch_size=2, further=recognition)
    experiment, outcomes = work(file)
    collect(experiment)
    return Made(experiment, outcomes)
