"""MFCCs against the package that DeepSpeech computed them with."""

import numpy as np
import pytest
import tensorflow as tf
from python_speech_features import base

from tests.golden import SHARED, needs_shared
from tfmetamers.errors import ArgumentError
from tfmetamers.features import mel_filters
from tfmetamers.networks.auditory import deepspeech
from tfmetamers.stimuli.sounds import load_sound, resample, sample_word

VERSIONS = list(deepspeech.VERSIONS)


def original(version: str, waveform) -> np.ndarray:
    """What the release takes of a waveform in [-1, 1]; its samples are of 16 bits, which are not rounded here."""
    samples = np.asarray(waveform, np.float64) * 2**15
    if version == "deepspeech":
        return base.mfcc(samples, samplerate=16000, winlen=0.032, winstep=0.02, numcep=26, winfunc=np.hamming)
    return base.mfcc(samples, samplerate=16000, numcep=26)[::2]


def noise(*shape, level=0.1) -> np.ndarray:
    return (level * np.random.default_rng(1).normal(size=shape)).astype(np.float32)


def relative_error(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


@needs_shared
@pytest.mark.parametrize("version", VERSIONS)
def test_speech_in_noise_has_the_coefficients_of_python_speech_features(version):
    import soundfile

    files = sorted((SHARED / "data" / "speech_in_noise").glob("*.wav"))
    assert len(files) == 10
    for file in files:
        waveform, rate = soundfile.read(file)
        waveform = resample(waveform, rate, 16000).astype(np.float32)
        found = deepspeech.front_end(version, len(waveform))(waveform[None])[0]
        assert relative_error(found, original(version, waveform)) < 2e-6, file.name


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("samples", [512, 513, 720, 721, 831, 832, 833, 1152, 4000, 4001])
def test_sounds_of_any_length_have_the_frames_of_python_speech_features(version, samples):
    """The last frame is filled up with zeros, and in 0.1.1 it may be one of those left out."""
    waveform = noise(samples)
    front_end = deepspeech.front_end(version, samples)
    expected = original(version, waveform)
    assert front_end.output_shape == expected.shape
    assert relative_error(front_end(waveform[None])[0], expected) < 2e-6


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("sound", ["word", "tone", "constant"])
def test_powers_next_to_nothing_are_those_of_python_speech_features(version, sound):
    """The word begins and ends with a constant of 2e-5, whose powers are 1e-16, and less than the least of silence."""
    waveform = {
        "word": load_sound(sample_word(), sampling_rate=16000, samples=16000),
        "tone": 0.1 * np.sin(2 * np.pi * 1000 * np.arange(8000) / 16000),
        "constant": np.full(8000, 0.1),
    }[sound].astype(np.float32)
    found = deepspeech.front_end(version, len(waveform))(waveform[None])[0]
    assert relative_error(found, original(version, waveform)) < 1e-6


@pytest.mark.parametrize("version", VERSIONS)
def test_digital_silence_within_a_sound_has_the_least_logarithm(version):
    waveform = noise(8000)
    waveform[2000:5000] = 0
    found = deepspeech.front_end(version, 8000)(waveform[None])[0].numpy()
    expected = original(version, waveform)
    assert np.isclose(expected[:, 0], np.log(2.0**-52)).sum() > 5
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-3)


def test_filters_are_those_of_python_speech_features():
    np.testing.assert_allclose(mel_filters(), base.get_filterbanks(26, 512, 16000), rtol=0, atol=1e-12)


def test_loudness_is_in_the_first_coefficient_alone():
    """Release 0.4.1 does not whiten: a sound of another level is another sound to it."""
    front_end = deepspeech.front_end("deepspeech", 4000)
    quiet, loud = front_end(noise(2, 4000)), front_end(10 * noise(2, 4000))
    np.testing.assert_allclose(loud[..., 0] - quiet[..., 0], np.log(100), rtol=1e-4)
    np.testing.assert_allclose(loud[..., 1:], quiet[..., 1:], atol=1e-3)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_gradient_is_that_of_finite_differences(version):
    waveform = noise(1600)
    front_end = deepspeech.front_end(version, 1600)
    upstream = np.random.default_rng(2).normal(size=front_end.output_shape)
    gradient = gradient_of(front_end, waveform, upstream)
    for seed in range(5):
        direction = np.random.default_rng([3, seed]).normal(size=1600)
        ahead, behind = (original(version, waveform + sign * 1e-6 * direction) for sign in (1, -1))
        slope = np.sum(upstream * (ahead - behind)) / 2e-6
        assert gradient @ direction == pytest.approx(slope, rel=1e-3)


def gradient_of(front_end, waveform, upstream) -> np.ndarray:
    waveforms = tf.constant(waveform[None])
    with tf.GradientTape() as tape:
        tape.watch(waveforms)
        coefficients = front_end(waveforms)
    return tape.gradient(coefficients, waveforms, tf.constant(upstream[None], tf.float32))[0].numpy()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("level", [0.0, 1e-30, 1e-12, 1e-6])
def test_the_gradient_is_finite_on_silence_and_bounded_by_the_clipped_slope(version, level):
    waveform = noise(1600, level=level)
    front_end = deepspeech.front_end(version, 1600)
    gradient = gradient_of(front_end, waveform, np.ones(front_end.output_shape))
    assert np.isfinite(gradient).all()
    # Without clipping, it would grow as the level falls; with slopes of 1, powers of the samples alone are left.
    assert abs(gradient).max() <= 1e13 * level


def test_it_works_inside_a_function_and_items_are_independent():
    front_end = deepspeech.front_end("deepspeech", 3000)
    waveforms = noise(3, 3000)
    together = tf.function(front_end)(waveforms).numpy()
    for item, waveform in zip(together, waveforms, strict=True):
        np.testing.assert_allclose(front_end(waveform[None])[0], item, rtol=1e-5, atol=1e-4)


def test_what_is_no_sound_of_the_length_is_refused():
    with pytest.raises(ArgumentError, match=r"511 samples, and a frame has 512 \(32 ms at 16000 Hz\); give longer"):
        deepspeech.front_end("deepspeech", 511)
    with pytest.raises(ArgumentError, match=r"399 samples, and a frame has 400 \(25 ms"):
        deepspeech.front_end("deepspeech_0_1_1", 399)
    front_end = deepspeech.front_end("deepspeech", 1000)
    for shape in ((1000,), (2, 999), (1, 1000, 1)):
        with pytest.raises(ArgumentError, match=r"\(batch, 1000\) was expected"):
            front_end(np.zeros(shape, np.float32))
