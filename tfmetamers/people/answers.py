"""Answers of participants from wherever they were kept: the server's database, CSVs, JATOS's results."""

import csv
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tfmetamers.errors import ArgumentError, ResultError, first_line
from tfmetamers.people.database import read_rows
from tfmetamers.people.rows import COLUMNS, Row, checked_row, read_cells, text_of
from tfmetamers.utilities.json_files import parse_json
from tfmetamers.utilities.regular_files import read_text
from tfmetamers.utilities.words import first_few

#: The largest file of answers that is read, in bytes.
MAX_BYTES = 2**30


def read_answers(files: Sequence[str | os.PathLike], experiment: str) -> list[Row]:
    """Return the rows of files, session by session, in their order; a row that is in several files comes once.

    Args:
        files: databases (``.sqlite``), CSVs as the page and `tfmetamers.people.rows.write_rows_csv` write them, and
            JATOS's results (``.txt``, ``.json``, ``.jsonl``): one row in JSON per line.
        experiment: the id of the experiment that all rows must be of.

    Raises:
        ResultError: a file cannot be read, is of another experiment, or two rows of one number differ.
    """
    found: dict[tuple[str, int], Row] = {}
    for file in map(Path, files):
        for row in _rows(file, experiment):
            if row.experiment != experiment:
                raise ResultError(
                    f"{file} has answers to the experiment {row.experiment[:12]}, and this one is {experiment[:12]}; "
                    "give the folder that it was built in."
                )
            known = found.setdefault((row.session, row.seq), row)
            if text_of(known) != text_of(row):
                raise ResultError(
                    f"{file} has another row {row.seq} of the session {row.session} than was read before; leave one of "
                    "the files out."
                )
    return [found[key] for key in sorted(found)]


def _rows(file: Path, experiment: str) -> Iterable[Row]:
    if file.suffix == ".sqlite":
        return read_rows(file, experiment)
    try:
        text = read_text(file, MAX_BYTES)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or first_line(error)
        raise ResultError(f"{file} cannot be read ({reason}); give another file.") from error
    return _csv_rows(file, text) if file.suffix == ".csv" else _json_rows(file, text)


def _csv_rows(file: Path, text: str) -> Iterator[Row]:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}"), newline=""))
    columns = reader.fieldnames or []
    unknown = sorted(set(columns) - set(COLUMNS))
    if unknown or "session" not in columns:
        raise ResultError(
            f"{file} has {f'the columns {first_few(unknown)}' if unknown else 'no column session'}, which answers do "
            "not have; give a CSV as the page or 'tfmetamers people export' writes it."
        )
    try:
        for cells in reader:
            if None in cells or None in cells.values():
                raise ArgumentError("A row has more or fewer cells than there are columns.")
            yield read_cells(cells)
    except (csv.Error, ArgumentError, RecursionError) as error:
        raise ResultError(f"{file} is damaged before line {reader.line_num + 1}: {error} Give another copy.") from error


def _json_rows(file: Path, text: str) -> Iterator[Row]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                yield checked_row(parse_json(line))
            except ValueError as error:  # ArgumentError is one.
                reason = first_line(error).rstrip(".")
                raise ResultError(
                    f"{file} is damaged in line {number} ({reason}); a row of answers in JSON in each line was "
                    "expected, as JATOS gives them. Give another copy."
                ) from error
