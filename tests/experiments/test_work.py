"""One worker: everything is made once, what fails spares the rest, and what was lost is not written."""

import csv
import errno
import os
import shutil
import subprocess

import numpy as np
import pytest

from tests.experiments.conftest import work
from tests.experiments.making import contents, tables, write_experiment, write_sounds
from tfmetamers.experiments.agenda import DONE, FAILED, TAKEN
from tfmetamers.experiments.collection import collect
from tfmetamers.experiments.experiment import Experiment
from tfmetamers.experiments.status import survey
from tfmetamers.experiments.work import Worker
from tfmetamers.metamers import folder as metamer_folder
from tfmetamers.networks.auditory.trained_folder import bundled_networks
from tfmetamers.networks.spec import NetworkSpec
from tfmetamers.synthesis.loop import Synthesis


def counts(experiment):
    """Return how many of each kind are done, failed and waiting."""
    found = {}
    for row in survey(experiment).rows:
        before = found.get(row.kind, (0, 0, 0))
        found[row.kind] = tuple(map(sum, zip(before, (row.done, row.failed, row.waiting), strict=True)))
    return found


def rows(experiment, table):
    with (experiment.out / "tables" / table).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def reasons(experiment):
    return {name: reason for each in survey(experiment).failed for name, reason in each.reasons.items()}


class TestMade:
    def test_everything_is_made_judged_and_shown(self, made):
        assert [outcome.state for _, outcome in made.outcomes] == [DONE] * len(made.experiment.items)
        assert counts(made.experiment) == {"metamers": (6, 0, 0), "evaluation": (3, 0, 0), "recognition": (1, 0, 0)}
        assert len(list(made.experiment.metamers.rglob("verdict.json"))) == 6
        assert not list((made.experiment.out / "ledger" / "claims").iterdir())
        assert not [*made.experiment.out.rglob("*.unfinished"), *made.experiment.out.rglob(".*")]

    def test_tables_have_a_row_for_each(self, made):
        assert {name: len(rows(made.experiment, name)) for name in tables(made.experiment.out)} == {
            "metamers.csv": 6,
            "verdicts.csv": 6,
            "recognition.csv": 8,
            "recognition_summary.csv": 5,
            "failures.csv": 0,
        }
        assert [row["layer"] for row in rows(made.experiment, "verdicts.csv")] == ["conv_1"] * 2 + ["logits"] * 2 + [
            "conv_1"
        ] * 2
        assert all(float(row["seconds"]) > 0 and row["host"] for row in rows(made.experiment, "timings.csv"))
        assert (made.experiment.out / "tables" / "report.html").exists()

    def test_what_is_there_is_collected_to_the_same_bytes(self, made):
        before = tables(made.experiment.out)
        collect(made.experiment, report=False)
        assert tables(made.experiment.out) == before

    def test_what_is_done_is_not_done_again_and_nothing_is_loaded(self, made, monkeypatch):
        monkeypatch.setattr(NetworkSpec, "load", None)
        assert work(made.experiment.file)[1] == []

    def test_metamers_that_come_later_are_judged_and_shown(self, made, tmp_path):
        file = made.copy(tmp_path)
        shutil.copytree(made.experiment.out, tmp_path / "mine")
        file.write_text(file.read_text().replace("batch_size = 2", "batch_size = 2\nseeds = [0, 1]"))
        experiment, outcomes = work(file)
        assert [item.kind for item, _ in outcomes] == [
            *["metamers"] * 2,
            *["evaluation"] * 2,
            "metamers",
            "evaluation",
            "recognition",
        ]
        assert counts(experiment)["metamers"] == (12, 0, 0)
        assert len(list(experiment.metamers.rglob("verdict.json"))) == 12


def test_what_a_worker_left_that_died_at_the_very_end_is_cleared_away(made, tmp_path):
    file = made.copy(tmp_path)
    shutil.copytree(made.experiment.out, tmp_path / "mine")
    experiment = Experiment.plan(file)
    item = experiment.items[0]
    experiment.claims.take(item.key, None).stop()
    folder = item.specs[0].folder(experiment.metamers)
    folder.with_name(f"{folder.name}.unfinished").mkdir()
    experiment.claims.take("of an item that is not in the file any more", None).stop()
    experiment.tidy()
    assert not list(experiment.claims.folder.iterdir())
    assert contents(experiment.out) == contents(made.experiment.out)
    assert not list(experiment.metamers.rglob("*.unfinished"))


def test_right_answers_that_are_given_later_count(made, tmp_path):
    file = made.copy(tmp_path)
    shutil.copytree(made.experiment.out, tmp_path / "mine")
    (tmp_path / "truth.csv").write_text("id,label\n3/0,5\n")
    file.write_text(file.read_text() + 'truth = "truth.csv"\n')
    experiment, outcomes = work(file)
    assert [(item.kind, outcome.state) for item, outcome in outcomes] == [("recognition", DONE)]
    collect(experiment, report=False)
    truths = {row["stimulus"]: row["truth_label"] for row in rows(experiment, "recognition.csv")}
    assert truths == {"3/0": "5", "3/1": "3"}
    (tmp_path / "truth.csv").write_text("id,label\n3/0,6\n3/1,3\n")
    assert [item.kind for item, _ in work(file)[1]] == ["recognition"]


class Stop(KeyboardInterrupt):
    """Ctrl-C at a moment that the test chooses."""


def once(monkeypatch, action, at=2):
    """Have something happen when the first batch has done a number of steps."""
    tell, happened = Worker._tell_steps, []

    def tell_and_act(self, batch, state):
        if state.step >= at and not happened:
            happened.append(True)
            action(self, batch)
        tell(self, batch, state)

    monkeypatch.setattr(Worker, "_tell_steps", tell_and_act)


class TestStopped:
    def test_ctrl_c_gives_the_item_back_and_the_next_worker_ends_with_the_same_bytes(self, made, tmp_path, monkeypatch):
        file = made.copy(tmp_path)

        def stop(*_):
            raise Stop

        once(monkeypatch, stop)
        with pytest.raises(Stop):
            work(file)
        experiment = Experiment.recall(file)
        [claim] = experiment.claims.find_all().values()
        assert claim.record.state == "stopped"
        assert len(list(experiment.metamers.rglob("state.npz"))) == 1
        work(file)
        collect(experiment, report=False)
        assert contents(experiment.out) == contents(made.experiment.out)
        assert tables(experiment.out) == tables(made.experiment.out)

    def test_who_lost_an_item_writes_nothing_more(self, one, tmp_path, monkeypatch):
        """As a worker that slept for an hour, and whose item another worker took over meanwhile."""
        write_sounds(tmp_path / "sounds", 1)
        file = write_experiment(tmp_path / "mine.toml", one, steps=20)
        written = []

        def take_over(worker, batch):
            item = worker.experiment.items[0]
            assert worker.experiment.claims.take(item.key, worker.experiment.claims.find(item.key))
            worker._heartbeat._beat()  # By which it notices; in an hour, it would have looked of its own.
            written.append(batch[0].state_file.read_bytes())

        once(monkeypatch, take_over)
        experiment = Experiment.plan(file)
        experiment.keep()
        worker = Worker(experiment)
        assert worker.attempt(experiment.items[0]).state == TAKEN
        [state] = experiment.metamers.rglob("state.npz")
        assert state.read_bytes() == written[0]
        assert not list(experiment.metamers.rglob("metamer.json"))

    def test_an_item_that_another_worker_has_is_left_to_it(self, one, tmp_path):
        write_sounds(tmp_path / "sounds", 2)
        file = write_experiment(tmp_path / "mine.toml", one)
        experiment = Experiment.plan(file)
        experiment.claims.take(experiment.items[0].key, None)
        _, outcomes = work(file)
        assert [item for item, _ in outcomes] == [experiment.items[1]]
        assert survey(experiment).running[0].item == experiment.items[0].describe()


class TestFailures:
    def test_a_broken_sound_spares_the_others_of_its_batch(self, one, tmp_path):
        write_sounds(tmp_path / "sounds", 3)
        broken = tmp_path / "sounds" / "3" / "1.wav"
        whole = broken.read_bytes()
        broken.write_bytes(b"RIFF")
        file = write_experiment(tmp_path / "mine.toml", one, batch_size=3)
        experiment, outcomes = work(file)
        assert [outcome.state for _, outcome in outcomes] == [FAILED, DONE]
        assert counts(experiment) == {"metamers": (2, 1, 0), "evaluation": (1, 0, 0)}
        assert list(reasons(experiment)) == ["3/1"] and "1.wav" in reasons(experiment)["3/1"]
        assert len(list(experiment.metamers.rglob("verdict.json"))) == 2
        collect(experiment, report=False)
        assert [row["failed"] for row in rows(experiment, "failures.csv")] == ["3/1"]
        assert work(file)[1] == []  # It is left alone until it is reset.

        broken.write_bytes(whole)
        experiment = Experiment.plan(file)
        experiment.keep()
        assert experiment.reset_failures() == 1
        kept = contents(experiment.out)
        experiment, outcomes = work(file)
        assert [(item.kind, outcome.state) for item, outcome in outcomes] == [("metamers", DONE), ("evaluation", DONE)]
        assert counts(experiment) == {"metamers": (3, 0, 0), "evaluation": (1, 0, 0)}
        assert kept.items() <= contents(experiment.out).items()

    def test_a_loss_that_is_not_a_number_spares_the_others_of_its_batch(self, one, tmp_path, monkeypatch):
        write_sounds(tmp_path / "sounds", 3)
        file = write_experiment(tmp_path / "mine.toml", one, steps=6, batch_size=3)
        advance = Synthesis.advance

        def spoil(self, targets, state, steps):
            targets = np.array(targets)
            if len(targets) == 3 and state.step >= 2:
                targets[1] = np.nan
            return advance(self, targets, state, steps)

        monkeypatch.setattr(Synthesis, "advance", spoil)
        experiment, _ = work(file)
        assert counts(experiment)["metamers"] == (2, 1, 0)
        assert "not finite" in reasons(experiment)["3/1"]
        monkeypatch.undo()
        experiment.reset_failures()
        work(file)
        assert counts(experiment)["metamers"] == (3, 0, 0)

    def test_a_recipe_that_explodes_at_one_layer_is_named_and_mended(self, one, recognition, tmp_path):
        write_sounds(tmp_path / "sounds", 2)
        exploding = (
            f'[[networks]]\nnetwork = "{next(iter(one))}"\nlayers = ["logits"]\n'
            "settings = { steps = 3, learning_rate = 1e30 }\n"
        )
        file = write_experiment(tmp_path / "mine.toml", one, batch_size=2, further=exploding + recognition)
        experiment, _ = work(file)
        assert counts(experiment) == {"metamers": (2, 2, 0), "evaluation": (1, 0, 1), "recognition": (1, 0, 0)}
        assert all("learning rate" in reason for reason in reasons(experiment).values())
        kept = contents(experiment.out)
        file.write_text(file.read_text().replace("1e30", "0.01"))
        experiment, outcomes = work(file)  # Another recipe makes other items: there is nothing to reset.
        assert [item.kind for item, _ in outcomes] == ["metamers", "evaluation", "recognition"]
        assert counts(experiment)["metamers"] == (4, 0, 0)
        assert kept.items() <= contents(experiment.out).items()

    def test_a_checkpoint_that_is_gone_is_named_and_all_else_is_done(self, one, tmp_path):
        write_sounds(tmp_path / "sounds", 1)
        bundled = bundled_networks()["small_word_aliased"]
        for part in bundled.glob("network.ckpt.*"):
            shutil.copy(part, tmp_path)
        names = {"small_word_aliased=network.ckpt": ("fc_intermediate",), **one}
        file = write_experiment(tmp_path / "mine.toml", names)
        Experiment.plan(file).keep()
        hidden = tmp_path / "hidden"
        hidden.mkdir()
        for part in tmp_path.glob("network.ckpt.*"):
            part.rename(hidden / part.name)
        experiment, _ = work(file)
        assert counts(experiment) == {"metamers": (1, 1, 0), "evaluation": (1, 0, 1)}
        assert "network.ckpt" in next(iter(reasons(experiment).values()))
        for part in hidden.iterdir():
            part.rename(tmp_path / part.name)
        experiment.reset_failures()
        _, outcomes = work(file)
        assert [item.kind for item, _ in outcomes] == ["metamers", "evaluation"]
        assert counts(experiment) == {"metamers": (2, 0, 0), "evaluation": (2, 0, 0)}

    def test_a_checkpoint_that_was_changed_is_not_used(self, tmp_path):
        write_sounds(tmp_path / "sounds", 1)
        for part in bundled_networks()["small_word_aliased"].glob("network.ckpt.*"):
            shutil.copy(part, tmp_path)
        file = write_experiment(tmp_path / "mine.toml", {"small_word_aliased=network.ckpt": ("conv_0",)})
        experiment = Experiment.plan(file)
        for part in bundled_networks()["small_word_reduced_aliasing"].glob("network.ckpt.*"):
            shutil.copy(part, tmp_path)
        outcome = Worker(experiment).attempt(experiment.items[0])
        assert outcome.state == FAILED
        assert not list(experiment.metamers.rglob("metamer.json"))

    def test_a_full_disk_is_named_and_all_else_is_done(self, one, tmp_path, monkeypatch):
        write_sounds(tmp_path / "sounds", 2)
        [name] = one
        file = write_experiment(tmp_path / "mine.toml", {name: ("conv_1", "logits")}, batch_size=2)
        save = np.save

        def fill(path, array):
            if "conv_1" in str(path):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            save(path, array)

        monkeypatch.setattr(metamer_folder.np, "save", fill)
        experiment, _ = work(file)
        assert counts(experiment) == {"metamers": (2, 2, 0), "evaluation": (1, 0, 1)}
        assert "No space left" in next(iter(reasons(experiment).values()))
        monkeypatch.undo()
        experiment.reset_failures()
        work(file)
        assert counts(experiment) == {"metamers": (4, 0, 0), "evaluation": (2, 0, 0)}


@pytest.mark.slow
def test_a_disk_that_is_really_full_loses_nothing_and_goes_on_when_there_is_room(made, tmp_path):
    """On a file system that has room for no metamer beside what is there at first."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100m", "none", disk], capture_output=True)
    if mount.returncode:
        pytest.skip("file systems cannot be mounted here")
    try:
        file = made.copy(disk)
        worker = Worker(Experiment.plan(file))
        worker.experiment.keep()
        room = shutil.disk_usage(disk).used + 64 * 1024
        subprocess.run(["mount", "-o", f"remount,size={room}", disk], check=True)
        outcomes = [worker.attempt(item) for item in worker.experiment.items[:2]]
        assert FAILED in [outcome.state for outcome in outcomes]
        assert any("No space left" in reason for reason in reasons(worker.experiment).values())
        subprocess.run(["mount", "-o", "remount,size=100m", disk], check=True)
        worker.experiment.reset_failures()
        experiment, _ = work(file)
        assert contents(experiment.out) == contents(made.experiment.out)
    finally:
        subprocess.run(["umount", disk], check=True)


def test_null_distributions_are_built_and_used(one, tmp_path):
    write_sounds(tmp_path / "sounds", 4)
    null = '[null]\nstimuli = ["sounds"]\npairs = 6\nfit = "centre"\n'
    file = write_experiment(tmp_path / "mine.toml", one, batch_size=4, further=null)
    experiment, outcomes = work(file)
    assert [(item.kind, outcome.state) for item, outcome in outcomes] == [
        ("null", DONE),
        ("metamers", DONE),
        ("evaluation", DONE),
    ]
    collect(experiment, report=False)
    [built] = (experiment.out / "nulls").iterdir()
    assert {(row["null"], row["pairs"]) for row in rows(experiment, "verdicts.csv")} == {(built.name, "6")}
    # Another number of pairs is another null distribution, by which all are judged anew; nothing else is made again.
    file.write_text(file.read_text().replace("pairs = 6", "pairs = 5"))
    experiment, outcomes = work(file)
    assert [item.kind for item, _ in outcomes] == ["null", "evaluation"]
    # One that is there already is used as it is.
    file.write_text(file.read_text().replace(null.replace("6", "5"), f'[null]\nfiles = ["mine/nulls/{built.name}"]\n'))
    experiment, outcomes = work(file)
    assert [item.kind for item, _ in outcomes] == ["evaluation"]
    collect(experiment, report=False)
    assert {row["pairs"] for row in rows(experiment, "verdicts.csv")} == {"6"}
