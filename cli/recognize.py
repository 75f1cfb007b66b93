"""``tfmetamers recognize``: which networks recognise which metamers."""

from pathlib import Path

import click

from tfmetamers.cli.network_options import NOTATION_EPILOG, complete_network, model_options, parse_judges
from tfmetamers.cli.output import Column, json_option, progress_counter, quiet_option, say, show_table, warn
from tfmetamers.cli.shared_options import truth_option
from tfmetamers.errors import ArgumentError
from tfmetamers.networks.categories import RULES
from tfmetamers.utilities.words import counted


@click.command(epilog=NOTATION_EPILOG)
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--by",
    "judges",
    multiple=True,
    metavar="NETWORK",
    shell_complete=complete_network,
    help="A judge, in the notation below; can be given several times.",
)
@model_options
@click.option("--include-failed", is_flag=True, help="Also show metamers that did not pass 'tfmetamers evaluate'.")
@truth_option
@click.option(
    "--rule",
    type=click.Choice(RULES),
    default="max",
    show_default=True,
    help="How a category is chosen: that of the most likely class, or the one with the largest mean probability.",
)
@click.option(
    "--bootstrap-seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Seed of the bootstrap for the standard errors.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Folder for the tables and the figure. [default: OUT]",
)
@quiet_option
@json_option
def recognize(out, judges, include_failed, truth_file, rule, bootstrap_seed, output, **models):
    """Show the metamers below OUT, and the natural stimuli that they match, to other networks.

    The right answers come from the manifest or the class folders with which the metamers were made, or from --truth.
    Writes recognition.csv, recognition_summary.csv, and the figure recognition.pdf, .svg and .png.
    """
    if not judges:
        raise ArgumentError("No judge was given; give at least one, such as --by vgg_19.")
    from tfmetamers.metamers.folder import find_metamers
    from tfmetamers.recognition.truth import read_truth
    from tfmetamers.utilities.files import sweep

    truth = truth_file and read_truth(truth_file)
    sweep(out)
    find_metamers(out)  # So that a folder without metamers is an error before networks are loaded.
    networks = [spec.load() for spec in parse_judges(judges, **models)]
    from tfmetamers.recognition.decisions import recognize as show
    from tfmetamers.recognition.summary import summarize_recognition
    from tfmetamers.report.recognition import write_recognition

    with progress_counter("shown", "stimulus") as progress:
        recognition = show(out, networks, include_failed=include_failed, rule=rule, truth=truth, progress=progress)
    rows = summarize_recognition(recognition, bootstrap_seed)
    show_table([vars(row) for row in rows], _COLUMNS, maxheadercolwidths=12, maxcolwidths=[32, 32, 32])
    for remark in _remarks(recognition, rows):
        say(f"\n{remark}")
    write_recognition(output or out, recognition, rows)
    say(f"\nWrote recognition.csv, recognition_summary.csv and recognition.pdf, .svg and .png to {output or out}.")
    for folder, reason in recognition.problems:
        warn(f"Not shown: {folder}: {reason}")
    return 1 if recognition.problems else 0


_COLUMNS = {
    "judge": "judge",
    "network": "metamers of",
    "layer": "layer",
    "task": "task",
    "rule": "rule",
    "shown": "shown",
    "left_out": "left out",
    "failed": "failed",
    "not_judged": "not judged",
    "without_truth": "without truth",
    "correct": Column("correct", ".3f"),
    "sem": Column("SEM", ".3f"),
    "chance": Column("chance", ".4g"),
}


def _remarks(recognition, rows) -> list[str]:
    failed, waiting = recognition.count("failed"), recognition.count("not judged")
    remarks = []
    if failed or waiting:
        what = "they were shown nevertheless" if recognition.include_failed else "they were left out"
        were = "was" if waiting == 1 else "were"
        remarks.append(
            f"{counted(failed, 'metamer')} failed the inclusion test and {waiting} {were} not judged; {what}."
        )
    if waiting:
        remarks[-1] += " Run 'tfmetamers evaluate' with a null distribution to judge them."
    resized = {judge: _resized(recognition, judge) for judge in recognition.chances}
    remarks += [
        f"{counted(count, 'stimulus was', 'stimuli were')} resized for {judge}."
        for judge, count in resized.items()
        if count
    ]
    silent = [judge for judge in recognition.chances if all(row.judge != judge for row in rows)]
    remarks += [
        f"{judge} is not in the table: none of its labels is the right answer to any of these stimuli."
        for judge in silent
    ]
    return remarks


def _resized(recognition, judge: str) -> int:
    return sum(decision.resized for decision in recognition.decisions if decision.judge == judge)
