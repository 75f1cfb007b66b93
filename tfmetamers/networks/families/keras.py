"""Models that Keras saved: ``FILE.keras``, ``FILE.h5``."""

from pathlib import Path

from tfmetamers.networks.families.base import NetworkFamily, names_file

SUFFIXES = (".keras", ".h5", ".hdf5")

#: The fields that can be given for any model of a user's own.
MODEL_FIELDS = frozenset(
    {"file", "size", "duration", "input_range", "labels", "layers", "logits", "domain", "sampling_rate"}
)


class KerasFamily(NetworkFamily):
    """Models in files of Keras 3 or Keras 2."""

    name = "keras"
    takes = MODEL_FIELDS

    def claim(self, base):
        return {"file": base} if names_file(base, SUFFIXES) else None

    def files(self, spec):
        return [Path(spec.file)]

    def load(self, spec):
        from tfmetamers.networks.own.keras import network_of_file

        return network_of_file(spec)


FAMILY = KerasFamily()
