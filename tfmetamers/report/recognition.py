"""The files of a recognition: every decision, the counts, a figure."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tfmetamers.plotting.recognition import plot_recognition
from tfmetamers.recognition.decisions import Decision, write_rows
from tfmetamers.recognition.summary import RecognitionRow
from tfmetamers.utilities.files import atomic_write

if TYPE_CHECKING:
    from tfmetamers.recognition.decisions import Recognition


def write_recognition(folder: Path, recognition: "Recognition", rows: Sequence[RecognitionRow]) -> None:
    """Write ``recognition.csv``, ``recognition_summary.csv`` and ``recognition.png``.

    Args:
        folder: where.
        recognition: the decisions.
        rows: what `tfmetamers.recognition.summary.summarize_recognition` made of them.

    Raises:
        ResultError: a file cannot be written.
    """
    write_rows(folder / "recognition.csv", Decision, recognition.decisions)
    write_rows(folder / "recognition_summary.csv", RecognitionRow, rows)
    with atomic_write(folder / "recognition.png") as partial:
        plot_recognition(rows).savefig(partial, dpi=150)
