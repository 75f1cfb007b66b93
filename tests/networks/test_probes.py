"""What a network is asked by `checkpoints verify`. VGGish's tones are in test_vggish.py."""

from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from tfmetamers.checkpoints.catalog import find_entry, load_catalog
from tfmetamers.errors import CheckpointError
from tfmetamers.networks import probes


@pytest.fixture
def sound(monkeypatch, tmp_path):
    """A sound in the cache, at the level that DeepSpeech's examples have."""
    path = tmp_path / "2830-3980-0043.wav"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.01, 31_600), 16_000, "PCM_16")
    monkeypatch.setattr(probes, "cached_checkpoint", lambda name: path if name == "deepspeech_audio" else None)
    return path


@pytest.fixture
def writer(monkeypatch):
    """A stand-in for DeepSpeech that writes down what it is told to, and what it was shown."""
    stand_in = SimpleNamespace(writes="experience proves this", shown=[])

    def network_with(name, arrays, duration):
        stand_in.shown.append((name, duration))

        def predict(waveforms):
            stand_in.shown.append(waveforms)
            return [SimpleNamespace(label=stand_in.writes)]

        return SimpleNamespace(predict=predict)

    monkeypatch.setattr(probes, "network_with", network_with)
    return stand_in


@pytest.mark.parametrize(
    ("writes", "ok"),
    [("experience proves this", True), ("experiens proofs this", True), ("", False), ("eeeeeee", False)],
)
def test_deepspeech_is_to_write_down_something_like_what_is_said(writes, ok, sound, writer):
    writer.writes = writes
    probe = probes.find_probe(find_entry("deepspeech_0.4.1"))
    assert probe.expected == "something like 'experience proves this'"
    assert probe.answer({}) == (repr(writes), ok)
    assert writer.shown[0] == ("deepspeech", 1.975)
    np.testing.assert_array_equal(writer.shown[1][0], soundfile.read(sound, dtype="float32")[0])


def test_without_the_sound_deepspeech_is_not_asked(monkeypatch, tmp_path):
    monkeypatch.setenv("TFMETAMERS_CACHE", str(tmp_path))
    found, ok = probes.find_probe(find_entry("deepspeech_0.4.1")).answer({})
    assert ok is None and "tfmetamers checkpoints fetch deepspeech_audio" in found


def test_a_sound_that_is_another_is_refused(sound, writer):
    probe = probes.find_probe(find_entry("deepspeech_0.4.1"))
    soundfile.write(sound, np.zeros((100, 2)), 16_000)
    with pytest.raises(CheckpointError, match="no sound of one channel at 16000 Hz"):
        probe.answer({})
    sound.write_text("hello")
    with pytest.raises(CheckpointError, match="cannot be read"):
        probe.answer({})


def test_checkpoints_without_a_known_answer_have_no_probe():
    without = {name for name, entry in load_catalog().items() if probes.find_probe(entry) is None}
    assert without == {"word_aliased", "word_reduced_aliasing", "deepspeech_0.1.1", "deepspeech_audio"}
