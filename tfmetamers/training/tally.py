"""What the making of a corpus dropped, and why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from tfmetamers.errors import CorpusError


@dataclass(frozen=True)
class Dropped:
    """Clips that were dropped for one reason.

    Attributes:
        reason: why, in words.
        clips: how many.
        vanished: for each column that is counted, how many of its values no other clip has.
        example: the first of them, in words.
    """

    reason: str
    clips: int
    vanished: dict[str, int]
    example: str


@dataclass
class Tally:
    """Drops clips and remembers how many.

    Attributes:
        describe: makes an example in words of a row.
        counted: columns whose values are counted; empty text is no value.
        dropped: what was dropped so far.
    """

    describe: Callable[[pd.Series], str]
    counted: Sequence[str] = ()
    dropped: list[Dropped] = field(default_factory=list)

    def keep(
        self, frame: pd.DataFrame, kept: np.ndarray | pd.Series, reason: str, example: str | None = None
    ) -> pd.DataFrame:
        """Return the rows to keep.

        Args:
            frame: the clips.
            kept: whether to keep each, bool (rows,).
            reason: why the others are dropped; several calls with one reason are counted together.
            example: one of them in words, in place of the description of the first.
        """
        kept = np.asarray(kept, bool)
        if kept.all():
            return frame
        rest = frame[kept]
        vanished = {name: distinct(frame[name]) - distinct(rest[name]) for name in self.counted}
        clips = len(frame) - len(rest)
        example = example or self.describe(frame.iloc[int(np.argmin(kept))])
        for place, before in enumerate(self.dropped):
            if before.reason == reason:
                vanished = {name: count + before.vanished[name] for name, count in vanished.items()}
                self.dropped[place] = Dropped(reason, before.clips + clips, vanished, before.example)
                return rest
        self.dropped.append(Dropped(reason, clips, vanished, example))
        return rest

    def check_some_left(self, frame: pd.DataFrame, what: str, source: str) -> None:
        """Refuse to go on with nothing.

        Args:
            frame: the clips.
            what: what a row is, in the singular.
            source: what they are made from, in the plural.

        Raises:
            CorpusError: there are none; it says what was dropped.
        """
        if frame.empty:
            told = "; ".join(f"{dropped.clips} {dropped.reason}" for dropped in self.dropped)
            raise CorpusError(f"No {what} remains ({told}); drop less, or give more {source}.")


def distinct(column: pd.Series) -> int:
    """Return how many values a column has, empty text not counted."""
    return len(set(column.unique()) - {""})
