"""An experiment on a Dask cluster: one task per item; workers receive plain data and load the networks themselves.

The scheduler decides nothing that matters: who does an item is settled by claims on disk, as without Dask, so that a
scheduler that dies loses nothing.
"""

import contextlib
import importlib.metadata
import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from tfmetamers.errors import ArgumentError, ResultError
from tfmetamers.experiments.agenda import FAILED, TAKEN, Agenda, Outcome
from tfmetamers.experiments.experiment import Experiment
from tfmetamers.experiments.items import Item
from tfmetamers.version import __version__

if TYPE_CHECKING:
    import distributed

#: How many seconds a scheduler has to answer, and to have a worker.
SECONDS_TO_ANSWER, SECONDS_FOR_A_WORKER = 10, 60

#: How often a task is tried again after an error of its worker.
RETRIES = 2


@contextlib.contextmanager
def local_client(workers: int) -> "Iterator[distributed.Client]":
    """Start workers on this machine, each a process that does one item at a time, and yield their client.

    Args:
        workers: how many.

    Raises:
        ArgumentError: Dask is not installed.
    """
    distributed = _dask()
    cluster = distributed.LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        memory_limit=0,  # TensorFlow's memory is not Dask's to manage.
        dashboard_address="127.0.0.1:0",
        silence_logs="CRITICAL",
    )
    with cluster, distributed.Client(cluster) as client:
        yield client


@contextlib.contextmanager
def remote_client(address: str) -> "Iterator[distributed.Client]":
    """Yield the client of a scheduler that is there already.

    Args:
        address: such as ``tcp://10.0.0.1:8786``.

    Raises:
        ArgumentError: Dask is not installed, or the scheduler does not answer.
    """
    distributed = _dask()
    try:
        client = distributed.Client(address, timeout=SECONDS_TO_ANSWER)
    except (OSError, ValueError) as error:
        raise ArgumentError(
            f"The scheduler {address} did not answer within {SECONDS_TO_ANSWER} seconds; start one with 'dask "
            "scheduler', or check the address."
        ) from error
    with client:
        yield client


def run_on_cluster(
    experiment: Experiment,
    items: Sequence[Item],
    client: "distributed.Client",
    report: Callable[[Item, Outcome], None],
    *,
    threads: int | None = None,
    share_gpus: bool = False,
) -> None:
    """Have a cluster's workers do items until each is done, has failed or is worked on by others.

    Args:
        experiment: the experiment; its output folder is one that all workers see.
        items: the items, in the order in which they are begun.
        client: the cluster's client.
        report: called with each item that was tried.
        threads: how many threads TensorFlow uses in each worker; None leaves that to TensorFlow.
        share_gpus: whether the workers are on one machine and share out its GPUs, one each.

    Raises:
        ArgumentError: there is no worker, one has another version of the package, or does not see the output folder.
        ResultError: the scheduler is gone.
    """
    from tfmetamers.experiments.cluster_worker import ExperimentPlugin

    _check_workers(client, experiment)
    plugin = ExperimentPlugin(experiment, threads, share_gpus)
    client.register_plugin(plugin, name=plugin.name)
    tasks = _Tasks(experiment, client, plugin.name)
    agenda = Agenda(experiment, items)
    try:
        while True:
            tasks.submit(agenda.ready())
            for item, outcome in tasks.finished():
                agenda.note(item, outcome)
                if outcome.state != TAKEN:
                    report(item, outcome)
                    tasks.submit(agenda.ready())
            if not agenda.has_more():
                return
    finally:
        with contextlib.suppress(Exception):  # The scheduler may be gone.
            client.unregister_worker_plugin(plugin.name)


class _Tasks:
    """Items as tasks of a cluster."""

    def __init__(self, experiment: Experiment, client: "distributed.Client", plugin: str):
        self._experiment, self._client, self._plugin = experiment, client, plugin
        self._items: dict[distributed.Future, Item] = {}
        self._running = _dask().as_completed()
        self._submitted = 0

    def submit(self, items: Iterator[Item]) -> None:
        """Have items done, the first ones first."""
        from tfmetamers.experiments.cluster_worker import attempt

        for item in items:
            self._submitted += 1
            future = self._client.submit(
                attempt, self._plugin, item, __version__, pure=False, retries=RETRIES, priority=-self._submitted
            )
            self._items[future] = item
            self._running.add(future)

    def finished(self) -> Iterator[tuple[Item, Outcome]]:
        """Yield each item, and what became of it, as it is finished, until none is left."""
        for future in self._running:
            item = self._items.pop(future)
            yield item, self._outcome(item, future)

    def _outcome(self, item: Item, future: "distributed.Future") -> Outcome:
        from distributed.scheduler import KilledWorker

        if future.status == "cancelled":
            raise ResultError(
                "The scheduler is gone. What is finished is kept, and what was begun goes on from its last saved "
                "state: run the experiment again."
            )
        error = future.exception()
        if error is None:
            return future.result()
        if not isinstance(error, KilledWorker):
            raise error
        claim = self._experiment.take(item, self._experiment.claims.find(item.key))
        if claim is None:
            return Outcome(TAKEN)
        reasons = {item.describe(): "Its workers died repeatedly, as they do when memory runs out."}
        claim.fail(reasons)
        return Outcome(FAILED, reasons)


def _check_workers(client: "distributed.Client", experiment: Experiment) -> None:
    """Refuse a cluster without workers, or with some that cannot do the experiment."""
    address = client.scheduler.address
    try:
        client.wait_for_workers(1, timeout=SECONDS_FOR_A_WORKER)
    except TimeoutError as error:
        raise ArgumentError(
            f"The scheduler {address} has no worker; start some with 'dask worker {address} --nthreads 1'."
        ) from error
    versions = client.run(importlib.metadata.version, "tfmetamers", on_error="return")
    for worker, version in versions.items():
        if version != __version__:
            found = f"tfmetamers {version}" if isinstance(version, str) else "no tfmetamers"
            raise ArgumentError(
                f"The worker {worker} has {found}, and this is tfmetamers {__version__}; install the same everywhere."
            )
    for worker, is_there in client.run(os.path.isdir, str(experiment.out)).items():
        if not is_there:
            raise ArgumentError(
                f"The worker {worker} does not see {experiment.out}; give an output folder that all workers share."
            )


def _dask():
    try:
        import distributed
    except ImportError as error:
        raise ArgumentError(
            "Workers need Dask, which is not installed: pip install 'tfmetamers[cluster]'. Without it, start the "
            "experiment several times with --shard 1/2, --shard 2/2."
        ) from error
    return distributed
