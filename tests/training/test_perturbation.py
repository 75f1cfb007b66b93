"""Perturbations in training: against a loop written out here, their size, and what a run with them is."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

from tfmetamers.cli.main import tfmetamers
from tfmetamers.errors import ArgumentError
from tfmetamers.networks.auditory.architecture import trace
from tfmetamers.training.perturbation import perturb
from tfmetamers.training.run import train
from tfmetamers.training.settings import PerturbationSettings, TrainingSettings
from tfmetamers.training.trainer import TrainableNetwork, Trainer

SEED = tf.constant([3, 5])
WEIGHTS = np.random.default_rng(0).normal(size=(30, 4)).astype("float32")


def loss(inputs):
    return tf.reduce_sum(tf.tanh(inputs @ WEIGHTS))


def inputs():
    return np.random.default_rng(1).normal(size=(5, 30)).astype("float32")


@pytest.mark.parametrize(("norm", "eps"), [("l2", 0.4), ("linf", 0.05)])
def test_it_is_projected_gradient_descent(norm, eps):
    settings = PerturbationSettings("waveform", eps, norm)
    start = perturb(dataclasses.replace(settings, random=True), tf.constant(inputs()), loss, SEED).numpy() - inputs()
    difference = start.astype("float64")
    for _ in range(5):
        slope = 1 - np.tanh((inputs() + difference) @ WEIGHTS) ** 2
        gradient = slope @ WEIGHTS.T
        if norm == "l2":
            difference += eps / 2 * gradient / np.linalg.norm(gradient, axis=1, keepdims=True)
            difference *= np.minimum(1, eps / np.linalg.norm(difference, axis=1, keepdims=True))
        else:
            difference = np.clip(difference + eps / 2 * np.sign(gradient), -eps, eps)
    found = perturb(settings, tf.constant(inputs()), loss, SEED).numpy()
    assert np.abs(found - inputs() - difference).max() < 1e-5
    assert loss(found) > loss(inputs() + start) > -20


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_a_random_perturbation_has_the_full_size_and_another_each_step(norm):
    settings = PerturbationSettings("waveform", 0.3, norm, random=True)
    first, second = (
        perturb(settings, tf.constant(inputs()), loss, seed).numpy() - inputs() for seed in (SEED, SEED + 1)
    )
    sizes = np.linalg.norm(first, axis=1) if norm == "l2" else np.abs(first).max(axis=1)
    assert sizes == pytest.approx(0.3, rel=1e-5)
    assert not np.allclose(first, second)


@pytest.mark.parametrize("of", ["waveform", "cochleagram"])
def test_a_step_is_one_on_perturbed_inputs(learner, of):
    settings = TrainingSettings(perturbation=PerturbationSettings(of, 0.2, steps=2), learning_rate=0.1)
    weights = trace(learner, 0).random_weights()
    plain, attacked = (
        Trainer(TrainableNetwork(learner, weights), each)
        for each in (dataclasses.replace(settings, perturbation=None), settings)
    )
    generator = np.random.default_rng(0)
    batch = {
        "waveform": tf.constant(0.1 * generator.standard_normal((4, 2000)), tf.float32),
        "word": tf.constant([0, 1, 2, 3]),
        "categories": tf.zeros((4, 2)),
    }
    assert attacked.step(batch, (0, 1)) > plain.step(batch, (0, 1))
    weights = [[value.numpy() for value in each.network.trainable_variables] for each in (plain, attacked)]
    changed = [np.abs(one - other).max() for one, other in zip(*weights, strict=True)]
    assert max(changed) > 1e-6


def test_a_run_that_was_cut_ends_with_the_same_weights(learner, corpus, tmp_path):
    perturbation = PerturbationSettings("cochleagram", 0.5, steps=2)
    settings = TrainingSettings(
        epochs=2, batch_size=16, optimizer="adam", word_threshold=None, perturbation=perturbation
    )
    files = corpus / "words.csv", corpus / "backgrounds.csv"
    whole = train(learner, *files, settings, tmp_path / "whole")
    train(learner, *files, dataclasses.replace(settings, epochs=1), tmp_path / "cut")
    cut = train(learner, *files, settings, tmp_path / "cut")
    assert [entry["loss"] for entry in cut["history"]] == [entry["loss"] for entry in whole["history"]]
    assert cut["settings"]["perturbation"] == {**dataclasses.asdict(perturbation)}
    values = [
        tf.train.load_checkpoint(str(tmp_path / name / "epochs" / "0002" / "network.ckpt")) for name in ("whole", "cut")
    ]
    for name in values[0].get_variable_to_shape_map():
        assert np.array_equal(*(each.get_tensor(name) for each in values)), name


@pytest.mark.parametrize(
    ("field", "value"), [("eps", 0), ("eps", float("nan")), ("of", "spectrum"), ("norm", "l1"), ("steps", 0)]
)
def test_values_that_cannot_be_used(field, value):
    with pytest.raises(ArgumentError, match=str(value)):
        PerturbationSettings(**{"of": "waveform", "eps": 0.1, field: value})


def test_perturbations_above_the_signal(learner, tmp_path):
    settings = TrainingSettings(perturbation=PerturbationSettings("waveform", 4.48))
    with pytest.raises(ArgumentError, match=r"eps is 4\.48"):
        train(learner, tmp_path / "words.csv", tmp_path / "backgrounds.csv", settings, tmp_path / "out")


def test_command_needs_a_size(tmp_path):
    given = ["--architecture", "word_aliased", "--corpus", "a.csv", "--backgrounds", "b.csv", "--output", str(tmp_path)]
    for further, named in ((["--adversarial", "waveform"], "--eps"), (["--eps", "1"], "--adversarial")):
        result = CliRunner().invoke(tfmetamers, ["train", *given, *further])
        assert result.exit_code == 2
        assert named in result.output
