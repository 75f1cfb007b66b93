"""Alignments: when each word of a recording is said, from CSV tables, Praat's TextGrids and NIST's CTM."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from praatio import textgrid
from praatio.utilities.errors import PraatioException

from tfmetamers.errors import CorpusError, shown, unknown_name
from tfmetamers.training.tables import EXAMPLES, cannot_read, read_seconds, read_table, refuse_rows

#: The formats, and how the names of their files end.
FORMATS = {"csv": ".csv", "textgrid": ".textgrid", "ctm": ".ctm"}

#: The columns of alignments.
COLUMNS = ("recording", "begin", "end", "word", "speaker")

#: Tiers of words: ``words`` where a recording has one speaker, ``SPEAKER - words`` where it has several, as the
#: Montreal Forced Aligner calls them.
_WORD_TIER = re.compile(r"(?:(?P<speaker>.+) - )?words?", re.IGNORECASE)

#: What praatio was seen to raise on files that are cut short, altered, or no TextGrids.
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

#: The intervals of a tier fill it; one that ends sooner than this many seconds before the tier is cut short.
_GAP = 0.01


def read_alignments(
    path: str | os.PathLike,
    file_format: str | None = None,
    progress: Callable[[Sequence[Path]], Iterable[Path]] = iter,
) -> pd.DataFrame:
    """Read the words of recordings from one file, or from all files of a format in a folder and below.

    Hidden files and folders are left out.

    A CSV table has the columns ``file``, ``start``, ``end`` (in s), ``word`` and, if known, ``speaker``. A TextGrid has
    a tier called ``words``, or one called ``SPEAKER - words`` for each speaker, and belongs to the recording of its own
    name; its folder below `path` is that of the recording. CTM is that of NIST's sclite: recording, channel, begin and
    duration in s, word, and more that is not read; where a recording has several channels, each is a speaker.

    Args:
        path: a file or a folder.
        file_format: one of `FORMATS`; by the files' endings if not given.
        progress: is given the files, and gives them back one by one.

    Returns:
        A row for each word with the columns of `COLUMNS`: ``recording`` (text, as the alignments call it, without the
        ending for TextGrids), ``begin`` and ``end`` (float64, s), ``word`` and ``speaker`` (text, empty where unknown).

    Raises:
        ArgumentError: there is no such format.
        CorpusError: there is no such file, or none of a format; a folder has several formats; a file cannot be read, or
            has a time that is none or a word that ends before it begins.
    """
    path = Path(path)
    if file_format is not None and file_format not in FORMATS:
        raise unknown_name("format of alignments", file_format, FORMATS, "Leave it out to go by the files' endings.")
    files = _files(path, file_format)
    read = {"csv": _read_csv, "textgrid": _read_textgrid, "ctm": _read_ctm}[file_format or _format_of(files[0])]
    folder = path if path.is_dir() else path.parent
    words = [word for file in progress(files) for word in read(file, folder)]
    if not words:
        raise CorpusError(f"{path} has no word; give alignments that have some.")
    return pd.DataFrame.from_records(words, columns=COLUMNS)


def _files(path: Path, file_format: str | None) -> list[Path]:
    if path.is_file():
        if file_format is None and _format_of(path) is None:
            raise CorpusError(
                f"{path} does not end in {', '.join(FORMATS.values())}; say which format it has, on the command line "
                "by --format."
            )
        return [path]
    if not path.is_dir():
        raise CorpusError(f"There is no {path}; give a file of alignments, or a folder of them.")
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
            f"{path} holds no file that ends in {', '.join(FORMATS[name] for name in known)}; give another folder."
        )
    if len(formats) > 1:
        raise CorpusError(
            f"{path} holds alignments of several formats, {', '.join(formats)}; say which to read, on the command line "
            "by --format."
        )
    return files


def _format_of(file: Path) -> str | None:
    return next((name for name, ending in FORMATS.items() if file.suffix.lower() == ending), None)


def _read_csv(file: Path, folder: Path) -> Iterator[tuple]:
    lines, cells = read_table(file, ("file", "start", "end", "word"), {"speaker": ""})
    begins, ends = (read_seconds(file, lines, cells[name], name) for name in ("start", "end"))
    _refuse_backward(file, lines, begins, ends)
    return zip(cells["file"], begins.tolist(), ends.tolist(), cells["word"], cells["speaker"], strict=True)


def _read_textgrid(file: Path, folder: Path) -> list[tuple]:
    recording = file.relative_to(folder).with_suffix("").as_posix()
    try:
        grid = textgrid.openTextgrid(str(file), includeEmptyIntervals=True, reportingMode="silence")
        tiers = {
            name: match
            for name in grid.tierNames
            if (match := _WORD_TIER.fullmatch(name.strip())) and isinstance(grid.getTier(name), textgrid.IntervalTier)
        }
        words = []
        for name, match in tiers.items():
            tier = grid.getTier(name)
            if not tier.entries or tier.entries[-1].end < tier.maxTimestamp - _GAP:
                raise ValueError(f"the intervals of {name!r} end before it does, as in a file that is cut short")
            words += [
                (recording, entry.start, entry.end, entry.label, match["speaker"] or "")
                for entry in tier.entries
                if entry.label.strip()
            ]
    except _TEXTGRID_ERRORS as error:
        raise cannot_read(file, "a TextGrid", error) from error
    if not tiers:
        raise CorpusError(
            f"{file} has no tier of words: its tiers are {shown(list(grid.tierNames))}; one called 'words', or "
            "'SPEAKER - words' for each speaker, was expected."
        )
    return words


def _read_ctm(file: Path, folder: Path) -> Iterator[tuple]:
    """Read lines of recording, channel, begin, duration and word; ``;;`` begins a comment (sclite, ``infmts.htm``)."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise cannot_read(file, "text in UTF-8", error) from error
    split = [(number, line.split()) for number, line in enumerate(text.split("\n"), start=1)]
    rows = [(number, row) for number, row in split if row and not row[0].startswith(";;")]
    short = [(number, shown(" ".join(row))) for number, row in rows if len(row) < 5]
    refuse_rows(file, short, "lines without recording, channel, begin, duration and word", "correct them")
    marked = [(number, row[4]) for number, row in rows if row[2] == "*"]
    refuse_rows(file, marked, "alternative transcripts, of which none can be chosen", "keep one of each")
    lines = [number for number, _ in rows]
    begins = read_seconds(file, lines, [row[2] for _, row in rows], "begin")
    durations = read_seconds(file, lines, [row[3] for _, row in rows], "duration")
    _refuse_backward(file, lines, begins, begins + durations)
    channels: dict[str, set[str]] = {}
    for _, row in rows:
        channels.setdefault(row[0], set()).add(row[1])
    speakers = [f"{row[0]}-{row[1]}" if len(channels[row[0]]) > 1 else "" for _, row in rows]
    return (
        (row[0], begin, begin + duration, row[4], speaker)
        for (_, row), begin, duration, speaker in zip(rows, begins.tolist(), durations.tolist(), speakers, strict=True)
    )


def _refuse_backward(file: Path, lines: Sequence[int], begins: np.ndarray, ends: np.ndarray) -> None:
    wrong = np.flatnonzero(ends <= begins)
    examples = [(lines[row], f"{begins[row]:g} to {ends[row]:g} s") for row in wrong[:EXAMPLES]]
    refuse_rows(file, examples, "words that do not end after they begin", "correct or drop them", count=len(wrong))
