"""Phrases of messages: nouns that agree with numbers, lists, durations."""

from collections.abc import Sequence


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Return a number and a noun that agrees with it: ``1 metamer``, ``1,000 metamers``, ``2 categories``.

    Args:
        count: how many.
        noun: what, in the singular.
        plural: the plural, where it does not end in ``s``, or in ``ies`` for a ``y`` after a consonant.
    """
    if plural is None:
        plural = f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"


def first_few(items: Sequence[str], maximum: int = 3) -> str:
    """Return the first items, and how many more there are: ``a, b, c and 2 more``; ``none`` for no items."""
    further = f" and {len(items) - maximum} more" if len(items) > maximum else ""
    return (", ".join(items[:maximum]) or "none") + further


def byte_size(size: int) -> str:
    """Return a number of bytes in the unit that fits: ``3.2 GB``, ``450 MB``."""
    unit, scale = ("GB", 1e9) if size >= 1e9 else ("MB", 1e6) if size >= 1e6 else ("kB", 1e3)
    return f"{_rounded(size / scale)} {unit}"


#: Units of durations: the seconds of one, and the seconds up to which it is used.
_UNITS = {"second": (1, 120), "minute": (60, 7200), "hour": (3600, 48 * 3600), "day": (86400, float("inf"))}


def duration_range(shortest: float, longest: float) -> str:
    """Say how long something takes, in the unit that fits: ``about 40 seconds``, ``1.5 to 2 hours``, ``3 to 4 days``.

    Args:
        shortest: seconds.
        longest: seconds.
    """
    unit, size = _unit(longest)
    low, high = (_rounded(time / size) for time in (shortest, longest))
    return f"about {duration(longest)}" if low == high else f"{low} to {high} {unit}s"


def duration(seconds: float) -> str:
    """Return a duration in the unit that fits: ``40 seconds``, ``1.5 hours``."""
    unit, size = _unit(seconds)
    number = _rounded(seconds / size)
    return f"{number} {unit}{'' if number == '1' else 's'}"


def _unit(seconds: float) -> tuple[str, float]:
    """Return the unit that fits, and how many seconds it has."""
    return next((unit, size) for unit, (size, limit) in _UNITS.items() if seconds < limit)


def _rounded(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.1f}".removesuffix(".0")
