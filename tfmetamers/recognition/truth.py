"""What natural stimuli truly are, given after their metamers were made."""

import dataclasses
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

from tfmetamers.errors import StimulusError, first_line
from tfmetamers.metamers.record import StimulusRecord
from tfmetamers.utilities.regular_files import open_regular

#: The columns of a file of truths besides ``id``; at least one is needed.
TRUTH_COLUMNS = ("label", "category")


@dataclass(frozen=True)
class Truth:
    """What a natural stimulus truly is.

    Attributes:
        label: its true label; None if it is not given.
        category: its true category; None if it is not given.
    """

    label: str | None = None
    category: str | None = None

    def apply_to(self, stimulus: StimulusRecord) -> StimulusRecord:
        """Return a stimulus's record with this truth in place of what was recorded."""
        given = {name: value for name, value in dataclasses.asdict(self).items() if value is not None}
        return dataclasses.replace(stimulus, **given)


def read_truth(file: str | os.PathLike) -> Mapping[str, Truth]:
    """Read what stimuli truly are, by their ids.

    Args:
        file: a CSV with the column ``id`` and with ``label``, ``category`` or both, as in a manifest; other columns
            and empty cells are ignored.

    Raises:
        StimulusError: the file cannot be read, lacks a column, or has two different rows for one stimulus.

    >>> import pandas
    >>> pandas.DataFrame({"id": ["rex", "tom"], "label": ["dog", "cat"]}).to_csv("truth.csv", index=False)
    >>> read_truth("truth.csv")["rex"].label
    'dog'
    """
    import pandas

    try:
        with open_regular(file) as stream, warnings.catch_warnings():
            # Of a row with more cells than the header, pandas warns, and drops the rest.
            warnings.simplefilter("error", pandas.errors.ParserWarning)
            table = pandas.read_csv(stream, dtype=str, keep_default_na=False, index_col=False, encoding="utf-8-sig")
    except (OSError, ValueError, pandas.errors.ParserWarning) as error:  # pandas' own errors are ValueErrors.
        reason = getattr(error, "strerror", None) or first_line(error)
        raise StimulusError(f"{file} cannot be read as a CSV in UTF-8 ({reason}); give another file.") from error
    columns = [name for name in TRUTH_COLUMNS if name in table]
    if "id" not in table or not columns:
        raise StimulusError(
            f"{file} has the columns {', '.join(map(str, table.columns))}; id and label or category were expected."
        )
    truths: dict[str, Truth] = {}
    # A row that is cut short has missing cells.
    for id_, *cells in table[["id", *columns]].fillna("").itertuples(index=False):
        truth = Truth(**{name: value or None for name, value in zip(columns, cells, strict=True)})
        if truths.setdefault(id_, truth) != truth:
            raise StimulusError(f"{file} has two different rows for {id_!r}; delete one of them.")
    return truths
