"""VGGish and DeepSpeech, made small, from a sound on disk to the report."""

import json
from functools import partial

import numpy as np
import pytest
import soundfile
import tensorflow as tf

import tfmetamers as tm
from tfmetamers.cli import main as command_line
from tfmetamers.errors import ArgumentError
from tfmetamers.networks.auditory import deepspeech, vggish
from tfmetamers.networks.recorded import load_recorded
from tfmetamers.recognition.decisions import recognize

#: Of each network: a layer that a ReLU produces, and what its verdicts rest on.
NETWORKS = {
    "vggish": ("embedding", "correlation only, the network has no labels"),
    "vggish_2020": ("conv2", "correlation only, the network has no labels"),
    "deepspeech": ("layer_5", "transcript and correlation"),
    "deepspeech_0_1_1": ("layer_2", "transcript and correlation"),
}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Few units, whose random weights are larger: there, the published ones hardly let a sound through."""
    monkeypatch.setattr(vggish, "BLOCKS", tuple((scopes, 4) for scopes, _ in vggish.BLOCKS))
    monkeypatch.setattr(vggish, "DENSE_UNITS", 16)
    monkeypatch.setattr(vggish, "WEIGHT_DEVIATION", 0.3)
    monkeypatch.setattr(deepspeech, "trace", partial(deepspeech.trace, hidden=8))


@pytest.fixture
def folder(tmp_path):
    """Four sounds of 1.2 s at 8 kHz, and a manifest that says what they are."""
    times, lines = np.arange(9600) / 8000, ["id,file,label"]
    for number in range(4):
        noise = np.random.default_rng(number).normal(0, 0.1, 9600) * np.sin(2 * np.pi * (number + 1) * times)
        soundfile.write(tmp_path / f"{number}.wav", noise, 8000)
        lines.append(f"sound{number},{number}.wav,a")
    (tmp_path / "sounds.csv").write_text("\n".join(lines))
    return tmp_path


@pytest.fixture
def run(capsys, folder):
    """Run a command and return its status, output and errors."""

    def run(*arguments):
        return command_line.run(list(map(str, arguments))), *capsys.readouterr()

    return run


def noise(seed, samples=19_200):
    return np.random.default_rng(seed).normal(0.0, 0.1, samples).astype(np.float32)


@pytest.mark.parametrize("name", ["vggish", "deepspeech"])
def test_synth_evaluate_report_and_recognize(name, run, folder):
    layer, basis = NETWORKS[name]
    options = ["--network", name, "--weights", "random", "--duration", 1.2, "--layer", layer]
    out, null = folder / "out", folder / "null.npz"
    status, output, errors = run(
        "synth", *options, "--steps", 4, "--batch-size", 2, "--output", out, folder / "sounds.csv"
    )
    assert status == 0, errors
    rate = {"vggish": "0.01", "deepspeech": "0.0001"}[name]
    assert f"Recipe feather2019-audio-{name}: 4 steps of Adam at {rate}" in output
    assert "4 metamers to make" in output
    record = json.loads((out / name / layer / "sound3/0/metamer.json").read_text())
    assert record["network"]["loading"]["duration"] == 1.2
    assert record["network"]["stimulus_shape"] == [19_200]
    assert record["stimulus"]["sampling_rate"] == 16_000
    assert record["deviations"] == {"steps": [15000, 4]}
    assert record["recipe"]["front_end"] == "exact"
    assert (out / name / layer / "sound3/0/figure.png").stat().st_size > 10_000
    status, _, errors = run("null", "build", *options, "--stimuli", folder, "--pairs", 6, "--output", null)
    assert status == 0, errors
    status, _, errors = run("evaluate", out, "--null", null)
    assert status == 0, errors
    verdict = json.loads((out / name / layer / "sound3/0/verdict.json").read_text())
    assert verdict["array"]["claim"].startswith(f"{basis}; ")
    assert f"judged by {basis}." in (out / "report.html").read_text(encoding="utf-8")
    arguments = ["recognize", out, "--by", f"{name}:random", "--duration", 1.2, "--include-failed"]
    status, output, errors = run(*arguments)
    if name == "vggish":
        assert status == 2 and f"{name} has no labels" in errors
    else:
        assert status == 0, errors
        rows = (out / "recognition.csv").read_text().splitlines()
        assert len(rows) == 1 + 4 + 4


@pytest.mark.parametrize("name", NETWORKS)
def test_a_recorded_network_is_loaded_again_at_its_length(name):
    # Not a whole number of samples: what is recorded is the duration that they have.
    network = tm.load_network(name, weights="random", weights_seed=3, duration=1.20001)
    described = json.loads(json.dumps(network.describe()))
    assert described["loading"]["duration"] == 1.2
    again = load_recorded({"network": described, "domain": "sound"})
    assert again.describe() == network.describe()
    other = tm.load_network(name, weights="random", weights_seed=3, duration=2.0)
    assert other.provenance.digest == network.provenance.digest
    assert other.describe()["stimulus_shape"] == [32_000]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_batch_is_independent_sounds(name):
    network = tm.load_network(name, weights="random", duration=2.0)
    activations = network.activations(NETWORKS[name][0])
    waveforms = np.stack([noise(0, 32_000), 0.1 * noise(1, 32_000), noise(2, 32_000)])
    targets = activations(np.stack([noise(seed, 32_000) for seed in (3, 4, 5)]))

    def gradient(stimuli, wanted):
        stimuli = tf.constant(stimuli)
        with tf.GradientTape() as tape:
            tape.watch(stimuli)
            loss = tf.nn.l2_loss(activations(stimuli) - wanted)
        return tape.gradient(loss, stimuli).numpy()

    together = gradient(waveforms, targets)
    assert np.isfinite(together).all()
    for item in range(3):
        alone = gradient(waveforms[item : item + 1], targets[item : item + 1])[0]
        assert np.linalg.norm(together[item] - alone) <= 1e-4 * np.linalg.norm(alone)


class TestTranscribingJudge:
    @pytest.fixture
    def judge(self):
        return tm.load_network("deepspeech", weights="random", duration=1.2)

    @pytest.fixture
    def out(self, run, folder):
        """Metamers of three sounds: called ice cream, with spaces; called nothing; and of a category alone."""
        (folder / "three.csv").write_text(
            "id,file,label,category\none,0.wav, Ice  cream ,food\ntwo,1.wav,  ,\nthree,2.wav,,Yes\n"
        )
        options = ["--network", "deepspeech", "--weights", "random", "--duration", 1.2, "--layer", "mfcc"]
        status, _, errors = run("synth", *options, "--steps", 1, "--output", folder / "out", folder / "three.csv")
        assert status == 0, errors
        return folder / "out"

    @pytest.mark.parametrize(("written", "is_right"), [(" ice cream  ", True), ("icecream", False), ("", False)])
    def test_words_are_compared_whatever_the_spaces_around_them(self, judge, out, written, is_right):
        judge.transcribe = lambda logits: [written] * len(logits)
        decisions = recognize(out, [judge], include_failed=True).decisions
        decided = {(row.stimulus, row.truth_label, row.decision_label, row.correct_label) for row in decisions}
        assert decided == {
            ("one", "ice cream", written, is_right),
            ("two", None, written, None),
            ("three", "yes", written, False),
        }

    def test_the_duration_that_is_needed_is_told(self, run, out):
        status, _, errors = run("recognize", out, "--by", "deepspeech:random", "--include-failed")
        assert status == 2 and "give it another duration (--duration 1.2)" in errors
        status, _, errors = run("recognize", out, "--by", "small_word_aliased", "--include-failed")
        assert status == 2 and "give judges that take it" in errors and "--duration" not in errors


class TestBadInput:
    @pytest.mark.parametrize(
        ("scale", "said"),
        [
            (32768.0, r"is 3\.\d+e\+03, as of 16-bit samples; 0\.1 was expected"),
            (20.0, r"is [\d.]+; 0\.1"),
            (1e-5, r"is [\d.]+e-07; 0\.1"),
        ],
    )
    @pytest.mark.parametrize("name", ["vggish", "deepspeech"])
    def test_a_waveform_of_another_level(self, name, scale, said):
        network = tm.load_network(name, weights="random", duration=1.2)
        with pytest.raises(ArgumentError, match=said):
            tm.synthesize(network, noise(0) * scale, layer=NETWORKS[name][0])

    @pytest.mark.parametrize("name", ["vggish", "deepspeech"])
    def test_samples_of_16_bits(self, name):
        network = tm.load_network(name, weights="random", duration=1.2)
        samples = (noise(0) * 2**15).astype(np.int16)[None]
        with pytest.raises(ArgumentError, match=r"of type int16, as of samples .*: divide by it, 32768"):
            network.activations(NETWORKS[name][0])(samples)
        if network.labels:
            with pytest.raises(ArgumentError, match=r"stimuli are of type int16; floating-point numbers were expected"):
                network.predict(samples)

    def test_a_sound_of_another_length(self, run, folder):
        status, _, errors = run(
            "synth", "--network", "vggish", "--weights", "random", "--layer", "conv1", folder / "0.wav"
        )
        assert status == 1 and "0.wav" in errors and "1.2" in errors

    @pytest.mark.parametrize("name", ["vggish", "deepspeech"])
    def test_sounds_that_are_too_short(self, name, run, folder):
        options = ["--network", name, "--weights", "random", "--duration", 0.02, "--layer", "all"]
        status, _, errors = run("synth", *options, folder / "0.wav")
        assert status == 2 and "320 samples" in errors

    def test_a_duration_for_what_has_its_own(self, run, folder):
        options = ["--weights", "random", "--duration", 1.2, "--layer", "all", folder / "0.wav"]
        status, _, errors = run("synth", "--network", "word_aliased", *options)
        assert status == 2 and "leave the duration out" in errors
        status, _, errors = run("synth", "--keras-model", folder / "mine.keras", *options[2:])
        assert status == 2 and "--duration is for the networks that take sounds of any length" in errors
        status, _, errors = run("networks", "show", "--release", folder, "--duration", 2)
        assert status == 2 and "--duration is for the networks that take sounds of any length" in errors

    def test_the_cochleagram_of_a_network_that_has_none(self, run, folder):
        options = ["--network", "vggish", "--weights", "random", "--duration", 1.2, "--layer", "all"]
        status, _, errors = run("synth", *options, "--optimize", "cochleagram", folder / "0.wav")
        assert status == 2 and "vggish has no cochleagram to optimise" in errors

    def test_a_front_end_that_the_network_has_not(self, run, folder):
        options = ["--network", "vggish", "--weights", "random", "--duration", 1.2, "--layer", "all"]
        status, _, errors = run("synth", *options, "--recipe", "feather2019-audio-fast", folder / "0.wav")
        assert status == 2 and "vggish has the front ends exact" in errors


def test_networks_are_shown_at_a_length(run):
    status, output, _ = run("networks", "show", "deepspeech", "--duration", 0.5)
    assert status == 0 and "8000 samples at 16000 Hz (0.5 s); 29 characters" in output and "25 x 8" in output
    status, output, _ = run("networks", "show", "vggish")
    assert status == 0 and "2 x 96 x 64 x 4" in output and "The code of 2017 to 2019" in output


def test_the_published_release_of_2017_has_no_checkpoint():
    with pytest.raises(tm.TfmetamersError, match=r"published as a frozen graph alone.*--weights random"):
        tm.load_network("deepspeech_0_1_1")
