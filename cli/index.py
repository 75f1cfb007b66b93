"""``tfmetamers index``: one table of everything that was made."""

from pathlib import Path

import click


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The CSV to write [default: OUT/index.csv].",
)
def index(out, output):
    """Gather all finished metamers below OUT into a tidy CSV, one row for each."""
    from tfmetamers.metamers.tables import write_index

    click.echo(f"Wrote {write_index(out, output)}.")
