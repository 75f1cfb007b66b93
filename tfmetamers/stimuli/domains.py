"""What stimuli are: pictures, sounds, cochleagrams, arrays. How they differ is told here, and nowhere else."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tfmetamers.errors import ArgumentError, checked_whole_number
from tfmetamers.recipes import Recipe
from tfmetamers.stimuli import arrays, images, sounds
from tfmetamers.stimuli.noise import initial_noise
from tfmetamers.utilities.determinism import deterministic_operations

if TYPE_CHECKING:
    from matplotlib.figure import FigureBase

#: A waveform of a smaller root mean square is taken for silence; one of a greater is beyond full scale, and one of a
#: still greater is taken for 16-bit samples. The networks of sounds take 0.1.
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
            ArgumentError: a way to fit was given, which sounds alone have.
            StimulusError: the file cannot be used.
        """

    def prepare(self, natural: np.ndarray) -> np.ndarray:
        """Return what the network takes in place of a natural stimulus, as float32.

        Raises:
            ArgumentError: it is not as `load` gives it: another shape, other types than floating-point numbers, or
                values that are not finite.
        """
        return arrays.checked_stimulus(natural, self.shape)

    def noise(self, recipe: Recipe, digest: str, layer: str, seed: int) -> np.ndarray:
        """Return what synthesis starts from (`tfmetamers.stimuli.noise.initial_noise`)."""
        return initial_noise(recipe, self.shape, digest, layer, seed)

    def can_show(self, shown: "Domain") -> bool:
        """Tell whether a network that takes this domain can be shown stimuli of another one."""
        return shown == self

    def adapt(self, stimulus: np.ndarray) -> np.ndarray:
        """Return a stimulus that `can_show` allows as a network that takes this domain is shown it."""
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
        """Say what a stimulus is."""

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
            raise ArgumentError(f"Fitting by {fit!r} is for sounds; a picture's centre is always taken.")
        return images.load_image(path, self.size, self.channels)

    def can_show(self, shown: Domain) -> bool:
        """Tell whether they are pictures of as many channels, of whatever size."""
        return isinstance(shown, Images) and shown.channels == self.channels

    def adapt(self, stimulus: np.ndarray) -> np.ndarray:
        """Return a picture of this size, resized where it must be (`tfmetamers.stimuli.images.resize_image`)."""
        return stimulus if stimulus.shape == self.shape else images.resize_image(stimulus, self.size)

    def save(self, stimulus: np.ndarray, path: Path) -> None:
        """Save a picture as PNG."""
        images.save_image(stimulus, path.with_name(f"{path.name}.png"))

    def read(self, path: Path) -> np.ndarray:
        """Read a picture that `save` wrote; that of a natural stimulus is exact, being made from 8-bit values."""
        with images.open_picture(path.with_name(f"{path.name}.png"), formats=("PNG",)) as picture:
            if picture.size != (self.width, self.height):
                raise ValueError(f"it has {picture.width} x {picture.height} pixels, not {self.width} x {self.height}")
            pixels = (np.asarray(picture) / 255.0).astype(np.float32)
        return pixels if pixels.ndim == 3 else pixels[..., None]

    def describe(self) -> str:
        """Say what a stimulus is."""
        colours = "RGB" if self.channels == 3 else "grey"
        return f"{self.height} x {self.width} x {self.channels}, {colours} in [0, 1]"

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
            ArgumentError: it is not as `load` gives it, is silent, or so loud that it was not brought to a root mean
                square of 0.1.
        """
        natural = super().prepare(natural)
        level = sounds.root_mean_square(natural)
        if not MIN_LEVEL < level < MAX_LEVEL:
            likeness = ", as of 16-bit samples" if level >= LEVEL_OF_16_BITS else ""
            raise ArgumentError(
                f"The waveform's root mean square is {level:.3g}{likeness}; 0.1 was expected, at a full scale of 1, as "
                "network.domain.load(FILE) gives."
            )
        return natural

    def save(self, stimulus: np.ndarray, path: Path) -> None:
        """Save a waveform as WAV, exactly, and beside it a copy for listening."""
        sounds.save_sound(stimulus, path.with_name(f"{path.name}.wav"), self.sampling_rate)
        sounds.save_listening_copy(stimulus, path.with_name(f"{path.name}_listening.wav"), self.sampling_rate)

    def read(self, path: Path) -> np.ndarray:
        """Read a waveform that `save` wrote, exactly."""
        return sounds.read_saved(path.with_name(f"{path.name}.wav"), self.samples)

    def describe(self) -> str:
        """Say what a stimulus is."""
        return f"{self.samples} samples at {self.sampling_rate} Hz ({self.duration:g} s)"

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
            draw_front_end(rows[1], shown, front_end, self.duration)


@dataclass(frozen=True)
class Cochleagrams(Domain):
    """Cochleagrams that are optimised themselves, where no waveform need have them (paper, Figure S9).

    Natural stimuli are sounds still. The start is the cochleagram of the noise that the waveform would start from:
    the paper does not say what it was, this is a choice made here.

    Attributes:
        sounds: the sounds that they are made from.
        front_end: from waveforms (batch, samples) to cochleagrams (batch, channels, envelope samples, 1); None where
            the domain was read from a record, whose stimuli can be read and compared, and none can be made.
        settings: those of the front end.
        shape: of one cochleagram.
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
        """Say what a stimulus is."""
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
        draw_front_end(row, np.stack(stimuli), self.front_end, self.duration)
        for axes, title in zip(row, titles, strict=True):
            axes.set_title(title)


@dataclass(frozen=True)
class Arrays(Domain):
    """Arrays of one shape, such as spectrograms, in the units that the network takes; no values are out of bounds.

    Attributes:
        shape: of one array.
    """

    shape: tuple[int, ...]
    name: ClassVar[str] = "array"
    suffixes: ClassVar[tuple[str, ...]] = arrays.SUFFIXES
    ending: ClassVar[str] = ".npy"
    saved_bytes: ClassVar[int] = 12
    snapshot_bytes: ClassVar[int] = 5

    @property
    def picture_ending(self) -> str | None:
        """That of the picture that `save` writes of arrays with two or three axes."""
        return ".png" if len(self.shape) in (2, 3) else None

    def load(self, path: Path, fit: str | None = None) -> np.ndarray:
        """Load an array (`tfmetamers.stimuli.arrays.load_array`)."""
        if fit is not None:
            raise ArgumentError(f"Fitting by {fit!r} is for sounds; an array must have the network's own shape.")
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
        """Say what a stimulus is."""
        return f"an array of {' x '.join(map(str, self.shape))}"

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


def domain_from_json(content: Mapping[str, Any]) -> Domain:
    """Return the domain of what its ``to_json`` gave.

    Raises:
        ArgumentError: a length or a sampling rate is not a whole number from 1.
        KeyError, TypeError, ValueError: a part is missing or of another type, or there is no such domain.
    """
    domain = DOMAINS[content["name"]].from_json(content)
    for length in domain.shape:
        checked_whole_number("length of a stimulus", length, minimum=1)
    return domain
