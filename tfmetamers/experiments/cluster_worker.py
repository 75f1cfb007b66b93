"""What happens in the workers of a Dask cluster."""

import dataclasses
import os
import threading
from pathlib import Path

import distributed

from tfmetamers.errors import ArgumentError
from tfmetamers.experiments.agenda import Outcome
from tfmetamers.experiments.experiment import Experiment
from tfmetamers.experiments.items import Item
from tfmetamers.experiments.work import Worker, limit_threads
from tfmetamers.version import __version__


class ExperimentPlugin(distributed.WorkerPlugin):
    """What a worker keeps from one item to the next: the networks that it has loaded.

    Attributes:
        name: tells the experiment from others of the cluster.
    """

    def __init__(self, experiment: Experiment, threads: int | None, share_gpus: bool):
        self.name = f"tfmetamers {experiment.out}"
        self._experiment = dataclasses.replace(experiment)  # Without the items, which come one by one.
        self._threads, self._share_gpus = threads, share_gpus

    def setup(self, worker: distributed.Worker) -> None:
        """Begin in a worker."""
        if self._share_gpus:
            choose_gpu(worker.name)
        self._lock = threading.Lock()
        self._worker: Worker | None = None

    def attempt(self, item: Item) -> Outcome:
        """Do an item, if nobody else does; one at a time, however many threads the worker has."""
        with self._lock:
            if self._worker is None:
                limit_threads(self._threads)
                self._worker = Worker(self._experiment)
            return self._worker.attempt(item)


def attempt(plugin: str, item: Item, version: str) -> Outcome:
    """Do an item in the worker that this is called in.

    Args:
        plugin: the name of the experiment's `ExperimentPlugin`.
        item: the item.
        version: the version of tfmetamers of whoever asks.

    Raises:
        ArgumentError: this worker has another version.
    """
    worker = distributed.get_worker()
    if version != __version__:
        raise ArgumentError(
            f"The worker {worker.address} has tfmetamers {__version__}, and {version} was expected; install the same "
            "everywhere."
        )
    return worker.plugins[plugin].attempt(item)


def choose_gpu(number: int) -> None:
    """Have this process see one of the machine's GPUs, if it has any; TensorFlow must not have been imported.

    Args:
        number: of the worker, from 0; workers take the GPUs in turn.
    """
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is None:
        devices = sorted(path.name.removeprefix("nvidia") for path in Path("/dev").glob("nvidia[0-9]*"))
    else:
        devices = [device for device in named.split(",") if device]
    if devices:
        os.environ["CUDA_VISIBLE_DEVICES"] = devices[number % len(devices)]
