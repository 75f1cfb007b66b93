"""Pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tfmetamers.errors import ArgumentError
from tfmetamers.recipes import Recipe
from tfmetamers.stimuli import images
from tfmetamers.stimuli.domains.arrays import Arrays
from tfmetamers.stimuli.domains.domain import Domain, describe_shape, filled_shape


@dataclass(frozen=True)
class Images(Domain):
    """Pictures of one size, RGB or grey, in [0, 1].

    Attributes:
        height: in pixels.
        width: in pixels; the height by default.
        channels: 3 for RGB, 1 for grey.

    >>> pictures = Images(32, 24)
    >>> pictures.shape, pictures.describe()
    ((32, 24, 3), '32 x 24 x 3, RGB in [0, 1]')
    >>> from tfmetamers.stimuli import sample_photograph
    >>> pictures.load(sample_photograph()).shape
    (32, 24, 3)
    """

    height: int
    width: int | None = None
    channels: int = 3
    name: ClassVar[str] = "image"
    suffixes: ClassVar[tuple[str, ...]] = images.SUFFIXES
    ending: ClassVar[str] = ".png"
    picture_ending: ClassVar[str | None] = ".png"
    saved_bytes: ClassVar[int] = 6
    snapshot_bytes: ClassVar[int] = 1
    is_visual: ClassVar[bool] = True
    model_recipe: ClassVar[str | None] = "feather2019-image"

    def __post_init__(self):
        object.__setattr__(self, "width", self.height if self.width is None else self.width)

    @property
    def size(self) -> int | tuple[int, int]:
        """The height of a square picture; height and width of another."""
        return self.height if self.height == self.width else (self.height, self.width)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        return self.height, self.width, self.channels

    def load(self, path: Path, fit: str | None = None, recipe: Recipe | None = None) -> np.ndarray:
        """Load a picture (`tfmetamers.stimuli.images.load_image`)."""
        if fit is not None:
            raise ArgumentError(f"The fit {fit!r} is only for sounds, and these are pictures; leave it out.")
        return images.load_image(path, self.size, self.channels, recipe.resampling if recipe else "bilinear")

    def can_show(self, shown: Domain) -> bool:
        """Tell whether they are pictures of any size with the same number of channels."""
        return isinstance(shown, Images) and shown.channels == self.channels

    def adapt(self, stimulus: np.ndarray) -> np.ndarray:
        """Return a picture of this size, resized where it must be (`tfmetamers.stimuli.images.resize_image`)."""
        return stimulus if stimulus.shape == self.shape else images.resize_image(stimulus, self.size)

    def save(self, stimulus: np.ndarray, path: Path, recipe: Recipe | None = None) -> None:
        """Save a picture as PNG."""
        images.save_image(stimulus, path.with_name(f"{path.name}.png"), recipe.rounding if recipe else "nearest")

    def read(self, path: Path) -> np.ndarray:
        """Read a picture that `save` wrote; a natural stimulus is read exactly, since it came from 8-bit values."""
        with images.open_picture(path.with_name(f"{path.name}.png"), formats=("PNG",)) as picture:
            if picture.size != (self.width, self.height):
                raise ValueError(f"it has {picture.width} x {picture.height} pixels, not {self.width} x {self.height}")
            pixels = (np.asarray(picture) / 255.0).astype(np.float32)
        return pixels if pixels.ndim == 3 else pixels[..., None]

    def describe(self) -> str:
        """Describe a stimulus in a few words."""
        colours = "RGB" if self.channels == 3 else "grey"
        return f"{self.height} x {self.width} x {self.channels}, {colours} in [0, 1]"

    @classmethod
    def _of_sized_input(cls, shape, network, size):
        """Return pictures; with another number of channels than 1 or 3, arrays, because no file holds them."""
        if len(shape) != 3 or shape[2] is None:
            raise ArgumentError(
                f"{network} takes an input of shape {describe_shape(shape)}; pictures are (height, width, channels). "
                "Give another domain, or put layers before it that turn a picture into its input."
            )
        size = None if size is None else [*images.checked_size(size), shape[2]]
        shape = filled_shape(shape, network, size)
        return (cls(*shape) if shape[2] in (1, 3) else Arrays(shape)), shape

    def to_json(self) -> dict[str, Any]:
        """Return the domain as data."""
        return {"name": self.name, "height": self.height, "width": self.width, "channels": self.channels}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Images":
        """Return what `to_json` gave."""
        return cls(content["height"], content["width"], content["channels"])

    def draw(self, figure, stimuli, titles, front_end) -> None:
        """Draw pictures as they are."""
        for axes, stimulus, title in zip(np.ravel(figure.subplots(1, len(stimuli))), stimuli, titles, strict=True):
            axes.imshow(np.clip(stimulus, 0, 1), cmap="gray", vmin=0, vmax=1)
            axes.set_title(title)
            axes.set_axis_off()
