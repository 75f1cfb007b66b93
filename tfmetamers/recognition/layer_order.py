"""The order of a network's layers, found without its weights where that is possible."""

from collections.abc import Mapping, Sequence

from tfmetamers.errors import TfmetamersError
from tfmetamers.networks.auditory import architecture as architectures
from tfmetamers.networks.auditory import word_cnn
from tfmetamers.networks.network import Network
from tfmetamers.networks.recorded import load_recorded
from tfmetamers.networks.registry import describe_architecture
from tfmetamers.networks.slim import DEFINITIONS


def ordered_layers(record: Mapping, layers: Sequence[str], networks: Sequence[Network] = ()) -> list[str]:
    """Return layers from the input to the output.

    Layers that are not among those that the network names, such as ``tensor:NAME``, come last, and so do all of a
    network that cannot be loaded again, in the order of their names.

    Args:
        record: what metamer.json of one of the network's metamers holds.
        layers: the layers' names.
        networks: networks that are loaded already, one of which may be of the same architecture.
    """
    known = _known_order(record, networks)
    last = len(known)
    return sorted(layers, key=lambda layer: (known.index(layer) if layer in known else last, layer))


def _known_order(record: Mapping, networks: Sequence[Network]) -> list[str]:
    name = record["network"]["name"].removesuffix("_from_cochleagram")
    for network in networks:
        if network.name.removesuffix("_from_cochleagram") == name:
            return list(network.layers)
    loading = record["network"].get("loading") or {}
    try:
        if name in DEFINITIONS:
            return list(DEFINITIONS[name].end_points)
        if "architecture" in loading:
            return list(describe_architecture(architectures.from_json(loading["architecture"])).layers)
        if name in word_cnn.ARCHITECTURES:
            return list(describe_architecture(word_cnn.find_architecture(name)).layers)
        return list(load_recorded(record).layers)
    except (TfmetamersError, ValueError, KeyError, TypeError):
        return []
