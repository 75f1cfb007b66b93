"""Everything that an experiment has so far, as tidy tables and a report."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfmetamers.errors import ResultError
from tfmetamers.experiments.experiment import Experiment
from tfmetamers.experiments.items import RecognitionItem
from tfmetamers.experiments.status import survey
from tfmetamers.metamers.folder import find_metamers, read_record, read_run
from tfmetamers.metamers.tables import describe_row, further_columns
from tfmetamers.utilities.files import atomic_write

if TYPE_CHECKING:
    from tfmetamers.inclusion.evaluation import Judged

#: The folder of the tables, below the output folder.
TABLES = "tables"


@dataclass(frozen=True)
class Collected:
    """What was collected.

    Attributes:
        folder: the folder of the tables.
        rows: the number of rows of each table, by its file's name.
        unreadable: folders of metamers that cannot be read, and why.
        report: the report; None where there is nothing to show.
    """

    folder: Path
    rows: dict[str, int]
    unreadable: dict[Path, str]
    report: Path | None


def collect(experiment: Experiment, *, report: bool = True) -> Collected:
    """Write the tables of what is there, however partial; those of one state of the disk are the same byte for byte.

    ``metamers.csv``, ``verdicts.csv``, ``recognition.csv``, ``recognition_summary.csv`` and ``failures.csv`` do not
    depend on which workers made it; ``timings.csv`` tells who made what, and how long that took.

    Args:
        experiment: the experiment.
        report: also write the report of all metamers that were judged.

    Raises:
        ResultError: a table cannot be written.
    """
    folder = experiment.out / TABLES
    records, unreadable = _records(experiment)
    judged = list(_judged(records, unreadable))
    tables = {
        "metamers.csv": _metamer_rows(experiment, records),
        "verdicts.csv": _verdict_rows(experiment, judged),
        **_recognition_tables(experiment),
        "timings.csv": _timing_rows(experiment, records),
        "failures.csv": _failure_rows(experiment),
    }
    for name, rows in tables.items():
        with atomic_write(folder / name) as partial:
            _write_csv(partial, rows)
    written = _write_report(experiment, judged, folder) if report and judged else None
    return Collected(folder, {name: len(rows) for name, rows in tables.items()}, unreadable, written)


def _records(experiment: Experiment) -> tuple[dict, dict[Path, str]]:
    try:
        folders = find_metamers(experiment.metamers)
    except ResultError:
        return {}, {}
    records, unreadable = {}, {}
    for folder in folders:
        try:
            records[folder] = read_record(folder)
        except ResultError as error:
            unreadable[folder] = str(error)
    return records, unreadable


def _judged(records: dict, unreadable: dict[Path, str]) -> "Iterator[Judged]":
    from tfmetamers.inclusion.evaluation import Judged
    from tfmetamers.inclusion.verdict_file import read_verdict

    for folder, record in records.items():
        try:
            verdict = read_verdict(folder)
        except ResultError as error:
            unreadable[folder] = str(error)
            continue
        if verdict is not None:
            yield Judged(folder, record, verdict)


def _metamer_rows(experiment: Experiment, records: dict) -> list[dict[str, Any]]:
    rows = []
    for folder, record in records.items():
        row = {**describe_row(record), "folder": folder.relative_to(experiment.metamers).as_posix()}
        rows.append({**row, **further_columns(record, row)})
    return rows


def _verdict_rows(experiment: Experiment, judged: "Sequence[Judged]") -> list[dict[str, Any]]:
    from tfmetamers.inclusion.evaluation import verdict_row

    return [verdict_row(each, experiment.metamers) for each in judged]


def _recognition_tables(experiment: Experiment) -> dict[str, list[dict[str, Any]]]:
    """Return the tables of all decision rules together, each row once."""
    tables: dict[str, dict[tuple, dict[str, Any]]] = {}
    for item in experiment.items:
        if not isinstance(item, RecognitionItem):
            continue
        for name in ("recognition.csv", "recognition_summary.csv"):
            rows = tables.setdefault(name, {})
            path = item.folder(experiment.out) / name
            if path.exists():
                with path.open(newline="", encoding="utf-8") as stream:
                    rows |= {tuple(row.values()): row for row in csv.DictReader(stream)}
    return {name: list(rows.values()) for name, rows in tables.items()}


def _timing_rows(experiment: Experiment, records: dict) -> list[dict[str, Any]]:
    rows = []
    for folder, record in records.items():
        run = read_run(folder)
        if run is None:
            continue
        rows.append(
            {
                "network": record.network.name,
                "layer": record.layer.name,
                "stimulus": record.stimulus.id,
                "seed": record.seed,
                "steps": record.recipe.steps,
                "seconds": run.seconds,
                "seconds_a_step": round(run.seconds / record.recipe.steps, 6),
                "finished": run.finished,
                "host": run.host,
                "folder": folder.relative_to(experiment.metamers).as_posix(),
            }
        )
    return rows


def _failure_rows(experiment: Experiment) -> list[dict[str, Any]]:
    return [
        {"kind": each.kind, "network": each.network, "layer": each.layer, "failed": failed, "reason": reason}
        for each in survey(experiment).failed
        for failed, reason in each.reasons.items()
    ]


def _write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows as a CSV, with the columns of all rows in the order in which they come up."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows(rows)


def _write_report(experiment: Experiment, judged: "Sequence[Judged]", folder: Path) -> Path | None:
    from tfmetamers.inclusion.bundled import bundled_nulls
    from tfmetamers.inclusion.null_files import load_null
    from tfmetamers.report.page import find_unreadable, write_report
    from tfmetamers.utilities.files import file_digest

    files = [each.null for each in experiment.evaluations if each.null and Path(each.null).exists()]
    files += (experiment.definition.null or {}).get("files", [])
    nulls = {**bundled_nulls(), **{Path(file): load_null(file) for file in dict.fromkeys(files)}}
    rested_on = {(each.verdict["basis"]["null"] or {}).get("sha256") for each in judged}
    nulls = {file: null for file, null in nulls.items() if file_digest(file) in rested_on}
    unreadable = find_unreadable(judged)
    shown = [each for each in judged if each.folder not in unreadable]
    return write_report(experiment.metamers, shown, nulls, folder / "report.html") if shown else None
