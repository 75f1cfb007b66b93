"""One table of everything that was made."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfmetamers.errors import ResultError
from tfmetamers.metamers.failures import Failure, attempt
from tfmetamers.metamers.folder import check_verdict, find_damaged_files, find_metamers, read_record, read_run
from tfmetamers.metamers.metamer import Metamer, listed_metamers
from tfmetamers.metamers.record import MetamerRecord
from tfmetamers.utilities.files import atomic_write

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas

#: Columns that every row has, before ``seconds``, ``folder`` and the further columns of manifests.
COLUMNS = (
    "network",
    "weights",
    "layer",
    "stimulus",
    "label",
    "category",
    "seed",
    "recipe",
    "deviations",
    "steps",
    "kernels",
    "initial_loss",
    "final_loss",
    "final_loss_exact",
    "correlation",
    "original_prediction",
    "metamer_prediction",
)


def describe_row(record: MetamerRecord) -> dict[str, Any]:
    """Return the columns `COLUMNS` of a metamer."""
    deviations = record.recipe.deviations()
    return {
        "network": record.network.name,
        "weights": record.network.digest,
        "layer": record.layer.name,
        "stimulus": record.stimulus.id,
        "label": record.stimulus.label,
        "category": record.stimulus.category,
        "seed": record.seed,
        "recipe": record.recipe.name,
        "deviations": "; ".join(f"{name}={used}" for name, (_, used) in deviations.items()),
        "steps": record.recipe.steps,
        "kernels": record.kernels,
        "initial_loss": record.loss.initial,
        "final_loss": record.loss.final,
        "final_loss_exact": record.loss.final_exact,
        "correlation": record.correlation,
        **{
            f"{which}_prediction": prediction and prediction["label"] for which, prediction in record.prediction.items()
        },
    }


def tabulate(metamers: "Metamer | Iterable[Metamer]") -> "pandas.DataFrame":
    """Return a table of metamers in memory, or of one, a row for each, with the columns `COLUMNS` and ``seconds``.

    >>> import numpy as np
    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> from tfmetamers.synthesis import synthesize
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> metamer = synthesize(network, np.linspace(-1.0, 1.0, 6), layer="tanh", steps=2)
    >>> tabulate(metamer)[["network", "layer", "steps"]].values.tolist()
    [['function', 'tanh', 2]]
    """
    import pandas

    rows = [{**describe_row(metamer.record), "seconds": metamer.seconds} for metamer in listed_metamers(metamers)]
    return pandas.DataFrame(rows, columns=[*COLUMNS, "seconds"])


def index(out: str | os.PathLike) -> "pandas.DataFrame":
    """Return a table of all finished metamers below a folder, a row for each.

    The columns are `COLUMNS`, then ``seconds`` and ``folder`` (relative to `out`), then further columns of manifests,
    ``manifest_`` before the name of one that is also the name of another column.

    Raises:
        ResultError: there is no metamer, or one is damaged.

    >>> import numpy as np
    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> from tfmetamers.synthesis import synthesize
    >>> metamer = synthesize(network, np.linspace(-1.0, 1.0, 6), layer="tanh", steps=2)
    >>> from tfmetamers.metamers import save_metamers
    >>> (folder,) = save_metamers(metamer, "metamers")
    >>> index("metamers")[["layer", "steps"]].values.tolist()
    [['tanh', 2]]
    """
    table, failures = gather(out)
    for failure in failures:
        raise ResultError(failure.reason)
    return table


def gather(out: str | os.PathLike, check: bool = False) -> "tuple[pandas.DataFrame, list[Failure]]":
    """Return the table of `index` of the metamers that can be used, and which cannot.

    Args:
        out: the folder.
        check: also compare every file of each metamer with the hash that was recorded of it, its verdict included.

    Raises:
        ResultError: there is no metamer.
    """
    import pandas

    found = [(folder, attempt(folder, _index_row, Path(out), folder, check)) for folder in find_metamers(out)]
    rows = [row for _, row in found if not isinstance(row, Failure)]
    return pandas.DataFrame(rows), [row for _, row in found if isinstance(row, Failure)]


def _index_row(out: Path, folder: Path, check: bool) -> dict[str, Any]:
    record, run = read_record(folder), read_run(folder)
    damaged = find_damaged_files(folder) if check else []
    if damaged:
        raise ResultError(
            f"{folder} is damaged: {', '.join(damaged)} missing or altered; delete it and make the metamer again."
        )
    if check:
        check_verdict(folder)
    row = {**describe_row(record), "seconds": run and run.seconds, "folder": folder.relative_to(out).as_posix()}
    further = {f"manifest_{name}" if name in row else name: value for name, value in record.stimulus.columns.items()}
    return {**row, **further}


def write_index(out: str | os.PathLike, file: str | os.PathLike | None = None) -> Path:
    """Write the table of `index` as a CSV, without wall times, so that the same metamers give the same bytes.

    Args:
        out: the folder that synthesis wrote to.
        file: the CSV to write; ``index.csv`` in `out` by default.

    Returns:
        The CSV's path.

    Raises:
        ResultError: there is no metamer, one is damaged, or the file cannot be written.

    >>> import numpy as np
    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> from tfmetamers.synthesis import synthesize
    >>> metamer = synthesize(network, np.linspace(-1.0, 1.0, 6), layer="tanh", steps=2)
    >>> from tfmetamers.metamers import save_metamers
    >>> (folder,) = save_metamers(metamer, "metamers")
    >>> write_index("metamers").as_posix()
    'metamers/index.csv'
    """
    table = index(out).drop(columns="seconds")
    path = Path(file) if file else Path(out) / "index.csv"
    write_csv(table, path)
    return path


def write_csv(table: "pandas.DataFrame", path: str | os.PathLike) -> None:
    """Write a table as a CSV, whole or not at all.

    Raises:
        ResultError: the file cannot be written.
    """
    with atomic_write(path) as partial:
        table.to_csv(partial, index=False)
