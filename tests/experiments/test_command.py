"""`tfmetamers experiment`: the commands, their messages, and the scripts that they write."""

import json
import os
import shutil
import stat
import subprocess
import sys

import pytest

from tests.experiments.making import write_experiment, write_files, write_sounds
from tfmetamers.cli import main as command_line

#: Planned, and never made.
ONE = {"small_word_aliased": ("conv_0",)}


@pytest.fixture
def experiment(capsys, tmp_path, monkeypatch):
    """Run the command in an empty folder and return its status, output and errors."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        return command_line.run(["experiment", *map(str, arguments)]), *capsys.readouterr()

    return run


class TestNew:
    @pytest.mark.slow
    def test_it_runs_as_it_is(self, experiment, tmp_path):
        status, output, _ = experiment("new", "mine")
        assert status == 0 and "mine.toml" in output
        file = tmp_path / "mine.toml"
        file.write_text(file.read_text().replace("steps = 200", "steps = 2"))
        status, output, errors = experiment("run", file)
        assert status == 0, errors
        assert "[13/13]" in output
        status, output, _ = experiment("collect", file, "--no-report")
        assert status == 0 and "metamers.csv: 6 rows" in output

    def test_what_is_there_is_not_overwritten(self, experiment):
        experiment("new", "mine")
        status, _, errors = experiment("new", "mine.toml")
        assert status == 2 and "mine.toml exists" in errors
        assert experiment("new", "my experiment")[0] == 2


class TestPlan:
    def test_how_much_it_is_is_told_and_nothing_is_written(self, experiment, tmp_path):
        write_files(tmp_path / "sounds", 5)
        write_experiment(tmp_path / "mine.toml", ONE, steps=100, batch_size=2, seeds="[0, 1]")
        status, output, _ = experiment("plan", "mine.toml")
        assert status == 0
        assert "10 metamers, 0 made before" in output and "6 batches of up to 2, 600 steps" in output
        assert "--measure" in output
        assert not (tmp_path / "mine").exists()

    def test_steps_are_timed_on_request(self, experiment, one, tmp_path):
        write_sounds(tmp_path / "sounds", 1)
        write_experiment(tmp_path / "mine.toml", one, steps=10**9)
        status, output, _ = experiment("plan", "mine.toml", "--measure", "--workers", 10)
        assert status == 0
        assert "days on one worker" in output and "on 10 such workers" in output
        [row] = json.loads(experiment("plan", "mine.toml", "--json")[1])  # What was measured is kept.
        assert row["seconds"] == pytest.approx(row["seconds_per_step"] * 1e9)
        assert "not known" not in experiment("status", "mine.toml")[1]

    def test_tensorflow_is_not_imported(self, tmp_path):
        write_files(tmp_path / "sounds", 2)
        file = write_experiment(tmp_path / "mine.toml", ONE)
        for command in (["new", str(tmp_path / "other")], ["plan", str(file)], ["status", str(file)]):
            script = f"import sys; from tfmetamers.cli.main import run; assert run({['experiment', *command]!r}) == 0; "
            script += "assert not {'tensorflow', 'keras', 'pandas', 'matplotlib'} & set(sys.modules)"
            done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr


class TestRun:
    def test_what_failed_is_told_and_tried_again_on_request(self, experiment, one, tmp_path):
        write_sounds(tmp_path / "sounds", 2)
        file = write_experiment(tmp_path / "mine.toml", one)
        broken = tmp_path / "sounds" / "3" / "0.wav"
        whole = broken.read_bytes()
        broken.write_bytes(b"RIFF")
        status, _, errors = experiment("run", file)
        assert status == 1 and "0.wav" in errors and "experiment retry" in errors
        status, output, _ = experiment("status", file)
        assert "Failed:" in output and "0.wav" in output
        found = json.loads(experiment("status", file, "--json")[1])
        assert [(row["kind"], row["done"], row["failed"]) for row in found["rows"]] == [
            ("metamers", 1, 1),
            ("evaluation", 1, 0),
        ]
        broken.write_bytes(whole)
        status, output, _ = experiment("retry", file)
        assert status == 0 and "1 failed item to try again" in output
        assert "[3/3]" in output and "[4/3]" not in output  # The evaluation is done again, and counted once.
        assert json.loads(experiment("status", file, "--json")[1])["failed"] == []

    def test_a_fork_starts_anew(self, experiment, one, tmp_path):
        write_sounds(tmp_path / "sounds", 1)
        file = write_experiment(tmp_path / "mine.toml", one, output='"out"')
        assert experiment("run", file)[0] == 0
        file.write_text(file.read_text().replace("steps = 3", "steps = 4"))
        status, _, errors = experiment("run", file)
        assert status == 1 and "steps: 4 instead of 3" in errors
        assert experiment("run", file, "--fork", "yours")[0] == 0
        assert len(list((tmp_path / "yours").rglob("metamer.json"))) == 1
        assert experiment("run", file, "--fork", "yours")[0] == 2

    @pytest.mark.parametrize(
        ("options", "named"),
        [
            (["--shard", "3/2"], "3/2"),
            (["--shard", "0/2"], "0/2"),
            (["--shard", "1/0"], "1/0"),
            (["--shard", "two"], "'two'"),
            (["--shard", "1/2", "--workers", "2"], "exclude each other"),
            (["--fork", "../other"], "without folders"),
        ],
    )
    def test_options_that_cannot_be_used_are_named(self, experiment, tmp_path, options, named):
        write_files(tmp_path / "sounds", 1)
        file = write_experiment(tmp_path / "mine.toml", ONE)
        status, _, errors = experiment("run", file, *options)
        assert status == 2 and named in errors


class TestCollect:
    def test_what_is_there_is_collected_however_partial(self, experiment, made, tmp_path):
        file = made.copy(tmp_path)
        shutil.copytree(made.experiment.out, tmp_path / "mine")
        removed = next((tmp_path / "mine" / "metamers").rglob("metamer.json")).parent
        shutil.rmtree(removed)
        status, output, _ = experiment("collect", file)
        assert status == 0
        assert "metamers.csv: 5 rows" in output and "verdicts.csv: 5 rows" in output and "report.html" in output

    def test_before_anything_is_made_tables_are_empty(self, experiment, tmp_path):
        write_files(tmp_path / "sounds", 1)
        write_experiment(tmp_path / "mine.toml", ONE)
        status, output, _ = experiment("collect", "mine.toml")
        assert status == 0 and "metamers.csv: 0 rows" in output


class TestSbatch:
    def script(self, experiment, tmp_path, *options):
        write_files(tmp_path / "sounds", 1)
        write_experiment(tmp_path / "mine.toml", ONE)
        assert experiment("sbatch", "mine.toml", *options, "--output", "array.sh")[0] == 0
        return tmp_path / "array.sh"

    def test_each_task_runs_its_shard(self, experiment, tmp_path):
        script = self.script(experiment, tmp_path, "--shards", 3, "--cpus", 2)
        fake = tmp_path / "bin" / "tfmetamers"
        fake.parent.mkdir()
        fake.write_text('#!/bin/bash\nprintf "%s\\n" "$@"\n')
        fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
        environment = {"PATH": f"{fake.parent}{os.pathsep}{os.environ['PATH']}"}
        environment |= {"SLURM_ARRAY_TASK_ID": "2", "SLURM_CPUS_PER_TASK": "2"}
        done = subprocess.run(["bash", script], capture_output=True, text=True, env=environment, check=True)
        expected = ["experiment", "run", str(tmp_path / "mine.toml"), "--shard", "2/3", "--threads", "2"]
        assert done.stdout.splitlines() == expected
        assert "#SBATCH --array=1-3\n" in script.read_text()

    def test_a_gpu_is_asked_for(self, experiment, tmp_path):
        text = self.script(experiment, tmp_path, "--gpu", "--partition", "gpus").read_text()
        assert "#SBATCH --gres=gpu:1" in text and "#SBATCH --partition=gpus" in text and "--threads" not in text

    def test_limits_that_slurm_does_not_take_are_refused(self, experiment, tmp_path):
        write_files(tmp_path / "sounds", 1)
        write_experiment(tmp_path / "mine.toml", ONE)
        assert experiment("sbatch", "mine.toml", "--time", "a day")[0] == 2
        assert experiment("sbatch", "mine.toml", "--memory", "much")[0] == 2
