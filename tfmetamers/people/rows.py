"""Rows: what the page stores of each trial and each other step, and the table that they become."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from tfmetamers.errors import ArgumentError

#: What a row is of.
Kind = Literal[
    "consent",
    "demographics",
    "form",
    "check",
    "level",
    "headphone",
    "instructions",
    "practice",
    "demo",
    "main",
    "catch",
    "break",
    "comment",
    "end",
]

#: Rows of a session, and bytes of a row in JSON, at most.
MAX_ROWS, MAX_ROW_BYTES = 5000, 2**14

Session = Annotated[
    str, Meta(pattern="^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$", description="a UUID")
]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Short = Annotated[str, Meta(max_length=200)]
Number = float | None


class Audio(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a sound was played; durations are in milliseconds, latencies in seconds."""

    mode: Short | None = None
    start_delay_ms: Number = None
    duration_ms: Number = None
    sample_rate: Number = None
    base_latency: Number = None
    output_latency: Number = None
    state: Short | None = None


class Client(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The browser, as far as it is kept."""

    browser: Short | None = None
    version: Short | int | None = None
    os: Short | None = None
    mobile: bool | None = None


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One row (``docs/people.md`` describes the fields)."""

    session: Session
    seq: Annotated[int, Meta(ge=0, lt=MAX_ROWS)]
    experiment: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    list: Count
    kind: Kind
    participant: Short | None = None
    trial: Count | None = None
    stimulus: Annotated[str, Meta(pattern="^([0-9a-f]{16}|[SIO]{3})$")] | None = None
    response: str | float | bool | dict[str, Any] | tuple[Any, ...] | None = None
    answer: Short | int | None = None
    correct: bool | None = None
    how: Short | None = None
    rt: Number = None
    rt_first_key: Number = None
    keystrokes: Count | None = None
    shown_at: Short | None = None
    answered_at: Short | None = None
    session_ms: Number = None
    onsets_ms: tuple[Number, ...] | None = None
    frame_ms_median: Number = None
    frame_ms_max: Number = None
    frames_dropped: Count | None = None
    timing_ok: bool | None = None
    mask: Count | None = None
    plays: Count | None = None
    audio: Audio | None = None
    client: Client | None = None
    window: tuple[Number, Number] | None = None
    device_pixel_ratio: Number = None
    visible: bool | None = None
    reload: Count | None = None
    app: Short | None = None


#: The columns of a table of rows, those of nested objects with a dot.
COLUMNS = tuple(
    column
    for name in Row.__struct_fields__
    for column in (
        tuple(f"{name}.{part}" for part in {"audio": Audio, "client": Client}[name].__struct_fields__)
        if name in ("audio", "client")
        else (name,)
    )
)


def checked_row(content: Any) -> Row:
    """Return a row as it arrived, after checking its keys, types and size.

    Raises:
        ArgumentError: a key is missing or unknown, a value has another type, or the row is too large.
    """
    try:
        row = msgspec.convert(content, Row)
    except msgspec.ValidationError as error:
        raise ArgumentError(f"A row is not as expected: {error}.") from error
    size = len(text_of(row))
    if size > MAX_ROW_BYTES:
        raise ArgumentError(f"A row has {size} bytes; at most {MAX_ROW_BYTES} were expected.")
    return row


def text_of(row: Row) -> str:
    """Return a row as JSON, always the same text for the same row."""
    return json.dumps(msgspec.to_builtins(row), sort_keys=True, separators=(",", ":"))


def flattened(row: Row) -> dict[str, Any]:
    """Return a row as the cells of a table: nested objects with a dot, lists and objects of answers as JSON."""
    cells: dict[str, Any] = {}
    for name, value in msgspec.to_builtins(row).items():
        if name in ("audio", "client"):
            cells |= {f"{name}.{part}": each for part, each in value.items()}
        else:
            cells[name] = json.dumps(value) if isinstance(value, list | tuple | dict | bool) else value
    return cells


def write_rows_csv(rows: Iterable[Row]) -> str:
    """Return rows as the text of a CSV with the columns `COLUMNS`."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(flattened(row) for row in rows)
    return stream.getvalue()


def read_cells(cells: Mapping[str, str]) -> Row:
    """Return a row of a CSV.

    Args:
        cells: the text of each cell by its column; empty for None.

    Raises:
        ArgumentError: the row is not as expected.
    """
    content: dict[str, Any] = {}
    for column, text in cells.items():
        if text == "":
            continue
        name, dot, part = column.partition(".")
        value = _value(part or name, text)
        if dot:
            content.setdefault(name, {})[part] = value
        else:
            content[name] = value
    return checked_row(content)


#: Columns that hold text, even where it looks like a number; a version may be either.
_TEXTS = {"session", "experiment", "kind", "participant", "stimulus", "how", "shown_at", "answered_at", "app", "mode",
          "state", "browser", "os", "version"}  # fmt: skip


def _value(name: str, text: str) -> Any:
    """Return what a cell stands for: JSON where it is such, else text."""
    if name in _TEXTS:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
