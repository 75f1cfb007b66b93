"""`tfmetamers train` as a newcomer uses it."""

import json
import signal
import subprocess
import sys
import time

import pytest
import soundfile

from tfmetamers.cli.main import run
from tfmetamers.networks import write_architecture
from tfmetamers.training.cost import StepCost
from tfmetamers.training.settings import PerturbationSettings


@pytest.fixture
def command(corpus, learner, tmp_path):
    """The options of a run of one epoch, and its folder."""
    write_architecture(learner, tmp_path / "mine.json")
    options = ["--architecture", str(tmp_path / "mine.json"), "--output", str(tmp_path / "net"), "--epochs", "1"]
    data = ["--corpus", str(corpus / "words.csv"), "--backgrounds", str(corpus / "backgrounds.csv")]
    return ["train", *options, *data, "--batch-size", "8"], tmp_path / "net"


def test_a_network_is_trained_measured_and_inverted(command, corpus, tmp_path, capsys):
    options, folder = command
    assert run([*options, "--word-threshold", "0", "--shift", "0.05"]) == 0
    printed = capsys.readouterr().out
    assert "reached at epoch 1." in printed and "words correct, in quiet, on the test split: " in printed
    assert "word_accuracy" not in printed + (folder / "README.md").read_text()
    assert json.loads((folder / "card.json").read_text())["settings"]["mixture"]["shift"] == 0.05

    data = ["--corpus", str(corpus / "words.csv"), "--backgrounds", str(corpus / "backgrounds.csv")]
    assert run(["train", "evaluate", str(folder), *data]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("words correct, in ")]
    assert len(rows) == 2 and all(card == measured for *_, card, measured in rows)

    assert run(["networks", "show", str(folder)]) == 0
    assert "conv_1" in capsys.readouterr().out
    sound = str(corpus / "test_low_0.wav")
    out = tmp_path / "metamers"
    layer = ["--layer", "conv_1", "--steps", "3", "--output", str(out)]
    assert run(["synth", "--network", str(folder), *layer, sound]) == 0
    (metamer,) = out.rglob("test_low_0/0/metamer.wav")
    assert soundfile.info(metamer).frames == 2000
    assert run(["evaluate", str(out)]) == 0
    assert run(["recognize", str(out), "--by", str(folder), "--by", f"{folder}:random:1", "--include-failed"]) in (0, 1)

    folder.rename(tmp_path / "moved")
    capsys.readouterr()
    assert run(["evaluate", str(out), "--look-in", str(tmp_path / "moved")]) == 0
    assert "is gone" not in "".join(capsys.readouterr())
    (tmp_path / "moved").rename(folder)

    assert run(["train", "export", str(folder), "--output", str(tmp_path / "release")]) == 0
    assert (tmp_path / "release" / "word_network_net.pckl").is_file()


@pytest.mark.slow
def test_a_run_that_is_stopped_says_that_it_can_be_resumed(command):
    options, folder = command
    script = "from tfmetamers.cli.main import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", script, *options, "--epochs", "500", "--word-threshold", "none"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 240
    while not (folder / "card.json").exists():
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, printed = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in printed
    assert not json.loads((folder / "card.json").read_text())["finished"]


def test_a_threshold_that_is_never_reached_is_reported(command, capsys):
    options, _ = command
    assert run([*options, "--steps-per-epoch", "1", "--word-threshold", "1", "--learning-rate", "1e-9"]) == 0
    assert "The threshold was not reached; epoch 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        (["--architecture", "word_alised"], "word_aliased"),
        (["--word-threshold", "much"], "'much'"),
        (["--batch-size", "0"], "batch_size"),
    ],
)
def test_bad_options_are_refused(changed, fault, command, capsys):
    options, folder = command
    assert run([*options, *changed]) in (1, 2)
    assert fault in capsys.readouterr().err
    assert not (folder / "card.json").exists()


def test_missing_options_are_named(capsys):
    assert run(["train", "--task", "words"]) == 2
    assert "--architecture, --corpus, --backgrounds, --output" in capsys.readouterr().err


def test_a_folder_without_a_network_is_refused(corpus, tmp_path, capsys):
    data = ["--corpus", str(corpus / "words.csv"), "--backgrounds", str(corpus / "backgrounds.csv")]
    assert run(["train", "evaluate", str(tmp_path), *data]) == 1
    assert str(tmp_path) in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["--adversarial", "cochleagram", "--eps", "4"], PerturbationSettings("cochleagram", 4.0, 5, 0.5)),
        (
            ["--adversarial", "waveform", "--eps", "0.5", "--attack-steps", "2", "--attack-step-size", "0.7"],
            PerturbationSettings("waveform", 0.5, 2, 0.7),
        ),
        (["--random-perturbation", "waveform", "--eps", "0.5"], PerturbationSettings("waveform", 0.5, 0, 0.5)),
    ],
)
def test_perturbations_are_asked_for_and_their_cost_is_printed(command, given, expected, capsys, monkeypatch):
    def train(*arguments, report_cost, **_):
        report_cost(StepCost(passes=6, seconds=0.61, ordinary_seconds=0.1))
        assert arguments[3].perturbation == expected
        return {"reached_threshold": True, "epoch": 1, "test": {}, "history": [{"silent_clips": 0, "clipped_clips": 0}]}

    monkeypatch.setattr("tfmetamers.training.run.train", train)
    options, _ = command
    assert run([*options, *given]) == 0
    assert "6 forward and backward passes and takes 0.61 s; without perturbations, 1 and 0.1 s (6.1 times" in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (["--adversarial", "waveform"], "--eps"),
        (["--eps", "0.5"], "--eps"),
        (["--adversarial", "waveform", "--random-perturbation", "waveform", "--eps", "1"], "--random-perturbation"),
        (["--adversarial", "waveform", "--eps", "0"], "eps"),
        (["--adversarial", "waveform", "--eps", "nan"], "eps"),
    ],
)
def test_perturbations_of_no_kind_or_size_are_refused(command, given, named, capsys):
    options, folder = command
    assert run([*options, *given]) in (1, 2)
    assert named in capsys.readouterr().err and not folder.exists()
