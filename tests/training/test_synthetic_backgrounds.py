"""Each category of synthetic backgrounds has its level, is drawn anew, and has the spectrum that its name promises."""

from itertools import product

import numpy as np
import pytest
from scipy import signal

from tfmetamers.errors import ArgumentError
from tfmetamers.training.synthetic_backgrounds import CATEGORIES, synthesize_background

RATE = 8000
SAMPLES = 12000


@pytest.fixture(scope="module")
def speech() -> list[np.ndarray]:
    """Words that each grow louder, so that backwards they grow softer."""
    generator = np.random.default_rng(0)
    return [np.linspace(0, 1, length) ** 4 * generator.standard_normal(length) for length in (2000, 3000, 3500)]


def drawn(category: str, seed: int, speech=None, samples: int = SAMPLES, rate: int = RATE) -> np.ndarray:
    return synthesize_background(category, samples, rate, np.random.default_rng(seed), speech)


def power(waveform: np.ndarray, rate: int = RATE) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies in Hz, and the power at each."""
    return np.fft.rfftfreq(len(waveform), 1 / rate), np.abs(np.fft.rfft(waveform * np.hanning(len(waveform)))) ** 2


def octave_levels(category: str) -> np.ndarray:
    """Decibels in the octaves from 125 to 4000 Hz, averaged over sounds."""
    frequency, total = 0, 0
    for seed in range(10):
        frequency, energy = power(drawn(category, seed))
        total = total + energy
    edges = 125 * 2 ** np.arange(6)
    return 10 * np.log10([total[(frequency >= low) & (frequency < 2 * low)].sum() for low in edges[:-1]])


def envelope(waveform: np.ndarray) -> np.ndarray:
    """Root mean square of every 10 ms."""
    return np.sqrt((waveform[: len(waveform) // 80 * 80].reshape(-1, 80) ** 2).mean(axis=1))


class TestEveryCategory:
    @pytest.mark.parametrize(("samples", "rate"), [(2000, 4000), (40000, 20000)])
    def test_level(self, samples, rate, speech):
        for category, seed in product(CATEGORIES, range(3)):
            waveform = drawn(category, seed, speech, samples, rate)
            assert waveform.shape == (samples,), category
            assert waveform.dtype == np.float32, category
            assert np.sqrt(np.mean(waveform.astype(float) ** 2)) == pytest.approx(0.1, rel=1e-5), category
            assert abs(waveform.mean(dtype=float)) < 1e-7, category

    def test_the_generator_alone_decides_the_sound(self, speech):
        for category in CATEGORIES:
            generator = np.random.default_rng(4)
            first, second = (synthesize_background(category, SAMPLES, RATE, generator, speech) for _ in range(2))
            np.testing.assert_array_equal(first, drawn(category, 4, speech), category)
            assert np.abs(np.corrcoef(first, second)[0, 1]) < 0.5, category

    def test_is_heard_in_every_half_second(self, speech):
        for category, seed in product(CATEGORIES, range(15)):
            waveform = drawn(category, seed, speech)
            parts = [waveform[start:][: RATE // 2] for start in range(0, SAMPLES - RATE // 2 + 1, 400)]
            assert min(np.sqrt(np.mean(part**2)) for part in parts) > 0.02, category


class TestNoises:
    def test_white_noise_gains_three_decibels_an_octave(self):
        np.testing.assert_allclose(np.diff(octave_levels("white_noise")), 3, atol=0.7)

    def test_pink_noise_is_as_loud_in_each_octave(self):
        np.testing.assert_allclose(np.diff(octave_levels("pink_noise")), 0, atol=0.7)

    def test_band_noise_keeps_to_its_band(self):
        centres = []
        for seed in range(20):
            frequency, energy = power(drawn("band_noise", seed))
            cumulative = np.cumsum(energy) / energy.sum()
            low, high = (frequency[np.searchsorted(cumulative, part)] for part in (0.01, 0.99))
            assert 1.2 < high / low < 2.05
            outside = energy[(frequency < low / 1.1) | (frequency > high * 1.1)].sum() / energy.sum()
            assert outside < 0.005
            centres.append(low)
        assert max(centres) / min(centres) > 3

    def test_modulated_noise_has_a_modulation_that_white_noise_lacks(self):
        for seed in range(20):
            depths = {}
            for category in ("modulated_noise", "white_noise"):
                levels = envelope(drawn(category, seed)) ** 2
                rates = np.fft.rfftfreq(len(levels), 0.01)
                spectrum = np.abs(np.fft.rfft(levels))
                depths[category] = spectrum[(rates > 2.5) & (rates < 16)].max() / spectrum[0]
            assert depths["modulated_noise"] > 0.3 > depths["white_noise"]

    def test_wind_is_low_and_in_gusts(self):
        ranges = []
        for seed in range(20):
            waveform = drawn("wind", seed)
            frequency, energy = power(waveform)
            assert frequency[np.searchsorted(np.cumsum(energy), energy.sum() / 2)] < 1000
            quiet, loud = np.quantile(envelope(waveform), [0.1, 0.9])
            ranges.append(20 * np.log10(loud / quiet))
        assert np.median(ranges) > 8

    def test_rain_is_more_sudden_than_noise(self):
        def kurtosis(waveform):
            return np.mean(waveform.astype(float) ** 4) / np.mean(waveform.astype(float) ** 2) ** 2

        assert np.median([kurtosis(drawn("rain", seed)) for seed in range(20)]) > 4
        assert np.median([kurtosis(drawn("white_noise", seed)) for seed in range(20)]) == pytest.approx(3, abs=0.1)


class TestTones:
    def test_tones_are_few_lines(self):
        for seed in range(20):
            frequency, energy = power(drawn("tones", seed))
            strongest = np.sort(energy)[::-1]
            assert strongest[:20].sum() > 0.99 * energy.sum()
            assert frequency[np.argmax(energy)] > 195

    def test_hum_is_harmonics_of_a_low_tone(self):
        fundamentals = []
        for seed in range(20):
            frequency, energy = power(drawn("hum", seed, samples=4 * RATE))
            lines = frequency[signal.find_peaks(energy, height=energy.max() * 1e-5, distance=40 * 4)[0]]
            fundamental = np.median(np.diff(lines))
            numbers = lines / fundamental
            assert 44 < fundamental < 131
            assert len(lines) >= 10
            # A line's frequency is known to an eighth of a Hz, and so is the fundamental.
            assert np.abs(numbers - np.rint(numbers))[:10].max() < 0.06
            fundamentals.append(fundamental)
        assert np.ptp(fundamentals) > 40

    def test_sweeps_glide_by_an_octave_or_more(self):
        for seed in range(20):
            frequency, _, spectrogram = signal.spectrogram(drawn("sweeps", seed), RATE, nperseg=256, noverlap=192)
            course = frequency[spectrogram.argmax(axis=0)]
            low, high = np.quantile(course, [0.02, 0.98])
            assert high / low > 1.6
            assert np.sum(np.abs(np.diff(np.log2(np.maximum(course, 1)))) > 0.02) > 20

    def test_melody_steps_between_notes_of_the_scale(self):
        cents = []
        for seed in range(20):
            frequency, energy = power(drawn("melody", seed, samples=4 * RATE))
            strongest = frequency[np.argmax(energy)]
            note = 12 * np.log2(strongest / 220)
            # Of harmonics, the third is 2 cents off the scale; lines are as wide as notes are short.
            cents.append(abs(note - round(note)) * 100)
        assert np.median(cents) < 10


def test_clicks_are_short_and_many():
    for seed in range(20):
        waveform = drawn("clicks", seed)
        levels = envelope(waveform)
        count = np.sum((levels[1:] > 0.3 * levels.max()) & (levels[:-1] <= 0.3 * levels.max()))
        assert 3 <= count <= 31
        assert np.mean(np.abs(waveform) > 0.02 * np.abs(waveform).max()) < 0.5


class TestBabble:
    def test_words_are_said_backwards(self, speech):
        word = speech[1]
        babble = drawn("babble", 0, [word])
        backwards = np.abs(signal.correlate(babble, word[::-1])).max()
        assert backwards > 3 * np.abs(signal.correlate(babble, word)).max()

    def test_level_of_the_words_does_not_matter(self, speech):
        scaled = [speech[0], 1e3 * speech[1]]
        np.testing.assert_allclose(drawn("babble", 1, scaled), drawn("babble", 1, speech[:2]), atol=1e-6)

    def test_words_of_few_samples(self):
        assert np.isfinite(drawn("babble", 0, [np.array([1.0, 0.0]), np.array([0.0, 2.0, 1.0])])).all()


@pytest.mark.parametrize(
    ("category", "samples", "rate", "speech", "fault"),
    [
        ("hum", 3999, RATE, None, "3999"),
        ("hum", SAMPLES, 3999, None, "3999"),
        ("babble", SAMPLES, RATE, None, "None"),
        ("babble", SAMPLES, RATE, [np.arange(5), np.array([1.0, np.nan])], "nan"),
    ],
)
def test_bad_arguments_are_refused(category, samples, rate, speech, fault):
    with pytest.raises(ArgumentError, match=fault):
        drawn(category, 0, speech, samples, rate)
