"""Memory: what a computation will take, checked before it starts; and when Python looks for what is no longer used."""

import contextlib
import gc
from collections.abc import Iterator

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


@contextlib.contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Keep Python from looking for cycles while the block makes many objects that stay; also a decorator.

    It looks at all of them again and again, which takes half of the time that a million stimuli are planned in.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
