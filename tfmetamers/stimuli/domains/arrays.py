"""Arrays of any shape."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tfmetamers.errors import ArgumentError
from tfmetamers.recipes import Recipe
from tfmetamers.stimuli import arrays, images
from tfmetamers.stimuli.domains.domain import Domain, filled_shape


@dataclass(frozen=True)
class Arrays(Domain):
    """Arrays of one shape, such as spectrograms, in the network's own units, without bounds.

    Attributes:
        shape: of one array.

    >>> spectrograms = Arrays((96, 64))
    >>> spectrograms.save(np.zeros((96, 64)), Path("silence"))
    >>> spectrograms.read(Path("silence")).shape
    (96, 64)
    """

    shape: tuple[int, ...]
    name: ClassVar[str] = "array"
    suffixes: ClassVar[tuple[str, ...]] = arrays.SUFFIXES
    ending: ClassVar[str] = ".npy"
    saved_bytes: ClassVar[int] = 12
    snapshot_bytes: ClassVar[int] = 5
    model_recipe: ClassVar[str | None] = "feather2019-array"

    @property
    def picture_ending(self) -> str | None:
        """That of the picture that `save` writes for arrays with two or three axes."""
        return ".png" if len(self.shape) in (2, 3) else None

    def load(self, path: Path, fit: str | None = None, recipe: Recipe | None = None) -> np.ndarray:
        """Load an array (`tfmetamers.stimuli.arrays.load_array`)."""
        if fit is not None:
            raise ArgumentError(f"The fit {fit!r} is only for sounds, and these are arrays; leave it out.")
        return arrays.load_array(path, self.shape)

    def save(self, stimulus: np.ndarray, path: Path, recipe: Recipe | None = None) -> None:
        """Save an array exactly, and a picture of it where it has two or three axes."""
        arrays.save_array(stimulus, path.with_name(f"{path.name}.npy"))
        if self.picture_ending:
            images.save_image(arrays.picture_of(stimulus), path.with_name(f"{path.name}{self.picture_ending}"))

    def read(self, path: Path) -> np.ndarray:
        """Read an array that `save` wrote, exactly."""
        return arrays.read_saved(path.with_name(f"{path.name}.npy"), self.shape)

    def describe(self) -> str:
        """Describe a stimulus in a few words."""
        return f"an array of {' x '.join(map(str, self.shape))}"

    @classmethod
    def _of_sized_input(cls, shape, network, size):
        shape = filled_shape(shape, network, size)
        return cls(shape), shape

    def to_json(self) -> dict[str, Any]:
        """Return the domain as data."""
        return {"name": self.name, "shape": list(self.shape)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Arrays":
        """Return what `to_json` gave."""
        return cls(tuple(content["shape"]))

    def draw(self, figure, stimuli, titles, front_end) -> None:
        """Draw arrays of two or three axes as pictures, others as curves."""
        low, high = min(map(np.min, stimuli)), max(map(np.max, stimuli))
        for axes, stimulus, title in zip(np.ravel(figure.subplots(1, len(stimuli))), stimuli, titles, strict=True):
            axes.set_title(title)
            if self.picture_ending:
                plane = stimulus.mean(axis=2) if stimulus.ndim == 3 else stimulus
                axes.imshow(plane, aspect="auto", cmap="magma", vmin=low, vmax=high, interpolation="nearest")
            else:
                axes.plot(np.ravel(stimulus), linewidth=0.5)
                axes.set_ylim(low, high)
