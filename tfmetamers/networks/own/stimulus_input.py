"""What a network of one's own takes: pictures, sounds or arrays, and how a stimulus becomes its input."""

import math
import numbers
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import tensorflow as tf

from tfmetamers.errors import ArgumentError, checked_whole_number, shown
from tfmetamers.networks.spec import check_domain, checked_range
from tfmetamers.stimuli.domains import Arrays, Images, Sounds
from tfmetamers.stimuli.images import checked_size

#: For each domain, what a stimulus has between, where an input range says which values that stands for.
_RANGES = {"image": (0.0, 1.0), "sound": (-1.0, 1.0), "array": (0.0, 1.0)}

_RECIPES = {"image": "feather2019-image", "sound": "feather2019-audio-waveform", "array": "feather2019-array"}


@dataclass(frozen=True)
class StimulusInput:
    """How a batch of stimuli becomes the input of a network.

    Call it with float32 (batch, *domain.shape); it returns float32 (batch, *shape), stretched to the input range.

    Attributes:
        domain: what a stimulus is.
        recipe: the name of the recipe for it.
        shape: of one item of the input.
        input_range: what stands for 0 and 1 of a picture or an array, for -1 and 1 of a sound.
    """

    domain: Images | Sounds | Arrays
    recipe: str
    shape: tuple[int, ...]
    input_range: tuple[float, float]

    def __call__(self, stimuli: tf.Tensor) -> tf.Tensor:
        low, high = _RANGES[self.domain.name]
        if self.input_range != (low, high):
            scale = (self.input_range[1] - self.input_range[0]) / (high - low)
            stimuli = stimuli * scale + (self.input_range[0] - low * scale)
        return stimuli if self.shape == self.domain.shape else tf.reshape(stimuli, [-1, *self.shape])


def find_input(
    shape: Sequence[int | None],
    *,
    network: str,
    domain: str | None = None,
    input_range: Sequence[float] | None = None,
    size: int | Sequence[int] | None = None,
    duration: float | None = None,
    sampling_rate: int | None = None,
) -> StimulusInput:
    """Say what a network takes, from the shape of its input and what its user says.

    Without a domain, an input with a sampling rate is a sound, (height, width, 1 or 3) is a picture, and any other is
    an array.

    Args:
        shape: of one item of the input; None for an axis of any length.
        network: the network's name, for messages.
        domain: ``"image"``: (height, width, channels), channels last, RGB where there are three, loaded as arrays of
            [0, 1] where there is another number than one or three; ``"sound"``: (samples,) or (samples, 1);
            ``"array"``: anything.
        input_range: the two values that stand for 0 and 1 of a picture or an array, or for -1 and 1 of a sound; by
            default, the network takes stimuli as they are.
        size: height and width of a picture, or the shape of an array, where the network takes any; one number stands
            for both height and width.
        duration: of a sound in seconds, where the network takes any.
        sampling_rate: of sounds, in Hz.

    Raises:
        ArgumentError: the domain is unknown, the shape does not fit it, something that must be told is not, or what is
            told does not fit.
    """
    if not isinstance(shape, Iterable) or isinstance(shape, str):
        raise ArgumentError(f"The shape of a stimulus of {network} is {shown(shape)}; a tuple was expected.")
    shape = tuple(shape)
    if domain is None:
        is_picture = len(shape) == 3 and shape[2] in (1, 3)
        domain = "sound" if sampling_rate is not None else "image" if is_picture else "array"
    check_domain(domain)
    if domain == "sound":
        found, shape = _sounds(shape, network, size, duration, sampling_rate)
    elif duration is not None or sampling_rate is not None:
        raise ArgumentError(
            f"{network} got a duration or a sampling rate, which are for sounds; its domain is {domain}."
        )
    elif domain == "image":
        found, shape = _pictures(shape, network, size)
    else:
        shape = _filled(shape, network, size)
        found = Arrays(shape)
    input_range = _RANGES[domain] if input_range is None else checked_range(input_range)
    return StimulusInput(found, _RECIPES[domain], shape, input_range)


def _pictures(shape, network: str, size) -> tuple[Images | Arrays, tuple[int, ...]]:
    if len(shape) != 3 or shape[2] is None:
        raise ArgumentError(
            f"{network} takes an input of shape {_in_words(shape)}; pictures are (height, width, channels). Give "
            "another domain, or put layers before it that turn a picture into its input."
        )
    size = None if size is None else [*checked_size(size), shape[2]]
    shape = _filled(shape, network, size)
    return (Images(*shape) if shape[2] in (1, 3) else Arrays(shape)), shape


def _sounds(shape, network: str, size, duration, sampling_rate) -> tuple[Sounds, tuple[int, ...]]:
    if len(shape) not in (1, 2) or shape[1:] not in ((), (1,)):
        raise ArgumentError(
            f"{network} takes an input of shape {_in_words(shape)}; sounds are (samples,) or (samples, 1). Leave the "
            "sampling rate out for an array, or put layers before it that turn a waveform into its input."
        )
    if sampling_rate is None:
        raise ArgumentError(f"{network} takes sounds; say at which sampling rate with sampling_rate=, in Hz.")
    if size is not None:
        raise ArgumentError(
            f"{network} got a size of {shown(size)} and takes sounds; give a duration where it takes any."
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
        raise ArgumentError(f"{network} takes sounds of any duration; say which with duration=, in seconds.")
    return Sounds(rate, samples), (samples, *shape[1:])


def _filled(shape, network: str, size) -> tuple[int, ...]:
    """Return a shape whose axes of any length have those of a size."""
    if size is None:
        if None in shape:
            raise ArgumentError(
                f"{network} takes an input of shape {_in_words(shape)}; say its size with size=, or, of sounds, "
                "sampling_rate= and duration=."
            )
        return shape
    wanted = tuple(size) if isinstance(size, Sequence) else (size, size)
    fits = len(wanted) == len(shape) and all(each in (None, side) for each, side in zip(shape, wanted, strict=True))
    if not fits:
        raise ArgumentError(f"{network} takes an input of shape {_in_words(shape)}; a size of {wanted} was asked for.")
    return tuple(checked_whole_number("size", side, minimum=1) for side in wanted)


def _in_words(shape) -> str:
    return f"({', '.join('any' if extent is None else str(extent) for extent in shape)}{',' * (len(shape) == 1)})"
