"""An experiment of two bundled networks, made once by one worker."""

import dataclasses
import shutil

import pytest

from tests.experiments.making import write_experiment, write_sounds
from tfmetamers.experiments.collection import collect
from tfmetamers.experiments.experiment import Experiment
from tfmetamers.experiments.work import Worker

RECOGNITION = '[recognition]\njudges = ["small_word_aliased"]\ninclude_failed = true\n'


def work(file, **options):
    """Have one worker do an experiment, and return the experiment and what became of each item."""
    experiment = Experiment.plan(file)
    experiment.keep()
    told = []
    Worker(experiment, **options).work(experiment.items, lambda *each: told.append(each))
    return experiment, told


@dataclasses.dataclass
class Made:
    """An experiment that was made, and what became of each item."""

    experiment: Experiment
    told: list

    def copy(self, folder):
        """Copy its file and stimuli into a folder, and return the copy of the file."""
        shutil.copytree(self.experiment.file.parent / "sounds", folder / "sounds")
        return shutil.copy(self.experiment.file, folder)


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    write_sounds(folder / "sounds", 2)
    file = write_experiment(folder / "mine.toml", batch_size=2, further=RECOGNITION)
    experiment, told = work(file)
    collect(experiment)
    return Made(experiment, told)
