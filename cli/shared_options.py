"""Options that several commands take."""

from pathlib import Path

import click

truth_option = click.option(
    "--truth",
    "truth_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="CSV",
    help="A CSV with the right answers, in the columns id, label and category, in place of what was recorded.",
)

look_in_option = click.option(
    "--look-in",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="A folder to look in for networks' files that have moved; can be given several times.",
)
