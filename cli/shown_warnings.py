"""Warnings of the library, as lines on the terminal."""

import contextlib
import sys
import warnings
from collections.abc import Iterator

from tfmetamers.errors import TfmetamersWarning


@contextlib.contextmanager
def shown_warnings() -> Iterator[None]:
    """Show each of the library's warnings once while the block runs, as a line that does not break progress bars."""
    shown = set()
    with warnings.catch_warnings():
        others = warnings.showwarning

        def show(message, category, *place, **further):
            if not issubclass(category, TfmetamersWarning):
                others(message, category, *place, **further)
            elif str(message) not in shown:
                from tqdm import tqdm

                shown.add(str(message))
                tqdm.write(f"Warning: {message}", file=sys.stderr)

        warnings.simplefilter("always", TfmetamersWarning)
        warnings.showwarning = show
        yield
