"""Runs on disk: nothing is made twice, nothing is lost."""

import contextlib
import gc
import json
import resource
import signal
import subprocess
import sys
import time
import warnings
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from tests.synthesis.plans import RECIPE, ids, plan
from tfmetamers.errors import BusyError, ResultError, SynthesisError, TfmetamersWarning
from tfmetamers.metamers import read_metamer
from tfmetamers.networks import from_keras
from tfmetamers.networks.graph.frozen import FrozenFunction
from tfmetamers.stimuli.domains import Images
from tfmetamers.synthesis import execute_run
from tfmetamers.synthesis.loop import Synthesis
from tfmetamers.synthesis.runs import measure_seconds
from tfmetamers.synthesis.unfinished import locked, read_state

BYTES = ("metamer.npy", "metamer.png", "original.png", "trace.csv", "metamer.json")


def run(planned, network, **options):
    return list(execute_run(planned, network, **options))


def contents(out):
    return {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.name in BYTES}


def test_a_run_writes_one_folder_each_and_is_done_the_second_time(network, stimuli, tmp_path):
    out = tmp_path / "out"
    made = [job.folder for job, _ in run(plan(network, stimuli, out, batch_size=2), network)]
    assert made == [out / network.spec.folder_name / "block~steps-30" / name / "0" for name in "abc"]
    assert {path.name for path in made[0].iterdir()} == {*BYTES, "run.json"}
    again = plan(network, stimuli, out)
    assert again.batches == []
    assert [job.folder for job in again.finished] == made
    assert not list(out.rglob("*unfinished*")) and not list(out.rglob("*partial*")) and not list(out.rglob("*.lock"))


def test_what_was_written_can_be_read_again(network, stimuli, tmp_path):
    [(job, metamer)] = run(plan(network, stimuli[:1], tmp_path), network)
    read = read_metamer(job.folder)
    for field in ("stimulus", "original", "losses"):
        np.testing.assert_array_equal(getattr(read, field), getattr(metamer, field))
    assert read.record == metamer.record
    assert read.record.stimulus.file == "a.png"
    assert read.seconds == pytest.approx(metamer.seconds, abs=1e-3)


def test_snapshots_are_kept_with_the_metamer(network, stimuli, tmp_path):
    [(job, metamer)] = run(plan(network, stimuli[:1], tmp_path), network, snapshot_every=10)
    names = sorted(path.name for path in (job.folder / "snapshots").iterdir())
    assert names == ["step_000010.png", "step_000020.png", "step_000030.png"]
    last = np.asarray(Image.open(job.folder / "snapshots" / names[-1]))
    np.testing.assert_array_equal(last, np.rint(metamer.stimulus * 255).astype(np.uint8))


class TestNothingTwice:
    def test_each_stimulus_is_loaded_once_for_all_layers(self, network, stimuli, tmp_path, monkeypatch):
        loaded, load = Counter(), Images.load

        def counted(self, path, *further):
            loaded[path.name] += 1
            return load(self, path, *further)

        monkeypatch.setattr(Images, "load", counted)
        layers, recipe = ["first", "left", "block"], RECIPE.replace(steps=1)
        run(plan(network, stimuli, tmp_path, layers=layers, recipe=recipe, batch_size=2), network)
        assert loaded == {"a.png": 1, "b.png": 1, "c.png": 1}

    def test_one_layers_function_is_in_memory_at_a_time(self, network, stimuli, tmp_path):
        """That of the logits stays, which labels come from."""
        network.predict(np.zeros((1, 32, 32, 3), np.float32))
        gc.collect()
        before = sum(isinstance(each, FrozenFunction) for each in gc.get_objects())
        alive = []

        def count(*_):
            alive.append(sum(isinstance(each, FrozenFunction) for each in gc.get_objects()) - before)

        layers, recipe = ["first", "left", "block", "flat"], RECIPE.replace(steps=1)
        run(plan(network, stimuli[:1], tmp_path, layers=layers, recipe=recipe), network, progress=count)
        assert alive == [1, 1, 1, 1]

    def test_a_function_is_built_once_a_layer(self, network, stimuli, tmp_path, monkeypatch):
        built, build = [], Synthesis.__init__

        def counted(self, *arguments, **options):
            built.append(options["layer"])
            build(self, *arguments, **options)

        monkeypatch.setattr(Synthesis, "__init__", counted)
        run(plan(network, stimuli, tmp_path, layers=["first", "left"], recipe=RECIPE.replace(steps=1)), network)
        assert built == ["first", "left"]


class TestWhatCannotBeMade:
    def test_a_broken_stimulus_spares_the_others_and_is_named_once(self, network, stimuli, tmp_path):
        stimuli[1].path.write_bytes(b"")
        out, recipe = tmp_path / "out", RECIPE.replace(steps=1)
        planned = plan(network, stimuli, out, layers=["first", "block"], recipe=recipe, batch_size=2)
        with pytest.raises(SynthesisError) as caught:
            run(planned, network)
        assert str(caught.value).count("b.png") == 1
        assert sorted(path.parts[-4:-2] for path in out.rglob("metamer.json")) == [
            (f"{layer}~steps-1", name) for layer in ("block", "first") for name in ("a", "c")
        ]
        assert [path for path in out.rglob("*") if "b" in path.parts] == []
        assert ids(plan(network, stimuli, out, layers=["block"], recipe=recipe).batches) == [["b"]]

    def test_a_run_of_nothing_that_can_be_loaded_leaves_no_folder(self, network, stimuli, tmp_path):
        stimuli[0].path.write_bytes(b"")
        with pytest.raises(SynthesisError, match=r"a\.png"):
            run(plan(network, stimuli[:1], tmp_path / "out"), network)
        assert not (tmp_path / "out").exists()

    def test_a_loss_that_is_not_a_number_keeps_its_last_good_state_and_the_other_batches_go_on(
        self, network, stimuli, tmp_path, monkeypatch
    ):
        advance, planned = Synthesis.advance, plan(network, stimuli, tmp_path)
        spoilt = network.activations("block")(network.domain.load(stimuli[1].path)[None]).numpy()

        def advance_or_spoil(self, targets, state, steps):
            if np.array_equal(targets, spoilt) and state.step >= 7:
                targets = targets * np.nan
            return advance(self, targets, state, steps)

        monkeypatch.setattr(Synthesis, "advance", advance_or_spoil)
        with pytest.raises(SynthesisError, match=r"^b: .*step 7"):
            run(planned, network)
        assert sorted(path.parent.parent.name for path in tmp_path.rglob("metamer.json")) == ["a", "c"]
        [state] = tmp_path.rglob("state.npz")
        assert read_state(state).step == 7

    @pytest.mark.parametrize("bright", [["b"], ["a", "b", "c"]], ids=["one of a batch", "a whole batch"])
    def test_what_no_gradient_reaches_is_named_at_once_and_the_others_go_on(
        self, deaf_network, stimuli, tmp_path, bright
    ):
        for file in stimuli:
            level = 230 if file.id in bright else 140
            Image.new("RGB", (32, 32), (level,) * 3).save(file.path)
        recipe, seen = RECIPE.replace(relu_gradient="normal"), []
        planned = plan(deaf_network, stimuli, tmp_path / "out", layers=["relu"], recipe=recipe, batch_size=3)

        def watch(_, state):
            seen.append((state.step, len(caught)))

        with (
            warnings.catch_warnings(record=True) as caught,
            pytest.raises(SynthesisError, match="zero everywhere") as raised,
        ):
            warnings.simplefilter("always")
            run(planned, deaf_network, progress=watch)
        assert ", ".join(bright) in str(raised.value) and "deaf at relu" in str(raised.value)
        made = sorted(path.parent.parent.name for path in (tmp_path / "out").rglob("metamer.json"))
        assert made == [name for name in "abc" if name not in bright]
        assert not list((tmp_path / "out").rglob("*.unfinished"))
        if made:
            assert seen[0] == (1, 2), "it is told after the first step, and of the others that they need none"
            assert [each.category for each in caught] == [TfmetamersWarning] * 2
        else:
            assert seen == [], "no further step is done"

    def test_an_output_that_cannot_be_written_is_one_sentence(self, network, stimuli, tmp_path):
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(ResultError, match="file"):
            run(plan(network, stimuli[:1], tmp_path / "file" / "out"), network)


class Stop(KeyboardInterrupt):
    """Ctrl-C at a moment that the test chooses."""


def stop_at(step):
    def progress(batch, state):
        if state.step >= step:
            raise Stop

    return progress


class TestInterruptedRuns:
    def test_ctrl_c_saves_the_state_and_the_same_plan_ends_with_the_same_bytes(self, network, stimuli, tmp_path):
        run(plan(network, stimuli, tmp_path / "whole", batch_size=2), network)
        out = tmp_path / "stopped"
        with pytest.raises(KeyboardInterrupt):
            run(plan(network, stimuli, out, batch_size=2), network, progress=stop_at(7))
        assert list(out.rglob("state.npz"))
        assert not list(out.rglob("metamer.json"))
        # Another batch size: the interrupted batch is continued as it was.
        steps = []
        run(plan(network, stimuli, out, batch_size=1), network, progress=lambda _, state: steps.append(state.step))
        assert steps[0] > 7
        assert contents(out) == contents(tmp_path / "whole")
        assert not list(out.rglob("*unfinished*"))

    def test_a_batch_stopped_between_the_writing_of_its_folders_is_completed(self, network, stimuli, tmp_path):
        run(plan(network, stimuli, tmp_path / "whole", batch_size=3), network)
        out = tmp_path / "stopped"
        making = execute_run(plan(network, stimuli, out, batch_size=3), network)
        next(making)
        making.close()
        assert len(list(out.rglob("metamer.json"))) == 1
        planned = plan(network, stimuli, out, batch_size=3)
        assert ids(planned.batches) == [["a", "b", "c"]]
        run(planned, network)
        assert contents(out) == contents(tmp_path / "whole")

    def test_what_a_killed_run_was_just_writing_is_cleared_away(self, network, stimuli, tmp_path):
        planned = plan(network, stimuli[:1], tmp_path)
        left = planned.batches[0][0].folder.with_name(".0.abc.tfmetamers.partial")
        left.mkdir(parents=True)
        run(planned, network)
        assert not left.exists()


class TestTwoRuns:
    """Two processes that were given the same command share its work."""

    def test_the_second_goes_on_with_the_rest_and_names_what_is_busy(self, network, stimuli, tmp_path):
        first, second = (plan(network, stimuli, tmp_path) for _ in range(2))
        made = []

        def meddle(batch, state):
            if batch[0].spec.stimulus.id == "a" and state.step == 1:
                with pytest.raises(BusyError, match="a/0"):
                    for job, _ in execute_run(second, network):
                        made.append(job.spec.stimulus.id)

        own = [job.spec.stimulus.id for job, _ in run(first, network, progress=meddle)]
        assert (own, made) == (["a"], ["b", "c"])

    def test_what_was_busy_and_has_been_left_is_made_in_the_end(self, network, stimuli, tmp_path):
        planned = plan(network, stimuli, tmp_path)
        with contextlib.ExitStack() as stack:
            stack.enter_context(locked(planned.batches[0]))
            making = execute_run(planned, network)
            order = [next(making)[0].spec.stimulus.id for _ in range(2)]
        order += [job.spec.stimulus.id for job, _ in making]
        assert order == ["b", "c", "a"]

    def test_what_another_has_finished_meanwhile_is_not_made_again(self, network, stimuli, tmp_path, monkeypatch):
        first, second = (plan(network, stimuli, tmp_path, batch_size=3) for _ in range(2))
        run(plan(network, stimuli[:1], tmp_path), network)
        advanced, advance = [], Synthesis.advance

        def counted(self, targets, *others):
            advanced.append(len(targets))
            return advance(self, targets, *others)

        monkeypatch.setattr(Synthesis, "advance", counted)
        assert [job.spec.stimulus.id for job, _ in run(first, network)] == ["b", "c"]
        assert set(advanced) == {2}
        assert run(second, network) == []


def test_two_runs_into_one_folder_keep_out_of_each_others_way(network, stimuli, tmp_path):
    first, second = (plan(network, stimuli[:1], tmp_path) for _ in range(2))

    def meddle(*_):
        with pytest.raises(ResultError, match="a/0"):
            run(second, network)

    run(first, network, progress=meddle)
    # Planned before the first had finished, run after: nothing is lost, and nothing of another kind overwritten.
    run(second, network)
    folder = first.batches[0][0].folder
    other = plan(network, stimuli[:1], tmp_path / "other", recipe=RECIPE.replace(steps=9))
    for job in other.batches[0]:
        vars(job)["folder"] = folder  # A folder follows from what is made, so that this is not met by chance.
    with pytest.raises(ResultError, match=r"recipe\.steps"):
        run(other, network)
    assert not [path for path in tmp_path.rglob("*") if path.suffix == ".lock"]


def test_measuring_makes_nothing(network, stimuli, tmp_path):
    minimum, maximum = measure_seconds(plan(network, stimuli, tmp_path / "out"), network, "block")
    assert 0 < minimum <= maximum < 10
    assert not (tmp_path / "out").exists()


def test_models_in_memory_are_told_apart_by_their_weights(network, stimuli, tmp_path, small_model):
    import keras

    other = from_keras(keras.models.clone_model(small_model), labels=list("abcdefghij"))
    recipe = RECIPE.replace(steps=1)
    folders = {
        job.folder
        for each in (network, other)
        for job, _ in run(plan(each, stimuli[:1], tmp_path, recipe=recipe), each)
    }
    assert len(folders) == 2


COMMAND = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # Which a shell's background job would ignore.
from tfmetamers.synthesis import runs
runs.SECONDS_BETWEEN_SAVES = 0.0
import tfmetamers.synthesis.loop
tfmetamers.synthesis.loop.SECONDS_A_CALL = 0.02
from tfmetamers.cli.main import main
main()
"""


def start(arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
    )


def wait_for_a_state(out, process):
    deadline = time.monotonic() + 120
    while not list(out.rglob("*.unfinished/state.npz")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)


class TestCommandLine:
    @pytest.fixture
    def arguments(self, stimuli, smooth_model, tmp_path):
        smooth_model.save(tmp_path / "smooth.keras")
        options = ["--network", tmp_path / "smooth.keras", "--layer", "second", "--batch-size", 2, "--steps", 1500]
        return ["synth", *options, stimuli[0].path.parent, "--output"]

    @pytest.mark.slow
    def test_a_run_killed_at_random_moments_ends_with_the_same_bytes(self, arguments, tmp_path):
        whole = start([*arguments, tmp_path / "whole"])
        assert whole.wait() == 0, whole.stderr.read()
        out, moments, kills = tmp_path / "killed", np.random.default_rng(int(time.time())), 0
        while kills < 4:
            process = start([*arguments, out])
            wait_for_a_state(out, process)
            time.sleep(moments.uniform(0, 0.5) if kills else 0)
            process.send_signal(signal.SIGKILL)
            if process.wait() == 0:
                break
            kills += 1
        assert kills, "the run was over before it could be killed"
        last = start([*arguments, out])
        assert last.wait() == 0, last.stderr.read()
        assert contents(out) == contents(tmp_path / "whole")
        assert len(contents(out)) == 3 * len(BYTES)

    def test_ctrl_c_ends_with_status_130_and_the_state_saved(self, arguments, tmp_path):
        arguments[arguments.index(1500)] = 10**6
        process = start([*arguments, tmp_path / "out"])
        wait_for_a_state(tmp_path, process)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 130
        assert b"Traceback" not in errors
        assert b"same command again" in errors
        [state] = tmp_path.rglob("state.npz")
        with np.load(state) as saved:
            assert [job["id"] for job in json.loads(str(saved["members"]))] == ["a", "b"]

    def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_written(self, arguments, tmp_path):
        """A limit on the size of files stands in for a full disk: the same system call fails."""

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

        process = start([*arguments, tmp_path / "out"], preexec_fn=limit)
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 1
        assert b"cannot be written: File too large" in errors
        assert b"Traceback" not in errors
        assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
