"""CSV tables of which every row knows its line, so that an error names the place that an editor shows."""

import csv
import math
from array import array
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from tfmetamers.errors import CorpusError, shown

#: How many rows an error message shows.
EXAMPLES = 3


def read_table(
    path: Path, required: Sequence[str], optional: dict[str, str] | None = None
) -> tuple[array, dict[str, list[str]]]:
    """Read columns of a CSV file as text.

    Python's own reader is used for its line numbers, which pandas does not have. Equal cells share one object.

    Args:
        path: a CSV file in UTF-8 with a header; empty lines are skipped.
        required: columns that must be there.
        optional: columns that may be missing, and their cells where they are.

    Returns:
        The line that each row ends on, from 1, and the cells of each column, without space around them.

    Raises:
        CorpusError: the file is missing, no CSV file in UTF-8, or without rows; it lacks a column or has one twice; a
            row has a cell too many or too few.
    """
    optional = optional or {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.reader(stream, strict=True)
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
                    uneven.append((reader.line_num, f"{len(row)} cells"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise cannot_read(path, "a CSV file in UTF-8", error) from error
    refuse_rows(path, uneven, f"rows of another number of cells than the header's {len(header)}", "correct them")
    if not lines:
        raise CorpusError(f"{path} has no rows below its header; give a file that has some.")
    return lines, cells | {name: [cell] * len(lines) for name, cell in optional.items() if name not in places}


def read_seconds(path, lines: Sequence[int], cells: Sequence[str], what: str) -> np.ndarray:
    """Return times in s that a column of a table has, float64.

    Args:
        path: the file that the table is from.
        lines: the line of each row.
        cells: the column, as text.
        what: what the times are, in the singular.

    Raises:
        CorpusError: a cell is no number, is not finite or is negative.
    """
    times = np.fromiter(map(_number, cells), np.float64, len(cells))
    wrong = np.flatnonzero(~(np.isfinite(times) & (times >= 0)))
    examples = [(lines[row], shown(cells[row])) for row in wrong[:EXAMPLES]]
    refuse_rows(path, examples, f"rows whose {what} is no number of seconds from 0", "correct them", count=len(wrong))
    return times


def refuse_rows(path, examples: Sequence[tuple[int, str]], what: str, remedy: str, count: int | None = None) -> None:
    """Raise the error for rows that cannot be used, if there are any.

    Args:
        path: the file that they are in.
        examples: line and what is there, of each such row or of the first ones.
        what: what such rows are, in the plural.
        remedy: what to do, as an imperative.
        count: how many there are, where not all of them are among the examples.

    Raises:
        CorpusError: there is such a row.
    """
    if examples:
        told = "; ".join(f"line {line}: {text}" for line, text in examples[:EXAMPLES])
        raise CorpusError(f"{path} has {what}, {count or len(examples)} in all ({told}); {remedy}.")


def cannot_read(path, expected: str, error: Exception) -> CorpusError:
    """Return the error for a file that is not what it should be.

    Args:
        path: the file.
        expected: what it should be, with its article.
        error: what was raised on it.
    """
    reason = " ".join(str(getattr(error, "strerror", None) or error).split()).rstrip(".")
    return CorpusError(f"{path} cannot be read as {expected} ({reason}); give one.")


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _places(path: Path, header: Sequence[str], required: Iterable[str], optional: Iterable[str]) -> dict[str, int]:
    """Return where the columns are that a header has."""
    missing = [name for name in required if name not in header]
    if missing:
        raise CorpusError(
            f"{path} lacks the columns {', '.join(missing)}: its first line is {shown(','.join(header))}; "
            f"a header with {', '.join(required)} was expected."
        )
    columns = [name for name in (*required, *optional) if name in header]
    twice = [name for name in columns if header.count(name) > 1]
    if twice:
        raise CorpusError(f"{path} has the column {twice[0]} twice; rename or drop one of them.")
    return {name: header.index(name) for name in columns}
