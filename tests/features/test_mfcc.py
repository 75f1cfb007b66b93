"""MFCCs against python_speech_features, the package that DeepSpeech computed them with."""

import numpy as np
import pytest
import soundfile
import tensorflow as tf
from python_speech_features import base

from tests.golden import GOLDEN
from tfmetamers.errors import ArgumentError
from tfmetamers.features import Mfcc, mel_filters
from tfmetamers.stimuli.sounds import load_sound, resample, sample_word


def original(waveform) -> np.ndarray:
    """What release 0.4.1 makes of a waveform in [-1, 1]; its samples have 16 bits, which are not rounded here."""
    samples = np.asarray(waveform, np.float64) * 2**15
    return base.mfcc(samples, samplerate=16000, winlen=0.032, winstep=0.02, numcep=26, winfunc=np.hamming)


def noise(*shape, level=0.1) -> np.ndarray:
    return (level * np.random.default_rng(1).normal(size=shape)).astype(np.float32)


def relative_error(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


@pytest.mark.parametrize("name", ["ex01.wav", "ex10.wav"])
def test_speech_in_noise_has_the_coefficients_of_python_speech_features(name):
    waveform, rate = soundfile.read(GOLDEN / "speech_in_noise" / name)
    waveform = resample(waveform, rate, 16000).astype(np.float32)
    assert relative_error(Mfcc(len(waveform))(waveform[None])[0], original(waveform)) < 2e-6


@pytest.mark.parametrize("samples", [512, 513, 4001])
def test_sounds_of_any_length_have_the_frames_of_python_speech_features(samples):
    """The last frame is filled up with zeros."""
    waveform = noise(samples)
    front_end, expected = Mfcc(samples), original(waveform)
    assert front_end.output_shape == expected.shape
    assert relative_error(front_end(waveform[None])[0], expected) < 2e-6


@pytest.mark.parametrize("sound", ["word", "tone", "constant"])
def test_powers_next_to_nothing_are_those_of_python_speech_features(sound):
    """The word begins and ends with a constant of 2e-5, whose powers are 1e-16, below that of silence."""
    waveform = {
        "word": load_sound(sample_word(), sampling_rate=16000, samples=16000),
        "tone": 0.1 * np.sin(2 * np.pi * 1000 * np.arange(8000) / 16000),
        "constant": np.full(8000, 0.1),
    }[sound].astype(np.float32)
    assert relative_error(Mfcc(len(waveform))(waveform[None])[0], original(waveform)) < 1e-6


def test_digital_silence_within_a_sound_has_the_smallest_logarithm():
    waveform = noise(8000)
    waveform[2000:5000] = 0
    expected = original(waveform)
    assert np.isclose(expected[:, 0], np.log(2.0**-52)).sum() > 5
    np.testing.assert_allclose(Mfcc(8000)(waveform[None])[0], expected, rtol=1e-4, atol=2e-3)


def test_filters_are_those_of_python_speech_features():
    np.testing.assert_allclose(mel_filters(), base.get_filterbanks(26, 512, 16000), rtol=0, atol=1e-12)


def test_the_gradient_is_that_of_finite_differences():
    waveform = noise(1600)
    upstream = np.random.default_rng(2).normal(size=Mfcc(1600).output_shape)
    gradient = gradient_of(Mfcc(1600), waveform, upstream)
    for seed in range(5):
        direction = np.random.default_rng([3, seed]).normal(size=1600)
        ahead, behind = (original(waveform + sign * 1e-6 * direction) for sign in (1, -1))
        slope = np.sum(upstream * (ahead - behind)) / 2e-6
        assert gradient @ direction == pytest.approx(slope, rel=1e-3)


def gradient_of(front_end, waveform, upstream) -> np.ndarray:
    waveforms = tf.constant(waveform[None])
    with tf.GradientTape() as tape:
        tape.watch(waveforms)
        coefficients = front_end(waveforms)
    return tape.gradient(coefficients, waveforms, tf.constant(upstream[None], tf.float32))[0].numpy()


@pytest.mark.parametrize("level", [0.0, 1e-12])
def test_the_gradient_is_finite_on_silence_and_bounded_by_the_clipped_slope(level):
    waveform = noise(1600, level=level)
    gradient = gradient_of(Mfcc(1600), waveform, np.ones(Mfcc(1600).output_shape))
    assert np.isfinite(gradient).all()
    # Without clipping, it would grow as the level falls; with slopes of 1, powers of the samples alone are left.
    assert abs(gradient).max() <= 1e13 * level


def test_it_works_inside_a_function_and_items_are_independent():
    front_end = Mfcc(3000)
    waveforms = noise(3, 3000)
    together = tf.function(front_end)(waveforms).numpy()
    for item, waveform in zip(together, waveforms, strict=True):
        np.testing.assert_allclose(front_end(waveform[None])[0], item, rtol=1e-5, atol=1e-4)


def test_waveforms_that_are_too_short_or_of_another_shape_are_refused():
    with pytest.raises(ArgumentError, match="511"):
        Mfcc(511)
    for shape in ((1000,), (2, 999)):
        with pytest.raises(ArgumentError, match=r"\(batch, 1000\)"):
            Mfcc(1000)(np.zeros(shape, np.float32))
