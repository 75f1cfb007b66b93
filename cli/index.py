"""``tfmetamers index``: one table of all metamers."""

from pathlib import Path

import click

from tfmetamers.cli.output import json_option, quiet_option, say, show_json
from tfmetamers.utilities.words import counted


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The CSV to write. [default: OUT/index.csv]",
)
@click.option("--verify", is_flag=True, help="Compare every file of each metamer with its recorded hash.")
@quiet_option
@json_option
def index(out, output, verify):
    """Gather all finished metamers below OUT into a CSV, one row per metamer.

    Damaged ones are reported and left out.
    """
    from tfmetamers.metamers.tables import gather, write_csv
    from tfmetamers.utilities.files import sweep

    sweep(out)
    table, failures = gather(out, verify)
    path = output or out / "index.csv"
    write_csv(table.drop(columns="seconds", errors="ignore"), path)  # Wall times differ from run to run.
    show_json(table.to_dict("records"))
    say(f"Wrote {path}.")
    if verify:
        say(f"{counted(len(table) + len(failures), 'metamer')} checked, {len(failures)} damaged.")
    for failure in failures:
        click.echo(f"Not in the table: {failure.reason}", err=True)
    return 1 if failures else 0
