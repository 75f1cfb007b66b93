"""Training with perturbations: against a loop of a few lines, and that they stay as small as they should."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf

from tfmetamers.errors import ArgumentError
from tfmetamers.networks.auditory.architecture import trace
from tfmetamers.training.cost import measure_cost
from tfmetamers.training.perturbation import BOUNDS, norms, perturb
from tfmetamers.training.run import train
from tfmetamers.training.settings import PerturbationSettings, TrainingSettings
from tfmetamers.training.trainer import TrainableNetwork, Trainer

SETTINGS = TrainingSettings(
    epochs=2, batch_size=8, optimizer="adam", learning_rate=0.003, word_threshold=None, steps_per_epoch=2
)

SEED = tf.constant([0, 7], tf.int32)


@pytest.fixture(scope="module")
def trainer(learner):
    return Trainer(TrainableNetwork(learner, trace(learner, 0).random_weights()), SETTINGS)


@pytest.fixture(scope="module")
def signals(trainer):
    """Of both domains: sounds of root mean square 0.1, and their cochleagrams."""
    waveforms = tf.constant(0.1 * np.random.default_rng(0).standard_normal((4, 2000)), tf.float32)
    return {"waveform": waveforms, "cochleagram": trainer.network.front_end(waveforms)}


def _perturb(signals, loss, domain, steps, seed=SEED):
    """Perturb by at most 0.5, in steps of 0.25."""
    return perturb(signals, loss, eps=0.5, steps=steps, step_size=0.25, bounds=BOUNDS[domain], seed=seed)


def _loss(trainer):
    word, categories = tf.constant([0, 1, 2, 3]), tf.zeros((4, 2))
    return lambda perturbed: trainer._loss(perturbed, word, categories, None)


@pytest.fixture(params=["waveform", "cochleagram"])
def domain(request):
    return request.param


def test_projected_gradient_descent_equals_a_loop_over_items(domain, trainer, signals):
    loss, clean = _loss(trainer), signals[domain]
    random = _perturb(clean, loss, domain, 0) - clean
    expected = random.numpy()
    for _ in range(3):
        with tf.GradientTape() as tape:
            perturbed = tf.Variable(clean + expected)
            value = loss(perturbed)
        gradients = tape.gradient(value, perturbed).numpy()
        for item, gradient in enumerate(gradients):
            moved = expected[item] + 0.25 * gradient / np.linalg.norm(gradient)
            moved *= min(1, 0.5 / np.linalg.norm(moved))
            if domain == "cochleagram":
                moved = np.maximum(moved, -clean[item])
            expected[item] = moved
    found = (_perturb(clean, loss, domain, 3) - clean).numpy()
    assert np.abs(found - expected).max() < 1e-3 * np.abs(expected).max()
    assert np.abs(found - random).max() > 0.1 * np.abs(expected).max()


def test_perturbations_raise_the_loss_and_never_exceed_eps(domain, trainer, signals):
    loss, clean = _loss(trainer), signals[domain]
    losses = {}
    for steps in (0, 1, 5):
        perturbed = _perturb(clean, loss, domain, steps)
        size = norms(perturbed - clean).numpy().ravel()
        assert (size <= 0.5 * (1 + 1e-5)).all()
        if steps == 0 and domain == "waveform":
            assert size == pytest.approx(0.5, rel=1e-5)
        losses[steps] = float(loss(perturbed))
    assert losses[5] > losses[1] > losses[0] and losses[5] > float(loss(clean))
    if domain == "cochleagram":
        assert tf.reduce_min(perturbed) >= 0


def test_random_perturbations_differ_between_items_and_between_steps(trainer, signals):
    clean = signals["waveform"]
    first, again, later = (
        (_perturb(clean, None, "waveform", 0, tf.constant([0, step])) - clean).numpy() for step in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert abs(np.vdot(first[0], first[1])) < 0.05 and abs(np.vdot(first, later)) < 0.1


def _train(learner, corpus, out, settings):
    return train(learner, corpus / "words.csv", corpus / "backgrounds.csv", settings, out)


def _weights(folder, epoch):
    reader = tf.train.load_checkpoint(str(folder / "epochs" / f"{epoch:04d}" / "network.ckpt"))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


@pytest.mark.parametrize("domain", ["waveform", pytest.param("cochleagram", marks=pytest.mark.slow)])
def test_a_resumed_run_ends_with_the_weights_of_one_that_was_not_cut(domain, learner, corpus, tmp_path):
    settings = dataclasses.replace(SETTINGS, perturbation=PerturbationSettings(domain, eps=0.5, steps=2))
    card = _train(learner, corpus, tmp_path / "whole" / "net", settings)
    _train(learner, corpus, tmp_path / "cut" / "net", dataclasses.replace(settings, epochs=1))
    _train(learner, corpus, tmp_path / "cut" / "net", settings)
    whole, cut = (_weights(tmp_path / kind / "net", 2) for kind in ("whole", "cut"))
    for name, value in whole.items():
        assert np.array_equal(value, cut[name]), name

    assert card["settings"]["perturbation"] == {"domain": domain, "eps": 0.5, "steps": 2, "relative_step": 0.5}
    norm = card["history"][0]["signal_norm"]
    if domain == "waveform":
        assert norm <= 0.1 * 2000**0.5 * (1 + 1e-5)
    assert f"{50 / norm:.2g} % of the mean norm of its {domain}s" in (tmp_path / "whole/net/README.md").read_text()
    assert json.loads((tmp_path / "cut/net/card.json").read_text())["test"] == card["test"]


@pytest.mark.parametrize("eps", [0, float("nan"), float("inf"), -1])
def test_a_size_that_is_not_one_is_refused(eps):
    with pytest.raises(ArgumentError, match="eps"):
        PerturbationSettings("waveform", eps)


def test_perturbations_as_large_as_the_sounds_are_refused(domain, learner, corpus, tmp_path):
    settings = dataclasses.replace(SETTINGS, perturbation=PerturbationSettings(domain, eps=100.0))
    with pytest.raises(ArgumentError, match="eps is 100"):
        _train(learner, corpus, tmp_path / "net", settings)
    assert not (tmp_path / "net" / "epochs").exists()
    assert domain == "cochleagram" or not (tmp_path / "net").exists()


def test_the_cost_of_a_step(learner):
    settings = dataclasses.replace(SETTINGS, perturbation=PerturbationSettings("waveform", eps=0.5, steps=10))
    cost = measure_cost(learner, settings)
    assert cost.passes == 11 and cost.seconds > cost.ordinary_seconds > 0
