"""Steps a second of an experiment on bundled networks: one worker of one thread, two of them, one of two threads.

    python benchmarks/experiment.py

Each way is measured in turn, several times, and ratios are medians over the turns. Workers are processes that do one
experiment together (`tfmetamers experiment run --shard`); what they did within a window of time, once all of them are
at work, is read from the experiment's own status, which they write down every half second here.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
from tabulate import tabulate
from workers import alternate, median_ratio

from tfmetamers.experiments import claims, heartbeat
from tfmetamers.experiments.experiment import Experiment, numbered_shard
from tfmetamers.experiments.items import SynthesisItem
from tfmetamers.experiments.work import Worker, limit_threads

EXPERIMENT = """
seeds = [{seeds}]
[stimuli]
data_set = "sample_word"
fit = "centre"
[[networks]]
network = "small_word_aliased"
layers = ["conv_2"]
settings = {{ steps = {steps} }}
"""

#: Enough that nobody comes to an end, of either.
SEEDS, STEPS = 4, 10**6

WAYS = {"one worker, one thread": (1, 1), "two workers, one thread each": (2, 1), "one worker, two threads": (1, 2)}

SECONDS_A_BEAT = 0.5


def work(file: str, number: int, count: int, threads: int) -> None:
    """Be one of several workers of an experiment."""
    claims.SECONDS_A_BEAT = heartbeat.SECONDS_A_BEAT = SECONDS_A_BEAT
    limit_threads(threads)
    experiment = Experiment.plan(file)
    Worker(experiment).work(numbered_shard(experiment.items, number, count), lambda *_: None)


class Measurement:
    """Measures one way."""

    def __init__(self, workers: int, threads: int, seconds: float):
        self._workers, self._threads, self._seconds = workers, threads, seconds

    def __call__(self) -> float:
        """Return the steps a second that the workers did together."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "speed.toml")
            file.write_text(EXPERIMENT.format(seeds=", ".join(map(str, range(SEEDS))), steps=STEPS))
            Experiment.plan(file).keep()
            processes = [
                subprocess.Popen([sys.executable, __file__, "--worker", file, str(number), str(self._workers),
                                  str(self._threads)])
                for number in range(1, self._workers + 1)
            ]  # fmt: skip
            try:
                return self._measured(Experiment.recall(file), processes)
            finally:
                for process in processes:
                    process.kill()
                    process.wait()

    def _measured(self, experiment: Experiment, processes: list[subprocess.Popen]) -> float:
        while sum(step > 20 for step in self._steps(experiment)) < self._workers:
            if any(process.poll() is not None for process in processes):
                raise SystemExit("A worker has ended; run it by itself to see why.")
            time.sleep(0.2)
        started, before = time.perf_counter(), sum(self._steps(experiment))
        time.sleep(self._seconds)
        return (sum(self._steps(experiment)) - before) / (time.perf_counter() - started)

    @staticmethod
    def _steps(experiment: Experiment) -> list[int]:
        found = experiment.claims.find_all()
        items = [item for item in experiment.items if isinstance(item, SynthesisItem) and item.key in found]
        return [found[item.key].record.step for item in items if found[item.key].record]


@click.command()
@click.option("--turns", default=3, show_default=True, help="How often each way is measured.")
@click.option("--seconds", default=30.0, show_default=True, help="How long each time.")
@click.option("--worker", nargs=4, hidden=True)
def main(turns, seconds, worker):
    """Measure, and print steps a second and ratios."""
    if worker:
        file, *numbers = worker
        return work(file, *map(int, numbers))
    measurements = {name: Measurement(*way, seconds) for name, way in WAYS.items()}
    rates = alternate(measurements, turns)
    one, two, threads = rates.values()
    click.echo(tabulate([[name, *(f"{rate:.2f}" for rate in found)] for name, found in rates.items()]))
    click.echo(f"Two workers of one thread do {median_ratio(two, one):.2f} times the work of one such worker,")
    click.echo(f"and {median_ratio(two, threads):.2f} times the work of one with two threads.")


if __name__ == "__main__":
    main()
