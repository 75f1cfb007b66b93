"""The settings of a cochleagram, and presets: those of both papers' networks, and of the text of 2019."""

import dataclasses
import math
from dataclasses import dataclass
from numbers import Real
from typing import Any

from tfmetamers.cochlea.filters import check_filter_bank, count_channels, require_positive
from tfmetamers.errors import ArgumentError, checked_whole_number, unknown_name

#: The gradients that the rectification can have.
RELU_GRADIENTS = ("normal", "straight-through")

#: The names of the front ends.
FRONT_ENDS = ("exact", "fast")

#: What the envelope is taken for outside the sound: zeros, or nothing, so that there are fewer samples.
DOWNSAMPLINGS = ("same", "valid")

#: The maximum shape parameter of a Kaiser window, whose computation overflows for much larger ones.
MAX_BETA = 100


@dataclass(frozen=True)
class CochleagramSettings:
    """Everything that a cochleagram depends on apart from the sound; the defaults are the released networks' settings.

    Attributes:
        sampling_rate: of the sounds, in Hz.
        samples: length of the sounds; even, and a multiple of `step`.
        low_limit: in Hz; the centres of the band-pass filters are between the limits.
        high_limit: in Hz, at most half the sampling rate.
        filters: the number of filters that cover the range once.
        sample_factor: how many times they cover it: 1 or an even number.
        low_pass: include low-pass filters below the bands.
        high_pass: include high-pass filters above the bands.
        envelope_rate: sampling rate of the cochleagram, in Hz; divides the sampling rate.
        window: length of the filter that precedes the down-sampling of the envelopes, in samples; odd.
        window_beta: shape of that filter's Kaiser window, from 0 to 100.
        scale: multiplies the envelopes before compression. According to the released code (``linear_max``), the
            released networks' scale is a percentile over a speech dataset.
        exponent: of the compression, above 0 and below 1.
        padding: zeros after a sound before its spectrum is computed, so that its end does not run into its beginning;
            a multiple of `step`. The released code had such a parameter and ignored it.
        downsampling: ``"same"``: the envelope counts as zero outside the sound; ``"valid"``: a sample of the
            cochleagram is there only where the whole window lies within the sound.
        floor: the least that an envelope is at the rate of the sound; below it, there is no gradient.
        offset: added to the down-sampled envelopes before they are scaled.
        relu_gradient: of the rectification of the down-sampled envelopes, ``"normal"`` or ``"straight-through"``, which
            is 1 everywhere.
        max_slope: the slope of the compression is clipped to this.

    Raises:
        ArgumentError: a value has the wrong type or is out of range.

    >>> settings = CochleagramSettings(sampling_rate=8000, samples=8000, high_limit=3800, filters=8)
    >>> settings.channels, settings.envelope_samples
    (43, 200)
    """

    sampling_rate: int = 20000
    samples: int = 40000
    low_limit: float = 20.0
    high_limit: float = 8000.0
    filters: int = 50
    sample_factor: int = 4
    low_pass: bool = True
    high_pass: bool = True
    envelope_rate: int = 200
    window: int = 1001
    window_beta: float = 5.0
    scale: float = 796.87416837456942
    exponent: float = 0.3
    padding: int = 0
    downsampling: str = "same"
    floor: float = 0.0
    offset: float = 0.0
    relu_gradient: str = "normal"
    max_slope: float = 1.0

    def __post_init__(self):
        checked_whole_number("padding", self.padding, minimum=0)
        checked_whole_number("envelope rate", self.envelope_rate, minimum=1)
        checked_whole_number("window", self.window, minimum=1)
        checked_whole_number("number of samples", self.samples, minimum=1)
        require_positive("scale", self.scale)
        require_positive("exponent", self.exponent)
        require_positive("max_slope", self.max_slope)
        choices = {"downsampling": DOWNSAMPLINGS, "relu_gradient": RELU_GRADIENTS}
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise ArgumentError(f"The {name} is {getattr(self, name)!r}; {' or '.join(known)} was expected.")
        for name in ("floor", "offset"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= value < math.inf:
                raise ArgumentError(f"The {name} is {value!r}; 0 or a finite number above it was expected.")
        if not isinstance(self.window_beta, Real) or not 0 <= self.window_beta <= MAX_BETA:
            raise ArgumentError(f"The window_beta is {self.window_beta}; a number from 0 to {MAX_BETA} was expected.")
        check_filter_bank(
            self.sampling_rate,
            self.samples + self.padding,
            self.low_limit,
            self.high_limit,
            self.filters,
            self.sample_factor,
            self.low_pass,
            self.high_pass,
        )
        if self.exponent >= 1:
            raise ArgumentError(f"The exponent is {self.exponent}; less than 1 was expected, to compress.")
        if self.sampling_rate % self.envelope_rate or self.sampling_rate == self.envelope_rate:
            raise ArgumentError(
                f"The envelope rate is {self.envelope_rate} Hz; a divisor of the sampling rate, "
                f"{self.sampling_rate} Hz, that is less than it was expected."
            )
        for name, value in {"number of samples": self.samples, "padding": self.padding}.items():
            if value % self.step:
                raise ArgumentError(
                    f"The {name} is {value}; a multiple of {self.step}, the samples of the sound for one sample of the "
                    "envelope, was expected."
                )
        if self.window % 2 == 0 or not self.step <= self.window <= self.samples:
            raise ArgumentError(
                f"The window has {self.window} samples; an odd number from {self.step}, the samples of the sound for "
                f"one sample of the envelope, to {self.samples}, the whole sound, was expected."
            )

    @property
    def step(self) -> int:
        """The samples of the sound from one sample of the cochleagram to the next."""
        return self.sampling_rate // self.envelope_rate

    @property
    def channels(self) -> int:
        """The number of channels, including low- and high-pass filters."""
        return count_channels(self.filters, self.sample_factor, self.low_pass, self.high_pass)

    @property
    def envelope_samples(self) -> int:
        """The samples of the cochleagram in time."""
        if self.downsampling == "valid":
            return (self.samples - self.window) // self.step + 1
        return self.samples // self.step

    @property
    def times(self) -> tuple[float, float]:
        """Where the samples of the cochleagram begin and end in the sound, in seconds."""
        start = (self.window - self.step) / 2 / self.sampling_rate if self.downsampling == "valid" else 0.0
        return start, start + self.envelope_samples / self.envelope_rate

    def to_json(self) -> dict[str, Any]:
        """Return the settings as data.

        Those that only the front end of 2023 needs are left out where they have their defaults, so that the hashes of
        earlier networks stay as they are.
        """
        added = ("downsampling", "floor", "offset", "relu_gradient", "max_slope")
        defaults = {field.name: field.default for field in dataclasses.fields(self) if field.name in added}
        return {
            name: value
            for name, value in dataclasses.asdict(self).items()
            if name not in defaults or value != defaults[name]
        }

    def replace(self, **fields: Any) -> "CochleagramSettings":
        """Return a copy of these settings with other values for some fields.

        Raises:
            ArgumentError: an unknown field, or a value that cannot be used.
        """
        known = [field.name for field in dataclasses.fields(self)]
        for field in fields:
            if field not in known:
                raise unknown_name("cochleagram setting", field, known)
        return dataclasses.replace(self, **fields)


#: The settings that have names.
PRESETS = {
    "released": CochleagramSettings(),
    "paper_text": CochleagramSettings(filters=40),
    "feather2023": CochleagramSettings(
        low_limit=50.0,
        high_limit=10000.0,
        scale=1.0,
        downsampling="valid",
        floor=1e-8,
        offset=1e-8,
        relu_gradient="straight-through",
        max_slope=5.0,
    ),
}


def find_cochleagram_settings(name: str) -> CochleagramSettings:
    """Return the settings with a name.

    - ``released``: the front end of the released networks, 50 filters, 211 channels.
    - ``paper_text``: that of the paper's text, 40 filters, 171 channels.
    - ``feather2023``: that of the 2023 paper's networks (``cochleagram_1`` of their code, chcochleagram): 211 channels
      up to 10 kHz, 390 samples of 2 s without padding, an offset in place of the scale, a rectification that passes
      gradients, and a slope of the compression of up to 5.

    Raises:
        ArgumentError: there are no settings with that name.

    >>> find_cochleagram_settings("released").channels, find_cochleagram_settings("paper_text").channels
    (211, 171)
    >>> find_cochleagram_settings("feather2023").envelope_samples
    390
    """
    if name not in PRESETS:
        raise unknown_name("preset of cochleagram settings", name, PRESETS)
    return PRESETS[name]
