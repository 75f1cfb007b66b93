"""The filter bank of the cochleagram: half-cosine filters, evenly spaced on the ERB-number scale.

It is the bank of ``make_erb_cos_filters_nx`` in the package pycochleagram (McDermott laboratory), which the released
networks were trained on, over the non-negative frequencies only.
"""

import math
from dataclasses import dataclass
from numbers import Real

import numpy as np

from tfmetamers.errors import ArgumentError, checked_whole_number

#: Glasberg and Moore's ERB scale with pycochleagram's rounding (9.265, not 9.26449): the bandwidth at 0 Hz, in Hz, and
#: the quality of the filters.
ERB_AT_ZERO = 24.7
ERB_QUALITY = 9.265

#: The maximum number of values in the transfer functions: 2 GiB of float64.
MAX_BANK = 2**28


@dataclass(frozen=True)
class FilterBank:
    """The filters' transfer functions, from the lowest channel to the highest.

    Attributes:
        transfer_functions: float64 (channels, samples / 2 + 1), the gain at each frequency from 0 Hz to the
            Nyquist frequency. Their squares add up to 1 at every frequency where both end filters are there.
        center_frequencies: float64 (channels,), in Hz. Low- and high-pass filters have a centre too, where the
            spacing would put the next band; 1 Hz stands for a centre below zero.

    >>> bank = erb_filter_bank(8000, 2000, low_limit=50, high_limit=3800, filters=8)
    >>> bool(np.allclose((bank.transfer_functions**2).sum(axis=0), 1.0))
    True
    """

    transfer_functions: np.ndarray
    center_frequencies: np.ndarray


def hertz_to_erb_number(frequency):
    """Return the place of a frequency (Hz, from 0) on the ERB-number scale."""
    return ERB_QUALITY * np.log1p(frequency / (ERB_AT_ZERO * ERB_QUALITY))


def erb_number_to_hertz(number):
    """Return the frequency in Hz of a place on the ERB-number scale."""
    return ERB_AT_ZERO * ERB_QUALITY * np.expm1(number / ERB_QUALITY)


def erb_filter_bank(
    sampling_rate: int,
    samples: int,
    *,
    low_limit: float,
    high_limit: float,
    filters: int,
    sample_factor: int = 4,
    low_pass: bool = True,
    high_pass: bool = True,
) -> FilterBank:
    """Make the filter bank for sounds of one length.

    With `n` filters and sample factor `s` there are ``s * (n + 1) - 1`` band-pass filters, each half a period of a
    cosine on the ERB-number scale, `s` times as dense as the `n` filters that would just cover the range. Below and
    above them are `s` low-pass and `s` high-pass filters, which complement the outermost bands.

    Args:
        sampling_rate: in Hz.
        samples: length of the sounds; even.
        low_limit: in Hz; the centres of the band-pass filters are spaced evenly between the limits.
        high_limit: in Hz, at most half the sampling rate.
        filters: the number of filters that cover the range once, `n`.
        sample_factor: how many times they cover it, `s`: 1 or an even number.
        low_pass: include the low-pass filters.
        high_pass: include the high-pass filters.

    Raises:
        ArgumentError: a value has the wrong type or is out of range, the bank would be larger than 2 GiB, or the sounds
            are so short that a filter falls between two of their frequencies.

    >>> bank = erb_filter_bank(8000, 2000, low_limit=50, high_limit=3800, filters=8)
    >>> bank.transfer_functions.shape, bool((np.diff(bank.center_frequencies) >= 0).all())
    ((43, 1001), True)
    """
    check_filter_bank(sampling_rate, samples, low_limit, high_limit, filters, sample_factor, low_pass, high_pass)
    bands = sample_factor * (filters + 1) - 1
    low, high = hertz_to_erb_number(low_limit), hertz_to_erb_number(high_limit)
    spacing = (high - low) / (bands + 1)
    centers = np.linspace(low, high, bands + 2)[1:-1]
    frequencies = hertz_to_erb_number(np.linspace(0.0, sampling_rate / 2, samples // 2 + 1))

    distances = (frequencies - centers[:, None]) / (sample_factor * spacing)
    band_pass = np.where(np.abs(distances) < 1, np.cos(np.pi / 2 * distances), 0.0)
    lowest, highest = slice(0, sample_factor), slice(bands - sample_factor, bands)
    below = np.where(frequencies < centers[lowest, None], _complement(band_pass[lowest]), 0.0)
    above = np.where(frequencies > centers[highest, None], _complement(band_pass[highest]), 0.0)

    shift = sample_factor * spacing
    parts = [(band_pass, centers)]
    if low_pass:
        parts.insert(0, (below, centers[lowest] - shift))
    if high_pass:
        parts.append((above, centers[highest] + shift))
    transfer_functions = np.concatenate([part for part, _ in parts]) / np.sqrt(sample_factor)
    center_frequencies = erb_number_to_hertz(np.concatenate([places for _, places in parts]))
    if not transfer_functions.any(axis=1).all():
        raise ArgumentError(
            f"With {filters} filters and sample factor {sample_factor}, some filters are narrower than the "
            f"{sampling_rate / samples:.4g} Hz between the frequencies of {samples} samples; "
            "use fewer filters or longer sounds."
        )
    return FilterBank(transfer_functions, np.where(center_frequencies < 0, 1.0, center_frequencies))


def count_channels(filters: int, sample_factor: int, low_pass: bool, high_pass: bool) -> int:
    """Return the number of channels, including low- and high-pass filters."""
    return sample_factor * (filters + 1) - 1 + sample_factor * (low_pass + high_pass)


def check_filter_bank(
    sampling_rate, samples, low_limit, high_limit, filters, sample_factor, low_pass, high_pass
) -> None:
    """Check the arguments of `erb_filter_bank`, and raise its `ArgumentError`."""
    whole = {
        "sampling rate": sampling_rate,
        "number of samples": samples,
        "number of filters": filters,
        "sample factor": sample_factor,
    }
    for name, value in whole.items():
        checked_whole_number(name, value, minimum=1)
    for name, value in {"low limit": low_limit, "high limit": high_limit}.items():
        require_positive(name, value)
    for name, value in {"low_pass": low_pass, "high_pass": high_pass}.items():
        if not isinstance(value, bool | np.bool_):
            raise ArgumentError(f"{name} is {value!r}; True or False was expected.")
    if samples % 2:
        raise ArgumentError(
            f"The number of samples is {samples}, which is odd; add or remove one, because the filters need the "
            "Nyquist frequency."
        )
    if sample_factor != 1 and sample_factor % 2:
        raise ArgumentError(f"The sample factor is {sample_factor}; 1 or an even number was expected.")
    if low_limit >= high_limit:
        raise ArgumentError(
            f"The low limit is {low_limit} Hz; less than the high limit, {high_limit} Hz, was expected."
        )
    if high_limit > sampling_rate / 2:
        raise ArgumentError(
            f"The high limit is {high_limit} Hz; at most {sampling_rate / 2:g} Hz was expected, half the sampling rate."
        )
    size = count_channels(filters, sample_factor, low_pass, high_pass) * (samples // 2 + 1)
    if size > MAX_BANK:
        raise ArgumentError(
            f"{filters} filters at sample factor {sample_factor} over {samples} samples would take "
            f"{size * 8 / 2**30:.3g} GiB; use fewer filters or cut the sound into shorter ones."
        )


def require_positive(name: str, value) -> None:
    """Raise an `ArgumentError` unless the value is a finite number above zero."""
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value) or value <= 0:
        raise ArgumentError(f"The {name} is {value!r}; a finite number above zero was expected.")


def _complement(gains: np.ndarray) -> np.ndarray:
    """Return the gains whose squares, added to those of the given ones, are 1."""
    return np.sqrt(1.0 - gains**2)
