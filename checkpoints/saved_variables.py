"""The variables of a checkpoint's files, read with bounds: of the old format, one file (V1), and of the new (V2)."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfmetamers.checkpoints.messages import Value, read_fields, read_varint, read_varints, signed
from tfmetamers.checkpoints.tables import SNAPPY_RATIO, Table, masked_checksum
from tfmetamers.utilities.regular_files import open_regular, regular_status

#: The types that variables can have, by TensorFlow's numbers (``types.proto``).
DTYPES = {
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    5: "int16",
    6: "int8",
    7: "string",
    8: "complex64",
    9: "int64",
    10: "bool",
    14: "bfloat16",
    17: "uint16",
    18: "complex128",
    19: "float16",
    22: "uint32",
    23: "uint64",
}

#: The types whose values are not read here.
_WITHOUT_NUMBERS = ("string", "bfloat16")

#: In a V1 file, the fields of a tensor that hold its values (``tensor.proto``), and as what.
_FLOATS = {"float32": (5, "<f4"), "float64": (6, "<f8")}
_WHOLE = {**dict.fromkeys(("int32", "int16", "int8", "uint8", "uint16"), 7), "int64": 10, "bool": 11}


@dataclass(frozen=True)
class _Entry:
    """A variable: its type and shape; in a V2 checkpoint, also where its bytes are, and their checksum."""

    dtype: str
    shape: tuple[int, ...]
    shard: int = 0
    offset: int = 0
    size: int = 0
    checksum: int = 0


class SavedVariables(ABC):
    """The variables of a checkpoint.

    Attributes:
        variables: shape and dtype of every variable, by name.
    """

    _entries: Mapping[str, _Entry]

    @property
    def variables(self) -> dict[str, tuple[tuple[int, ...], str]]:
        """Shape and dtype of every variable, by name."""
        return {name: (entry.shape, entry.dtype) for name, entry in sorted(self._entries.items())}

    def read(self, name: str) -> np.ndarray:
        """Return the value of a variable.

        Raises:
            KeyError: there is no such variable.
            OSError: a file cannot be read.
            ValueError: its bytes are missing or damaged, or are not numbers.
        """
        entry = self._entries[name]
        if entry.dtype in _WITHOUT_NUMBERS:
            raise ValueError(f"its type is {entry.dtype}")
        return self._numbers(name, entry).reshape(entry.shape)

    @abstractmethod
    def _numbers(self, name: str, entry: _Entry) -> np.ndarray:
        """Return as many numbers as the shape has, in one axis."""


class BundledVariables(SavedVariables):
    """The variables of a V2 checkpoint (``tensor_bundle.proto``).

    Raises:
        OSError: a file cannot be read.
        ValueError: the index is damaged, or says what the shards do not hold.
    """

    def __init__(self, index: Path, shards: Sequence[Path]):
        self._shards = shards
        sizes = [regular_status(shard).st_size for shard in shards]
        items = Table(index).items()
        key, header = next(items, (None, memoryview(b"")))
        found = read_fields(header)
        if key != b"" or _number(found, 1) != len(shards) or _number(found, 2) != 0:
            raise ValueError("its index has no header, or one for another number of shards or byte order")
        self._entries = {_name(key): _bundle_entry(read_fields(value), sizes) for key, value in items}

    def check_texts(self) -> None:
        """Refuse variables of text whose lengths do not fit their bytes."""
        for name, entry in self._entries.items():
            if entry.dtype == "string":
                lengths, place = 0, 0
                data = memoryview(self._bytes(entry))
                for _ in range(math.prod(entry.shape)):
                    length, place = read_varint(data, place)
                    lengths += length
                if place + 4 + lengths != len(data):
                    raise ValueError(f"the lengths of the texts in {name} do not match its size")

    def _numbers(self, name, entry):
        data = self._bytes(entry)
        if masked_checksum(data) != entry.checksum:
            raise ValueError("its checksum does not match")
        return _fixed([data], np.dtype(entry.dtype).newbyteorder("<"))

    def _bytes(self, entry: _Entry) -> bytearray:
        data = bytearray(entry.size)
        with open_regular(self._shards[entry.shard]) as stream:
            stream.seek(entry.offset)
            if stream.readinto(data) != entry.size:
                raise ValueError("it is cut short")
        return data


class SlicedVariables(SavedVariables):
    """The variables of a V1 checkpoint (``saved_tensor_slice.proto``), each of which is one slice: the whole.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is damaged.
    """

    def __init__(self, path: Path):
        self._table = Table(path)
        size = regular_status(path).st_size
        (meta,) = _messages(read_fields(self._table.get(b"")), 1)
        self._entries = {}
        for tensor in _messages(read_fields(meta), 1):
            found = read_fields(tensor)
            entry = _Entry(_dtype(found, 3), _shape(found, 2))
            if math.prod(entry.shape) > SNAPPY_RATIO * size:  # A number takes a byte at least.
                raise ValueError("a variable is larger than the file can hold")
            self._entries[_text(found, 1)] = entry

    def _numbers(self, name, entry):
        try:
            saved = self._table.get(_slice_key(name, len(entry.shape)))
        except KeyError:
            raise ValueError("it is saved in parts, or missing") from None
        (data,) = _messages(read_fields(saved), 2)
        (tensor,) = _messages(read_fields(data), 3)
        found, count = read_fields(tensor), math.prod(entry.shape)
        if entry.dtype in _FLOATS:
            field, dtype = _FLOATS[entry.dtype]
            numbers = _fixed(_messages(found, field), dtype).astype(entry.dtype)
        elif entry.dtype in _WHOLE:
            packed = found.get(_WHOLE[entry.dtype], [])
            whole = [number for each in packed for number in _whole_numbers(each, count)]
            numbers = np.array(whole, np.int64).astype(entry.dtype)
        else:
            raise ValueError(f"its type is {entry.dtype}, which V1 checkpoints do not hold")
        if len(numbers) != count:
            raise ValueError(f"it has {len(numbers)} numbers, but its shape needs {count}")
        return numbers


def _name(key: bytes) -> str:
    if key.startswith(b"\0"):
        raise ValueError("a variable is saved in parts")
    return key.decode()


def _bundle_entry(found: Mapping[int, list[Value]], sizes: Sequence[int]) -> _Entry:
    shard, offset, size = (_number(found, field) for field in (3, 4, 5))
    checksum = int.from_bytes(next(iter(_messages(found, 6)), b""), "little")
    entry = _Entry(_dtype(found, 1), _shape(found, 2), shard, offset, size, checksum)
    if shard >= len(sizes) or offset + size > sizes[shard]:
        raise ValueError("a variable is beyond the end of its shard")
    width = {"string": None, "bfloat16": 2}.get(entry.dtype, 0)
    width = np.dtype(entry.dtype).itemsize if width == 0 else width
    count = math.prod(entry.shape)
    if (count > size) if width is None else (count * width != size):
        raise ValueError("a variable's number of bytes does not match its shape")
    return entry


def _slice_key(name: str, rank: int) -> bytes:
    """Return the key under which a whole variable is kept (``EncodeTensorNameSlice``, in an order-preserving code)."""
    escaped = name.encode().replace(b"\xff", b"\xff\x00").replace(b"\x00", b"\x00\xff")
    dimensions = bytes([1, rank]) if rank else b"\0"
    return b"\0" + escaped + b"\0\1" + dimensions + b"\x80\x7f" * rank


def _fixed(parts: Sequence[memoryview | bytearray], dtype: str | np.dtype) -> np.ndarray:
    """Return numbers of fixed size; those of one part are not copied."""
    data = parts[0] if len(parts) == 1 else b"".join(parts)
    return np.frombuffer(data, dtype) if len(data) else np.empty(0, dtype)


def _whole_numbers(value: Value, count: int) -> list[int]:
    return [signed(value)] if isinstance(value, int) else read_varints(value, count)


def _number(found: Mapping[int, list[Value]], field: int) -> int:
    """Return the value of a field of a whole number, 0 where it is left out."""
    value = found.get(field, [0])[-1]
    if not isinstance(value, int):
        raise ValueError("a field is of another kind")
    return value


def _messages(found: Mapping[int, list[Value]], field: int) -> list[memoryview]:
    values = found.get(field, [])
    if any(isinstance(value, int) for value in values):
        raise ValueError("a field is of another kind")
    return values


def _text(found: Mapping[int, list[Value]], field: int) -> str:
    return bytes(b"".join(_messages(found, field)[-1:])).decode()


def _dtype(found: Mapping[int, list[Value]], field: int) -> str:
    number = _number(found, field)
    number -= 100 if number > 100 else 0  # The type of a reference to a variable.
    if number not in DTYPES:
        raise ValueError(f"a variable has the unknown type {number}")
    return DTYPES[number]


def _shape(found: Mapping[int, list[Value]], field: int) -> tuple[int, ...]:
    shape = ()
    for message in _messages(found, field)[-1:]:
        fields = read_fields(message)
        shape = tuple(signed(_number(read_fields(each), 1)) for each in _messages(fields, 2))
        if _number(fields, 3) or any(length < 0 for length in shape) or len(shape) > 254:
            raise ValueError("a variable has an impossible shape")
    return shape
