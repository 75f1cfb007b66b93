"""The ranks of a layer's activations to many stimuli, kept on disk, and their dot products."""

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from tfmetamers.errors import ResultError

#: The largest number of units whose products are added up at once.
MAX_CHUNK = 4096

#: Whole numbers up to this are exact in double precision.
EXACT = 2**53


def rank_bytes(units: int) -> int:
    """Return the bytes that a stimulus's ranks take: single precision holds them exactly up to 16.7 million units."""
    return units * _type(units).itemsize


def _type(units: int) -> np.dtype:
    return np.dtype(np.float32 if units <= 2**24 else np.float64)


class RankTable:
    """Centred ranks (`tfmetamers.metrics.centred_ranks`) in a file, one row for each stimulus.

    Each row is followed by the SHA-256 of the row and of what its ranks depend on, so that the file survives an
    interruption at any moment: a row that was cut short, is damaged, or depends on something else is not used.
    """

    def __init__(self, file: Path, units: int, origins: Sequence[str]):
        """Open the file, or make an empty one.

        Args:
            file: where rows are kept.
            units: number of units of the layer.
            origins: for each row, what its ranks depend on.

        Raises:
            ResultError: the file cannot be opened; `write`, `holds` and `products` raise it for their own failures.
        """
        self.rows, self.units = len(origins), units
        self._file = file
        self._origins = origins
        self._type = _type(units)
        with self._failures_named():
            file.touch()
            self._stream = file.open("r+b", buffering=0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stream.close()

    def remove(self) -> None:
        """Close the file and delete it."""
        self._stream.close()
        self._file.unlink(missing_ok=True)

    def write(self, row: int, ranks: np.ndarray) -> None:
        """Keep the ranks of one stimulus."""
        values = ranks.astype(self._type)
        with self._failures_named():
            self._stream.seek(self._start(row))
            for part in (memoryview(values).cast("B"), memoryview(self._digest(row, values))):
                while part:
                    part = part[self._stream.write(part) :]

    def holds(self, row: int) -> bool:
        """Tell whether the ranks of one stimulus were kept and are whole."""
        values, digest = np.empty(self.units, self._type), bytearray(hashlib.sha256().digest_size)
        with self._failures_named():
            self._stream.seek(self._start(row))
            is_whole = self._stream.readinto(memoryview(values).cast("B")) == values.nbytes
            self._stream.readinto(digest)
        return is_whole and digest == self._digest(row, values)

    def products(self, slab_bytes: int) -> np.ndarray:
        """Return the dot product of every two rows, float64 (rows, rows).

        Ranks are whole numbers: sums over a chunk of units are exact, in whatever order they are added, and chunks are
        added one after another. So the products do not depend on the machine, the number of rows, or the memory given.

        Args:
            slab_bytes: roughly the memory to read units into; at least a chunk of units is read.
        """
        chunk = int(np.clip(EXACT // self.units**2, 1, MAX_CHUNK))
        width = chunk * max(1, slab_bytes // (self.rows * chunk * (8 + self._type.itemsize)))
        total = np.zeros((self.rows, self.rows))
        for start in range(0, self.units, width):
            slab = self._read(start, min(start + width, self.units))
            for first in range(0, slab.shape[1], chunk):
                part = slab[:, first : first + chunk]
                total += part @ part.T
        return total

    def _read(self, start: int, stop: int) -> np.ndarray:
        slab = np.empty((self.rows, stop - start), self._type)
        with self._failures_named():
            for row, values in enumerate(slab):
                self._stream.seek(self._start(row) + start * self._type.itemsize)
                if self._stream.readinto(memoryview(values).cast("B")) != values.nbytes:
                    raise OSError("it is shorter than what was written to it")
        return slab.astype(np.float64)

    def _start(self, row: int) -> int:
        return row * (rank_bytes(self.units) + hashlib.sha256().digest_size)

    def _digest(self, row: int, values: np.ndarray) -> bytes:
        digest = hashlib.sha256(hashlib.sha256(self._origins[row].encode()).digest())
        digest.update(values)
        return digest.digest()

    @contextlib.contextmanager
    def _failures_named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            size = self.rows * rank_bytes(self.units) / 1e9
            raise ResultError(
                f"{size:.1f} GB of ranks cannot be kept in {self._file}: {error.strerror or error}. Make room there "
                "and run the command again, which continues from here, or give an --output on another disk."
            ) from error


def correlations(products: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return Spearman's coefficients of pairs from the dot products of ranks.

    Args:
        products: float64 (rows, rows), as `RankTable.products` gives them.
        pairs: int (pairs, 2), rows.

    Returns:
        float64 (pairs,), NaN where the activations of either are constant.
    """
    norms = np.sqrt(np.diag(products))
    first, second = pairs.T
    scales = norms[first] * norms[second]
    coefficients = np.full(len(pairs), np.nan)
    np.divide(products[first, second], scales, out=coefficients, where=scales > 0)
    return np.clip(coefficients, -1, 1)
