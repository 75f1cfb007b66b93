"""The metamer folder on disk: written whole, read, found."""

import contextlib
import csv
import dataclasses
import json
import os
import shutil
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfmetamers.errors import ArgumentError, ResultError, TfmetamersError, shown
from tfmetamers.metamers.metamer import Metamer, listed_metamers
from tfmetamers.metamers.record import FORMAT, MetamerRecord, RunRecord
from tfmetamers.stimuli.arrays import read_saved as read_saved_array
from tfmetamers.utilities.array_files import read_archive
from tfmetamers.utilities.files import atomic_write, file_digest, is_partial
from tfmetamers.utilities.json_files import check_seal, other_format, read_json, sealed, typed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: The errors that a record raises if a part is missing or has another type.
_RECORD_ERRORS = (TfmetamersError, KeyError, TypeError, ValueError)

#: The trace has every step up to this one, and every tenth step after it.
TRACED_EACH = 100

#: The optimiser's state after the last step, where it was kept.
STATE_FILE = "state.npz"

#: The verdict on a metamer, which evaluation writes into its folder later and seals by its own hash.
VERDICT_FILE = "verdict.json"

#: The reason why a folder that holds a metamer without its record is not used.
HALF_WRITTEN = "it is incomplete: it holds metamer.npy but no metamer.json; delete it and run synth again."


def write_metamer(
    folder: Path,
    metamer: Metamer,
    run: RunRecord,
    snapshots: Path | None = None,
    figure: "Figure | None" = None,
    *,
    keep_state: bool = False,
) -> None:
    """Write a metamer's folder, whole or not at all.

    Args:
        folder: where; it must not exist.
        metamer: the metamer.
        run: when and where it was made.
        snapshots: a folder of snapshots to copy into it.
        figure: a figure of it.
        keep_state: also write what the next step would depend on, so that it can be continued to more steps.

    Raises:
        ResultError: the folder cannot be written.

    >>> import numpy as np
    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> from tfmetamers.synthesis import synthesize
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> metamer = synthesize(network, np.linspace(-1.0, 1.0, 6), layer="tanh", steps=2)
    >>> write_metamer(Path("metamer"), metamer, RunRecord.now(metamer.seconds))
    >>> read_metamer("metamer").record.layer.name
    'tanh'
    """
    domain = metamer.record.domain
    with atomic_write(folder) as partial:
        partial.mkdir()
        np.save(partial / "metamer.npy", metamer.stimulus)
        domain.save(metamer.stimulus, partial / "metamer", metamer.record.recipe)
        domain.save(metamer.original, partial / "original")
        if not np.array_equal(domain.read(partial / "original"), metamer.original):
            np.save(partial / "original.npy", metamer.original)  # Because 8 bits do not hold it exactly.
        if figure:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Glyph")  # Of a name in a script that the font lacks.
                figure.savefig(partial / "figure.png")
        _write_trace(partial / "trace.csv", metamer)
        if keep_state:
            _write_state(partial / STATE_FILE, metamer)
        if snapshots and snapshots.is_dir():
            shutil.copytree(snapshots, partial / snapshots.name, ignore=_partials)
        record = metamer.record.replace(files=_digests(partial))
        for name, content in (("metamer", sealed(record.to_json())), ("run", dataclasses.asdict(run))):
            (partial / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _partials(_, names: list[str]) -> list[str]:
    """Return what a killed run was just writing, of the names in a folder."""
    return list(filter(is_partial, names))


def _digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below a folder, by its path there."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_digest(path) for path in files}


def read_record(folder: str | os.PathLike) -> MetamerRecord:
    """Return what a folder's metamer.json holds.

    Raises:
        ResultError: the file is missing, damaged, altered, of another format, or lacks what every metamer has.

    >>> import numpy as np
    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> from tfmetamers.synthesis import synthesize
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> metamer = synthesize(network, np.linspace(-1.0, 1.0, 6), layer="tanh", steps=2)
    >>> (folder,) = save_metamers(metamer, "metamers")
    >>> read_record(folder) == metamer.record
    True
    """
    path = Path(folder) / "metamer.json"
    try:
        content = read_json(path)
        version = content["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResultError(f"{path} is missing or damaged ({error}); give the folder of a metamer.") from error
    if version != FORMAT:
        raise other_format(path, version, FORMAT, "read it with the version that wrote it, or make the metamer again")
    try:
        check_seal(content)
        return MetamerRecord.from_json(content)
    except _RECORD_ERRORS as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise ResultError(f"{path} is damaged ({reason}); delete the folder and make it again.") from error


def read_run(folder: str | os.PathLike) -> RunRecord | None:
    """Return when and where a folder's metamer was made; None if run.json is missing or damaged."""
    try:
        return typed(read_json(Path(folder) / "run.json"), RunRecord)
    except (OSError, ValueError):
        return None


def checked_file(folder: Path, name: str, record: MetamerRecord) -> Path:
    """Return the path of a file of a metamer, after checking that it is as it was written.

    Args:
        folder: the metamer's folder.
        name: the file's path in it.
        record: what its metamer.json holds.

    Raises:
        ResultError: the file is missing, or has another hash than was recorded.
    """
    path = folder / name
    try:
        digest = file_digest(path)
    except OSError as error:
        raise _damaged(folder, f"{name}: {error.strerror or error}") from error
    if digest != record.files.get(name):
        raise _damaged(folder, f"the hash of {name} is not the recorded one")
    return path


def find_damaged_files(folder: str | os.PathLike) -> list[str]:
    """Return the files of a metamer that are missing or not what was written, by their hashes.

    Raises:
        ResultError: metamer.json, which has the hashes, is missing or damaged itself.
    """
    folder, damaged = Path(folder), []
    record = read_record(folder)
    for name in record.files:
        try:
            checked_file(folder, name, record)
        except ResultError:
            damaged.append(name)
    return damaged


def check_verdict(folder: str | os.PathLike) -> None:
    """Refuse a verdict that is not what was written, by its own hash; there need not be one.

    Raises:
        ResultError: it is damaged.
    """
    path = Path(folder) / VERDICT_FILE
    try:
        if path.exists():
            check_seal(read_json(path))
    except (OSError, ValueError) as error:
        raise ResultError(f"{path} is damaged ({error}); delete it and evaluate again.") from error


def read_metamer(folder: str | os.PathLike) -> Metamer:
    """Read a metamer from its folder.

    Raises:
        ResultError: a file is missing or damaged, or an array has another shape than the record says.

    >>> import numpy as np
    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> from tfmetamers.synthesis import synthesize
    >>> metamer = synthesize(network, np.linspace(-1.0, 1.0, 6), layer="tanh", steps=2)
    >>> from tfmetamers.metamers import save_metamers
    >>> (folder,) = save_metamers(metamer, "metamers")
    >>> np.array_equal(read_metamer(folder).stimulus, metamer.stimulus)
    True
    """
    folder = Path(folder)
    record = read_record(folder)
    run = read_run(folder)
    steps, losses, learning_rates = _read_trace(folder, record)
    metamer = Metamer(
        _read_exact(folder, "metamer.npy", record),
        _read_original(folder, record),
        losses,
        learning_rates,
        record,
        steps=steps.astype(int),
        seconds=0.0 if run is None else run.seconds,
    )
    return _with_state(metamer, folder / STATE_FILE) if (folder / STATE_FILE).exists() else metamer


def read_saved(folder: str | os.PathLike, name: str, record: MetamerRecord) -> np.ndarray:
    """Return a stimulus as a person sees or hears it, from the picture or sound that was saved.

    Args:
        folder: the metamer's folder.
        name: ``"metamer"`` or ``"original"``.
        record: what its metamer.json holds.

    Raises:
        ResultError: the file is missing, damaged or altered, or has another shape than the record says.
    """
    folder = Path(folder)
    path = checked_file(folder, f"{name}{record.domain.ending}", record)
    with _damage_named(folder):
        stimulus = record.domain.read(path.with_name(name))
    _check_shape(folder, f"the saved {name}", stimulus, record)
    return stimulus


def _read_original(folder: Path, record: MetamerRecord) -> np.ndarray:
    """Return the natural stimulus: from the exact array where there is one."""
    name = "original.npy"
    return _read_exact(folder, name, record) if name in record.files else read_saved(folder, "original", record)


def _read_exact(folder: Path, name: str, record: MetamerRecord) -> np.ndarray:
    path = checked_file(folder, name, record)
    with _damage_named(folder):
        stimulus = read_saved_array(path, record.domain.shape)
    _check_shape(folder, name, stimulus, record)
    return stimulus


def _read_trace(folder: Path, record: MetamerRecord) -> np.ndarray:
    """Return the columns of the trace: steps, losses and learning rates."""
    path = checked_file(folder, "trace.csv", record)
    with _damage_named(folder):
        columns = np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2).T
        if len(columns) != 3 or not columns.size or not np.isfinite(columns).all():
            raise ValueError("trace.csv has no finite steps, losses and learning rates")
        return columns


def _check_shape(folder: Path, what: str, stimulus: np.ndarray, record: MetamerRecord) -> None:
    shape = record.network.stimulus_shape
    if stimulus.shape != shape or stimulus.dtype.kind != "f":
        raise ResultError(
            f"{folder} is damaged: {what} has shape {stimulus.shape} ({stimulus.dtype}), but {shape} (float32) was "
            "expected; delete the folder and make the metamer again."
        )


@contextlib.contextmanager
def _damage_named(folder: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # NumPy, Pillow and soundfile raise whatever their parsers raise.
        raise _damaged(folder, error) from error


def _damaged(folder: Path, reason: Exception | str) -> ResultError:
    return ResultError(f"{folder} is damaged ({reason}); delete it and make the metamer again.")


def save_metamers(
    metamers: Metamer | Iterable[Metamer], out: str | os.PathLike, *, keep_state: bool = False
) -> list[Path]:
    """Save metamers that were made in memory, each in the folder that a run would have given it.

    Args:
        metamers: the metamers, or one.
        out: the output folder.
        keep_state: save the optimiser's state too, so that they can be continued to more steps later.

    Returns:
        Their folders.

    Raises:
        ArgumentError: states are to be kept, and a metamer has none; or something else than a metamer was given.
        ResultError: one of the folders exists, or cannot be written.

    >>> import numpy as np
    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> from tfmetamers.synthesis import synthesize
    >>> metamer = synthesize(network, np.linspace(-1.0, 1.0, 6), layer="tanh", steps=2)
    >>> (folder,) = save_metamers([metamer], "metamers")
    >>> sorted(path.name for path in folder.iterdir())
    ['metamer.json', 'metamer.npy', 'original.npy', 'run.json', 'trace.csv']
    """
    folders = []
    for metamer in listed_metamers(metamers):
        folder = Path(out) / metamer.record.relative_folder
        if folder.exists():
            raise ResultError(f"{folder} already exists; give another folder, or move it away.")
        if keep_state and metamer.moments is None:
            raise ArgumentError(f"{metamer!r} has no state that could be kept; leave keep_state out.")
        write_metamer(folder, metamer, RunRecord.now(metamer.seconds), keep_state=keep_state)
        folders.append(folder)
    return folders


def load_metamers(out: str | os.PathLike) -> list[Metamer]:
    """Return all finished metamers below a folder, in the order of their paths.

    Raises:
        ResultError: there is none, or one is damaged.

    >>> import numpy as np
    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> from tfmetamers.synthesis import synthesize
    >>> metamer = synthesize(network, np.linspace(-1.0, 1.0, 6), layer="tanh", steps=2)
    >>> from tfmetamers.metamers import save_metamers
    >>> (folder,) = save_metamers(metamer, "metamers")
    >>> [each.record.layer.name for each in load_metamers("metamers")]
    ['tanh']
    """
    return [read_metamer(folder) for folder in find_metamers(out)]


def find_metamers(out: str | os.PathLike) -> list[Path]:
    """Return the folders of all finished metamers below a folder, in the order of their paths.

    Raises:
        ArgumentError: what was given is not a path, such as a metamer.
        ResultError: there is no such folder, or no metamer is below it.

    >>> import numpy as np
    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> from tfmetamers.synthesis import synthesize_batch
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> metamers = synthesize_batch(network, np.zeros((2, 6)), layers="tanh", ids=["a", "b"], steps=2)
    >>> folders = save_metamers(metamers, "metamers")
    >>> [folder.parent.name for folder in find_metamers("metamers")]
    ['a', 'b']
    """
    if not isinstance(out, str | os.PathLike):
        raise ArgumentError(
            f"The folder of metamers is {shown(out)}; a path was expected. Of metamers in memory, save_metamers makes "
            "a folder, and include judges each."
        )
    out = Path(out)
    folders = sorted(path.parent for path in out.rglob("metamer.json") if not _is_partial(path.relative_to(out)))
    if not folders:
        raise ResultError(f"There is no finished metamer below {out}; give the folder that synth wrote to.")
    return folders


def find_half_written(out: str | os.PathLike) -> list[Path]:
    """Return the folders below a folder that hold a metamer without its record, in the order of their paths."""
    found = (path for path in Path(out).rglob("metamer.npy") if not path.with_name("metamer.json").exists())
    return sorted(path.parent for path in found if not _is_partial(path.relative_to(out)))


def count_unfinished(out: str | os.PathLike) -> int:
    """Return how many batches below a folder were stopped before they were finished."""
    found = Path(out).rglob("*.unfinished/state.npz")
    return sum(not _is_partial(path.relative_to(out)) for path in found)


def _is_partial(path: Path) -> bool:
    """Tell whether a path leads through a temporary folder that `atomic_write` had to leave behind."""
    return any(map(is_partial, path.parts))


def _write_state(path: Path, metamer: Metamer) -> None:
    first, second = metamer.moments
    schedule = {"losses": metamer.losses, "learning_rates": metamer.learning_rates}
    np.savez(path, first_moment=first, second_moment=second, **schedule)


def _with_state(metamer: Metamer, path: Path) -> Metamer:
    """Return a metamer with the moments, and with every loss and learning rate, that were kept beside it."""
    shapes = {
        **dict.fromkeys(("first_moment", "second_moment"), metamer.stimulus.shape),
        **dict.fromkeys(("losses", "learning_rates"), (metamer.record.recipe.steps + 1,)),
    }
    checked_file(path.parent, path.name, metamer.record)
    with _damage_named(path.parent):
        state = read_archive(path)
        for name, shape in shapes.items():
            if state[name].shape != shape or state[name].dtype.kind != "f":
                raise ValueError(f"{path.name}: {name} is not an array of {shape} numbers")
    moments = state["first_moment"], state["second_moment"]
    schedule = {"losses": state["losses"], "learning_rates": state["learning_rates"]}
    return dataclasses.replace(metamer, moments=moments, steps=None, **schedule)


def _write_trace(path: Path, metamer: Metamer) -> None:
    last = metamer.steps[-1]
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["step", "loss", "learning_rate"])
        for step, loss, rate in zip(metamer.steps, metamer.losses, metamer.learning_rates, strict=True):
            if step <= TRACED_EACH or step % 10 == 0 or step == last:
                writer.writerow([step, repr(float(loss)), repr(float(rate))])
