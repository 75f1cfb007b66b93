"""What is kept of a network with everything that it made, and what tells one network from another."""

import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, get_type_hints

from tfmetamers.errors import CheckpointError
from tfmetamers.networks.spec import NetworkSpec, locate
from tfmetamers.utilities.json_files import typed

if TYPE_CHECKING:
    from tfmetamers.networks.network import Network

#: The fields in which the same network agrees: its name, its stimulus, its weights, what a model takes for black and
#: white, and an auditory network's layers.
IDENTITY = ("name", "stimulus_shape", "digest", "input_range", "architecture")


@dataclass(frozen=True)
class NetworkRecord:
    """A network as it is recorded with every metamer.

    Attributes:
        name: its name.
        domain: its stimulus's domain, as `tfmetamers.stimuli.domains` has it in JSON.
        stimulus_shape: the shape of one stimulus.
        layers: its named layers, from the input to the output.
        recipe: the name of its recipe.
        source: ``"checkpoint"``, ``"random"``, or the kind of model that it is.
        digest: SHA-256 of its weights.
        file: the name of the file of its weights.
        seed: the seed of random weights.
        input_range: what a model takes for black and white.
        architecture: SHA-256 of its architecture, where it is built from one.
        note: what else a reader should know about where it comes from.
        spec: how to load it again.
        spec_digest: `NetworkSpec.digest` of that.
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
        """What is equal for the same network only, and can be the key of a dictionary."""
        return network_identity(self.to_json())

    @cached_property
    def spec_identity(self) -> dict[str, Any]:
        """`NetworkSpec.identity` of the time when it was recorded."""
        return self.spec.identity_with(self.spec_digest)

    @property
    def folder_name(self) -> str:
        """`NetworkSpec.folder_name` of the time when it was recorded."""
        return self.spec.folder_name_with(self.name, self.spec_digest)

    def ordered(self, layers: Iterable[str]) -> list[str]:
        """Return layers from the input to the output; those that have no name of the network's come last."""
        places = {name: place for place, name in enumerate(self.layers)}
        return sorted(layers, key=lambda layer: (places.get(layer, len(places)), layer))

    def check(self, look_in: Sequence[Path] = (), networks: "Sequence[Network]" = ()) -> None:
        """Notice files that are gone or have changed, without loading them.

        Args:
            look_in: folders to look in for files that are no longer where they were, or are others there.
            networks: networks that are loaded already; where this one is among them, its files are not needed.

        Raises:
            CheckpointError: there are some.
        """
        if self._among(networks) is None:
            locate(self.spec, self.spec_digest, look_in)

    def load(self, look_in: Sequence[Path] = (), networks: "Sequence[Network]" = ()) -> "Network":
        """Return the network.

        Args:
            look_in: folders to look in for files that are no longer where they were, or are others there.
            networks: networks that are loaded already, one of which may be this one; models in memory are found there
                alone.

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
                f"{self.name} is not what it was when the metamer was made: its {' and '.join(changed)} changed "
                f"({self.describe_weights()}); give the file of that time by --look-in DIR."
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
    """Return what is equal for the same network only.

    Args:
        described: `NetworkRecord.to_json`, or a part of it, as null distributions have.
    """
    return tuple(str(described.get(key)) for key in IDENTITY)


def distinct_names(networks: Sequence[NetworkRecord]) -> list[str]:
    """Return a name for each network, the same for the same network, and different ones for different networks.

    Of networks with one name, each is called by what its weights are, as ``vgg_19 (random, seed 3)`` or
    ``vgg_19 (ab12cd34)``, the first digits of their SHA-256; then by its input too; then by a number.
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
    return network.name if network.spec.optimize == "stimulus" else f"{network.name} from the {network.spec.optimize}"


def _with_weights(network: NetworkRecord) -> str:
    weights = f"random, seed {network.seed}" if network.source == "random" else network.digest[:8]
    return f"{_plain(network)} ({weights})"


def _with_input(network: NetworkRecord) -> str:
    return f"{_with_weights(network)[:-1]}, {' x '.join(map(str, network.stimulus_shape))})"
