"""Front ends: from a waveform to its cochleagram, differentiably.

Both front ends filter a sound's spectrum into sub-bands, take the envelope of each sub-band (the absolute value of its
analytic signal), low-pass filter and down-sample it, and compress it. They differ in one number, the rate at which an
envelope is sampled before it is low-pass filtered: that of the sound (``exact``, the released pipeline) or the rate
that the sub-band needs (``fast``). ``docs/cochleagram.md`` describes the steps, their sources, and the error and speed
of the fast one.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfmetamers.cochlea.filters import FilterBank, erb_filter_bank, require_positive
from tfmetamers.cochlea.settings import FRONT_ENDS, CochleagramSettings
from tfmetamers.errors import ArgumentError, unknown_name
from tfmetamers.gradients import clipped_power, straight_through_relu

#: The fast front end samples a sub-band as if it were at least this wide, in Hz: in narrower ones, its error comes from
#: the kinks of an envelope that touches zero, which are just as sharp in a narrow sub-band of a periodic sound.
MIN_WIDTH = 1500.0

#: The maximum number of channels that are computed in one operation: more would exceed the processor's cache, and need
#: more memory at once for a batch.
MAX_GROUP_CHANNELS = 32


@dataclass(frozen=True)
class _Group:
    """Neighbouring channels that are computed together.

    Attributes:
        bins: the part of the spectrum that they pass.
        gains: complex (channels, bins), their transfer functions, scaled for the shorter inverse transform.
        points: samples of an envelope for one sample of the cochleagram.
        low_pass: float (taps, points, 1), the filter that precedes down-sampling, one row for each sample of the
            cochleagram that it spans.
        ends: float (2, envelope samples), what to add for the first sample of an envelope and for the one after its
            last; None if the envelope is as long as the sound.
    """

    bins: slice
    gains: tf.Tensor
    points: int
    low_pass: tf.Tensor
    ends: tf.Tensor | None


class FrontEnd:
    """A front end: call it with waveforms to get their cochleagrams.

    It holds only constants, and works inside `tf.function` and outside, with `tf.GradientTape`. Items of a batch do not
    influence each other.

    Attributes:
        name: ``"exact"`` or ``"fast"``.
        settings: the settings of the cochleagram.
        center_frequencies: float64 (channels,), in Hz, including low- and high-pass filters.
        output_shape: shape of one cochleagram: (channels, envelope samples, 1).

    >>> settings = CochleagramSettings(sampling_rate=8000, samples=2000, high_limit=3800, filters=8, window=201)
    >>> front_end = build_front_end("exact", settings)
    >>> front_end(tf.zeros((2, 2000))).shape, front_end.output_shape
    (TensorShape([2, 43, 50, 1]), (43, 50, 1))
    """

    def __init__(self, name: str, settings: CochleagramSettings, oversampling: float):
        """Compute the constants; use `build_front_end`."""
        self.name = name
        self.settings = settings
        self.output_shape = (settings.channels, settings.envelope_samples, 1)
        bank = erb_filter_bank(
            settings.sampling_rate,
            settings.samples + settings.padding,
            low_limit=settings.low_limit,
            high_limit=settings.high_limit,
            filters=settings.filters,
            sample_factor=settings.sample_factor,
            low_pass=settings.low_pass,
            high_pass=settings.high_pass,
        )
        self.center_frequencies = bank.center_frequencies
        # Outside any graph that is being built, so that the constants can serve several.
        with tf.init_scope():
            self._groups = list(_plan(settings, bank, None if name == "exact" else oversampling))

    def __call__(self, waveforms) -> tf.Tensor:
        """Return the cochleagrams of a batch of sounds.

        Args:
            waveforms: float (batch, samples); the released networks expect a root mean square of 0.1.

        Returns:
            float32 (batch, channels, envelope samples, 1), from 0; low frequencies first.

        Raises:
            ArgumentError: the waveforms have another shape.
        """
        settings = self.settings
        scaled = (self.envelope(waveforms) + settings.offset) * settings.scale
        return clipped_power(scaled, settings.exponent, settings.max_slope)

    def envelope(self, waveforms) -> tf.Tensor:
        """Return the down-sampled, rectified envelopes, before they are scaled and compressed.

        Args:
            waveforms: float (batch, samples).

        Returns:
            float32 (batch, channels, envelope samples, 1), from 0. A tone of amplitude 1 gives 0.25 at the peak of a
            filter: a half for the analytic signal times a half for the filter, with sample factor 4.

        Raises:
            ArgumentError: the waveforms have another shape.
        """
        waveforms = tf.cast(tf.convert_to_tensor(waveforms), tf.float32)
        samples = self.settings.samples
        if waveforms.shape.rank != 2 or waveforms.shape[1] != samples:
            raise ArgumentError(f"The waveforms have shape {tuple(waveforms.shape)}; (batch, {samples}) was expected.")
        spectra = tf.signal.rfft(tf.pad(waveforms, [[0, 0], [0, self.settings.padding]]))
        envelopes = [self._envelope_of(group, spectra) for group in self._groups]
        rectify = straight_through_relu if self.settings.relu_gradient == "straight-through" else tf.nn.relu
        return rectify(tf.concat(envelopes, axis=1))[..., None]

    def _envelope_of(self, group: _Group, spectra: tf.Tensor) -> tf.Tensor:
        """Return a group's envelopes (batch, channels, envelope samples), not yet rectified."""
        settings = self.settings
        steps = settings.samples // settings.step
        length = group.points * (steps + settings.padding // settings.step)
        channels, width = group.gains.shape
        # The bins move down to 0 Hz, which changes the phase of the analytic signal and not its absolute value.
        sub_bands = spectra[:, None, group.bins] * group.gains
        sub_bands = tf.pad(sub_bands, [[0, 0], [0, 0], [0, length - width]])
        envelopes = _absolute_value(tf.signal.ifft(sub_bands), settings.floor)
        within = tf.reshape(envelopes[..., : group.points * steps], [-1, steps, group.points])
        filtered = tf.nn.conv1d(within, group.low_pass, 1, settings.downsampling.upper())
        filtered = tf.reshape(filtered, [-1, channels, settings.envelope_samples])
        if group.ends is None:
            return filtered
        after = group.points * steps % length
        return filtered + envelopes[..., :1] * group.ends[0] + envelopes[..., after : after + 1] * group.ends[1]


def build_front_end(
    name: str = "exact", settings: CochleagramSettings | None = None, *, oversampling: float = 4.0
) -> FrontEnd:
    """Build a front end.

    Args:
        name: ``"exact"`` for the released pipeline, or ``"fast"``.
        settings: the settings of the cochleagram; those of the released networks by default.
        oversampling: for ``"fast"``, the sampling rate of a sub-band divided by its width (at least `MIN_WIDTH`), from
            2; the error falls with it.

    Raises:
        ArgumentError: an unknown name, an oversampling below 2, or settings for which there is no filter bank.

    >>> settings = CochleagramSettings(sampling_rate=8000, samples=2000, high_limit=3800, filters=8, window=201)
    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(2000) / 8000)[None]
    >>> exact, fast = (build_front_end(name, settings)(tone) for name in ("exact", "fast"))
    >>> bool(np.abs(exact - fast).max() < 0.01 * np.max(exact))
    True
    """
    if name not in FRONT_ENDS:
        raise unknown_name("front end", name, FRONT_ENDS)
    require_positive("oversampling", oversampling)
    if oversampling < 2:
        raise ArgumentError(f"The oversampling is {oversampling}; at least 2 was expected.")
    return FrontEnd(name, settings or CochleagramSettings(), oversampling)


def _absolute_value(analytic_signals, floor: float):
    """Return the absolute value, at least the floor, where its gradient is 0.

    Without a floor, the gradient at 0 is 0, as with `tf.abs`, which takes twice as long. With one, it is that of
    ``complex_abs`` of chcochleagram.
    """

    @tf.custom_gradient
    def absolute_value(analytic_signals):
        squares = tf.square(tf.math.real(analytic_signals)) + tf.square(tf.math.imag(analytic_signals))
        absolute = tf.sqrt(tf.maximum(squares, floor**2) if floor else squares)

        def gradient(upstream):
            passed = tf.where(squares >= floor**2, upstream, 0.0) if floor else upstream
            return analytic_signals * tf.cast(tf.math.divide_no_nan(passed, absolute), analytic_signals.dtype)

        return absolute, gradient

    return absolute_value(analytic_signals)


def _plan(settings: CochleagramSettings, bank: FilterBank, oversampling: float | None) -> Iterator[_Group]:
    """Divide the channels into groups and compute their constants; without oversampling, at the rate of the sound."""
    total = settings.samples + settings.padding
    passed = [np.flatnonzero(gains) for gains in bank.transfer_functions]
    supports = [(bins[0], bins[-1] + 1) for bins in passed]
    widths = [(stop - start) * settings.sampling_rate / total for start, stop in supports]
    points = [_points(width, settings, oversampling) for width in widths]
    # Without padding, the window has fallen to nothing where the sound begins and ends.
    has_ends = [each != settings.step and settings.downsampling == "same" for each in points]
    first = 0
    while first < len(points):
        length = points[first] * total // settings.step
        last = first + 1
        while (
            last < min(len(points), first + MAX_GROUP_CHANNELS)
            and points[last] == points[first]
            and _spanned(supports[first : last + 1]) <= length
        ):
            last += 1
        start, stop = min(supports[first:last])[0], max(stop for _, stop in supports[first:last])
        yield _Group(
            bins=slice(int(start), int(stop)),
            gains=tf.constant(bank.transfer_functions[first:last, start:stop] * length / total, tf.complex64),
            points=points[first],
            low_pass=tf.constant(_low_pass(settings, points[first])[..., None], tf.float32),
            ends=tf.constant(_ends(settings, points[first]), tf.float32) if has_ends[first] else None,
        )
        first = last


def _spanned(supports) -> int:
    """Return the number of bins from the first to the last that the channels pass."""
    return max(stop for _, stop in supports) - min(start for start, _ in supports)


def _points(width: float, settings: CochleagramSettings, oversampling: float | None) -> int:
    """Return how many samples of an envelope to take for one sample of the cochleagram.

    Unless it is that of the sound, the number has no prime factor above 7, so that Fourier transforms are fast.
    """
    if oversampling is None:
        return settings.step
    points = math.ceil(oversampling * max(width, MIN_WIDTH) / settings.envelope_rate)
    while 210 ** points.bit_length() % points:
        points += 1
    return min(points, settings.step)


def _window(settings: CochleagramSettings, positions: np.ndarray) -> np.ndarray:
    """Return the low-pass filter of the released code at any position, in samples of the sound from its first tap.

    It is a sinc whose centre is half a sample after the middle tap, times a Kaiser window, not normalised.
    """
    last = settings.window - 1
    inside = (positions >= 0) & (positions <= last)
    roots = np.sqrt(np.where(inside, 1.0 - (2.0 * positions / last - 1.0) ** 2, 0.0).clip(0.0))
    kaiser = np.i0(settings.window_beta * roots) / np.i0(settings.window_beta)
    sinc = np.sinc((positions - settings.window / 2) / settings.step) / settings.step
    return np.where(inside, sinc * kaiser, 0.0)


def _first_tap(settings: CochleagramSettings) -> int:
    """Return how many samples before the sound the filter of the first output begins ("SAME" padding)."""
    return (settings.window - settings.step) // 2


def _low_pass(settings: CochleagramSettings, points: int) -> np.ndarray:
    """Return the low-pass filter (taps, points) for envelopes with this many points in a sample of the cochleagram.

    With padding, row `r` is for the points that come ``r - taps // 2`` samples of the cochleagram after the output;
    without, for those that come `r` samples after the first tap.
    """
    step, before = settings.step, _first_tap(settings)
    reach = max(math.ceil(before / step), (settings.window - 1 - before) // step)
    rows = np.arange(-reach, reach + 1)
    if settings.downsampling == "valid":
        before, rows = 0, np.arange(math.ceil(settings.window / step))
    spacing = step / points
    return _window(settings, rows[:, None] * step + np.arange(points) * spacing + before) * spacing


def _ends(settings: CochleagramSettings, points: int) -> np.ndarray:
    """Return the correction, at the two ends of the sound, for summing fewer points.

    A sum over points a distance `h` apart exceeds the integral by `h` / 2 times the difference of the summand between
    the first point and the one after the last (Euler and Maclaurin), so sums over different points differ where the
    sound, padded with zeros, begins and ends.
    """
    positions = _first_tap(settings) - np.arange(settings.envelope_samples) * settings.step
    excess = (settings.step / points - 1.0) / 2.0
    return excess * np.stack([-_window(settings, positions), _window(settings, positions + settings.samples)])
