"""Failures that are recorded, so that one metamer that cannot be used does not stop the others."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tfmetamers.errors import TfmetamersError

Result = TypeVar("Result")


@dataclass(frozen=True)
class Failure:
    """A metamer that could not be used, and why."""

    folder: Path
    reason: str


def attempt(folder: Path, use: Callable[..., Result], *arguments: Any) -> Result | Failure:
    """Return what a function makes of a metamer's folder, or why it could not.

    Any error that a damaged folder raises is caught here, even a lack of memory, but Ctrl-C is not.

    Args:
        folder: the folder.
        use: the function.
        arguments: the function's arguments.
    """
    try:
        return use(*arguments)
    except TfmetamersError as error:
        return Failure(folder, str(error))
    except Exception as error:
        logging.getLogger(__name__).debug("%s cannot be used", folder, exc_info=True)
        reason = " ".join(str(error).split())[:200]
        return Failure(folder, f"{folder} cannot be used ({type(error).__name__}: {reason}); make the metamer again.")
