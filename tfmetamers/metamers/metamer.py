"""A finished metamer."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from tfmetamers.errors import ArgumentError, shown
from tfmetamers.metamers.record import MetamerRecord
from tfmetamers.utilities.lists import listed


@dataclass(frozen=True, eq=False)
class Metamer:
    """A finished metamer and how it was made.

    Attributes:
        stimulus: the metamer, float32 of the network's stimulus shape.
        original: the natural stimulus that it matches, of the same shape.
        losses: the loss after 0, 1, 2 ... steps; for a metamer read from disk, after `steps`.
        learning_rates: the learning rate of the update that follows each of these losses.
        record: how it was made and how well it matches.
        steps: the number of steps after which each loss was taken; by default all from 0 on.
        seconds: wall time of the steps of its batch.
        moments: the optimiser's two moments after the last step, of the stimulus's shape; None for a metamer read from
            a folder where they were not kept.

    >>> import numpy as np
    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> from tfmetamers.synthesis import synthesize
    >>> metamer = synthesize(network, np.linspace(-1.0, 1.0, 6), layer="tanh", steps=2)
    >>> metamer.stimulus.shape, metamer.steps.tolist(), metamer.record.layer.name
    ((6,), [0, 1, 2], 'tanh')
    """

    stimulus: np.ndarray
    original: np.ndarray
    losses: np.ndarray
    learning_rates: np.ndarray
    record: MetamerRecord
    steps: np.ndarray = None
    seconds: float = 0.0
    moments: tuple[np.ndarray, np.ndarray] | None = field(default=None, repr=False)

    def __post_init__(self):
        if self.steps is None:
            object.__setattr__(self, "steps", np.arange(len(self.losses)))

    def __repr__(self) -> str:
        record = self.record
        correlation = "undefined" if record.correlation is None else f"{record.correlation:.4f}"
        return (
            f"<Metamer of {record.stimulus.id!r} at {record.layer.name} of {record.network.name}: "
            f"{record.recipe.steps} steps, loss {record.loss.initial:.4g} -> {record.loss.final:.4g}, "
            f"correlation {correlation}>"
        )


def listed_metamers(metamers: "Metamer | Iterable[Metamer]") -> list[Metamer]:
    """Return metamers as a list, one alone as a list of one.

    Raises:
        ArgumentError: something else is among them.
    """
    several = listed(metamers)
    for each in several:
        if not isinstance(each, Metamer):
            raise ArgumentError(
                f"A metamer is {shown(each)}; a Metamer was expected, as synthesize and read_metamer return."
            )
    return several
