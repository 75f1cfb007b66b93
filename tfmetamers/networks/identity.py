"""What tells one network from another."""

from collections.abc import Mapping

#: The fields of `tfmetamers.networks.network.Network.describe` in which the same network agrees: its name, its
#: stimulus, its weights, what a Keras model takes for black and white, and an auditory network's layers.
NETWORK_IDENTITY = ("name", "stimulus_shape", "digest", "input_range", "architecture")


def network_identity(described: Mapping) -> tuple[str, ...]:
    """Return what is equal for the same network only, and can be the key of a dictionary.

    Args:
        described: what `tfmetamers.networks.network.Network.describe` gives, as metamer.json has it under ``network``.
    """
    return tuple(str(described.get(key)) for key in NETWORK_IDENTITY)
