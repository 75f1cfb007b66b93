"""What a network is asked by `checkpoints verify`. VGGish's tones are in test_vggish.py."""

from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from tfmetamers.checkpoints.catalog import find_entry, load_catalog
from tfmetamers.errors import CheckpointError
from tfmetamers.networks import NetworkSpec, network_names
from tfmetamers.networks.families import deepspeech


def probe_of(name):
    entry = find_entry(name)
    return NetworkSpec.parse(entry.network).network_family.probe(entry)


@pytest.fixture
def sound(monkeypatch, tmp_path):
    """A sound in the cache, at the level that DeepSpeech's examples have."""
    path = tmp_path / "2830-3980-0043.wav"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.01, 31_600), 16_000, "PCM_16")
    monkeypatch.setattr(deepspeech, "cached_checkpoint", lambda name: path if name == "deepspeech_audio" else None)
    return path


@pytest.fixture
def writer(monkeypatch):
    """A stand-in for DeepSpeech that writes down what it is told to, and what it was shown."""
    stand_in = SimpleNamespace(writes="experience proves this", shown=[])

    def with_weights(self, spec, arrays):
        stand_in.shown.append((spec.name, spec.duration))

        def predict(waveforms):
            stand_in.shown.append(waveforms)
            return [SimpleNamespace(label=stand_in.writes)]

        return SimpleNamespace(predict=predict)

    monkeypatch.setattr(deepspeech.DeepSpeechFamily, "with_weights", with_weights)
    return stand_in


@pytest.mark.parametrize(
    ("writes", "ok"),
    [("experience proves this", True), ("experiens proofs this", True), ("", False), ("eeeeeee", False)],
)
def test_deepspeech_is_to_write_down_something_like_what_is_said(writes, ok, sound, writer):
    writer.writes = writes
    probe = probe_of("deepspeech_0.4.1")
    assert "experience proves this" in probe.expected
    assert probe.answer({}) == (repr(writes), ok)
    assert writer.shown[0] == ("deepspeech", 1.975)
    np.testing.assert_array_equal(writer.shown[1][0], soundfile.read(sound, dtype="float32")[0])


def test_without_the_sound_deepspeech_is_not_asked(monkeypatch, tmp_path):
    monkeypatch.setenv("TFMETAMERS_CACHE", str(tmp_path))
    found, ok = probe_of("deepspeech_0.4.1").answer({})
    assert ok is None and "tfmetamers checkpoints fetch deepspeech_audio" in found


def test_a_sound_that_is_another_is_refused(sound, writer):
    probe = probe_of("deepspeech_0.4.1")
    for content in (np.zeros((100, 2)), None):
        sound.write_text("hello") if content is None else soundfile.write(sound, content, 16_000)
        with pytest.raises(CheckpointError, match=sound.name):
            probe.answer({})


def test_checkpoints_without_a_known_answer_have_no_probe():
    names = [name for name, entry in load_catalog().items() if entry.network in network_names()]
    without = {name for name in names if probe_of(name) is None}
    assert without == {"word_aliased", "word_reduced_aliasing", "deepspeech_audio"}
