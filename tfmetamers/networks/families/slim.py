"""VGG-19, Inception-V3 and ResNet-101-V2, by tf_slim's definitions and published checkpoints."""

from functools import partial

from tfmetamers.checkpoints.verify import Probe
from tfmetamers.errors import ArgumentError
from tfmetamers.networks import slim
from tfmetamers.networks.families.base import NetworkOutline, check_picture_size
from tfmetamers.networks.families.checkpoints import CheckpointFamily
from tfmetamers.networks.spec import NetworkSpec
from tfmetamers.stimuli.domains import Images

RECIPE = "feather2019-image"


class SlimFamily(CheckpointFamily):
    """The image networks of the paper."""

    name = "slim"
    takes = frozenset({"checkpoint", "random_seed", "size"})

    def network_names(self):
        return list(slim.DEFINITIONS)

    def check(self, spec):
        super().check(spec)
        check_picture_size(spec)

    def outline(self, spec):
        definition = slim.DEFINITIONS[spec.name]
        return NetworkOutline(spec.name, Images(_size(spec)), tuple(definition.end_points), RECIPE, definition.classes)

    def trace(self, spec, seed=0):
        return slim.trace(spec.name, _size(spec), seed=seed)

    def random_weights(self, spec, traced):
        # Drawn at the network's own size, so that a seed stands for the same weights at every size.
        return slim.random_weights(spec.name, spec.random_seed)

    def build(self, spec, traced, values, provenance):
        from tfmetamers.networks.network import Network

        return Network(
            spec.name,
            domain=Images(_size(spec)),
            traced=traced,
            weights=values,
            provenance=provenance,
            labels=slim.labels(spec.name),
            recipe=RECIPE,
        )

    def probe(self, entry):
        return Probe(f"{entry.probe!r} among the likeliest", partial(self._likeliest, entry.network, entry.probe))

    def _likeliest(self, name, expected, arrays) -> tuple[str, bool]:
        """Say which five labels are the likeliest for the photograph that ships with matplotlib."""
        import numpy as np

        from tfmetamers.stimuli.images import sample_photograph

        network = self.with_weights(NetworkSpec(family=self.name, name=name), arrays)
        logits = network.logits(network.domain.load(sample_photograph())[None]).numpy()[0]
        labels = [network.labels[index] for index in np.argsort(-logits)[:5]]
        return ", ".join(labels), expected in labels


def _size(spec: NetworkSpec) -> int:
    """Return height and width, which are one number for these networks.

    Raises:
        ArgumentError: the size is not square, or too small for the network.
    """
    definition = slim.DEFINITIONS[spec.name]
    height, width = spec.size or (definition.default_size, definition.default_size)
    if height != width or height < definition.minimum_size:
        raise ArgumentError(
            f"{spec.name} got a size of {height} x {width} pixels; a square of at least {definition.minimum_size} was "
            "expected."
        )
    return height


FAMILY = SlimFamily()
