"""Clips of recordings, by tensorflow-io and by soundfile."""

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from tfmetamers.training.recordings import clip_reader, load_tensorflow_io, soundfile_reader, tensorflow_io_reader

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


READERS = [soundfile_reader, pytest.param(tensorflow_io_reader, marks=needs_tensorflow_io)]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("start", "place", "first"), [(0.0, 0.0, 0), (0.25, 0.0, 2000), (0.0, 1.0, 8000), (0.5, 0.5, 6000)]
)
def test_a_clip_is_the_part_of_the_recording_that_was_asked_for(reader, start, place, first, tmp_path):
    wave = _speech_like(16000, RATE)
    file = _write(tmp_path / "a.wav", wave, RATE)
    clip = _read(reader(RATE, 8000), file, start, place)
    assert np.abs(clip - wave[first : first + 8000]).max() < 2.0**-15


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("start", [-0.25, 1.75, 3.0, -5.0])
def test_outside_the_recording_is_silence(reader, start, tmp_path):
    wave = _speech_like(16000, RATE)
    file = _write(tmp_path / "a.wav", wave, RATE)
    clip = _read(reader(RATE, 8000), file, start)
    padded = np.pad(wave, (40000, 40000))
    first = 40000 + round(start * RATE)
    assert np.abs(clip - padded[first : first + 8000]).max() < 2.0**-15


@pytest.mark.parametrize("reader", READERS)
def test_channels_are_averaged(reader, tmp_path):
    left, right = _speech_like(8000, RATE, 1), _speech_like(8000, RATE, 2)
    file = _write(tmp_path / "a.wav", np.stack([left, right], axis=1), RATE)
    assert np.abs(_read(reader(RATE, 8000), file) - (left + right) / 2).max() < 2.0**-14


@needs_tensorflow_io
@pytest.mark.parametrize(
    ("rate", "error"),
    [(RATE, 1e-6), (6000, 1e-4), (7350, 1e-4), (16000, 1e-4), (20000, 1e-4), (22050, 1e-4), (44100, 1e-4)],
)
def test_the_two_readers_agree_within_the_stated_error(rate, error, tmp_path):
    file = _write(tmp_path / "a.wav", _speech_like(2 * rate, rate), rate)
    start = 0.31
    by_soundfile = _read(soundfile_reader(RATE, 8000), file, start)
    by_tensorflow_io = _read(tensorflow_io_reader(RATE, 8000), file, start)
    middle = slice(200, -200)
    difference = np.linalg.norm((by_tensorflow_io - by_soundfile)[middle])
    assert difference < error * np.linalg.norm(by_soundfile[middle])


@needs_tensorflow_io
def test_the_two_readers_begin_at_the_same_sample_of_long_recordings(tmp_path):
    file = _write(tmp_path / "a.wav", (np.arange(40 * 20000) % 30000 + 1).astype(np.int16), 20000)
    generator = np.random.default_rng(0)
    drawn = [file] * 200, generator.uniform(0, 5, 200).astype(np.float32), generator.random(200, np.float32)
    firsts = [
        [float(clip[0]) for clip in tf.data.Dataset.from_tensor_slices(drawn).map(reader(20000, 4))]
        for reader in (soundfile_reader, tensorflow_io_reader)
    ]
    assert firsts[0] == firsts[1]


@needs_tensorflow_io
def test_recordings_of_other_formats_are_read_by_soundfile(tmp_path):
    wave = _speech_like(8000, RATE)
    files = [str(tmp_path / name) for name in ("a.wav", "b.flac", "c.ogg")]
    soundfile.write(files[0], wave, RATE, subtype="PCM_24")
    soundfile.write(files[1], wave, RATE, subtype="PCM_16")
    soundfile.write(files[2], wave, RATE)
    for file in files:
        clip = _read(clip_reader([file], RATE, 8000), file)
        assert np.corrcoef(clip, wave)[0, 1] > 0.95, file  # Vorbis is lossy.


def test_a_recording_that_is_gone_is_named(tmp_path):
    with pytest.raises(tf.errors.OpError, match=r"gone\.wav"):
        _read(soundfile_reader(RATE, 8000), str(tmp_path / "gone.wav"))
