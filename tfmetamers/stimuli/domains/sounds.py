"""Waveforms."""

import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tfmetamers.errors import ArgumentError, checked_whole_number, shown
from tfmetamers.recipes import Recipe
from tfmetamers.stimuli import sounds
from tfmetamers.stimuli.domains.domain import Domain, describe_shape
from tfmetamers.utilities.determinism import deterministic_operations

#: A waveform whose root mean square is below the first is taken for silence, one above the second is beyond full scale,
#: and one from the third on is taken for 16-bit samples. Networks of sounds expect 0.1.
MIN_LEVEL, MAX_LEVEL, LEVEL_OF_16_BITS = 1e-4, 1.0, 10.0


@dataclass(frozen=True)
class Sounds(Domain):
    """Waveforms of one length, of root mean square 0.1.

    Attributes:
        sampling_rate: in Hz.
        samples: the length.

    >>> words = Sounds(sampling_rate=8000, samples=8000)
    >>> words.shape, words.duration
    ((8000,), 1.0)
    >>> from tfmetamers.stimuli import sample_word
    >>> round(float(np.std(words.load(sample_word()))), 3)
    0.1
    """

    sampling_rate: int
    samples: int
    name: ClassVar[str] = "sound"
    suffixes: ClassVar[tuple[str, ...]] = sounds.SUFFIXES
    ending: ClassVar[str] = ".wav"
    sound_ending: ClassVar[str | None] = "_listening.wav"
    saved_bytes: ClassVar[int] = 16
    snapshot_bytes: ClassVar[int] = 6
    figure_bytes: ClassVar[int] = 1_000_000
    may_exceed_bounds: ClassVar[bool] = True
    model_recipe: ClassVar[str | None] = "feather2019-audio-waveform"
    model_range: ClassVar[tuple[float, float]] = (-1.0, 1.0)
    unknown_shape: ClassVar[tuple[int | None, ...]] = (None,)

    @property
    def shape(self) -> tuple[int]:
        """The number of samples."""
        return (self.samples,)

    @property
    def duration(self) -> float:
        """The length in seconds."""
        return self.samples / self.sampling_rate

    def load(self, path: Path, fit: str | None = None, recipe: Recipe | None = None) -> np.ndarray:
        """Load a sound (`tfmetamers.stimuli.sounds.load_sound`)."""
        return sounds.load_sound(path, sampling_rate=self.sampling_rate, samples=self.samples, fit=fit)

    def prepare(self, natural: np.ndarray) -> np.ndarray:
        """Return the waveform itself.

        Raises:
            ArgumentError: it is not one that `load` could have returned, is silent, or is too loud to have been scaled
                to a root mean square of 0.1.
        """
        natural = super().prepare(natural)
        level = sounds.root_mean_square(natural)
        if not MIN_LEVEL < level < MAX_LEVEL:
            likeness = ", as 16-bit samples have" if level >= LEVEL_OF_16_BITS else ""
            raise ArgumentError(
                f"The waveform has a root mean square of {level:.3g}{likeness}; 0.1 was expected, with a full scale "
                "of 1, as network.domain.load(FILE) gives."
            )
        return natural

    def differs_only_in_duration(self, other: Domain) -> bool:
        """Tell whether they are sounds of the same sampling rate."""
        return isinstance(other, Sounds) and other.sampling_rate == self.sampling_rate

    def save(self, stimulus: np.ndarray, path: Path, recipe: Recipe | None = None) -> None:
        """Save a waveform as WAV, exactly, and beside it a copy for listening."""
        sounds.save_sound(stimulus, path.with_name(f"{path.name}.wav"), self.sampling_rate)
        sounds.save_listening_copy(stimulus, path.with_name(f"{path.name}_listening.wav"), self.sampling_rate)

    def read(self, path: Path) -> np.ndarray:
        """Read a waveform that `save` wrote, exactly."""
        return sounds.read_saved(path.with_name(f"{path.name}.wav"), self.samples)

    def describe(self) -> str:
        """Describe a stimulus in a few words."""
        return f"{self.samples} samples at {self.sampling_rate} Hz ({self.duration:g} s)"

    @classmethod
    def of_input(cls, shape, network, *, size=None, duration=None, sampling_rate=None):
        """Return the sounds that a model takes (`Domain.of_input`)."""
        if len(shape) not in (1, 2) or shape[1:] not in ((), (1,)):
            raise ArgumentError(
                f"{network} takes an input of shape {describe_shape(shape)}; sounds are (samples,) or (samples, 1). "
                "Leave the sampling rate out for an array, or put layers before it that turn a waveform into its input."
            )
        if sampling_rate is None:
            raise ArgumentError(f"{network} takes sounds; give their sampling rate in Hz with sampling_rate=.")
        if size is not None:
            raise ArgumentError(
                f"{network} got a size of {shown(size)}, and it takes sounds; give their duration instead, if it takes "
                "any."
            )
        rate = checked_whole_number("sampling rate", sampling_rate, minimum=1)
        samples = shape[0]
        if duration is not None:
            is_number = isinstance(duration, numbers.Real) and math.isfinite(duration)
            wanted = round(duration * rate) if is_number else 0
            if wanted < 1 or samples not in (None, wanted):
                takes = "any duration" if samples is None else f"{samples} samples at {rate} Hz"
                raise ArgumentError(f"{network} got a duration of {shown(duration)} s; it takes {takes}.")
            samples = wanted
        if samples is None:
            raise ArgumentError(f"{network} takes sounds of any duration; give the duration in seconds with duration=.")
        return cls(rate, samples), (samples, *shape[1:])

    def to_json(self) -> dict[str, Any]:
        """Return the domain as data."""
        return {"name": self.name, "sampling_rate": self.sampling_rate, "samples": self.samples}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Sounds":
        """Return what `to_json` gave."""
        rate, samples = (checked_whole_number(name, content[name], minimum=1) for name in ("sampling_rate", "samples"))
        return cls(rate, samples)

    def draw(self, figure, stimuli, titles, front_end) -> None:
        """Draw waveforms, and below them what the front end gives."""
        from tfmetamers.cochlea.figures import draw_front_end

        heights = [1.0] if front_end is None else [0.9, 2.4]
        rows = figure.subplots(len(heights), len(stimuli), squeeze=False, height_ratios=heights)
        highest = max(float(np.abs(stimulus).max()) for stimulus in stimuli)
        times = np.arange(self.samples) / self.sampling_rate
        for axes, stimulus, title in zip(rows[0], stimuli, titles, strict=True):
            axes.plot(times, stimulus, linewidth=0.3)
            axes.set(ylim=(-highest, highest), ylabel="amplitude", title=title)
            axes.margins(x=0)
            axes.tick_params(labelbottom=front_end is None)
        if front_end is not None:
            with deterministic_operations():
                shown = front_end(np.stack(stimuli)).numpy()
            draw_front_end(rows[1], shown, front_end)
