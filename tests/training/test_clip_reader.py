"""Clips read by tensorflow-io and by soundfile."""

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from tfmetamers.stimuli.sounds import resample
from tfmetamers.training.clip_reader import clip_reader, load_tensorflow_io, soundfile_reader, tensorflow_io_reader

RATE = 8000

needs_tensorflow_io = pytest.mark.skipif(
    load_tensorflow_io() is None, reason="tensorflow-io does not load into this TensorFlow"
)


def _speech_like(samples, rate, seed=0):
    """Return noise below 3 kHz, and below 80 % of the Nyquist frequency, with an envelope."""
    generator = np.random.default_rng(seed)
    spectrum = np.fft.rfft(generator.standard_normal(samples))
    spectrum[np.fft.rfftfreq(samples, 1 / rate) > min(3000, 0.4 * rate)] = 0
    wave = np.fft.irfft(spectrum, samples) * np.hanning(samples)
    return 0.5 * wave / np.abs(wave).max()


def _write(path, waveform, rate, **options):
    soundfile.write(path, waveform, rate, subtype="PCM_16", **options)
    return str(path)


def _read(reader, file, start=0.0, place=0.0):
    dataset = tf.data.Dataset.from_tensors((file, np.float32(start), np.float32(place))).map(reader)
    return next(iter(dataset)).numpy()


def by_tensorflow_io(sampling_rate, samples, rate=RATE):
    """Return the reader by tensorflow-io, for recordings of one sampling rate."""

    class OfOneRate(dict):
        def __missing__(self, file):
            return rate

    return tensorflow_io_reader(OfOneRate(), sampling_rate, samples)


READERS = [soundfile_reader, pytest.param(by_tensorflow_io, marks=needs_tensorflow_io)]


@pytest.mark.parametrize("reader", READERS)
def test_a_clip_is_the_part_of_the_recording_that_was_asked_for(reader, tmp_path):
    wave = _speech_like(16000, RATE)
    file = _write(tmp_path / "a.wav", wave, RATE)
    for start, place, first in [(0.0, 0.0, 0), (0.25, 0.0, 2000), (0.0, 1.0, 8000), (0.5, 0.5, 6000)]:
        clip = _read(reader(RATE, 8000), file, start, place)
        assert np.abs(clip - wave[first : first + 8000]).max() < 2.0**-15


@pytest.mark.parametrize("reader", READERS)
def test_outside_the_recording_is_silence(reader, tmp_path):
    wave = _speech_like(16000, RATE)
    file = _write(tmp_path / "a.wav", wave, RATE)
    padded = np.pad(wave, (40000, 40000))
    for start in (-0.25, 1.75, 3.0, -5.0):
        first = 40000 + round(start * RATE)
        clip = _read(reader(RATE, 8000), file, start)
        assert np.abs(clip - padded[first : first + 8000]).max() < 2.0**-15


@pytest.mark.parametrize("reader", READERS)
def test_channels_are_averaged(reader, tmp_path):
    left, right = _speech_like(8000, RATE, 1), _speech_like(8000, RATE, 2)
    file = _write(tmp_path / "a.wav", np.stack([left, right], axis=1), RATE)
    assert np.abs(_read(reader(RATE, 8000), file) - (left + right) / 2).max() < 2.0**-14


@needs_tensorflow_io
@pytest.mark.parametrize("rate", [RATE, 44100])
def test_the_two_readers_give_the_same_samples(rate, tmp_path):
    generator = np.random.default_rng(0)
    file = _write(tmp_path / "a.wav", 0.1 * generator.standard_normal((3 * rate, 2)), rate)
    drawn = [file] * 40, generator.uniform(-0.5, 3, 40).astype(np.float32), generator.random(40, np.float32)
    clips = [
        np.stack(list(tf.data.Dataset.from_tensor_slices(drawn).map(reader).as_numpy_iterator()))
        for reader in (soundfile_reader(RATE, 4000), by_tensorflow_io(RATE, 4000, rate))
    ]
    assert np.abs(clips[0] - clips[1]).max() <= 2.0**-24 and clips[0].any()


@needs_tensorflow_io
def test_clips_read_in_parallel_are_not_mistaken_for_one_another(tmp_path):
    files = [_write(tmp_path / f"{number}.wav", np.full(4000, number / 64), RATE) for number in range(40)] * 20
    drawn = files, np.zeros(len(files), np.float32), np.zeros(len(files), np.float32)
    read = clip_reader(files, RATE, 4000)
    clips = tf.data.Dataset.from_tensor_slices(drawn).map(read, num_parallel_calls=8, deterministic=True)
    assert [round(64 * float(clip[0])) for clip in clips] == [*range(40)] * 20


def test_a_recording_of_another_rate_is_resampled_as_stimuli_are(tmp_path):
    rate = 44100
    wave = _speech_like(2 * rate, rate)
    file = _write(tmp_path / "a.wav", wave, rate)
    clip = _read(clip_reader([file], RATE, 2 * RATE), file)
    assert np.abs(clip - resample(wave, rate, RATE)).max() < 1e-4


@needs_tensorflow_io
def test_recordings_of_other_formats_are_read_by_soundfile(tmp_path):
    wave = _speech_like(8000, RATE)
    files = [str(tmp_path / name) for name in ("a.wav", "b.flac", "c.ogg", "d.wav")]
    soundfile.write(files[0], wave, RATE, subtype="PCM_24")
    soundfile.write(files[1], wave, RATE, subtype="PCM_16")
    soundfile.write(files[2], wave, RATE)
    soundfile.write(files[3], np.pad(wave, (0, 61 * RATE)), RATE, subtype="PCM_16")  # Longer than a minute.
    for file in files:
        clip = _read(clip_reader([file], RATE, 8000), file)
        assert np.corrcoef(clip, wave)[0, 1] > 0.95, file  # Vorbis is lossy.


def test_a_recording_that_is_gone_is_named(tmp_path):
    with pytest.raises(tf.errors.OpError, match=r"gone\.wav"):
        _read(soundfile_reader(RATE, 8000), str(tmp_path / "gone.wav"))
