"""Other people's pickles, read without executing them.

A pickle is a program that can run anything. Here it is run by an interpreter that knows only the instructions that make
plain data, calls nothing, imports nothing, and lets inert objects stand for the functions that the pickle names.
"""

import contextlib
import io
import math
import pickletools
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from tfmetamers.errors import TfmetamersError, shown
from tfmetamers.utilities.regular_files import read_regular

#: What the values of a pickle may take in memory, in bytes, and how much more for each byte of it: a list of numbers
#: takes four times as many, an array as many, and numbers that are NumPy's a dozen times.
MEMORY, MEMORY_PER_BYTE, MAX_MEMORY = 2**26, 16, 2**31

#: What an entry of a list takes in memory, and a dict, its entry or a list, in bytes.
_ENTRY, _CONTAINER = 8, 104


@dataclass(frozen=True, eq=False)
class Global:
    """A function or class that a pickle names."""

    module: str
    name: str


@dataclass(eq=False, repr=False)
class Partial:
    """A call that a pickle prepares by ``functools.partial``, with its arguments."""

    keywords: Mapping


@dataclass(eq=False, repr=False)
class _Dtype:
    """A NumPy dtype."""

    code: str
    is_big_endian: bool = False


@dataclass(eq=False, repr=False)
class Array:
    """A NumPy array of numbers.

    Attributes:
        values: as they were.
    """

    values: np.ndarray | None = None


class _Inert:
    """Stands for the result of any other known function."""


def read_pickle(
    path: Path,
    known_globals: tuple[tuple[str, str], ...],
    *,
    max_bytes: int,
    max_instructions: int,
    error_type: type[TfmetamersError],
):
    """Return the value that a pickle of the authors' release stands for.

    Args:
        path: the file.
        known_globals: the functions that it may name: patterns of a module and of names in it, each matched as a whole.
        max_bytes: the maximum size of the file.
        max_instructions: the maximum number of instructions of the pickle.
        error_type: the type of error to raise where it cannot be read.

    Returns:
        Numbers, text, bytes, lists, tuples and dicts; `Array` for an array, `Partial` for ``functools.partial``, and
        other inert objects.

    Raises:
        TfmetamersError: the file is missing, too large, damaged or not a pickle, its values would take much more memory
            than its bytes, or it names unknown functions, which could do harm if it were loaded in the usual way. The
            error has the given type.
    """
    data = read_bytes(path, max_bytes, error_type)
    if data.lstrip()[:1] in (b"{", b"["):
        raise error_type(f"{path} looks like JSON, not a pickle; give a JSON file the ending .json.")
    with refusals(path, error_type):
        return Interpreter(known_globals, max_instructions, memory_for(data)).run(io.BytesIO(data))


def read_bytes(path: Path, max_bytes: int, error_type: type[TfmetamersError]) -> bytes:
    """Return the bytes of a file of at most a size.

    Raises:
        TfmetamersError: it is missing, too large or not a regular file. The error has the given type.
    """
    try:
        return read_regular(path, max_bytes)
    except OSError as error:
        raise error_type(f"{path} cannot be read: {error.strerror or error}; check the path.") from error


def memory_for(data: bytes) -> int:
    """Return what the values of a pickle of these bytes may take in memory, in bytes."""
    return min(MEMORY + MEMORY_PER_BYTE * len(data), MAX_MEMORY)


@contextlib.contextmanager
def refusals(path: Path, error_type: type[TfmetamersError]) -> Iterator[None]:
    """Say in one sentence why the pickle of a file was refused.

    Raises:
        TfmetamersError: an `Interpreter` has refused it. The error has the given type.
    """
    try:
        yield
    except ForbiddenError as error:
        raise error_type(
            f"{path} {error}, which no published file of its kind does, so it is damaged or malicious. Nothing in it "
            "was executed; do not load it in any other way."
        ) from error
    except DamagedError as error:
        raise error_type(
            f"{path} is damaged, or not a pickle of a known kind: {error}. Fetch or copy it again."
        ) from error


class ForbiddenError(Exception):
    """A pickle asks for something that could do harm."""


class DamagedError(Exception):
    """A pickle cannot be run; the message says why in plain words."""


def _instructions(stream: BinaryIO, maximum: int) -> Iterator[tuple[str, Any]]:
    """Yield the name and the argument of each instruction of the pickle that a stream is at.

    Raises:
        DamagedError: the bytes are not instructions, or there are more than `maximum`.
    """
    found = pickletools.genops(stream)
    for _ in range(maximum):
        try:
            opcode, argument, _ = next(found)
        except ValueError as error:
            raise DamagedError("some bytes are not instructions, or some are missing") from error
        yield opcode.name, argument
    raise DamagedError(f"it does not end within {maximum} instructions")


class Interpreter:
    """Runs the instructions of a pickle that make plain data.

    A subclass can say what else stands for the result of a call, or for a value that is kept outside the pickle.

    Every instruction takes bounded time, all values together take bounded memory, and no value is ever compared, hashed
    or shown as a whole, because a few bytes can stand for lists nested a million deep or for billions of items.
    """

    def __init__(self, known_globals: tuple[tuple[str, str], ...], max_instructions: int, memory: int):
        self._known_globals, self._max_instructions, self._memory = known_globals, max_instructions, memory
        self._stack, self._outer_stacks, self._memo = [], [], {}

    def run(self, stream: BinaryIO):
        """Return the value that the pickle stands for which a stream is at; the stream is behind it then.

        Raises:
            DamagedError: it is not a pickle, or its values would take too much memory.
            ForbiddenError: it names an unknown function, or has an instruction that no plain data need.
        """
        for name, argument in _instructions(stream, self._max_instructions):
            if name not in _INSTRUCTIONS and name != "STOP":
                raise ForbiddenError(f"has the instruction {name}")
            try:
                if name == "STOP":
                    return self._stack.pop()
                _INSTRUCTIONS[name](self, argument)
            except KeyError as error:
                raise DamagedError("it refers to a value that it did not keep") from error
            except (ValueError, IndexError, TypeError, AttributeError, OverflowError) as error:
                raise DamagedError(f"its instruction {name} does not fit the values that it takes") from error

    def charge(self, size: int) -> None:
        """Count the bytes of a value, of which none is ever counted back."""
        self._memory -= size
        if self._memory < 0:
            raise DamagedError("its values would take much more memory than its bytes")

    def push(self, value) -> None:
        self.charge(sys.getsizeof(value) + _ENTRY)
        self._stack.append(value)

    def push_again(self, value) -> None:
        self.charge(_ENTRY)
        self._stack.append(value)

    def mark(self, _) -> None:
        self.charge(_CONTAINER)
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
            raise DamagedError("it appends to something that is not a list")
        self.charge(len(items) * _ENTRY)
        self._stack[-1].extend(items)

    def set_items(self, items: list) -> None:
        if not isinstance(self._stack[-1], dict):
            raise DamagedError("it sets items of something that is not a dict")
        self.charge(len(items) * _CONTAINER)
        self._stack[-1].update(_pairs(items))

    def put(self, number) -> None:
        self.charge(_CONTAINER)
        self._memo[len(self._memo) if number is None else number] = self._stack[-1]

    def get(self, number) -> None:
        self.push_again(self._memo[number])

    def find_global(self, module, name) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise DamagedError("it names a function by something that is not text")
        known = self._known_globals
        if not any(re.fullmatch(modules, module) and re.fullmatch(names, name) for modules, names in known):
            raise ForbiddenError(f"names the function {shown(f'{module}.{name}')}")
        self.push(Global(module, name))

    def find_global_of_stack(self, _) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        self.find_global(module, name)

    def call(self, _) -> None:
        arguments, called = self._stack.pop(), self._stack.pop()
        if not isinstance(called, Global) or not isinstance(arguments, tuple):
            raise DamagedError("it calls something that is not a function")
        self.charge(sum(len(each) for each in arguments if isinstance(each, str | bytes | bytearray)))
        self.push(self.stand_in(called, arguments))

    def stand_in(self, called: Global, arguments: tuple):
        """Return what stands for the result of a call."""
        return _stand_in(called, arguments)

    def find_persistent(self, identifier):
        """Return what stands for a value that is kept outside the pickle."""
        raise ForbiddenError("has the instruction BINPERSID")

    def build(self, _) -> None:
        state, built = self._stack.pop(), self._stack[-1]
        if isinstance(built, Partial):
            _, _, keywords, _ = state
            if not isinstance(keywords, dict):
                raise DamagedError("a partial has no keywords")
            built.keywords = keywords
        elif isinstance(built, _Dtype):
            built.is_big_endian = isinstance(state[1], str) and state[1] == ">"
        elif isinstance(built, Array):
            shape, dtype, is_fortran, data = state[-4:]
            self.charge(len(data))  # Text, which Python 2 has for bytes, becomes bytes again each time.
            built.values = _array(data, dtype, shape, "F" if is_fortran is True else "C")
        elif not isinstance(built, _Inert):
            raise DamagedError("it gives a state to something that has none")


def _pairs(items: list) -> dict:
    keys, values = items[::2], items[1::2]
    if len(keys) != len(values) or not all(isinstance(key, str | int) for key in keys):
        raise DamagedError("a dict has keys that are neither text nor whole numbers")
    return dict(zip(keys, values, strict=True))


def _stand_in(called: Global, arguments: tuple):
    """Return what stands for the result of a call."""
    if (called.module, called.name) == ("functools", "partial"):
        return Partial({})
    if called.module == "collections" and not arguments:
        return {}
    if called.name == "dtype" and isinstance(arguments[0], str):
        return _Dtype(arguments[0])
    if called.name == "scalar" and isinstance(arguments[0], _Dtype) and isinstance(arguments[1], bytes):
        return _array(arguments[1], arguments[0], (), "C").item()
    if called.name == "_reconstruct":
        return Array()
    if called.name == "_frombuffer":
        return Array(_array(*arguments))
    if (called.module, called.name) == ("_codecs", "encode") and isinstance(arguments[0], str):
        return arguments[0].encode("latin-1")  # How protocols before 3 write bytes.
    return _Inert()


def _array(data: bytes | bytearray | str, dtype: _Dtype, shape: tuple[int, ...], order: str) -> np.ndarray:
    """Return the array of numbers that bytes stand for; Python 2 has text for bytes."""
    if isinstance(data, str):
        data = data.encode("latin-1")
    is_number = isinstance(dtype, _Dtype) and re.fullmatch("[iu][1248]|f[248]", dtype.code)
    is_shape = isinstance(shape, tuple) and len(shape) < 32 and all(type(length) is int for length in shape)
    if not is_number or not is_shape or min(shape, default=0) < 0 or not isinstance(data, bytes | bytearray):
        raise DamagedError("a NumPy array or number holds neither whole nor floating-point numbers")
    kind = np.dtype((">" if dtype.is_big_endian else "<") + dtype.code)
    if len(data) != math.prod(shape) * kind.itemsize:
        raise DamagedError("a NumPy array has another number of bytes than its shape says")
    return np.frombuffer(data, kind).reshape(shape, order="F" if order == "F" else "C")


def _literals(*names: str) -> dict[str, Callable]:
    return dict.fromkeys(names, Interpreter.push)


#: What each instruction does, from the interpreter and the instruction's argument.
_INSTRUCTIONS: dict[str, Callable] = {
    **_literals("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    **_literals("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    **_literals("STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
    **dict.fromkeys(("PROTO", "FRAME"), lambda machine, _: None),
    "NONE": lambda machine, _: machine.push(None),
    "NEWTRUE": lambda machine, _: machine.push(True),
    "NEWFALSE": lambda machine, _: machine.push(False),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    "EMPTY_TUPLE": lambda machine, _: machine.push(()),
    "MARK": Interpreter.mark,
    "LIST": lambda machine, _: machine.since_mark_as(list),
    "TUPLE": lambda machine, _: machine.since_mark_as(tuple),
    "DICT": lambda machine, _: machine.since_mark_as(_pairs),
    "TUPLE1": lambda machine, _: machine.last_as_tuple(1),
    "TUPLE2": lambda machine, _: machine.last_as_tuple(2),
    "TUPLE3": lambda machine, _: machine.last_as_tuple(3),
    "POP": Interpreter.pop,
    "POP_MARK": lambda machine, _: machine.since_mark(),
    "APPEND": lambda machine, _: machine.append([machine._stack.pop()]),
    "APPENDS": lambda machine, _: machine.append(machine.since_mark()),
    "SETITEM": lambda machine, _: machine.set_items(list(reversed([machine._stack.pop() for _ in range(2)]))),
    "SETITEMS": lambda machine, _: machine.set_items(machine.since_mark()),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), Interpreter.put),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), Interpreter.get),
    "GLOBAL": lambda machine, argument: machine.find_global(*argument.split(" ", 1)),
    "STACK_GLOBAL": Interpreter.find_global_of_stack,
    **dict.fromkeys(("REDUCE", "NEWOBJ"), Interpreter.call),
    "BUILD": lambda machine, argument: machine.build(argument),
    "BINPERSID": lambda machine, _: machine.push(machine.find_persistent(machine._stack.pop())),
}
