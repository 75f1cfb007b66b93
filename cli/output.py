"""The output of commands: tables, remarks and progress, as --quiet and --json ask for."""

import io
import json
import math
import numbers
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import click
from tabulate import tabulate
from tqdm import tqdm

#: If standard error is not a terminal, progress is a line this often, in seconds.
SECONDS_A_LINE = 60.0


def _note(context: click.Context, parameter: click.Parameter, is_given: bool) -> None:
    if is_given:  # To a group or to its command.
        context.meta[f"{__name__}.{parameter.name}"] = True


def _is_given(name: str) -> bool:
    context = click.get_current_context(silent=True)
    return context is not None and f"{__name__}.{name}" in context.meta


#: Adds ``--quiet`` to a command.
quiet_option = click.option(
    "--quiet", is_flag=True, expose_value=False, callback=_note, help="Show no progress and no remarks."
)

#: Adds ``--json`` to a command that shows a table.
json_option = click.option(
    "--json", is_flag=True, expose_value=False, callback=_note, help="Show the table as JSON, a list of rows."
)


def say(text: str) -> None:
    """Show a remark: on standard error if standard output is for JSON, and not at all with --quiet."""
    if not _is_given("quiet"):
        show_line(text)


def show_line(text: str) -> None:
    """Show what was asked for and is not the table, also with --quiet: on standard error if there is JSON."""
    click.echo(text, err=_is_given("json"))


def warn(text: str) -> None:
    """Show a warning, always, on standard error."""
    click.echo(text, err=True)


def say_above_bars(text: str) -> None:
    """Show a remark while a progress bar is shown."""
    with tqdm.external_write_mode():
        say(text)


class Column(NamedTuple):
    """How a column of a table is shown.

    Attributes:
        title: its title.
        form: a format specification, or a function that returns the text of a value; None is shown as ``-``.
    """

    title: str
    form: str | Callable[[Any], str] = ""


def show_table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str | Column], **layout: Any) -> None:
    """Show a table as text or as JSON; as text, a table without rows is not shown.

    Args:
        rows: for each row, the values of the columns by key; JSON has all of them.
        columns: the columns of the text from left to right, by key: a title, or a `Column`.
        layout: further arguments of `tabulate`.
    """
    show_json(rows)
    show_text_table(rows, columns, **layout)


def show_text_table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str | Column], **layout: Any) -> None:
    """Show a table as text, as `show_table` does, and not at all as JSON, where another table has its columns."""
    if _is_given("json") or not rows:
        return
    shown = {key: Column(column) if isinstance(column, str) else column for key, column in columns.items()}
    cells = [[_text(row[key], column.form) for key, column in shown.items()] for row in rows]
    sides = ["right" if any(_is_number(row[key]) for row in rows) else "left" for key in shown]
    titles = [column.title for column in shown.values()]
    click.echo(tabulate(cells, titles, disable_numparse=True, colalign=sides, **layout))


def show_json(rows: Iterable[Mapping[str, Any]]) -> None:
    """Show the rows of a table as JSON, if --json was given."""
    if _is_given("json"):
        plain = [{key: _plain(value) for key, value in row.items()} for row in rows]
        click.echo(json.dumps(plain, indent=2))


def _is_number(value) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _text(value, form: str | Callable[[Any], str]) -> str:
    if callable(form):
        return form(value)
    return "-" if value is None else format(value, form)


def _plain(value):
    """Return a value for JSON: undefined numbers become null, and other objects text."""
    value = value.item() if hasattr(value, "item") else value  # Of NumPy.
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, bool | int | float | str | list | tuple | None) else str(value)


class _Lines(io.TextIOBase):
    """A stream for a progress bar, which writes each state of the bar as a line on standard error."""

    def write(self, text: str) -> int:
        if text.strip():
            click.echo(text.strip(), err=True)
        return len(text)


def progress_bar(items: Iterable | None = None, **options: Any) -> tqdm:
    """Return a progress bar; if standard error is not a terminal, it is a line every `SECONDS_A_LINE`.

    Args:
        items: what the bar yields, if it is iterated over.
        options: as `tqdm` takes them.
    """
    if _is_given("quiet"):
        options |= {"disable": True}
    elif not sys.stderr.isatty():
        seconds = {"delay": SECONDS_A_LINE, "mininterval": SECONDS_A_LINE, "maxinterval": SECONDS_A_LINE}
        options |= {**seconds, "miniters": 1, "ncols": 0, "file": _Lines()}
    return tqdm(items, **options)


@contextmanager
def progress_over(description: str, unit: str, **options: Any) -> Iterator[Callable[[Iterable], Iterable]]:
    """Yield a function that iterates over items and shows progress; the bar is closed before an error is printed."""
    bars = []

    def show(items: Iterable) -> Iterable:
        bars.append(progress_bar(items, desc=description, unit=unit, **options))
        return bars[-1]

    try:
        yield show
    finally:
        for bar in bars:
            bar.close()


@contextmanager
def progress_counter(description: str, unit: str, **options: Any) -> Iterator[Callable[[int, int | None], None]]:
    """Yield a function that shows progress, given how much is done and the total."""
    with progress_bar(desc=description, unit=unit, **options) as bar:

        def show(done: int, total: int | None) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show
