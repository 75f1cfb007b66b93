"""Checks of the values of settings; each names the setting and what was expected."""

import math
from numbers import Real

from tfmetamers.errors import ArgumentError, checked_whole_number


def check_numbers(settings, *names: str, minimum: float, maximum: float = math.inf) -> None:
    """Require that settings are finite numbers in a range.

    Args:
        settings: has them as attributes.
        names: which of them.
        minimum: the smallest value allowed.
        maximum: the largest value allowed.

    Raises:
        ArgumentError: a setting is something else.
    """
    for name in names:
        value = getattr(settings, name)
        if not isinstance(value, Real) or not math.isfinite(value) or not minimum <= value <= maximum:
            range_ = f"from {minimum} to {maximum}" if maximum < math.inf else f"of at least {minimum}"
            raise ArgumentError(f"The setting {name} is {value}; a number {range_} was expected.")


def check_positive(settings, *names: str) -> None:
    """Require that settings are finite numbers above 0.

    Raises:
        ArgumentError: a setting is something else.
    """
    for name in names:
        value = getattr(settings, name)
        if not isinstance(value, Real) or not 0 < value < math.inf:
            raise ArgumentError(f"The setting {name} is {value}; a finite number above 0 was expected.")


def check_whole_numbers(settings, *names: str, minimum: int) -> None:
    """Require that settings are whole numbers of at least `minimum`.

    Raises:
        ArgumentError: a setting is something else.
    """
    for name in names:
        checked_whole_number(f"setting {name}", getattr(settings, name), minimum)


def check_shares(settings, *names: str) -> None:
    """Require that settings are shares above 0 that add up to less than 1.

    Raises:
        ArgumentError: a setting is something else.
    """
    check_positive(settings, *names)
    total = sum(getattr(settings, name) for name in names)
    if total >= 1:
        sum_ = f"The settings {' and '.join(names)} add up to" if len(names) > 1 else f"The setting {names[0]} is"
        raise ArgumentError(f"{sum_} {total:g}; less than 1 was expected, to leave clips for training.")
