"""Models of somebody's own through every command: metamers, a null distribution, verdicts, recognition."""

import csv
import io

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from tests.golden import SHARED, needs_shared
from tfmetamers.cli.main import run

v1 = tf.compat.v1
KWS = SHARED / "data/networks/kws_12_words"
CLIPS = SHARED / "data/speech_commands_test/speech_commands_test_480.npz"
WORDS = ["silence", "unknown", "yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go"]


def run_everything(folder, network, options, layer, manifest, steps):
    """Run every command on a network, and return the rows of recognition.csv."""
    common = ["--network", str(network), *options]
    null, out = folder / "null.npz", folder / "metamers"
    stimuli = ["--stimuli", str(manifest), "--pairs", "15", "--output", str(null)]
    synth = ["synth", *common, "--layer", layer, "--steps", str(steps), "--output", str(out), str(manifest)]
    assert run(synth) == 0
    assert run(["null", "build", *common, "--layer", layer, *stimuli]) == 0
    assert run(["evaluate", str(out), "--null", str(null)]) == 0
    with (out / "verdicts.csv").open() as stream:
        verdicts = list(csv.DictReader(stream))
    assert len(verdicts) == 6 and all(row["included"] in ("True", "False") for row in verdicts)
    assert run(["recognize", str(out), "--by", str(network), *options, "--include-failed"]) == 0
    with (out / "recognition.csv").open() as stream:
        return verdicts, list(csv.DictReader(stream))


def write_manifest(folder, rows):
    file = folder / "stimuli.csv"
    with file.open("w", newline="") as stream:
        csv.writer(stream).writerows([["id", "file", "label"], *rows])
    return file


def write_labels(folder, labels):
    file = folder / "labels.txt"
    file.write_text("\n".join(labels))
    return str(file)


@pytest.fixture
def tones(tmp_path):
    """Six tones as files, low and high."""
    rows = []
    for place, pitch in enumerate((200, 250, 300, 1200, 1400, 1600)):
        waveform = np.sin(2 * np.pi * pitch * np.arange(2000) / 4000)
        soundfile.write(tmp_path / f"{place}.wav", 0.1 * waveform, 4000)
        rows.append([str(place), f"{place}.wav", "low" if pitch < 1000 else "high"])
    return write_manifest(tmp_path, rows)


def waveform_model():
    import keras

    keras.utils.set_random_seed(0)
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((2000,)),
            layers.Reshape((2000, 1)),
            layers.Conv1D(8, 40, strides=4, activation="relu", name="conv"),
            layers.GlobalAveragePooling1D(),
            layers.Dense(2, name="logits"),
        ],
        name="tones",
    )


def test_a_keras_model_of_waveforms(tones, tmp_path):
    waveform_model().save(tmp_path / "tones.keras")
    options = ["--sampling-rate", "4000", "--labels", write_labels(tmp_path, ["low", "high"])]
    verdicts, decisions = run_everything(tmp_path, tmp_path / "tones.keras", options, "conv", tones, 30)
    assert {row["network"] for row in verdicts} == {"tones"}
    assert len(decisions) == 12 and {row["truth_label"] for row in decisions} == {"low", "high"}


def test_a_saved_model(tones, tmp_path):
    model = waveform_model()
    folder = tmp_path / "exported"
    model.export(str(folder), verbose=False)
    options = ["--sampling-rate", "4000", "--labels", write_labels(tmp_path, ["low", "high"])]
    from tfmetamers.networks import load_network

    network = load_network(str(folder), sampling_rate=4000)
    layer = next(name for name, each in network.layers.items() if each.path.relus)
    verdicts, decisions = run_everything(tmp_path, folder, options, layer, tones, 30)
    assert {row["network"] for row in verdicts} == {"exported"} and len(decisions) == 12


@needs_shared
def test_a_frozen_graph_of_word_recognition_from_its_mfcc_on(tmp_path):
    graph_file = KWS / "arm_CNN_L.pb"
    graph = v1.GraphDef.FromString(graph_file.read_bytes())
    rows, expected, archive = [], {}, np.load(CLIPS)
    names = [str(name) for name in archive["names"]]
    with tf.Graph().as_default(), v1.Session() as session:
        tf.graph_util.import_graph_def(graph, name="")
        for place, word in enumerate(("yes", "no", "up", "left", "stop", "go")):
            clip = io.BytesIO()
            waveform = archive["waveforms"][archive["labels"] == names.index(word)][0]
            soundfile.write(clip, waveform, 16_000, format="WAV", subtype="PCM_16")
            found = session.run(["Mfcc:0", "labels_softmax:0"], {"wav_data:0": clip.getvalue()})
            features, probabilities = (values[0] for values in found)
            expected[word] = WORDS[int(probabilities.argmax())]
            np.save(tmp_path / f"{place}.npy", features.astype(np.float32))
            rows.append([word, f"{place}.npy", word])
    options = ["--input", "Mfcc", "--labels", write_labels(tmp_path, WORDS)]
    from tfmetamers.networks import load_network

    network = load_network(str(graph_file), input="Mfcc", labels=WORDS)
    layer = next(name for name, each in network.layers.items() if each.path.relus)
    manifest = write_manifest(tmp_path, rows)
    verdicts, decisions = run_everything(tmp_path, graph_file, options, layer, manifest, 30)
    answered = {row["stimulus"]: row["decision_label"] for row in decisions if row["layer"] == "natural"}
    assert answered == expected and {row["network"] for row in verdicts} == {"arm_CNN_L"}
