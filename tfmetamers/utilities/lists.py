"""Arguments that may be one value or several."""

import os
from collections.abc import Iterable
from typing import Any


def listed(values: Any) -> list:
    """Return several values as a list, and one alone as a list of one; a text or a path is one.

    >>> listed("conv1_2"), listed(("conv1_2", "fc6"))
    (['conv1_2'], ['conv1_2', 'fc6'])
    """
    is_one = isinstance(values, str | os.PathLike) or not isinstance(values, Iterable)
    return [values] if is_one else list(values)
