"""The one style of figures that are printed, and the files that they are written to."""

import os
import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from tfmetamers.utilities.files import atomic_write

#: The formats that a figure is written in; text stays text in the first two.
FORMATS = ("pdf", "svg", "png")

#: What files would say of when they were made; without it, the same figure gives the same bytes.
_METADATA = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": None}

#: Colours that colour-blind readers tell apart (Okabe and Ito 2008), by what they are called.
COLOURS = {
    "blue": "#0072B2",
    "vermilion": "#D55E00",
    "green": "#009E73",
    "purple": "#CC79A7",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "black": "#000000",
    "grey": "#888888",
}

#: Colours of lines that have no colour of their own, in this order.
LINE_COLOURS = tuple(COLOURS[name] for name in ("blue", "vermilion", "green", "purple", "orange", "sky", "black"))

#: Marks places within a name where a line may end.
_BREAK = "\N{ZERO WIDTH SPACE}"


@contextmanager
def print_style() -> Iterator[None]:
    """Draw in the style of ``print.mplstyle``, beside this module, and put matplotlib's settings back afterwards."""
    with resources.as_file(resources.files(__package__) / "print.mplstyle") as file, rc_context(fname=file):
        yield


def wrapped(text: str, inches: float, points: float = 8) -> str:
    """Return a text broken into lines that fit a width, at underscores and hyphens, too.

    Args:
        text: the text.
        inches: the width.
        points: the size of the font.
    """
    letters = max(4, int(inches * 72 / (0.6 * points)))
    apart = re.sub(r"(?<=[_@:/-])(?=\S)", _BREAK + " ", text)
    return "\n".join(line.replace(_BREAK + " ", "").replace(_BREAK, "") for line in textwrap.wrap(apart, letters))


def save_figure(figure: Figure, path: str | os.PathLike) -> list[Path]:
    """Write a figure in each of `FORMATS`, each whole or not at all.

    Args:
        figure: the figure.
        path: the files' path without an ending.

    Returns:
        The files.

    Raises:
        ResultError: one cannot be written.
    """
    files = []
    for ending in FORMATS:
        file = Path(f"{path}.{ending}")
        with print_style(), atomic_write(file) as partial:
            figure.savefig(partial, format=ending, metadata=_METADATA[ending])
        files.append(file)
    return files
