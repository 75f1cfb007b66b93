"""The ranks of a layer's activations to many stimuli, in memory or on disk, and their dot products."""

from pathlib import Path

import numpy as np

#: The most units whose products are added up at once.
LONGEST_CHUNK = 4096

#: Whole numbers up to this are exact in double precision.
EXACT = 2**53


def rank_bytes(units: int) -> int:
    """Return the bytes that a stimulus's ranks take: single precision holds them exactly up to 16.7 million units."""
    return units * _type(units).itemsize


def _type(units: int) -> np.dtype:
    return np.dtype(np.float32 if units <= 2**24 else np.float64)


class RankTable:
    """Centred ranks (`tfmetamers.evaluation.correlation.centred_ranks`), one row a stimulus."""

    def __init__(self, rows: int, units: int, file: Path | None = None):
        """Make an empty table.

        Args:
            rows: number of stimuli.
            units: number of units of the layer.
            file: where rows are kept; in memory by default.
        """
        self.rows, self.units = rows, units
        self._type = _type(units)
        self._file = file
        self._memory = None if file else np.empty((rows, units), self._type)
        self._stream = file.open("w+b", buffering=0) if file else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._memory = None
        if self._file:
            self._stream.close()
            self._file.unlink(missing_ok=True)

    def write(self, row: int, ranks: np.ndarray) -> None:
        """Keep the ranks of one stimulus."""
        if self._file is None:
            self._memory[row] = ranks
            return
        data = memoryview(ranks.astype(self._type)).cast("B")
        self._stream.seek(row * rank_bytes(self.units))
        while data:
            data = data[self._stream.write(data) :]

    def products(self, slab_bytes: int) -> np.ndarray:
        """Return the dot product of every two rows, float64 (rows, rows).

        Ranks are whole numbers: sums over a chunk of units are exact, whatever order they are added in, and chunks
        are added one after another. So the products do not depend on the machine, on the number of rows, or on the
        memory given.

        Args:
            slab_bytes: about the memory to read units into; at least a chunk of units is read.
        """
        chunk = int(np.clip(EXACT // self.units**2, 1, LONGEST_CHUNK))
        width = chunk * max(1, slab_bytes // (self.rows * chunk * (8 + self._type.itemsize)))
        total = np.zeros((self.rows, self.rows))
        for start in range(0, self.units, width):
            slab = self._read(start, min(start + width, self.units))
            for first in range(0, slab.shape[1], chunk):
                part = slab[:, first : first + chunk]
                total += part @ part.T
        return total

    def _read(self, start: int, stop: int) -> np.ndarray:
        if self._file is None:
            return self._memory[:, start:stop].astype(np.float64)
        slab = np.empty((self.rows, stop - start), self._type)
        for row, values in enumerate(slab):
            self._stream.seek(row * rank_bytes(self.units) + start * self._type.itemsize)
            if self._stream.readinto(memoryview(values).cast("B")) != values.nbytes:
                raise OSError(f"{self._file} is shorter than what was written to it")
        return slab.astype(np.float64)


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
