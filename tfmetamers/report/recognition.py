"""The files of a recognition: every decision, the counts, a figure."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tfmetamers.plotting.recognition import plot_recognition
from tfmetamers.plotting.style import save_figure
from tfmetamers.recognition.decisions import Decision, write_rows
from tfmetamers.recognition.summary import RecognitionRow

if TYPE_CHECKING:
    from tfmetamers.recognition.decisions import Recognition


def write_recognition(folder: Path, recognition: "Recognition", rows: Sequence[RecognitionRow]) -> None:
    """Write ``recognition.csv``, ``recognition_summary.csv``, and the figure ``recognition`` as PDF, SVG and PNG.

    Args:
        folder: where.
        recognition: the decisions.
        rows: what `tfmetamers.recognition.summary.summarize_recognition` made of them.

    Raises:
        ResultError: a file cannot be written.
    """
    write_rows(folder / "recognition.csv", Decision, recognition.decisions)
    write_rows(folder / "recognition_summary.csv", RecognitionRow, rows)
    if rows:  # Without a right answer that is known, there is nothing to draw.
        save_figure(plot_recognition(rows), folder / "recognition")
