"""All ways to do an experiment end with the same bytes, and whoever is killed loses nothing."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.experiments.making import contents, tables, write_experiment, write_sounds
from tfmetamers.experiments.collection import collect
from tfmetamers.experiments.experiment import Experiment
from tfmetamers.utilities.files import is_partial

TFMETAMERS = [sys.executable, "-c", "from tfmetamers.cli.main import main; main()", "experiment"]

#: Two bundled networks, each with a layer early and a layer late.
NETWORKS = {
    "small_word_aliased": ("conv_0", "fc_intermediate"),
    "small_word_reduced_aliasing": ("pool_0_0", "fc_intermediate"),
}

RECOGNITION = '[recognition]\njudges = ["small_word_aliased"]\ninclude_failed = true\n'


def start(*arguments, **options):
    """Start a command in a process group of its own, so that all it starts can be ended."""
    return subprocess.Popen(
        [*TFMETAMERS, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
    )


def finish(process, statuses=(0,)):
    output, _ = process.communicate(timeout=3600)
    assert process.returncode in statuses, output
    return output


def experiment_in(folder, batch_size=2, **options):
    """Write four sounds, and an experiment of two networks with two layers each."""
    folder.mkdir()
    write_sounds(folder / "sounds", 4, "human")
    return write_experiment(folder / "mine.toml", NETWORKS, batch_size=batch_size, further=RECOGNITION, **options)


def results(file):
    experiment = Experiment.recall(file)
    collect(experiment, report=False)
    return contents(experiment.out), tables(experiment.out)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The results of one process with one thread."""
    file = experiment_in(tmp_path_factory.mktemp("alone") / "experiment", steps=20)
    finish(start("run", file, "--threads", 1))
    return results(file)


def assert_nothing_is_left(file):
    out = Experiment.recall(file).out
    assert not list((out / "ledger" / "claims").iterdir())
    assert not list((out / "metamers").rglob("*.unfinished"))
    assert not [path for path in (out / "metamers").rglob(".*") if is_partial(path.name)]


@pytest.mark.slow
class TestSameBytes:
    def test_two_workers_of_this_machine(self, alone, tmp_path):
        file = experiment_in(tmp_path / "experiment", steps=20)
        output = finish(start("run", file, "--workers", 2, "--threads", 1))
        assert "Dashboard: http://" in output
        assert results(file) == alone

    def test_two_workers_of_a_scheduler_that_were_started_by_hand(self, alone, tmp_path):
        file = experiment_in(tmp_path / "experiment", steps=20)
        with scheduler(workers=2) as address:
            finish(start("run", file, "--scheduler", address, "--threads", 1))
        assert results(file) == alone

    def test_two_shards_at_once(self, alone, tmp_path):
        file = experiment_in(tmp_path / "experiment", steps=20)
        shards = [start("run", file, "--shard", f"{number}/2", "--threads", 1) for number in (1, 2)]
        outputs = [finish(shard) for shard in shards]
        assert all("conv_0" in output or "pool_0_0" in output for output in outputs)
        assert results(file) == alone


class scheduler:
    """A scheduler and workers, each a process that was started by hand."""

    def __init__(self, workers):
        self._address = f"tcp://127.0.0.1:{free_port()}"
        command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--no-dashboard"]
        self.process = self._start([*command, "--port", self._address.rpartition(":")[2]])
        command = [sys.executable, "-m", "distributed.cli.dask_worker", self._address, "--nthreads", "1"]
        options = ["--no-dashboard", "--memory-limit", "0"]
        self.workers = [self._start([*command, *options]) for _ in range(workers)]

    @staticmethod
    def _start(command):
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/tmp")

    def __enter__(self):
        return self._address

    def __exit__(self, *_):
        for process in [*self.workers, self.process]:
            kill_tree(process.pid)
            process.wait()


def kill_tree(number):
    """Kill a process and all that it started; first itself, which would start its workers anew."""
    try:
        process = psutil.Process(number)
        started = process.children(recursive=True)
        process.kill()
        for each in started:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
    except psutil.NoSuchProcess:
        pass


def at_work(experiment):
    """Return the numbers of the processes that have claimed an item and are alive."""
    claims = experiment.claims.find_all().values()
    now = experiment.claims.now() if claims else 0.0
    return {claim.record.process for claim in claims if claim.record is not None and claim.is_held(now)}


def wait_for_work(process, experiment):
    """Wait until a process or its workers are at work, and return who is; nobody if it ends before."""
    while process.poll() is None:
        if found := at_work(experiment):
            return found
        time.sleep(0.05)
    return set()


def whole(file):
    """Return how many metamers are whole, after checking that each folder is."""
    metamers = Path(file.parent, "mine", "metamers")
    found = [path.parent for path in metamers.rglob("metamer.json") if not any(map(is_partial, path.parts))]
    for folder in found:
        assert {"metamer.npy", "metamer.wav", "original.wav", "trace.csv", "run.json"} <= set(os.listdir(folder))
    return len(found)


@pytest.mark.slow
def test_a_process_that_is_killed_loses_nothing(made, tmp_path):
    """The short form: twice, at moments when there is something to lose."""
    file = made.copy(tmp_path)
    experiment, seen = Experiment.plan(file), []
    for _ in range(2):
        process = start("run", file)
        before = whole(file) if seen else 0
        while process.poll() is None and not (experiment.metamers.exists() and whole(file) > before):
            time.sleep(0.02)
        kill_tree(process.pid)
        process.communicate()
        seen.append(whole(file))
    assert 0 < seen[0] < seen[1]
    finish(start("run", file))
    assert results(file) == (contents(made.experiment.out), tables(made.experiment.out))
    assert_nothing_is_left(file)


@pytest.mark.slow
def test_a_job_in_the_background_that_is_asked_to_end_gives_its_item_back(tmp_path):
    """As SLURM asks before a time limit, and as a script that ignores Ctrl-C in its background jobs would."""
    file = experiment_in(tmp_path / "experiment", steps=10**6)
    experiment = Experiment.plan(file)
    process = start("run", file, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    while not list(experiment.metamers.rglob("state.npz")):
        time.sleep(0.05)
    process.terminate()
    assert "Stopped" in finish(process, statuses=[130])
    [claim] = experiment.claims.find_all().values()
    assert claim.record.state == "stopped"


@pytest.mark.slow
def test_workers_and_schedulers_killed_at_twenty_moments_lose_nothing(tmp_path, capsys):
    options = {"steps": 300, "batch_size": 1}
    reference = experiment_in(tmp_path / "reference", **options)
    finish(start("run", reference, "--threads", 1))
    file = experiment_in(tmp_path / "experiment", **options)
    experiment, generator = Experiment.plan(file), random.Random(1)
    progress, kills = [], {"worker": 0, "scheduler": 0}
    for _ in range(10):
        process = start("run", file, "--workers", 2, "--threads", 1)
        wait_for_work(process, experiment)
        time.sleep(generator.uniform(0, 2))
        if workers := at_work(experiment):
            os.kill(generator.choice(sorted(workers)), signal.SIGKILL)
            kills["worker"] += 1
        time.sleep(generator.uniform(0, 2))
        kills["scheduler"] += bool(at_work(experiment))
        kill_tree(process.pid)  # The scheduler is in it, and the workers are its children.
        process.communicate()
        progress.append(whole(file))
    finish(start("run", file, "--workers", 2, "--threads", 1))
    with capsys.disabled():
        print(f"\nkilled at work: {kills}; whole metamers after each round: {progress}")
    assert min(kills.values()) >= 5
    assert progress == sorted(progress)
    assert results(file) == results(reference)
    assert_nothing_is_left(file)


@pytest.mark.slow
def test_a_scheduler_that_dies_loses_nothing(alone, tmp_path):
    file = experiment_in(tmp_path / "experiment", steps=20)
    cluster = scheduler(workers=2)
    with cluster as address:
        process = start("run", file, "--scheduler", address, "--threads", 1)
        while process.poll() is None and not list(file.parent.rglob("metamer.json")):
            time.sleep(0.05)
        cluster.process.send_signal(signal.SIGKILL)
        assert "scheduler is gone" in finish(process, statuses=[1])
        made = whole(file)
    assert 0 < made < 16
    finish(start("run", file, "--threads", 1))
    assert results(file) == alone
    assert_nothing_is_left(file)
