"""The errors that tfmetamers raises on purpose, and the wording they share."""

import numbers
import reprlib
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

#: No whole number is larger: it has 64 bits with its sign, and a table or a file of JSON holds it everywhere.
MAX_WHOLE = 2**63 - 1


class TfmetamersError(Exception):
    """Base class of every error that tfmetamers raises on purpose.

    Its message says what arrived, what was expected and what to do next.
    """


class ArgumentError(TfmetamersError, ValueError):
    """An argument has a value that cannot be used; nothing was started."""


class StimulusError(TfmetamersError):
    """A file cannot be used as a stimulus."""


class CorpusError(TfmetamersError):
    """A corpus of recordings cannot be read, made, or trained on."""


class CheckpointError(TfmetamersError):
    """A checkpoint is missing, damaged, or not that of the network."""


class ResultError(TfmetamersError):
    """A result on disk cannot be written, read, or reconciled with what was asked."""


class BusyError(ResultError):
    """Another process is at work where something was to be written."""


class SynthesisError(TfmetamersError):
    """Synthesis cannot go on; what was reached has been saved where a folder was given.

    Attributes:
        state: the last good `tfmetamers.synthesis.state.SynthesisState` of the batch; None before there is one.
        culprits: the places in the batch of the items that cannot go on; None where that is not told.
    """

    def __init__(self, message: str, *, state=None, culprits: Sequence[int] | None = None):
        super().__init__(message)
        self.state = state
        self.culprits = culprits


class UnmovedError(SynthesisError):
    """No step can change a metamer, because its gradient is zero."""


class TfmetamersWarning(UserWarning):
    """Something can be used, and will likely not give what was meant."""


def unknown_name(kind: str, name: str, known: Iterable[str], remedy: str) -> ArgumentError:
    """Return the error for a name that is not known, listing the names nearest to it.

    Args:
        kind: what the name stands for, such as ``"network"``.
        name: the name that arrived.
        known: every name that would have been accepted.
        remedy: how to see all names, as an imperative sentence.
    """
    known = list(known)
    near = get_close_matches(str(name), known, n=5, cutoff=0.4) or known[:10]
    return ArgumentError(f"There is no {kind} {name!r}; the nearest are {', '.join(near)}. {remedy}")


def checked_whole_number(what: str, value, minimum: int) -> int:
    """Return a value that is a whole number of at least `minimum` and at most `MAX_WHOLE`.

    Raises:
        ArgumentError: it is something else.
    """
    is_whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not is_whole or value < minimum:
        raise ArgumentError(f"The {what} is {shown(value)}; a whole number from {minimum} was expected.")
    if value > MAX_WHOLE:
        raise ArgumentError(f"The {what} is {shown(value)}; a whole number of at most {MAX_WHOLE} was expected.")
    return int(value)


def shown(value) -> str:
    """Return a value as an error message shows it: its beginning, however long or deep it is."""
    shortened = reprlib.Repr()
    shortened.maxlevel, shortened.maxstring, shortened.maxother = 2, 60, 120
    try:
        return shortened.repr(value)
    except ValueError:  # A whole number of thousands of digits.
        return f"a {type(value).__name__} too large to show"
