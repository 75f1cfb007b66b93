"""The errors that tfmetamers raises on purpose, and the wording that they share."""

import numbers
import reprlib
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

#: The largest whole number that is accepted: a signed 64-bit integer, which every table and JSON file can hold.
MAX_WHOLE = 2**63 - 1


class TfmetamersError(Exception):
    """Base class of every error that tfmetamers raises on purpose.

    Its message says what arrived, what was expected and what to do next.

    >>> from tfmetamers import find_recipe
    >>> try:
    ...     find_recipe("feather2019-picture")
    ... except TfmetamersError as error:
    ...     print(error)
    There is no recipe 'feather2019-picture'; similar: feather2019-image, ... Give one of these.
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
    """Synthesis cannot continue; what it had reached was saved if it writes to a folder.

    Attributes:
        state: the last good `tfmetamers.synthesis.state.SynthesisState` of the batch; None before there is one.
        culprits: the places in the batch of the items that cannot continue; None where they are not known.
    """

    def __init__(self, message: str, *, state=None, culprits: Sequence[int] | None = None):
        super().__init__(message)
        self.state = state
        self.culprits = culprits


class UnmovedError(SynthesisError):
    """No step can change a metamer, because its gradient is zero."""


class TfmetamersWarning(UserWarning):
    """Something can be used, but probably does not give what was meant.

    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", TfmetamersWarning)
    ...     warnings.warn("All of it looks black to the network.", TfmetamersWarning)
    Traceback (most recent call last):
    tfmetamers.errors.TfmetamersWarning: All of it looks black to the network.
    """


def unknown_name(
    kind: str, name: str, known: Iterable[str], remedy: str = "Give one of these.", *, where: str = ""
) -> ArgumentError:
    """Return the error for an unknown name, with the most similar names that are known.

    Args:
        kind: what the name stands for, such as ``"network"``.
        name: the name that arrived.
        known: every name that would have been accepted.
        remedy: how to see all names, or what else to do, as an imperative sentence.
        where: what has no such name, such as ``" in vgg_19"``.
    """
    known = list(known)
    near = get_close_matches(str(name), known, n=5, cutoff=0.4)
    listed = f"similar: {', '.join(near)}" if near else f"known: {', '.join(known[:10]) or 'none'}"
    return ArgumentError(f"There is no {kind} {shown(name)}{where}; {listed}. {remedy}")


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


def first_line(error: Exception) -> str:
    """Return the first line of an error's message, or the name of its type where it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def shown(value) -> str:
    """Return a value as an error message shows it: its beginning, however long or deep it is."""
    shortened = reprlib.Repr()
    shortened.maxlevel, shortened.maxstring, shortened.maxother = 2, 60, 120
    try:
        return shortened.repr(value)
    except ValueError:  # A whole number of thousands of digits.
        return f"a {type(value).__name__} too large to show"
