"""``tfmetamers corpus``: manifests of training data, and of natural pictures."""

from pathlib import Path

import click
from tabulate import tabulate

from tfmetamers.cli.output import json_option, progress_over, quiet_option, say, show_table
from tfmetamers.training.corpus_choices import FORMATS, SPLIT_BY, SPLITS

_EXISTING = click.Path(exists=True, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_OUTPUT = click.Path(dir_okay=False, path_type=Path)


def _number(name: str, default: int | float, text: str):
    """Return an option for a number, whose range the settings check."""
    return click.option(name, type=type(default), default=default, show_default=True, help=text)


_seconds = _number("--seconds", 2.0, "Length of a clip in s, the same as the network's input.")
_validation = _number("--validation", 0.1, "Share of the clips for validation.")
_seed = _number("--seed", 0, "Seed of the splits.")


@click.group()
def corpus():
    """Make manifests (CSV) of training data, and of natural pictures."""


@corpus.command()
@click.option("--alignments", type=_EXISTING, required=True, help="A file or folder of words and their times.")
@click.option("--recordings", type=_FOLDER, required=True, help="Folder of the recordings.")
@click.option("--output", type=_OUTPUT, required=True, help="The manifest to write.")
@click.option(
    "--format",
    "file_format",
    type=click.Choice(list(FORMATS)),
    help="Format of the alignments. [default: from the files' endings]",
)
@_seconds
@click.option("--pad", is_flag=True, help="Keep clips that reach beyond their recording, with silence there.")
@_number("--min-clips", 1, "Drop words with fewer clips.")
@_number("--min-speakers", 0, "Drop words with fewer speakers.")
@_number("--min-speaker-clips", 0, "Drop speakers with fewer clips.")
@click.option(
    "--split-by",
    type=click.Choice(SPLIT_BY),
    default="clip",
    show_default=True,
    help="Spread each word's clips over the splits, or put each speaker into one split.",
)
@_validation
@_number("--test", 0.1, "Share of the clips for the test.")
@_seed
@quiet_option
@json_option
def words(alignments, recordings, output, file_format, **settings):
    """Make a manifest of clips with a word in the middle, from recordings with word alignments."""
    from tfmetamers.training.word_alignments import read_alignments
    from tfmetamers.training.word_clips import ClipSettings, gather_clips, summarize_words
    from tfmetamers.utilities.words import counted

    _check_output(output, [alignments])
    settings = ClipSettings(**settings)
    with progress_over("alignments", "file") as bar:
        aligned = read_alignments(alignments, file_format, bar)
    say(f"{counted(len(aligned), 'word')} in {counted(aligned['recording'].nunique(), 'recording')}")
    with progress_over("recordings", "file") as bar:
        clips, dropped = gather_clips(aligned, recordings, settings, bar)
    _show_dropped(dropped, ["word", "speaker"])
    _write(clips, summarize_words(clips), output)


@corpus.command()
@click.option(
    "--segments",
    type=_EXISTING,
    multiple=True,
    required=True,
    help="A list of AudioSet's segments; can be given several times.",
)
@click.option("--sounds", type=_FOLDER, required=True, help="Folder of the sounds, which are named by their videos.")
@click.option("--labels", type=_EXISTING, required=True, help="AudioSet's class_labels_indices.csv or ontology.json.")
@click.option("--output", type=_OUTPUT, required=True, help="The manifest to write.")
@_seconds
@_number("--min-clips", 1, "Drop categories with fewer clips.")
@_validation
@_seed
@quiet_option
@json_option
def backgrounds(segments, sounds, labels, output, **settings):
    """Make a manifest of backgrounds from AudioSet's lists of segments and a folder of their sounds.

    The evaluation list becomes the test; the training lists become training, and a share of them validation.
    """
    from tfmetamers.training.audioset import (
        BackgroundSettings,
        gather_backgrounds,
        read_labels,
        read_segments,
        summarize_backgrounds,
    )
    from tfmetamers.utilities.words import counted

    _check_output(output, [*segments, labels])
    settings = BackgroundSettings(**settings)
    listed = read_segments(segments)
    say(f"{counted(len(listed), 'segment')} in {counted(len(segments), 'list')}")
    names = read_labels(labels)
    with progress_over("sounds", "file") as bar:
        clips, dropped = gather_backgrounds(listed, names, sounds, settings, bar)
    _show_dropped(dropped, [])
    _write(clips, summarize_backgrounds(clips), output)


@corpus.command()
@click.argument("words", type=_EXISTING)
@click.option(
    "--words",
    "name",
    default="feather2019",
    show_default=True,
    metavar="NAME|FILE",
    help="feather2019 (the 295 words of the paper's experiment), kell2018 (587), or a file with a word a line.",
)
@click.option("--split", type=click.Choice(SPLITS), default="test", show_default=True)
@_seconds
@click.option("--sampling-rate", type=click.IntRange(min=1), default=20_000, show_default=True, help="In Hz.")
@_number("--seed", 0, "Decides which clip of a word is drawn.")
@click.option("--output", type=click.Path(path_type=Path), required=True, help="The folder to write.")
@quiet_option
def stimuli(words, name, split, seconds, sampling_rate, seed, output):
    """Choose natural stimuli from WORDS, a manifest of clips: one clip of each word of a list."""
    from tfmetamers.stimuli.word_lists import WORD_LISTS, word_list
    from tfmetamers.training.corpora import read_words
    from tfmetamers.training.word_stimuli import choose_clips, write_stimuli
    from tfmetamers.utilities.words import counted, first_few

    is_file = name not in WORD_LISTS and Path(name).is_file()
    wanted = Path(name).read_text(encoding="utf-8").split() if is_file else word_list(name)
    clips, missing = choose_clips(read_words(words, needed=(split,)), wanted, split, seed)
    if missing:
        say(f"{counted(len(missing), 'word')} of {len(wanted)} have no clip there: {first_few(missing)}")
    with progress_over("clips", "clip") as bar:
        manifest = write_stimuli(clips, output, seconds=seconds, sampling_rate=sampling_rate, progress=bar)
    say(f"{manifest} lists {counted(len(clips), 'stimulus', 'stimuli')}.")


@corpus.command()
@click.option("--imagenet", type=_FOLDER, required=True, help="ImageNet's training set: a folder for each class.")
@click.option("--output", type=_OUTPUT, required=True, help="The manifest to write.")
@_number("--per-category", 16, "Pictures of each category: 16 in the released code, 36 in the paper.")
@_number("--seed", 0, "Seed of the choice.")
@quiet_option
@json_option
def pictures(imagenet, output, per_category, seed):
    """Make a manifest of pictures of 16 categories, chosen from ImageNet as the released code does it."""
    import pandas

    from tfmetamers.metamers.tables import write_csv
    from tfmetamers.recognition.imagenet_pictures import choose_pictures

    chosen = choose_pictures(imagenet.absolute(), per_category, seed)
    table = pandas.DataFrame(
        [{"id": each.id, "file": each.path, "label": each.label, "category": each.category} for each in chosen]
    )
    counts = table.groupby("category", sort=False).agg(pictures=("id", "size"), classes=("label", "nunique"))
    show_table(counts.reset_index().to_dict("records"), {name: name for name in ("category", *counts)})
    write_csv(table, output)
    say(f"\nWrote {output}.")


def _check_output(output, inputs) -> None:
    if output.exists() and any(output.samefile(path) for path in inputs):
        raise click.UsageError(f"--output is {output}, which is one of the inputs; give another name.")


def _show_dropped(dropped, columns) -> None:
    rows = [[drop.clips, drop.reason, *(drop.lost[name] for name in columns), drop.example] for drop in dropped]
    if rows:
        headers = ["dropped", "clips", *(f"{name}s lost" for name in columns), "example"]
        say("\n" + tabulate(rows, headers, disable_numparse=True))


def _write(clips, summary, output) -> None:
    from tfmetamers.training.corpora import write_manifest

    say("")
    rows = [{"split": split, **counts} for split, counts in summary.items()]
    show_table(rows, {**{name: name for name in rows[0]}, "split": "kept"})
    write_manifest(clips, output)
    say(f"\nWrote {output}.")
