"""Everything that an experiment has so far, as tidy tables and a report."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfmetamers.errors import ResultError, first_line
from tfmetamers.experiments.experiment import LEDGER, Experiment
from tfmetamers.experiments.items import RecognitionItem
from tfmetamers.experiments.status import survey
from tfmetamers.metamers.failures import Failure, attempt
from tfmetamers.metamers.folder import read_record, read_run
from tfmetamers.metamers.tables import COLUMNS, gather, write_csv
from tfmetamers.utilities.regular_files import open_regular

if TYPE_CHECKING:
    import pandas

    from tfmetamers.inclusion.evaluation import Judged

#: The folder of the tables, below the output folder.
TABLES = "tables"

#: The columns of two tables.
TIMING_COLUMNS = ["network", "layer", "stimulus", "seed", "steps", "seconds", "finished", "host", "folder"]
FAILURE_COLUMNS = ["kind", "network", "layer", "failed", "reason", "failures_of_item"]


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

    >>> from pathlib import Path
    >>> from tfmetamers.experiments import Experiment
    >>> _ = Path("mine.toml").write_text('''
    ... [stimuli]
    ... data_set = "sample_words"
    ... [[networks]]
    ... network = "small_word_aliased"
    ... layers = ["conv_2"]
    ... ''')
    >>> collect(Experiment.plan("mine.toml")).rows["metamers.csv"]
    0
    """
    import pandas

    from tfmetamers.inclusion.verdict_table import verdict_table

    folder = experiment.out / TABLES
    made, failures = _made(experiment)
    read = [attempt(path, _judged, path) for path in map(experiment.metamers.joinpath, made["folder"])]
    failures += [each for each in read if isinstance(each, Failure)]
    judged = [each for each in read if each is not None and not isinstance(each, Failure)]
    tables = {
        "metamers.csv": made.drop(columns="seconds"),
        "verdicts.csv": verdict_table(judged, experiment.metamers),
        **_recognition_tables(experiment),
        "timings.csv": _timings(experiment, made),
        "failures.csv": pandas.DataFrame(_failure_rows(experiment), columns=FAILURE_COLUMNS),
    }
    for name, table in tables.items():
        write_csv(table, folder / name)
    return Collected(
        folder,
        {name: len(table) for name, table in tables.items()},
        {failure.folder: failure.reason for failure in failures},
        _write_report(experiment, judged, folder) if report and judged else None,
    )


def _made(experiment: Experiment) -> "tuple[pandas.DataFrame, list[Failure]]":
    """Return the table of all metamers, and which cannot be read."""
    import pandas

    columns = [*COLUMNS, "seconds", "folder"]
    try:
        table, failures = gather(experiment.metamers)
    except ResultError:  # There is none yet.
        return pandas.DataFrame(columns=columns), []
    return (table if len(table) else pandas.DataFrame(columns=columns)), failures


def _judged(folder: Path) -> "Judged | None":
    """Return a metamer with its verdict, None where it has none yet."""
    from tfmetamers.inclusion.evaluation import Judged
    from tfmetamers.inclusion.verdict_file import read_verdict

    verdict = read_verdict(folder)
    return None if verdict is None else Judged(folder, read_record(folder), verdict)


def _recognition_tables(experiment: Experiment) -> "dict[str, pandas.DataFrame]":
    """Return the tables of all decision rules together, each row once."""
    import pandas

    items = [item for item in experiment.items if isinstance(item, RecognitionItem)]
    tables = {}
    for name in ("recognition.csv", "recognition_summary.csv"):
        files = [item.folder(experiment.out) / name for item in items]
        found = [_read_table(file) for file in files if file.exists()]
        if found:
            tables[name] = pandas.concat(found).drop_duplicates()
    return tables


def _read_table(file: Path) -> "pandas.DataFrame":
    """Return a table as text, so that it is written as it was."""
    import pandas

    try:
        with open_regular(file) as stream:
            return pandas.read_csv(stream, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise ResultError(
            f"{file} is damaged ({first_line(error)}); delete it and the folder {LEDGER}/done, and run the experiment "
            "again."
        ) from error


def _timings(experiment: Experiment, made: "pandas.DataFrame") -> "pandas.DataFrame":
    runs = [read_run(experiment.metamers / folder) for folder in made["folder"]]
    where = {name: [run and getattr(run, name) for run in runs] for name in ("finished", "host")}
    return made.assign(**where)[TIMING_COLUMNS]


def _failure_rows(experiment: Experiment) -> list[dict[str, Any]]:
    """Return what failed; a claim has room for some reasons only, so each row says how many its item has."""
    return [
        {**vars(each), "failed": failed, "reason": reason, "failures_of_item": each.failures}
        for each in survey(experiment).failed
        for failed, reason in each.reasons.items()
    ]


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
