"""Training runs: what they write, when they stop, and that nothing is lost when they are interrupted."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from filelock import FileLock

from tfmetamers.cochlea.cochleagram import build_front_end
from tfmetamers.errors import ArgumentError, CheckpointError, CorpusError, ResultError
from tfmetamers.networks import NetworkRecord, describe_network, load_network, write_architecture
from tfmetamers.networks.auditory.architecture import trace
from tfmetamers.networks.auditory.layer_types import TrainingPass
from tfmetamers.networks.auditory.trained_folder import read_trained
from tfmetamers.training.evaluation import evaluate_trained
from tfmetamers.training.export import export_trained
from tfmetamers.training.mixtures import SILENCE
from tfmetamers.training.run import _clips_of, train
from tfmetamers.training.settings import TrainingSettings
from tfmetamers.training.trainer import TASK_KEYS, TrainableNetwork, Trainer

SETTINGS = TrainingSettings(
    task="both",
    epochs=3,
    batch_size=8,
    optimizer="adam",
    learning_rate=0.003,
    decay_epochs=2,
    word_threshold=None,
    category_threshold=None,
)


def _train(learner, corpus, out, settings=SETTINGS, **given):
    return train(learner, corpus / "words.csv", corpus / "backgrounds.csv", settings, out, **given)


@pytest.fixture(scope="module")
def trained(learner, corpus, tmp_path_factory):
    """A network of both tasks after three epochs: its folder and its card."""
    out = tmp_path_factory.mktemp("runs") / "both"
    return out, _train(learner, corpus, out)


@pytest.fixture
def batch(learner):
    generator = np.random.default_rng(0)
    return {
        "waveform": tf.constant(0.1 * generator.standard_normal((8, 2000)), tf.float32),
        "word": tf.constant(generator.integers(0, 4, 8), tf.int32),
        "categories": tf.constant(generator.integers(0, 2, (8, 2)), tf.float32),
    }


def _network(learner, tasks, seed=0):
    architecture = dataclasses.replace(learner, tasks=tasks)
    return TrainableNetwork(architecture, trace(architecture, seed).random_weights())


def _weights(folder, epoch):
    reader = tf.train.load_checkpoint(str(folder / "epochs" / f"{epoch:04d}" / "network.ckpt"))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def test_a_trained_network_loads_by_its_folder_and_answers_as_it_did_in_training(trained, corpus):
    out, card = trained
    network = load_network(str(out))
    assert network.name == "both" and network.labels == [SILENCE, "high", "low", "middle"]
    waveforms = 0.1 * np.random.default_rng(1).standard_normal((3, 2000)).astype(np.float32)
    weights = _weights(out, card["epoch"])
    outputs = TrainableNetwork(read_trained(out).architecture, weights).outputs(waveforms)
    assert np.abs(network.logits(waveforms).numpy() - outputs["word"]).max() < 2e-4
    categories = network.activations("fc_top:/stimuli/labels_binary_via_int")(waveforms).numpy()
    assert np.abs(categories - outputs["categories"]).max() < 2e-4
    assert all(name.startswith("brain_network/") for name in weights)


def test_the_network_learns(trained):
    _, card = trained
    losses = [entry["loss"] for entry in card["history"]]
    assert losses[-1] < 0.9 * losses[0]
    assert [entry["learning_rate"] for entry in card["history"]] == [0.003, 0.003, pytest.approx(0.0003)]


def test_the_numbers_of_the_card_come_out_again(trained, corpus):
    out, card = trained
    measured = evaluate_trained(out, corpus / "words.csv", corpus / "backgrounds.csv")
    assert measured == pytest.approx(card["test"], abs=1e-12)
    assert set(measured) == {
        "word_accuracy",
        "category_auc",
        "word_accuracy_in_quiet",
        "category_auc_without_speech",
    }


def test_the_card_says_what_was_done(trained, corpus):
    out, card = trained
    assert json.loads((out / "card.json").read_text(encoding="utf-8")) == json.loads(json.dumps(card))
    assert card["finished"] and not card["reached_threshold"]
    assert card["data"]["words"]["clips"] == {"train": 30, "validation": 12, "test": 12}
    assert card["data"]["words"]["speakers"]["train"] == 2
    page = (out / "README.md").read_text(encoding="utf-8")
    for figure in card["test"].values():
        assert f"{figure:.4f}" in page
    assert {path.name for path in (out / "epochs").iterdir()} == {f"{card['epoch']:04d}", "0003"}
    assert list((out / "logs").glob("events.*"))


def test_more_epochs_continue_where_fewer_ended(trained, learner, corpus, tmp_path):
    out, _ = trained
    copied = shutil.copytree(out, tmp_path / "both")
    card = _train(learner, corpus, copied, dataclasses.replace(SETTINGS, epochs=4))
    assert [entry["epoch"] for entry in card["history"]] == [1, 2, 3, 4]
    straight = tmp_path / "straight" / "both"
    _train(learner, corpus, straight, dataclasses.replace(SETTINGS, epochs=4))
    for name, value in _weights(straight, 4).items():
        assert np.array_equal(value, _weights(copied, 4)[name]), name


@pytest.mark.slow
def test_training_that_was_killed_ends_with_the_weights_of_one_that_was_not(trained, learner, corpus, tmp_path):
    out, card = trained
    write_architecture(learner, tmp_path / "learner.json")
    killed = tmp_path / "both"
    command = [
        *(sys.executable, "-c", "from tfmetamers.cli.main import main; main()", "train"),
        *("--architecture", tmp_path / "learner.json", "--task", "both", "--output", killed),
        *("--corpus", corpus / "words.csv", "--backgrounds", corpus / "backgrounds.csv"),
        *("--epochs", "3", "--batch-size", "8", "--optimizer", "adam", "--learning-rate", "0.003"),
        *("--decay-epochs", "2", "--word-threshold", "none", "--category-threshold", "none"),
    ]
    for epoch in (1, 2):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _wait_for(killed / "epochs" / f"{epoch:04d}", process)
        time.sleep(0.02 * epoch)  # Into the epoch that follows.
        process.send_signal(signal.SIGKILL)
        process.wait()
        card_file = killed / "card.json"  # Not there where the kill came right after the first epoch's weights.
        assert not card_file.exists() or not json.loads(card_file.read_text(encoding="utf-8"))["finished"]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    expected, found = _weights(out, 3), _weights(killed, 3)
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        assert np.array_equal(value, found[name]), name
    assert json.loads((killed / "card.json").read_text(encoding="utf-8"))["test"] == card["test"]


def _wait_for(path: Path, process) -> None:
    until = time.monotonic() + 240
    while not path.exists():
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize("task", ["words", "categories"])
def test_training_stops_at_the_first_validation_that_reaches_the_threshold(task, learner, corpus, tmp_path):
    threshold = {"words": "word_threshold", "categories": "category_threshold"}[task]
    settings = dataclasses.replace(SETTINGS, task=task, steps_per_epoch=1, **{threshold: 0.0})
    card = _train(learner, corpus, tmp_path / "stopped", settings)
    assert card["epoch"] == 1 and card["reached_threshold"] and len(card["history"]) == 1
    assert load_network(tmp_path / "stopped").labels[0] == ("hum" if task == "categories" else SILENCE)


def test_both_thresholds_must_be_reached(learner, corpus, tmp_path):
    settings = dataclasses.replace(
        SETTINGS, epochs=2, steps_per_epoch=1, word_threshold=0.0, category_threshold=1.0, learning_rate=1e-6
    )
    card = _train(learner, corpus, tmp_path / "never", settings)
    assert not card["reached_threshold"] and len(card["history"]) == 2
    best = max(card["history"], key=lambda entry: entry["word_accuracy"] + entry["category_auc"])
    assert card["epoch"] == best["epoch"]
    assert "No threshold was reached in 2 epochs" in (tmp_path / "never" / "README.md").read_text()


def test_epochs_of_some_steps_hear_every_clip_before_any_again(learner, corpus):
    settings = dataclasses.replace(SETTINGS, steps_per_epoch=2)
    rows = np.arange(100, 130)
    heard = np.concatenate([_clips_of(rows, settings, epoch) for epoch in range(1, 16)])
    for number in range(8):
        assert sorted(heard[30 * number : 30 * (number + 1)]) == list(rows)
    assert list(heard[:30]) != list(heard[30:60])


def test_batch_normalisation_in_training_uses_and_follows_the_moments_of_the_batch(learner, batch):
    network = _network(learner, {TASK_KEYS["word"]: 4})
    before = {name: variable.numpy() for name, variable in network.variables.items() if "moving" in name}
    front_end = build_front_end("fast", learner.cochleagram)
    convolved = tf.nn.relu(
        tf.nn.conv2d(front_end(batch["waveform"]), network.variables["brain_network/conv_0/kernel"], 2, "SAME")
    )
    Trainer(network, SETTINGS).step(batch, seed=(0, 0))
    mean, variance = (np.asarray(value) for value in tf.nn.moments(convolved, [0, 1, 2]))
    for name, value in {"moving_mean": mean, "moving_variance": variance}.items():
        name = f"brain_network/batch_norm_0/{name}"
        expected = 0.99 * before[name] + 0.01 * value
        assert np.allclose(network.variables[name].numpy(), expected, rtol=1e-4, atol=1e-6)


def test_dropout_is_drawn_from_the_seed_and_leaves_inference_alone(learner, batch):
    network = _network(learner, {TASK_KEYS["word"]: 4})

    def outputs(seed):
        training = None if seed is None else TrainingPass(tf.constant([0, seed], tf.int32))
        return network._logits(batch["waveform"], training)["word"].numpy()

    assert np.array_equal(outputs(1), outputs(1)) and not np.allclose(outputs(1), outputs(2))
    assert np.array_equal(outputs(None), outputs(None))


@pytest.mark.parametrize(("task", "weight"), [("categories", None), ("both", 0.5)])
def test_the_loss_is_the_cross_entropy_of_the_task(task, weight, learner, batch):
    keys = {"words": ["word"], "categories": ["categories"], "both": ["word", "categories"]}[task]
    classes = {"word": 4, "categories": 2}
    *layers, _, top = learner.layers
    without_dropout = dataclasses.replace(learner, layers=(*layers, top))
    network = _network(without_dropout, {TASK_KEYS[key]: classes[key] for key in keys})
    logits = network._logits(batch["waveform"], TrainingPass(tf.constant([0, 0], tf.int32)))
    terms = {}
    if "word" in keys:
        chances = tf.nn.softmax(logits["word"]).numpy()
        terms["word"] = -np.mean(np.log(chances[np.arange(8), batch["word"].numpy()]))
    if "categories" in keys:
        chances, targets = tf.sigmoid(logits["categories"]).numpy(), batch["categories"].numpy()
        terms["categories"] = -np.mean(np.log(np.where(targets > 0.5, chances, 1 - chances)))
    expected = terms.get("word", 0.0) + terms.get("categories", 0.0) * (weight or 1.0)
    settings = dataclasses.replace(SETTINGS, task=task, category_weight=weight or 1.0)
    assert Trainer(network, settings).step(batch, seed=(0, 0)) == pytest.approx(expected, rel=1e-5)


def test_an_exported_network_is_small_and_answers_the_same(trained, tmp_path):
    out, _ = trained
    export_trained(out, tmp_path / "exported")
    names = {path.name for path in (tmp_path / "exported").iterdir()}
    assert names == {
        *("architecture.json", "labels.json", "card.json", "README.md"),
        *("network.ckpt.index", "network.ckpt.data-00000-of-00001"),
    }
    waveforms = 0.1 * np.random.default_rng(1).standard_normal((2, 2000)).astype(np.float32)
    before, after = load_network(out), load_network(tmp_path / "exported")
    assert np.array_equal(before.logits(waveforms), after.logits(waveforms))
    assert before.provenance.digest == after.provenance.digest


def test_a_folder_with_the_name_of_a_network_is_not_taken_for_it(trained, tmp_path, monkeypatch):
    shutil.copytree(trained[0], tmp_path / "vgg_19")
    monkeypatch.chdir(tmp_path)
    assert len(describe_network("vgg_19").labels) == 1000
    assert len(describe_network("./vgg_19").labels) == 4


def test_random_weights_of_a_trained_architecture(trained):
    network = load_network(trained[0], random_seed=3)
    assert network.provenance.source == "random" and len(network.labels) == 4


def test_a_folder_of_another_run_is_refused(trained, learner, corpus):
    with pytest.raises(ResultError, match=r"settings\.batch_size: 8 instead of 4"):
        _train(learner, corpus, trained[0], dataclasses.replace(SETTINGS, batch_size=4))


def test_a_finished_run_is_not_repeated_and_its_network_keeps_its_name_in_a_renamed_folder(
    trained, learner, corpus, tmp_path
):
    copied = shutil.copytree(trained[0], tmp_path / "renamed")
    before = {path: path.stat().st_mtime_ns for path in (copied / "epochs").rglob("*")}
    assert _train(learner, corpus, copied) == trained[1]
    assert before == {path: path.stat().st_mtime_ns for path in (copied / "epochs").rglob("*")}
    assert load_network(copied).name == "both"


def test_a_diverged_run_ends_and_can_be_started_anew_with_other_settings(learner, corpus, tmp_path):
    diverging = dataclasses.replace(SETTINGS, optimizer="sgd", learning_rate=1e30)
    with pytest.raises(ResultError, match="learning rate"):
        _train(learner, corpus, tmp_path / "run", diverging)
    card = _train(learner, corpus, tmp_path / "run", dataclasses.replace(SETTINGS, epochs=1, steps_per_epoch=1))
    assert json.loads((tmp_path / "run" / "training.json").read_text())["settings"]["optimizer"] == "adam"
    assert card["settings"]["optimizer"] == "adam"
    assert tf.random.uniform([2]).shape == (2,)  # Deterministic operations would refuse to draw without a seed.


def test_a_lower_threshold_whose_epoch_is_gone_is_refused_and_a_lost_best_epoch_is_not_chosen(
    trained, learner, corpus, tmp_path
):
    copied = shutil.copytree(trained[0], tmp_path / "both")
    last = copied / "epochs" / "0003"
    for epoch in {path.name for path in (copied / "epochs").iterdir()} - {"0003"}:
        shutil.rmtree(copied / "epochs" / epoch)
    history = json.loads((last / "history.json").read_text())
    history[0] |= {"word_accuracy": 0.999, "category_auc": 0.999}
    (last / "history.json").write_text(json.dumps(history))
    lowered = dataclasses.replace(SETTINGS, word_threshold=0.99, category_threshold=0.99)
    with pytest.raises(ResultError, match="Epoch 1 "):
        _train(learner, corpus, copied, lowered)
    card = _train(learner, corpus, copied)
    assert card["epoch"] == 3 and (copied / card["checkpoint"]).with_suffix(".ckpt.index").exists()


def test_a_folder_of_something_else_is_refused(learner, corpus, tmp_path):
    (tmp_path / "other" / "epochs").mkdir(parents=True)
    with pytest.raises(ResultError, match="other contains epochs"):
        _train(learner, corpus, tmp_path / "other")


def test_a_damaged_epoch_is_named(trained, learner, corpus, tmp_path):
    copied = shutil.copytree(trained[0], tmp_path / "both")
    state = copied / "epochs" / "0003" / "optimizer.npz"
    with np.load(state) as archive:
        arrays = dict(archive)
    np.savez(state, **{name: array[..., None] for name, array in arrays.items()})
    with pytest.raises(ResultError, match="0003") as refused:
        _train(learner, corpus, copied, dataclasses.replace(SETTINGS, epochs=4))
    assert "\n" not in str(refused.value)
    state.write_bytes(b"PK")
    with pytest.raises(ResultError, match="0003"):
        _train(learner, corpus, copied, dataclasses.replace(SETTINGS, epochs=4))


def test_a_missing_recording_is_named_before_training_starts(learner, corpus, tmp_path):
    copied = shutil.copytree(corpus, tmp_path / "corpus")
    (copied / "train_low_0.wav").unlink()
    with pytest.raises(CorpusError, match=r"train_low_0\.wav"):
        _train(learner, copied, tmp_path / "run")
    assert not (tmp_path / "run" / "epochs").exists()


def test_an_empty_split_is_refused(learner, corpus, tmp_path):
    lines = (corpus / "words.csv").read_text().splitlines()
    copied = shutil.copytree(corpus, tmp_path / "corpus")
    (copied / "words.csv").write_text("\n".join(line for line in lines if "validation" not in line))
    with pytest.raises(CorpusError, match="validation"):
        _train(learner, copied, tmp_path / "run")


@pytest.mark.parametrize(
    ("manifest", "known", "unknown"), [("words.csv", "high", "shrill"), ("backgrounds.csv", "hum", "buzz")]
)
def test_a_network_is_not_evaluated_on_classes_that_it_does_not_know(
    manifest, known, unknown, trained, corpus, tmp_path
):
    copied = shutil.copytree(corpus, tmp_path / "corpus")
    (copied / manifest).write_text((copied / manifest).read_text().replace(f",{known},", f",{unknown},"))
    with pytest.raises(CorpusError, match=f"{manifest}: '{unknown}'"):
        evaluate_trained(trained[0], copied / "words.csv", copied / "backgrounds.csv")


def test_a_card_with_unknown_settings_is_refused(trained, corpus, tmp_path):
    copied = shutil.copytree(trained[0], tmp_path / "both")
    card = {**trained[1], "settings": {"seed": 0, "mixture": {"loudness": 1}}}
    (copied / "card.json").write_text(json.dumps(card))
    with pytest.raises(CheckpointError, match=r"card\.json"):
        evaluate_trained(copied, corpus / "words.csv", corpus / "backgrounds.csv")


def test_an_architecture_without_a_top_layer_is_refused_and_claims_no_folder(learner, corpus, tmp_path):
    topless = dataclasses.replace(learner, layers=learner.layers[:-1])
    with pytest.raises(ArgumentError, match=r"tf\.layers\.dropout"):
        _train(topless, corpus, tmp_path / "run")
    assert not (tmp_path / "run" / "training.json").exists()


def test_the_name_of_an_architecture_is_refused(corpus, tmp_path):
    with pytest.raises(ArgumentError, match="'word_aliased'"):
        _train("word_aliased", corpus, tmp_path / "run")


def test_an_architecture_that_cannot_have_both_tasks_is_refused(small_architecture, corpus, tmp_path):
    with pytest.raises(ArgumentError, match="fc_top"):
        _train(small_architecture, corpus, tmp_path / "run")


def test_a_folder_that_lacks_a_file_is_refused(trained, tmp_path):
    copied = shutil.copytree(trained[0], tmp_path / "both")
    (copied / "labels.json").unlink()
    with pytest.raises(CheckpointError, match=r"labels\.json"):
        load_network(copied)


def test_labels_that_do_not_fit_are_refused(trained, tmp_path):
    copied = shutil.copytree(trained[0], tmp_path / "both")
    (copied / "labels.json").write_text('{"/stimuli/word_int": ["a"]}')
    with pytest.raises(CheckpointError, match=r"labels\.json"):
        load_network(copied)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("task", "speech"), ("batch_size", 0), ("learning_rate", float("nan")), ("word_threshold", 1.1)),
    ],
)
def test_settings_that_cannot_be_used_are_refused(field, value):
    with pytest.raises(ArgumentError, match=field):
        TrainingSettings(**{field: value})


@pytest.mark.slow
def test_a_full_disk_leaves_the_last_epoch(learner, corpus, tmp_path):
    write_architecture(learner, tmp_path / "learner.json")
    script = f"""
import resource, sys
from tfmetamers.cli.main import run
options = ["--architecture", {str(tmp_path / "learner.json")!r}, "--output", {str(tmp_path / "full")!r},
           "--corpus", {str(corpus / "words.csv")!r}, "--backgrounds", {str(corpus / "backgrounds.csv")!r},
           "--batch-size", "8", "--word-threshold", "none"]
assert run(["train", *options, "--epochs", "1"]) == 0
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
sys.exit(run(["train", *options, "--epochs", "2"]))
"""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, timeout=300, check=False
    )
    assert done.returncode == 1, done.stderr[-2000:]
    assert str(tmp_path / "full") in done.stderr and "Traceback" not in done.stderr
    assert [path.name for path in (tmp_path / "full" / "epochs").iterdir()] == ["0001"]
    assert load_network(tmp_path / "full").labels


def test_a_folder_in_use_is_refused(learner, corpus, tmp_path):
    (tmp_path / "run").mkdir()
    with FileLock(tmp_path / "run" / ".lock"), pytest.raises(ResultError, match=str(tmp_path / "run")):
        _train(learner, corpus, tmp_path / "run")


def test_a_bundled_network_is_recorded_by_its_name(tmp_path):
    network = load_network("small_word_aliased")
    record = NetworkRecord.from_json(json.loads(json.dumps(network.describe().to_json())))
    assert str(Path(__file__).parents[2]) not in json.dumps(record.to_json())
    assert record.load().provenance.digest == network.provenance.digest
    changed = dataclasses.replace(record, digest="0" * 64)
    with pytest.raises(CheckpointError, match="small_word_aliased"):
        changed.load()
