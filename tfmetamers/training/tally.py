"""Which clips were dropped when a corpus was made, and why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from tfmetamers.errors import CorpusError
from tfmetamers.utilities.words import counted


@dataclass(frozen=True)
class Dropped:
    """Clips that were dropped for one reason.

    Attributes:
        reason: why, as a phrase that follows ``1 clip`` or ``2 clips``.
        clips: how many.
        lost: for each counted column, how many of its values no remaining clip has.
        example: the first of the clips, in words.
    """

    reason: str
    clips: int
    lost: dict[str, int]
    example: str


@dataclass
class Tally:
    """Drops clips and counts them by reason.

    Attributes:
        describe: describes a row in words, as an example.
        columns: columns whose values are counted; empty text does not count.
        dropped: what was dropped so far.
    """

    describe: Callable[[pd.Series], str]
    columns: Sequence[str] = ()
    dropped: list[Dropped] = field(default_factory=list)

    def keep(
        self, frame: pd.DataFrame, kept: np.ndarray | pd.Series, reason: str, example: str | None = None
    ) -> pd.DataFrame:
        """Return the rows to keep.

        Args:
            frame: the clips.
            kept: whether to keep each, bool (rows,).
            reason: why the others are dropped; calls with the same reason are counted together.
            example: an example in words, instead of the description of the first dropped clip.
        """
        kept = np.asarray(kept, bool)
        if kept.all():
            return frame
        rest = frame[kept]
        lost = {name: distinct(frame[name]) - distinct(rest[name]) for name in self.columns}
        clips = len(frame) - len(rest)
        example = example or self.describe(frame.iloc[int(np.argmin(kept))])
        for place, before in enumerate(self.dropped):
            if before.reason == reason:
                lost = {name: count + before.lost[name] for name, count in lost.items()}
                self.dropped[place] = Dropped(reason, before.clips + clips, lost, before.example)
                return rest
        self.dropped.append(Dropped(reason, clips, lost, example))
        return rest

    def require_clips(self, frame: pd.DataFrame, source: str) -> None:
        """Refuse to continue without clips.

        Args:
            frame: the clips.
            source: what they are made from, in the plural.

        Raises:
            CorpusError: there are none; the message says what was dropped.
        """
        if frame.empty:
            reasons = "; ".join(f"{counted(dropped.clips, 'clip')} {dropped.reason}" for dropped in self.dropped)
            raise CorpusError(f"All clips were dropped ({reasons}); drop fewer, or give more {source}.")


def distinct(column: pd.Series) -> int:
    """Return how many distinct values a column has, not counting empty text."""
    return len(set(column.unique()) - {""})
