"""Sounds: loaded as the released code prepares them, and saved."""

import functools
import math
import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import soundfile

from tfmetamers.errors import ArgumentError, ResultError, StimulusError, checked_whole_number, unknown_name
from tfmetamers.utilities.files import atomic_write
from tfmetamers.utilities.regular_files import require_file
from tfmetamers.utilities.words import counted

#: Endings of the files that a folder of sounds is searched for.
SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff", ".au", ".w64", ".rf64", ".caf")

#: What to do with a sound that is too short or too long, unless it is to be refused.
FITS = ("pad", "trim", "centre")

#: Root mean square of a prepared sound (``build_word_network_*.py`` of the released code).
RMS = 0.1

#: A sound with a smaller root mean square than this, less than one step of 24 bits, is silence.
MIN_RMS = 1e-7

#: A length above this, almost four hours at 20 kHz, is taken for a typing error.
MAX_SAMPLES = 2**28

#: The largest number of channels of a sound; all are read together and averaged.
MAX_CHANNELS = 32

#: The resampling filter is that of resampy 0.2, a sinc times a Kaiser window: the number of zeros of the sinc on
#: either side, its roll-off (as a fraction of the lower Nyquist frequency), and the window's shape.
FILTER_ZEROS = 64
FILTER_ROLL_OFF = 0.9475937167399596
FILTER_BETA = 14.769656459379492

#: The largest term of the ratio of two sampling rates: the resampling filter has 128 times as many taps.
MAX_RATIO_TERM = 50_000

#: The level of a copy for listening, and the maximum magnitude of its peaks.
LISTENING_RMS = 0.05
LISTENING_PEAK = 0.99


def load_sound(path: str | os.PathLike, sampling_rate: int, samples: int, fit: str | None = None) -> np.ndarray:
    """Load a sound as the released code does.

    The sound is resampled, its mean is removed, and its root mean square becomes 0.1
    (``use_audio_path_specified_audio`` in ``metamer_helpers.py`` of the released code, which resampled with resampy;
    `resample` has resampy's filter). Mean and root mean square are those of the returned array, after fitting. Several
    channels, which the released code could not load, are averaged first.

    A length may be off by one sample at the lower of the two rates, because programs that cut and convert sounds round
    differently; samples are then dropped or zeros added at the end.

    Args:
        path: a file that libsndfile can read.
        sampling_rate: sampling rate of the result, in Hz.
        samples: length of the result, from 2 to `MAX_SAMPLES`.
        fit: what to do with another length, which is refused by default: ``"pad"`` puts silence after a sound that
            is too short, ``"trim"`` drops the end of one that is too long, ``"centre"`` puts silence on both sides
            or keeps the middle. Only the part of the file that is kept is read.

    Returns:
        float32 array (samples,), with mean 0 and root mean square 0.1.

    Raises:
        ArgumentError: an unknown way to fit, or an invalid sampling rate or length.
        StimulusError: the file is missing, empty, damaged or not a sound; the sound is silent, holds samples that are
            not finite, or has another length or a sampling rate that cannot be resampled.

    >>> waveform = load_sound(sample_word(), sampling_rate=8000, samples=8000)
    >>> waveform.shape, round(float(root_mean_square(waveform)), 6)
    ((8000,), 0.1)
    """
    sampling_rate = checked_whole_number("sampling rate", sampling_rate, minimum=1)
    samples = checked_whole_number("number of samples", samples, minimum=2)
    if samples > MAX_SAMPLES:
        raise ArgumentError(f"The number of samples is {samples}; at most {MAX_SAMPLES} were expected.")
    if fit is not None and fit not in FITS:
        raise unknown_name("fit", fit, FITS)
    path = Path(path)
    with _open_sound(path) as file:
        ratio = _checked_ratio(path, file, sampling_rate)
        _check_length(path, file, samples, sampling_rate, fit)
        is_centred = fit == "centre" and not _is_right_length(file, samples, sampling_rate)
        # Negative where silence is to come first.
        first = (round(file.frames * ratio) - samples) // 2 if is_centred else 0
        begin, waveform = _read(path, file, ratio, max(first, 0), samples)
    # Before resampling, which would make the ends of a constant audible.
    _check_audible(path, waveform)
    waveform = resample(waveform, ratio.denominator, ratio.numerator)
    waveform = waveform[max(first, 0) - int(begin * ratio) :][:samples]
    before = max(-first, 0)
    waveform = np.pad(waveform, (before, samples - before - len(waveform)))
    _check_audible(path, waveform)
    waveform = waveform - waveform.mean()
    return (waveform * (RMS / root_mean_square(waveform))).astype(np.float32)


def sample_word() -> Path:
    """Return the path of a spoken word that comes with the package: "human", one second at 8 kHz.

    ``reproduce/scripts/bundled_corpus.py`` made it for listening: espeak-ng 1.51 in the voice ``en-us+m5`` (pitch 50,
    140 words a minute), a vocal tract that the bundled networks never heard in training.

    >>> sound_extent(sample_word())
    (8000, 8000)
    """
    return Path(__file__).with_name("human.wav")


def sample_words() -> Path:
    """Return the path of a manifest of sixty spoken words that come with the package, one second each at 8 kHz.

    ``reproduce/scripts/bundled_words.py`` made them: two voices of espeak-ng 1.51 say each of the thirty words of the
    bundled networks. They are of the networks' test set: vocal tracts that they never heard in training or validation.

    >>> import pandas
    >>> words = pandas.read_csv(sample_words())
    >>> len(words), words["label"].nunique()
    (60, 30)
    """
    return Path(__file__).with_name("words") / "words.csv"


def sample_mixtures() -> Path:
    """Return the path of a manifest of forty words over backgrounds that come with the package, one second at 8 kHz.

    ``reproduce/scripts/bundled_mixtures.py`` made them of the test set of the bundled networks, at signal-to-noise
    ratios of 0 to 20 dB: sounds like those that the networks were trained on, for null distributions.

    >>> import pandas
    >>> len(pandas.read_csv(sample_mixtures()))
    40
    """
    return Path(__file__).with_name("mixtures") / "mixtures.csv"


def sound_length(path: str | os.PathLike, sampling_rate: int) -> int:
    """Return how many samples a sound would have at a sampling rate in Hz, without reading it.

    Args:
        path: a file that libsndfile can read.
        sampling_rate: in Hz.

    Raises:
        StimulusError: the file is missing, empty, damaged or not a sound.
    """
    samples, rate = sound_extent(path)
    return round(Fraction(samples * sampling_rate, rate))


def sound_extent(path: str | os.PathLike) -> tuple[int, int]:
    """Return how many samples a sound has and its sampling rate in Hz, without reading it.

    Args:
        path: a file that libsndfile can read.

    Raises:
        StimulusError: the file is missing, empty, damaged or not a sound.
    """
    with _open_sound(Path(path)) as file:
        return file.frames, file.samplerate


def resample(waveform: np.ndarray, from_rate: int, to_rate: int) -> np.ndarray:
    """Resample a waveform with the default filter of resampy 0.2 (``kaiser_best``).

    The released code resampled with resampy 0.2.1. The waveform counts as zero beyond its ends. ``docs/sounds.md``
    lists the differences.

    Args:
        waveform: float array (samples,).
        from_rate: its sampling rate in Hz.
        to_rate: the sampling rate of the result in Hz.

    Returns:
        float64 array of ``samples * to_rate / from_rate`` samples, rounded.

    Raises:
        ArgumentError: a sampling rate is not a whole number from 1.
    """
    waveform = np.asarray(waveform, np.float64)
    from_rate, to_rate = (checked_whole_number("sampling rate", rate, minimum=1) for rate in (from_rate, to_rate))
    ratio = Fraction(to_rate, from_rate)
    if ratio == 1:
        return waveform
    from scipy import signal  # Late: planning needs the domain of sounds, and no SciPy.

    low_pass = _low_pass(max(ratio.numerator, ratio.denominator))
    resampled = signal.resample_poly(waveform, ratio.numerator, ratio.denominator, window=low_pass)
    return resampled[: round(len(waveform) * ratio)]


@functools.lru_cache(maxsize=8)
def _low_pass(max_term: int) -> np.ndarray:
    """Return the resampling filter for a ratio with this larger term; designing it takes longer than using it."""
    from scipy import signal

    zeros = np.arange(-FILTER_ZEROS * max_term, FILTER_ZEROS * max_term + 1) / max_term
    window = signal.windows.kaiser(len(zeros), FILTER_BETA)
    return np.sinc(FILTER_ROLL_OFF * zeros) * window * (FILTER_ROLL_OFF / max_term)


def save_sound(waveform: np.ndarray, path: str | os.PathLike, sampling_rate: int) -> None:
    """Save a waveform exactly, as a WAV file of 32-bit floating-point samples; the file is written whole or not at all.

    The same waveform gives the same bytes.

    Args:
        waveform: float array (samples,); values beyond full scale are kept.
        path: the file to write.
        sampling_rate: in Hz.

    Raises:
        ResultError: the file cannot be written.

    >>> tone = 0.1 * np.sin(np.arange(8000) / 4).astype(np.float32)
    >>> save_sound(tone, "tone.wav", 8000)
    >>> sound_extent("tone.wav")
    (8000, 8000)
    """
    from scipy.io import wavfile

    # Unlike soundfile, SciPy writes no time into the file, and raises an OSError that says what went wrong.
    with atomic_write(path) as partial:
        wavfile.write(partial, sampling_rate, np.asarray(waveform, np.float32))


def read_saved(path: str | os.PathLike, samples: int) -> np.ndarray:
    """Read a waveform that `save_sound` wrote, exactly: float32 (samples,).

    Args:
        path: the file.
        samples: its length.

    Raises:
        ResultError: the file is missing or damaged, or has another length or several channels.
    """
    try:
        with _open_sound(Path(path)) as file:
            if (file.frames, file.channels) != (samples, 1):
                raise ResultError(
                    f"{path} has {file.frames} samples in {counted(file.channels, 'channel')}; {samples} in one "
                    "channel were expected."
                )
            return file.read(dtype="float32")
    except (StimulusError, soundfile.LibsndfileError) as error:
        raise ResultError(f"{path} cannot be read: {error}") from error


def save_listening_copy(waveform: np.ndarray, path: str | os.PathLike, sampling_rate: int) -> None:
    """Save a waveform as a WAV file of 16 bits, which any player can play, always at the same level.

    The root mean square becomes 0.05, or less where peaks would otherwise exceed 0.99 of full scale, so that nothing is
    clipped. Silence stays silence.

    Args:
        waveform: float array (samples,).
        path: the file to write.
        sampling_rate: in Hz.

    Raises:
        ResultError: the file cannot be written.
    """
    from scipy.io import wavfile

    level = root_mean_square(waveform)
    peak = float(np.abs(waveform).max())
    gain = min(LISTENING_RMS / level, LISTENING_PEAK / peak) if level else 0.0
    levels = np.rint(np.asarray(waveform, np.float64) * (gain * 2**15)).astype(np.int16)
    with atomic_write(path) as partial:
        wavfile.write(partial, sampling_rate, levels)


def root_mean_square(waveform: np.ndarray) -> float:
    """Return the root mean square of a waveform."""
    return float(np.sqrt(np.mean(np.square(waveform, dtype=np.float64))))


def pink_noise(samples: int, generator: np.random.Generator, rms: float = 0.01) -> np.ndarray:
    """Draw pink noise, whose power falls as one over the frequency; the released code starts from it.

    A complex normal spectrum is divided by the square root of its bin's number, from 1; the waveform's root mean
    square becomes 0.1, its mean is removed, and it is multiplied by ``rms / 0.1``, the ``audio_scaling`` of
    ``make_initialization_op_pink_audio`` in ``metamer_helpers.py`` of the released code. An odd length is drawn one
    sample longer.

    Args:
        samples: length, from 2.
        generator: draws the spectrum.
        rms: root mean square before the mean is removed, so a little more than that of the result.

    Returns:
        float32 array (samples,), with mean 0.

    Raises:
        ArgumentError: the length is not a whole number from 2.
    """
    samples = checked_whole_number("number of samples", samples, minimum=2)
    bins = (samples + 1) // 2 + 1
    spectrum = generator.standard_normal(bins) + 1j * generator.standard_normal(bins)
    waveform = np.fft.irfft(spectrum / np.sqrt(np.arange(1, bins + 1)))[:samples]
    waveform *= RMS / root_mean_square(waveform)
    return ((waveform - waveform.mean()) * (rms / RMS)).astype(np.float32)


def _open_sound(path: Path) -> soundfile.SoundFile:
    require_file(path, "a sound", StimulusError)
    if path.stat().st_size == 0:
        raise StimulusError(f"{path} is empty; give a sound.")
    try:
        file = soundfile.SoundFile(path)
    except (soundfile.LibsndfileError, TypeError) as error:
        reason = str(getattr(error, "error_string", error)).strip(" .")
        raise StimulusError(
            f"{path} is damaged, or not a sound that libsndfile can read ({reason}); give a WAV or FLAC file."
        ) from error
    if file.channels > MAX_CHANNELS:
        file.close()
        raise StimulusError(
            f"{path} has {file.channels} channels; at most {MAX_CHANNELS} were expected, so mix it down."
        )
    # A FLAC stream of unknown length counts as 2**63 - 1 samples.
    if not 0 < file.frames < 2**62:
        file.close()
        raise StimulusError(f"{path} holds no samples, or does not state how many; save it again from its source.")
    return file


def _checked_ratio(path: Path, file: soundfile.SoundFile, sampling_rate: int) -> Fraction:
    """Return the number of samples of the result for each sample in the file."""
    ratio = Fraction(sampling_rate, file.samplerate)
    if max(ratio.numerator, ratio.denominator) > MAX_RATIO_TERM:
        raise StimulusError(
            f"{path} has a sampling rate of {file.samplerate} Hz, and its ratio to {sampling_rate} Hz is too "
            "complicated for resampling; convert it to 48000 Hz first."
        )
    return ratio


def _check_length(path: Path, file: soundfile.SoundFile, samples: int, sampling_rate: int, fit: str | None) -> None:
    rate = file.samplerate
    length = round(Fraction(file.frames * sampling_rate, rate))
    if length < 1:
        raise StimulusError(f"{path} is shorter than one sample at {sampling_rate} Hz; give a longer sound.")
    if fit == "centre" or _is_right_length(file, samples, sampling_rate):
        return
    way = "pad" if file.frames * sampling_rate < samples * rate else "trim"
    if fit == way:
        return
    raise StimulusError(
        f"{path} lasts {file.frames / rate:.6g} s ({length} at {sampling_rate} Hz); "
        f"{samples / sampling_rate:.6g} s ({samples}) were expected. "
        f"Fit it with {way!r} or 'centre', on the command line with --fit {way} or --fit centre."
    )


def _is_right_length(file: soundfile.SoundFile, samples: int, sampling_rate: int) -> bool:
    """Tell whether a sound's length differs by no more than one sample at the lower of the two rates."""
    return abs(file.frames * sampling_rate - samples * file.samplerate) <= max(file.samplerate, sampling_rate)


def _read(path: Path, file: soundfile.SoundFile, ratio: Fraction, first: int, samples: int) -> tuple[int, np.ndarray]:
    """Read the part of a file that `samples` samples from `first` are made from by resampling.

    Returns:
        Where the part begins in the file, which falls on a sample of the result, and the average of its channels,
        float64.
    """
    reach = math.ceil(FILTER_ZEROS * max(1, 1 / ratio))
    begin = max(0, math.floor(first / ratio) - reach)
    begin -= begin % ratio.denominator
    wanted = min(file.frames, math.ceil((first + samples) / ratio) + reach) - begin
    try:
        file.seek(begin)
        channels = file.read(wanted, dtype="float64", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise StimulusError(f"{path} is damaged or cut short; get the file again.") from error
    if len(channels) < wanted:
        raise StimulusError(
            f"{path} is cut short: {len(channels)} of {wanted} samples could be read; get the file again."
        )
    return begin, channels.mean(axis=1)


def _check_audible(path: Path, waveform: np.ndarray) -> None:
    with np.errstate(over="ignore"):
        is_finite = np.isfinite(waveform.astype(np.float32)).all()
    if not is_finite:
        raise StimulusError(
            f"{path} holds samples that are NaN, infinite or too large for 32 bits; save it again from its source."
        )
    level = root_mean_square(waveform - waveform.mean())
    if level < MIN_RMS:
        raise StimulusError(
            f"{path} is silent: the root mean square of its averaged channels, without their mean, is {level:.1g}; "
            "give another sound."
        )
