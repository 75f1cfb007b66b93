"""The small trained networks that come with the package, by their names."""

from tfmetamers.networks.auditory.trained_folder import ARCHITECTURE_FILE, bundled_networks
from tfmetamers.networks.families.trained import TrainedFamily


class BundledFamily(TrainedFamily):
    """Bundled networks."""

    name = "bundled"
    takes = frozenset({"checkpoint", "random_seed", "optimize"})

    def network_names(self):
        return list(bundled_networks())

    def claim(self, base):
        return {"name": base} if base in bundled_networks() else None

    def network_name(self, spec):
        return spec.name

    def folder(self, spec):
        return bundled_networks()[spec.name]

    def packaged_layers(self, spec):
        return self.folder(spec) / ARCHITECTURE_FILE

    def state(self, spec):
        return "comes with the package"


FAMILY = BundledFamily()
