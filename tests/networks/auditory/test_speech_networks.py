"""VGGish and DeepSpeech, made small, from a sound on disk to the report."""

import csv
import json
from functools import partial

import numpy as np
import pytest
import soundfile

import tfmetamers as tm
from tfmetamers.cli import main as command_line
from tfmetamers.errors import ArgumentError
from tfmetamers.networks.auditory import deepspeech, vggish
from tfmetamers.recognition.decisions import recognize

#: For each network: a layer that a ReLU produces, and a word for what its verdicts rest on.
NETWORKS = {
    "vggish": ("embedding", "no labels"),
    "deepspeech": ("layer_5", "transcript"),
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
    """Three sounds of 1.2 s at 8 kHz, and a manifest that says what they are, in words that few networks know."""
    times = np.arange(9600) / 8000
    for number in range(3):
        noise = np.random.default_rng(number).normal(0, 0.1, 9600) * np.sin(2 * np.pi * (number + 1) * times)
        soundfile.write(tmp_path / f"{number}.wav", noise, 8000)
    lines = ["id,file,label,category", "one,0.wav, Ice  cream ,food", "two,1.wav,42,", "three,2.wav,,Yes"]
    (tmp_path / "sounds.csv").write_text("\n".join(lines))
    return tmp_path


@pytest.fixture
def run(capsys):
    """Run a command and return its status, output and errors."""

    def run(*arguments):
        return command_line.run(list(map(str, arguments))), *capsys.readouterr()

    return run


def random_network(name):
    return tm.load_network(f"{name}@1.2s:random")


@pytest.mark.parametrize("name", NETWORKS)
def test_synth_evaluate_report_and_recognize(name, run, folder):
    layer, basis = NETWORKS[name]
    options = ["--network", f"{name}@1.2s:random", "--layer", layer]
    out, null = folder / "out", folder / "null.npz"
    status, output, errors = run("synth", *options, "--steps", 4, "--output", out, folder / "sounds.csv")
    assert status == 0, errors
    assert f"feather2019-audio-{name}" in output
    (made,) = out.glob(f"{name}*/{layer}*/three/0")
    assert (made / "figure.png").stat().st_size > 10_000
    status, _, errors = run(
        "null", "build", *options, "--stimuli", folder / "sounds.csv", "--pairs", 3, "--output", null
    )
    assert status == 0, errors
    status, _, errors = run("evaluate", out, "--null", null)
    assert status == 0, errors
    assert basis in json.loads((made / "verdict.json").read_text())["array"]["claim"]
    assert basis in (out / "report.html").read_text(encoding="utf-8")
    status, _, errors = run("recognize", out, "--by", f"{name}@1.2s:random", "--include-failed")
    if name == "vggish":
        assert status == 2 and f"{name} has no labels" in errors
        return
    assert status == 0, errors
    with (out / "recognition.csv").open(newline="", encoding="utf-8") as stream:
        rows = {row["stimulus"]: row for row in csv.DictReader(stream) if row["layer"] == "natural"}
    # What cannot be written in the characters cannot be heard either: that truth is not known.
    assert {name: row["truth_label"] for name, row in rows.items()} == {"one": "ice cream", "two": "", "three": "yes"}
    with (out / "recognition_summary.csv").open(newline="", encoding="utf-8") as stream:
        assert {(row["task"], row["chance"]) for row in csv.DictReader(stream)} == {("label", "")}


def test_a_transcript_is_right_whatever_the_spaces_around_its_words(run, folder):
    out, options = folder / "out", ["--network", "deepspeech@1.2s:random"]
    status, _, errors = run("synth", *options, "--layer", "mfcc", "--steps", 1, "--output", out, folder / "sounds.csv")
    assert status == 0, errors
    judge = random_network("deepspeech")
    for written, is_right in {" ice cream  ": True, "icecream": False}.items():
        judge.transcribe = lambda logits, written=written: [written] * len(logits)
        decisions = recognize(out, [judge], include_failed=True).decisions
        decided = {(row.stimulus, row.truth_label, row.decision_label, row.correct_label) for row in decisions}
        assert decided == {
            ("one", "ice cream", written, is_right),
            ("two", None, written, None),
            ("three", "yes", written, False),
        }
    status, _, errors = run("recognize", out, "--by", "deepspeech:random", "--include-failed")
    assert status == 2 and "1.2" in errors  # The judge takes two seconds.


class TestBadInput:
    @pytest.mark.parametrize("scale", [32768.0, 1e-5])
    def test_a_waveform_of_another_level(self, scale):
        waveform = np.random.default_rng(0).normal(0.0, 0.1, 19_200).astype(np.float32)
        with pytest.raises(ArgumentError, match="root mean square"):
            tm.synthesize(random_network("vggish"), waveform * scale, layer="conv1")

    def test_samples_of_16_bits(self):
        samples = np.ones((1, 19_200), np.int16)
        with pytest.raises(ArgumentError, match="int16"):
            random_network("vggish").activations("conv1")(samples)

    def test_sounds_that_are_too_short(self, run, folder):
        options = ["--network", "deepspeech@0.02s:random", "--layer", "all"]
        status, _, errors = run("synth", *options, folder / "0.wav")
        assert status == 2 and "320 samples" in errors

    def test_a_duration_for_a_network_that_has_its_own(self, run, folder):
        status, _, errors = run("synth", "--network", "word_aliased@1.2s:random", "--layer", "all", folder / "0.wav")
        assert status == 2 and "duration" in errors

    def test_a_front_end_that_the_network_does_not_have(self, run, folder):
        options = ["--network", "vggish@1.2s:random", "--layer", "all"]
        status, _, errors = run("synth", *options, "--optimize", "cochleagram", folder / "0.wav")
        assert status == 2 and "cochleagram" in errors
        status, _, errors = run("synth", *options, "--recipe", "feather2019-audio-fast", folder / "0.wav")
        assert status == 2 and "exact" in errors


def test_networks_are_shown_at_a_length(run):
    status, output, _ = run("networks", "show", "deepspeech@0.5s")
    assert status == 0 and "8000 samples" in output and "25 x 8" in output
    status, output, _ = run("networks", "show", "vggish")
    assert status == 0 and "2 x 96 x 64 x 4" in output and "The code of 2017 to 2019" in output
