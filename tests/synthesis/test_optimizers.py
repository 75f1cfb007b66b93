"""Steps of one length: against a loop written out here, whatever the form of the loss, alone and in a batch."""

import numpy as np
import pytest
import tensorflow as tf

import tfmetamers as tm
from tfmetamers.errors import UnmovedError
from tfmetamers.networks import from_function
from tfmetamers.recipes import find_recipe
from tfmetamers.stimuli.noise import initial_noise, stimulus_digest
from tfmetamers.synthesis.loop import Synthesis
from tfmetamers.synthesis.optimizers import learning_rate

RECIPE = find_recipe("feather2023-image").replace(steps=40, learning_rate=0.1, decay_steps=10)
WEIGHTS = np.random.default_rng(0).normal(size=(8 * 8 * 3, 20)).astype("f4")


def activations(stimuli):
    return tf.tanh(tf.reshape(stimuli, [-1, 8 * 8 * 3]) @ WEIGHTS / 10)


@pytest.fixture(scope="module")
def network():
    return from_function(lambda stimuli: {"tanh": activations(stimuli)}, (8, 8, 3))


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(1).random((3, 8, 8, 3), np.float32)


def made(network, originals, steps=RECIPE.steps):
    synthesis = Synthesis(network, layer="tanh", recipe=RECIPE)
    state = synthesis.start([stimulus_digest(original) for original in originals], seed=4)
    return synthesis.advance(synthesis.targets(originals), state, steps).stimuli


def by_hand(original, form: str) -> np.ndarray:
    """The released loop (attack_steps.py, custom_synthesis_losses.py), for one stimulus and a known network."""
    noise = initial_noise(RECIPE, original.shape, stimulus_digest(original), "tanh", 4).astype(np.float64)
    weights = WEIGHTS.astype(np.float64) / 10
    target = np.tanh(original.reshape(-1).astype(np.float64) @ weights)
    stimulus = noise.reshape(-1)
    for step in range(RECIPE.steps):
        now = np.tanh(stimulus @ weights)
        difference = now - target
        slope = {
            "length over length": difference / np.linalg.norm(difference) / np.linalg.norm(target),
            "length": difference / np.linalg.norm(difference),
            "squared": difference,
        }[form]
        gradient = weights @ (slope * (1 - now**2))
        length = 0.1 * 0.5 ** (step // 10)
        stimulus = np.clip(stimulus - length * gradient / (np.linalg.norm(gradient) + 1e-10), 0, 1)
    return stimulus.reshape(original.shape)


@pytest.mark.parametrize("form", ["length over length", "length", "squared"])
def test_the_path_is_that_of_a_loop_by_hand_whatever_the_form_of_the_loss(network, pictures, form):
    ours = made(network, pictures[:1])[0]
    assert np.abs(ours - by_hand(pictures[0], form)).max() < 1e-4
    assert np.abs(ours - initial_noise(RECIPE, ours.shape, "", "", 4)).max() > 0.01


def test_a_step_moves_by_its_length_where_nothing_is_clipped(network, pictures):
    before, after = (made(network, pictures, steps) for steps in (3, 4))
    free = ((before > 0.05) & (before < 0.95)).all(axis=(1, 2, 3))
    lengths = np.linalg.norm((after - before).reshape(3, -1), axis=1)
    assert free.any() and lengths[free] == pytest.approx(0.1, rel=1e-5)


def test_a_batch_is_what_single_runs_are(network, pictures):
    alone = np.concatenate([made(network, pictures[item : item + 1]) for item in range(3)])
    assert np.abs(made(network, pictures) - alone).max() < 1e-5


def test_metamers_are_made_and_what_no_gradient_reaches_is_named(network, pictures):
    metamer = tm.synthesize(network, pictures[0], layer="tanh", recipe=RECIPE)
    assert metamer.losses[-1] < metamer.losses[0] / 2
    dark = from_function(lambda stimuli: {"relu": tf.nn.relu(tf.nn.relu(stimuli - 0.9) - 0.05)}, (8, 8, 3))
    with pytest.raises(UnmovedError, match="relu"):
        tm.synthesize(dark, np.ones((8, 8, 3), np.float32), layer="relu", recipe=RECIPE)


def test_the_length_is_halved_in_stairs():
    recipe = find_recipe("feather2023-image")
    assert [learning_rate(recipe, step) for step in (0, 2999, 3000, 23999)] == [1, 1, 0.5, 1 / 128]
    assert recipe.steps == 24000


def test_one_draw_of_noise_serves_all_layers_and_stimuli_of_a_seed():
    image, audio = find_recipe("feather2023-image"), find_recipe("feather2023-audio")
    first = initial_noise(image, (64, 64, 3), "ab", "one", 0)
    assert np.array_equal(first, initial_noise(image, (64, 64, 3), "cd", "other", 0))
    assert not np.array_equal(first, initial_noise(image, (64, 64, 3), "ab", "one", 1))
    assert first.mean() == pytest.approx(0.5, abs=0.002) and first.std() == pytest.approx(0.05, rel=0.02)
    waveform = initial_noise(audio, (40_000,), "ab", "one", 0)
    assert waveform.std() == pytest.approx(1e-7, rel=0.02) and abs(waveform.mean()) < 1e-8
    unbounded = image.replace(lower_bound=None, upper_bound=None)
    assert np.isfinite(initial_noise(unbounded, (8, 8, 3), "ab", "one", 0)).all()


def test_a_loud_sound_has_a_metamer_within_the_bounds():
    network = from_function(
        lambda sounds: {"tanh": tf.tanh(sounds[:, :90] + sounds[:, 10:])}, (100,), sampling_rate=100
    )
    sound = 0.1 * np.random.default_rng(5).normal(size=100)
    sound[7] = 1.2
    recipe = find_recipe("feather2023-audio").replace(steps=40, decay_steps=5, learning_rate=0.5, front_end="none")
    metamer = tm.synthesize(network, sound.astype(np.float32), layer="tanh", recipe=recipe)
    assert np.abs(metamer.stimulus).max() <= 1
    assert metamer.losses[-1] < metamer.losses[0] / 2
