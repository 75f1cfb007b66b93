"""Clips of recordings, read and resampled inside a `tf.data` pipeline."""

import math
from collections.abc import Callable, Iterable
from functools import cache

import numpy as np
import soundfile
import tensorflow as tf

from tfmetamers.errors import StimulusError
from tfmetamers.stimuli.sounds import resample

#: The length of the filter of Speex's resampler at the quality that tensorflow-io has it at, in samples at the lower
#: rate; what is resampled comes half of it late.
SPEEX_TAPS = 64


def clip_reader(files: Iterable[str], sampling_rate: int, samples: int) -> Callable:
    """Return the function that reads a clip, for `tf.data.Dataset.map`.

    tensorflow-io decodes and resamples where it loads and all recordings are WAV or FLAC of 16 bits; elsewhere
    soundfile and SciPy do. `docs/training.md` says by how much the two differ.

    Args:
        files: every recording that it will be asked for.
        sampling_rate: of the clips, in Hz.
        samples: length of the clips.

    Returns:
        From the path of a recording (text), the start of the clip (float32, s, negative for silence before the
        recording) and its place within what follows (float32, 0 for right at the start, 1 for as late as the
        recording allows) to float32 (samples,), channels averaged, zeros where the recording has ended.
    """
    if load_tensorflow_io() is not None and all(_has_sixteen_bits(file) for file in set(files)):
        return tensorflow_io_reader(sampling_rate, samples)
    return soundfile_reader(sampling_rate, samples)


@cache
def load_tensorflow_io():
    """Return the module tensorflow_io where its operations load into this TensorFlow, else None."""
    try:
        import tensorflow_io

        tensorflow_io.audio.resample(tf.zeros([8]), 2, 1)
    except (ImportError, NotImplementedError, AttributeError, tf.errors.OpError):
        return None
    return tensorflow_io


def _has_sixteen_bits(file: str) -> bool:
    try:
        information = soundfile.info(file)
    except (RuntimeError, OSError):
        return False
    return information.format in ("WAV", "FLAC") and information.subtype == "PCM_16"


def soundfile_reader(sampling_rate: int, samples: int) -> Callable:
    """Return the function of `clip_reader` by soundfile and SciPy."""

    def read(file: bytes, start: float, place: float) -> np.ndarray:
        try:
            with soundfile.SoundFile(file.decode()) as sound:
                rate = sound.samplerate
                needed = math.ceil(samples * rate / sampling_rate)
                first = _first_sample(start, place, sound.frames, rate, needed)
                sound.seek(min(max(first, 0), sound.frames))
                waveform = sound.read(max(needed + min(first, 0), 0), dtype="float32", always_2d=True).mean(axis=1)
        except (RuntimeError, OSError) as error:
            raise StimulusError(f"{file.decode()} cannot be read: {error}; check the file.") from error
        before = min(max(-first, 0), needed)
        waveform = np.pad(waveform, (before, needed - before - len(waveform)))
        resampled = waveform if rate == sampling_rate else resample(waveform, rate, sampling_rate)
        return np.pad(resampled, (0, max(samples - len(resampled), 0)))[:samples].astype(np.float32)

    def clip(file, start, place):
        waveform = tf.numpy_function(read, [file, start, place], tf.float32, stateful=False)
        return tf.ensure_shape(waveform, [samples])

    return clip


def _first_sample(start: float, place: float, frames: int, rate: int, needed: int) -> int:
    first = round(float(start) * rate)
    # In single precision, as tensorflow_io_reader has it: else some clips would begin a sample apart.
    return first + int(np.float32(place) * np.float32(max(frames - first - needed, 0)))


def tensorflow_io_reader(sampling_rate: int, samples: int) -> Callable:
    """Return the function of `clip_reader` by tensorflow-io, for recordings of 16 bits."""
    tensorflow_io = load_tensorflow_io()

    def clip(file, start, place):
        recording = tensorflow_io.IOTensor.graph(tf.int16).from_audio(file)
        rate, frames = tf.cast(recording.rate, tf.int64), tf.cast(recording.shape[0], tf.int64)
        needed = -(-samples * rate // sampling_rate)
        first = tf.cast(tf.round(tf.cast(start, tf.float64) * tf.cast(rate, tf.float64)), tf.int64)
        room = tf.cast(tf.maximum(frames - first - needed, 0), tf.float32)
        first += tf.cast(place * room, tf.int64)
        late = _latency(rate, sampling_rate)
        begin = tf.clip_by_value(first, 0, frames)
        end = tf.clip_by_value(first + needed + late, begin, frames)
        waveform = tf.reduce_mean(tf.cast(recording[begin:end], tf.float32), axis=1) / 2.0**15
        before = tf.minimum(tf.maximum(-first, 0), needed + late)
        after = needed + late - before - (end - begin)
        waveform = tf.pad(waveform, [[before, after]])
        resampled = tf.cond(
            tf.equal(rate, sampling_rate),
            lambda: waveform,
            lambda: _resampled(tensorflow_io, waveform, rate, sampling_rate),
        )
        missing = tf.maximum(samples - tf.shape(resampled)[0], 0)
        return tf.ensure_shape(tf.pad(resampled, [[0, missing]])[:samples], [samples])

    return clip


def _resampled(tensorflow_io, waveform, rate, target: int) -> tf.Tensor:
    """Resample, and make up for how late what is resampled comes."""
    common = _common_divisor(rate, tf.constant(target, tf.int64))
    # Zeros put before make the delay a whole number of samples at both rates.
    delay = -(-_latency(rate, target) // (rate // common)) * (rate // common)
    waveform = tf.pad(waveform, [[delay - _latency(rate, target), 0]])
    resampled = tensorflow_io.audio.resample(waveform, rate, tf.constant(target, tf.int64))
    return resampled[delay * target // rate :]


def _latency(rate, target: int) -> tf.Tensor:
    """Return by how many samples, at the rate of a recording, what is resampled comes late."""
    common = _common_divisor(rate, tf.constant(target, tf.int64))
    taps = tf.where(rate > target, SPEEX_TAPS * (rate // common) // (target // common), SPEEX_TAPS)
    return tf.where(tf.equal(rate, target), tf.zeros([], tf.int64), ((taps - 1) // 8 * 8 + 8) // 2)


def _common_divisor(first, second) -> tf.Tensor:
    return tf.while_loop(lambda a, b: b > 0, lambda a, b: (b, a % b), [first, second])[0]
