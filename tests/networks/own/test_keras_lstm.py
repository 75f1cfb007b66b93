"""LSTM layers as one operation, against Keras's own."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

import tfmetamers as tm
from tests.golden import SHARED, needs_shared
from tfmetamers.errors import ArgumentError
from tfmetamers.networks import from_keras

STEPS, INPUTS = 7, 5


def recurrent(library, kind: str):
    lstm, bidirectional = library.layers.LSTM, library.layers.Bidirectional
    return {
        "sequences": lambda: lstm(4, return_sequences=True),
        "last": lambda: lstm(4),
        "backwards": lambda: lstm(4, go_backwards=True, return_sequences=True),
        "without bias": lambda: lstm(4, use_bias=False),
        "bidirectional": lambda: bidirectional(lstm(4, return_sequences=True)),
        "bidirectional sum": lambda: bidirectional(lstm(4), merge_mode="sum"),
        "unrolled": lambda: lstm(4, unroll=True),
    }[kind]()


@pytest.mark.parametrize("library", [keras, tf_keras], ids=["3", "2"])
@pytest.mark.parametrize(
    "kind", ["sequences", "last", "backwards", "without bias", "bidirectional", "bidirectional sum", "unrolled"]
)
def test_values_and_gradients_are_those_of_keras(library, kind):
    library.utils.set_random_seed(0)
    layer = recurrent(library, kind)
    model = library.Sequential([library.Input((STEPS, INPUTS)), layer])
    generator = np.random.default_rng(0)
    model.set_weights([generator.normal(size=each.shape) for each in model.get_weights()])
    network = from_keras(model)
    values = generator.normal(size=(3, STEPS, INPUTS)).astype(np.float32)
    found = []
    for function in (network.activations(layer.name), model):
        stimuli = tf.constant(values)
        with tf.GradientTape() as tape:
            tape.watch(stimuli)
            activations = function(stimuli)
            loss = tf.reduce_sum(tf.sin(3 * activations))
        found.append((activations.numpy(), tape.gradient(loss, stimuli).numpy()))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model(values), found[1][0], rtol=1e-5, atol=1e-6)  # The model is as it was.


@pytest.mark.parametrize("options", [{"activation": "relu"}, {"recurrent_activation": "hard_sigmoid"}])
def test_an_lstm_of_other_activations_is_left_as_it_is(options):
    layers = keras.layers
    model = keras.Sequential([keras.Input((STEPS, INPUTS)), layers.LSTM(4, name="loop", **options)])
    with pytest.raises(ArgumentError, match=r"loop.*unroll=True"):
        from_keras(model).activations("loop")


@pytest.fixture
def rebuilt(monkeypatch):
    """The published network of words rebuilt by the code of docs/own_networks.md, and that code's names."""
    monkeypatch.chdir(SHARED / "data/networks/att_rnn_35_words")
    document = (Path(tm.__file__).parents[1] / "docs/own_networks.md").read_text(encoding="utf-8")
    names = {}
    exec(re.search(r"```python\n(.*?)```", document, re.DOTALL)[1], names)
    return names


@needs_shared
def test_a_published_recurrent_network_of_words_rebuilt_from_its_document(rebuilt):
    """The three recordings were published with the network."""
    network, words = rebuilt["network"], ["eight", "five", "follow"]
    sounds = np.stack([network.domain.load(Path(f"{word}.wav"), "centre") for word in words])
    assert [prediction.label for prediction in network.predict(sounds)] == words
    assert network.logits(sounds).numpy().max(-1).min() > 0.99
    np.testing.assert_allclose(network.logits(sounds), rebuilt["model"](sounds), atol=1e-4)
    metamer = tm.synthesize(network, sounds[0], layer="conv2d", steps=100)
    assert metamer.losses[-1] < metamer.losses[0] / 20
    assert metamer.record.prediction["metamer"]["label"] == "eight"


@needs_shared
@pytest.mark.slow
def test_a_metamer_of_its_convolution_passes_the_inclusion_test(rebuilt):
    network = rebuilt["network"]
    archive = np.load(SHARED / "data/speech_commands_test/speech_commands_test_480.npz")
    clips = [waveform - waveform.mean() for waveform in archive["waveforms"] / 2.0**15]
    levels = np.sqrt([np.mean(np.square(clip)) for clip in clips])
    sounds = [
        (0.1 * clip / level).astype(np.float32) for clip, level in zip(clips, levels, strict=True) if level > 1e-4
    ]
    null = tm.NullDistribution.from_stimuli(network, sounds, layers=["conv2d"], pairs=20_000)
    word = network.domain.load(Path("eight.wav"), "centre")
    verdict = tm.include(tm.synthesize(network, word, layer="conv2d", steps=2000), null)
    assert verdict.included, verdict.reasons
