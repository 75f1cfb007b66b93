"""Who works on what: claims that no two workers hold, however many want them and however they die."""

import dataclasses
import multiprocessing
import os
import random
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from tfmetamers.experiments import claims as module
from tfmetamers.experiments.claims import FAILED, MAX_REASONS, RUNNING, STOPPED, ClaimLost, ClaimRecord, Claims
from tfmetamers.experiments.experiment import Experiment
from tfmetamers.experiments.heartbeat import Heartbeat
from tfmetamers.experiments.items import NullItem
from tfmetamers.networks.spec import NetworkSpec

LONG_AGO = 10 * module.SECONDS_UNTIL_STALE


@pytest.fixture
def claims(tmp_path):
    return Claims(tmp_path / "claims")


def take(claims, key="item"):
    found = claims.find(key)
    return None if found is not None and found.is_held(claims.now()) else claims.take(key, found)


def from_elsewhere(claim, age=0.0):
    """Make a claim one of a worker on another machine, last heard of some seconds ago."""
    claim.write(machine="another machine")
    os.utime(claim._path, (time.time() - age,) * 2)


class TestTaking:
    def test_an_item_is_claimed_once(self, claims):
        assert take(claims) is not None
        assert take(claims) is None
        assert claims.find("item").record.state == RUNNING
        assert take(claims, "another") is not None

    def test_of_two_that_find_the_same_one_wins(self, claims):
        found = claims.find("item")
        assert claims.take("item", found) is not None
        assert claims.take("item", found) is None

    def test_what_is_given_back_or_reset_is_claimed_anew(self, claims):
        take(claims).stop()
        second = take(claims)
        second.fail({"a": "broken"})
        found = claims.find("item")
        assert found.has_failed and found.record.reasons == {"a": "broken"}
        claims.reset("item", found)
        assert claims.find("item").record.state == STOPPED
        assert take(claims) is not None
        assert claims.find("item").generation == 2

    def test_what_is_done_leaves_nothing(self, claims):
        take(claims).stop()
        claims.forget("item", take(claims).generation)
        assert claims.find("item") is None and not list(claims.folder.iterdir())

    def test_who_looked_before_it_was_done_and_claims_it_afterwards_leaves_nothing(self, claims):
        take(claims).stop()
        earlier = claims.find("item")
        claims.forget("item", take(claims).generation)
        claims.forget("item", claims.take("item", earlier).generation)
        assert not list(claims.folder.iterdir())

    def test_all_claims_are_found_at_once(self, claims):
        take(claims, "a").stop()
        take(claims, "a")
        take(claims, "b").fail({"b": "broken"})
        found = claims.find_all()
        assert {key: claim.generation for key, claim in found.items()} == {"a": 1, "b": 0}
        assert Claims(claims.folder / "none").find_all() == {}


class TestTheDead:
    def test_a_worker_on_another_machine_is_dead_when_it_is_not_heard_of(self, claims):
        claim = take(claims)
        from_elsewhere(claim)
        assert take(claims) is None
        from_elsewhere(claim, age=LONG_AGO)
        assert take(claims) is not None
        with pytest.raises(ClaimLost):
            claim.write(step=3)

    def test_a_process_of_this_machine_is_dead_at_once(self, claims):
        process = multiprocessing.get_context("spawn").Process(target=_take_and_die, args=(claims.folder,))
        process.start()
        process.join()
        assert claims.find("item").record.process == process.pid
        assert take(claims) is not None

    def test_a_later_process_of_the_same_number_is_another(self, claims):
        claim = take(claims)
        claim.write(started=psutil.Process().create_time() - 1000)
        assert take(claims) is not None

    def test_a_claim_that_was_never_filled_is_left_alone_while_it_is_new(self, claims):
        take(claims)
        [path] = claims.folder.iterdir()
        path.write_bytes(b"")
        assert take(claims) is None
        os.utime(path, (time.time() - LONG_AGO,) * 2)
        assert take(claims) is not None

    @pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/zero", path)])
    def test_what_no_worker_can_have_made_is_taken_over_and_a_link_alone_is_removed(self, claims, make):
        claims.folder.mkdir()
        path = claims.folder / "item.0"
        make(path)
        assert claims.find_all()["item"].record is None and take(claims) is None
        os.utime(path, (time.time() - LONG_AGO,) * 2, follow_symlinks=False)
        claims.forget("item", take(claims).generation)
        assert path.is_dir() or not os.path.lexists(path)
        assert os.path.exists("/dev/zero")

    def test_who_looked_at_a_dead_worker_long_ago_takes_nothing_from_the_living(self, claims):
        from_elsewhere(take(claims), age=LONG_AGO)
        stale = claims.find("item")
        second = claims.take("item", stale)
        assert claims.take("item", stale) is None
        second.stop()
        third = claims.take("item", claims.find("item"))
        assert claims.take("item", stale) is None
        third.write(step=1)

    def test_the_clock_is_the_file_systems(self, claims, monkeypatch):
        """Machines whose clocks differ by hours do not take each other for dead."""
        from_elsewhere(take(claims))
        monkeypatch.setattr(module.time, "time", lambda: 1e10)
        assert take(claims) is None


class TestHeartbeats:
    def test_a_beat_writes_what_was_told(self, claims, monkeypatch):
        monkeypatch.setattr("tfmetamers.experiments.heartbeat.SECONDS_A_BEAT", 0.01)
        claim = take(claims)
        os.utime(claim._path, (0, 0))
        with Heartbeat(claim) as heartbeat:
            heartbeat.report(1, 10)
            heartbeat.report(3, 10)
            deadline = time.monotonic() + 5
            while claims.find("item").record.step != 3 and time.monotonic() < deadline:
                time.sleep(0.01)
        found = claims.find("item")
        assert (found.record.step, found.record.steps) == (3, 10)
        assert found.record.steps_a_second > 0
        assert found.beat > time.time() - 60

    @pytest.mark.parametrize("lose", ["taken over", "done"])
    def test_a_claim_that_was_lost_is_noticed(self, claims, monkeypatch, lose):
        monkeypatch.setattr("tfmetamers.experiments.heartbeat.SECONDS_A_BEAT", 0.01)
        claim = take(claims)
        with Heartbeat(claim) as heartbeat:
            heartbeat.check()
            if lose == "done":
                claims.forget("item", claim.generation)
            else:
                claims.take("item", claims.find("item"))
            deadline = time.monotonic() + 5
            with pytest.raises(ClaimLost):
                while time.monotonic() < deadline:
                    heartbeat.check()

    def test_after_the_machine_has_slept_it_is_looked_before_anything_is_written(self, claims, monkeypatch):
        claim = take(claims)
        with Heartbeat(claim) as heartbeat:
            from_elsewhere(claim, age=LONG_AGO)
            claims.take("item", claims.find("item"))
            heartbeat._beaten -= LONG_AGO
            with pytest.raises(ClaimLost):
                heartbeat.check()


class TestRecords:
    def test_a_claim_keeps_its_size_whatever_the_reasons(self, claims):
        claim = take(claims)
        claim.fail({f"{'é' * 300}{number}": "…" * 5000 for number in range(100)})
        [path] = claims.folder.iterdir()
        assert path.stat().st_size == module.CLAIM_BYTES
        record = claims.find("item").record
        assert (record.state, record.failures) == (FAILED, 100)
        assert 0 < len(record.reasons) <= MAX_REASONS and all(record.reasons.values())

    def test_a_reason_of_common_length_is_kept_whole(self, claims):
        reason = "The loss of vgg_19 at conv5_4 is not finite at step 7. " * 10
        take(claims).fail({"a": reason})
        assert claims.find("item").record.reasons == {"a": reason}

    def test_what_is_no_claim_is_none(self):
        assert ClaimRecord.decode(b"") is None
        assert ClaimRecord.decode(b"[1]") is None
        assert ClaimRecord.decode(b'{"state": "running"}') is None
        assert ClaimRecord.decode(b"[" * module.CLAIM_BYTES) is None
        record = dataclasses.replace(ClaimRecord.own(), step=3)
        assert ClaimRecord.decode(record.encode()) == record
        assert ClaimRecord.decode(record.encode().replace(b'"step": 3', b'"step": "3"')) is None


def _take_and_die(folder):
    Claims(folder).take("item", None)
    os._exit(1)


def nulls(count):
    network = NetworkSpec.parse("vgg_19:random")
    return [NullItem(network, ("fc8",), ("none",), 1, "blocks", seed) for seed in range(count)]


def _contend(folder: str, number: int, count: int) -> None:
    """Take and do items until all are done; sometimes die, as a worker on another machine would."""
    experiment = Experiment(Path(folder, "mine.toml"), Path(folder, "out"), None)
    generator, items = random.Random(number), nulls(count)
    while waiting := [item for item in items if not experiment.is_done(item)]:
        for item in generator.sample(waiting, len(waiting)):
            found = experiment.claims.find(item.key)
            if generator.random() < 0.5:
                time.sleep(generator.random() / 500)  # Others act between the look and the claim.
            claim = experiment.take(item, found)
            if claim is None:
                continue
            inside = Path(folder, "inside", item.key)
            inside.touch(exist_ok=False)  # Nobody else is at work on this item.
            time.sleep(generator.random() / 500)
            ends = generator.choice(["done", "done", "stopped", "dead"])
            inside.unlink()
            with open(Path(folder, "log", f"{number}"), "a") as log:
                log.write(f"{item.key} {claim._path.suffix} {ends}\n")
            if ends == "done":
                item.file(experiment.out).touch(exist_ok=False)
                experiment.claims.forget(item.key, claim.generation)
            elif ends == "stopped":
                claim.stop()
            else:
                from_elsewhere(claim, age=LONG_AGO)


def contend(tmp_path, workers, count):
    for name in ("inside", "log", "out/nulls"):
        (tmp_path / name).mkdir(parents=True)
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_contend, args=(str(tmp_path), number, count)) for number in range(workers)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * workers
    begun = [line.split() for file in (tmp_path / "log").iterdir() for line in file.read_text().splitlines()]
    ended = Counter(key for key, _, ends in begun if ends == "done")
    assert ended == Counter(item.key for item in nulls(count))
    assert not list((tmp_path / "out/ledger/claims").iterdir())
    return begun


def test_many_workers_that_die_at_random_never_work_on_one_item(tmp_path):
    begun = contend(tmp_path, workers=4, count=30)
    assert sum(ends != "done" for _, _, ends in begun) > 5


@pytest.mark.slow
def test_more_workers_and_more_items(tmp_path):
    begun = contend(tmp_path, workers=12, count=400)
    assert len(begun) > 600
