"""Tables of sorted keys and values, as LevelDB and TensorFlow write them: V1 checkpoints, and the indexes of V2 ones.

TensorFlow's own reader trusts what it reads, and ends the process if that is wrong. Here every length and every
checksum is checked.

A table is a number of blocks and a footer. Each block is followed by how it is compressed and by its checksum; the last
block is the index, which says where the others are.
"""

import bisect
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import google_crc32c

from tfmetamers.checkpoints.messages import read_varint
from tfmetamers.utilities.regular_files import open_regular

#: The last bytes of every table.
MAGIC = bytes.fromhex("57fb808b247547db")

_FOOTER, _TRAILER = 48, 5

#: Bytes whose checksum is computed at a time, of which a copy is made.
_PART = 2**20

#: What LevelDB adds to a checksum that is kept beside its data.
_MASK = 0xA282EAD8

#: Snappy makes at most this many bytes of one: three stand for 64.
SNAPPY_RATIO = 22


class _Place(NamedTuple):
    """Where a block is in the file: no key in it is above `last`."""

    last: bytes
    offset: int
    size: int


class Table:
    """A table in a file.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not a table, or is damaged; so do the methods.
    """

    def __init__(self, path: Path):
        self._path = path
        with open_regular(path) as stream:
            self._size = os.fstat(stream.fileno()).st_size
            if self._size < _FOOTER:
                raise ValueError("it is too short for a table")
            stream.seek(-_FOOTER, os.SEEK_END)
            footer = memoryview(stream.read(_FOOTER))
        if footer[-len(MAGIC) :] != MAGIC:
            raise ValueError("it does not end as a table does")
        place = 0
        for _ in range(3):  # The first two numbers say where a block without use is.
            offset, place = read_varint(footer, place)
        index = self._block(offset, read_varint(footer, place)[0])
        self._places = [_Place(key, *_handle(value)) for key, value in _entries(index)]

    def get(self, key: bytes) -> memoryview:
        """Return the value of a key.

        Raises:
            KeyError: there is none.
        """
        number = bisect.bisect_left(self._places, key, key=lambda place: place.last)
        for place in self._places[number : number + 1]:
            for found, value in _entries(self._block(place.offset, place.size)):
                if found == key:
                    return value
        raise KeyError(key)

    def items(self) -> Iterator[tuple[bytes, memoryview]]:
        """Yield every key and its value."""
        for place in self._places:
            yield from _entries(self._block(place.offset, place.size))

    def _block(self, offset: int, size: int) -> memoryview:
        """Return the content of a block."""
        if offset + size + _TRAILER > self._size - _FOOTER:
            raise ValueError("a block is beyond the end")
        with open_regular(self._path) as stream:
            stream.seek(offset)
            data = stream.read(size + _TRAILER)
        if len(data) < size + _TRAILER:
            raise ValueError("a block is cut short")
        content = memoryview(data)[: size + 1]
        if masked_checksum(content) != int.from_bytes(data[size + 1 :], "little"):
            raise ValueError("a block's checksum does not match")
        kind = content[size]
        if kind not in (0, 1):
            raise ValueError(f"a block is compressed in an unknown way ({kind})")
        return content[:size] if kind == 0 else memoryview(_uncompressed(content[:size]))


def masked_checksum(data: memoryview | bytearray) -> int:
    """Return the CRC-32C of bytes as LevelDB keeps it."""
    checksum, view = 0, memoryview(data)
    for start in range(0, len(view), _PART):
        checksum = google_crc32c.extend(checksum, bytes(view[start : start + _PART]))
    return ((checksum >> 15 | checksum << 17) + _MASK) & 0xFFFFFFFF


def _handle(value: memoryview) -> tuple[int, int]:
    offset, place = read_varint(value, 0)
    return offset, read_varint(value, place)[0]


def _entries(block: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yield the keys and values of a block; each key has its first bytes in common with that before it."""
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 * (restarts + 1)
    if end < 0:
        raise ValueError("a block is shorter than stated")
    place, key = 0, b""
    while place < end:
        shared, place = read_varint(block, place)
        further, place = read_varint(block, place)
        size, place = read_varint(block, place)
        if shared > len(key) or place + further + size > end:
            raise ValueError("an entry of a block is beyond its end")
        key = key[:shared] + bytes(block[place : place + further])
        place += further
        yield key, block[place : place + size]
        place += size


def _uncompressed(data: memoryview) -> bytearray:
    """Return what Snappy compressed: literal bytes, and copies of what came before."""
    length, place = read_varint(data, 0)
    if length > SNAPPY_RATIO * len(data):
        raise ValueError("a compressed block states an impossible size")
    found = bytearray()
    while place < len(data):
        tag = data[place]
        kind, further = tag & 3, tag >> 2
        place += 1
        if kind == 0:
            width = max(further - 59, 0)
            size = 1 + (int.from_bytes(data[place : place + width], "little") if width else further)
            place += width
            found += data[place : place + size]
            place += size
            continue
        width = {1: 1, 2: 2, 3: 4}[kind]
        distance = int.from_bytes(data[place : place + width], "little")
        place += width
        size = further + 1
        if kind == 1:
            distance, size = distance | (tag >> 5) << 8, (further & 7) + 4
        if not 0 < distance <= len(found):
            raise ValueError("a compressed block is damaged")
        repeated = found[-distance : len(found) - distance + size] if distance >= size else found[-distance:]
        found += (repeated * (size // len(repeated) + 1))[:size]
    if len(found) != length:
        raise ValueError("a compressed block is damaged")
    return found
