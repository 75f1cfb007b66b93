"""What every kind of stimuli has."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tfmetamers.errors import ArgumentError, checked_whole_number
from tfmetamers.recipes import Recipe
from tfmetamers.stimuli.arrays import checked_stimulus
from tfmetamers.stimuli.noise import initial_noise

if TYPE_CHECKING:
    from matplotlib.figure import FigureBase


class Domain(ABC):
    """A kind of stimuli of one shape.

    Attributes:
        name: the kind's name.
        suffixes: endings of the files that a folder is searched for.
        shape: of one stimulus.
        duration: in seconds, None for stimuli without one.
        ending: of the file that holds a stimulus as a person sees or hears it.
        picture_ending: of the file to look at in a report, None where there is none.
        sound_ending: of the file to listen to in a report, None where there is none.
        saved_bytes: the most that a number of a finished metamer takes on disk.
        snapshot_bytes: the most that a number of a snapshot takes.
        figure_bytes: the most that a metamer's figure takes; 0 where no figure is saved with it.
        is_visual: whether people look at the stimuli, in which 0 is black and 1 is white.
        may_exceed_bounds: whether natural stimuli may have values beyond a recipe's bounds, which then hold for
            metamers alone, as in the released code.
        model_recipe: the name of the recipe for users' own models; None where these cannot take such stimuli.
        model_range: the values of a stimulus that a model's input range stands for.
        unknown_shape: the shape of a model's input where the model does not state it; None for an axis of any length.
    """

    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    shape: tuple[int, ...]
    duration: float | None = None
    ending: ClassVar[str]
    picture_ending: ClassVar[str | None] = None
    sound_ending: ClassVar[str | None] = None
    saved_bytes: ClassVar[int]
    snapshot_bytes: ClassVar[int]
    figure_bytes: ClassVar[int] = 0
    is_visual: ClassVar[bool] = False
    may_exceed_bounds: ClassVar[bool] = False
    model_recipe: ClassVar[str | None] = None
    model_range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    unknown_shape: ClassVar[tuple[int | None, ...]] = (None, None, 3)

    @property
    def of_natural_stimuli(self) -> "Domain":
        """The domain of the natural stimuli that are loaded."""
        return self

    @abstractmethod
    def load(self, path: Path, fit: str | None = None, recipe: Recipe | None = None) -> np.ndarray:
        """Return the natural stimulus of a file.

        Args:
            path: the file.
            fit: what is done with a sound of another length.
            recipe: the recipe of its metamers, which says how pictures are resampled; bilinearly without one.

        Raises:
            ArgumentError: a fit was given, which is only for sounds.
            StimulusError: the file cannot be used.
        """

    def prepare(self, natural: np.ndarray) -> np.ndarray:
        """Return what the network gets in place of a natural stimulus, as float32.

        Raises:
            ArgumentError: the stimulus is not one that `load` could have returned: it has another shape, is not of
                floating-point numbers, or has values that are not finite.
        """
        return checked_stimulus(natural, self.shape)

    def noise(self, recipe: Recipe, digest: str, layer: str, seed: int) -> np.ndarray:
        """Return what synthesis starts from (`tfmetamers.stimuli.noise.initial_noise`)."""
        return initial_noise(recipe, self.shape, digest, layer, seed)

    def can_show(self, shown: "Domain") -> bool:
        """Tell whether a network that takes this domain can be shown stimuli of another one."""
        return shown == self

    def can_judge(self, shown: "Domain") -> bool:
        """Tell whether a network that takes this domain can be shown stimuli of another one, its front end left out."""
        return self.can_show(shown) or self == shown.of_natural_stimuli

    def differs_only_in_duration(self, other: "Domain") -> bool:
        """Tell whether stimuli of another domain would fit a network that takes this one if they lasted as long."""
        return False

    def adapt(self, stimulus: np.ndarray) -> np.ndarray:
        """Return a stimulus that `can_show` allows, converted for a network that takes this domain."""
        return stimulus

    @abstractmethod
    def save(self, stimulus: np.ndarray, path: Path, recipe: Recipe | None = None) -> None:
        """Write what a person sees or hears to a path, to which the ending is added.

        Args:
            stimulus: the stimulus.
            path: where, without the ending.
            recipe: the recipe of a metamer, which says how pictures are rounded; to the nearest level without one.
        """

    @abstractmethod
    def read(self, path: Path) -> np.ndarray:
        """Read what `save` wrote to a path, without the ending.

        Raises:
            ResultError, OSError, ValueError, and others: the file is missing, damaged, or not of this shape.
        """

    @abstractmethod
    def describe(self) -> str:
        """Describe a stimulus in a few words."""

    @classmethod
    def of_input(
        cls,
        shape: tuple[int | None, ...],
        network: str,
        *,
        size: int | Sequence[int] | None = None,
        duration: float | None = None,
        sampling_rate: int | None = None,
    ) -> "tuple[Domain, tuple[int, ...]]":
        """Return the domain of a model's input, and the input's shape, with the lengths of all axes.

        Args:
            shape: of one item of the input; None for an axis of any length.
            network: the network's name, for messages.
            size: height and width of a picture, or the shape of an array, where the model takes any.
            duration: of a sound in seconds, where the model takes any.
            sampling_rate: of sounds, in Hz.

        Raises:
            ArgumentError: the input is not for such stimuli, or an argument is missing or does not fit.
        """
        if duration is not None or sampling_rate is not None:
            raise ArgumentError(
                f"{network} got a duration or a sampling rate, which are for sounds; its domain is {cls.name}."
            )
        return cls._of_sized_input(shape, network, size)

    @classmethod
    def _of_sized_input(cls, shape, network: str, size) -> "tuple[Domain, tuple[int, ...]]":
        raise NotImplementedError

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return the domain as data."""

    @classmethod
    @abstractmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Domain":
        """Return what `to_json` gave."""

    @abstractmethod
    def draw(
        self, figure: "FigureBase", stimuli: Sequence[np.ndarray], titles: Sequence[str], front_end: Callable | None
    ) -> None:
        """Draw stimuli side by side, on the same scales.

        Args:
            figure: where to draw.
            stimuli: the stimuli.
            titles: a title for each.
            front_end: the network's reference front end; None where it has none.
        """


def filled_shape(shape, network: str, size) -> tuple[int, ...]:
    """Return a shape whose axes of any length have those of a size."""
    if size is None:
        if None in shape:
            raise ArgumentError(
                f"{network} takes an input of shape {describe_shape(shape)}; give its size with size= or, for sounds, "
                "sampling_rate= and duration=."
            )
        return shape
    wanted = tuple(size) if isinstance(size, Sequence) else (size, size)
    fits = len(wanted) == len(shape) and all(each in (None, side) for each, side in zip(shape, wanted, strict=True))
    if not fits:
        raise ArgumentError(
            f"{network} takes an input of shape {describe_shape(shape)}, and the size {wanted} was asked for; give a "
            "size that fits."
        )
    return tuple(checked_whole_number("size", side, minimum=1) for side in wanted)


def describe_shape(shape) -> str:
    return f"({', '.join('any' if length is None else str(length) for length in shape)}{',' * (len(shape) == 1)})"
