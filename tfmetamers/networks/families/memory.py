"""Networks that exist only in the memory of the program that made them."""

from tfmetamers.errors import CheckpointError
from tfmetamers.networks.families.base import NetworkFamily


class MemoryFamily(NetworkFamily):
    """Models that were given in Python; their spec distinguishes them, but cannot load them."""

    name = "memory"
    takes = frozenset({"definition", "optimize"})

    def load(self, spec):
        raise CheckpointError(
            f"{spec.name} was a model in memory, which cannot be loaded again; pass it with networks=[...] in Python, "
            "or save it and make its metamers from the file."
        )


FAMILY = MemoryFamily()
