"""Runs on disk: nothing is made twice, nothing is lost."""

import dataclasses
import json
import os
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from tfmetamers.errors import ArgumentError, ResultError, StimulusError, SynthesisError
from tfmetamers.metamers.folder import read_metamer
from tfmetamers.networks import from_keras
from tfmetamers.recipes import find_recipe
from tfmetamers.stimuli.collection import collect_stimuli
from tfmetamers.stimuli.images import SUFFIXES
from tfmetamers.synthesis import runs
from tfmetamers.synthesis.loop import Synthesis
from tfmetamers.synthesis.runs import execute_run, plan_run
from tfmetamers.synthesis.unfinished import read_state

RECIPE = find_recipe("feather2019-image").replace(steps=30)
BYTES = ("metamer.npy", "metamer.png", "original.png", "trace.csv")


@pytest.fixture
def network(small_model):
    return from_keras(small_model, labels=list("abcdefghij"))


@pytest.fixture
def stimuli(tmp_path, pictures):
    folder = tmp_path / "stimuli"
    folder.mkdir()
    for name, picture in zip("abc", pictures, strict=False):
        Image.fromarray((picture * 255).astype(np.uint8)).save(folder / f"{name}.png")
    return collect_stimuli([folder], SUFFIXES)


def plan(network, stimuli, out, **options):
    return plan_run(network, "block", stimuli, **{"recipe": RECIPE, "seed": 0, "out": out, **options})


def contents(out):
    return {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.name in BYTES}


def test_a_run_writes_one_folder_each_and_is_done_the_second_time(network, stimuli, tmp_path):
    out = tmp_path / "out"
    made = [job.folder for job, _ in execute_run(plan(network, stimuli, out, batch_size=2))]
    assert made == [out / "small" / "block" / name / "0" for name in "abc"]
    assert {path.name for path in made[0].iterdir()} == {*BYTES, "metamer.json"}
    again = plan(network, stimuli, out)
    assert again.batches == []
    assert [job.folder for job in again.finished] == made
    assert not list(out.rglob("*unfinished*")) and not list(out.rglob("*partial*"))


def test_an_added_stimulus_is_made_and_the_others_are_left(network, stimuli, tmp_path):
    list(execute_run(plan(network, stimuli[:2], tmp_path / "out")))
    run = plan(network, stimuli, tmp_path / "out")
    assert [[job.stimulus.id for job in batch] for batch in run.batches] == [["c"]]


@pytest.mark.parametrize(
    ("options", "difference"),
    [
        ({"recipe": RECIPE.replace(steps=31)}, r"recipe\.steps: 30 there, 31 asked"),
        ({"recipe": RECIPE.replace(learning_rate=0.01)}, r"recipe\.learning_rate: 0.001 there, 0.01 asked"),
        ({"recipe": RECIPE.replace(relu_gradient="normal")}, r"recipe\.relu_gradient: straight-through there, normal"),
    ],
)
def test_a_finished_folder_made_with_other_settings_is_refused(network, stimuli, tmp_path, options, difference):
    list(execute_run(plan(network, stimuli[:1], tmp_path / "out")))
    before = contents(tmp_path / "out")
    with pytest.raises(ResultError, match=difference):
        plan(network, stimuli[:1], tmp_path / "out", **options)
    assert contents(tmp_path / "out") == before


def test_another_picture_or_other_weights_under_the_same_name_are_refused(network, stimuli, tmp_path, small_model):
    import keras

    list(execute_run(plan(network, stimuli[:1], tmp_path / "out")))
    other = keras.models.clone_model(small_model)
    with pytest.raises(ResultError, match=r"network\.digest"):
        plan(from_keras(other, labels=list("abcdefghij")), stimuli[:1], tmp_path / "out")
    Image.new("RGB", (32, 32), "red").save(stimuli[0].path)
    with pytest.raises(ResultError, match=r"stimulus\.sha256"):
        plan(network, stimuli[:1], tmp_path / "out")


def test_snapshots_are_kept_with_the_metamer(network, stimuli, tmp_path):
    run = plan(network, stimuli[:1], tmp_path / "out")
    [(job, metamer)] = execute_run(run, snapshot_every=10)
    names = sorted(path.name for path in (job.folder / "snapshots").iterdir())
    assert names == ["step_000010.png", "step_000020.png", "step_000030.png"]
    last = np.asarray(Image.open(job.folder / "snapshots" / names[-1]))
    np.testing.assert_array_equal(last, np.rint(metamer.stimulus * 255).astype(np.uint8))


class Stop(KeyboardInterrupt):
    """Ctrl-C at a moment that the test chooses."""


def stop_at(step):
    def progress(batch, state):
        if state.step >= step:
            raise Stop

    return progress


def test_ctrl_c_saves_the_state_and_the_same_plan_ends_with_the_same_bytes(network, stimuli, tmp_path):
    list(execute_run(plan(network, stimuli, tmp_path / "whole", batch_size=2)))
    out = tmp_path / "stopped"
    with pytest.raises(KeyboardInterrupt):
        list(execute_run(plan(network, stimuli, out, batch_size=2), progress=stop_at(7)))
    assert list(out.rglob("state.npz"))
    assert not list(out.rglob("metamer.json"))
    # Another batch size: the interrupted batch is continued as it was.
    run = plan(network, stimuli, out, batch_size=1)
    assert [[job.stimulus.id for job in batch] for batch in run.batches] == [["a", "b"], ["c"]]
    steps = []
    list(execute_run(run, progress=lambda _, state: steps.append(state.step)))
    assert steps[0] > 7
    assert contents(out) == contents(tmp_path / "whole")
    assert not list(out.rglob("*unfinished*"))


def test_a_batch_stopped_between_the_writing_of_its_folders_is_completed(network, stimuli, tmp_path):
    list(execute_run(plan(network, stimuli, tmp_path / "whole", batch_size=3)))
    out = tmp_path / "stopped"
    making = execute_run(plan(network, stimuli, out, batch_size=3))
    next(making)
    making.close()
    assert len(list(out.rglob("metamer.json"))) == 1
    run = plan(network, stimuli, out, batch_size=3)
    assert [[job.stimulus.id for job in batch] for batch in run.batches] == [["a", "b", "c"]]
    list(execute_run(run))
    assert contents(out) == contents(tmp_path / "whole")


def test_a_state_made_with_other_settings_or_other_inputs_is_refused(network, stimuli, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        list(execute_run(plan(network, stimuli, tmp_path, batch_size=2), progress=stop_at(7)))
    with pytest.raises(ResultError, match=r"state\.npz was made with other settings \(recipe.steps: 30 there, 40"):
        plan(network, stimuli, tmp_path, recipe=RECIPE.replace(steps=40))
    with pytest.raises(ResultError, match=r"a batch with b in it, not among the inputs now"):
        plan(network, [stimuli[0], stimuli[2]], tmp_path)


def test_a_damaged_state_is_named(network, stimuli, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        list(execute_run(plan(network, stimuli[:1], tmp_path), progress=stop_at(7)))
    [path] = tmp_path.rglob("state.npz")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ResultError, match=r"state\.npz is damaged .* delete it"):
        plan(network, stimuli[:1], tmp_path)


def test_a_loss_that_is_no_number_keeps_its_last_good_state_and_the_other_batches_go_on(
    network, stimuli, tmp_path, monkeypatch
):
    advance = Synthesis.advance

    def spoilt(self, targets, state, steps):
        if np.array_equal(targets, spoilt_targets):
            targets = targets * np.nan if state.step >= 7 else targets
        return advance(self, targets, state, steps)

    run = plan(network, stimuli, tmp_path)
    spoilt_targets = run.synthesis.targets(runs._originals(run, run.batches[1]))
    monkeypatch.setattr(Synthesis, "advance", spoilt)
    with pytest.raises(SynthesisError, match=r"^b: .* not finite at step 7"):
        list(execute_run(run))
    finished = sorted(path.parent.parent.name for path in tmp_path.rglob("metamer.json"))
    assert finished == ["a", "c"]
    [state] = tmp_path.rglob("state.npz")
    assert read_state(state).state.step == 7


def test_a_state_that_lacks_a_part_is_named(network, stimuli, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        list(execute_run(plan(network, stimuli[:1], tmp_path), progress=stop_at(7)))
    [path] = tmp_path.rglob("state.npz")
    with np.load(path) as archive:
        parts = dict(archive)
    for missing in parts:
        np.savez(path, **{name: part for name, part in parts.items() if name != missing})
        with pytest.raises(ResultError, match=r"state\.npz is damaged"):
            plan(network, stimuli[:1], tmp_path)


def test_overlapping_states_make_nothing_twice(network, stimuli, tmp_path):
    for chosen in (stimuli[:2], stimuli[1:2]):
        with pytest.raises(KeyboardInterrupt):
            list(execute_run(run_of(network, chosen, tmp_path), progress=stop_at(7)))
    run = plan(network, stimuli, tmp_path)
    assert [[job.stimulus.id for job in batch] for batch in run.batches] == [["a", "b"], ["c"]]
    assert sorted(job.stimulus.id for job, _ in execute_run(run)) == ["a", "b", "c"]
    assert not list(tmp_path.rglob("*unfinished*"))


def run_of(network, stimuli, out):
    """Plan a run of one batch without looking for states."""
    run = plan(network, stimuli, out / "elsewhere", batch_size=2)
    return dataclasses.replace(run, batches=[[_moved(job, out) for job in batch] for batch in run.batches])


def _moved(job, out):
    return dataclasses.replace(job, folder=out / job.folder.relative_to(out / "elsewhere"))


def test_two_runs_into_one_folder_keep_out_of_each_others_way(network, stimuli, tmp_path):
    first, second = plan(network, stimuli[:1], tmp_path), plan(network, stimuli[:1], tmp_path)

    def meddle(*_):
        with pytest.raises(ResultError, match="Another run is making"):
            list(execute_run(second))

    list(execute_run(first, progress=meddle))
    # Planned before the first had finished, run after: nothing is lost, and nothing of another kind overwritten.
    list(execute_run(second))
    other = plan(network, stimuli[:1], tmp_path / "other", recipe=RECIPE.replace(steps=9))
    other = dataclasses.replace(other, batches=[[_placed(job, first.batches[0][0].folder) for job in other.batches[0]]])
    with pytest.raises(ResultError, match=r"recipe\.steps: 30 there, 9 asked"):
        list(execute_run(other))
    assert not [path for path in tmp_path.rglob("*") if path.suffix == ".lock"]


def _placed(job, folder):
    return dataclasses.replace(job, folder=folder)


def test_what_a_killed_run_was_just_writing_is_cleared_away(network, stimuli, tmp_path):
    left = tmp_path / "small/block/a/.0.abc.partial"
    left.mkdir(parents=True)
    list(execute_run(plan(network, stimuli[:1], tmp_path)))
    assert not left.exists()


def test_a_folder_in_the_way_is_named(network, stimuli, tmp_path):
    (tmp_path / "small/block/a/0").mkdir(parents=True)
    with pytest.raises(ResultError, match="a/0 is in the way and no finished metamer"):
        plan(network, stimuli, tmp_path)


def test_a_corrected_label_does_not_make_finished_work_another(network, stimuli, tmp_path):
    list(execute_run(plan(network, stimuli[:1], tmp_path)))
    corrected = dataclasses.replace(stimuli[0], label="bear", category="bear", columns={"source": "zoo"})
    assert plan(network, [corrected], tmp_path).batches == []


def test_a_tensor_is_one_layer_however_it_is_named(network, stimuli, tmp_path):
    tensor = network.layers["left"].tensor
    first, second = (
        plan_run(network, f"tensor:{name}", stimuli[:1], recipe=RECIPE, seed=0, out=tmp_path)
        for name in (tensor, tensor.removesuffix(":0"))
    )
    assert first.batches[0][0].folder == second.batches[0][0].folder
    assert first.batches[0][0].settings == second.batches[0][0].settings


@pytest.mark.parametrize(("option", "value"), [("batch_size", 0), ("seed", -1), ("seed", 1.5), ("seed", "a")])
def test_impossible_numbers_are_refused(network, stimuli, tmp_path, option, value):
    with pytest.raises(ArgumentError, match=str(value)):
        plan(network, stimuli, tmp_path, **{option: value})


def test_a_broken_picture_is_named_before_anything_is_made(network, stimuli, tmp_path):
    stimuli[-1].path.write_bytes(b"")
    with pytest.raises(StimulusError, match=r"c\.png is empty"):
        plan(network, stimuli, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_output_that_cannot_be_written_is_one_sentence(network, stimuli, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ResultError, match="cannot be written"):
        list(execute_run(plan(network, stimuli[:1], tmp_path / "file" / "out")))


def test_the_estimate_of_disk_space_is_an_upper_bound_and_no_wild_one(network, stimuli, tmp_path):
    run = plan(network, stimuli, tmp_path / "out")
    estimate = runs.estimate_bytes(run, snapshot_every=10)
    list(execute_run(run, snapshot_every=10))
    used = sum(path.stat().st_size for path in tmp_path.joinpath("out").rglob("*") if path.is_file())
    assert used < estimate < 3 * used


def test_measuring_makes_nothing(network, stimuli, tmp_path):
    assert 0 < runs.measure_seconds(plan(network, stimuli, tmp_path / "out")) < 10
    assert not (tmp_path / "out").exists()


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


@pytest.fixture
def arguments(stimuli, smooth_model, tmp_path):
    smooth_model.save(tmp_path / "smooth.keras")
    options = ["--keras-model", tmp_path / "smooth.keras", "--layer", "second", "--batch-size", 2, "--steps", 1500]
    return ["synth", *options, stimuli[0].path.parent, "--output"]


def test_a_run_killed_at_random_moments_ends_with_the_same_bytes(arguments, tmp_path):
    whole = start([*arguments, tmp_path / "whole"])
    assert whole.wait() == 0, whole.stderr.read()
    out, moments, kills = tmp_path / "killed", np.random.default_rng(int(time.time())), 0
    while kills < 4:
        process = start([*arguments, out])
        deadline = time.monotonic() + 60
        while not list(out.rglob("*.unfinished/state.npz")) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
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


def test_ctrl_c_on_the_command_line_ends_with_status_130_and_the_state_saved(arguments, tmp_path):
    arguments[arguments.index(1500)] = 10**6
    process = start([*arguments, tmp_path / "out"])
    deadline = time.monotonic() + 60
    while not list(tmp_path.rglob("*.unfinished/state.npz")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in errors
    assert b"The same command goes on from here" in errors
    [state] = tmp_path.rglob("state.npz")
    with np.load(state) as saved:
        assert [job["id"] for job in json.loads(str(saved["members"]))] == ["a", "b"]


def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_written(arguments, tmp_path):
    """A limit on the size of files stands in for a full disk: the same system call fails."""

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    process = start([*arguments, tmp_path / "out"], preexec_fn=limit)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert b"cannot be written: File too large" in errors
    assert b"Traceback" not in errors
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


def test_what_was_written_can_be_read_again(network, stimuli, tmp_path):
    [(job, metamer)] = execute_run(plan(network, stimuli[:1], tmp_path))
    read = read_metamer(job.folder)
    np.testing.assert_array_equal(read.stimulus, metamer.stimulus)
    np.testing.assert_array_equal(read.original, metamer.original)
    np.testing.assert_array_equal(read.losses, metamer.losses)
    assert read.record == json.loads(json.dumps(metamer.record))
    assert read.record["stimulus"]["id"] == "a"
    assert os.fspath(job.folder).endswith("small/block/a/0")
