"""An experiment on Dask: the same bytes, and clusters that cannot do it are refused in a sentence."""

import importlib.metadata
import os
import sys

import distributed
import pytest

from tests.experiments.making import contents, tables, write_experiment, write_sounds
from tfmetamers.errors import ArgumentError, ResultError
from tfmetamers.experiments import cluster as module
from tfmetamers.experiments.agenda import DONE, FAILED, TAKEN
from tfmetamers.experiments.cluster import local_client, remote_client, run_on_cluster
from tfmetamers.experiments.cluster_worker import choose_gpu
from tfmetamers.experiments.collection import collect
from tfmetamers.experiments.experiment import Experiment
from tfmetamers.experiments.status import survey
from tfmetamers.networks.spec import NetworkSpec


@pytest.fixture
def client():
    """The client of a cluster of one worker within this process; it has two threads, and does one item at a time."""
    options = {"processes": False, "dashboard_address": None, "silence_logs": "CRITICAL"}
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=2, **options) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def run(file, client, **options):
    experiment = Experiment.plan(file)
    experiment.keep()
    outcomes = []
    run_on_cluster(experiment, experiment.items, client, lambda *each: outcomes.append(each), **options)
    return experiment, outcomes


@pytest.fixture
def small(one, tmp_path):
    write_sounds(tmp_path / "sounds", 2)
    return write_experiment(tmp_path / "mine.toml", one)


def test_the_bytes_are_those_of_one_worker_and_a_network_is_loaded_once(networks, made, tmp_path, client, monkeypatch):
    loaded, load = [], NetworkSpec.load

    def counted(self):
        loaded.append(str(self))
        return load(self)

    monkeypatch.setattr(NetworkSpec, "load", counted)
    experiment, outcomes = run(made.copy(tmp_path), client)
    assert [outcome.state for _, outcome in outcomes] == [DONE] * len(made.experiment.items)
    assert outcomes[-1][0].kind == "recognition"
    assert sorted(loaded) == sorted(networks)
    collect(experiment, report=False)
    assert contents(experiment.out) == contents(made.experiment.out)
    assert tables(experiment.out) == tables(made.experiment.out)
    assert run(experiment.file, client)[1] == []


def test_what_fails_is_told_and_the_rest_is_done(small, client):
    (small.parent / "sounds" / "3" / "0.wav").write_bytes(b"RIFF")
    _, outcomes = run(small, client)
    assert sorted(outcome.state for _, outcome in outcomes) == [DONE, DONE, FAILED]


def test_a_worker_that_dies_again_and_again_is_a_failure_of_its_item(small, client, monkeypatch):
    from distributed.scheduler import KilledWorker

    experiment = Experiment.plan(small)
    tasks = module._Tasks(experiment, client, "plugin")

    class Killed:
        status = "error"

        @staticmethod
        def exception():
            return KilledWorker("task", None, 3)

    item = experiment.items[0]
    assert tasks._outcome(item, Killed).state == FAILED
    assert "died" in survey(experiment).failed[0].reasons[item.describe()]
    experiment.claims.take(experiment.items[1].key, None)
    assert tasks._outcome(experiment.items[1], Killed).state == TAKEN


def test_a_scheduler_that_is_gone_is_one_sentence(small, client):
    class Cancelled:
        status = "cancelled"

    experiment = Experiment.plan(small)
    with pytest.raises(ResultError, match="scheduler is gone"):
        module._Tasks(experiment, client, "plugin")._outcome(experiment.items[0], Cancelled)


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr(module, "SECONDS_TO_ANSWER", 1)
    with pytest.raises(ArgumentError, match=r"tcp://127\.0\.0\.1:9"), remote_client("tcp://127.0.0.1:9"):
        pass


def test_without_dask_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ArgumentError, match=r"cluster\].*--shard"), local_client(2):
        pass


class TestRefusedClusters:
    @pytest.mark.parametrize("found", ["0.0.1", importlib.metadata.PackageNotFoundError("tfmetamers")])
    def test_workers_with_another_version(self, small, client, monkeypatch, found):
        def version(_):
            if isinstance(found, str):
                return found
            raise found

        monkeypatch.setattr(importlib.metadata, "version", version)
        with pytest.raises(ArgumentError, match=r"worker .* has (no tfmetamers|tfmetamers 0\.0\.1)"):
            run(small, client)

    def test_a_worker_with_another_version_that_came_later(self, small, client, monkeypatch):
        monkeypatch.setattr("tfmetamers.experiments.cluster_worker.__version__", "0.0.1")
        with pytest.raises(ArgumentError, match=r"has tfmetamers 0\.0\.1"):
            run(small, client)

    def test_workers_that_do_not_see_the_output(self, small, client, monkeypatch):
        monkeypatch.setattr(module.os.path, "isdir", lambda _: False)
        with pytest.raises(ArgumentError, match=r"does not see .*mine"):
            run(small, client)

    def test_a_cluster_without_workers(self, small, client, monkeypatch):
        monkeypatch.setattr(module, "SECONDS_FOR_A_WORKER", 0.2)
        client.cluster.scale(0)
        client.retire_workers()
        with pytest.raises(ArgumentError, match="has no worker"):
            run(small, client)


def test_workers_share_out_the_gpus(monkeypatch):
    for number, device in enumerate(["2", "5", "2"]):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
        choose_gpu(number)
        assert os.environ["CUDA_VISIBLE_DEVICES"] == device
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    choose_gpu(1)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ""
