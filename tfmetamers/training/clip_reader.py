"""Reading and resampling clips of recordings inside a `tf.data` pipeline."""

import math
from collections.abc import Callable, Iterable, Mapping
from functools import cache

import numpy as np
import soundfile
import tensorflow as tf

from tfmetamers.errors import StimulusError
from tfmetamers.stimuli.sounds import resample

#: tensorflow-io decodes whole recordings; those longer than this, in s, are left to soundfile, which reads a part.
MAX_SECONDS = 60.0


def clip_reader(files: Iterable[str], sampling_rate: int, samples: int) -> Callable:
    """Return the function that reads a clip, for `tf.data.Dataset.map`; clips may be read in parallel.

    tensorflow-io decodes if it loads and all recordings are 16-bit WAV of at most `MAX_SECONDS`; otherwise soundfile
    does. Both give the same samples. `tfmetamers.stimuli.sounds.resample` brings them to the sampling rate;
    ``docs/training.md`` says why tensorflow-io's resampler is not used.

    Args:
        files: every recording that will be read.
        sampling_rate: sampling rate of the clips, in Hz.
        samples: length of the clips.

    Returns:
        A function of the path of a recording (text), the start of the clip (float32, s, negative for silence before
        the recording) and its place within what follows (float32, 0 for right at the start, 1 for as late as the
        recording allows). It returns float32 (samples,), with channels averaged and zeros after the recording's end.
    """
    files = sorted(set(files))
    if load_tensorflow_io() is not None:
        rates = {file: _rate_for_tensorflow_io(file) for file in files}
        if all(rates.values()):
            return tensorflow_io_reader(rates, sampling_rate, samples)
    return soundfile_reader(sampling_rate, samples)


@cache
def load_tensorflow_io():
    """Return the module tensorflow_io if its operations load into this TensorFlow, else None."""
    try:
        import tensorflow_io

        tensorflow_io.audio.encode_wav(tf.zeros([8, 1], tf.int16), rate=8000)
    except (ImportError, NotImplementedError, AttributeError, tf.errors.OpError):
        return None
    return tensorflow_io


def _rate_for_tensorflow_io(file: str) -> int | None:
    """Return the sampling rate of a recording that tensorflow-io can be trusted with, None for any other."""
    try:
        information = soundfile.info(file)
    except (RuntimeError, OSError):
        return None
    is_plain = (information.format, information.subtype) == ("WAV", "PCM_16")
    return information.samplerate if is_plain and information.duration <= MAX_SECONDS else None


def soundfile_reader(sampling_rate: int, samples: int) -> Callable:
    """Return the function of `clip_reader` that uses soundfile, which reads only the clip."""

    def read(file: bytes, start: float, place: float) -> np.ndarray:
        def part(first: int, count: int) -> np.ndarray:
            sound.seek(first)
            return sound.read(count, dtype="float32", always_2d=True)

        try:
            with soundfile.SoundFile(file.decode()) as sound:
                return _clip(part, sound.frames, sound.samplerate, start, place, sampling_rate, samples)
        except (RuntimeError, OSError) as error:
            raise StimulusError(f"{file.decode()} cannot be read: {error}; check the file.") from error

    return _operation(read, samples, lambda file: file)


def tensorflow_io_reader(rates: Mapping[str, int], sampling_rate: int, samples: int) -> Callable:
    """Return the function of `clip_reader` that uses tensorflow-io, for 16-bit recordings.

    Args:
        rates: the sampling rate of each recording, in Hz.
        sampling_rate: sampling rate of the clips, in Hz.
        samples: length of the clips.
    """
    decode_wav = load_tensorflow_io().audio.decode_wav

    def read(recording: np.ndarray, file: bytes, start: float, place: float) -> np.ndarray:
        def part(first: int, count: int) -> np.ndarray:
            return recording[first : first + count].astype(np.float32) / 2.0**15

        return _clip(part, len(recording), rates[file.decode()], start, place, sampling_rate, samples)

    return _operation(read, samples, lambda file: (decode_wav(tf.io.read_file(file), dtype=tf.int16), file))


def _operation(read: Callable, samples: int, source: Callable) -> Callable:
    def clip(file, start, place):
        given = tf.nest.flatten(source(file))
        waveform = tf.numpy_function(read, [*given, start, place], tf.float32, stateful=False)
        return tf.ensure_shape(waveform, [samples])

    return clip


def _clip(part: Callable, frames: int, rate: int, start, place, sampling_rate: int, samples: int) -> np.ndarray:
    """Return a clip of a recording; `part` gives the recording's (count, channels) from a first sample on."""
    needed = math.ceil(samples * rate / sampling_rate)
    first = round(float(start) * rate)
    first += int(np.float32(place) * np.float32(max(frames - first - needed, 0)))
    before = min(max(-first, 0), needed)
    waveform = part(min(max(first, 0), frames), needed - before).mean(axis=1)
    waveform = np.pad(waveform, (before, needed - before - len(waveform)))
    resampled = resample(waveform, rate, sampling_rate)
    return np.pad(resampled, (0, max(samples - len(resampled), 0)))[:samples].astype(np.float32)
