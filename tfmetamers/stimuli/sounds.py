"""Sounds: as the released code prepares them, and back to a file."""

import functools
import math
import os
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import soundfile
from scipy import signal
from scipy.io import wavfile

from tfmetamers.errors import ArgumentError, ResultError, StimulusError, checked_whole_number
from tfmetamers.utilities.files import atomic_write

#: Endings of the files that a folder of sounds is searched for.
SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff", ".au", ".w64", ".rf64", ".caf")

#: What to do with a sound that is too short or too long, where it is not to be refused.
FITS = ("pad", "trim", "centre")

#: Root mean square of a prepared sound (``build_word_network_*.py`` of the released code).
RMS = 0.1

#: A sound of a smaller root mean square than this, less than the least step of 24 bits, is silence.
MIN_RMS = 1e-7

#: A sound of more samples than this is a slip of the hand: almost four hours at 20 kHz.
MAX_SAMPLES = 2**28

#: Sampling rates outside these, in Hz, are taken for a damaged header.
RATES = (1_000, 768_000)

#: The resampling filter is that of resampy 0.2, a sinc times a Kaiser window: how many zeros of the sinc it has on
#: either side, where it rolls off (as a part of the lower Nyquist frequency), and the window's shape.
FILTER_ZEROS = 64
FILTER_ROLL_OFF = 0.9475937167399596
FILTER_BETA = 14.769656459379492

#: The greatest term of the ratio of two sampling rates: the resampling filter has 128 times as many taps.
MAX_TERM = 50_000

#: The level of a copy for listening, and the greatest magnitude of its peaks.
LISTENING_RMS = 0.05
LISTENING_PEAK = 0.99

#: How libsndfile notes how many bytes of samples a file says that it has, and how many it has if not as many.
_CLAIM = re.compile(r"^\s*(?:data|SSND|Data Size|Riff size)\s*: (\d+)(?: \(should be (\d+)\))?", re.MULTILINE)

#: The length of the longest Ogg page, in bytes.
_MAX_OGG_PAGE = 65_307


def load_sound(path: str | os.PathLike, sampling_rate: int, samples: int, fit: str | None = None) -> np.ndarray:
    """Load a sound as the released code does.

    The sound is brought to the sampling rate, its mean is removed, and its root mean square becomes 0.1
    (``use_audio_path_specified_audio`` in ``metamer_helpers.py`` of the released code, which resampled with resampy;
    `resample` has resampy's filter). Mean and root mean square are those of what is returned, after fitting. Several
    channels, which the released code could not load, are averaged first.

    A length is right that differs by no more than one sample at the lower of the two rates, because programs that
    cut and convert sounds round differently; the last samples are then dropped, or zeros added.

    Args:
        path: a file that libsndfile can read.
        sampling_rate: sampling rate of the result, in Hz.
        samples: length of the result, from 2 to `MAX_SAMPLES`.
        fit: what to do with another length, which is refused by default: ``"pad"`` puts silence after a sound that
            is too short, ``"trim"`` drops the end of one that is too long, ``"centre"`` puts silence on both sides
            or keeps the middle. No more of a file is read than is kept.

    Returns:
        float32 array (samples,), of mean 0 and root mean square 0.1.

    Raises:
        ArgumentError: an unknown way to fit, or a sampling rate or length that is none.
        StimulusError: the path is none; the file is missing, empty, damaged, cut short or no sound; it is silent, has
            samples that are not finite or a sampling rate that cannot be used; or it has another length.
    """
    sampling_rate = checked_whole_number("sampling rate", sampling_rate, minimum=1)
    samples = checked_whole_number("number of samples", samples, minimum=2)
    if samples > MAX_SAMPLES:
        raise ArgumentError(f"The number of samples is {samples}; at most {MAX_SAMPLES} were expected, give fewer.")
    if fit is not None and fit not in FITS:
        raise ArgumentError(f"The way to fit a sound is {fit!r}; one of {', '.join(FITS)} was expected.")
    path = _checked_path(path)
    with _opened(path) as file:
        _check_rate(path, file.samplerate, sampling_rate)
        length = _length(file, sampling_rate)
        _check_length(path, file, samples, sampling_rate, fit)
        # Negative where silence is to come first.
        first = (length - samples) // 2 if fit == "centre" and not _is_right_length(file, samples, sampling_rate) else 0
        ratio = Fraction(sampling_rate, file.samplerate)
        begin, waveform = _read(path, file, ratio, max(first, 0), samples)
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

    It is what ``reproduce/bundled_corpus.py`` makes for listening: espeak-ng 1.51 in the voice ``en-us+m5`` (pitch 50,
    140 words a minute), of a vocal tract that the bundled networks never heard in training.
    """
    return Path(__file__).with_name("human.wav")


def sound_length(path: str | os.PathLike, sampling_rate: int) -> int:
    """Return how many samples a sound would have at a sampling rate, without reading it.

    Args:
        path: a file that libsndfile can read.
        sampling_rate: in Hz.

    Raises:
        ArgumentError: the sampling rate is no whole number from 1.
        StimulusError: the path is none; the file is missing, empty, damaged, cut short or no sound, or has a sampling
            rate that cannot be used.
    """
    sampling_rate = checked_whole_number("sampling rate", sampling_rate, minimum=1)
    path = _checked_path(path)
    with _opened(path) as file:
        _check_rate(path, file.samplerate, sampling_rate)
        return _length(file, sampling_rate)


def sound_extent(path: str | os.PathLike) -> tuple[int, int]:
    """Return how many samples a sound has and its sampling rate in Hz, without reading it.

    Args:
        path: a file that libsndfile can read.

    Raises:
        StimulusError: the path is none; the file is missing, empty, damaged, cut short or no sound, or has a sampling
            rate that cannot be used.
    """
    path = _checked_path(path)
    with _opened(path) as file:
        _check_rate(path, file.samplerate, file.samplerate)
        return file.frames, file.samplerate


def resample(waveform: np.ndarray, from_rate: int, to_rate: int) -> np.ndarray:
    """Bring a waveform to another sampling rate, with the filter that resampy 0.2 had by default (``kaiser_best``).

    The released code resampled with resampy 0.2.1. The waveform is taken as zero beyond its ends. ``docs/sounds.md``
    has the differences.

    Args:
        waveform: float array (samples,).
        from_rate: its sampling rate in Hz.
        to_rate: the sampling rate of the result in Hz.

    Returns:
        float64 array of ``samples * to_rate / from_rate`` samples, rounded.

    Raises:
        ArgumentError: a sampling rate is no whole number from 1.
    """
    waveform = np.asarray(waveform, np.float64)
    from_rate, to_rate = (checked_whole_number("sampling rate", rate, minimum=1) for rate in (from_rate, to_rate))
    ratio = Fraction(to_rate, from_rate)
    if ratio == 1:
        return waveform
    low_pass = _low_pass(max(ratio.numerator, ratio.denominator))
    resampled = signal.resample_poly(waveform, ratio.numerator, ratio.denominator, window=low_pass)
    return resampled[: round(len(waveform) * ratio)]


@functools.lru_cache(maxsize=8)
def _low_pass(widest: int) -> np.ndarray:
    """Return the resampling filter for a ratio whose greatest term is given; designing it takes longer than its use."""
    zeros = np.arange(-FILTER_ZEROS * widest, FILTER_ZEROS * widest + 1) / widest
    window = signal.windows.kaiser(len(zeros), FILTER_BETA)
    return np.sinc(FILTER_ROLL_OFF * zeros) * window * (FILTER_ROLL_OFF / widest)


def save_sound(waveform: np.ndarray, path: str | os.PathLike, sampling_rate: int) -> None:
    """Save a waveform as a WAV file of 32-bit floating-point samples, exactly and whole or not at all.

    The same waveform gives the same bytes.

    Args:
        waveform: float array (samples,); values beyond full scale are kept.
        path: the file to write.
        sampling_rate: in Hz.

    Raises:
        ResultError: the file cannot be written.
    """
    # SciPy writes no time into the file, and says what went wrong as an OSError; soundfile does neither.
    with atomic_write(path) as partial:
        wavfile.write(partial, sampling_rate, np.asarray(waveform, np.float32))


def read_saved(path: str | os.PathLike) -> np.ndarray:
    """Read a waveform that `save_sound` wrote, exactly: float32 (samples,).

    Raises:
        ResultError: the file is missing, damaged or cut short.
    """
    try:
        with _opened(_checked_path(path)) as file:
            return file.read(dtype="float32")
    except (StimulusError, soundfile.LibsndfileError) as error:
        raise ResultError(f"{path} is not as it was saved: {error}") from error


def save_listening_copy(waveform: np.ndarray, path: str | os.PathLike, sampling_rate: int) -> None:
    """Save a waveform as a WAV file of 16 bits that any player plays, at a level that is always the same.

    The root mean square becomes 0.05; a sound whose peaks would exceed 0.99 of full scale is made softer as a whole
    until they do not, so that nothing is clipped. Silence stays silence.

    Args:
        waveform: float array (samples,).
        path: the file to write.
        sampling_rate: in Hz.

    Raises:
        ResultError: the file cannot be written.
    """
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
    """Draw pink noise, whose power falls as one over the frequency, as the released code starts from.

    A complex normal spectrum is divided by the square root of its bin's number, from 1; the waveform's root mean
    square becomes 0.1, its mean is removed, and it is multiplied by ``rms / 0.1``, the ``audio_scaling`` of
    ``make_initialization_op_pink_audio`` in ``metamer_helpers.py`` of the released code. An odd length is drawn one
    sample longer.

    Args:
        samples: length, from 2.
        generator: draws the spectrum.
        rms: root mean square before the mean is removed, and so a little more than the result's.

    Returns:
        float32 array (samples,), of mean 0.

    Raises:
        ArgumentError: the length is no whole number from 2.
    """
    samples = checked_whole_number("number of samples", samples, minimum=2)
    bins = (samples + 1) // 2 + 1
    spectrum = generator.standard_normal(bins) + 1j * generator.standard_normal(bins)
    waveform = np.fft.irfft(spectrum / np.sqrt(np.arange(1, bins + 1)))[:samples]
    waveform *= RMS / root_mean_square(waveform)
    return ((waveform - waveform.mean()) * (rms / RMS)).astype(np.float32)


def _checked_path(path: str | os.PathLike) -> Path:
    try:
        return Path(path)
    except TypeError as error:
        raise StimulusError(f"The path of a sound is {path!r}; text or a path was expected.") from error


def _opened(path: Path) -> soundfile.SoundFile:
    """Open a sound that is all there."""
    if not path.is_file():
        raise StimulusError(f"There is no file {path}; give a sound.")
    if path.stat().st_size == 0:
        raise StimulusError(f"{path} is empty; give a sound.")
    try:
        file = soundfile.SoundFile(path)
    except (soundfile.LibsndfileError, TypeError) as error:
        reason = str(getattr(error, "error_string", error)).strip(" .")
        raise StimulusError(
            f"{path} is damaged, or not a sound that libsndfile can read ({reason}); give a WAV or FLAC."
        ) from error
    try:
        _check_whole(path, file)
    except StimulusError:
        file.close()
        raise
    return file


def _check_rate(path: Path, rate: int, sampling_rate: int) -> None:
    if not RATES[0] <= rate <= RATES[1]:
        raise StimulusError(
            f"{path} has a sampling rate of {rate} Hz; {RATES[0]} to {RATES[1]} Hz were expected, so its header may "
            "be damaged; save it again from its source."
        )
    ratio = Fraction(sampling_rate, rate)
    if max(ratio.numerator, ratio.denominator) > MAX_TERM:
        raise StimulusError(
            f"{path} has a sampling rate of {rate} Hz, whose ratio to {sampling_rate} Hz has too large terms to be "
            "resampled; convert it to 48000 Hz first."
        )


def _check_whole(path: Path, file: soundfile.SoundFile) -> None:
    """Refuse a file that has less than it says, which libsndfile reads as if it were a shorter one."""
    if file.frames < 1:
        raise StimulusError(f"{path} has no samples: it is cut short or was never finished; get the file again.")
    if file.frames >= 2**62:
        raise StimulusError(f"{path} does not say how long it is, as a stream; save it as a file first.")
    for claimed, there in _CLAIM.findall(file.extra_info):
        missing = int(claimed) - int(there or path.stat().st_size)
        # Some programs write a size that is off by the eight bytes of a chunk's head.
        if missing > 8 and not _is_of_a_stream(int(claimed)):
            raise StimulusError(f"{path} is cut short: {missing} bytes are missing; get the file again.")
    if file.format == "OGG" and not _ends_as_ogg(path):
        raise StimulusError(f"{path} is cut short: the end of its Ogg stream is missing; get the file again.")


def _is_of_a_stream(claimed: int) -> bool:
    """Tell whether a number of bytes stands for an unknown one: programs that write to a pipe put the greatest."""
    return claimed | 0xFFF in (0x7FFF_FFFF, 0xFFFF_FFFF)


def _ends_as_ogg(path: Path) -> bool:
    """Tell whether the last page of an Ogg file is whole and is marked as the last of its stream (RFC 3533)."""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - 2 * _MAX_OGG_PAGE))
        tail = stream.read()
    page = tail[tail.rfind(b"OggS") :]
    if len(page) < 27 or len(page) < 27 + page[26]:
        return False
    lengths = page[27 : 27 + page[26]]
    return bool(page[5] & 4) and len(page) >= 27 + len(lengths) + sum(lengths)


def _length(file: soundfile.SoundFile, sampling_rate: int) -> int:
    return round(Fraction(file.frames * sampling_rate, file.samplerate))


def _check_length(path: Path, file: soundfile.SoundFile, samples: int, sampling_rate: int, fit: str | None) -> None:
    rate, length = file.samplerate, _length(file, sampling_rate)
    if length < 1:
        raise StimulusError(f"{path} is shorter than one sample at {sampling_rate} Hz; give a longer sound.")
    if fit == "centre" or _is_right_length(file, samples, sampling_rate):
        return
    way = "pad" if file.frames * sampling_rate < samples * rate else "trim"
    if fit == way:
        return
    raise StimulusError(
        f"{path} lasts {file.frames / rate:.6g} s ({length} samples at {sampling_rate} Hz); "
        f"{samples / sampling_rate:.6g} s ({samples} samples) were expected. "
        f"Fit it by {way!r} or 'centre', on the command line by --fit {way} or --fit centre."
    )


def _is_right_length(file: soundfile.SoundFile, samples: int, sampling_rate: int) -> bool:
    """Tell whether a sound's length differs by no more than one sample at the lower of the two rates."""
    return abs(file.frames * sampling_rate - samples * file.samplerate) <= max(file.samplerate, sampling_rate)


def _read(path: Path, file: soundfile.SoundFile, ratio: Fraction, first: int, samples: int) -> tuple[int, np.ndarray]:
    """Return the average of the channels, of what `samples` samples from `first` are made from after resampling.

    Returns:
        The place in the file that it begins at, which falls on a sample of the result, and a float64 array.
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
            f"{path} has samples that are NaN, infinite or beyond the range of 32 bits; save it again from its source."
        )
    level = root_mean_square(waveform - waveform.mean())
    if level < MIN_RMS:
        raise StimulusError(
            f"{path} is silent: with its channels averaged and its mean removed, its root mean square is {level:.1g}; "
            "give a sound."
        )
