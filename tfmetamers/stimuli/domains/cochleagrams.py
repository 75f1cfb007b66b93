"""Cochleagrams in place of waveforms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tfmetamers.recipes import Recipe
from tfmetamers.stimuli import arrays, images
from tfmetamers.stimuli.domains.domain import Domain
from tfmetamers.stimuli.domains.sounds import Sounds
from tfmetamers.utilities.determinism import deterministic_operations


@dataclass(frozen=True)
class Cochleagrams(Domain):
    """Cochleagrams that are optimised themselves, and need not be those of any waveform (paper, Figure S9).

    Natural stimuli are still sounds. Synthesis starts from the cochleagram of the noise that a waveform would start
    from; the paper does not say what it started from, so this is a choice made here.

    Attributes:
        sounds: the sounds that they are made from.
        front_end: from waveforms (batch, samples) to cochleagrams (batch, channels, envelope samples, 1); None where
            the domain was read from a record: its stimuli can be read and compared, but none can be made.
        settings: those of the front end.
        shape: of one cochleagram.
        recipe: the name of the recipe for metamers that are optimised so.

    >>> from tfmetamers.cochlea import CochleagramSettings, build_front_end
    >>> settings = CochleagramSettings(sampling_rate=8000, samples=2000, high_limit=3800, filters=8, window=201)
    >>> front_end = build_front_end("exact", settings)
    >>> cochleagrams = Cochleagrams.of_front_end(Sounds(8000, 2000), front_end, front_end.output_shape)
    >>> cochleagrams.describe()
    'a cochleagram of 43 channels x 50 samples, of 2000 samples at 8000 Hz (0.25 s)'
    >>> tone = 0.14 * np.sin(2 * np.pi * 1000 * np.arange(2000) / 8000)
    >>> cochleagrams.prepare(tone).shape
    (43, 50, 1)
    """

    sounds: Sounds
    front_end: Callable | None = field(compare=False)
    settings: Mapping[str, Any]
    shape: tuple[int, int, int]
    name: ClassVar[str] = "cochleagram"
    suffixes: ClassVar[tuple[str, ...]] = Sounds.suffixes
    ending: ClassVar[str] = ".npy"
    saved_bytes: ClassVar[int] = 12
    snapshot_bytes: ClassVar[int] = 6
    figure_bytes: ClassVar[int] = 1_000_000
    recipe: ClassVar[str] = "feather2019-audio-cochleagram"

    @classmethod
    def of_front_end(cls, sounds: Sounds, front_end: Callable, shape: tuple[int, int, int]) -> "Cochleagrams":
        """Return what a front end makes of sounds, in the shape that a network takes."""
        return cls(sounds, front_end, front_end.settings.to_json(), shape)

    @property
    def duration(self) -> float:
        """The length of the sounds in seconds."""
        return self.sounds.duration

    @property
    def of_natural_stimuli(self) -> Sounds:
        """The domain of the natural stimuli that are loaded: sounds."""
        return self.sounds

    def load(self, path: Path, fit: str | None = None, recipe: Recipe | None = None) -> np.ndarray:
        """Load a sound (`tfmetamers.stimuli.sounds.load_sound`)."""
        return self.sounds.load(path, fit)

    def prepare(self, natural: np.ndarray) -> np.ndarray:
        """Return the cochleagram of a waveform.

        Raises:
            ArgumentError: the waveform has another length, or is silent or too loud.
        """
        return self._cochleagram(self.sounds.prepare(natural))

    def noise(self, recipe: Recipe, digest: str, layer: str, seed: int) -> np.ndarray:
        """Return the cochleagram of the noise that a waveform would start from."""
        return self._cochleagram(self.sounds.noise(recipe, digest, layer, seed))

    def _cochleagram(self, waveform: np.ndarray) -> np.ndarray:
        with deterministic_operations():
            return self.front_end(waveform[None]).numpy()[0]

    def save(self, stimulus: np.ndarray, path: Path, recipe: Recipe | None = None) -> None:
        """Save a cochleagram as a NumPy array, and a picture of it: low frequencies below, zero white."""
        arrays.save_array(stimulus, path.with_name(f"{path.name}.npy"))
        darkness = stimulus[::-1] / max(float(stimulus.max()), 1e-12)
        images.save_image(np.repeat(1.0 - darkness, 3, axis=2), path.with_name(f"{path.name}.png"))

    def read(self, path: Path) -> np.ndarray:
        """Read a cochleagram that `save` wrote, exactly."""
        return arrays.read_saved(path.with_name(f"{path.name}.npy"), self.shape)

    def describe(self) -> str:
        """Describe a stimulus in a few words."""
        channels, samples, _ = self.shape
        return f"a cochleagram of {channels} channels x {samples} samples, of {self.sounds.describe()}"

    def to_json(self) -> dict[str, Any]:
        """Return the domain as data, all but the function of the front end."""
        described = {"name": self.name, "shape": list(self.shape), "front_end": dict(self.settings)}
        return {**self.sounds.to_json(), **described}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Cochleagrams":
        """Return what `to_json` gave, without the front end."""
        return cls(Sounds.from_json(content), None, dict(content["front_end"]), tuple(content["shape"]))

    def draw(self, figure, stimuli, titles, front_end) -> None:
        """Draw cochleagrams."""
        from tfmetamers.cochlea.figures import draw_front_end

        (row,) = figure.subplots(1, len(stimuli), squeeze=False)
        draw_front_end(row, np.stack(stimuli), self.front_end)
        for axes, title in zip(row, titles, strict=True):
            axes.set_title(title)
