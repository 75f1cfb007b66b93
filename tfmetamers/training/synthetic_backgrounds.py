"""Background sounds in a dozen categories, synthesised from a random generator.

They replace the recordings of AudioSet, which the paper trained on, where a corpus has to be free to redistribute.
The ranges were chosen here, so that categories can be told apart by ear at a sampling rate of 8 kHz, and so that
every half second of a background contains its category.
"""

from collections.abc import Callable, Sequence

import numpy as np

from tfmetamers.errors import ArgumentError, checked_whole_number, shown, unknown_name
from tfmetamers.stimuli.sounds import MIN_RMS, RMS, pink_noise, root_mean_square

#: The lowest sampling rate, in Hz, that allows the frequencies of every category.
MIN_RATE = 4000

#: The shortest background, in seconds: a shorter one of a category such as clicks could be silent.
MIN_SECONDS = 0.5

#: The highest frequency of any component, as a fraction of the sampling rate.
MAX_FREQUENCY = 0.45


def synthesize_background(
    category: str,
    samples: int,
    sampling_rate: int,
    generator: np.random.Generator,
    speech: Sequence[np.ndarray] | None = None,
) -> np.ndarray:
    """Draw a background sound of one category.

    The generator draws everything that differs between two sounds of a category: frequencies, rates, bandwidths,
    levels of components, and noise.

    Args:
        category: one of `CATEGORIES`.
        samples: length, at least half a second.
        sampling_rate: in Hz, at least 4000.
        generator: the same state gives the same sound.
        speech: words that babble is made from, float arrays (any number of samples,) at the sampling rate; not used
            for other categories.

    Returns:
        float32 array (samples,), of mean 0 and root mean square 0.1; clicks may exceed 1.

    Raises:
        ArgumentError: the category is unknown, the length or sampling rate is too small, or babble has no speech.
    """
    if category not in CATEGORIES:
        raise unknown_name("category of backgrounds", category, CATEGORIES, "CATEGORIES lists all.")
    sampling_rate = checked_whole_number("sampling rate", sampling_rate, minimum=MIN_RATE)
    samples = checked_whole_number("number of samples", samples, minimum=int(MIN_SECONDS * sampling_rate))
    if category == "babble":
        waveform = _babble(samples, generator, _checked_speech(speech))
    else:
        waveform = _SYNTHESIZERS[category](samples, sampling_rate, generator)
    waveform = waveform - waveform.mean()
    return (waveform * (RMS / root_mean_square(waveform))).astype(np.float32)


def _checked_speech(speech: Sequence[np.ndarray] | None) -> list[np.ndarray]:
    """Return words of mean 0 and root mean square 1."""
    if speech is None or len(speech) == 0:
        raise ArgumentError(f"The speech for babble is {shown(speech)}; a list of waveforms was expected.")
    words = []
    for word in speech:
        word = np.asarray(word, np.float64)
        word = word - word.mean()
        level = root_mean_square(word)
        if not MIN_RMS <= level < np.inf:
            raise ArgumentError(
                f"A word for babble is {shown(word)}; a waveform that is finite and not silent was expected, leave "
                "this word out."
            )
        words.append(word / level)
    return words


def _white_noise(samples: int, rate: int, generator: np.random.Generator) -> np.ndarray:
    """Noise whose power is the same at every frequency."""
    return generator.standard_normal(samples)


def _pink_noise(samples: int, rate: int, generator: np.random.Generator) -> np.ndarray:
    """Noise whose power falls as one over the frequency."""
    return pink_noise(samples, generator)


def _band_noise(samples: int, rate: int, generator: np.random.Generator) -> np.ndarray:
    """Noise in a band of a third of an octave to a whole one, from 200 Hz, and silence outside the band."""
    octaves = generator.uniform(1 / 3, 1)
    low = _log_uniform(generator, 200, MAX_FREQUENCY * rate / 2**octaves)
    return _shaped_noise(
        samples, rate, generator, lambda frequency: (frequency >= low) & (frequency < low * 2**octaves)
    )


def _modulated_noise(samples: int, rate: int, generator: np.random.Generator) -> np.ndarray:
    """White noise whose amplitude rises and falls 3 to 15 times a second, by 80 to 100 %."""
    cycles = _log_uniform(generator, 3, 15) * _time(samples, rate) + generator.random()
    envelope = (1 + generator.uniform(0.8, 1) * np.cos(2 * np.pi * cycles)) ** generator.uniform(1, 2)
    return envelope * generator.standard_normal(samples)


def _wind(samples: int, rate: int, generator: np.random.Generator) -> np.ndarray:
    """Noise with a broad resonance at 150 to 700 Hz, in gusts: its level varies by some 10 dB within a second."""
    centre, sharpness = _log_uniform(generator, 150, 700), generator.uniform(1, 3)
    noise = _shaped_noise(
        samples,
        rate,
        generator,
        lambda frequency: 1 / np.sqrt(1 + (sharpness * (frequency / centre - centre / np.maximum(frequency, 1))) ** 2),
    )
    gusts = _log_uniform(generator, 0.4, 2, 3)[:, np.newaxis] * _time(samples, rate)
    wander = np.sin(2 * np.pi * (gusts + generator.random((3, 1)))).sum(axis=0)
    return noise * _amplitude(generator.uniform(2, 5) * wander)


def _rain(samples: int, rate: int, generator: np.random.Generator) -> np.ndarray:
    """Hundreds of drops a second of very different loudness, each a short ring, over a hiss."""
    drops = np.zeros(samples)
    count = round(_log_uniform(generator, 150, 800) * samples / rate)
    np.add.at(drops, generator.integers(samples, size=count), generator.lognormal(0, 0.8, count))
    drops = np.convolve(drops * generator.choice([-1, 1], samples), _ring(rate, generator, 0.001, 0.003))[:samples]
    corner = _log_uniform(generator, 800, 0.3 * rate)
    hiss = _shaped_noise(samples, rate, generator, lambda frequency: 1 / np.sqrt(1 + (corner / frequency) ** 4))
    level = _amplitude(generator.uniform(-20, -8))
    return drops / root_mean_square(drops) + level * hiss / root_mean_square(hiss)


def _clicks(samples: int, rate: int, generator: np.random.Generator) -> np.ndarray:
    """4 to 20 clicks a second, more or less regular, each a damped ring of a few milliseconds, over silence."""
    interval = rate / _log_uniform(generator, 4, 20)
    onsets = np.arange(generator.random(), samples / interval) * interval
    onsets = onsets + generator.uniform(0, 0.3) * interval * generator.uniform(-1, 1, len(onsets))
    impulses = np.zeros(samples)
    impulses[np.clip(onsets.astype(int), 0, samples - 1)] = _amplitude(generator.uniform(-6, 0, len(onsets)))
    return np.convolve(impulses, _ring(rate, generator, 0.001, 0.006))[:samples]


def _tones(samples: int, rate: int, generator: np.random.Generator) -> np.ndarray:
    """One to four steady tones of unrelated frequencies, from 200 Hz."""
    count = generator.integers(1, 5)
    frequencies = _log_uniform(generator, 200, MAX_FREQUENCY * rate, count)
    return _sum_of_tones(samples, rate, generator, frequencies, _amplitude(generator.uniform(-12, 0, count)))


def _hum(samples: int, rate: int, generator: np.random.Generator) -> np.ndarray:
    """A steady low tone of 45 to 130 Hz with all its harmonics, ever weaker."""
    fundamental = _log_uniform(generator, 45, 130)
    numbers = np.arange(1, int(MAX_FREQUENCY * rate / fundamental) + 1)
    levels = _amplitude(generator.uniform(-6, 6, len(numbers))) / numbers ** generator.uniform(0.8, 1.6)
    return _sum_of_tones(samples, rate, generator, numbers * fundamental, levels)


def _sweeps(samples: int, rate: int, generator: np.random.Generator) -> np.ndarray:
    """A tone that glides one to three octaves, 2 to 6 times a second: upwards, downwards, or both in turn."""
    octaves = generator.uniform(1, 3)
    low = _log_uniform(generator, 200, MAX_FREQUENCY * rate / 2**octaves)
    place = (_log_uniform(generator, 2, 6) * _time(samples, rate) + generator.random()) % 1
    course = generator.choice(["up", "down", "both"])
    if course == "down":
        place = 1 - place
    elif course == "both":
        place = 1 - np.abs(2 * place - 1)
    return np.sin(2 * np.pi * np.cumsum(low * 2 ** (octaves * place)) / rate)


def _melody(samples: int, rate: int, generator: np.random.Generator) -> np.ndarray:
    """3 to 8 plucked notes a second of an equal-tempered scale from 220 Hz, each of four harmonics."""
    place = generator.uniform(3, 8) * _time(samples, rate) + generator.random()
    note, since_onset = place.astype(int), place % 1
    pitches = 220 * 2 ** (generator.integers(0, 13, note[-1] + 1) / 12)
    phase = 2 * np.pi * np.cumsum(pitches[note]) / rate
    harmonics = np.arange(1, 5)[:, np.newaxis]
    levels = _amplitude(generator.uniform(-18, 0, (4, 1)))
    return (levels * np.sin(harmonics * phase)).sum(axis=0) * np.exp(-generator.uniform(1.5, 5) * since_onset)


def _babble(samples: int, generator: np.random.Generator, words: list[np.ndarray]) -> np.ndarray:
    """Four to eight voices at once, each saying words backwards, one after another, from a random moment."""
    waveform = np.zeros(samples)
    for level in _amplitude(generator.uniform(-6, 0, generator.integers(4, 9))):
        said = [words[generator.integers(len(words))]]
        skipped = generator.integers(len(said[0]))
        lacking = skipped + samples - len(said[0])
        while lacking > 0:
            said.append(words[generator.integers(len(words))])
            lacking -= len(said[-1])
        waveform += level * np.concatenate([word[::-1] for word in said])[skipped:][:samples]
    return waveform


def _time(samples: int, rate: int) -> np.ndarray:
    return np.arange(samples) / rate


def _log_uniform(generator: np.random.Generator, low: float, high: float, count: int | None = None):
    return np.exp(generator.uniform(np.log(low), np.log(high), count))


def _amplitude(decibels):
    return 10 ** (np.asarray(decibels) / 20)


def _shaped_noise(
    samples: int, rate: int, generator: np.random.Generator, gain: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Return Gaussian noise whose spectrum is multiplied by a gain, a function of the frequency in Hz above 0 Hz."""
    spectrum = np.fft.rfft(generator.standard_normal(samples))
    spectrum[0] = 0
    spectrum[1:] *= gain(np.fft.rfftfreq(samples, 1 / rate)[1:])
    return np.fft.irfft(spectrum, samples)


def _sum_of_tones(
    samples: int, rate: int, generator: np.random.Generator, frequencies: np.ndarray, levels: np.ndarray
) -> np.ndarray:
    cycles = np.outer(frequencies, _time(samples, rate)) + generator.random((len(frequencies), 1))
    return levels @ np.sin(2 * np.pi * cycles)


def _ring(rate: int, generator: np.random.Generator, low: float, high: float) -> np.ndarray:
    """Return a decaying tone from 500 Hz, with a time constant between two numbers of seconds."""
    time_constant = _log_uniform(generator, low, high)
    time = np.arange(int(8 * time_constant * rate)) / rate
    frequency = _log_uniform(generator, 500, MAX_FREQUENCY * rate)
    return np.exp(-time / time_constant) * np.cos(2 * np.pi * frequency * time)


_SYNTHESIZERS = {
    "white_noise": _white_noise,
    "pink_noise": _pink_noise,
    "band_noise": _band_noise,
    "modulated_noise": _modulated_noise,
    "wind": _wind,
    "rain": _rain,
    "clicks": _clicks,
    "tones": _tones,
    "hum": _hum,
    "sweeps": _sweeps,
    "melody": _melody,
}

#: The names of all categories.
CATEGORIES = (*_SYNTHESIZERS, "babble")
