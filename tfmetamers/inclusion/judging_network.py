"""The network that judges a group of metamers: the one that made them."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from tfmetamers.metrics import centred_ranks, rank_correlation
from tfmetamers.networks.network import Network
from tfmetamers.networks.record import NetworkRecord

#: Activations of natural stimuli are kept for their other metamers, up to this many bytes.
MAX_KEPT_BYTES = 10**9


class MeasuredOriginal:
    """A network's activations and logits for a natural stimulus, and the activations' ranks once they are needed."""

    def __init__(self, activations: Mapping[str, np.ndarray], logits: np.ndarray | None):
        self.activations = {layer: np.ravel(values[0]) for layer, values in activations.items()}
        self.logits = logits
        self._ranks: dict[str, np.ndarray] = {}

    @property
    def bytes(self) -> int:
        """The memory that it takes."""
        return sum(values.nbytes for values in (*self.activations.values(), *self._ranks.values()))

    def correlation(self, layer: str, ranks: np.ndarray) -> float | None:
        """Return Spearman's coefficient of a layer's activations with others, given as their centred ranks."""
        if layer not in self._ranks:
            self._ranks[layer] = centred_ranks(self.activations[layer])
        return rank_correlation(self._ranks[layer], ranks)


class JudgingNetwork:
    """A network, loaded when it is first needed; loading is tried only once."""

    def __init__(
        self,
        record: NetworkRecord,
        matched: Sequence[str],
        all_layers: bool,
        look_in: Sequence[Path],
        networks: Sequence[Network],
    ):
        self._record, self._matched, self._all_layers = record, matched, all_layers
        self._look_in, self._networks = look_in, networks
        self._error: Exception | None = None
        self._originals: dict[str, MeasuredOriginal] = {}

    @cached_property
    def _is_checked(self) -> bool:
        self._record.check(self._look_in, self._networks)
        return True

    @cached_property
    def network(self) -> Network:
        """The network."""
        return self._record.load(self._look_in, self._networks)

    @cached_property
    def measure(self) -> Callable[[np.ndarray], tuple[dict[str, np.ndarray], np.ndarray]]:
        """The function from stimuli to activations and logits, planned once for all metamers of the group."""
        layers = [*self._matched, *(self.network.layers if self._all_layers else ())]
        return self.network.measurements(list(dict.fromkeys(layers)))

    def measured_original(self, digest: str, original: np.ndarray) -> MeasuredOriginal:
        """Return what `measure` gives for a natural stimulus, which its metamers at all layers share.

        Args:
            digest: the hash of the stimulus.
            original: the stimulus.
        """
        if digest not in self._originals:
            self._originals[digest] = MeasuredOriginal(*self.require("measure")(original[None]))
            while len(self._originals) > 1 and sum(each.bytes for each in self._originals.values()) > MAX_KEPT_BYTES:
                del self._originals[next(iter(self._originals))]
        return self._originals[digest]

    def require(self, part: str):
        """Return an attribute; an earlier error is raised again.

        Raises:
            TfmetamersError: the network cannot be loaded.
        """
        if self._error:
            raise self._error
        try:
            return getattr(self, part)
        except Exception as error:  # A damaged file would raise it again.
            self._error = error
            raise

    def check(self) -> None:
        """Check that no file is gone or has changed, without loading it.

        Raises:
            TfmetamersError: a file is gone or has changed, or the network could not be loaded before.
        """
        self.require("_is_checked")
