"""The Adam loop: TensorFlow 1's numbers, independent items, the guard against NaN."""

import dataclasses
import signal
import warnings

import numpy as np
import pytest
import tensorflow as tf

import tfmetamers as tm
import tfmetamers.synthesis.loop as synthesis_module
from tfmetamers.errors import ArgumentError, SynthesisError, TfmetamersWarning, UnmovedError
from tfmetamers.networks import from_keras, load_network
from tfmetamers.recipes import find_recipe
from tfmetamers.stimuli.noise import initial_noise, stimulus_digest
from tfmetamers.synthesis.loop import Synthesis
from tfmetamers.synthesis.optimizers import learning_rate

IMAGE = find_recipe("feather2019-image")


def relative_error(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


def test_steps_are_those_of_tensorflow_1(smooth_model):
    """The released loop: minimise with AdamOptimizer, exponential_decay, and a clipping constraint."""
    steps = 60
    # A coarse rate and quick decay, so that clipping, bias correction and decay all show within few steps.
    recipe = IMAGE.replace(steps=steps, learning_rate=0.05, decay_steps=20)
    original = np.random.default_rng(0).random((16, 16, 3), np.float32)
    network = from_keras(smooth_model)
    metamer = tm.synthesize(network, original, layer="second", seed=5, recipe=recipe)

    v1 = tf.compat.v1
    kernels = [layer.get_weights() for layer in smooth_model.layers if layer.get_weights()]
    with tf.Graph().as_default(), v1.Session() as session:
        noise = initial_noise(recipe, original.shape, stimulus_digest(original), "second", 5)
        stimulus = v1.get_variable("x", initializer=noise[None], constraint=lambda x: tf.clip_by_value(x, 0, 1))

        def second(x):
            x = tf.tanh(tf.nn.bias_add(tf.nn.conv2d(x, kernels[0][0], 1, "SAME"), kernels[0][1]))
            x = tf.nn.avg_pool2d(x, 2, 2, "VALID")
            return tf.tanh(tf.nn.bias_add(tf.nn.conv2d(x, kernels[1][0], 1, "VALID"), kernels[1][1]))

        loss = tf.nn.l2_loss(second(tf.constant(original[None])) - second(stimulus))
        step = v1.train.get_or_create_global_step()
        rate = v1.train.exponential_decay(0.05, step, 20, 0.95, staircase=False)
        update = v1.train.AdamOptimizer(rate).minimize(loss, global_step=step)
        session.run(v1.global_variables_initializer())
        losses = []
        for _ in range(steps):
            losses.append(session.run(loss))
            session.run(update)
        losses.append(session.run(loss))
        expected = session.run(stimulus)[0]

    np.testing.assert_allclose(metamer.losses, losses, rtol=1e-4)
    np.testing.assert_allclose(metamer.stimulus, expected, atol=1e-4)
    assert metamer.losses[-1] < metamer.losses[0] / 5
    assert (metamer.stimulus == 0).any() or (metamer.stimulus == 1).any()
    assert metamer.stimulus.min() >= 0 and metamer.stimulus.max() <= 1


def test_learning_rate_decays_continuously():
    assert learning_rate(IMAGE, 0) == 0.001
    assert learning_rate(IMAGE, 500) == pytest.approx(0.001 * 0.95**0.5, rel=1e-12)
    assert learning_rate(IMAGE, 15000) == pytest.approx(0.001 * 0.95**15, rel=1e-12)


def test_a_batch_of_four_equals_four_single_runs_on_a_network_without_kinks(smooth_model):
    originals = np.random.default_rng(1).random((4, 16, 16, 3), np.float32)
    check_batch(from_keras(smooth_model), originals, "second", gradient_tolerance=1e-5)


@pytest.mark.slow
def test_a_batch_of_four_equals_four_single_runs_on_vgg_19():
    network = load_network("vgg_19", random_seed=0)
    originals = np.random.default_rng(1).random((4, 224, 224, 3), np.float32)
    check_batch(network, originals, "conv3_4", gradient_tolerance=1e-2)


def start(synthesis, originals, seed):
    return synthesis.start([stimulus_digest(each) for each in originals], seed)


def check_batch(network, originals, layer, gradient_tolerance):
    synthesis = Synthesis(network, layer=layer, recipe=IMAGE)
    together = start(synthesis, originals, seed=3)
    targets = synthesis.targets(originals)
    apart = [start(synthesis, each[None], seed=3) for each in originals]
    np.testing.assert_array_equal(together.stimuli, np.concatenate([each.stimuli for each in apart]))
    first = synthesis.advance(targets, together, 1)
    ten = synthesis.advance(targets, first, 9)
    for item, state in enumerate(apart):
        target = synthesis.targets(originals[item : item + 1])
        alone = synthesis.advance(target, state, 1)
        # After one step, the first moment is the gradient times a constant.
        assert relative_error(first.first_moment[item], alone.first_moment[0]) < gradient_tolerance
        alone = synthesis.advance(target, alone, 9)
        np.testing.assert_allclose(ten.losses[:, item], alone.losses[:, 0], rtol=1e-3)


def test_how_steps_are_divided_among_calls_does_not_matter(small_model, pictures):
    synthesis = Synthesis(from_keras(small_model), layer="block", recipe=IMAGE)
    targets, in_parts = synthesis.targets(pictures), start(synthesis, pictures, seed=0)
    at_once = synthesis.advance(targets, in_parts, 20)
    for steps in (1, 2, 10, 7):
        in_parts = synthesis.advance(targets, in_parts, steps)
    assert at_once.step == in_parts.step == 20
    for part in ("stimuli", "first_moment", "second_moment", "losses"):
        np.testing.assert_array_equal(getattr(at_once, part), getattr(in_parts, part))


def test_loss_is_half_the_summed_squared_error_and_step_0_is_before_the_first_update(small_model, pictures):
    network = from_keras(small_model)
    metamer = tm.synthesize(network, pictures[0], layer="block", seed=2, recipe=IMAGE.replace(steps=3))
    noise = initial_noise(IMAGE, pictures[0].shape, stimulus_digest(pictures[0]), "block", 2)
    function = network.activations("block")
    difference = (function(noise[None]) - function(pictures[:1])).numpy()
    assert len(metamer.losses) == 4
    assert metamer.losses[0] == pytest.approx(0.5 * (difference**2).sum(), rel=1e-5)
    difference = (function(metamer.stimulus[None]) - function(pictures[:1])).numpy()
    assert metamer.losses[-1] == pytest.approx(0.5 * (difference**2).sum(), rel=1e-5)


def test_the_straight_through_gradient_revives_a_layer_that_noise_leaves_silent():
    """The reason for it in the paper: where all units are at zero, the ordinary gradient is zero too."""
    import keras

    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 1, activation="relu", name="relu")])
    # Silent on noise (0.5 to 0.6), active where a picture is brighter.
    model.layers[0].set_weights([np.ones((1, 1, 3, 2), np.float32), np.array([-2.0, -2.2], np.float32)])
    bright = np.full((8, 8, 3), 0.9, np.float32)
    network, recipe = from_keras(model), IMAGE.replace(steps=300, learning_rate=0.01)
    straight = tm.synthesize(network, bright, layer="relu", recipe=recipe)
    assert straight.losses[-1] < 1e-3 * straight.losses[0]
    with pytest.raises(UnmovedError, match="straight-through"):
        tm.synthesize(network, bright, layer="relu", recipe=recipe.replace(relu_gradient="normal"))


def test_what_cannot_be_a_number_stops_the_run_and_keeps_the_last_good_state(small_model, pictures):
    synthesis = Synthesis(from_keras(small_model), layer="block", recipe=IMAGE)
    targets = synthesis.targets(pictures)
    good = synthesis.advance(targets, start(synthesis, pictures, seed=0), 5)
    targets[2, 0, 0, 0] = np.nan
    with pytest.raises(SynthesisError, match="not finite at step 5") as caught:
        synthesis.advance(targets, good, 10)
    assert caught.value.state.step == 5
    np.testing.assert_array_equal(caught.value.state.stimuli, good.stimuli)


def test_a_step_that_leads_out_of_the_numbers_is_not_taken():
    """Where a gradient is zero and epsilon too small for single precision, Adam divides zero by zero."""
    import keras

    model = keras.Sequential(
        [keras.Input((4, 4, 3)), keras.layers.Conv2D(2, 1, kernel_initializer="zeros", name="deaf")]
    )
    synthesis = Synthesis(from_keras(model), layer="deaf", recipe=IMAGE.replace(epsilon=1e-60))
    picture = np.full((1, 4, 4, 3), 0.5, np.float32)
    with pytest.raises(SynthesisError, match="not finite at step 0") as caught:
        synthesis.advance(synthesis.targets(picture), start(synthesis, picture, seed=0), 5)
    assert np.isfinite(caught.value.state.stimuli).all()


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        (np.full((32, 32, 3), 200, np.uint8), "uint8"),
        (np.full((32, 32, 3), np.nan), "NaN"),
        (np.full((32, 32, 3), 200.0), "200.*from 0 to 1"),
    ],
)
def test_a_stimulus_beyond_the_bounds_is_refused(small_model, values, fault):
    with pytest.raises(ArgumentError, match=fault):
        tm.synthesize(from_keras(small_model), values, layer="block")


def test_a_recipe_of_ones_own_is_welcome(small_model, pictures):
    recipe = dataclasses.replace(IMAGE, name="mine", steps=2)
    record = tm.synthesize(from_keras(small_model), pictures[0], layer="block", recipe=recipe).record
    assert (record.recipe.name, record.recipe.deviations()) == ("mine", {})


def test_what_cannot_give_labels_fails_before_the_first_step(pictures, monkeypatch):
    import keras

    layers = keras.layers
    head = [layers.Reshape((32, 96)), layers.GRU(3)]
    model = keras.Sequential([keras.Input((32, 32, 3)), layers.Conv2D(3, 1, name="early"), *head])
    network, steps = from_keras(model, labels=["a", "b", "c"]), []
    monkeypatch.setattr(Synthesis, "advance", lambda *_: steps.append(1))
    with pytest.raises(ArgumentError, match="loop"):
        tm.synthesize(network, pictures[0], layer="early", steps=2)
    assert steps == []


def test_weights_that_are_not_finite_are_noticed_before_the_first_step(smooth_model):
    import keras

    broken = keras.models.clone_model(smooth_model)
    broken.layers[0].set_weights([np.full((3, 3, 3, 8), np.nan), np.zeros(8)])
    with pytest.raises(SynthesisError, match="smooth at first"):
        tm.synthesize(from_keras(broken), np.zeros((16, 16, 3)), layer="first")


def test_logits_that_are_not_finite_are_no_label(smooth_model):
    import keras

    broken = keras.models.clone_model(smooth_model)
    broken.get_layer("logits").set_weights([np.full((288, 4), np.nan), np.zeros(4)])
    with pytest.raises(SynthesisError, match="logits of smooth"):
        tm.synthesize(from_keras(broken, labels=list("abcd")), np.zeros((16, 16, 3)), layer="first", steps=1)


def test_a_start_that_is_the_stimulus_itself_need_not_move(small_model, pictures):
    metamer = tm.synthesize(from_keras(small_model), pictures[0], layer="block", initial=pictures[0], steps=2)
    assert (metamer.losses == 0).all()
    assert metamer.record.initial_correlation is None


def test_a_stimulus_that_noise_matches_at_once_is_warned_of_and_recorded(deaf_network):
    with pytest.warns(TfmetamersWarning, match="relu of deaf") as told:
        record = tm.synthesize(deaf_network, np.full((32, 32, 3), 0.1), layer="relu", steps=2).record
    assert record.warnings == (str(told[0].message),) and len(told) == 1
    assert record.loss.initial == record.loss.final == 0


def test_noise_that_a_layer_hardly_tells_from_a_stimulus_is_warned_of_and_recorded(pictures):
    """As where a model is given pictures of another range, which all look alike to it."""
    import keras

    layers = [keras.layers.Rescaling(1 / 255), keras.layers.Conv2D(40, 3, name="conv")]
    model = keras.Sequential([keras.Input((32, 32, 3)), *layers], name="mine")
    kernel = np.random.default_rng(0).normal(size=(3, 3, 3, 40))
    model.get_layer("conv").set_weights([kernel, np.linspace(-1, 1, 40)])
    blind, seeing = (from_keras(model, input_range=(0, white)) for white in (1, 255))
    with pytest.warns(TfmetamersWarning, match="conv of mine"):
        record = tm.synthesize(blind, pictures[0], layer="conv", steps=1).record
    assert record.initial_correlation > 0.95
    [warning] = record.warnings
    assert "conv of mine" in warning
    with warnings.catch_warnings():
        warnings.simplefilter("error", TfmetamersWarning)
        record = tm.synthesize(seeing, pictures[0], layer="conv", steps=1).record
    assert (record.initial_correlation < 0.95, record.warnings) == (True, ())


def test_a_stimulus_of_another_shape_is_refused(small_model):
    with pytest.raises(ArgumentError, match=r"\(16, 16, 3\).*\(32, 32, 3\)"):
        tm.synthesize(from_keras(small_model), np.zeros((16, 16, 3)), layer="block")


def test_the_record_says_how_a_metamer_was_made(small_model, pictures):
    network = from_keras(small_model, labels=list("abcdefghij"))
    record = tm.synthesize(network, pictures[0], layer="block", recipe=IMAGE.replace(steps=2)).record
    assert record.recipe.deviations() == {"steps": (15000, 2)}
    assert record.layer.relu_rule == "straight-through (2 ReLUs, 1 of them clipped at 6)"
    assert record.network == network.describe()
    assert record.stimulus.sha256 == stimulus_digest(pictures[0])
    normal = IMAGE.replace(steps=1, relu_gradient="normal")
    ordinary = tm.synthesize(network, pictures[0], layer="block", recipe=normal).record
    assert ordinary.layer.relu_rule == "ordinary (as asked)"
    assert -1 <= record.correlation <= 1
    assert record.prediction["original"]["label"] in "abcdefghij"


def test_ctrl_c_waits_until_a_function_is_traced(smooth_model, monkeypatch):
    """Within the tracing it could crash the interpreter, at a moment that only chance finds."""
    traced, losses = [], synthesis_module._losses

    def interrupted(*arguments):
        signal.raise_signal(signal.SIGINT)
        traced.append(losses(*arguments))
        return traced[-1]

    synthesis = Synthesis(from_keras(smooth_model), layer="second", recipe=IMAGE)
    originals = np.random.default_rng(0).random((1, 16, 16, 3), np.float32)
    targets, state = synthesis.targets(originals), start(synthesis, originals, 0)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # Which a background job would ignore.
    monkeypatch.setattr(synthesis_module, "_losses", interrupted)
    try:
        with pytest.raises(KeyboardInterrupt):
            synthesis.advance(targets, state, 1)
        assert traced
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert synthesis.advance(targets, state, 1).step == 1
    finally:
        signal.signal(signal.SIGINT, handler)
