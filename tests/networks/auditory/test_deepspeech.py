"""DeepSpeech against a graph built as its own code builds it, in TensorFlow 1, and against plain arithmetic."""

import warnings
from functools import partial

import numpy as np
import pytest
import tensorflow as tf
from python_speech_features import base

import tfmetamers as tm
from tfmetamers.errors import CheckpointError
from tfmetamers.networks import describe_network, load_network
from tfmetamers.networks.auditory import deepspeech
from tfmetamers.networks.graph.frozen import FrozenFunction
from tfmetamers.recipes import find_recipe

LAYERS = ["mfcc", "layer_1", "layer_2", "layer_3", "rnn_output", "layer_5", "logits"]
UNITS = 24
SAMPLES = 6000


def noises(count: int, samples: int = SAMPLES) -> np.ndarray:
    return (0.1 * np.random.default_rng(5).normal(size=(count, samples))).astype(np.float32)


def features_of(waveform) -> np.ndarray:
    """What the release's ``util/audio.py`` makes of a waveform: (frames, 19, 26), frames in their context."""
    samples = waveform.astype(np.float64) * 2**15
    frames = base.mfcc(samples, samplerate=16000, winlen=0.032, winstep=0.02, numcep=26, winfunc=np.hamming)
    padded = np.concatenate([np.zeros((9, 26)), frames, np.zeros((9, 26))])
    return np.stack([padded[start : start + 19] for start in range(len(frames))])


def fused_lstm(inputs, units):
    """``LSTMBlockFusedCell``, in the scope that it made for itself."""
    with tf.compat.v1.variable_scope("lstm_fused_cell"):
        kernel = spread("kernel", [inputs.shape[2] + units, 4 * units])
        bias = spread("bias", [4 * units])
    state, unused = tf.zeros([tf.shape(inputs)[1], units]), tf.zeros([units])
    return tf.raw_ops.BlockLSTM(
        seq_len_max=tf.cast(tf.shape(inputs)[0], tf.int64),
        x=inputs,
        cs_prev=state,
        h_prev=state,
        w=kernel,
        wci=unused,
        wcf=unused,
        wco=unused,
        b=bias,
        forget_bias=1.0,
        cell_clip=-1.0,
    ).h


def deviation_of(name, shape):
    """Return a standard deviation of weights with which units fall below zero, between zero and 20, and above."""
    if len(shape) == 1:
        return 0.5
    return {"h1": 20, "h5": 60}.get(name, 2) / np.sqrt(shape[0])


def spread(name, shape):
    deviation = deviation_of(name, shape)
    return tf.compat.v1.get_variable(name, shape, initializer=tf.compat.v1.random_normal_initializer(stddev=deviation))


def build(in_context, units):
    """Return the layers as ``BiRNN`` of the release's ``DeepSpeech.py`` computes them, (frames * batch, units)."""
    batch = tf.shape(in_context)[0]
    layers = []

    def dense(values, number, size):
        bias = spread(f"b{number}", [size])
        return tf.add(tf.matmul(values, spread(f"h{number}", [values.shape[1], size])), bias)

    def rectified(values, number):
        layers.append(tf.minimum(tf.nn.relu(dense(values, number, units)), 20.0))
        return layers[-1]

    values = tf.reshape(tf.transpose(in_context, [1, 0, 2, 3]), [-1, 494])
    for number in (1, 2, 3):
        values = rectified(values, number)
    layers.append(tf.reshape(fused_lstm(tf.reshape(values, [-1, batch, units]), units), [-1, units]))
    logits = dense(rectified(layers[-1], 5), 6, 29)
    return [*layers, logits]


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Two sounds, what TensorFlow 1 makes of them (batch, frames, units) by layer, and the V2 checkpoint it used."""
    v1, waveforms = tf.compat.v1, noises(2)
    in_context = np.stack([features_of(waveform) for waveform in waveforms]).astype(np.float32)
    with tf.Graph().as_default(), v1.Session() as session, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        v1.set_random_seed(6)
        layers = build(tf.constant(in_context), UNITS)
        v1.train.create_global_step()
        session.run(v1.global_variables_initializer())
        path = v1.train.Saver().save(session, str(tmp_path_factory.mktemp("deepspeech") / "model.v0.4.1"))
        activations = session.run(layers)
    by_item = [each.reshape(-1, len(waveforms), each.shape[-1]).swapaxes(0, 1) for each in activations]
    return waveforms, dict(zip(LAYERS, [in_context[:, :, 9], *by_item], strict=True)), path


@pytest.fixture(autouse=True)
def few_units(monkeypatch):
    monkeypatch.setattr(deepspeech, "trace", partial(deepspeech.trace, hidden=UNITS))


@pytest.fixture
def loaded(original):
    """The small network with the weights of that checkpoint."""
    return load_network("deepspeech", checkpoint=original[2], duration=SAMPLES / 16000)


def relative_error(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


def test_every_layer_is_that_of_the_release_with_its_checkpoint(original, loaded):
    waveforms, expected, _ = original
    assert list(loaded.layers) == LAYERS
    for layer, found in zip(LAYERS, loaded.activations_together(LAYERS)(waveforms), strict=True):
        values, found = expected[layer], found.numpy()
        assert found.shape == values.shape == (2, *loaded.layers[layer].shape)
        assert relative_error(found, values) < 1e-4, layer
    for layer in ("layer_1", "layer_5"):  # Units of all three kinds, or clipping would have gone untried.
        assert {0.0, 20.0} < set(np.unique(expected[layer]))


def test_items_of_a_batch_do_not_influence_each_other(loaded):
    waveforms = noises(2) * np.array([[1.0], [3.0]], np.float32)
    function = loaded.activations_together(LAYERS)
    first, second = (function(waveform[None]) for waveform in waveforms)
    for layer, together, *alone in zip(LAYERS, function(waveforms), first, second, strict=True):
        assert relative_error(together.numpy(), np.concatenate(alone)) < 1e-5, layer


def test_variables_have_the_published_sizes():
    specification = deepspeech.trace.func(4000).specification
    assert specification["lstm_fused_cell/kernel"] == ((4096, 8192), "float32")
    assert sum(np.prod(shape) for shape, _ in specification.values()) == 47_224_861


def plain(weights, features, straight_through):
    """The layers of one item in double precision, with TensorFlow's ordinary gradients but at the layer asked for.

    Args:
        weights: the network's.
        features: (frames, 26).
        straight_through: the layer whose clipped ReLU hands its gradient through.
    """
    values = tf.pad(features, [[9, 9], [0, 0]])
    values = tf.concat([values[start : start + len(features)] for start in range(19)], axis=1)
    layers = {}

    def rectified(number):
        pre_activation = values @ weights[f"h{number}"] + weights[f"b{number}"]
        clipped = tf.clip_by_value(pre_activation, 0, 20)
        if straight_through == f"layer_{number}":
            return pre_activation + tf.stop_gradient(clipped - pre_activation)
        return clipped

    for number in (1, 2, 3):
        layers[f"layer_{number}"] = values = rectified(number)
    cell = output = tf.zeros([1, UNITS], tf.float64)
    outputs = []
    for frame in tf.unstack(values):
        gates = tf.concat([frame[None], output], 1) @ weights["lstm_fused_cell/kernel"]
        admitted, candidate, kept, shown = tf.split(gates + weights["lstm_fused_cell/bias"], 4, 1)
        cell = tf.sigmoid(kept + 1) * cell + tf.sigmoid(admitted) * tf.tanh(candidate)
        output = tf.sigmoid(shown) * tf.tanh(cell)
        outputs.append(output[0])
    layers["rnn_output"] = values = tf.stack(outputs)
    layers["layer_5"] = values = rectified(5)
    layers["logits"] = values @ weights["h6"] + weights["b6"]
    return layers


@pytest.mark.parametrize("layer", LAYERS[1:])
def test_gradients_are_straight_through_at_the_matched_layer_and_ordinary_elsewhere(layer):
    """With weights and features that put units below zero, between, and above 20."""
    traced = deepspeech.trace(SAMPLES)
    generator = np.random.default_rng(3)
    weights = {
        variable: generator.normal(size=shape, scale=deviation_of(variable, shape))
        for variable, (shape, _) in traced.specification.items()
    }
    features = generator.normal(size=traced.stimulus.shape[1:], scale=2.0)
    constants = {variable: tf.constant(value, tf.float32) for variable, value in weights.items()}
    frozen = FrozenFunction(traced.stimulus, traced.layers[layer], constants)
    upstream = generator.normal(size=traced.layers[layer].shape[1:])
    values, gradient = value_and_gradient(lambda x: frozen(x[None])[0], features.astype(np.float32), upstream)
    expected = value_and_gradient(lambda x: plain(weights, x, layer)[layer], features, upstream)
    assert relative_error(values, expected[0]) < 1e-5
    assert relative_error(gradient, expected[1]) < 1e-4
    ordinary = value_and_gradient(lambda x: plain(weights, x, None)[layer], features, upstream)[1]
    if layer in ("rnn_output", "logits"):
        np.testing.assert_array_equal(expected[1], ordinary)
    else:
        assert {0.0, 20.0} < set(np.unique(values))
        assert relative_error(ordinary, expected[1]) > 0.1


def value_and_gradient(function, stimulus, upstream):
    stimulus = tf.constant(stimulus)
    with tf.GradientTape() as tape:
        tape.watch(stimulus)
        values = function(stimulus)
    gradient = tape.gradient(values, stimulus, output_gradients=tf.cast(tf.constant(upstream), values.dtype))
    return values.numpy(), gradient.numpy()


def test_layers_with_a_clipped_relu_say_so():
    rules = {layer: described.path.rule for layer, described in describe_network("deepspeech").layers.items()}
    clipped = {layer for layer, rule in rules.items() if "clipped at 20" in rule}
    assert clipped == {"layer_1", "layer_2", "layer_3", "layer_5"}


@pytest.mark.parametrize(("samples", "frames"), [(512, 1), (32000, 100)])
def test_a_sound_may_be_of_any_length_from_one_frame(original, samples, frames):
    network = load_network("deepspeech", checkpoint=original[2], duration=samples / 16000)
    assert network.layers["logits"].shape == (frames, 29)
    _, gradient = value_and_gradient(network.activations("logits"), noises(1, samples), np.ones((1, frames, 29)))
    assert np.isfinite(gradient).all() and gradient.any()


def test_random_weights_come_from_the_release_s_initialisers_and_are_the_same_at_every_length():
    weights = deepspeech.trace(1000, seed=4, hidden=200).random_weights()
    again = deepspeech.trace(3000, seed=4, hidden=200).random_weights()
    other = deepspeech.trace(1000, seed=5, hidden=200).random_weights()
    for variable, values in weights.items():
        np.testing.assert_array_equal(values, again[variable])
    assert not np.allclose(weights["h1"], other["h1"])
    assert weights["h1"].std() == pytest.approx(np.sqrt(2 / (494 + 200)), rel=0.02)
    # A uniform distribution; a normal one goes further.
    assert abs(weights["h1"]).max() <= np.sqrt(6 / (494 + 200))
    assert abs(weights["lstm_fused_cell/kernel"]).max() == pytest.approx(np.sqrt(6 / (400 + 800)), rel=0.01)
    assert not any(weights[variable].any() for variable in ("b1", "b6", "lstm_fused_cell/bias"))


def logits_of(text: str) -> np.ndarray:
    """Logits (1, frames, 29) of characters, frame by frame, where ``_`` is the blank."""
    places = {**{character: place for place, character in enumerate(" abcdefghijklmnopqrstuvwxyz'")}, "_": 28}
    return np.stack([np.eye(29)[places[character]] - 0.5 for character in text])[None]


@pytest.mark.parametrize(
    ("frames", "text"), [("______", ""), ("hello", "helo"), ("_hheel_lo__", "hello"), ("it''s   a_a", "it's aa")]
)
def test_repeats_are_merged_before_blanks_are_dropped(frames, text):
    assert deepspeech.transcribe(logits_of(frames)) == [text]


def test_each_item_has_its_own_transcript():
    assert deepspeech.transcribe(np.concatenate([logits_of("yes_"), logits_of("no__")])) == ["yes", "no"]


def test_the_prediction_is_the_transcript(original, loaded):
    predictions = loaded.predict(original[0])
    assert [each.label for each in predictions] == deepspeech.transcribe(original[1]["logits"])
    assert [each.index for each in predictions] == [None, None]


@pytest.mark.parametrize("foreign", ["bidirectional_rnn/fw/basic_lstm_cell/kernel", "layer_1/weights"])
def test_the_checkpoint_of_another_release_is_refused(original, tmp_path, foreign):
    """Releases 0.1.1 and 0.5 share variables with 0.4.1."""
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        variables = [
            v1.get_variable(name, shape)
            for name, (shape, _) in deepspeech.trace(SAMPLES).specification.items()
            if name.startswith(("h", "b"))
        ]
        variables.append(v1.get_variable(foreign, [3]))
        session.run(v1.global_variables_initializer())
        path = v1.train.Saver(variables).save(session, str(tmp_path / "model"))
    with pytest.raises(CheckpointError, match="lstm_fused_cell/kernel"):
        load_network("deepspeech", checkpoint=path)


def test_synthesis_matches_a_layer_and_records_both_transcripts(loaded):
    recipe = find_recipe("feather2019-audio").replace(steps=100)
    metamer = tm.synthesize(loaded, noises(1)[0], layer="layer_1", recipe=recipe)
    assert metamer.losses[-1] < metamer.losses[0] / 10
