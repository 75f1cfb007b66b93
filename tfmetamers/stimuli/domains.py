"""What stimuli are: pictures, sounds, cochleagrams. Loading, noise, saving and reading differ here, and nowhere else.

Each domain has the same attributes and methods:

- ``name``, ``suffixes`` (endings of the files that a folder is searched for), ``shape`` (of one stimulus);
- ``load(path, fit)`` gives the natural stimulus of a file, and ``prepare(natural)`` what the network
  takes in its place;
- ``noise(recipe, digest, layer, seed)`` gives what synthesis starts from;
- ``save(stimulus, path)`` writes what a person sees or hears, the ending added; ``read(path)`` reads that again;
- ``describe()`` says in words what a stimulus is, and ``record()`` what metamer.json keeps about it;
- ``saved_bytes`` and ``snapshot_bytes``: the most that a number of a finished metamer and of a snapshot takes on disk,
  and ``figure_bytes``: the most that its figure takes, 0 where it has none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from tfmetamers.errors import ArgumentError
from tfmetamers.recipes import Recipe
from tfmetamers.stimuli import images, sounds
from tfmetamers.stimuli.noise import initial_noise
from tfmetamers.utilities.files import atomic_write

#: A waveform of a smaller root mean square is taken for silence; one of a greater is beyond full scale, and one of a
#: still greater is taken for 16-bit samples. The networks of sounds take 0.1.
MIN_LEVEL, MAX_LEVEL, LEVEL_OF_16_BITS = 1e-4, 1.0, 10.0


@dataclass(frozen=True)
class Images:
    """Square pictures, RGB in [0, 1].

    Attributes:
        size: height and width in pixels.
    """

    size: int
    name: ClassVar[str] = "image"
    suffixes: ClassVar[tuple[str, ...]] = images.SUFFIXES
    saved_bytes: ClassVar[int] = 6
    snapshot_bytes: ClassVar[int] = 1
    figure_bytes: ClassVar[int] = 0

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and 3."""
        return self.size, self.size, 3

    def load(self, path: Path, fit: str | None = None) -> np.ndarray:
        """Load a picture (`tfmetamers.stimuli.images.load_image`).

        Raises:
            ArgumentError: a way to fit was given, which sounds alone have.
            StimulusError: the file cannot be used.
        """
        if fit is not None:
            raise ArgumentError(f"Fitting by {fit!r} is for sounds; a picture's centred square is always taken.")
        return images.load_image(path, self.size)

    def prepare(self, natural: np.ndarray) -> np.ndarray:
        """Return the picture itself."""
        return natural

    def noise(self, recipe: Recipe, digest: str, layer: str, seed: int) -> np.ndarray:
        """Draw a picture of noise (`tfmetamers.stimuli.noise.initial_noise`)."""
        return initial_noise(recipe, self.shape, digest, layer, seed)

    def save(self, stimulus: np.ndarray, path: Path) -> None:
        """Save a picture as PNG."""
        images.save_image(stimulus, path.with_name(f"{path.name}.png"))

    @staticmethod
    def read(path: Path) -> np.ndarray:
        """Read a picture that `save` wrote; that of a natural stimulus is exact, being made from 8-bit values."""
        from PIL import Image

        with Image.open(path.with_name(f"{path.name}.png")) as picture:
            return (np.asarray(picture) / 255.0).astype(np.float32)

    def describe(self) -> str:
        """Say what a stimulus is."""
        return f"{self.size} x {self.size} x 3, RGB in [0, 1]"

    def record(self) -> dict:
        """Return nothing: a picture's shape says all."""
        return {}


@dataclass(frozen=True)
class Sounds:
    """Waveforms of one length, of root mean square 0.1.

    Attributes:
        sampling_rate: in Hz.
        samples: the length.
    """

    sampling_rate: int
    samples: int
    name: ClassVar[str] = "sound"
    suffixes: ClassVar[tuple[str, ...]] = sounds.SUFFIXES
    saved_bytes: ClassVar[int] = 16
    snapshot_bytes: ClassVar[int] = 6
    figure_bytes: ClassVar[int] = 1_000_000

    @property
    def shape(self) -> tuple[int]:
        """The number of samples."""
        return (self.samples,)

    def load(self, path: Path, fit: str | None = None) -> np.ndarray:
        """Load a sound (`tfmetamers.stimuli.sounds.load_sound`)."""
        return sounds.load_sound(path, sampling_rate=self.sampling_rate, samples=self.samples, fit=fit)

    def prepare(self, natural: np.ndarray) -> np.ndarray:
        """Return the waveform itself.

        Raises:
            ArgumentError: it is silent, or so loud that it was not brought to a root mean square of 0.1.
        """
        level = sounds.root_mean_square(natural)
        if not MIN_LEVEL < level < MAX_LEVEL:
            likeness = ", as of 16-bit samples" if level >= LEVEL_OF_16_BITS else ""
            raise ArgumentError(
                f"The waveform's root mean square is {level:.3g}{likeness}; 0.1 was expected, at a full scale of 1, as "
                "network.domain.load(FILE) gives."
            )
        return natural

    def noise(self, recipe: Recipe, digest: str, layer: str, seed: int) -> np.ndarray:
        """Draw a waveform of noise (`tfmetamers.stimuli.noise.initial_noise`)."""
        return initial_noise(recipe, self.shape, digest, layer, seed)

    def save(self, stimulus: np.ndarray, path: Path) -> None:
        """Save a waveform as WAV, exactly, and beside it a copy for listening."""
        sounds.save_sound(stimulus, path.with_name(f"{path.name}.wav"), self.sampling_rate)
        sounds.save_listening_copy(stimulus, path.with_name(f"{path.name}_listening.wav"), self.sampling_rate)

    @staticmethod
    def read(path: Path) -> np.ndarray:
        """Read a waveform that `save` wrote, exactly."""
        return sounds.read_saved(path.with_name(f"{path.name}.wav"))

    def describe(self) -> str:
        """Say what a stimulus is."""
        return f"{self.samples} samples at {self.sampling_rate} Hz ({self.samples / self.sampling_rate:g} s)"

    def record(self) -> dict:
        """Return the sampling rate."""
        return {"sampling_rate": self.sampling_rate}


@dataclass(frozen=True)
class Cochleagrams:
    """Cochleagrams that are optimised themselves, where no waveform need have them (paper, Figure S9).

    Natural stimuli are sounds still. The start is the cochleagram of the noise that the waveform would start from:
    the paper does not say what it was, this is a choice made here.

    Attributes:
        sounds: the sounds that they are cochleagrams of.
        front_end: from waveforms (batch, samples) to cochleagrams (batch, channels, envelope samples, 1).
        shape: of one cochleagram.
    """

    sounds: Sounds
    front_end: Callable
    shape: tuple[int, int, int]
    name: ClassVar[str] = "cochleagram"
    suffixes: ClassVar[tuple[str, ...]] = Sounds.suffixes
    saved_bytes: ClassVar[int] = 12
    snapshot_bytes: ClassVar[int] = 6
    figure_bytes: ClassVar[int] = 1_000_000

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
        return self.front_end(waveform[None]).numpy()[0]

    def save(self, stimulus: np.ndarray, path: Path) -> None:
        """Save a cochleagram as a NumPy array, and a picture of it: low frequencies below, zero white."""
        with atomic_write(path.with_name(f"{path.name}.npy")) as partial, partial.open("wb") as stream:
            np.save(stream, stimulus)
        darkness = stimulus[::-1] / max(float(stimulus.max()), 1e-12)
        images.save_image(np.repeat(1.0 - darkness, 3, axis=2), path.with_name(f"{path.name}.png"))

    @staticmethod
    def read(path: Path) -> np.ndarray:
        """Read a cochleagram that `save` wrote, exactly."""
        return np.load(path.with_name(f"{path.name}.npy"), allow_pickle=False)

    def describe(self) -> str:
        """Say what a stimulus is."""
        channels, samples, _ = self.shape
        return f"a cochleagram of {channels} channels x {samples} samples, of {self.sounds.describe()}"

    def record(self) -> dict:
        """Return the sampling rate of the sounds."""
        return self.sounds.record()


#: The domains by name.
DOMAINS = {domain.name: domain for domain in (Images, Sounds, Cochleagrams)}
