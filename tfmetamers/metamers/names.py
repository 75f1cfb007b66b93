"""Names that distinguish metamers of one layer in tables and figures."""

from collections.abc import Sequence

from tfmetamers.metamers.record import MetamerRecord


def distinct_layers(records: Sequence[MetamerRecord]) -> list[str]:
    """Return a name for each metamer's layer that also says how it was made, where metamers of its network differ.

    It is ``conv_2`` where all metamers of the network were made in the same way, and otherwise ``conv_2
    (normal-gradient)``, with what is neither usual for the network nor common to all of them.
    """
    variants: dict[tuple, list[set[str]]] = {}
    for record in records:
        variants.setdefault(record.network.identity, []).append(set(record.variant))
    common = {identity: set.intersection(*each) for identity, each in variants.items()}
    names = []
    for record in records:
        words = [word for word in record.variant if word not in common[record.network.identity]]
        names.append(f"{record.layer.name} ({', '.join(words)})" if words else record.layer.name)
    return names
