"""The metamer folder on disk: write, read, index."""

import csv
import dataclasses
import json
import os
import platform
import shutil
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np

from tfmetamers.errors import ResultError
from tfmetamers.networks.identity import NETWORK_IDENTITY
from tfmetamers.recipes import Recipe
from tfmetamers.stimuli.domains import DOMAINS, Cochleagrams, Images, Sounds
from tfmetamers.utilities.files import atomic_write
from tfmetamers.version import __version__

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tfmetamers.networks.network import Network

#: The version of the folder's format, written as ``format`` in metamer.json.
FORMAT = 1

#: What NumPy, Pillow and soundfile were seen to raise on files that are missing, cut short or altered.
_READING_ERRORS = (OSError, ValueError, EOFError, SyntaxError, KeyError, RuntimeError, TypeError)

#: The trace keeps every step up to this one, and every tenth one after it.
TRACED_EACH = 100


@dataclass(frozen=True)
class Metamer:
    """A finished metamer and how it was made.

    Attributes:
        stimulus: the metamer, float32 of the network's stimulus shape.
        original: the natural stimulus that it matches, of the same shape.
        losses: the loss after 0, 1, 2 ... steps; for a metamer read from disk, after `traced_steps`.
        learning_rates: the learning rate of the update that follows each of these losses.
        record: what metamer.json holds (``docs/metamer_folder.md``).
        steps: the number of steps after which each loss was taken; all from 0 on where it is None.
    """

    stimulus: np.ndarray
    original: np.ndarray
    losses: np.ndarray
    learning_rates: np.ndarray
    record: dict[str, Any]
    steps: np.ndarray | None = None

    @property
    def traced_steps(self) -> np.ndarray:
        """The number of steps after which each of `losses` was taken."""
        return np.arange(len(self.losses)) if self.steps is None else self.steps


def metamer_folder(out: str | os.PathLike, network: str, layer: str, stimulus_id: str, seed: int) -> Path:
    """Return the folder of one metamer: ``OUT/<network>/<layer>/<stimulus id>/<seed>``.

    In the names of the network and the layer, all but letters, digits and ``_.-~`` is written as in a URL, so that
    no two layers share a folder.
    """
    return Path(out) / quote(network, safe="") / quote(layer, safe="") / stimulus_id / str(seed)


def describe_settings(network: "Network", layer: str, digest: str, recipe: Recipe, seed: int) -> dict:
    """Return what a metamer is made of, as metamer.json has it; `settings_differences` compares two such.

    Args:
        network: the network.
        layer: the layer's name.
        digest: `tfmetamers.stimuli.noise.stimulus_digest` of the natural stimulus.
        recipe: the recipe.
        seed: the seed of the noise.
    """
    found = network.layer(layer)
    is_ordinary = recipe.relu_gradient == "normal" and found.path.relus
    return {
        "format": FORMAT,
        "domain": network.domain.name,
        "network": network.describe(),
        "layer": {
            "name": found.name,
            "tensor": found.tensor,
            "shape": list(found.shape),
            "relu_rule": "ordinary (as asked)" if is_ordinary else found.path.rule,
            "relus": list(found.path.relus),
        },
        "stimulus": {"sha256": digest, **network.domain.record()},
        "recipe": dataclasses.asdict(recipe),
        "seed": seed,
    }


#: What metamer.json has in any case, and of which type.
REQUIRED = {
    ("domain",): str,
    ("network", "name"): str,
    ("network", "stimulus_shape"): list,
    ("network", "digest"): str,
    ("layer", "name"): str,
    ("stimulus", "sha256"): str,
    ("recipe", "name"): str,
    ("recipe", "front_end"): str,
    ("seed",): int,
}

#: What is told of a folder that holds a metamer without its record.
HALF_WRITTEN = "it is unfinished: it holds metamer.npy and no metamer.json; delete it and run synth again."

#: What determines a metamer: two folders that agree in these hold the same metamer.
DETERMINING = (
    *(("network", key) for key in NETWORK_IDENTITY),
    ("layer", "name"),
    ("layer", "tensor"),
    ("stimulus", "sha256"),
    *(("recipe", field.name) for field in dataclasses.fields(Recipe)),
    ("seed",),
)


def settings_differences(found: dict, wanted: dict) -> list[str]:
    """Say in what determines a metamer two records differ, a phrase each: ``recipe.steps: 300 there, 15000 asked``."""
    pairs = [(".".join(path), record_value(found, path), record_value(wanted, path)) for path in DETERMINING]
    return [
        f"{name}: {'nothing' if there == '' else there} there, {asked} asked"
        for name, there, asked in pairs
        if there != asked
    ]


def describe_versions() -> dict[str, str]:
    """Return the versions of what made a result."""
    import PIL
    import scipy
    import soundfile
    import tensorflow as tf

    return {
        "tfmetamers": __version__,
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
        "pillow": PIL.__version__,
        "scipy": scipy.__version__,
        "soundfile": soundfile.__version__,
    }


def write_metamer(
    folder: Path,
    metamer: Metamer,
    domain: Images | Sounds | Cochleagrams,
    snapshots: Path | None = None,
    figure: "Figure | None" = None,
) -> None:
    """Write a metamer's folder, whole or not at all.

    Args:
        folder: where; it must not exist.
        metamer: the metamer.
        domain: what it is, and so how it is saved.
        snapshots: a folder of snapshots to copy into it.
        figure: a figure of it.

    Raises:
        ResultError: the folder cannot be written.
    """
    with atomic_write(folder) as partial:
        partial.mkdir()
        np.save(partial / "metamer.npy", metamer.stimulus)
        domain.save(metamer.stimulus, partial / "metamer")
        domain.save(metamer.original, partial / "original")
        if figure:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Glyph")  # Of a name in a script that the font lacks.
                figure.savefig(partial / "figure.png")
        _write_trace(partial / "trace.csv", metamer)
        (partial / "metamer.json").write_text(json.dumps(metamer.record, indent=2) + "\n", encoding="utf-8")
        if snapshots and snapshots.is_dir():
            shutil.copytree(snapshots, partial / snapshots.name)


def read_record(folder: str | os.PathLike) -> dict[str, Any]:
    """Return what a folder's metamer.json holds.

    Raises:
        ResultError: the file is missing, damaged, of a later format, or lacks what every metamer has.
    """
    path = Path(folder) / "metamer.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        version = record["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResultError(f"{path} is missing or damaged ({error}); give the folder of a metamer.") from error
    if version != FORMAT:
        raise ResultError(f"{path} has format {version}; this version of tfmetamers reads format {FORMAT}.")
    found = {keys: record_value(record, keys) for keys in REQUIRED}
    lacking = [".".join(keys) for keys, value in found.items() if value == "" or not isinstance(value, REQUIRED[keys])]
    if lacking or record["domain"] not in DOMAINS:
        what = ", ".join(lacking) or f"domain, which is {record['domain']!r}"
        raise ResultError(f"{path} is damaged: it has no usable {what}; delete the folder and make it again.")
    return record


def read_metamer(folder: str | os.PathLike) -> Metamer:
    """Read a metamer from its folder.

    Raises:
        ResultError: a file is missing or damaged, or an array has another shape than the record says.
    """
    folder = Path(folder)
    record = read_record(folder)
    try:
        stimulus = np.load(folder / "metamer.npy", allow_pickle=False)
        trace = np.loadtxt(folder / "trace.csv", delimiter=",", skiprows=1, ndmin=2)
        steps, losses, learning_rates = trace.T
    except _READING_ERRORS as error:
        raise _damaged(folder, error) from error
    _check_shape(folder, "metamer.npy", stimulus, record)
    original = _read_saved(folder, "original", record)
    return Metamer(stimulus, original, losses, learning_rates, record, steps=steps.astype(int))


def read_saved(folder: str | os.PathLike, record: dict[str, Any]) -> np.ndarray:
    """Return the metamer as a person sees or hears it, from the picture or sound that was saved.

    Args:
        folder: the metamer's folder.
        record: what its metamer.json holds.

    Raises:
        ResultError: the file is missing or damaged, or has another shape than the record says.
    """
    return _read_saved(Path(folder), "metamer", record)


def _read_saved(folder: Path, name: str, record: dict) -> np.ndarray:
    try:
        stimulus = DOMAINS[record["domain"]].read(folder / name)
    except _READING_ERRORS as error:
        raise _damaged(folder, error) from error
    _check_shape(folder, f"the saved {name}", stimulus, record)
    return stimulus


def _check_shape(folder: Path, what: str, stimulus: np.ndarray, record: dict) -> None:
    shape = tuple(record["network"]["stimulus_shape"])
    if stimulus.shape != shape or stimulus.dtype.kind != "f":
        raise ResultError(
            f"{folder} is damaged: {what} has shape {stimulus.shape} ({stimulus.dtype}), and {shape} (float32) was "
            "expected; delete it and make it again."
        )


def _damaged(folder: Path, error: Exception) -> ResultError:
    return ResultError(f"{folder} is damaged ({error}); delete it and make it again.")


def find_metamers(out: str | os.PathLike) -> list[Path]:
    """Return the folders of all finished metamers below a folder, in the order of their paths.

    Raises:
        ResultError: there is no such folder, or no metamer is below it.
    """
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
    return any(part.startswith(".") and part.endswith(".partial") for part in path.parts)


#: Columns of the index, and where metamer.json has each.
INDEX_COLUMNS = {
    "network": ("network", "name"),
    "weights": ("network", "digest"),
    "layer": ("layer", "name"),
    "stimulus": ("stimulus", "id"),
    "label": ("stimulus", "label"),
    "category": ("stimulus", "category"),
    "seed": ("seed",),
    "recipe": ("recipe", "name"),
    "steps": ("recipe", "steps"),
    "initial_loss": ("loss", "initial"),
    "final_loss": ("loss", "final"),
    "final_loss_exact": ("loss", "final_exact"),
    "correlation": ("correlation",),
    "original_prediction": ("prediction", "original", "label"),
    "metamer_prediction": ("prediction", "metamer", "label"),
    "seconds": ("seconds",),
}


def write_index(out: str | os.PathLike, file: str | os.PathLike | None = None) -> Path:
    """Gather all finished metamers below a folder into a tidy CSV, one row each.

    The columns are `INDEX_COLUMNS`, then ``folder`` (relative to `out`), then further columns of manifests,
    ``manifest_`` before the name of one that is also the name of another column.

    Args:
        out: the folder that synthesis wrote to.
        file: the CSV to write; ``index.csv`` in `out` by default.

    Returns:
        The CSV's path.

    Raises:
        ResultError: there is no metamer, one is damaged, or the file cannot be written.
    """
    out = Path(out)
    folders = find_metamers(out)
    records = [read_record(folder) for folder in folders]
    further = list(dict.fromkeys(column for record in records for column in _further_columns(record)))
    rows = [
        [record_value(record, path) for path in INDEX_COLUMNS.values()]
        + [folder.relative_to(out).as_posix()]
        + [_further_columns(record).get(column, "") for column in further]
        for folder, record in zip(folders, records, strict=True)
    ]
    path = Path(file) if file else out / "index.csv"
    with atomic_write(path) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([[*INDEX_COLUMNS, "folder", *further], *rows])
    return path


def _further_columns(record: dict) -> dict[str, str]:
    columns = record_value(record, ("stimulus", "columns")) or {}
    taken = {*INDEX_COLUMNS, "folder"}
    return {f"manifest_{name}" if name in taken else name: value for name, value in columns.items()}


def record_value(record: dict, path: Sequence[str]):
    """Return what a record has under nested keys, an empty text where it has nothing there."""
    for key in path:
        record = record.get(key) if isinstance(record, dict) else None
    return "" if record is None else record


def _write_trace(path: Path, metamer: Metamer) -> None:
    last = metamer.traced_steps[-1]
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["step", "loss", "learning_rate"])
        for step, loss, rate in zip(metamer.traced_steps, metamer.losses, metamer.learning_rates, strict=True):
            if step <= TRACED_EACH or step % 10 == 0 or step == last:
                writer.writerow([step, repr(float(loss)), repr(float(rate))])
