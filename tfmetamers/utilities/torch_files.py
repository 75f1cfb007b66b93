"""Tensors by name, as PyTorch saved them before version 1.6, read without executing the pickles they are saved with.

Such a file (``torch.save`` of a ``state_dict``, often ``.pth``) holds five pickles, which are a magic number, the
version of the format, facts about the machine, the tensors' names, shapes and strides, and the keys of the storages;
behind them lie the storages in the order of these keys, each as its length, eight bytes, and its numbers
(``torch/serialization.py``, ``_legacy_save``).
"""

import io
import math
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfmetamers.errors import TfmetamersError
from tfmetamers.utilities.pickles import DamagedError, Global, Interpreter, memory_for, read_bytes, refusals

#: What the first two pickles are.
_MAGIC_NUMBER, _VERSION = 0x1950A86A20F9469CFC6C, 1001

_DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}

_KNOWN_GLOBALS = (("collections", "OrderedDict"), ("torch", "|".join(_DTYPES)), ("torch._utils", "_rebuild_tensor_v2"))


def read_state_dict(path: Path, *, max_bytes: int, error_type: type[TfmetamersError]) -> dict[str, np.ndarray]:
    """Return the tensors of a file that PyTorch saved before version 1.6.

    Args:
        path: the file.
        max_bytes: the maximum size of the file.
        error_type: the type of error to raise where it cannot be read.

    Returns:
        Arrays of float32 or int64 by name.

    Raises:
        TfmetamersError: the file is missing, too large or damaged, was written in another format, or names functions
            that no tensor needs. The error has the given type.
    """
    data = read_bytes(path, max_bytes, error_type)
    with refusals(path, error_type):
        stream = io.BytesIO(data)
        magic_number, version, machine, tensors, keys = (
            _Interpreter(_KNOWN_GLOBALS, max_instructions=10**6, memory=memory_for(data)).run(stream) for _ in range(5)
        )
        is_little_endian = isinstance(machine, dict) and machine.get("little_endian") is True
        if (magic_number, version) != (_MAGIC_NUMBER, _VERSION) or not is_little_endian:
            raise DamagedError("it does not begin as PyTorch's files before version 1.6 do")
        if not isinstance(tensors, dict) or not all(isinstance(tensor, _Tensor) for tensor in tensors.values()):
            raise DamagedError("its values are not tensors by name")
        storages = _read_storages(stream, keys, {tensor.storage.key: tensor.storage for tensor in tensors.values()})
        return {str(name): tensor.array(storages[tensor.storage.key]) for name, tensor in tensors.items()}


@dataclass(frozen=True)
class _Storage:
    """Numbers that tensors share, which lie behind the pickles."""

    key: str
    dtype: np.dtype


@dataclass(frozen=True)
class _Tensor:
    """Which numbers of a storage a tensor has: where the first one is, and how far apart they are, along each axis."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self, numbers: np.ndarray) -> np.ndarray:
        """Return the tensor, of the numbers of its storage."""
        lengths = (self.offset, *self.shape, *self.strides)
        if not all(type(length) is int and length >= 0 for length in lengths) or len(self.shape) != len(self.strides):
            raise DamagedError("a tensor has a shape or strides that are not whole numbers from 0")
        last = self.offset + sum((side - 1) * stride for side, stride in zip(self.shape, self.strides, strict=True))
        if math.prod(self.shape) > len(numbers) or not 0 <= last < len(numbers):
            raise DamagedError("a tensor has more numbers than its storage")
        strides = [stride * numbers.itemsize for stride in self.strides]
        view = np.lib.stride_tricks.as_strided(numbers[self.offset :], self.shape, strides, writeable=False)
        return view.copy()


class _Interpreter(Interpreter):
    """Knows what PyTorch's pickles name, beside plain data."""

    def find_persistent(self, identifier):
        kind, storage, key, *_ = identifier
        if kind != "storage" or not isinstance(storage, Global) or not isinstance(key, str):
            raise DamagedError("it refers to something that is not a storage")
        return _Storage(key, _DTYPES[storage.name])

    def stand_in(self, called, arguments):
        if called.name != "_rebuild_tensor_v2":
            return super().stand_in(called, arguments)
        storage, offset, shape, strides, *_ = arguments
        if not isinstance(storage, _Storage) or not isinstance(shape, tuple) or not isinstance(strides, tuple):
            raise DamagedError("a tensor has no storage, shape or strides")
        return _Tensor(storage, offset, shape, strides)

    def build(self, argument):
        if not isinstance(self._stack[-2], dict):
            return super().build(argument)
        self._stack.pop()  # The versions of a model's modules, which a dictionary has as its attribute.


def _read_storages(stream: io.BytesIO, keys, storages: dict[str, _Storage]) -> dict[str, np.ndarray]:
    """Return the numbers of each storage by its key."""
    is_list = isinstance(keys, list) and all(isinstance(key, str) for key in keys)
    if not is_list or sorted(keys) != sorted(storages):
        raise DamagedError("it has other storages than its tensors need")
    found = {}
    for key in keys:
        size = int.from_bytes(stream.read(8), "little") * storages[key].dtype.itemsize
        numbers = stream.read(min(size, sys.maxsize))
        if len(numbers) != size:
            raise DamagedError("a storage is cut short")
        found[key] = np.frombuffer(numbers, storages[key].dtype)
    return found
