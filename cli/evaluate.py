"""``tfmetamers evaluate``: which metamers pass the inclusion test."""

from pathlib import Path

import click

from tfmetamers.cli.network_options import quiet_tensorflow
from tfmetamers.cli.output import (
    Column,
    json_option,
    progress_over,
    quiet_option,
    say,
    show_table,
    show_text_table,
    warn,
)
from tfmetamers.cli.shared_options import look_in_option
from tfmetamers.errors import ArgumentError
from tfmetamers.utilities.words import counted


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--null",
    "given_nulls",
    multiple=True,
    metavar="[NETWORK=]FILE",
    help="A null distribution from 'tfmetamers null build', or one of the authors' pickles with its network's name; "
    "can be given several times.",
)
@click.option("--all-layers", is_flag=True, help="Compare all layers of the network, not only the matched one.")
@look_in_option
@click.option("--report/--no-report", default=True, show_default=True, help="Write OUT/report.html.")
@quiet_option
@json_option
def evaluate(out, given_nulls, all_layers, look_in, report):
    """Judge every metamer below OUT by the network that made it.

    Writes a verdict.json beside each metamer, OUT/verdicts.csv, and the report.
    """
    quiet_tensorflow()
    from tfmetamers.inclusion.bundled import bundled_nulls
    from tfmetamers.inclusion.evaluation import Failure, Judged, known_columns, summarize
    from tfmetamers.inclusion.evaluation import evaluate as judge_all
    from tfmetamers.inclusion.verdict_table import write_table
    from tfmetamers.metamers.folder import count_unfinished, find_half_written, find_metamers
    from tfmetamers.utilities.files import sweep

    sweep(out)
    nulls, bundled = _load_nulls(given_nulls), bundled_nulls()
    total = len(find_metamers(out)) + len(find_half_written(out))
    verdicts = judge_all(out, nulls, defaults=bundled, all_layers=all_layers, look_in=look_in)
    with progress_over("judged", "metamer", total=total) as progress:
        found = list(progress(verdicts))
    judged = [each for each in found if isinstance(each, Judged)]
    bundled = _used(bundled, judged, nulls)
    failures = [each for each in found if isinstance(each, Failure)]
    write_table(judged, out, out / "verdicts.csv")
    rows = summarize(judged)
    show_table(rows, known_columns(_COLUMNS, rows), maxheadercolwidths=12, maxcolwidths=[32, 32])
    if judged:
        _explain(rows, nulls, bundled, sum(each.is_kept for each in judged))
        _show_published([row for row in rows if row["published_model"]])
        _advise(judged)
    if unfinished := count_unfinished(out):
        batches = counted(unfinished, "unfinished batch was", "unfinished batches were")
        say(f"\n{batches} not judged; run the same 'tfmetamers synth' again to continue.")
    for failure in failures:
        warn(f"Not judged: {failure.folder}: {failure.reason}")
    left_out = _write_report(out, judged, {**nulls, **bundled}) if report else []
    return 1 if failures or left_out else 0


def _advise(judged) -> None:
    """Say how metamers that failed after few steps can be given more."""
    from tfmetamers.metamers.folder import STATE_FILE

    failed = [each for each in judged if each.verdict["array"]["included"] is False]
    few = [each for each in failed if _has_fewer_steps(each.record.recipe)]
    kept = sum((each.folder / STATE_FILE).exists() for each in few)
    for count, remedy in (
        (kept, "more --steps and --extend continues from there"),
        (len(few) - kept, "more --steps starts from noise again; with --keep-state, --extend can continue it later"),
    ):
        if count:
            say(
                f"\n{counted(count, 'metamer')} failed after fewer steps than the recipe has. The same "
                f"'tfmetamers synth' with {remedy}."
            )


def _has_fewer_steps(recipe) -> bool:
    named, used = recipe.deviations().get("steps", (0, 0))
    return used < named


def _load_nulls(given) -> dict:
    """Return null distributions by their files, each given as FILE or NETWORK=FILE."""
    from tfmetamers.inclusion.null_files import load_null

    nulls = {}
    for text in given:
        name, equals, file = text.partition("=")
        is_named = bool(equals) and not Path(text).exists()
        path = Path(file if is_named else text)
        if path in nulls:
            raise ArgumentError(f"--null {path} was given twice; give each file once.")
        nulls[path] = load_null(path, name if is_named else None)
    return nulls


def _used(bundled, judged, given) -> dict:
    """Return the bundled null distributions that verdicts are based on and that were not also given."""
    from tfmetamers.utilities.files import file_digest

    bases = [each.verdict["basis"]["null"] for each in judged]
    digests = {basis["sha256"] for basis in bases if basis} - {file_digest(file) for file in given}
    return {file: null for file, null in bundled.items() if file_digest(file) in digests}


def _write_report(out, judged, nulls) -> list:
    """Write the report, and return the folders that are not in it."""
    from tfmetamers.report.page import find_unreadable, write_report

    unreadable = find_unreadable(judged)
    for folder, reason in unreadable.items():
        warn(f"Not in the report: {folder}: {reason}")
    shown = [each for each in judged if each.folder not in unreadable]
    if shown:
        path = write_report(out, shown, nulls)
        say(f"\nOpen {path}.")
    elif (out / "report.html").exists():
        warn(f"{out / 'report.html'} is from an earlier command, because there was nothing to show now.")
    return list(unreadable)


_COLUMNS = {
    "network": "network",
    "layer": "layer",
    "metamers": "metamers",
    "passed": "passed",
    "failed": "failed",
    "not_judged": "not judged",
    "other_label": "other label",
    "low_correlation": "correlation not above null",
    "low_pearson": "Pearson below null",
    "low_snr": "SNR below null",
    "undefined": "undefined",
    "saved_failed": "passed, not as saved",
    "median_correlation": Column("median correlation", ".4f"),
    "min_margin": Column("smallest margin", ".4f"),
}


def _range(ends) -> str:
    return " to ".join(f"{end:.3g}" for end in ends)


_PUBLISHED_COLUMNS = {
    "network": "network",
    "layer": "layer",
    "published_model": "model of the 2023 paper",
    "median_loss": Column("median loss", ".3g"),
    "published_loss_range": Column("published", _range),
    "spearman_null_maximum": Column("null maximum, Spearman", ".3f"),
    "published_spearman_null_maximum_range": Column("published", _range),
    "pearson_null_maximum": Column("null maximum, Pearson", ".3f"),
    "published_pearson_null_maximum_range": Column("published", _range),
    "snr_null_maximum": Column("null maximum, SNR (dB)", ".3g"),
    "published_snr_null_maximum_range": Column("published", _range),
}


def _show_published(rows) -> None:
    """Show the published numbers of the 2023 paper beside those of its stages."""
    if rows:
        say("\nBeside the 2023 paper:")
        show_text_table(rows, _PUBLISHED_COLUMNS, maxheadercolwidths=12, maxcolwidths=[32, 32, 32])
        say(
            "\nThe loss is |r - t| / |t|, r and t being the activations of metamer and original. The published numbers "
            "are of the paper's own weights, of metamers that passed, and of a million pairs of natural stimuli."
        )


def _explain(rows, nulls, bundled, kept) -> None:
    """Say what the verdicts are based on, and what is missing."""
    for file, null in nulls.items():
        say(f"\nNull distribution {file.name}: {null.claim()}.")
    for file, null in bundled.items():
        say(f"\nNull distribution that comes with {file.parent.name}: {null.claim()}.")
    if kept:
        say(
            f"\n{counted(kept, 'metamer keeps its verdict', 'metamers keep their verdicts')} by an earlier null "
            "distribution, because none was given now for that network and layer."
        )
    waiting = sum(row["not_judged"] for row in rows)
    remedy = "Build one with 'tfmetamers null build', and give it with --null."
    if not nulls and not bundled and not kept:
        say(f"\nNo null distribution was given, and no metamer can pass without one. {remedy}")
    elif waiting:
        were = counted(waiting, "metamer was", "metamers were")
        say(f"\n{were} not judged, because no null distribution for that network and layer was given. {remedy}")
