"""`tfmetamers synth` with sounds, on an architecture of one's own and on a release."""

import json

import numpy as np
import pytest
import soundfile

from tfmetamers.cli import main as command_line
from tfmetamers.networks import write_architecture


@pytest.fixture
def architecture(small_architecture, tmp_path):
    write_architecture(small_architecture, tmp_path / "mine.json")
    return ["--architecture", tmp_path / "mine.json", "--weights", "random", "--weights-seed", 2]


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


def test_a_folder_in_metamers_out_and_nothing_twice(synth, architecture, folder, tmp_path):
    arguments = [*architecture, "--layer", "all", "--steps", 5, "--batch-size", 2, folder]
    status, output, _ = synth(*arguments)
    assert status == 0, output
    assert "small, random weights, seed 2" in output
    assert "Recipe feather2019-audio: 5 steps" in output
    assert "8 metamers to make, 0 made before" in output
    records = [json.loads(path.read_text()) for path in (tmp_path / "out").rglob("metamer.json")]
    assert {record["layer"]["name"] for record in records} == {"cochleagram", "conv_0", "conv_1", "logits"}
    assert {record["stimulus"]["category"] for record in records} == {"word"}
    assert "0 metamers to make, 8 made before" in synth(*arguments)[1]


def test_the_cochleagram_is_optimised_on_request(synth, architecture, folder, tmp_path):
    arguments = [*architecture, "--layer", "conv_1", "--steps", 5, "--optimize", "cochleagram", folder / "word/0.wav"]
    status, output, _ = synth(*arguments)
    assert status == 0, output
    assert "Recipe feather2019-audio-cochleagram" in output
    assert np.load(tmp_path / "out/small_from_cochleagram/conv_1/0/0/metamer.npy").min() >= 0


def test_the_fast_front_end_is_a_recipe(synth, architecture, folder, tmp_path):
    arguments = [*architecture, "--layer", "conv_1", "--steps", 5, "--recipe", "feather2019-audio-fast", folder]
    assert synth(*arguments)[0] == 0
    record = json.loads((tmp_path / "out/small/conv_1/word/0/0/metamer.json").read_text())
    assert (record["recipe"]["front_end"], record["deviations"]) == ("fast", {"steps": [15000, 5]})


def test_a_release_is_read(synth, shared, tmp_path):
    release = shared / "golden" / "word_network_release_format"
    sound = shared / "data" / "paper_stimuli" / "human_audio_resampled.wav"
    status, output, _ = synth("--release", release, "--layer", "conv_2", "--steps", 2, sound)
    assert status == 0, output
    assert "word_aliased, weights of word_network_aliased.ckpt" in output
    pickle = ["--architecture", release / "word_network_aliased.pckl"]
    checkpoint = ["--checkpoint", release / "word_network_aliased.ckpt"]
    status, output, _ = synth(*pickle, *checkpoint, "--layer", "conv_2", "--steps", 2, sound)
    assert status == 0, output
    records = [json.loads(path.read_text()) for path in (tmp_path / "out").rglob("metamer.json")]
    assert len({record["network"]["architecture"] for record in records}) == 1
    assert len({record["loss"]["final"] for record in records}) == 1


def test_layers_of_ones_own_architecture_are_shown(architecture, capsys):
    status = command_line.run(["networks", "show", *map(str, architecture[:2])])
    output = capsys.readouterr().out
    assert status == 0
    assert "small: stimulus 2000 samples at 4000 Hz (0.5 s); 10 classes" in output
    assert "Further layers: relu_0, batch_norm_0, relu_1, pool_1, flat, fc_top" in output


@pytest.mark.parametrize(
    ("options", "complaint", "status"),
    [
        (["--input-range", 0, 1], "--input-range is for a Keras model", 2),
        (["--size", 64], "--size is for pictures", 2),
        (["--recipe", "feather2019-image"], "has the front ends exact, fast", 2),
        (["--set", "noise=uniform"], "noise_low is None; a number, as for uniform noise, was expected", 2),
        (["--fit", "shrink"], "'shrink' is not one of", 2),
        (["--checkpoint", "x.ckpt"], "exclude each other", 2),
    ],
)
def test_a_wrong_option_is_one_sentence(synth, architecture, folder, options, complaint, status):
    found, _, errors = synth(*architecture, "--layer", "conv_1", *options, folder)
    assert (found, complaint in errors) == (status, True), errors


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"no sound", "not a sound"),
        (None, "There is no"),
    ],
)
def test_what_is_no_sound_is_named(synth, architecture, tmp_path, content, complaint):
    file = tmp_path / "x.wav"
    if content is not None:
        file.write_bytes(content)
    status, _, errors = synth(*architecture, "--layer", "conv_1", file)
    assert (status, complaint in errors, "x.wav" in errors) == (1, True, True), errors


@pytest.mark.parametrize(("length", "way"), [(1000, "pad"), (3000, "trim"), (3000, "centre")])
def test_another_length_is_refused_and_fitted_on_request(synth, architecture, tmp_path, length, way):
    soundfile.write(tmp_path / "x.wav", np.random.default_rng(0).normal(0, 0.1, length), 4000)
    arguments = [*architecture, "--layer", "conv_1", "--steps", 2, tmp_path / "x.wav"]
    status, _, errors = synth(*arguments)
    assert (status, "--fit" in errors) == (1, True)
    assert synth(*arguments, "--fit", way)[0] == 0
    record = json.loads((tmp_path / "out/small/conv_1/x/0/metamer.json").read_text())
    assert record["stimulus"]["fit"] == way
