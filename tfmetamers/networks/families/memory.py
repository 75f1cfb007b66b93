"""Networks that are in memory alone, which only the program that made them has."""

from tfmetamers.errors import CheckpointError
from tfmetamers.networks.families.base import NetworkFamily


class MemoryFamily(NetworkFamily):
    """Models that were given in Python; their spec tells them from others, and cannot load them."""

    name = "memory"
    takes = frozenset({"definition", "optimize"})

    def load(self, spec):
        raise CheckpointError(
            f"{spec.name} was a model in memory, which cannot be loaded again; give it by networks=[...] in Python, or "
            "save it and make its metamers from the file."
        )


FAMILY = MemoryFamily()
