"""The authors' release of the word networks; its pickles are read without executing them."""

import dataclasses
import itertools
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tfmetamers.errors import ArgumentError, CheckpointError
from tfmetamers.networks.auditory.architecture import SCOPE, Architecture, LayerSpecification
from tfmetamers.networks.auditory.layer_names import LABEL_TASK
from tfmetamers.networks.auditory.word_cnn import word_labels
from tfmetamers.utilities.json_files import read_json, typed
from tfmetamers.utilities.pickles import Partial, read_pickle

#: The maximum size of a pickle in bytes; the release's have some kilobytes.
MAX_PICKLE = 2**22

#: The maximum number of instructions of a pickle; the release's word encodings have some ten thousand.
MAX_INSTRUCTIONS = 200_000

#: The maximum number of files of the folder that a release is looked for in.
MAX_FILES = 10_000

#: The functions that the release's pickles name: patterns of a module and of names in it.
KNOWN_GLOBALS = (
    (r"functools", r"partial"),
    (r"collections", r"OrderedDict"),
    (r"numpy(\._?core\.multiarray)?", r"dtype|scalar"),
    (r"tensorflow(\.\w+)*", r"\w+"),
    # The lab's own layers, in the release and in its later code.
    (r"audio_cnn_helpers|functions_brain_network", r"\w+"),
)

#: The names that the release gives to the checkpoint of ``word_network_<x>.pckl``, with <x> in place of ``{}``.
CHECKPOINT_NAMES = ("word_{}.ckpt", "word_network_{}.ckpt")

LABEL_FILES = ("metamer_word_encodings.pckl", "word_labels.json")


@dataclass(frozen=True)
class ReleaseFiles:
    """The files of one released word network.

    Attributes:
        name: the network's name, such as ``word_aliased``.
        architecture: the pickle of its architecture.
        checkpoint: its V1 checkpoint, or the prefix of its V2 checkpoint.
        labels: the file of the word labels, if there is one.
    """

    name: str
    architecture: Path
    checkpoint: Path
    labels: Path | None = None


def find_release(folder: str | os.PathLike) -> list[ReleaseFiles]:
    """Find the word networks of the release in a folder and its subfolders.

    A network is an architecture ``word_network_<x>.pckl`` and a checkpoint of either format, ``word_<x>.ckpt`` or
    ``word_network_<x>.ckpt``; one beside the architecture is preferred to one in another folder.

    Returns:
        The networks, sorted by name.

    Raises:
        CheckpointError: there are no networks, or several files could be meant.
    """
    folder = Path(folder)
    try:
        found = (path for path in folder.rglob("*") if path.is_file())
        files = sorted(itertools.islice(found, MAX_FILES + 1))
    except OSError as error:
        raise CheckpointError(_cannot_read(folder, error)) from error
    if len(files) > MAX_FILES:
        raise CheckpointError(f"{folder} holds more than {MAX_FILES:,} files; give the folder of the release alone.")
    architectures: dict[str, list[Path]] = {}
    for path in files:
        if re.fullmatch(r"word_network_.+\.pckl", path.name):
            architectures.setdefault(network_name(path), []).append(path)
    labels = next((path for name in LABEL_FILES for path in files if path.name == name), None)
    found = []
    for name, paths in architectures.items():
        architecture = _only(paths, f"architectures of {name}")
        checkpoint = _checkpoint(name, architecture.parent, files)
        if checkpoint is not None:
            found.append(ReleaseFiles(name, architecture, checkpoint, labels))
    if not found:
        raise CheckpointError(
            f"{folder} holds no word network of the release; word_network_<x>.pckl and a checkpoint word_<x>.ckpt or "
            "word_network_<x>.ckpt were expected, where <x> is aliased or reduced_aliasing. Unpack the authors' "
            "archive there."
        )
    return sorted(found, key=lambda each: each.name)


def network_name(path: str | os.PathLike) -> str:
    """Return a network's name from the name of its pickle: of ``word_network_<x>.pckl``, ``word_<x>``.

    Args:
        path: the pickle; a pickle with another name gives that name, without the ending.
    """
    return re.sub(r"^word_network_(?=.)", "word_", Path(path).stem)


def find_layers(network: str, checkpoint: Path) -> Path:
    """Find the pickle of a network's layers, beside its checkpoint or in a folder beside that of the checkpoint.

    Raises:
        CheckpointError: there is none, or there are several.
    """
    name = f"word_network_{network.removeprefix('word_')}.pckl"
    beside = checkpoint.parent / name
    if beside.is_file():
        return beside
    found = sorted(checkpoint.absolute().parent.parent.glob(f"*/{name}"))
    if not found:
        raise CheckpointError(
            f"{checkpoint} has no {name}, which holds its layers, beside it or in a folder beside its own; give the "
            "checkpoint where the authors' archive was unpacked."
        )
    return _only(found, f"architectures of {network}")


def _checkpoint(network: str, beside: Path, files: list[Path]) -> Path | None:
    names = [name.format(network.removeprefix("word_")) for name in CHECKPOINT_NAMES]
    prefixes = {path.with_name(path.name.removesuffix(".index")) for path in files}
    candidates = sorted(path for path in prefixes if path.name in names)
    nearest = [path for path in candidates if path.parent == beside] or candidates
    return _only(nearest, f"checkpoints of {network}") if nearest else None


def _only(paths: list[Path], what: str) -> Path:
    if len(paths) > 1:
        listed = " and ".join(map(str, paths[:3]))
        raise CheckpointError(f"There are several {what}: {listed}; keep one, or give a folder that holds only one.")
    return paths[0]


def read_release_architecture(file: str | os.PathLike, name: str) -> Architecture:
    """Read the architecture of a released network from its pickle, without executing it.

    The layers are the pickle's ``graph_architecture``. The tasks are those that its top layer was made with, or the
    word task where the pickle does not say. `class_counts` takes the numbers of classes from the checkpoint.

    Args:
        file: ``word_network_aliased.pckl`` or another that ``make_brain_net`` of the authors' code wrote.
        name: the network's name.

    Raises:
        CheckpointError: the file is missing or damaged, is not such a pickle, or names functions that the release's
            pickles do not name, which could do harm if it were loaded in the usual way.
    """
    path = Path(file)
    content = _read_pickle(path)
    listed = content.get("graph_architecture") if isinstance(content, dict) else None
    if not isinstance(listed, list) or not all(isinstance(layer, dict) for layer in listed):
        raise CheckpointError(f"{path} has no graph_architecture, a list of layers; give a pickle of make_brain_net.")
    try:
        layers = [LayerSpecification(layer.get("layer_type"), layer.get("args")) for layer in listed]
        return Architecture(name, tuple(layers), _tasks(content.get("layer_list")))
    except ArgumentError as error:
        raise CheckpointError(f"{path} holds an architecture that cannot be used: {error}") from error


def _tasks(layer_list) -> Mapping:
    """Return the tasks of the last layer that was made with tasks."""
    calls = [layer for layer in layer_list if isinstance(layer, Partial)] if isinstance(layer_list, list) else []
    for call in reversed(calls):
        if isinstance(call.keywords.get("n_classes_dict"), dict):
            return call.keywords["n_classes_dict"]
    return {LABEL_TASK: len(word_labels())}


def class_counts(architecture: Architecture, variables: Mapping[str, tuple[tuple[int, ...], str]]) -> Architecture:
    """Return an architecture with the numbers of classes that a checkpoint's top layer has.

    Args:
        architecture: the layers and the tasks.
        variables: shape and dtype of the checkpoint's variables, by name.

    Raises:
        CheckpointError: the checkpoint has no variables for the top layer, or has them for another number of tasks.
    """
    *others, top = architecture.layers
    tasks = sorted(architecture.tasks)
    outputs = {
        "fc_top_classification": [top.name],
        "multi_fc_top_classification": [f"{top.name}_{number}" for number in range(len(tasks))],
    }.get(top.layer_type)
    if outputs is None:
        return architecture
    of_others = {f"{SCOPE}/{layer.name}/kernel" for layer in others}
    of_top = re.compile(rf"{SCOPE}/{re.escape(top.name)}(_\d+)?/kernel")
    there = [name for name in variables if of_top.fullmatch(name) and name not in of_others]
    expected = [f"{SCOPE}/{output}/kernel" for output in outputs]
    if sorted(there) != sorted(expected) or not all(variables[name][0] for name in expected):
        raise CheckpointError(
            f"The checkpoint has {', '.join(sorted(there)) or 'no variables'} for the top layer of "
            f"{architecture.name}; {', '.join(expected)} was expected for {', '.join(tasks)}. Give this network's "
            "checkpoint."
        )
    counts = {task: variables[name][0][-1] for task, name in zip(tasks, expected, strict=True)}
    return dataclasses.replace(architecture, tasks=counts)


def read_word_labels(file: str | os.PathLike) -> list[str]:
    """Read the labels of the word task's classes.

    Args:
        file: a JSON list (``.json``), or the release's ``metamer_word_encodings.pckl``, a pickle that is read without
            executing it.

    Raises:
        CheckpointError: the file is missing or damaged, or does not hold labels.
    """
    path = Path(file)
    if path.suffix.lower() != ".json":
        return _pickled_labels(path)
    try:
        labels = typed(read_json(path), list[str])
    except OSError as error:
        raise CheckpointError(_cannot_read(path, error)) from error
    except ValueError as error:
        raise CheckpointError(f"{path} is not a JSON file of labels ({error}); a list was expected.") from error
    if not labels:
        raise CheckpointError(f"{path} does not hold labels; a JSON list in the order of the classes was expected.")
    return labels


def _pickled_labels(path: Path) -> list[str]:
    content = _read_pickle(path)
    words = content.get("word_idx_to_word") if isinstance(content, dict) else None
    is_complete = isinstance(words, dict) and words and all(index in words for index in range(len(words)))
    if not is_complete or not all(isinstance(word, str) for word in words.values()):
        raise CheckpointError(f"{path} has no word_idx_to_word with a word for each class from 0; fetch it again.")
    return [words[index] for index in range(len(words))]


def _cannot_read(path: Path, error: OSError) -> str:
    return f"{path} cannot be read: {error.strerror or error}; check the path."


def _read_pickle(path: Path):
    return read_pickle(
        path,
        KNOWN_GLOBALS,
        max_bytes=MAX_PICKLE,
        max_instructions=MAX_INSTRUCTIONS,
        error_type=CheckpointError,
    )
