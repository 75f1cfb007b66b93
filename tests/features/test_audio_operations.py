"""The front end of networks of keywords, against TensorFlow's own operations."""

import numpy as np
import pytest
import tensorflow as tf

from tfmetamers.errors import ArgumentError
from tfmetamers.features.audio_operations import AudioOperations, AudioOperationsMfcc

SMALL = AudioOperations(window=100, step=40, lower_limit=30.0, upper_limit=3500.0, filters=12, coefficients=7)


def waveforms(samples):
    generator = np.random.default_rng(0)
    sounds = generator.normal(size=(3, samples)) * np.array([[0.1], [1e-4], [0.5]])
    sounds[0, : samples // 3] = 0  # Silence, whose sums are at the floor.
    return sounds.astype("float32")


def operations_of_tensorflow(operations, sounds, sampling_rate):
    spectra = tf.raw_ops.AudioSpectrogram(
        input=sounds.T, window_size=operations.window, stride=operations.step, magnitude_squared=True
    )
    return tf.raw_ops.Mfcc(
        spectrogram=spectra,
        sample_rate=sampling_rate,
        lower_frequency_limit=operations.lower_limit,
        upper_frequency_limit=operations.upper_limit,
        filterbank_channel_count=operations.filters,
        dct_coefficient_count=operations.coefficients,
    ).numpy()


@pytest.mark.parametrize(
    ("operations", "samples", "sampling_rate"),
    [(AudioOperations(), 16000, 16000), (SMALL, 777, 8000), (AudioOperations(coefficients=40), 3000, 44100)],
)
def test_coefficients_are_those_of_tensorflow(operations, samples, sampling_rate):
    sounds = waveforms(samples)
    ours = AudioOperationsMfcc(operations, samples, sampling_rate)(sounds).numpy()
    theirs = operations_of_tensorflow(operations, sounds, sampling_rate)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < 1e-4


def test_gradients_are_finite_differences_and_finite_in_silence():
    front_end = AudioOperationsMfcc(SMALL, 400, 8000)
    sounds = tf.constant(waveforms(400)[[0, 2]].astype("float64"))
    weights = np.random.default_rng(1).normal(size=(2, *front_end.output_shape))

    def value(sounds):
        return tf.reduce_sum(tf.cast(front_end(sounds), tf.float64) * weights)

    with tf.GradientTape() as tape:
        tape.watch(sounds)
        loss = value(sounds)
    gradient = tape.gradient(loss, sounds).numpy()
    assert np.isfinite(gradient).all()
    assert not gradient[0, :40].any()
    for place in (200, 301, 377):
        step = np.zeros((2, 400))
        step[1, place] = 1e-2
        difference = float(value(sounds + step) - value(sounds - step)) / 2e-2
        assert gradient[1, place] == pytest.approx(difference, rel=1e-2, abs=1e-4)


def test_sounds_shorter_than_a_frame_are_refused():
    with pytest.raises(ArgumentError, match="639"):
        AudioOperationsMfcc(AudioOperations(), 639, 16000)
