"""What natural stimuli truly are, told after their metamers were made."""

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass

from tfmetamers.errors import StimulusError, first_line
from tfmetamers.metamers.record import StimulusRecord
from tfmetamers.utilities.regular_files import open_regular

#: The columns of a file of truths beside ``id``, at least one of which is needed.
TRUTH_COLUMNS = ("label", "category")


@dataclass(frozen=True)
class Truth:
    """What a natural stimulus truly is.

    Attributes:
        label: its true label; None where it is not told.
        category: its true category; None where it is not told.
    """

    label: str | None = None
    category: str | None = None

    def apply_to(self, stimulus: StimulusRecord) -> StimulusRecord:
        """Return a stimulus's record with what is told in place of what was recorded."""
        told = {name: value for name, value in dataclasses.asdict(self).items() if value is not None}
        return dataclasses.replace(stimulus, **told)


def read_truth(file: str | os.PathLike) -> Mapping[str, Truth]:
    """Read what stimuli truly are, by their ids.

    Args:
        file: a CSV with the column ``id`` and with ``label``, ``category`` or both, as a manifest has them; other
            columns do not matter, and empty cells tell nothing.

    Raises:
        StimulusError: the file cannot be read, lacks a column, or tells two things of one stimulus.
    """
    import pandas

    try:
        with open_regular(file) as stream:
            table = pandas.read_csv(stream, dtype=str, keep_default_na=False, index_col=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:  # pandas' own errors are ValueErrors.
        reason = getattr(error, "strerror", None) or first_line(error)
        raise StimulusError(f"{file} cannot be read as a CSV in UTF-8 ({reason}); give another file.") from error
    columns = [name for name in TRUTH_COLUMNS if name in table]
    if "id" not in table or not columns:
        raise StimulusError(
            f"{file} has the columns {', '.join(map(str, table.columns))}; id and label or category were expected."
        )
    truths: dict[str, Truth] = {}
    for id_, *told in table[["id", *columns]].fillna("").itertuples(index=False):  # Of rows that are cut short.
        truth = Truth(**{name: value or None for name, value in zip(columns, told, strict=True)})
        if truths.setdefault(id_, truth) != truth:
            raise StimulusError(f"{file} tells two things of {id_!r}; leave one of them out.")
    return truths
