"""Everything that a batch's next step depends on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfmetamers.metamers.metamer import Metamer


@dataclass
class SynthesisState:
    """Where a batch stands; arrays have the batch as their first axis.

    Attributes:
        stimuli: the metamers as they are.
        first_moment: Adam's running mean of the gradient; for steps of one length, the last gradient that is not zero.
        second_moment: Adam's running mean of the squared gradient.
        losses: loss of each item (axis 1) before each step so far (axis 0).
        seconds: wall time spent on the steps so far.
        deterministic: whether all of them used deterministic operations alone.
    """

    stimuli: np.ndarray
    first_moment: np.ndarray
    second_moment: np.ndarray
    losses: np.ndarray
    seconds: float = 0.0
    deterministic: bool = True

    @property
    def step(self) -> int:
        """The number of steps done."""
        return len(self.losses)

    @property
    def unmoved(self) -> np.ndarray:
        """Which items have a loss and were reached by no gradient in all the steps so far, bool (batch,)."""
        if not self.step:
            return np.zeros(len(self.stimuli), bool)
        axes = tuple(range(1, self.stimuli.ndim))
        is_reached = self.first_moment.any(axes) | self.second_moment.any(axes)
        return ~is_reached & (self.losses[-1] > 0)

    def of_items(self, places: Sequence[int]) -> "SynthesisState":
        """Return the state of some items of the batch, by their places in it."""
        chosen = list(places)
        moving = (values[chosen] for values in (self.stimuli, self.first_moment, self.second_moment))
        return SynthesisState(*moving, self.losses[:, chosen], self.seconds, self.deterministic)

    @classmethod
    def at_rest(cls, stimuli: np.ndarray) -> "SynthesisState":
        """Return the state before the first step, from the initial stimuli."""
        no_losses = np.zeros((0, len(stimuli)), np.float32)
        return cls(stimuli, np.zeros_like(stimuli), np.zeros_like(stimuli), no_losses)

    @classmethod
    def of_metamers(cls, metamers: Sequence[Metamer]) -> "SynthesisState":
        """Return the state after the last step of metamers of as many steps, whose moments were kept."""
        return cls(
            np.stack([metamer.stimulus for metamer in metamers]),
            *(np.stack([metamer.moments[place] for metamer in metamers]) for place in range(2)),
            # The last loss was measured after the last step, and is measured again by the next one.
            np.stack([metamer.losses[:-1] for metamer in metamers], axis=1),
            metamers[0].seconds,
            all(metamer.record.computation.deterministic for metamer in metamers),
        )
