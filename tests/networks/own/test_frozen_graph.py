"""Frozen graphs of TensorFlow 1, against a session that runs them."""

import io

import numpy as np
import pytest
import soundfile
import tensorflow as tf

import tfmetamers as tm
from tests.golden import SHARED, needs_shared
from tfmetamers.errors import ArgumentError, CheckpointError
from tfmetamers.networks import from_frozen_graph
from tfmetamers.stimuli.domains import Arrays, Images, Sounds

v1 = tf.compat.v1
KWS = SHARED / "data/networks/kws_12_words"
WORDS = ["silence", "unknown", "yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go"]


def write(path, build):
    """Write the graph that a function builds."""
    with tf.Graph().as_default() as graph:
        build()
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return path


def small_graph():
    """A placeholder, two layers, and an answer; names that the loader itself might give to operations."""
    generator = np.random.default_rng(0)
    pictures = v1.placeholder(tf.float32, [None, 8, 6, 3], "pictures")
    scaled = tf.multiply(pictures, 2.0, name="mul")
    kernel = generator.normal(size=(3, 3, 3, 4)).astype(np.float32)
    convolved = tf.nn.relu(tf.nn.conv2d(scaled, kernel, 1, "VALID", name="Conv2D"), name="Relu")
    flat = tf.reshape(convolved, [-1, 6 * 4 * 4], name="Reshape")
    tf.nn.softmax(flat @ generator.normal(size=(96, 5)).astype(np.float32), name="answer")


@pytest.fixture
def small(tmp_path):
    return write(tmp_path / "small.pb", small_graph)


def session_run(path, fetches, feeds):
    graph = v1.GraphDef.FromString(path.read_bytes())
    with tf.Graph().as_default(), v1.Session() as session:
        tf.graph_util.import_graph_def(graph, name="")
        return session.run(fetches, feeds)


def test_placeholder_output_and_layers_are_found(small):
    network = from_frozen_graph(small, labels=list("abcde"))
    assert (network.name, network.domain, list(network.layers)) == ("small", Images(8, 6), ["Relu", "answer"])
    pictures = np.random.default_rng(0).random((2, 8, 6, 3), np.float32)
    fetched = ["mul:0", "Conv2D:0", "Relu:0", "answer:0"]
    expected = session_run(small, fetched, {"pictures:0": pictures})
    for name, value in zip(fetched, expected, strict=True):
        np.testing.assert_allclose(network.activations(f"tensor:{name}")(pictures), value, rtol=1e-4, atol=1e-5)
    assert [each.index for each in network.predict(pictures)] == list(expected[-1].argmax(-1))
    assert network.layers["Relu"].path.rule == "straight-through (1 ReLU)"
    assert (network.provenance.source, network.provenance.file) == ("frozen_graph", "small.pb")


@pytest.mark.parametrize("name", ["Conv2D", "Conv2D:0"])
def test_any_operation_can_be_a_layer(small, name):
    assert list(from_frozen_graph(small, layers=[name, "answer"]).layers) == [name, "answer"]


def test_any_tensor_can_be_the_input(small):
    network = from_frozen_graph(small, input="Relu:0", labels=list("abcde"))
    assert (network.domain, list(network.layers)) == (Arrays((6, 4, 4)), ["answer"])
    values = np.random.default_rng(0).random((2, 6, 4, 4), np.float32)
    expected = session_run(small, "answer:0", {"Relu:0": values})
    np.testing.assert_allclose(network.logits(values), expected, rtol=1e-4)


def test_the_input_range_stretches_the_stimulus(small):
    network = from_frozen_graph(small, input_range=(0, 255))
    pictures = np.random.default_rng(0).random((2, 8, 6, 3), np.float32)
    np.testing.assert_allclose(network.activations("tensor:mul")(pictures), pictures * 510, rtol=1e-6)
    assert network.provenance.input_range == (0, 255)


def test_waveforms_have_a_sampling_rate_and_a_duration(tmp_path):
    def build():
        tf.nn.relu(v1.placeholder(tf.float32, [None, None, 1], "wave"), name="rectified")

    network = from_frozen_graph(write(tmp_path / "a.pb", build), sampling_rate=8000, duration=0.01)
    assert network.domain == Sounds(8000, 80)
    assert network.layers["rectified"].shape == (80, 1)


@pytest.fixture(scope="module")
def recordings():
    """Some recordings of words, int16 (recordings, samples) at 16 kHz."""
    with np.load(SHARED / "data/speech_commands_test/speech_commands_test_480.npz", allow_pickle=False) as file:
        arrays = [file[name] for name in file.files]
    return next(array for array in arrays if array.dtype == np.int16 and array.ndim == 2)[::48]


@needs_shared
class TestPublishedWordNetworks:
    """Three networks that start from a WAV file, used from their MFCCs on: before those is no gradient."""

    @staticmethod
    def wav(waveform) -> bytes:
        stream = io.BytesIO()
        soundfile.write(stream, waveform, 16000, format="WAV", subtype="PCM_16")
        return stream.getvalue()

    @pytest.mark.parametrize("name", ["arm_CNN_L", "arm_DS_CNN_L"])
    def test_answers_are_those_of_the_whole_graph(self, recordings, name):
        path = KWS / f"{name}.pb"
        network = from_frozen_graph(path, input="Mfcc", size=(49, 10), labels=WORDS)
        assert (network.domain, network.recipe) == (Arrays((49, 10)), "feather2019-array")
        pairs = [session_run(path, ["Mfcc:0", "labels_softmax:0"], {"wav_data:0": self.wav(w)}) for w in recordings]
        features, probabilities = (np.concatenate(each) for each in zip(*pairs, strict=True))
        np.testing.assert_allclose(network.logits(features), probabilities, rtol=1e-3, atol=1e-5)
        assert [each.label for each in network.predict(features)] == [WORDS[k] for k in probabilities.argmax(-1)]

    @pytest.mark.parametrize("name", ["arm_CNN_L", "arm_DS_CNN_L"])
    def test_waveforms_are_answered_as_their_files_are(self, recordings, name):
        path = KWS / f"{name}.pb"
        network = from_frozen_graph(path, sampling_rate=16000, labels=WORDS)
        assert (network.domain.name, network.domain.shape) == ("sound", (16000,))
        answers = [session_run(path, "labels_softmax:0", {"wav_data:0": self.wav(w)})[0] for w in recordings]
        sounds = np.stack([np.asarray(w) for w in recordings]).astype(np.float32)
        sounds = sounds / 2**15 if np.abs(sounds).max() > 1 else sounds
        assert np.abs(network.logits(sounds).numpy() - answers).max() < 1e-4

    def test_a_metamer_of_a_waveform(self, recordings):
        network = from_frozen_graph(KWS / "arm_CNN_L.pb", sampling_rate=16000, labels=WORDS)
        sound = np.asarray(recordings[5], np.float32)
        sound = sound / 2**15 if np.abs(sound).max() > 1 else sound
        metamer = tm.synthesize(network, sound, layer="Relu", steps=60)
        assert metamer.losses[-1] < metamer.losses[0] / 2

    def test_a_metamer_of_mfccs(self, recordings):
        path = KWS / "arm_CNN_L.pb"
        network = from_frozen_graph(path, input="Mfcc", size=(49, 10), labels=WORDS)
        features = session_run(path, "Mfcc:0", {"wav_data:0": self.wav(recordings[5])})[0]
        recipe = tm.find_recipe(network.recipe).replace(steps=100, learning_rate=1.0)
        metamer = tm.synthesize(network, features, layer="Relu", recipe=recipe)
        assert metamer.losses[-1] < metamer.losses[0] / 100

    def test_what_is_behind_a_loop_is_left_out(self):
        path = KWS / "arm_CRNN_L.pb"
        assert list(from_frozen_graph(path, input="Mfcc", size=(49, 10)).layers) == ["add", "Relu"]
        for options in ({"labels": WORDS}, {"layers": ["add_1"]}):
            with pytest.raises(ArgumentError, match=r"rnn/while/.*unroll=True"):
                from_frozen_graph(path, input="Mfcc", size=(49, 10), **options)

    def test_a_front_that_takes_bytes_is_told(self):
        with pytest.raises(ArgumentError, match=r"wav_data .* float32"):
            from_frozen_graph(KWS / "arm_CNN_L.pb")


def of_two_inputs():
    left, right = (v1.placeholder(tf.float32, [None, 4], name) for name in ("left", "right"))
    tf.nn.relu(left, name="of_left")
    tf.add(left, right, name="of_both")


def with_a_variable():
    tf.add(
        v1.placeholder(tf.float32, [None, 4], "given"), v1.get_variable("weights", [4], use_resource=False), name="sum"
    )


def with_random_numbers():
    given = v1.placeholder(tf.float32, [None, 4], "given")
    tf.add(given, tf.random.uniform([4]), name="sum")


def test_a_graph_of_one_stimulus_at_a_time_is_refused(tmp_path):
    def build():
        given = v1.placeholder(tf.float32, [1, 4], "given")
        tf.matmul(tf.reshape(given, [1, 4]), tf.ones([4, 2]), name="answer")

    with pytest.raises(CheckpointError, match=r"single .*batch"):
        from_frozen_graph(write(tmp_path / "single.pb", build))


def test_a_graph_that_normalises_over_the_batch_is_refused(tmp_path):
    def build():
        given = v1.placeholder(tf.float32, [None, 4], "given")
        tf.nn.relu(given - tf.reduce_mean(given, 0), name="centred")

    with pytest.raises(ArgumentError, match="in a batch"):
        from_frozen_graph(write(tmp_path / "mixed.pb", build))


def test_what_needs_another_input_is_left_out(tmp_path):
    path = write(tmp_path / "two.pb", of_two_inputs)
    assert list(from_frozen_graph(path, input="left").layers) == ["of_left"]
    with pytest.raises(ArgumentError, match=r"2 placeholders \(left, right\)"):
        from_frozen_graph(path)
    with pytest.raises(ArgumentError, match=r"of_both .* right \(Placeholder\)"):
        from_frozen_graph(path, input="left", layers=["of_both"])


@pytest.mark.parametrize(
    ("build", "fault"), [(with_a_variable, "weights .*freeze"), (with_random_numbers, "RandomUniform")]
)
def test_weights_and_noise_that_are_not_in_the_graph_are_told(tmp_path, build, fault):
    with pytest.raises(ArgumentError, match=f"sum of graph .*{fault}"):
        from_frozen_graph(write(tmp_path / "graph.pb", build), labels=list("abcd"))


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"input": "pitcures"}, "'pitcures'.*pictures"),
        ({"layers": ["Rleu"]}, "'Rleu'.*Relu"),
        ({"logits": "anwser", "labels": list("abcde")}, "'anwser'.*answer"),
        ({"labels": list("abc")}, r"3 labels.*\(None, 5\)"),
        ({"size": 7}, r"\(8, 6, 3\)"),
        ({"input": "Reshape", "size": (96,), "layers": ["Relu"]}, "Relu of small"),
        ({"input": "answer"}, "answer"),
    ],
)
def test_names_and_sizes_that_do_not_fit_are_refused(small, options, fault):
    with pytest.raises(ArgumentError, match=fault):
        from_frozen_graph(small, **options)


def test_a_file_that_is_not_a_graph_is_refused(tmp_path, small):
    whole = small.read_bytes()
    files = {"text.pb": b"not a graph\n" * 9, "empty.pb": b"", "half.pb": whole[: len(whole) // 2], "missing.pb": None}
    for name, content in files.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(CheckpointError, match=name):
            from_frozen_graph(tmp_path / name)


def test_the_file_of_a_saved_model_is_told_from_a_frozen_graph(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(CheckpointError, match="folder"):
        from_frozen_graph(tmp_path / "saved_model.pb")


def test_a_changed_byte_never_ends_in_a_traceback(tmp_path, small):
    """Whatever a damaged file says, it is a network or one of our errors."""
    whole = small.read_bytes()
    generator = np.random.default_rng(0)
    for place in generator.integers(0, len(whole), 40):
        damaged = bytearray(whole)
        damaged[place] ^= int(generator.integers(1, 256))
        (tmp_path / "damaged.pb").write_bytes(damaged)
        try:
            from_frozen_graph(tmp_path / "damaged.pb")
        except tm.TfmetamersError as error:
            assert "\n" not in str(error)


def test_a_file_that_a_graph_would_read_is_not_read(tmp_path):
    (tmp_path / "secret").write_bytes(np.ones(96, np.float32).tobytes())

    def build():
        read = tf.io.decode_raw(tf.io.read_file(str(tmp_path / "secret"), name="reading"), tf.float32)
        pictures = v1.placeholder(tf.float32, [None, 8, 4, 3], "pictures")
        tf.nn.relu(tf.reshape(pictures, [-1, 96]) + read, name="answer")

    with pytest.raises(ArgumentError, match="ReadFile"):
        from_frozen_graph(write(tmp_path / "reading.pb", build), layers=["answer"])


def of_bytes(samples):
    """Build a graph that begins as TensorFlow's example of keywords does."""
    audio = tf.raw_ops.DecodeWav(
        contents=v1.placeholder(tf.string, [], "wav_data"), desired_channels=1, desired_samples=samples, name="decoded"
    )
    spectra = tf.raw_ops.AudioSpectrogram(input=audio.audio, window_size=128, stride=64, magnitude_squared=True)
    mfcc = tf.raw_ops.Mfcc(spectrogram=spectra, sample_rate=audio.sample_rate, dct_coefficient_count=5, name="Mfcc")
    weights = np.random.default_rng(0).normal(size=(30 * 5, 4)).astype(np.float32)
    tf.nn.softmax(tf.reshape(mfcc, [-1, 30 * 5]) @ weights, name="answer")


class TestGraphsOfBytes:
    SAMPLES = 64 * 29 + 128

    def test_waveforms_take_the_place_of_files(self, tmp_path):
        path = write(tmp_path / "words.pb", lambda: of_bytes(self.SAMPLES))
        network = from_frozen_graph(path, sampling_rate=8000, labels=list("abcd"))
        values = np.random.default_rng(1).integers(-9000, 9000, (3, self.SAMPLES)).astype(np.int16)
        expected = []
        for each in values:
            stream = io.BytesIO()
            soundfile.write(stream, each, 8000, format="WAV", subtype="PCM_16")
            expected.append(session_run(path, "answer:0", {"wav_data:0": stream.getvalue()})[0])
        assert np.abs(network.logits(values.astype(np.float32) / 2**15).numpy() - expected).max() < 1e-4
        metamer = tm.synthesize(network, values[0] / np.float32(2**15), layer="Mfcc", steps=20)
        assert metamer.losses[-1] < metamer.losses[0]

    def test_a_length_that_the_graph_does_not_tell(self, tmp_path):
        path = write(tmp_path / "words.pb", lambda: of_bytes(-1))
        with pytest.raises(ArgumentError, match="duration"):
            from_frozen_graph(path, sampling_rate=8000)
        assert from_frozen_graph(path, sampling_rate=8000, duration=self.SAMPLES / 8000).domain.shape == (self.SAMPLES,)
