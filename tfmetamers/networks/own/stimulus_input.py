"""The input of a user's own network: pictures, sounds or arrays, and how a stimulus becomes the input."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import tensorflow as tf

from tfmetamers.errors import ArgumentError, shown
from tfmetamers.networks.spec_values import checked_domain, checked_range
from tfmetamers.stimuli.domains import MODEL_DOMAINS, Domain, implied_domain


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

    domain: Domain
    recipe: str
    shape: tuple[int, ...]
    input_range: tuple[float, float]

    def __call__(self, stimuli: tf.Tensor) -> tf.Tensor:
        low, high = self.domain.model_range
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
    """Return what a network takes, from the shape of its input and what the user states.

    Without a domain, an input with a sampling rate is a sound, (height, width, 1 or 3) is a picture, and any other is
    an array.

    Args:
        shape: of one item of the input; None for an axis of any length.
        network: the network's name, for messages.
        domain: ``"image"``: (height, width, channels), channels last, RGB where there are three, loaded as arrays
            in [0, 1] where there are neither one nor three; ``"sound"``: (samples,) or (samples, 1);
            ``"array"``: anything.
        input_range: the two values that stand for 0 and 1 of a picture or an array, or for -1 and 1 of a sound; by
            default, the network takes stimuli as they are.
        size: height and width of a picture, or the shape of an array, where the network takes any; one number stands
            for both height and width.
        duration: of a sound in seconds, where the network takes any.
        sampling_rate: of sounds, in Hz.

    Raises:
        ArgumentError: the domain is unknown, the shape does not fit it, or an argument is missing or does not fit.
    """
    if not isinstance(shape, Iterable) or isinstance(shape, str):
        raise ArgumentError(f"The shape of a stimulus of {network} is {shown(shape)}; a tuple was expected.")
    shape = tuple(shape)
    kind = implied_domain(shape, sampling_rate) if domain is None else MODEL_DOMAINS[checked_domain(domain)]
    found, shape = kind.of_input(shape, network, size=size, duration=duration, sampling_rate=sampling_rate)
    input_range = kind.model_range if input_range is None else checked_range(input_range)
    return StimulusInput(found, kind.model_recipe, shape, input_range)
