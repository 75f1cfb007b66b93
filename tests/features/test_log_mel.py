"""Log-mel spectrograms are those that VGGish was published with, and can be differentiated."""

import numpy as np
import pytest
import tensorflow as tf

from tfmetamers.errors import ArgumentError
from tfmetamers.features import LogMel, mel_bands


def published_log_mel(waveform: np.ndarray) -> np.ndarray:
    """Return the log-mel frames (frames, 64) of a sound at 16 kHz, written from the description of VGGish's code."""
    frames = 1 + (len(waveform) - 400) // 160
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    cut = np.stack([waveform[start : start + 400] * window for start in 160 * np.arange(frames)])
    cosines = np.cos(2 * np.pi * np.outer(np.arange(400), np.arange(257)) / 512)
    sines = np.sin(2 * np.pi * np.outer(np.arange(400), np.arange(257)) / 512)
    magnitudes = np.hypot(cut @ cosines, cut @ sines)

    def mel(hertz):
        return 1127.0 * np.log(1.0 + np.asarray(hertz) / 700.0)

    edges = mel(125.0) + (mel(7500.0) - mel(125.0)) / 65 * np.arange(66)
    bands = np.zeros((257, 64))
    for band in range(64):
        left, centre, right = edges[band : band + 3]
        for number in range(1, 257):
            place = mel(number * 8000 / 256)
            rising, falling = (place - left) / (centre - left), (right - place) / (right - centre)
            bands[number, band] = max(0.0, min(rising, falling))
    return np.log(magnitudes @ bands + 0.01)


@pytest.fixture(scope="module")
def tone():
    """The tone that the code since 2020 is tested with: three seconds at 1 kHz."""
    return np.sin(2 * np.pi * 1000 * np.arange(0, 3, 1 / 16000))


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(0).normal(0.0, 0.1, (2, 31_999))


def value_and_gradient(front_end, waveforms, weights):
    waveforms = tf.convert_to_tensor(waveforms)
    with tf.GradientTape() as tape:
        tape.watch(waveforms)
        value = tf.reduce_sum(front_end(waveforms) * weights)
    return value.numpy(), tape.gradient(value, waveforms).numpy()


def test_the_tone_has_the_numbers_of_the_published_code(tone):
    frames = published_log_mel(tone)
    assert frames.shape == (298, 64)
    log_mel = LogMel(len(tone))(tone[None]).numpy()
    assert log_mel.shape == (1, 3, 96, 64) and log_mel.dtype == np.float32
    assert log_mel.mean() == pytest.approx(-3.4296187, rel=1e-5)
    assert log_mel.std() == pytest.approx(2.1265773, rel=1e-5)
    assert log_mel.max() == pytest.approx(4.8111177, rel=1e-5)
    assert np.unravel_index(log_mel.argmax(), log_mel.shape)[3] == 19
    golden = [-4.48313, -1.65174, -0.92909, -0.14772, 2.69300, 4.81112, 4.77504, -4.52841]
    # The numbers were written down with five digits after the point.
    np.testing.assert_allclose(log_mel[0, 0, 10, [0, 15, 16, 17, 18, 19, 20, 40]], golden, atol=5e-6, rtol=1e-5)


@pytest.mark.parametrize("sound", ["tone", "noise"])
def test_it_equals_an_independent_computation(sound, request):
    waveforms = np.atleast_2d(request.getfixturevalue(sound))
    found = LogMel(waveforms.shape[1])(waveforms).numpy()
    for waveform, examples in zip(waveforms, found, strict=True):
        expected = published_log_mel(waveform)[: 96 * len(examples)]
        np.testing.assert_allclose(examples.reshape(-1, 64), expected, rtol=1e-5, atol=1e-6)


def test_bands_leave_the_mean_and_what_is_above_7500_hz_out():
    bands = mel_bands()
    assert bands.shape == (257, 64) and bands.min() == 0.0
    hertz = np.arange(257) * 31.25
    heard = np.flatnonzero(bands.sum(1))
    assert hertz[heard[0]] > 125 and hertz[heard[-1]] < 7500
    assert np.all(np.diff(bands.argmax(0)) >= 0)


@pytest.mark.parametrize(("samples", "examples"), [(15_600, 1), (32_000, 2)])
def test_whole_examples_are_kept(samples, examples):
    front_end = LogMel(samples)
    assert front_end.output_shape == (examples, 96, 64)
    waveforms = np.random.default_rng(1).normal(0, 0.1, (2, samples))
    shorter = (examples * 96 - 1) * 160 + 400
    np.testing.assert_array_equal(front_end(waveforms), LogMel(shorter)(waveforms[:, :shorter]))
    assert np.abs(front_end(waveforms) - front_end(waveforms + (np.arange(samples) == shorter - 2))).max() > 0


def test_items_of_a_batch_do_not_influence_each_other(noise):
    front_end = LogMel(noise.shape[1])
    np.testing.assert_array_equal(front_end(noise)[1:], front_end(noise[1:]))


def test_gradient_equals_finite_differences_where_nothing_is_clipped():
    # Loud enough that every band holds more than 0.99, above which the logarithm's slope is not clipped.
    generator = np.random.default_rng(2)
    front_end, waveform = LogMel(15_600), generator.normal(0.0, 3.0, (1, 15_600))
    assert front_end(waveform).numpy().min() > 0
    weights = generator.normal(size=(1, 1, 96, 64))
    gradient = value_and_gradient(front_end, waveform, weights)[1]
    direction = generator.normal(size=waveform.shape)
    step = 1e-3
    ahead, behind = (published_log_mel((waveform + side * step * direction)[0]) for side in (1, -1))
    assert np.sum(gradient * direction) == pytest.approx(
        np.sum((ahead - behind) * weights[0, 0]) / (2 * step), rel=1e-4
    )


def test_gradient_is_the_bands_own_where_the_logarithm_is_steep():
    # Bands of hardly anything: the slope 1 / (value + 0.01) is clipped to 1, so the sum of bands remains.
    generator = np.random.default_rng(3)
    front_end, waveform = LogMel(15_600), generator.normal(0.0, 1e-6, (1, 15_600))
    gradient = value_and_gradient(front_end, waveform, 1.0)[1]
    direction = generator.normal(size=waveform.shape)

    def bands(sounds):
        return np.sum(np.exp(published_log_mel(sounds[0])) - 0.01)

    step = 1e-9
    slope = (bands(waveform + step * direction) - bands(waveform - step * direction)) / (2 * step)
    assert np.sum(gradient * direction) == pytest.approx(slope, rel=1e-4)


def test_gradient_is_finite_on_silence():
    waveforms = np.zeros((2, 15_600), np.float32)
    waveforms[1, 5000:5400] = 0.1
    values, gradient = value_and_gradient(LogMel(15_600), waveforms, 1.0)
    assert np.isfinite(values) and np.isfinite(gradient).all()
    assert not gradient[0].any() and gradient[1].any()


def test_it_works_in_a_compiled_function(noise):
    front_end = tf.function(lambda waveforms: LogMel(31_999)(waveforms), autograph=False)
    np.testing.assert_array_equal(front_end(noise), LogMel(31_999)(noise))


def test_waveforms_that_are_too_short_or_of_another_shape_are_refused():
    with pytest.raises(ArgumentError, match="15599"):
        LogMel(15_599)
    for shape in ((15_600,), (1, 15_601)):
        with pytest.raises(ArgumentError, match=r"\(batch, 15600\)"):
            LogMel(15_600)(np.zeros(shape))
