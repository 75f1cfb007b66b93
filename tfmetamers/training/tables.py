"""CSV files whose rows know their line, so that an error names the place that an editor shows."""

import contextlib
import csv
import io
import math
from array import array
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from tfmetamers.errors import CorpusError, shown
from tfmetamers.utilities.regular_files import open_regular
from tfmetamers.utilities.words import counted

#: How many rows an error message shows.
EXAMPLES = 3


@contextlib.contextmanager
def open_csv(path: Path, expected: str, **dialect):
    """Open a CSV file in UTF-8, giving Python's own reader of its rows.

    pandas is faster, but fills rows that are too short, and does not know the lines of rows.

    Args:
        path: the file.
        expected: what it should be, with its article, for the error.
        dialect: options of `csv.reader`.

    Raises:
        CorpusError: the file is missing or cannot be read, from the first row to the last.
    """
    try:
        with open_regular(path) as stream, io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text:
            yield csv.reader(text, strict=True, **dialect)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise cannot_read(path, expected, error) from error


def read_table(
    path: Path, required: Sequence[str], optional: dict[str, str] | None = None
) -> tuple[array, dict[str, list[str]]]:
    """Read columns of a CSV file as text. Equal cells share one object.

    Args:
        path: a CSV file in UTF-8 with a header; empty lines are skipped.
        required: columns that must be there.
        optional: columns that may be missing, with the cells that they have then.

    Returns:
        The line that each row ends on, from 1, and the cells of each column, without surrounding space.

    Raises:
        CorpusError: the file is missing, not a CSV file in UTF-8, or has no rows; it lacks a column or has one twice;
            a row has too many or too few cells.
    """
    optional = optional or {}
    with open_csv(path, "a CSV file in UTF-8") as reader:
        header = [name.strip() for name in next(reader, [])]
        places = _places(path, header, required, optional)
        lines, cells, uneven = array("q"), {name: [] for name in places}, []
        appends = [(cells[name].append, place) for name, place in places.items()]
        known: dict[str, str] = {}
        for row in reader:
            if len(row) == len(header):
                lines.append(reader.line_num)
                for append, place in appends:
                    cell = row[place].strip()
                    append(known.setdefault(cell, cell))
            elif row:
                uneven.append((reader.line_num, counted(len(row), "cell")))
    refuse_rows(path, uneven, f"whose number of cells is not the header's {len(header)}", "add or remove cells")
    if not lines:
        raise CorpusError(f"{path} has no rows below its header; give a file with rows.")
    return lines, cells | {name: [cell] * len(lines) for name, cell in optional.items() if name not in places}


def read_seconds(
    path, lines: Sequence[int], cells: Sequence[str], what: str, may_be_negative: np.ndarray | bool = False
) -> np.ndarray:
    """Return the times of a column in s, float64.

    Args:
        path: the file that the column is from.
        lines: the line of each row.
        cells: the column, as text.
        what: the name of the times, in the singular.
        may_be_negative: whether the time of each row may be below 0.

    Raises:
        CorpusError: a cell is not a finite number, or is below 0 where it may not be.
    """
    times = np.fromiter(map(_number, cells), np.float64, len(cells))
    wrong = np.flatnonzero(~(np.isfinite(times) & ((times >= 0) | may_be_negative)))
    examples = [(lines[row], shown(cells[row])) for row in wrong[:EXAMPLES]]
    refuse_rows(path, examples, f"whose {what} is not a time of at least 0 s", f"correct the {what}", len(wrong))
    return times


def check_ends(path, lines: Sequence[int], begins: np.ndarray, ends: np.ndarray) -> None:
    """Refuse rows that do not end after they begin.

    Args:
        path: the file that the rows are from.
        lines: the line of each row.
        begins: where each begins, in s.
        ends: where each ends, in s.

    Raises:
        CorpusError: there is such a row.
    """
    wrong = np.flatnonzero(ends <= begins)
    examples = [(lines[row], f"{begins[row]:g} to {ends[row]:g} s") for row in wrong[:EXAMPLES]]
    refuse_rows(path, examples, "with an end that is not after the beginning", "correct the times", len(wrong))


def refuse_rows(path, examples: Sequence[tuple[int, str]], which: str, remedy: str, count: int | None = None) -> None:
    """Raise the error for rows that cannot be used, if there are any.

    Args:
        path: the file that they are in.
        examples: the line and what is there, for each such row or for the first ones.
        which: a phrase that follows ``1 row`` or ``2 rows`` and says what is wrong with it.
        remedy: what to do, as an imperative.
        count: how many there are, if not all of them are among the examples.

    Raises:
        CorpusError: there is such a row.
    """
    if examples:
        found = "; ".join(f"line {line}: {text}" for line, text in examples[:EXAMPLES])
        raise CorpusError(f"{path} has {counted(count or len(examples), 'row')} {which} ({found}); {remedy}.")


def cannot_read(path, expected: str, error: Exception) -> CorpusError:
    """Return the error for a file that is not what it should be.

    Args:
        path: the file.
        expected: what it should be, with its article.
        error: what was raised when it was read.
    """
    reason = " ".join(str(getattr(error, "strerror", None) or error).split()).rstrip(".")
    return CorpusError(f"{path} cannot be read as {expected} ({reason}); check the file.")


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _places(path: Path, header: Sequence[str], required: Iterable[str], optional: Iterable[str]) -> dict[str, int]:
    """Return the position of each column that the header has."""
    missing = [name for name in required if name not in header]
    if missing:
        raise CorpusError(
            f"{path} has no column {' or '.join(missing)}; its header is {shown(','.join(header))}. Add the column."
        )
    columns = [name for name in (*required, *optional) if name in header]
    repeated = [name for name in columns if header.count(name) > 1]
    if repeated:
        raise CorpusError(f"{path} has two columns named {repeated[0]}; rename or delete one of them.")
    return {name: header.index(name) for name in columns}
