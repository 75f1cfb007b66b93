"""`tfmetamers synth` with sounds, on an architecture of one's own and on a release."""

import subprocess
import sys

import numpy as np
import pytest
import soundfile

from tests.golden import GOLDEN
from tfmetamers.cli import main as command_line
from tfmetamers.metamers.folder import read_record
from tfmetamers.networks import write_architecture
from tfmetamers.stimuli import sample_word


@pytest.fixture
def architecture(small_architecture, tmp_path):
    write_architecture(small_architecture, tmp_path / "mine.json")
    return ["--network", f"{tmp_path / 'mine.json'}:random:2"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sounds" / "word").mkdir(parents=True)
    for number in range(2):
        noise = np.random.default_rng(number).normal(0, 0.1, 2000)
        soundfile.write(tmp_path / "sounds" / "word" / f"{number}.wav", noise, 4000)
    return tmp_path / "sounds"


@pytest.fixture
def synth(capsys, tmp_path):
    """Run the command and return its status, output and errors."""

    def run(*arguments):
        return command_line.run(
            ["synth", "--output", str(tmp_path / "out"), *map(str, arguments)]
        ), *capsys.readouterr()

    return run


def records(out):
    return [read_record(path.parent) for path in sorted(out.rglob("metamer.json"))]


def test_a_folder_in_metamers_out_and_nothing_twice(synth, architecture, folder, tmp_path):
    arguments = [*architecture, "--layer", "all", "--steps", 5, "--batch-size", 2, folder]
    status, output, _ = synth(*arguments)
    assert status == 0, output
    assert "small, random weights, seed 2" in output
    assert "recipe feather2019-audio: 5 steps" in output
    assert "8 metamers to make, 0 made before" in output
    found = records(tmp_path / "out")
    assert {record.layer.name for record in found} == {"cochleagram", "conv_0", "conv_1", "logits"}
    assert {record.stimulus.category for record in found} == {"word"}
    assert "0 metamers to make, 8 made before" in synth(*arguments)[1]


def test_what_a_bundled_network_has_made_is_told_without_tensorflow(synth, tmp_path):
    command = ["--network", "small_word_aliased", "--layer", "all", "--steps", "1", "--fit", "centre", sample_word()]
    assert synth(*command)[0] == 0
    command = ["synth", "--output", str(tmp_path / "out"), *map(str, command)]
    script = f"""
import sys
from tfmetamers.cli.main import run
assert run({command!r}) == 0
print([name for name in ("tensorflow", "keras", "scipy", "matplotlib") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "0 metamers to make, 8 made before" in done.stdout and done.stdout.endswith("[]\n")


def test_the_cochleagram_is_optimised_on_request(synth, architecture, folder, tmp_path):
    arguments = [*architecture, "--layer", "conv_1", "--steps", 5, "--optimize", "cochleagram", folder / "word/0.wav"]
    status, output, _ = synth(*arguments)
    assert status == 0, output
    assert "recipe feather2019-audio-cochleagram" in output
    (array,) = (tmp_path / "out").rglob("metamer.npy")
    assert "~cochleagram" in str(array) and np.load(array).min() >= 0


def test_the_fast_front_end_is_a_recipe(synth, architecture, folder, tmp_path):
    arguments = [*architecture, "--layer", "conv_1", "--steps", 5, "--recipe", "feather2019-audio-fast", folder]
    assert synth(*arguments)[0] == 0
    record = records(tmp_path / "out")[0]
    assert (record.recipe.front_end, record.recipe.deviations()) == ("fast", {"steps": (15000, 5)})


def test_a_release_is_read(synth, tmp_path):
    release = GOLDEN / "word_network_release_format"
    sound = GOLDEN / "paper_stimuli" / "human_audio_resampled.wav"
    status, output, _ = synth("--network", f"release:{release}", "--layer", "conv_2", "--steps", 2, sound)
    assert status == 0, output
    assert "word_aliased, weights of word_network_aliased.ckpt" in output
    network = f"{release / 'word_network_aliased.pckl'}={release / 'word_network_aliased.ckpt'}"
    status, output, _ = synth("--network", network, "--layer", "conv_2", "--steps", 2, sound)
    assert status == 0 and "0 metamers to make, 1 made before" in output, "it is the same network"
    assert command_line.run(["evaluate", str(tmp_path / "out")]) == 0


def test_layers_of_ones_own_architecture_are_shown(architecture, capsys):
    status = command_line.run(["networks", "show", architecture[1]])
    output = capsys.readouterr().out
    assert status == 0
    assert "small: stimulus 2000 samples at 4000 Hz (0.5 s); 10 classes" in output
    assert "Further layers: relu_0, batch_norm_0, relu_1, pool_1, flat, fc_top" in output


@pytest.mark.parametrize(
    ("options", "complaint", "status"),
    [
        (["--input-range", 0, 1], "input range", 2),
        (["--recipe", "feather2019-image"], "exact, fast", 2),
        (["--set", "noise=uniform"], "noise_low", 2),
        (["--fit", "shrink"], "'shrink'", 2),
        (["--checkpoint", "x.ckpt"], "checkpoint", 2),
    ],
)
def test_a_wrong_option_is_one_sentence(synth, architecture, folder, options, complaint, status):
    found, _, errors = synth(*architecture, "--layer", "conv_1", *options, folder)
    assert (found, complaint in errors) == (status, True), errors


def test_what_is_not_a_sound_is_named(synth, architecture, tmp_path):
    (tmp_path / "x.wav").write_bytes(b"no sound")
    status, _, errors = synth(*architecture, "--layer", "conv_1", tmp_path / "x.wav")
    assert (status, "x.wav" in errors, "Traceback" in errors) == (1, True, False), errors


@pytest.mark.parametrize(("length", "way"), [(1000, "pad"), (3000, "centre")])
def test_another_length_is_refused_and_fitted_on_request(synth, architecture, tmp_path, length, way):
    soundfile.write(tmp_path / "x.wav", np.random.default_rng(0).normal(0, 0.1, length), 4000)
    arguments = [*architecture, "--layer", "conv_1", "--steps", 2, tmp_path / "x.wav"]
    status, _, errors = synth(*arguments)
    assert (status, "--fit" in errors) == (1, True)
    assert synth(*arguments, "--fit", way)[0] == 0
    (record,) = records(tmp_path / "out")
    assert record.stimulus.fit == way
