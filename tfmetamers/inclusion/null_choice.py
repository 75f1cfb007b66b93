"""Which of several null distributions a metamer is judged by."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tfmetamers.errors import ResultError
from tfmetamers.inclusion.null import NullDistribution
from tfmetamers.inclusion.verdict import WITHOUT_NULL, check_null, null_differences
from tfmetamers.metamers.record import MetamerRecord


@dataclass(frozen=True)
class Choice:
    """The null distribution that a metamer is judged by.

    Attributes:
        file: its file; None where none applies.
        null: the null distribution; None where none applies.
        reason: why none applies, in words; None where one does.
    """

    file: Path | None
    null: NullDistribution | None
    reason: str | None = None


def choose_null(nulls: Mapping[Path, NullDistribution], folder: Path, record: MetamerRecord) -> Choice:
    """Choose the null distribution of a metamer's network and layer.

    One that records its network is preferred to one that does not, such as the authors' own.

    Args:
        nulls: null distributions by their files.
        folder: the metamer's folder.
        record: what its metamer.json holds.

    Raises:
        ResultError: two apply equally.
    """
    differences = {file: null_differences(null, record) for file, null in nulls.items()}
    applying = [file for file, found in differences.items() if not found]
    if not applying:
        return Choice(None, None, _reason(nulls, differences, record))
    known = {file: len(nulls[file].recorded) for file in applying}
    best = [file for file in applying if known[file] == max(known.values())]
    if len(best) > 1:
        raise ResultError(
            f"{best[0]} and {best[1]} apply equally to {folder}; leave one of them out, or name a pickle's network "
            "with --null NETWORK=FILE."
        )
    return Choice(best[0], nulls[best[0]])


def applying_nulls(nulls: Mapping[Path, NullDistribution], record: MetamerRecord) -> dict[Path, NullDistribution]:
    """Return the null distributions that apply to a metamer, by their files."""
    return {file: null for file, null in nulls.items() if not null_differences(null, record)}


def require_all_apply(nulls: Mapping[Path, NullDistribution], records: Iterable[MetamerRecord]) -> None:
    """Refuse null distributions of which one applies to no metamer, naming the first difference.

    Raises:
        ResultError: one applies to no metamer.
    """
    records = list(records)
    for file, null in nulls.items():
        if records and all(null_differences(null, record) for record in records):
            try:
                check_null(null, records[0])
            except ResultError as error:
                raise ResultError(f"{file} applies to none of the metamers. {error}") from error


def _reason(
    nulls: Mapping[Path, NullDistribution], differences: Mapping[Path, list[str]], record: MetamerRecord
) -> str:
    """Return why none applies: how the one for the same network and layer differs, if there is one."""
    for file, null in nulls.items():
        is_of_network = (null.network or {"name": record.network.name}).get("name") == record.network.name
        if is_of_network and record.layer.name in null.layers:
            return f"the null distribution {file.name} does not apply ({'; '.join(differences[file])})"
    return "no null distribution for its network and layer was given" if nulls else WITHOUT_NULL
