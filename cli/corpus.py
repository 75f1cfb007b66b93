"""``tfmetamers corpus``: manifests of what networks are trained on."""

from contextlib import contextmanager
from pathlib import Path

import click
from tabulate import tabulate
from tqdm import tqdm

_EXISTING = click.Path(exists=True, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_OUTPUT = click.Path(dir_okay=False, path_type=Path)
_SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)

_seconds = click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    default=2.0,
    show_default=True,
    help="Length of a clip in s, which is what the network takes.",
)
_validation = click.option(
    "--validation", type=_SHARE, default=0.1, show_default=True, help="Share of the clips for validation."
)
_seed = click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the splits.")


@click.group()
def corpus():
    """Make the manifests (CSV) of what networks are trained on."""


@corpus.command()
@click.option("--alignments", type=_EXISTING, required=True, help="A file of words and their times, or a folder.")
@click.option("--recordings", type=_FOLDER, required=True, help="Folder of the recordings.")
@click.option("--output", type=_OUTPUT, required=True, help="The manifest to write.")
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["csv", "textgrid", "ctm"]),
    help="Format of the alignments [default: by the files' endings].",
)
@_seconds
@click.option(
    "--minimum-clips",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Drop words of fewer clips.",
)
@click.option(
    "--minimum-speakers",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="N",
    help="Drop words of fewer speakers.",
)
@click.option(
    "--minimum-speaker-clips",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="N",
    help="Drop speakers of fewer clips.",
)
@click.option(
    "--split-by",
    type=click.Choice(["clip", "speaker"]),
    default="clip",
    show_default=True,
    help="Spread each word's clips over the splits, or put each speaker into one.",
)
@_validation
@click.option("--test", type=_SHARE, default=0.1, show_default=True, help="Share of the clips for the test.")
@_seed
def words(
    alignments,
    recordings,
    output,
    file_format,
    seconds,
    minimum_clips,
    minimum_speakers,
    minimum_speaker_clips,
    split_by,
    validation,
    test,
    seed,
):
    """Make a manifest of clips with a word in their middle from recordings with word alignments."""
    from tfmetamers.training.corpora import write_words
    from tfmetamers.training.word_alignments import read_alignments
    from tfmetamers.training.word_clips import ClipSettings, gather_clips, summarize_words

    _check_output(output, [alignments])
    settings = ClipSettings(
        seconds, minimum_clips, minimum_speakers, minimum_speaker_clips, split_by, validation, test, seed
    )
    with _bar("alignments") as bar:
        aligned = read_alignments(alignments, file_format, bar)
    click.echo(f"{len(aligned)} words in {aligned['recording'].nunique()} recordings")
    with _bar("recordings") as bar:
        clips, dropped = gather_clips(aligned, recordings, settings, bar)
    _show_dropped(dropped, ["word", "speaker"])
    _write(write_words, clips, summarize_words(clips), output)


@corpus.command()
@click.option(
    "--segments",
    type=_EXISTING,
    multiple=True,
    required=True,
    help="A list of AudioSet's segments, several times.",
)
@click.option("--sounds", type=_FOLDER, required=True, help="Folder of the sounds, named by their videos.")
@click.option(
    "--labels",
    type=_EXISTING,
    required=True,
    help="AudioSet's class_labels_indices.csv or ontology.json.",
)
@click.option("--output", type=_OUTPUT, required=True, help="The manifest to write.")
@_seconds
@click.option(
    "--minimum-clips",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Drop categories of fewer clips.",
)
@_validation
@_seed
def backgrounds(segments, sounds, labels, output, seconds, minimum_clips, validation, seed):
    """Make a manifest of backgrounds from AudioSet's lists of segments and the sounds that are at hand.

    The evaluation list becomes the test; the training lists become training, and a share of them validation.
    """
    from tfmetamers.training.audioset import (
        BackgroundSettings,
        gather_backgrounds,
        read_labels,
        read_segments,
        summarize_backgrounds,
    )
    from tfmetamers.training.corpora import write_backgrounds

    _check_output(output, [*segments, labels])
    settings = BackgroundSettings(seconds, minimum_clips, validation, seed)
    listed = read_segments(segments)
    click.echo(f"{len(listed)} segments in {len(segments)} lists")
    names = read_labels(labels)
    with _bar("sounds") as bar:
        clips, dropped = gather_backgrounds(listed, names, sounds, settings, bar)
    _show_dropped(dropped, [])
    _write(write_backgrounds, clips, summarize_backgrounds(clips), output)


def _check_output(output, inputs) -> None:
    if output.exists() and any(output.samefile(path) for path in inputs):
        raise click.UsageError(f"--output got {output}, which is read from; give another name.")


@contextmanager
def _bar(description):
    """Give a function that shows a progress bar over files, which is ended before an error is told."""
    bars = []

    def show(files):
        bars.append(tqdm(files, desc=description, unit="file"))
        return bars[-1]

    try:
        yield show
    finally:
        for bar in bars:
            bar.close()


def _show_dropped(dropped, counted) -> None:
    rows = [[drop.reason, drop.clips, *(drop.vanished[name] for name in counted), drop.example] for drop in dropped]
    if rows:
        headers = ["dropped", "clips", *(f"{name}s gone" for name in counted), "such as"]
        click.echo("\n" + tabulate(rows, headers, disable_numparse=True))


def _write(write, clips, summary, output) -> None:
    headers = ["kept", *next(iter(summary.values()))]
    rows = [[split, *counts.values()] for split, counts in summary.items()]
    click.echo("\n" + tabulate(rows, headers))
    write(clips, output)
    click.echo(f"\nWrote {output}.")
