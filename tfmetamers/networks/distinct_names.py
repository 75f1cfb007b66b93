"""Names that tell networks apart in tables."""

from collections.abc import Mapping, Sequence

from tfmetamers.networks.identity import network_identity


def distinct_names(networks: Sequence[Mapping]) -> list[str]:
    """Return a name for each network, the same for the same network, and different ones for different networks.

    Of networks with one name, each is called by what its weights are, as ``vgg_19 (random, seed 3)`` or
    ``vgg_19 (ab12cd34)``, the first digits of their SHA-256; then by its input too; then by a number.

    Args:
        networks: what `tfmetamers.networks.network.Network.describe` gives, of each.
    """
    identities = [network_identity(network) for network in networks]
    names: dict[tuple, str] = {}
    for identity, network in zip(identities, networks, strict=True):
        if identity not in names:
            names[identity] = _name(
                network, identity, dict(zip(identities, networks, strict=True)), set(names.values())
            )
    return [names[identity] for identity in identities]


def _name(network: Mapping, identity: tuple, known: Mapping[tuple, Mapping], taken: set[str]) -> str:
    others = [other for its, other in known.items() if its != identity]
    for describe in (_plain, _with_weights, _with_input):
        name = describe(network)
        if name not in map(describe, others) and name not in taken:
            return name
    number = 2
    while f"{name} #{number}" in taken:
        number += 1
    return f"{name} #{number}" if name in taken else name


def _plain(network: Mapping) -> str:
    return network["name"]


def _with_weights(network: Mapping) -> str:
    is_random = network.get("source") == "random"
    weights = f"random, seed {network.get('seed')}" if is_random else str(network.get("digest"))[:8]
    return f"{network['name']} ({weights})"


def _with_input(network: Mapping) -> str:
    shape = " x ".join(map(str, network.get("stimulus_shape") or ()))
    return f"{_with_weights(network)[:-1]}, {shape})"
