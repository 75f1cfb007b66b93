"""The errors that tfmetamers raises on purpose, and the wording they share."""

from collections.abc import Iterable
from difflib import get_close_matches


class TfmetamersError(Exception):
    """Base class of every error that tfmetamers raises on purpose.

    Its message says what arrived, what was expected and what to do next.
    """


class ArgumentError(TfmetamersError, ValueError):
    """An argument has a value that cannot be used; nothing was started."""


class StimulusError(TfmetamersError):
    """A file cannot be used as a stimulus."""


class CheckpointError(TfmetamersError):
    """A checkpoint is missing, damaged, or not that of the network."""


class ResultError(TfmetamersError):
    """A result on disk cannot be written, read, or reconciled with what was asked."""


class SynthesisError(TfmetamersError):
    """Synthesis cannot go on; what was reached has been saved where a folder was given."""


def unknown_name(kind: str, name: str, known: Iterable[str], remedy: str) -> ArgumentError:
    """Return the error for a name that is not known, listing the names nearest to it.

    Args:
        kind: what the name stands for, such as ``"network"``.
        name: the name that arrived.
        known: every name that would have been accepted.
        remedy: how to see all names, as an imperative sentence.
    """
    known = list(known)
    near = get_close_matches(name, known, n=5, cutoff=0.4) or known[:10]
    return ArgumentError(f"There is no {kind} {name!r}; the nearest are {', '.join(near)}. {remedy}")
