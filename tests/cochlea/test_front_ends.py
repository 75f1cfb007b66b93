"""Cochleagrams are the released code's, the fast ones nearly, and both can be differentiated."""

import numpy as np
import pytest
import scipy.io.wavfile
import scipy.signal
import tensorflow as tf

from tests.golden import GOLDEN
from tfmetamers.cochlea import CochleagramSettings, build_front_end, find_cochleagram_settings
from tfmetamers.cochlea.filters import erb_filter_bank
from tfmetamers.errors import ArgumentError
from tfmetamers.gradients import clipped_power

#: A quick front end that shares no number with the released one.
SMALL = CochleagramSettings(
    sampling_rate=16000, samples=16000, low_limit=50.0, high_limit=7000.0, filters=30, envelope_rate=100
)

#: The three sounds of 3011 whose fast envelopes are the least accurate, and two ordinary ones.
REAL_SOUNDS = [
    "spoken_digits/1_george_37.wav",
    "spoken_digits/9_george_31.wav",
    "spoken_digits/3_theo_4.wav",
    "speech_in_noise/ex10.wav",
    "paper_stimuli/human_audio_resampled.wav",
]


@pytest.fixture(scope="module")
def exact():
    return build_front_end("exact")


@pytest.fixture(scope="module")
def fast():
    return build_front_end("fast")


@pytest.fixture(scope="module", params=["exact", "fast"])
def small(request):
    return build_front_end(request.param, SMALL)


@pytest.fixture(scope="module")
def noises():
    """Three sounds for the small front ends."""
    return np.random.default_rng(0).normal(0.0, 0.1, (3, SMALL.samples)).astype(np.float32)


def relative_error(values, reference):
    return np.linalg.norm(np.asarray(values) - reference) / np.linalg.norm(reference)


def value_and_gradient(function, waveforms):
    waveforms = tf.convert_to_tensor(waveforms)
    with tf.GradientTape() as tape:
        tape.watch(waveforms)
        value = function(waveforms)
    return value, tape.gradient(value, waveforms)


def load_real_sound(name):
    """Return a sound of 2 s at 20 kHz, filled up with zeros."""
    rate, samples = scipy.io.wavfile.read(GOLDEN / name)
    samples = samples.astype(np.float64)
    if rate == 8000:
        samples = scipy.signal.resample_poly(samples, 5, 2)
    samples = np.pad(samples[:40000], (0, max(0, 40000 - len(samples))))
    samples -= samples.mean()
    return (samples * 0.1 / np.sqrt(np.mean(samples**2))).astype(np.float32)


class TestReleasedCode:
    @pytest.fixture
    def golden(self):
        return np.load(GOLDEN / "cochleagram_human.npz")

    def test_envelope(self, exact, golden):
        assert relative_error(exact.envelope(golden["waveform"][None]), golden["envelope"]) < 1e-5

    def test_cochleagram_and_gradient(self, exact, golden):
        cochleagrams = []

        def weighted_sum(waveforms):
            cochleagrams.append(exact(waveforms))
            return tf.reduce_sum(cochleagrams[0] * golden["probe"])

        _, gradient = value_and_gradient(weighted_sum, golden["waveform"][None])
        assert relative_error(cochleagrams[0], golden["cochleagram"]) < 1e-5
        assert relative_error(gradient, golden["gradient"]) < 1e-4

    @pytest.mark.parametrize("name", ["tone1k_rms0.1", "chirp", "impulse_at_20000", "dc"])
    def test_synthetic_signals(self, exact, name):
        golden = np.load(GOLDEN / "cochleagram_synthetic_signals.npz")[name]
        times = np.arange(40000) / 20000
        signals = {
            "tone1k_rms0.1": np.sin(2 * np.pi * 1000 * times),
            "chirp": np.sin(2 * np.pi * (50 * times + 1737.5 * times**2)),
            "impulse_at_20000": (np.arange(40000) == 20000).astype(float),
            "dc": np.ones(40000),
        }
        waveform = signals[name]
        if name in ("tone1k_rms0.1", "chirp"):
            waveform = waveform - waveform.mean()
            waveform *= 0.1 / np.sqrt(np.mean(waveform**2))
        cochleagram = exact(waveform[None].astype(np.float32)).numpy()[0, :, :, 0]
        # Below .05, what was compressed is the rounding of the transform.
        audible = golden > 0.05
        np.testing.assert_allclose(cochleagram[audible], golden[audible], rtol=2e-3)
        assert cochleagram[~audible].max() < 0.06


class TestFastOnRealSounds:
    @pytest.mark.parametrize("name", REAL_SOUNDS)
    def test_the_envelope_is_within_one_ten_thousandth(self, exact, fast, name):
        waveform = load_real_sound(name)[None]
        assert relative_error(fast.envelope(waveform), exact.envelope(waveform).numpy()) < 1e-4

    def test_the_error_falls_with_the_oversampling(self, exact):
        waveform = load_real_sound("spoken_digits/1_george_37.wav")[None]
        reference = exact.envelope(waveform).numpy()
        front_ends = [build_front_end("fast", oversampling=oversampling) for oversampling in (2, 4, 8)]
        coarse, usual, fine = (relative_error(each.envelope(waveform), reference) for each in front_ends)
        assert 3 * fine < usual and 3 * usual < coarse


class TestBothFrontEnds:
    def test_a_batch_is_its_items(self, small, noises):
        batch = small(noises).numpy()
        for item, noise in enumerate(noises):
            np.testing.assert_allclose(batch[item], small(noise[None])[0], rtol=1e-5, atol=1e-5)

    def test_no_item_has_a_gradient_from_another(self, small, noises):
        _, gradient = value_and_gradient(lambda waveforms: tf.reduce_sum(small(waveforms)[1]), noises)
        assert not np.any(gradient[0]) and not np.any(gradient[2]) and np.any(gradient[1])

    def test_a_compiled_function_gives_the_same(self, small, noises):
        def half_square(waveforms):
            return tf.reduce_sum(tf.square(small(waveforms))) / 2.0

        eager = value_and_gradient(half_square, noises)
        compiled = tf.function(lambda waveforms: value_and_gradient(half_square, waveforms))(noises)
        for ours, reference in zip(compiled, eager, strict=True):
            assert relative_error(ours, reference.numpy()) < 1e-5

    def test_a_front_end_that_is_made_inside_a_graph_can_be_used_outside(self, noises):
        made = []

        @tf.function
        def first_use(waveforms):
            made.append(build_front_end("fast", SMALL))
            return made[0](waveforms)

        np.testing.assert_allclose(first_use(noises), made[0](noises), rtol=1e-4, atol=1e-5)

    def test_the_gradient_is_that_of_finite_differences(self, small, noises):
        weights = np.random.default_rng(1).random(small.output_shape)

        def weighted_sum(waveforms):
            return tf.reduce_sum(tf.cast(small.envelope(waveforms), tf.float64) * weights)

        _, gradient = value_and_gradient(weighted_sum, noises[:1])
        step = (1e-3 / np.linalg.norm(gradient)) * gradient.numpy()
        difference = (weighted_sum(noises[:1] + step) - weighted_sum(noises[:1] - step)) / 2.0
        assert np.sum(gradient * step) == pytest.approx(float(difference), rel=1e-3)

    def test_the_gradient_is_that_of_finite_differences_where_compression_is_not_clipped(self, small, noises):
        unclipped = small(noises[:1]).numpy() > 0.7
        assert unclipped.mean() > 0.5

        def sum_of_unclipped(waveforms):
            return tf.reduce_sum(tf.cast(small(waveforms), tf.float64) * unclipped)

        _, gradient = value_and_gradient(sum_of_unclipped, noises[:1])
        step = (1e-3 / np.linalg.norm(gradient)) * gradient.numpy()
        difference = (sum_of_unclipped(noises[:1] + step) - sum_of_unclipped(noises[:1] - step)) / 2.0
        assert np.sum(gradient * step) == pytest.approx(float(difference), rel=2e-3)

    def test_silence_has_a_cochleagram_and_a_gradient_of_zero(self, small):
        silence = np.zeros((1, SMALL.samples), np.float32)
        cochleagram, gradient = value_and_gradient(small, silence)
        assert not np.any(cochleagram) and not np.any(gradient)

    def test_nan_does_not_become_a_number(self, small, noises):
        spoilt = noises.copy()
        spoilt[1, 5] = np.nan
        cochleagrams = small(spoilt).numpy()
        assert np.isnan(cochleagrams[1]).all() and np.isfinite(cochleagrams[[0, 2]]).all()

    def test_a_tone_gives_a_quarter_of_its_amplitude_at_the_peak_of_a_filter(self, small):
        channel = 60
        frequency = np.round(small.center_frequencies[channel])
        tone = np.sin(2 * np.pi * frequency * np.arange(SMALL.samples) / SMALL.sampling_rate)
        envelope = small.envelope(tone[None])[0, :, :, 0].numpy()
        assert envelope[:, 50].argmax() == channel
        assert envelope[channel, 20:80] == pytest.approx(0.25, rel=2e-2)

    @pytest.mark.parametrize(
        "changed",
        [
            {"low_pass": False, "high_pass": False},
            {"sample_factor": 1},
            {"padding": 1600, "exponent": 0.5, "scale": 10.0},
            {"envelope_rate": 2000, "window": 101},
        ],
    )
    def test_other_settings(self, noises, changed):
        settings = SMALL.replace(**changed)
        exact, fast = (build_front_end(name, settings) for name in ("exact", "fast"))
        waveforms = noises[:, : settings.samples]
        shape = (settings.channels, settings.envelope_samples, 1)
        assert exact.output_shape == fast.output_shape == shape
        assert exact(waveforms).shape == fast(waveforms).shape == (3, *shape)
        assert exact.center_frequencies.shape == (settings.channels,)
        # White noise is harder than any sound: its envelopes touch zero often, and most of its energy is
        # where filters are wide.
        assert relative_error(fast.envelope(waveforms), exact.envelope(waveforms).numpy()) < 1e-3


#: The front end of 2023 for shorter sounds and with fewer filters.
OF_2023 = find_cochleagram_settings("feather2023").replace(samples=8000, filters=20)


def cochleagram_of_2023(waveform):
    """The steps of chcochleagram in double precision, with a loop for the strided convolution."""
    bank = erb_filter_bank(20000, 8000, low_limit=50, high_limit=10000, filters=20)
    spectrum = np.fft.rfft(waveform.astype(np.float64)) * bank.transfer_functions
    analytic = np.fft.ifft(np.pad(spectrum, [(0, 0), (0, 3999)]))
    envelopes = np.sqrt(np.maximum(analytic.real**2 + analytic.imag**2, 1e-16))
    times = np.arange(-1001 / 2, 1001 // 2)
    window = np.sinc(times / 100) / 100 * scipy.signal.windows.kaiser(1001, 5)
    frames = [envelopes[:, start : start + 1001] @ window for start in range(0, 8000 - 1000, 100)]
    return (np.maximum(np.stack(frames, axis=1), 0) + 1e-8) ** 0.3


@pytest.fixture(scope="module", params=["exact", "fast"])
def of_2023(request):
    return build_front_end(request.param, OF_2023)


class TestOf2023:
    def test_it_is_the_arithmetic_of_chcochleagram(self, of_2023):
        times = np.arange(8000) / 20000
        sound = 0.1 * np.sin(2 * np.pi * 700 * times) + 0.03 * np.random.default_rng(2).normal(size=8000)
        sound = (sound * (times > 0.1)).astype(np.float32)
        expected = cochleagram_of_2023(sound)
        found = of_2023(sound[None])[0, ..., 0].numpy()
        assert found.shape == expected.shape == (91, 70) == of_2023.output_shape[:2]
        assert relative_error(found, expected) < (1e-4 if of_2023.name == "exact" else 1e-3)

    def test_silence_is_the_floor_and_the_offset_and_has_no_gradient(self, of_2023):
        silence = np.zeros((1, 8000), np.float32)
        cochleagram, gradient = value_and_gradient(of_2023, silence)
        np.testing.assert_allclose(cochleagram, (1e-8 * 1.00094466 + 1e-8) ** 0.3, rtol=1e-3)
        assert not np.any(gradient)

    def test_it_is_that_of_2019_where_the_whole_window_lies_within_the_sound(self, noises):
        """With a window whose first tap is a whole number of samples of the cochleagram before the output's."""
        of_2019 = CochleagramSettings(samples=8000, filters=20, window=1101)
        waveforms = noises[:, :8000]
        for name in ("exact", "fast"):
            same, valid = (
                build_front_end(name, of_2019.replace(downsampling=way)).envelope(waveforms).numpy()
                for way in ("same", "valid")
            )
            assert same.shape[2] == 80 and valid.shape[2] == 69
            np.testing.assert_allclose(valid, same[:, :, 5:74], rtol=1e-4, atol=1e-6)

    def test_the_gradient_is_that_of_finite_differences_where_compression_is_not_clipped(self, of_2023):
        """The slope is below 5 where the cochleagram is above 0.3: for loud sounds."""
        waveforms = np.random.default_rng(3).normal(0.0, 10.0, (1, 8000)).astype(np.float32)
        unclipped = of_2023(waveforms).numpy() > 0.35
        assert unclipped.mean() > 0.5

        def sum_of_unclipped(waveforms):
            return tf.reduce_sum(tf.cast(of_2023(waveforms), tf.float64) * unclipped)

        _, gradient = value_and_gradient(sum_of_unclipped, waveforms)
        step = (0.1 / np.linalg.norm(gradient)) * gradient.numpy()
        difference = (sum_of_unclipped(waveforms + step) - sum_of_unclipped(waveforms - step)) / 2.0
        assert np.sum(gradient * step) == pytest.approx(float(difference), rel=2e-3)

    @pytest.mark.parametrize(("relu_gradient", "passes"), [("straight-through", True), ("normal", False)])
    def test_what_was_rectified_has_a_gradient_only_if_it_is_straight_through(self, relu_gradient, passes):
        front_end = build_front_end("exact", OF_2023.replace(relu_gradient=relu_gradient))
        impulse = np.zeros((1, 8000), np.float32)
        impulse[0, 4000] = 1.0  # The window has negative lobes.
        rectified = front_end.envelope(impulse).numpy() == 0
        assert rectified.any()
        _, gradient = value_and_gradient(lambda waveforms: tf.reduce_sum(front_end(waveforms) * rectified), impulse)
        assert np.any(gradient) == passes

    def test_the_slope_of_the_compression_is_clipped_at_5(self):
        values = tf.constant([0.0, 1e-8, 0.017, 0.02, 1.0])
        with tf.GradientTape() as tape:
            tape.watch(values)
            powers = clipped_power(values, 0.3, OF_2023.max_slope)
        expected = np.minimum(0.3 * np.array([1e-20, 1e-8, 0.017, 0.02, 1.0]) ** -0.7, 5)
        np.testing.assert_allclose(tape.gradient(powers, values), expected, rtol=1e-5)

    def test_data_of_other_settings_has_nothing_that_only_this_one_needs(self):
        added = {"downsampling", "floor", "offset", "relu_gradient", "max_slope"}
        assert not added & CochleagramSettings().to_json().keys()
        assert added <= OF_2023.to_json().keys()
        assert CochleagramSettings(**OF_2023.to_json()) == OF_2023


class TestPresets:
    def test_shapes_of_the_papers_text(self):
        front_end = build_front_end("fast", find_cochleagram_settings("paper_text"))
        assert front_end.output_shape == (171, 400, 1)
        assert front_end(np.zeros((2, 40000), np.float32)).shape == (2, 171, 400, 1)
        assert len(front_end.center_frequencies) == 171


class TestPadding:
    def test_the_end_of_a_sound_no_longer_runs_into_its_beginning(self):
        waveform = np.zeros((1, SMALL.samples), np.float32)
        waveform[0, -400:] = np.random.default_rng(2).normal(size=400)
        wrapped, padded = (
            build_front_end("exact", SMALL.replace(padding=padding)).envelope(waveform)[0, :, 0, 0].numpy()
            for padding in (0, 4000)
        )
        assert padded.sum() < 0.1 * wrapped.sum()


class TestBadInput:
    @pytest.mark.parametrize("shape", [(16000,), (1, 15999)])
    def test_waveforms_of_another_shape(self, small, shape):
        with pytest.raises(ArgumentError, match=r"\(batch, 16000\)"):
            small(np.zeros(shape, np.float32))

    def test_an_unknown_name(self):
        with pytest.raises(ArgumentError, match=r"'exakt'.*exact"):
            build_front_end("exakt")

    @pytest.mark.parametrize("oversampling", [1.9, float("nan")])
    def test_an_invalid_oversampling(self, oversampling):
        with pytest.raises(ArgumentError, match=f"oversampling is {oversampling}"):
            build_front_end("fast", oversampling=oversampling)
