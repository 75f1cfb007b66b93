"""Everything that a batch's next step depends on."""

from dataclasses import dataclass

import numpy as np


@dataclass
class SynthesisState:
    """Where a batch stands; arrays have the batch as their first axis.

    Attributes:
        stimuli: the metamers as they are.
        first_moment: Adam's running mean of the gradient.
        second_moment: Adam's running mean of the squared gradient.
        losses: loss of each item (axis 1) before each step so far (axis 0).
        seconds: wall time spent on the steps so far.
    """

    stimuli: np.ndarray
    first_moment: np.ndarray
    second_moment: np.ndarray
    losses: np.ndarray
    seconds: float = 0.0

    @property
    def step(self) -> int:
        """The number of steps done."""
        return len(self.losses)

    @classmethod
    def at_rest(cls, stimuli: np.ndarray) -> "SynthesisState":
        """Return the state before the first step, from the initial stimuli."""
        no_losses = np.zeros((0, len(stimuli)), np.float32)
        return cls(stimuli, np.zeros_like(stimuli), np.zeros_like(stimuli), no_losses)
