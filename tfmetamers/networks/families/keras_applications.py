"""The models of Keras Applications: ``keras:NAME``."""

from pathlib import Path

from tfmetamers.errors import ArgumentError
from tfmetamers.networks.families.base import NetworkFamily
from tfmetamers.networks.own.keras_weights import weights_file

PREFIX = "keras:"


class KerasApplicationsFamily(NetworkFamily):
    """Models of Keras Applications, with their own preprocessing; Keras fetches their weights for ImageNet."""

    name = "keras_applications"
    takes = frozenset({"checkpoint", "random_seed", "size", "layers"})

    def claim(self, base):
        if base == PREFIX:
            raise ArgumentError(f"The network {base!r} has no name; write keras:NAME, such as keras:ResNet50.")
        name = base.removeprefix(PREFIX)
        return {"name": name} if base.startswith(PREFIX) and name.isidentifier() else None

    def text(self, spec):
        return f"{PREFIX}{spec.name or ''}"

    def files(self, spec):
        if spec.random_seed is not None:
            return []
        return [weights_file(spec.name) if spec.checkpoint is None else Path(spec.checkpoint)]

    def own_files(self, folder, spec):
        file = folder / weights_file(spec.name).name
        return [file] if file.is_file() else []

    def load(self, spec):
        from tfmetamers.networks.own.keras_applications import load_keras_application

        return load_keras_application(
            spec.name, checkpoint=spec.checkpoint, random_seed=spec.random_seed, size=spec.size, layers=spec.layers
        )


FAMILY = KerasApplicationsFamily()
