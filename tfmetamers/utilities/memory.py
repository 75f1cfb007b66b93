"""The memory that a computation will take, checked before it starts."""

import psutil

from tfmetamers.errors import ArgumentError
from tfmetamers.utilities.words import byte_size


def require_free_memory(needed: int, what: str) -> None:
    """Refuse what does not fit into the memory that is free now.

    Args:
        needed: bytes.
        what: what takes them, as the message begins.

    Raises:
        ArgumentError: less is free.
    """
    free = psutil.virtual_memory().available
    if needed > free:
        raise ArgumentError(
            f"{what} takes about {byte_size(needed)}, but only {byte_size(free)} of memory are free; give --kernels "
            "small (kernels='small' in Python) or smaller batches, or free some memory."
        )
