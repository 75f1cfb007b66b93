"""The authors' release of the word networks, whose pickles are read without executing any of them."""

import dataclasses
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tfmetamers.errors import ArgumentError, CheckpointError, shown
from tfmetamers.networks.auditory.architecture import LABEL_TASK, SCOPE, Architecture, LayerSpecification
from tfmetamers.networks.auditory.word_cnn import word_labels
from tfmetamers.utilities.pickles import Partial, read_pickle

#: The release's pickles have some kilobytes; one of more bytes than this is not read.
MAX_PICKLE = 2**22

#: The release's word encodings have some ten thousand instructions; a pickle with more than this is not read.
MAX_INSTRUCTIONS = 200_000

#: A list of more layers than this is no network's.
MAX_LAYERS = 1000

#: What the release's pickles name: the module as a whole or the beginning of its name, and the names in it.
KNOWN_GLOBALS = (
    (r"functools", r"partial"),
    (r"collections", r"OrderedDict"),
    (r"numpy(\._?core\.multiarray)?", r"dtype|scalar"),
    (r"tensorflow(\.\w+)*", r"\w+"),
    # The lab's own layers, in the release and in its later code.
    (r"audio_cnn_helpers|functions_brain_network", r"\w+"),
)

#: How the release names a word network's files: of ``word_network_<x>.pckl``, the checkpoint by these names.
CHECKPOINT_NAMES = ("word_{}.ckpt", "word_network_{}.ckpt")

LABEL_FILES = ("metamer_word_encodings.pckl", "word_labels.json")


@dataclass(frozen=True)
class ReleaseFiles:
    """The files of one released word network.

    Attributes:
        name: the network's name, such as ``word_aliased``.
        architecture: the pickle of its architecture.
        checkpoint: its V1 checkpoint, or the prefix of its V2 one.
        labels: the file of the word labels, if there is one.
    """

    name: str
    architecture: Path
    checkpoint: Path
    labels: Path | None = None


def find_release(folder: str | os.PathLike) -> list[ReleaseFiles]:
    """Find the word networks of the release in a folder and the folders in it.

    A network is an architecture ``word_network_<x>.pckl`` and a checkpoint of either format, ``word_<x>.ckpt`` or
    ``word_network_<x>.ckpt``; one beside the architecture is preferred to one in another folder.

    Returns:
        The networks in the order of their names.

    Raises:
        CheckpointError: there is none; or two files could be meant.
    """
    folder = Path(folder)
    try:
        files = sorted(path for path in folder.rglob("*") if path.is_file())
    except OSError as error:
        raise CheckpointError(_cannot_read(folder, error)) from error
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
            f"In {folder}, there is no word network of the release; word_network_<x>.pckl and a checkpoint "
            "word_<x>.ckpt or word_network_<x>.ckpt were expected, of <x> such as aliased or reduced_aliasing: "
            "unpack the authors' archive there."
        )
    return sorted(found, key=lambda each: each.name)


def network_name(path: str | os.PathLike) -> str:
    """Return a network's name from the name of its pickle: of ``word_network_<x>.pckl``, ``word_<x>``.

    Args:
        path: the pickle; where it is called otherwise, its name without the ending is the network's.
    """
    return re.sub(r"^word_network_(?=.)", "word_", Path(path).stem)


def _checkpoint(network: str, beside: Path, files: list[Path]) -> Path | None:
    names = [name.format(network.removeprefix("word_")) for name in CHECKPOINT_NAMES]
    prefixes = {path.with_name(path.name.removesuffix(".index")) for path in files}
    candidates = sorted(path for path in prefixes if path.name in names)
    nearest = [path for path in candidates if path.parent == beside] or candidates
    return _only(nearest, f"checkpoints of {network}") if nearest else None


def _only(paths: list[Path], what: str) -> Path:
    if len(paths) > 1:
        listed = " and ".join(map(str, paths[:3]))
        raise CheckpointError(f"There are several {what}: {listed}; leave one of them, or name a folder with one.")
    return paths[0]


def read_release_architecture(file: str | os.PathLike, name: str) -> Architecture:
    """Read the architecture of a released network from its pickle, of which nothing is executed.

    The layers are the pickle's ``graph_architecture``. The tasks are what its top layer was made with; where that is
    not said, there is one, the words. `class_counts` takes the numbers of classes from the checkpoint.

    Args:
        file: ``word_network_aliased.pckl`` or another that ``make_brain_net`` of the authors' code wrote.
        name: the network's name.

    Raises:
        CheckpointError: the file is missing, damaged or no such pickle; or it names functions that the release's
            pickles do not have, which could do harm if it were loaded in the usual way.
    """
    path = Path(file)
    content = _read_pickle(path)
    listed = content.get("graph_architecture") if isinstance(content, dict) else None
    is_listed = isinstance(listed, list) and len(listed) <= MAX_LAYERS
    if not is_listed or not all(isinstance(layer, dict) for layer in listed):
        raise CheckpointError(f"{path} has no graph_architecture, a list of layers; give a pickle of make_brain_net.")
    try:
        layers = [LayerSpecification(layer.get("layer_type"), layer.get("args")) for layer in listed]
        return Architecture(name, tuple(layers), _tasks(content.get("layer_list")))
    except ArgumentError as error:
        raise CheckpointError(f"{path} holds an architecture that cannot be used: {error}") from error


def _tasks(layer_list) -> Mapping:
    """Return the tasks that the last layer made with some was made with."""
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
        CheckpointError: the checkpoint has no variables of the top layer, or those of another number of tasks.
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
            f"The checkpoint has {', '.join(sorted(there)) or 'no variable'} for the top layer of {architecture.name}, "
            f"where {', '.join(expected)} would be for {', '.join(tasks)}; give the checkpoint that belongs to it."
        )
    counts = {task: variables[name][0][-1] for task, name in zip(tasks, expected, strict=True)}
    return dataclasses.replace(architecture, tasks=counts)


def read_word_labels(file: str | os.PathLike) -> list[str]:
    """Read the label of each class of the word task, from a JSON list (``.json``) or from the release's pickle.

    Raises:
        CheckpointError: the file is missing or damaged, or holds no labels.
    """
    path = Path(file)
    if path.suffix.lower() != ".json":
        return read_label_pickle(path)
    try:
        labels = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(_cannot_read(path, error)) from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is no JSON ({shown(error)}); a list of labels was expected.") from error
    if not isinstance(labels, list) or not labels or not all(isinstance(label, str) for label in labels):
        raise CheckpointError(f"{path} holds no labels; a JSON list of them was expected, in the order of the classes.")
    return labels


def read_label_pickle(file: str | os.PathLike) -> list[str]:
    """Read the label of each class from the release's word encodings, a pickle of which nothing is executed.

    Args:
        file: ``metamer_word_encodings.pckl``, whose ``word_idx_to_word`` has a word for each class.

    Raises:
        CheckpointError: the file is missing or damaged, or holds no labels.
    """
    path = Path(file)
    content = _read_pickle(path)
    words = content.get("word_idx_to_word") if isinstance(content, dict) else None
    is_complete = isinstance(words, dict) and words and all(index in words for index in range(len(words)))
    if not is_complete or not all(isinstance(word, str) for word in words.values()):
        raise CheckpointError(f"{path} has no word_idx_to_word, a word for each class from 0 on; fetch it again.")
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
