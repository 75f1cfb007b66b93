"""Alignments: when each word of a recording is spoken, from CSV tables, Praat's TextGrids and NIST's CTM."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pandas as pd
from praatio import textgrid
from praatio.utilities.errors import PraatioException

from tfmetamers.errors import CorpusError, shown, unknown_name
from tfmetamers.training.corpus_choices import FORMATS
from tfmetamers.training.tables import cannot_read, check_ends, read_seconds, read_table, refuse_rows
from tfmetamers.utilities.regular_files import read_text, regular_status

#: The largest file in the format CTM that is read, in bytes.
MAX_BYTES = 2**28

#: The columns of alignments.
COLUMNS = ("recording", "begin", "end", "word", "speaker")

#: The names of tiers of words, as the Montreal Forced Aligner chooses them: ``words`` where a recording has one
#: speaker, ``SPEAKER - words`` where it has several.
_WORD_TIER = re.compile(r"(?:(?P<speaker>.+) - )?words?", re.IGNORECASE)

#: What praatio was seen to raise on files that are cut short, altered, or not TextGrids.
_TEXTGRID_ERRORS = (
    PraatioException,
    OSError,
    ValueError,
    KeyError,
    IndexError,
    AttributeError,
    TypeError,
    AssertionError,
    RecursionError,
)

#: The intervals of a tier fill it; if the last one ends more than this many seconds early, the file is cut short.
_MAX_GAP = 0.01


def read_alignments(
    path: str | os.PathLike,
    file_format: str | None = None,
    progress: Callable[[Sequence[Path]], Iterable[Path]] = iter,
) -> pd.DataFrame:
    """Read the words of recordings from one file, or from all files of one format in a folder and its subfolders.

    Hidden files and folders are skipped.

    A CSV table has the columns ``file``, ``start``, ``end`` (in s), ``word`` and, if known, ``speaker``. A TextGrid has
    a tier called ``words``, or one called ``SPEAKER - words`` for each speaker, and belongs to the recording of the
    same name; its path below `path` is that of the recording. CTM is the format of NIST's sclite: recording, channel,
    begin and duration in s, word, and more that is not read; if a recording has several channels, each is a speaker.

    Args:
        path: a file or a folder.
        file_format: one of `FORMATS`; by default, the files' endings decide.
        progress: called with the files; yields them one by one, such as a progress bar.

    Returns:
        A row for each word with the columns of `COLUMNS`: ``recording`` (text, the name in the alignments, without the
        ending for TextGrids), ``begin`` and ``end`` (float64, s), ``word`` and ``speaker`` (text, empty if unknown).

    Raises:
        ArgumentError: the format is unknown.
        CorpusError: the file does not exist; a folder has files of no format or of several; a file cannot be read, or
            has an invalid time or a word that ends before it begins.
    """
    path = Path(path)
    if file_format is not None and file_format not in FORMATS:
        raise unknown_name("format of alignments", file_format, FORMATS, "Without one, the files' endings decide.")
    files = _files(path, file_format)
    read = {"csv": _read_csv, "textgrid": _read_textgrid, "ctm": _read_ctm}[file_format or _format_of(files[0])]
    folder = path if path.is_dir() else path.parent
    words = [word for file in progress(files) for word in read(file, folder)]
    if not words:
        raise CorpusError(f"{path} has no words; give alignments with words.")
    return pd.DataFrame.from_records(words, columns=COLUMNS)


def _files(path: Path, file_format: str | None) -> list[Path]:
    if path.is_file():
        if file_format is None and _format_of(path) is None:
            raise CorpusError(
                f"{path} does not end in {', '.join(FORMATS.values())}; name its format, on the command line with "
                "--format."
            )
        return [path]
    if not path.is_dir():
        raise CorpusError(f"{path} does not exist; give a file or folder of alignments.")
    known = [file_format] if file_format else list(FORMATS)
    files = sorted(
        file
        for file in path.rglob("*")
        if _format_of(file) in known
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )
    formats = sorted({_format_of(file) for file in files})
    if not files:
        raise CorpusError(
            f"{path} has no file that ends in {', '.join(FORMATS[name] for name in known)}; give another folder."
        )
    if len(formats) > 1:
        raise CorpusError(
            f"{path} has alignments in several formats ({', '.join(formats)}); choose one, on the command line with "
            "--format."
        )
    return files


def _format_of(file: Path) -> str | None:
    return next((name for name, ending in FORMATS.items() if file.suffix.lower() == ending), None)


def _read_csv(file: Path, folder: Path) -> Iterator[tuple]:
    lines, cells = read_table(file, ("file", "start", "end", "word"), {"speaker": ""})
    begins, ends = (read_seconds(file, lines, cells[name], name) for name in ("start", "end"))
    check_ends(file, lines, begins, ends)
    return zip(cells["file"], begins.tolist(), ends.tolist(), cells["word"], cells["speaker"], strict=True)


def _read_textgrid(file: Path, folder: Path) -> list[tuple]:
    recording = file.relative_to(folder).with_suffix("").as_posix()
    try:
        regular_status(file)
        grid = textgrid.openTextgrid(str(file), includeEmptyIntervals=True, reportingMode="silence")
        tiers = {
            name: match
            for name in grid.tierNames
            if (match := _WORD_TIER.fullmatch(name.strip())) and isinstance(grid.getTier(name), textgrid.IntervalTier)
        }
        words = []
        for name, match in tiers.items():
            tier = grid.getTier(name)
            if not tier.entries or tier.entries[-1].end < tier.maxTimestamp - _MAX_GAP:
                raise ValueError(f"the intervals of the tier {name!r} end too early, as in a file that is cut short")
            words += [
                (recording, entry.start, entry.end, entry.label, match["speaker"] or "")
                for entry in tier.entries
                if entry.label.strip()
            ]
    except _TEXTGRID_ERRORS as error:
        raise cannot_read(file, "a TextGrid", error) from error
    if not tiers:
        raise CorpusError(
            f"{file} has no tier of words, only {shown(list(grid.tierNames))}; name a tier 'words', or one for each "
            "speaker 'SPEAKER - words'."
        )
    return words


def _read_ctm(file: Path, folder: Path) -> Iterator[tuple]:
    """Read lines of recording, channel, begin, duration and word; ``;;`` begins a comment (sclite, ``infmts.htm``)."""
    try:
        text = read_text(file, MAX_BYTES)
    except (OSError, ValueError) as error:
        raise cannot_read(file, "text in UTF-8", error) from error
    split = [(number, line.split()) for number, line in enumerate(text.split("\n"), start=1)]
    rows = [(number, row) for number, row in split if row and not row[0].startswith(";;")]
    short = [(number, shown(" ".join(row))) for number, row in rows if len(row) < 5]
    refuse_rows(file, short, "without a recording, channel, begin, duration or word", "complete such rows")
    alternatives = [(number, row[4]) for number, row in rows if row[2] == "*"]
    refuse_rows(file, alternatives, "with alternative transcripts", "keep one of the alternatives, without marks")
    lines = [number for number, _ in rows]
    begins = read_seconds(file, lines, [row[2] for _, row in rows], "begin")
    durations = read_seconds(file, lines, [row[3] for _, row in rows], "duration")
    check_ends(file, lines, begins, begins + durations)
    channels: dict[str, set[str]] = {}
    for _, row in rows:
        channels.setdefault(row[0], set()).add(row[1])
    speakers = [f"{row[0]}-{row[1]}" if len(channels[row[0]]) > 1 else "" for _, row in rows]
    return (
        (row[0], begin, begin + duration, row[4], speaker)
        for (_, row), begin, duration, speaker in zip(rows, begins.tolist(), durations.tolist(), speakers, strict=True)
    )
