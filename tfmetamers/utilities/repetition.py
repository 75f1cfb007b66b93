"""Work that is not repeated if the result would be the same."""

import functools
from collections.abc import Callable
from typing import Any


def remember_last(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Decorate a function of one argument to return its last result again where the argument equals the last one.

    The argument need not be hashable, as what JSON holds is not; neither it nor the result may be changed afterwards.
    """
    last: list[tuple[Any, Any]] = []

    @functools.wraps(function)
    def remembered(argument):
        if not last or last[0][0] != argument:
            last[:] = [(argument, function(argument))]
        return last[0][1]

    return remembered
