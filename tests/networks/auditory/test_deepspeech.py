"""DeepSpeech against graphs built as its own code builds them, in TensorFlow 1, and against plain arithmetic."""

import csv
import gc
import json
import shutil
import warnings
from functools import partial

import numpy as np
import pytest
import soundfile
import tensorflow as tf
from python_speech_features import base

import tfmetamers as tm
from tfmetamers.checkpoints.reader import CheckpointFile, read_variables
from tfmetamers.cli import main as command_line
from tfmetamers.errors import ArgumentError, CheckpointError
from tfmetamers.inclusion.verdict import judge
from tfmetamers.networks import load_network
from tfmetamers.networks.auditory import deepspeech
from tfmetamers.networks.graph.frozen import FrozenFunction
from tfmetamers.networks.network import Network, Provenance
from tfmetamers.recipes import find_recipe
from tfmetamers.stimuli.domains import Sounds

VERSIONS = list(deepspeech.VERSIONS)
LAYERS = ["mfcc", "layer_1", "layer_2", "layer_3", "rnn_output", "layer_5", "logits"]
UNITS = 24
SAMPLES = 6000


def noises(count: int, samples: int = SAMPLES) -> np.ndarray:
    return (0.1 * np.random.default_rng(5).normal(size=(count, samples))).astype(np.float32)


def features_of(name: str, waveform) -> np.ndarray:
    """What the release's ``util/audio.py`` makes of a waveform: (frames, 19, 26), frames in their context."""
    samples = waveform.astype(np.float64) * 2**15
    if name == "deepspeech":
        frames = base.mfcc(samples, samplerate=16000, winlen=0.032, winstep=0.02, numcep=26, winfunc=np.hamming)
    else:
        frames = base.mfcc(samples, samplerate=16000, numcep=26)[::2]
    padded = np.concatenate([np.zeros((9, 26)), frames, np.zeros((9, 26))])
    in_context = np.stack([padded[start : start + 19] for start in range(len(frames))])
    if name == "deepspeech_0_1_1":  # All of it at once, the frames of zeros too.
        in_context = (in_context - np.mean(in_context)) / np.std(in_context)
    return in_context


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


def two_basic_lstms(inputs, units):
    from tf_keras.src.layers.rnn.legacy_cells import BasicLSTMCell

    cells = [BasicLSTMCell(units, forget_bias=1.0) for _ in range(2)]
    outputs, _ = tf.compat.v1.nn.bidirectional_dynamic_rnn(*cells, inputs, dtype=tf.float32, time_major=True)
    return tf.concat(outputs, 2)


def deviation_of(name, shape):
    """Return a standard deviation of weights with which units fall below zero, between zero and 20, and above."""
    if len(shape) == 1:
        return 0.5
    return {"h1": 20, "h5": 60}.get(name, 2) / np.sqrt(shape[0])


def spread(name, shape):
    deviation = deviation_of(name, shape)
    return tf.compat.v1.get_variable(name, shape, initializer=tf.compat.v1.random_normal_initializer(stddev=deviation))


def build(name, in_context, units):
    """Return the layers as ``BiRNN`` of the release's ``DeepSpeech.py`` computes them, (frames * batch, units)."""
    batch = tf.shape(in_context)[0]
    layers = []

    def dense(values, number, size):
        bias = spread(f"b{number}", [size])
        return tf.add(tf.matmul(values, spread(f"h{number}", [values.shape[1], size])), bias)

    def rectified(values, number, size):
        layers.append(tf.minimum(tf.nn.relu(dense(values, number, size)), 20.0))
        return layers[-1]

    recurrent = units if name == "deepspeech" else 2 * units
    values = tf.reshape(tf.transpose(in_context, [1, 0, 2, 3]), [-1, 494])
    for number, size in ((1, units), (2, units), (3, recurrent)):
        values = rectified(values, number, size)
    values = tf.reshape(values, [-1, batch, recurrent])
    recur = fused_lstm if name == "deepspeech" else two_basic_lstms
    layers.append(tf.reshape(recur(values, units), [-1, recurrent]))
    logits = dense(rectified(layers[-1], 5, units), 6, 29)
    return [*layers, logits]


def saved_by_tensorflow_1(name, units, waveforms, folder):
    """Return the path of a V2 checkpoint, and the activations of each layer, (batch, frames, units)."""
    v1 = tf.compat.v1
    in_context = np.stack([features_of(name, waveform) for waveform in waveforms]).astype(np.float32)
    with tf.Graph().as_default(), v1.Session() as session, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        v1.set_random_seed(6)
        layers = build(name, tf.constant(in_context), units)
        v1.train.create_global_step()
        session.run(v1.global_variables_initializer())
        path = v1.train.Saver().save(session, str(folder / f"model.{name}"))
        activations = [in_context[:, :, 9], *session.run(layers)]
    by_item = [each.reshape(-1, len(waveforms), each.shape[-1]).swapaxes(0, 1) for each in activations[1:]]
    return path, dict(zip(LAYERS, [activations[0], *by_item], strict=True))


@pytest.fixture(scope="module", params=VERSIONS)
def original(request, tmp_path_factory):
    """A release's name, a small checkpoint of it, and what TensorFlow 1 makes of two sounds with that."""
    waveforms = noises(2)
    folder = tmp_path_factory.mktemp(request.param)
    return request.param, waveforms, *saved_by_tensorflow_1(request.param, UNITS, waveforms, folder)


def small_network(name, values, samples=SAMPLES, units=UNITS) -> Network:
    return Network(
        name,
        domain=Sounds(16000, samples),
        trace=deepspeech.trace(name, samples, hidden=units),
        weights={variable: tf.constant(value) for variable, value in values.items()},
        provenance=Provenance("checkpoint", digest="", loading={}),
        labels=deepspeech.labels(),
        transcribe=deepspeech.transcribe,
        recipe="feather2019-audio",
        front_ends={"exact": partial(deepspeech.front_end, name, samples)},
    )


@pytest.fixture
def loaded(original):
    """The small network with the weights of that checkpoint."""
    name, _, path, _ = original
    file = CheckpointFile(path)
    deepspeech.refuse_other_version(name, path, file.variables)
    values = read_variables(file, deepspeech.trace(name, SAMPLES, hidden=UNITS).specification, ["global_step"])
    return small_network(name, values)


def relative_error(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


def test_every_layer_is_that_of_the_release_with_its_checkpoint(original, loaded):
    name, waveforms, _, expected = original
    assert list(loaded.layers) == LAYERS
    if name == "deepspeech_0_1_1":  # Whitening follows; it is in layer_1.
        expected = {layer: values for layer, values in expected.items() if layer != "mfcc"}
    for layer, values in expected.items():
        found = loaded.activations(layer)(waveforms).numpy()
        assert found.shape == values.shape == (2, *loaded.layers[layer].shape)
        assert relative_error(found, values) < 1e-4, layer
    for layer in ("layer_1", "layer_5"):  # Units of all three kinds, or clipping would have gone untried.
        assert {0.0, 20.0} < set(np.unique(expected[layer]))


def test_items_of_a_batch_do_not_influence_each_other(original, loaded):
    """That of whitening least of all."""
    _, waveforms, _, _ = original
    waveforms = waveforms * np.array([[1.0], [3.0]], np.float32)
    for layer in LAYERS:
        function = loaded.activations(layer)
        single = np.concatenate([function(waveform[None]) for waveform in waveforms])
        assert relative_error(function(waveforms).numpy(), single) < 1e-5, layer


def test_a_release_of_the_published_size_loads_from_its_checkpoint(tmp_path):
    """All layers, with the checkpoint's 47 million numbers."""
    waveforms = noises(1, 4000)
    path, expected = saved_by_tensorflow_1("deepspeech", 2048, waveforms, tmp_path)
    network = load_network("deepspeech", checkpoint=path, duration=0.25)
    shutil.rmtree(tmp_path)
    found = network.activations_together(LAYERS)(tf.constant(waveforms))
    for layer, values in zip(LAYERS, found, strict=True):
        assert values.shape == (1, 12, {"mfcc": 26, "logits": 29}.get(layer, 2048))
        assert relative_error(values.numpy(), expected[layer]) < 1e-4, layer
    specification = deepspeech.trace("deepspeech", 4000).specification
    assert specification["lstm_fused_cell/kernel"] == ((4096, 8192), "float32")
    assert sum(np.prod(shape) for shape, _ in specification.values()) == 47_224_861
    del network, found
    gc.collect()


def test_variables_of_the_bidirectional_release_have_its_sizes():
    specification = deepspeech.trace("deepspeech_0_1_1", 4000).specification
    for direction in ("fw", "bw"):
        assert specification[f"bidirectional_rnn/{direction}/basic_lstm_cell/kernel"][0] == (6144, 8192)
    assert (specification["h3"][0], specification["h5"][0]) == ((2048, 4096), (4096, 2048))


def plain(name, weights, features, straight_through):
    """The layers of one item in double precision, with TensorFlow's ordinary gradients but at the layer asked for.

    Args:
        name: the release.
        weights: the network's.
        features: (frames, 26).
        straight_through: the layer whose clipped ReLU hands its gradient through.
    """
    values = tf.pad(features, [[9, 9], [0, 0]])
    values = tf.concat([values[start : start + len(features)] for start in range(19)], axis=1)
    if name == "deepspeech_0_1_1":
        values = (values - tf.reduce_mean(values)) / tf.math.reduce_std(values)
    layers = {}

    def rectified(number):
        pre_activation = values @ weights[f"h{number}"] + weights[f"b{number}"]
        clipped = tf.clip_by_value(pre_activation, 0, 20)
        if straight_through == f"layer_{number}":
            return pre_activation + tf.stop_gradient(clipped - pre_activation)
        return clipped

    def lstm(inputs, scope):
        kernel, bias = weights[f"{scope}/kernel"], weights[f"{scope}/bias"]
        cell = output = tf.zeros([1, UNITS], tf.float64)
        outputs = []
        for frame in inputs:
            admitted, candidate, kept, shown = tf.split(tf.concat([frame[None], output], 1) @ kernel + bias, 4, 1)
            cell = tf.sigmoid(kept + 1) * cell + tf.sigmoid(admitted) * tf.tanh(candidate)
            output = tf.sigmoid(shown) * tf.tanh(cell)
            outputs.append(output[0])
        return outputs

    for number in (1, 2, 3):
        layers[f"layer_{number}"] = values = rectified(number)
    frames = tf.unstack(values)
    if name == "deepspeech":
        values = tf.stack(lstm(frames, "lstm_fused_cell"))
    else:
        forward = lstm(frames, "bidirectional_rnn/fw/basic_lstm_cell")
        backward = lstm(frames[::-1], "bidirectional_rnn/bw/basic_lstm_cell")[::-1]
        values = tf.concat([tf.stack(forward), tf.stack(backward)], axis=1)
    layers["rnn_output"] = values
    layers["layer_5"] = values = rectified(5)
    layers["logits"] = values @ weights["h6"] + weights["b6"]
    return layers


@pytest.mark.parametrize("name", VERSIONS)
@pytest.mark.parametrize("layer", LAYERS[1:])
def test_gradients_are_straight_through_at_the_matched_layer_and_ordinary_elsewhere(name, layer):
    """With weights and features that put units below zero, between, and above 20."""
    traced = deepspeech.trace(name, SAMPLES, hidden=UNITS)
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
    expected = value_and_gradient(lambda x: plain(name, weights, x, layer)[layer], features, upstream)
    assert relative_error(values, expected[0]) < 1e-5
    assert relative_error(gradient, expected[1]) < 1e-4
    ordinary = value_and_gradient(lambda x: plain(name, weights, x, None)[layer], features, upstream)[1]
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


@pytest.mark.parametrize("name", VERSIONS)
def test_layers_with_a_clipped_relu_say_so(name):
    network = small_network(name, {})
    clipped = "straight-through (1 ReLU clipped at 20)"
    found = {layer for layer, described in network.layers.items() if described.path.rule == clipped}
    assert found == {"layer_1", "layer_2", "layer_3", "layer_5"}
    assert network.layers["logits"].path.rule == "ordinary (no ReLU produces this layer)"


@pytest.mark.parametrize("name", VERSIONS)
@pytest.mark.parametrize(("samples", "frames"), [(512, (1, 1)), (513, (2, 1)), (32000, (100, 100))])
def test_a_sound_may_be_of_any_length_from_one_frame(name, samples, frames):
    values = deepspeech.trace(name, samples, seed=1, hidden=UNITS).random_weights()
    network = small_network(name, values, samples)
    assert network.layers["logits"].shape == (frames[VERSIONS.index(name)], 29)
    _, gradient = value_and_gradient(
        network.activations("logits"), noises(1, samples), np.ones((1, *network.layers["logits"].shape))
    )
    assert np.isfinite(gradient).all()
    assert gradient.any()


def test_a_sound_shorter_than_a_frame_is_refused():
    with pytest.raises(ArgumentError, match="The sounds have 300 samples, and a frame has 512"):
        deepspeech.trace("deepspeech", 300)


@pytest.mark.parametrize("name", VERSIONS)
def test_random_weights_come_from_the_releases_initialisers_and_are_the_same_at_every_length(name):
    weights = deepspeech.trace(name, 1000, seed=4, hidden=200).random_weights()
    again = deepspeech.trace(name, 3000, seed=4, hidden=200).random_weights()
    other = deepspeech.trace(name, 1000, seed=5, hidden=200).random_weights()
    for variable, values in weights.items():
        np.testing.assert_array_equal(values, again[variable])
    assert not np.allclose(weights["h1"], other["h1"])
    glorot = np.sqrt(2 / (494 + 200))
    assert weights["h1"].std() == pytest.approx(glorot, rel=0.02)
    kernel = weights[f"{deepspeech.VERSIONS[name].directions[0]}/kernel"]
    assert abs(kernel).max() == pytest.approx(np.sqrt(6 / sum(kernel.shape)), rel=0.01)
    if name == "deepspeech":
        assert abs(weights["h1"]).max() <= glorot * np.sqrt(3)  # A uniform distribution; a normal one goes further.
        assert not any(weights[variable].any() for variable in ("b1", "b6", "lstm_fused_cell/bias"))
    else:
        assert abs(weights["h1"]).max() > glorot * np.sqrt(3)
        for variable in ("h2", "h3", "h5", "b2"):
            assert weights[variable].std() == pytest.approx(0.046875, rel=0.15), variable


def logits_of(text: str) -> np.ndarray:
    """Logits (1, frames, 29) of characters, frame by frame, where ``_`` is the blank."""
    places = {**{character: place for place, character in enumerate(" abcdefghijklmnopqrstuvwxyz'")}, "_": 28}
    return np.stack([np.eye(29)[places[character]] - 0.5 for character in text])[None]


@pytest.mark.parametrize(
    ("frames", "text"),
    [
        ("______", ""),
        ("hello", "helo"),
        ("_hheel_lo__", "hello"),
        ("it''s   a_a", "it's aa"),
        (" _ ", "  "),
        ("z", "z"),
    ],
)
def test_repeats_are_merged_before_blanks_are_dropped(frames, text):
    assert deepspeech.transcribe(logits_of(frames)) == [text]


def test_each_item_has_its_own_transcript():
    assert deepspeech.transcribe(np.concatenate([logits_of("yes_"), logits_of("no__")])) == ["yes", "no"]


@pytest.mark.parametrize("name", VERSIONS)
def test_the_prediction_is_the_transcript(name):
    values = deepspeech.trace(name, SAMPLES, seed=2, hidden=UNITS).random_weights()
    network = small_network(name, values)
    waveforms = noises(2)
    predictions = network.predict(waveforms)
    assert [each.label for each in predictions] == deepspeech.transcribe(network.logits(waveforms))
    assert [each.index for each in predictions] == [None, None]


def test_the_same_label_is_the_same_transcript():
    said = {"index": None, "label": "yes"}
    verdict = judge("layer_1", said, dict(said), 0.9, None)
    assert verdict.same_label is True
    assert verdict.claim.startswith("transcript and correlation")
    verdict = judge("layer_1", said, {"index": None, "label": ""}, 0.9, None)
    assert (verdict.same_label, verdict.included) == (False, False)
    assert verdict.reasons[0] == "another transcript: '' in place of 'yes'"


@pytest.mark.parametrize(
    ("name", "found", "message"),
    [
        ("deepspeech", "bidirectional_rnn/fw/basic_lstm_cell/kernel", r"of DeepSpeech 0\.1\.1 \('deepspeech_0_1_1'\)"),
        (
            "deepspeech_0_1_1",
            "lstm_fused_cell/kernel",
            r"of DeepSpeech 0\.4\.1 \('deepspeech'\).* give one of .*0\.1\.1",
        ),
        ("deepspeech", "layer_1/weights", r"of DeepSpeech 0\.5 or later"),
    ],
)
def test_the_checkpoint_of_another_release_is_named(name, found, message):
    with pytest.raises(CheckpointError, match=f"model.ckpt is a checkpoint {message}"):
        deepspeech.refuse_other_version(name, "model.ckpt", {"h1", "b1", found})


@pytest.mark.parametrize("name", VERSIONS)
def test_the_checkpoint_of_release_0_5_is_not_taken_for_one_of_0_4_1(name):
    """It has a recurrent layer by the same names."""
    found = {"layer_1/weights", "layer_1/bias", "lstm_fused_cell/kernel", "lstm_fused_cell/bias"}
    with pytest.raises(CheckpointError, match=r"is a checkpoint of DeepSpeech 0\.5 or later"):
        deepspeech.refuse_other_version(name, "model.ckpt", found)


def test_synthesis_matches_a_layer_and_records_both_transcripts():
    values = deepspeech.trace("deepspeech", SAMPLES, seed=2, hidden=UNITS).random_weights()
    network = small_network("deepspeech", values)
    recipe = find_recipe("feather2019-audio").replace(steps=100)
    metamer = tm.synthesize(network, noises(1)[0], layer="layer_1", recipe=recipe)
    assert metamer.losses[-1] < metamer.losses[0] / 10
    original, made = (metamer.record["prediction"][which] for which in ("original", "metamer"))
    assert original["index"] is made["index"] is None
    assert isinstance(made["label"], str)
    assert metamer.record["layer"]["relu_rule"] == "straight-through (1 ReLU clipped at 20)"


@pytest.fixture
def run(capsys, monkeypatch):
    """Run a command with networks of few units, and return its status, output and errors."""
    monkeypatch.setattr(deepspeech, "trace", partial(deepspeech.trace, hidden=UNITS))

    def run(*arguments):
        return command_line.run([*map(str, arguments)]), *capsys.readouterr()

    return run


def test_transcripts_go_all_the_way_from_synthesis_to_recognition(run, tmp_path):
    for name, waveform in zip(("a", "b"), noises(2, 32000), strict=True):
        soundfile.write(tmp_path / f"{name}.wav", waveform, 16000)
    (tmp_path / "words.csv").write_text("id,file,label\na,a.wav,Nothing\nb,b.wav,42\n")
    out, network = tmp_path / "out", ["--network", "deepspeech", "--weights", "random"]
    layers = ["--layer", "layer_1", "--steps", 3]
    status, output, errors = run("synth", *network, *layers, "--output", out, tmp_path / "words.csv")
    assert status == 0, errors
    status, output, errors = run("evaluate", out)
    assert status == 0, output + errors
    verdict = json.loads((out / "deepspeech/layer_1/a/0/verdict.json").read_text())["array"]
    record = json.loads((out / "deepspeech/layer_1/a/0/metamer.json").read_text())
    heard = record["prediction"]["original"]["label"]
    assert f"{heard}" in (out / "report.html").read_text(encoding="utf-8")
    assert verdict["original_label"] == heard
    assert verdict["same_label"] == (record["prediction"]["metamer"]["label"] == heard)
    status, output, errors = run("recognize", out, "--by", "deepspeech:random", "--include-failed")
    assert status == 0, errors
    with (out / "recognition.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    natural = {row["stimulus"]: row for row in rows if row["layer"] == "natural"}
    assert natural["a"]["decision_label"] == heard
    # What cannot be written in the characters cannot be heard either: that truth is not known.
    assert (natural["a"]["truth_label"], natural["a"]["correct_label"]) == ("nothing", "false")
    assert (natural["b"]["truth_label"], natural["b"]["correct_label"]) == ("", "")
    with (out / "recognition_summary.csv").open(newline="", encoding="utf-8") as stream:
        assert {(row["task"], row["chance"]) for row in csv.DictReader(stream)} == {("label", "")}


def test_a_judge_that_transcribes_is_right_where_it_writes_the_label(run, tmp_path):
    """A random network is given the label that it hears."""
    soundfile.write(tmp_path / "a.wav", noises(1, 32000)[0], 16000)
    network = load_network("deepspeech", weights="random")
    heard = network.predict(network.domain.load(tmp_path / "a.wav")[None])[0].label
    assert heard
    (tmp_path / "words.csv").write_text(f"id,file,label\na,a.wav,{heard.upper()}\n")
    options = ["--network", "deepspeech", "--weights", "random"]
    out = tmp_path / "out"
    assert run("synth", *options, "--layer", "layer_1", "--steps", 2, "--output", out, tmp_path / "words.csv")[0] == 0
    status, _, errors = run("recognize", out, "--by", "deepspeech:random", "--include-failed")
    assert status == 0, errors
    with (out / "recognition.csv").open(newline="", encoding="utf-8") as stream:
        correct = {row["layer"]: row["correct_label"] for row in csv.DictReader(stream)}
    assert correct["natural"] == "true"
