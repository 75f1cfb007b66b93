"""The page of a reproduction: what the paper found, how the run differs, the figure, the numbers, what became of it."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfmetamers.errors import ResultError
from tfmetamers.metamers.tables import write_csv
from tfmetamers.plotting.style import FORMATS, save_figure
from tfmetamers.reproduce.differences import Published, find_differences
from tfmetamers.reproduce.reproduction import Reproduction
from tfmetamers.reproduce.results import Results
from tfmetamers.reproduce.statistics import Finding, conclude
from tfmetamers.utilities.files import atomic_write
from tfmetamers.utilities.json_files import read_json
from tfmetamers.utilities.templates import find_template
from tfmetamers.utilities.words import counted, duration
from tfmetamers.version import __version__

if TYPE_CHECKING:
    import pandas

#: The largest number of rows of a table that a page shows.
MAX_ROWS = 60

#: Says whose folder it is.
MARKER = "reproduction.json"


@dataclass(frozen=True)
class Page:
    """A page that was written.

    Attributes:
        file: the HTML file.
        verdict: what became of all claims together.
        findings: what became of each.
        comparison: published numbers beside ours; None without any.
    """

    file: Path
    verdict: str
    findings: Sequence[Finding]
    comparison: "pandas.DataFrame | None"


def claim_folder(folder: Path, reproduction: Reproduction, setting: str) -> None:
    """Make a folder that of a reproduction.

    Raises:
        ResultError: it is that of another one, or holds something else.
    """
    marker = folder / MARKER
    content = {"reproduction": reproduction.full_name, "setting": setting}
    if marker.exists():
        try:
            found = read_json(marker)
            owner = {key: found[key] for key in content}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ResultError(f"{marker} is damaged ({error}); delete {folder} and try again.") from error
        if owner != content:
            raise ResultError(
                f"{folder} is the folder of {owner['reproduction']} ({owner['setting']}), and {reproduction.full_name} "
                f"({setting}) was to be written; give another --output."
            )
    elif folder.exists() and any(folder.iterdir()):
        raise ResultError(f"{folder} holds files that are not those of a figure; give another --output.")
    with atomic_write(marker) as partial:
        partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def write_page(
    reproduction: Reproduction,
    setting: str,
    results: Mapping[str, Results],
    published: Mapping[str, Published],
    folder: Path,
    command: str,
    people: "pandas.DataFrame | None" = None,
) -> Page:
    """Write the table, the figure and the page of a reproduction to its folder.

    Args:
        reproduction: the reproduction.
        setting: ``quick`` or ``full``.
        results: what each of its experiments has made.
        published: what the paper did in each of its experiments.
        folder: its folder (`claim_folder`).
        command: the command that makes it.
        people: what participants of one's own recognised, for a figure that takes it.

    Raises:
        ResultError: there is nothing to show yet, or a file cannot be written.
    """
    table = reproduction.tabulate(results)
    if not len(table):
        raise ResultError(
            f"There is nothing to show for {reproduction.full_name} yet: 'tfmetamers experiment status "
            f"{next(iter(results.values())).experiment.file}' says what is to be made, and what failed."
        )
    table = table if people is None else reproduction.add_people(table, people)
    comparison, findings = reproduction.compare(table), reproduction.judge(table, results)
    write_csv(table, folder / "table.csv")
    if comparison is not None:
        write_csv(comparison, folder / "comparison.csv")
    figure = reproduction.draw(table, results)
    if figure is not None:
        save_figure(figure, folder / "figure")
    picture = None if figure is None else base64.b64encode((folder / "figure.png").read_bytes()).decode()
    verdict = conclude(findings)
    differences = [
        *reproduction.differences(setting, people),
        *dict.fromkeys(text for name, each in results.items() for text in find_differences(each, published[name])),
    ]
    content = {
        "full_name": reproduction.full_name,
        "title": reproduction.title,
        "heading": f"{reproduction.full_name}, section {reproduction.section}, made by tfmetamers {__version__}",
        "claim": reproduction.claim,
        "verdict": verdict,
        "findings": findings,
        "picture": picture,
        "caption": reproduction.caption,
        "files": "Also: " + ", ".join(f"figure.{ending}" for ending in FORMATS) + ".",
        "differences": differences or ["No difference is known."],
        "comparison": None if comparison is None else table_cells(comparison, reproduction.digits),
        "sources": reproduction.sources,
        "table": table_cells(table.head(MAX_ROWS), reproduction.digits),
        "extent": _extent(len(table)),
        "command": command,
        "making": [_making(name, each) for name, each in results.items()],
    }
    for name in ("page.md", "page.html"):
        with atomic_write(folder / name) as partial:
            partial.write_text(render(Path(__file__).parent, name, content), encoding="utf-8", newline="\n")
    return Page(folder / "page.html", verdict, findings, comparison)


def _making(name: str, results: Results) -> str:
    steps = f"{len(results.metamers):,} metamers, {duration(results.seconds)} of steps"
    return f"Experiment {name}: {results.experiment.file.name} ({steps})"


def _extent(rows: int) -> str:
    first = f"The first {MAX_ROWS} of " if rows > MAX_ROWS else ""
    return f"{first}{counted(rows, 'row')}{'; all are' if first else ', also'} in table.csv."


def table_cells(table: "pandas.DataFrame", digits: int) -> dict[str, Any]:
    """Return the columns and cells of a table, as the templates of tables take them.

    Args:
        table: the table.
        digits: how many significant digits its numbers are shown with.
    """
    columns = [str(column).replace("_", " ") for column in table.columns]
    return {"columns": columns, "rows": [[_cell(value, digits) for value in row] for row in table.to_numpy(object)]}


def _cell(value: Any, digits: int) -> dict[str, Any]:
    import pandas

    if value is None or value is pandas.NA or (isinstance(value, float) and value != value):
        return {"text": "", "is_number": False}
    if isinstance(value, float):
        return {"text": f"{value:.{digits}g}", "is_number": True}
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        return {"text": str(value), "is_number": False}
    return {"text": f"{value:,}", "is_number": True}


def render(folder: Path, name: str, content: Mapping[str, Any]) -> str:
    """Return a page from a template, which finds the parts that pages have in common by their names.

    Args:
        folder: the folder of the template.
        name: the template's name; values are escaped where it ends in ``.html``.
        content: the values that the template has.
    """
    return find_template(name, folder, Path(__file__).parent).render(content)
