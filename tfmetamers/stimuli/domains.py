"""The kinds of stimuli: pictures, sounds, cochleagrams and arrays. Everything in which they differ is here."""

import math
import numbers
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tfmetamers.errors import ArgumentError, checked_whole_number, shown
from tfmetamers.recipes import Recipe
from tfmetamers.stimuli import arrays, images, sounds
from tfmetamers.stimuli.noise import initial_noise
from tfmetamers.utilities.determinism import deterministic_operations

if TYPE_CHECKING:
    from matplotlib.figure import FigureBase

#: A waveform whose root mean square is below the first is taken for silence, one above the second is beyond full scale,
#: and one from the third on is taken for 16-bit samples. Networks of sounds expect 0.1.
MIN_LEVEL, MAX_LEVEL, LEVEL_OF_16_BITS = 1e-4, 1.0, 10.0


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
    model_recipe: ClassVar[str | None] = None
    model_range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    unknown_shape: ClassVar[tuple[int | None, ...]] = (None, None, 3)

    @property
    def of_natural_stimuli(self) -> "Domain":
        """The domain of the natural stimuli that are loaded."""
        return self

    @abstractmethod
    def load(self, path: Path, fit: str | None = None) -> np.ndarray:
        """Return the natural stimulus of a file.

        Args:
            path: the file.
            fit: what is done with a sound of another length.

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
        return arrays.checked_stimulus(natural, self.shape)

    def noise(self, recipe: Recipe, digest: str, layer: str, seed: int) -> np.ndarray:
        """Return what synthesis starts from (`tfmetamers.stimuli.noise.initial_noise`)."""
        return initial_noise(recipe, self.shape, digest, layer, seed)

    def can_show(self, shown: "Domain") -> bool:
        """Tell whether a network that takes this domain can be shown stimuli of another one."""
        return shown == self

    def differs_only_in_duration(self, other: "Domain") -> bool:
        """Tell whether stimuli of another domain would fit a network that takes this one if they lasted as long."""
        return False

    def adapt(self, stimulus: np.ndarray) -> np.ndarray:
        """Return a stimulus that `can_show` allows, converted for a network that takes this domain."""
        return stimulus

    @abstractmethod
    def save(self, stimulus: np.ndarray, path: Path) -> None:
        """Write what a person sees or hears to a path, to which the ending is added."""

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


@dataclass(frozen=True)
class Images(Domain):
    """Pictures of one size, RGB or grey, in [0, 1].

    Attributes:
        height: in pixels.
        width: in pixels; the height by default.
        channels: 3 for RGB, 1 for grey.
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

    def load(self, path: Path, fit: str | None = None) -> np.ndarray:
        """Load a picture (`tfmetamers.stimuli.images.load_image`)."""
        if fit is not None:
            raise ArgumentError(f"The fit {fit!r} is only for sounds, and these are pictures; leave it out.")
        return images.load_image(path, self.size, self.channels)

    def can_show(self, shown: Domain) -> bool:
        """Tell whether they are pictures of any size with the same number of channels."""
        return isinstance(shown, Images) and shown.channels == self.channels

    def adapt(self, stimulus: np.ndarray) -> np.ndarray:
        """Return a picture of this size, resized where it must be (`tfmetamers.stimuli.images.resize_image`)."""
        return stimulus if stimulus.shape == self.shape else images.resize_image(stimulus, self.size)

    def save(self, stimulus: np.ndarray, path: Path) -> None:
        """Save a picture as PNG."""
        images.save_image(stimulus, path.with_name(f"{path.name}.png"))

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
                f"{network} takes an input of shape {_describe_shape(shape)}; pictures are (height, width, channels). "
                "Give another domain, or put layers before it that turn a picture into its input."
            )
        size = None if size is None else [*images.checked_size(size), shape[2]]
        shape = _filled_shape(shape, network, size)
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


@dataclass(frozen=True)
class Sounds(Domain):
    """Waveforms of one length, of root mean square 0.1.

    Attributes:
        sampling_rate: in Hz.
        samples: the length.
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

    def load(self, path: Path, fit: str | None = None) -> np.ndarray:
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

    def save(self, stimulus: np.ndarray, path: Path) -> None:
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
                f"{network} takes an input of shape {_describe_shape(shape)}; sounds are (samples,) or (samples, 1). "
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
    """

    sounds: Sounds
    front_end: Callable | None = field(compare=False)
    settings: Mapping[str, Any]
    shape: tuple[int, int, int]
    name: ClassVar[str] = "cochleagram"
    suffixes: ClassVar[tuple[str, ...]] = sounds.SUFFIXES
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

    def load(self, path: Path, fit: str | None = None) -> np.ndarray:
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

    def save(self, stimulus: np.ndarray, path: Path) -> None:
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


@dataclass(frozen=True)
class Arrays(Domain):
    """Arrays of one shape, such as spectrograms, in the network's own units, without bounds.

    Attributes:
        shape: of one array.
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

    def load(self, path: Path, fit: str | None = None) -> np.ndarray:
        """Load an array (`tfmetamers.stimuli.arrays.load_array`)."""
        if fit is not None:
            raise ArgumentError(f"The fit {fit!r} is only for sounds, and these are arrays; leave it out.")
        return arrays.load_array(path, self.shape)

    def save(self, stimulus: np.ndarray, path: Path) -> None:
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
        shape = _filled_shape(shape, network, size)
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


#: The domains by name.
DOMAINS: dict[str, type[Domain]] = {domain.name: domain for domain in (Images, Sounds, Cochleagrams, Arrays)}

#: Those of them that users' own models can take.
MODEL_DOMAINS = {name: domain for name, domain in DOMAINS.items() if domain.model_recipe}


def implied_domain(shape: Sequence[int | None], sampling_rate: int | None) -> type[Domain]:
    """Return the domain of a model's input where none is given.

    An input with a sampling rate is a sound, (height, width, 1 or 3) is a picture, and any other is an array.

    Args:
        shape: of one item of the input; None for an axis of any length.
        sampling_rate: of sounds, in Hz.
    """
    if sampling_rate is not None:
        return Sounds
    return Images if len(shape) == 3 and shape[2] in (1, 3) else Arrays


def domain_from_json(content: Mapping[str, Any]) -> Domain:
    """Return the domain that ``to_json`` described.

    Raises:
        ArgumentError: a length or a sampling rate is not a whole number of at least 1.
        KeyError, TypeError, ValueError: a part is missing or of another type, or there is no such domain.
    """
    domain = DOMAINS[content["name"]].from_json(content)
    for length in domain.shape:
        checked_whole_number("length of a stimulus", length, minimum=1)
    return domain


def _filled_shape(shape, network: str, size) -> tuple[int, ...]:
    """Return a shape whose axes of any length have those of a size."""
    if size is None:
        if None in shape:
            raise ArgumentError(
                f"{network} takes an input of shape {_describe_shape(shape)}; give its size with size= or, for sounds, "
                "sampling_rate= and duration=."
            )
        return shape
    wanted = tuple(size) if isinstance(size, Sequence) else (size, size)
    fits = len(wanted) == len(shape) and all(each in (None, side) for each, side in zip(shape, wanted, strict=True))
    if not fits:
        raise ArgumentError(
            f"{network} takes an input of shape {_describe_shape(shape)}, and the size {wanted} was asked for; give a "
            "size that fits."
        )
    return tuple(checked_whole_number("size", side, minimum=1) for side in wanted)


def _describe_shape(shape) -> str:
    return f"({', '.join('any' if length is None else str(length) for length in shape)}{',' * (len(shape) == 1)})"
