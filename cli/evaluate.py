"""``tfmetamers evaluate``: which metamers pass the inclusion test."""

from pathlib import Path

import click
from tabulate import tabulate
from tqdm import tqdm

from tfmetamers.cli.network_options import quiet_tensorflow


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--null",
    "null_files",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A null distribution of 'tfmetamers null build', or the authors' pickle; several for several networks.",
)
@click.option("--all-layers", is_flag=True, help="Compare all layers of the network, not only the matched one.")
@click.option(
    "--look-in",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where to look for checkpoints that are no longer where they were.",
)
@click.option("--report/--no-report", default=True, show_default=True, help="Write OUT/report.html.")
def evaluate(out, null_files, all_layers, look_in, report):
    """Judge every metamer below OUT by the network that made it.

    Writes verdict.json beside each, OUT/verdicts.csv, and the report.
    """
    quiet_tensorflow()
    from tfmetamers.evaluation.evaluation import Failure, Judged, summarize, write_table
    from tfmetamers.evaluation.evaluation import evaluate as judge_all
    from tfmetamers.evaluation.released_nulls import load_null
    from tfmetamers.results import find_metamers

    nulls = {file: load_null(file) for file in null_files}
    total = len(find_metamers(out))
    found = list(
        tqdm(judge_all(out, nulls, all_layers=all_layers, look_in=look_in), total=total, unit="metamer", desc="judged")
    )
    judged = [each for each in found if isinstance(each, Judged)]
    failures = [each for each in found if isinstance(each, Failure)]
    if judged:
        write_table(judged, out, out / "verdicts.csv")
        _print_summary(summarize(judged), nulls)
    if report and judged:
        from tfmetamers.report import write_report

        click.echo(f"\nOpen {write_report(out, judged, list(nulls.values()))}.")
    for failure in failures:
        click.echo(f"Not judged: {failure.folder}: {failure.reason}", err=True)
    return 1 if failures else 0


def _print_summary(rows, nulls) -> None:
    headers = {
        "network": "network",
        "layer": "layer",
        "metamers": "metamers",
        "passed": "passed",
        "failed": "failed",
        "not_judged": "not judged",
        "other_label": "other label",
        "low_correlation": "correlation not above null",
        "undefined": "undefined",
        "saved_failed": "passed, not as saved",
        "median_correlation": "median correlation",
        "smallest_margin": "smallest margin",
    }
    table = [[_cell(row[column]) for column in headers] for row in rows]
    click.echo(tabulate(table, list(headers.values()), disable_numparse=True, maxheadercolwidths=12))
    for null in nulls.values():
        click.echo(f"\nNull distribution: {null.claim()}.")
    waiting = sum(row["not_judged"] for row in rows)
    if waiting:
        click.echo(
            f"\n{waiting} not judged: no null distribution of their network and layer was given. Build one with "
            "'tfmetamers null build', and give it with --null."
        )


def _cell(value) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
