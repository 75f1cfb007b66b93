"""What is recorded of a network with every metamer, and what distinguishes one network from another."""

import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, get_type_hints

from tfmetamers.errors import CheckpointError
from tfmetamers.networks.moved_files import locate
from tfmetamers.networks.spec import STIMULUS, NetworkSpec
from tfmetamers.utilities.json_files import typed

if TYPE_CHECKING:
    from tfmetamers.networks.network import Network

#: The fields that distinguish networks: the name, the stimulus, the weights, a model's input range, and an auditory
#: network's layers.
IDENTITY = ("name", "stimulus_shape", "digest", "input_range", "architecture")


@dataclass(frozen=True)
class NetworkRecord:
    """A network as it is recorded with every metamer.

    Attributes:
        name: its name.
        domain: its stimulus's domain as JSON (`tfmetamers.stimuli.domains`).
        stimulus_shape: the shape of one stimulus.
        layers: its named layers, from the input to the output.
        recipe: the name of its recipe.
        source: ``"checkpoint"``, ``"random"``, or the kind of model.
        digest: SHA-256 of its weights.
        file: the name of the file of its weights.
        seed: the seed of random weights.
        input_range: the values that stand for black and white in a model's input.
        architecture: SHA-256 of its architecture, where it is built from one.
        note: anything else to know about where it comes from.
        spec: how to load it again.
        spec_digest: the `NetworkSpec.digest` of `spec`.

    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> record = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,)).describe()
    >>> record.name, record.domain, record.layers, record.recipe
    ('function', {'name': 'array', 'shape': [6]}, ('tanh',), 'feather2019-array')
    """

    name: str
    domain: Mapping[str, Any]
    stimulus_shape: tuple[int, ...]
    layers: tuple[str, ...]
    recipe: str
    source: str
    digest: str
    file: str | None
    seed: int | None
    input_range: tuple[float, float] | None
    architecture: str | None
    note: str
    spec: NetworkSpec
    spec_digest: str

    @property
    def identity(self) -> tuple[str, ...]:
        """A hashable value that is equal only for the same network."""
        return network_identity(self.to_json())

    @cached_property
    def spec_identity(self) -> dict[str, Any]:
        """`NetworkSpec.identity` at the time of recording."""
        return self.spec.identity_with(self.spec_digest)

    @property
    def folder_name(self) -> str:
        """`NetworkSpec.folder_name` at the time of recording."""
        return self.spec.folder_name_with(self.name, self.spec_digest)

    def ordered(self, layers: Iterable[str]) -> list[str]:
        """Return layers from the input to the output; those that the network does not name come last."""
        places = {name: place for place, name in enumerate(self.layers)}
        return sorted(layers, key=lambda layer: (places.get(layer, len(places)), layer))

    def check(self, look_in: Sequence[Path] = (), networks: "Sequence[Network]" = ()) -> None:
        """Check that no file is gone or has changed, without loading them.

        Args:
            look_in: folders to look in for files that have moved or were replaced.
            networks: networks that are loaded already; if this one is among them, its files are not needed.

        Raises:
            CheckpointError: a file is gone or has changed.
        """
        if self._among(networks) is None:
            locate(self.spec, self.spec_digest, look_in)

    def load(self, look_in: Sequence[Path] = (), networks: "Sequence[Network]" = ()) -> "Network":
        """Return the network.

        Args:
            look_in: folders to look in for files that have moved or were replaced.
            networks: networks that are loaded already and may include this one; a model in memory is only found
                there.

        Raises:
            CheckpointError: its files are gone or have changed, or cannot be used.
        """
        network = self._among(networks)
        if network is not None:
            return network
        network = locate(self.spec, self.spec_digest, look_in).load()
        found = dict(zip(IDENTITY, network.describe().identity, strict=True))
        changed = [key for key, value in zip(IDENTITY, self.identity, strict=True) if found[key] != value]
        if changed:
            raise CheckpointError(
                f"{self.name} has changed since the metamer was made ({' and '.join(changed)}; "
                f"{self.describe_weights()}); give the folder of the earlier file with --look-in DIR."
            )
        return network

    def _among(self, networks: "Sequence[Network]") -> "Network | None":
        return next((network for network in networks if network.describe().identity == self.identity), None)

    def describe_weights(self) -> str:
        """Describe the weights in a few words."""
        if self.source == "random":
            return f"random weights, seed {self.seed}"
        return f"weights of {self.file or 'a model in memory'}, SHA-256 {self.digest[:12]}..."

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON has it."""
        content = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        content = {name: list(value) if isinstance(value, tuple) else value for name, value in content.items()}
        return {**content, "domain": dict(self.domain), "spec": self.spec.to_json()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "NetworkRecord":
        """Return what `to_json` gave.

        Raises:
            ArgumentError: the spec cannot be used, or names a family that is not installed.
            KeyError, TypeError, ValueError: a part is missing or of another type.
        """
        return cls(**typed(content, _content_type()), spec=NetworkSpec.from_json(content["spec"]))


@functools.cache
def _content_type() -> type:
    """Return the types of what `NetworkRecord.to_json` gives, all but the spec, which checks itself."""
    kinds = {name: kind for name, kind in get_type_hints(NetworkRecord).items() if name != "spec"}
    return TypedDict("NetworkContent", kinds)


def network_identity(described: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a value that is equal only for the same network.

    Args:
        described: `NetworkRecord.to_json`, or the part of it that null distributions have.
    """
    return tuple(str(described.get(key)) for key in IDENTITY)


def distinct_names(networks: Sequence[NetworkRecord]) -> list[str]:
    """Return a name for each network, the same for the same network, and different ones for different networks.

    Networks that share a name are distinguished by their weights, as ``vgg_19 (random, seed 3)`` or
    ``vgg_19 (ab12cd34)`` (the first digits of the SHA-256), then by their input too, then by a number.
    """
    known = {network.identity: network for network in networks}
    names: dict[tuple, str] = {}
    for identity, network in known.items():
        names[identity] = _name(network, [each for its, each in known.items() if its != identity], set(names.values()))
    return [names[network.identity] for network in networks]


def _name(network: NetworkRecord, others: Sequence[NetworkRecord], taken: set[str]) -> str:
    for describe in (_plain, _with_weights, _with_input):
        name = describe(network)
        if name not in map(describe, others) and name not in taken:
            return name
    number = 2
    while f"{name} #{number}" in taken:
        number += 1
    return f"{name} #{number}" if name in taken else name


def _plain(network: NetworkRecord) -> str:
    return network.name if network.spec.optimize == STIMULUS else f"{network.name} from the {network.spec.optimize}"


def _with_weights(network: NetworkRecord) -> str:
    weights = f"random, seed {network.seed}" if network.source == "random" else network.digest[:8]
    return f"{_plain(network)} ({weights})"


def _with_input(network: NetworkRecord) -> str:
    return f"{_with_weights(network)[:-1]}, {' x '.join(map(str, network.stimulus_shape))})"
