"""The authors' release of the word networks, read without executing any of it.

The release describes its networks by pickles, and a pickle is a program that can run anything. Here it is run by an
interpreter of its own, which knows the instructions that make plain data, calls nothing, imports nothing, and lets
inert objects stand for the functions of TensorFlow 1 that the release's pickles name.
"""

import dataclasses
import io
import itertools
import json
import os
import pickletools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tfmetamers.errors import ArgumentError, CheckpointError
from tfmetamers.networks.architecture import LABEL_TASK, SCOPE, Architecture, LayerSpecification, shown
from tfmetamers.networks.word_cnn import word_labels

#: The release's pickles have some kilobytes; one of more bytes than this is not read.
LARGEST_PICKLE = 2**22

#: The release's word encodings have some ten thousand instructions; a pickle with more than this is not read.
MOST_INSTRUCTIONS = 200_000

#: A list of more layers than this is no network's.
MOST_LAYERS = 1000

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
        if match := re.fullmatch(r"word_network_(.+)\.pckl", path.name):
            architectures.setdefault(match[1], []).append(path)
    labels = next((path for name in LABEL_FILES for path in files if path.name == name), None)
    found = []
    for kind, paths in architectures.items():
        architecture = _only(paths, f"architectures of word_{kind}")
        checkpoint = _checkpoint(kind, architecture.parent, files)
        if checkpoint is not None:
            found.append(ReleaseFiles(f"word_{kind}", architecture, checkpoint, labels))
    if not found:
        raise CheckpointError(
            f"In {folder}, there is no word network of the release; word_network_<x>.pckl and a checkpoint "
            "word_<x>.ckpt or word_network_<x>.ckpt were expected, of <x> such as aliased or reduced_aliasing: "
            "unpack the authors' archive there."
        )
    return sorted(found, key=lambda each: each.name)


def _checkpoint(kind: str, beside: Path, files: list[Path]) -> Path | None:
    names = [name.format(kind) for name in CHECKPOINT_NAMES]
    prefixes = {path.with_name(path.name.removesuffix(".index")) for path in files}
    candidates = sorted(path for path in prefixes if path.name in names)
    nearest = [path for path in candidates if path.parent == beside] or candidates
    return _only(nearest, f"checkpoints of word_{kind}") if nearest else None


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
    is_listed = isinstance(listed, list) and len(listed) <= MOST_LAYERS
    if not is_listed or not all(isinstance(layer, dict) for layer in listed):
        raise CheckpointError(f"{path} has no graph_architecture, a list of layers; give a pickle of make_brain_net.")
    try:
        layers = [LayerSpecification(layer.get("layer_type"), layer.get("args")) for layer in listed]
        return Architecture(name, tuple(layers), _tasks(content.get("layer_list")))
    except ArgumentError as error:
        raise CheckpointError(f"{path} holds an architecture that cannot be used: {error}") from error


def _tasks(layer_list) -> Mapping:
    """Return the tasks that the last layer made with some was made with."""
    calls = [layer for layer in layer_list if isinstance(layer, _Partial)] if isinstance(layer_list, list) else []
    for call in reversed(calls):
        if isinstance(call.keywords.get("n_classes_dict"), dict):
            return call.keywords["n_classes_dict"]
        if "n_classes" in call.keywords:
            return {LABEL_TASK: call.keywords["n_classes"]}
    return {LABEL_TASK: len(word_labels())}


def class_counts(architecture: Architecture, variables: Mapping[str, tuple[tuple[int, ...], str]]) -> Architecture:
    """Return an architecture with the numbers of classes that a checkpoint's top layer has.

    Args:
        architecture: the layers and the tasks.
        variables: shape and dtype of the checkpoint's variables, by name.

    Raises:
        CheckpointError: the checkpoint has no variables of the top layer, or those of another number of tasks.
    """
    top = architecture.layers[-1]
    tasks = sorted(architecture.tasks)
    outputs = {
        "fc_top_classification": [top.name],
        "multi_fc_top_classification": [f"{top.name}_{number}" for number in range(len(tasks))],
    }.get(top.layer_type)
    if outputs is None:
        return architecture
    there = [name for name in variables if re.fullmatch(rf"{SCOPE}/{re.escape(top.name)}(_\d+)?/kernel", name)]
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


@dataclass(frozen=True, eq=False)
class _Global:
    """A function or class that a pickle names."""

    module: str
    name: str


@dataclass(eq=False, repr=False)
class _Partial:
    """A call that a pickle prepares by ``functools.partial``, with its arguments."""

    keywords: Mapping


@dataclass(eq=False, repr=False)
class _Dtype:
    """A NumPy dtype."""

    code: str
    is_big_endian: bool = False


class _Inert:
    """What a call of any other known function stands for."""


def _read_pickle(path: Path):
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_PICKLE + 1)
    except OSError as error:
        raise CheckpointError(_cannot_read(path, error)) from error
    except ValueError as error:  # A null character in the path.
        raise CheckpointError(f"{shown(str(path))} is no path ({error}); check it.") from error
    if len(data) > LARGEST_PICKLE:
        raise CheckpointError(
            f"{path} has more than {LARGEST_PICKLE} bytes, a pickle of the release has some thousand."
        )
    try:
        return _Interpreter().run(data)
    except _ForbiddenError as error:
        raise CheckpointError(
            f"{path} {error}, which no pickle of the release does, so it is damaged or made to do harm; nothing of it "
            "was executed, do not load it in another way."
        ) from error
    except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{path} is no pickle, or a damaged or unknown one ({shown(error)}); fetch or copy it again."
        ) from error


class _ForbiddenError(Exception):
    """A pickle asks for what could do harm."""


class _Interpreter:
    """Runs the instructions of a pickle that make plain data.

    Every instruction takes a bounded time and no more memory than its own bytes, and no value is ever compared,
    hashed or shown as a whole, since a few bytes can stand for lists a million deep or for billions of items.
    """

    def __init__(self):
        self._stack, self._outer_stacks, self._memo = [], [], {}

    def run(self, data: bytes):
        """Return what the pickle stands for."""
        instructions = pickletools.genops(io.BytesIO(data))
        for opcode, argument, _ in itertools.islice(instructions, MOST_INSTRUCTIONS):
            if opcode.name == "STOP":
                return self._stack.pop()
            if opcode.name not in _INSTRUCTIONS:
                raise _ForbiddenError(f"has the instruction {opcode.name}")
            _INSTRUCTIONS[opcode.name](self, argument)
        raise ValueError(f"it has no end within {MOST_INSTRUCTIONS} instructions")

    def push(self, value) -> None:
        self._stack.append(value)

    def mark(self, _) -> None:
        self._outer_stacks.append(self._stack)
        self._stack = []

    def since_mark(self) -> list:
        items, self._stack = self._stack, self._outer_stacks.pop()
        return items

    def since_mark_as(self, kind: Callable) -> None:
        self.push(kind(self.since_mark()))

    def last_as_tuple(self, count: int) -> None:
        items = [self._stack.pop() for _ in range(count)]
        self.push(tuple(reversed(items)))

    def pop(self, _) -> None:
        self._stack.pop()

    def append(self, items: list) -> None:
        if not isinstance(self._stack[-1], list):
            raise TypeError("it appends to what is no list")
        self._stack[-1].extend(items)

    def set_items(self, items: list) -> None:
        if not isinstance(self._stack[-1], dict):
            raise TypeError("it sets items of what is no dict")
        self._stack[-1].update(_pairs(items))

    def put(self, number) -> None:
        self._memo[len(self._memo) if number is None else number] = self._stack[-1]

    def get(self, number) -> None:
        self.push(self._memo[number])

    def find_global(self, module, name) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise TypeError("it names a function by what is no text")
        if not any(re.fullmatch(modules, module) and re.fullmatch(names, name) for modules, names in KNOWN_GLOBALS):
            raise _ForbiddenError(f"names the function {shown(f'{module}.{name}')}")
        self.push(_Global(module, name))

    def find_global_of_stack(self, _) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        self.find_global(module, name)

    def call(self, _) -> None:
        arguments, called = self._stack.pop(), self._stack.pop()
        if not isinstance(called, _Global) or not isinstance(arguments, tuple):
            raise TypeError("it calls what is no function")
        self.push(_stand_in(called, arguments))

    def build(self, _) -> None:
        state, built = self._stack.pop(), self._stack[-1]
        if isinstance(built, _Partial):
            _, _, keywords, _ = state
            if not isinstance(keywords, dict):
                raise TypeError("a partial has no keywords")
            built.keywords = keywords
        elif isinstance(built, _Dtype):
            built.is_big_endian = isinstance(state[1], str) and state[1] == ">"
        elif not isinstance(built, _Inert):
            raise TypeError("it gives a state to what has none")


def _pairs(items: list) -> dict:
    keys, values = items[::2], items[1::2]
    if len(keys) != len(values) or not all(isinstance(key, str | int) for key in keys):
        raise TypeError("a dict has keys that are neither text nor whole numbers")
    return dict(zip(keys, values, strict=True))


def _stand_in(called: _Global, arguments: tuple):
    """Return what stands for the result of a call."""
    if (called.module, called.name) == ("functools", "partial"):
        return _Partial({})
    if called.module == "collections" and not arguments:
        return {}
    if called.name == "dtype" and isinstance(arguments[0], str):
        return _Dtype(arguments[0])
    if called.name == "scalar" and isinstance(arguments[0], _Dtype) and isinstance(arguments[1], bytes):
        return _whole_number(*arguments[:2])
    return _Inert()


def _whole_number(dtype: _Dtype, value: bytes) -> int:
    if not re.fullmatch("[iu][1248]", dtype.code) or len(value) != int(dtype.code[1]):
        raise TypeError("a NumPy number is no whole number")
    return int.from_bytes(value, "big" if dtype.is_big_endian else "little", signed=dtype.code[0] == "i")


def _literals(*names: str) -> dict[str, Callable]:
    return dict.fromkeys(names, _Interpreter.push)


#: What each instruction does, from the interpreter and the instruction's argument.
_INSTRUCTIONS: dict[str, Callable] = {
    **_literals("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    **_literals("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    **_literals("STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
    **dict.fromkeys(("PROTO", "FRAME"), lambda machine, _: None),
    "NONE": lambda machine, _: machine.push(None),
    "NEWTRUE": lambda machine, _: machine.push(True),
    "NEWFALSE": lambda machine, _: machine.push(False),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    "EMPTY_TUPLE": lambda machine, _: machine.push(()),
    "MARK": _Interpreter.mark,
    "LIST": lambda machine, _: machine.since_mark_as(list),
    "TUPLE": lambda machine, _: machine.since_mark_as(tuple),
    "DICT": lambda machine, _: machine.since_mark_as(_pairs),
    "TUPLE1": lambda machine, _: machine.last_as_tuple(1),
    "TUPLE2": lambda machine, _: machine.last_as_tuple(2),
    "TUPLE3": lambda machine, _: machine.last_as_tuple(3),
    "POP": _Interpreter.pop,
    "POP_MARK": lambda machine, _: machine.since_mark(),
    "APPEND": lambda machine, _: machine.append([machine._stack.pop()]),
    "APPENDS": lambda machine, _: machine.append(machine.since_mark()),
    "SETITEM": lambda machine, _: machine.set_items(list(reversed([machine._stack.pop() for _ in range(2)]))),
    "SETITEMS": lambda machine, _: machine.set_items(machine.since_mark()),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), _Interpreter.put),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _Interpreter.get),
    "GLOBAL": lambda machine, argument: machine.find_global(*argument.split(" ", 1)),
    "STACK_GLOBAL": _Interpreter.find_global_of_stack,
    **dict.fromkeys(("REDUCE", "NEWOBJ"), _Interpreter.call),
    "BUILD": _Interpreter.build,
}
