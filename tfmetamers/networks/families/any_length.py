"""Networks that take sounds of any length at 16 kHz."""

from collections.abc import Mapping

from tfmetamers.errors import ArgumentError
from tfmetamers.networks.families.base import NetworkOutline
from tfmetamers.networks.families.checkpoints import CheckpointFamily
from tfmetamers.networks.spec import NetworkSpec
from tfmetamers.stimuli.domains import Sounds
from tfmetamers.stimuli.sounds import MAX_SAMPLES

#: Of the sounds, in Hz.
SAMPLING_RATE = 16_000

#: Seconds of a sound unless another duration is asked for: the paper's lasted two.
DURATION = 2.0


class AnyLengthFamily(CheckpointFamily):
    """Networks of sounds of any length.

    Attributes:
        layers: names of their layers, from the input to the output.
        recipe: the name of their recipe.
        classes: the number of their characters, None for none.
        notes: for each network, anything else to know about where it comes from.
    """

    takes = frozenset({"checkpoint", "random_seed", "duration"})
    layers: tuple[str, ...]
    recipe: str
    classes: int | None = None
    notes: Mapping[str, str]

    def network_names(self):
        return list(self.notes)

    def outline(self, spec):
        return NetworkOutline(spec.name, sounds_of(spec), self.layers, self.recipe, self.classes, self.notes[spec.name])


def sounds_of(spec: NetworkSpec) -> Sounds:
    """Return the sounds that a network takes.

    Raises:
        ArgumentError: they would be shorter than a sample, or too long.
    """
    duration = DURATION if spec.duration is None else spec.duration
    samples = round(duration * SAMPLING_RATE)
    if not 0 < samples <= MAX_SAMPLES:
        raise ArgumentError(
            f"{spec.name} got a duration of {duration:g} s; seconds up to {MAX_SAMPLES // SAMPLING_RATE} were expected."
        )
    return Sounds(SAMPLING_RATE, samples)
