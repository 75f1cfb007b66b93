"""Frozen graphs of TensorFlow 1: ``FILE.pb``."""

from pathlib import Path

from tfmetamers.networks.families.base import NetworkFamily, names_file
from tfmetamers.networks.families.keras import MODEL_FIELDS


class FrozenGraphFamily(NetworkFamily):
    """Graphs whose weights are constants, from any of their tensors on."""

    name = "frozen_graph"
    takes = MODEL_FIELDS | {"input"}

    def claim(self, base):
        return {"file": base} if names_file(base, (".pb",)) else None

    def files(self, spec):
        return [Path(spec.file)]

    def load(self, spec):
        from tfmetamers.networks.own.frozen_graph import network_of_frozen_graph

        return network_of_frozen_graph(spec)


FAMILY = FrozenGraphFamily()
