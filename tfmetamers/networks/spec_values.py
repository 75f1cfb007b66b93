"""What the fields of a network's spec may hold.

Each function takes a value and what the field is called in messages, and returns the value as the spec keeps it.
"""

import math
import numbers
import os
from collections.abc import Iterable, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from tfmetamers.errors import ArgumentError, checked_whole_number, shown, unknown_name
from tfmetamers.stimuli.domains import MODEL_DOMAINS
from tfmetamers.utilities.lists import listed
from tfmetamers.utilities.regular_files import read_text

#: The largest file of labels that is read, in bytes.
MAX_LABELS = 2**24

#: What stands for every layer that has a name, where layers are asked for.
ALL_LAYERS = "all"


def read_labels(file: str | os.PathLike) -> list[str]:
    """Return the lines of a file of labels.

    Raises:
        ArgumentError: it is missing, too large, or not text in UTF-8.
    """
    try:
        return read_text(Path(file), MAX_LABELS).splitlines()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not text in UTF-8"
        raise ArgumentError(f"{file} cannot be read ({reason}); a text of one label a line was expected.") from error


def offered_layers(value: str | Iterable[str] | None, field: str = "layers") -> tuple[str, ...] | None:
    """Return the names of the layers that a model is to offer, where one may be given alone; None for all.

    Raises:
        ArgumentError: they are not names.
    """
    if value is None or (isinstance(value, str) and value == ALL_LAYERS):
        return None
    return checked_texts(listed(value), field)


def checked_domain(value: str, field: str = "domain") -> str:
    """Return the name of a domain of users' own models.

    Raises:
        ArgumentError: it is not one.
    """
    if value not in MODEL_DOMAINS:
        raise unknown_name(field, value, MODEL_DOMAINS)
    return str(value)


def checked_range(value: Sequence[float], field: str = "input range") -> tuple[float, float]:
    """Return an input range: what stands for black, and what for white.

    Raises:
        ArgumentError: it is not two finite numbers, the lower one first.
    """
    try:
        low, high = (float(number) for number in value)
    except (TypeError, ValueError):
        low = high = math.nan
    if isinstance(value, str) or not -math.inf < low < high < math.inf:
        raise ArgumentError(f"The {field} is {shown(value)}; two finite numbers, the lower one first, were expected.")
    return low, high


def checked_size(value: int | Iterable[int], field: str) -> tuple[int, ...]:
    """Return height and width of pictures, or the shape of arrays; one number stands for a square.

    Raises:
        ArgumentError: a side is not a whole number of at least 1.
    """
    sides = list(value) if isinstance(value, Iterable) and not isinstance(value, str) else [value, value]
    return tuple(checked_whole_number(field, side, minimum=1) for side in sides)


def checked_texts(value: Iterable[str], field: str) -> tuple[str, ...]:
    """Return a list of text.

    Raises:
        ArgumentError: it is something else, or has no order.
    """
    is_list = isinstance(value, Iterable) and not isinstance(value, str | Mapping | Set)
    if not is_list or not all(isinstance(each, str) for each in value):
        raise ArgumentError(f"The {field} are {shown(value)}; a list of text was expected.")
    return tuple(value)


def checked_text(value: str | os.PathLike, field: str) -> str:
    """Return text, or a path as text.

    Raises:
        ArgumentError: it is something else, or cannot be written down: a file's name need not be UTF-8.
    """
    if not isinstance(value, str | os.PathLike):
        raise ArgumentError(f"The {field} of a network is {shown(value)}; text was expected.")
    text = os.fspath(value)
    if isinstance(text, bytes) or "\0" in text or not _is_unicode(text):
        raise ArgumentError(f"The {field} of a network is {shown(text)}, which is not Unicode text; rename the file.")
    return text


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def checked_object(value: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    """Return values by name.

    Raises:
        ArgumentError: they are something else.
    """
    if not isinstance(value, Mapping):
        raise ArgumentError(f"The {field} of a network is {shown(value)}; values by name were expected.")
    return value


def checked_seed(value: int, field: str) -> int:
    """Return the seed of random weights.

    Raises:
        ArgumentError: it is not a whole number of at least 0.
    """
    return checked_whole_number(field, value, minimum=0)


def checked_rate(value: int, field: str) -> int:
    """Return a sampling rate in Hz.

    Raises:
        ArgumentError: it is not a whole number of at least 1.
    """
    return checked_whole_number(field, value, minimum=1)


def checked_seconds(value: float, field: str) -> float:
    """Return a duration in seconds.

    Raises:
        ArgumentError: it is not a number above 0, or infinite.
    """
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not is_number or not 0 < value < float("inf"):
        raise ArgumentError(f"The {field} is {shown(value)}; seconds above 0 were expected.")
    return float(value)
