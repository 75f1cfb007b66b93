"""NumPy's files of arrays, read with bounds: nothing is allocated beyond what the file holds and what is expected.

NumPy itself allocates what a header claims, evaluates the header as Python, and inflates what an archive holds,
whatever its size.
"""

import errno
import io
import math
import os
import re
import zipfile
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from tfmetamers.utilities.regular_files import open_regular
from tfmetamers.utilities.zip_files import check_members, read_member

#: A header as NumPy has written it since its first version, and whole numbers as Python 2 wrote them.
_HEADER = re.compile(
    r"\{'descr': '(?P<dtype>[<>|=]?[biufcUS]\d{1,9})', 'fortran_order': (?P<fortran>True|False), "
    r"'shape': \((?P<shape>(?:\d{1,18}L?, ?){0,32}(?:\d{1,18}L?)?)\), \} *\n"
)

#: The longest header that is read, in bytes.
_MAX_HEADER = 2**14


@dataclass(frozen=True)
class ArrayHeader:
    """What a ``.npy`` file says of its array before the values.

    Attributes:
        shape: of the array.
        dtype: of its values: numbers, Booleans or text.
        is_fortran: whether the first axis varies fastest.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    is_fortran: bool

    @property
    def size(self) -> int:
        """The bytes of the values."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(path: str | os.PathLike) -> ArrayHeader:
    """Return what a ``.npy`` file says of its array, without reading the values.

    Raises:
        OSError: the file is missing, or not a regular file.
        ValueError: it is not a file of numbers, Booleans or text that NumPy wrote, or the values are cut short.
    """
    with open_regular(path) as stream:
        return _header(stream, os.fstat(stream.fileno()).st_size)


def read_array(path: str | os.PathLike, max_bytes: int) -> np.ndarray:
    """Return the array of a ``.npy`` file.

    Args:
        path: the file.
        max_bytes: the most that its values are expected to take.

    Raises:
        OSError: the file is missing, not a regular file, or its values take more.
        ValueError: as `read_header` does.
    """
    with open_regular(path) as stream:
        header = _header(stream, os.fstat(stream.fileno()).st_size)
        if header.size > max_bytes:
            reason = f"its values take {header.size:,} bytes, and at most {max_bytes:,} were expected"
            raise OSError(errno.EFBIG, reason, os.fspath(path))
        return _values(stream, header)


def read_archive(path: str | os.PathLike, max_bytes: int | None = None) -> dict[str, np.ndarray]:
    """Return the arrays of a ``.npz`` file by name.

    Args:
        path: the file.
        max_bytes: the most that its arrays are expected to take. By default, no more than the file itself has, as in
            archives that ``numpy.savez`` wrote, which are not compressed.

    Raises:
        OSError: the file is missing, or not a regular file.
        ValueError: it is damaged, not such an archive, or holds more.
    """
    with open_regular(path) as stream:
        allowed = os.fstat(stream.fileno()).st_size if max_bytes is None else max_bytes
        try:
            with zipfile.ZipFile(stream) as archive:
                check_members(archive, allowed)
                return {name.removesuffix(".npy"): _of_bytes(read_member(archive, name)) for name in archive.namelist()}
        except (OSError, ValueError):
            raise
        except Exception as error:  # The module raises whatever its parts raise.
            raise ValueError(str(error) or type(error).__name__) from error


def _of_bytes(content: bytes) -> np.ndarray:
    stream = io.BytesIO(content)
    return _values(stream, _header(stream, len(content)))


def _header(stream: BinaryIO, size: int) -> ArrayHeader:
    magic = stream.read(8)
    if magic[:6] != b"\x93NUMPY" or magic[6:] not in (b"\1\0", b"\2\0", b"\3\0"):
        raise ValueError("it is not an array that NumPy wrote")
    length = int.from_bytes(stream.read(2 if magic[6] == 1 else 4), "little")
    if length > _MAX_HEADER:
        raise ValueError("its header is too long")
    found = _HEADER.fullmatch(stream.read(length).decode("latin-1"))
    if not found:
        raise ValueError("its header is damaged, or not that of an array of numbers or text")
    try:
        dtype = np.dtype(found["dtype"])
    except TypeError as error:
        raise ValueError(f"its type {found['dtype']!r} is not known") from error
    shape = tuple(map(int, re.findall(r"\d+", found["shape"])))
    header = ArrayHeader(shape, dtype, found["fortran"] == "True")
    if header.size != size - stream.tell():
        raise ValueError(f"its header stands for {header.size:,} bytes, and {size - stream.tell():,} follow")
    return header


def _values(stream: BinaryIO, header: ArrayHeader) -> np.ndarray:
    order = "F" if header.is_fortran else "C"
    if not header.size:
        return np.empty(header.shape, header.dtype, order)
    data = bytearray(header.size)
    if stream.readinto(data) != header.size:
        raise ValueError("it is cut short")
    return np.frombuffer(data, header.dtype).reshape(header.shape, order=order)
