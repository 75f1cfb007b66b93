"""A layer's activations to many stimuli and their ranks, kept on disk, and what compares pairs of them."""

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from tfmetamers.errors import ResultError
from tfmetamers.inclusion.measures import MAX_SNR, SPEARMAN
from tfmetamers.metrics import centred_ranks

#: The largest number of units whose products are added up at once.
MAX_CHUNK = 4096

#: Whole numbers up to this are exact in double precision.
EXACT = 2**53


def row_bytes(units: int) -> int:
    """Return the bytes that a stimulus takes: its activations in single precision, and their ranks.

    Single precision holds ranks exactly up to 16.7 million units.
    """
    return units * (_rank_type(units).itemsize + np.dtype(np.float32).itemsize)


def _rank_type(units: int) -> np.dtype:
    return np.dtype(np.float32 if units <= 2**24 else np.float64)


class RowTable:
    """Numbers in a file, one row for each stimulus.

    Each row is followed by the SHA-256 of the row and of what it depends on, so that the file survives an interruption
    at any moment: a row that was cut short, is damaged, or depends on something else is not used.
    """

    def __init__(self, file: Path, units: int, kind: np.dtype, origins: Sequence[str]):
        """Open the file, or make an empty one.

        Args:
            file: where rows are kept.
            units: the length of a row.
            kind: the type of its numbers.
            origins: for each row, what it depends on.

        Raises:
            ResultError: the file cannot be opened; the methods raise it for their own failures.
        """
        self.rows, self.units = len(origins), units
        self._file = file
        self._origins = origins
        self._type = kind
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

    def write(self, row: int, numbers: np.ndarray) -> None:
        """Keep the row of one stimulus."""
        values = numbers.astype(self._type)
        with self._failures_named():
            self._stream.seek(self._start(row))
            for part in (memoryview(values).cast("B"), memoryview(self._digest(row, values))):
                while part:
                    part = part[self._stream.write(part) :]

    def holds(self, row: int) -> bool:
        """Tell whether the row of one stimulus was kept and is whole."""
        values, digest = np.empty(self.units, self._type), bytearray(hashlib.sha256().digest_size)
        with self._failures_named():
            self._stream.seek(self._start(row))
            is_whole = self._stream.readinto(memoryview(values).cast("B")) == values.nbytes
            self._stream.readinto(digest)
        return is_whole and digest == self._digest(row, values)

    def parts(self, slab_bytes: int, chunk: int) -> Iterator[np.ndarray]:
        """Yield the columns of all rows, float64 (rows, at most `chunk`), one chunk after another.

        Args:
            slab_bytes: roughly the memory to read columns into; at least a chunk is read.
            chunk: the number of columns.
        """
        width = chunk * max(1, slab_bytes // (self.rows * chunk * (8 + self._type.itemsize)))
        for start in range(0, self.units, width):
            slab = self._read(start, min(start + width, self.units))
            for first in range(0, slab.shape[1], chunk):
                yield slab[:, first : first + chunk]

    def _read(self, start: int, stop: int) -> np.ndarray:
        slab = np.empty((self.rows, stop - start), self._type)
        with self._failures_named():
            for row, values in enumerate(slab):
                self._stream.seek(self._start(row) + start * self._type.itemsize)
                if self._stream.readinto(memoryview(values).cast("B")) != values.nbytes:
                    raise OSError("it is shorter than what was written to it")
        return slab.astype(np.float64)

    def _start(self, row: int) -> int:
        return row * (self.units * self._type.itemsize + hashlib.sha256().digest_size)

    def _digest(self, row: int, values: np.ndarray) -> bytes:
        digest = hashlib.sha256(hashlib.sha256(self._origins[row].encode()).digest())
        digest.update(values)
        return digest.digest()

    @contextlib.contextmanager
    def _failures_named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            size = self.rows * self.units * self._type.itemsize / 1e9
            raise ResultError(
                f"{size:.1f} GB cannot be kept in {self._file}: {error.strerror or error}. Make room there "
                "and run the command again, which continues from here, or give an --output on another disk."
            ) from error


class LayerTable:
    """The activations of a layer to many stimuli, and their centred ranks (`tfmetamers.metrics.centred_ranks`)."""

    def __init__(self, file: Path, units: int, origins: Sequence[str]):
        """Open two files, or make empty ones.

        Args:
            file: their path, without the endings ``.ranks`` and ``.activations``.
            units: number of units of the layer.
            origins: for each stimulus, what its activations depend on.

        Raises:
            ResultError: a file cannot be opened; the methods raise it for their own failures.
        """
        self._units = units
        self._ranks = RowTable(file.with_suffix(".ranks"), units, _rank_type(units), origins)
        self._activations = RowTable(file.with_suffix(".activations"), units, np.dtype(np.float32), origins)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for table in (self._ranks, self._activations):
            table.__exit__()

    def remove(self) -> None:
        """Close the files and delete them."""
        for table in (self._ranks, self._activations):
            table.remove()

    def write(self, row: int, activations: np.ndarray) -> None:
        """Keep the activations of one stimulus, which hold no NaN; infinite ones are kept as ranks alone."""
        self._ranks.write(row, centred_ranks(activations))
        is_finite = np.isfinite(activations).all()
        self._activations.write(row, np.ravel(activations) if is_finite else np.zeros(self._units))

    def holds(self, row: int) -> bool:
        """Tell whether the activations of one stimulus were kept and are whole."""
        return self._ranks.holds(row) and self._activations.holds(row)

    def compare(self, pairs: np.ndarray, signals: np.ndarray, slab_bytes: int) -> dict[str, np.ndarray]:
        """Return each measure (`tfmetamers.inclusion.measures`) of pairs of stimuli, float64 (pairs,).

        A correlation is NaN where the activations of either are constant, the signal-to-noise ratio where those of the
        signal are all zero.

        Args:
            pairs: int (pairs, 2), rows.
            signals: int (pairs,), the row of each pair that is the signal; the other is compared with it.
            slab_bytes: roughly the memory to read units into; the result does not depend on it.
        """
        ranks = self.rank_products(slab_bytes)
        products, sums = self._moments(slab_bytes)
        first, second = pairs.T
        variances = np.where(np.diag(ranks) > 0, np.diag(products) - sums**2 / self._units, 0)
        covariances = products[first, second] - sums[first] * sums[second] / self._units
        powers = np.diag(products)
        distances = powers[first] + powers[second] - 2 * products[first, second]
        return {
            SPEARMAN: _correlations(ranks[first, second], np.diag(ranks), pairs),
            "pearson": _correlations(covariances, variances, pairs),
            "snr": _ratios(powers[signals], distances),
        }

    def rank_products(self, slab_bytes: int) -> np.ndarray:
        """Return the dot product of the ranks of every two rows, float64 (rows, rows).

        Ranks are whole numbers: sums over a chunk of units are exact, in whatever order they are added, and chunks are
        added one after another. So the products do not depend on the machine, the number of rows, or the memory given.
        """
        chunk = int(np.clip(EXACT // self._units**2, 1, MAX_CHUNK))
        return sum(part @ part.T for part in self._ranks.parts(slab_bytes, chunk))

    def _moments(self, slab_bytes: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the dot product of the activations of every two rows, and the sum of each row."""
        products, sums = 0.0, 0.0
        for part in self._activations.parts(slab_bytes, MAX_CHUNK):
            products, sums = products + part @ part.T, sums + part.sum(axis=1)
        return products, sums


def _correlations(products: np.ndarray, squares: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return the cosines of pairs from their dot products and the squared norms of all rows; NaN where one is 0."""
    norms = np.sqrt(np.maximum(squares, 0))
    scales = norms[pairs[:, 0]] * norms[pairs[:, 1]]
    coefficients = np.full(len(pairs), np.nan)
    np.divide(products, scales, out=coefficients, where=scales > 0)
    return np.clip(coefficients, -1, 1)


def _ratios(powers: np.ndarray, distances: np.ndarray) -> np.ndarray:
    """Return signal-to-noise ratios in dB from squared norms of signals and differences; NaN without a signal."""
    smallest = 10 ** (-MAX_SNR / 5)  # Which also keeps rounding from giving a negative distance.
    ratios = np.full(len(powers), np.nan)
    has_signal = powers > 0
    noise = np.maximum(distances, smallest * powers)
    ratios[has_signal] = 5 * np.log10(powers[has_signal] / noise[has_signal])
    return np.minimum(ratios, MAX_SNR)
