"""Complete tables of designs: from tidy rows to arrays, with what is missing refused."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tfmetamers.errors import ArgumentError
from tfmetamers.utilities.words import counted, first_few

if TYPE_CHECKING:
    import pandas


def checked_table(table: np.ndarray, axes: Sequence[str]) -> np.ndarray:
    """Return a table as an array of float64, if a design can be made of it.

    Args:
        table: the table.
        axes: what its axes are.

    Raises:
        ArgumentError: it has other axes, fewer than two of anything, a value that is missing, or the same everywhere.
    """
    table = np.asarray(table, float)
    if table.ndim != len(axes):
        raise ArgumentError(
            f"The table has {counted(table.ndim, 'axis', 'axes')}; those expected are {', '.join(axes)}."
        )
    for axis, count in zip(axes, table.shape, strict=True):
        if count < 2:
            raise ArgumentError(f"The table has {count} of {axis}; give at least 2, of which an effect can be told.")
    if not np.isfinite(table).all():
        place = np.argwhere(~np.isfinite(table))[0]
        where = ", ".join(f"{axis} {index + 1}" for axis, index in zip(axes, place, strict=True))
        raise ArgumentError(f"The table has no value for {where}; leave that participant out, or fill in the value.")
    if not np.ptp(table):
        raise ArgumentError(f"All values of the table are {table.flat[0]:g}; no effect can be told of them.")
    return table


def arrange(table: "pandas.DataFrame", value: str, participant: str, factors: Sequence[str]) -> np.ndarray:
    """Return the values of a tidy table as an array, for `RepeatedMeasures`.

    Args:
        table: a row for each participant in each combination of the factors' levels.
        value: the column of the values.
        participant: the column that tells participants apart.
        factors: the columns of the factors.

    Returns:
        Values of the shape (participants, levels of each factor), each in the order of its first row.

    Raises:
        ArgumentError: a participant has no value, or several, in a condition.

    >>> import pandas
    >>> rows = [("s1", "conv1", 0.9), ("s1", "conv5", 0.4), ("s2", "conv1", 0.8), ("s2", "conv5", 0.5)]
    >>> table = pandas.DataFrame(rows, columns=["participant", "stage", "correct"])
    >>> arrange(table, value="correct", participant="participant", factors=["stage"]).tolist()
    [[0.9, 0.4], [0.8, 0.5]]
    """
    keys = [participant, *factors]
    repeated = table[table.duplicated(keys)]
    if len(repeated):
        raise ArgumentError(f"There are several values for {_described(repeated.iloc[0], keys)}; give one for each.")
    names = [list(dict.fromkeys(table[key])) for key in keys]
    places = tuple(
        table[key].map({name: place for place, name in enumerate(known)})
        for key, known in zip(keys, names, strict=True)
    )
    found = np.full([len(known) for known in names], np.nan)
    found[places] = table[value]
    missing = np.argwhere(np.isnan(found))
    if len(missing):
        cell = dict(zip(keys, (known[place] for known, place in zip(names, missing[0], strict=True)), strict=True))
        raise ArgumentError(
            f"There is no value for {_described(cell, keys)}; leave that {participant} out, or fill in the value."
        )
    return found


def arrange_groups(table: "pandas.DataFrame", value: str, participant: str, between: str, within: str) -> np.ndarray:
    """Return the values of a tidy table as an array, for `MixedDesign`.

    Args:
        table: a row for each participant and level.
        value: the column of the values.
        participant: the column that tells the participants of a group apart.
        between: the column of the groups.
        within: the column of the levels.

    Returns:
        Values of the shape (groups, participants of a group, levels), each in the order of its first row.

    Raises:
        ArgumentError: groups differ in size or in levels; or a participant has no value, or several, at a level.

    >>> import pandas
    >>> rows = [
    ...     (model, participant, stage, 0.5)
    ...     for model in ("vgg_19", "resnet_101_v2")
    ...     for participant in ("s1", "s2", "s3")
    ...     for stage in ("conv1", "conv5")
    ... ]
    >>> table = pandas.DataFrame(rows, columns=["model", "participant", "stage", "correct"])
    >>> arrange_groups(table, "correct", "participant", between="model", within="stage").shape
    (2, 3, 2)
    """
    groups = dict(iter(table.groupby(between, sort=False)))
    sizes = {name: own[participant].nunique() for name, own in groups.items()}
    if len(set(sizes.values())) > 1:
        listed = first_few([f"{name} has {size}" for name, size in sizes.items()])
        raise ArgumentError(f"Groups of {between} differ in size ({listed}); give as many of {participant} in each.")
    levels = list(dict.fromkeys(table[within]))
    for name, own in groups.items():
        missing = [str(level) for level in levels if level not in set(own[within])]
        if missing:
            raise ArgumentError(f"{between} {name} has no value for {within} {first_few(missing)}; fill them in.")
    ordered = table.sort_values(within, key=lambda column: column.map(levels.index), kind="stable")
    arrays = [arrange(ordered[ordered[between] == name], value, participant, [within]) for name in groups]
    return np.stack(arrays)


def _described(cell, keys: Sequence[str]) -> str:
    return ", ".join(f"{key} {cell[key]}" for key in keys)
