"""Families whose weights are a TensorFlow checkpoint, published or one's own, or drawn at random."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tfmetamers.checkpoints.catalog import cache_folder, cached_checkpoint, network_entry
from tfmetamers.checkpoints.layout import find_checkpoint
from tfmetamers.errors import CheckpointError
from tfmetamers.networks.families.base import NetworkFamily
from tfmetamers.networks.spec import NetworkSpec
from tfmetamers.utilities.words import byte_size

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf

    from tfmetamers.checkpoints.reader import CheckpointFile
    from tfmetamers.networks.graph.traced_graph import TracedGraph
    from tfmetamers.networks.network import Network
    from tfmetamers.networks.provenance import Provenance


class CheckpointFamily(NetworkFamily):
    """Networks with names of their own and an entry of the catalogue; a subclass says how they are traced and built."""

    def trace(self, spec: NetworkSpec, seed: int = 0) -> "TracedGraph":
        """Return the traced graph, whose initialisers are seeded and not run."""
        raise NotImplementedError

    def build(self, spec: NetworkSpec, traced: "TracedGraph", values, provenance: "Provenance") -> "Network":
        """Return the network.

        Args:
            spec: the spec.
            traced: the traced graph.
            values: arrays by variable name; empty for a network without weights.
            provenance: where they come from.
        """
        raise NotImplementedError

    def random_weights(self, spec: NetworkSpec, traced: "TracedGraph") -> "dict[str, np.ndarray]":
        """Draw weights, by the seed that the graph was traced with."""
        return traced.random_weights()

    def load(self, spec):
        if spec.random_seed is not None:
            traced = self.trace(spec, spec.random_seed)
            values = self.random_weights(spec, traced)
            provenance = random_provenance(values, spec.random_seed)
            return self.build(spec, traced, constants(values), provenance)
        from tfmetamers.checkpoints.reader import CheckpointFile

        file = CheckpointFile(_checkpoint(spec))
        traced = self.trace(spec)
        values, provenance = read_weights(file, traced, network_entry(spec.name).known_extras)
        return self.build(spec, traced, values, provenance)

    def describe(self, spec):
        return self.build(spec, self.trace(spec), {}, without_weights())

    def with_weights(self, spec: NetworkSpec, values: "Mapping[str, np.ndarray]") -> "Network":
        """Return a network with weights that are in memory, by variable name."""
        from tfmetamers.networks.provenance import Provenance

        provenance = Provenance("checkpoint", weights_digest(values))
        return self.build(spec, self.trace(spec), constants(dict(values)), provenance)

    def variables(self, spec):
        return self.trace(spec).specification

    def files(self, spec):
        return [] if spec.random_seed is not None else checkpoint_files(_checkpoint(spec))

    def own_files(self, folder, spec):
        found = network_entry(spec.name).location_in(folder)
        return [] if found is None else [found]

    def state(self, spec):
        return "fetched" if network_entry(spec.name).location(cache_folder()) else "not fetched"


def fetched(name: str) -> Path:
    """Return the checkpoint that 'tfmetamers checkpoints fetch' brought for a network.

    Raises:
        CheckpointError: it has not been fetched, or has changed since.
    """
    entry = network_entry(name)
    path = cached_checkpoint(entry.name)
    if path is None:
        size = f" ({byte_size(4 * entry.parameters)} of weights)" if entry.parameters else ""
        raise CheckpointError(
            f"{name} needs its checkpoint, and none has been fetched: run 'tfmetamers checkpoints fetch {entry.name}'"
            f"{size}, or give a checkpoint (--checkpoint PATH, {name}=PATH) or random weights ({name}:random)."
        )
    from tfmetamers.checkpoints.fetch import check_unchanged

    check_unchanged(entry, path)
    return path


def _checkpoint(spec: NetworkSpec) -> Path:
    return Path(spec.checkpoint) if spec.checkpoint is not None else fetched(spec.name)


def checkpoint_files(path: Path) -> list[Path]:
    """Return the files of a checkpoint in either format.

    Raises:
        CheckpointError: there is none.
    """
    return list(find_checkpoint(path)[2])


def read_weights(
    file: "CheckpointFile", traced: "TracedGraph", known_extras: Sequence[str]
) -> "tuple[dict[str, tf.Tensor], Provenance]":
    """Return the value of each variable of a graph by name, and where they come from.

    Raises:
        CheckpointError: the checkpoint is not that of the network.
    """
    from tfmetamers.checkpoints.reader import read_variables
    from tfmetamers.networks.provenance import Provenance

    values = read_variables(file, traced.specification, known_extras)
    return constants(values), Provenance("checkpoint", file.digest, file=Path(file.path).name)


def random_provenance(values: "Mapping[str, np.ndarray]", seed: int) -> "Provenance":
    """Return where random weights come from."""
    from tfmetamers.networks.provenance import Provenance

    return Provenance("random", weights_digest(values), seed=seed)


def without_weights() -> "Provenance":
    """Return the provenance of a network without weights."""
    from tfmetamers.networks.provenance import Provenance

    return Provenance("none", digest="")


def weights_digest(values: "Mapping[str, np.ndarray]") -> str:
    """Return the SHA-256 of weights by variable name, in hexadecimal."""
    digest = hashlib.sha256()
    for name in sorted(values):
        digest.update(name.encode() + values[name].tobytes())
    return digest.hexdigest()


def constants(values: "dict[str, np.ndarray]") -> "dict[str, tf.Tensor]":
    """Return weights as tensors, and empty the dictionary of arrays: large ones need not be in memory twice."""
    import tensorflow as tf

    return {variable: tf.constant(values.pop(variable)) for variable in list(values)}
