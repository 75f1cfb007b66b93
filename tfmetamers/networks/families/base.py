"""What a family of networks defines."""

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfmetamers.errors import ArgumentError, unknown_name
from tfmetamers.networks.spec import STIMULUS, NetworkSpec
from tfmetamers.stimuli.domains import Domain

if TYPE_CHECKING:
    from tfmetamers.checkpoints.catalog import CatalogEntry
    from tfmetamers.checkpoints.verify import Probe
    from tfmetamers.networks.network import Network


@dataclass(frozen=True)
class NetworkOutline:
    """What planning needs to know about a network, without TensorFlow.

    Attributes:
        name: the network's name.
        domain: what its stimulus is.
        layers: the named layers, from the input to the output.
        recipe: the name of its recipe.
        classes: the number of its labels or characters; None for a network that has neither.
        note: anything else to know about where it comes from.

    >>> from tfmetamers.networks import NetworkSpec
    >>> from tfmetamers.networks.families import find_family
    >>> spec = NetworkSpec.parse("vgg_19:random")
    >>> outline = find_family(spec.family).outline(spec)
    >>> outline.domain.shape, outline.recipe, outline.classes
    ((224, 224, 3), 'feather2019-image', 1000)
    >>> outline.layers[:3]
    ('conv1_2', 'conv2_2', 'conv3_4')
    """

    name: str
    domain: Domain
    layers: tuple[str, ...]
    recipe: str
    classes: int | None = None
    note: str = ""

    @classmethod
    def of(cls, network: "Network") -> "NetworkOutline":
        """Return the outline of a network that is loaded or described."""
        classes = network.labels and len(network.labels)
        note = network.provenance.note
        return cls(network.name, network.domain, tuple(network.layers), network.recipe, classes, note)


class NetworkFamily:
    """A kind of networks: which ones there are, which settings they take, and how each is loaded.

    A family in another package is an instance of a subclass, named by an entry point of the group
    ``tfmetamers.networks``. It needs a `name`, `takes`, `network_names` or `claim`, and `load`; the rest has defaults.
    Importing its module should not import TensorFlow.

    Attributes:
        name: the family's name.
        takes: the fields of `NetworkSpec` that can be given, besides ``name``.

    >>> class Toys(NetworkFamily):
    ...     name = "toys"
    ...     takes = frozenset({"random_seed"})
    ...
    ...     def network_names(self):
    ...         return ["toy_linear", "toy_rectified"]
    >>> Toys().claim("toy_linear"), Toys().claim("vgg_19")
    ({'name': 'toy_linear'}, None)
    """

    name: str
    takes: frozenset[str] = frozenset()

    def network_names(self) -> list[str]:
        """Return the names of the networks that have names of their own."""
        return []

    def claim(self, base: str) -> dict[str, str] | None:
        """Return the fields of the network of this family that a text names; None where the text names none.

        Args:
            base: a name, a path, or text in the family's own form, without size, duration and weights.
        """
        return {"name": base} if base in self.network_names() else None

    def text(self, spec: NetworkSpec) -> str:
        """Return the text that `claim` takes."""
        return spec.name or spec.file or self.name

    def check(self, spec: NetworkSpec) -> None:
        """Refuse a spec with a field that its networks do not take, or without one that they need.

        Raises:
            ArgumentError: it is such a spec.
        """
        for field in _FIELDS:
            if field not in self.takes and getattr(spec, field) is not None:
                raise ArgumentError(
                    f"{self.text(spec)} cannot be given the {field.replace('_', ' ')} {getattr(spec, field)!r}; leave "
                    "that out."
                )
        if spec.optimize != STIMULUS and "optimize" not in self.takes:
            raise ArgumentError(f"{self.text(spec)} has no {spec.optimize} to optimise; leave that out.")
        if spec.file is None and spec.definition is None:
            self._check_name(spec)

    def _check_name(self, spec: NetworkSpec) -> None:
        """Refuse a spec without a file whose name is not a network's."""
        if spec.name is None and self.network_names():
            raise ArgumentError(
                f"A network of the family {self.name} came without a name; give one of "
                f"{', '.join(self.network_names())}."
            )
        claimed = self.claim(self.text(spec))
        if claimed is not None and "file" not in claimed:
            return
        if not self.network_names():
            raise ArgumentError(
                f"A network of the family {self.name} came without a file; give the file that defines it."
            )
        raise unknown_name("network", spec.name, self.network_names(), where=f" in the family {self.name}")

    def network_name(self, spec: NetworkSpec) -> str:
        """Return a network's name, as of a file, without TensorFlow."""
        return spec.name or Path(spec.file).stem

    def files(self, spec: NetworkSpec) -> list[Path]:
        """Return the files that determine a network, its weights and its definition; none for random weights.

        Raises:
            CheckpointError: one is missing.
        """
        return []

    def identity(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of a spec that determine a network, besides the SHA-256 of its files."""
        return fields

    def own_files(self, folder: Path, spec: NetworkSpec) -> list[Path]:
        """Return the files in a folder that may be the weights of a network that was loaded with its own weights."""
        return []

    def outline(self, spec: NetworkSpec) -> NetworkOutline | None:
        """Return what planning needs to know, without TensorFlow; None where the network must be loaded for it."""
        return None

    def load(self, spec: NetworkSpec) -> "Network":
        """Return a network.

        Raises:
            ArgumentError: a value of the spec cannot be used.
            CheckpointError: a file is missing, damaged, or not of the network.
        """
        raise NotImplementedError

    def describe(self, spec: NetworkSpec) -> "Network":
        """Return a network, if possible without its weights, to look at its layers."""
        return self.load(spec)

    def variables(self, spec: NetworkSpec) -> dict[str, tuple[tuple[int, ...], str]]:
        """Return shape and dtype of each variable that a checkpoint must hold, by name.

        Raises:
            ArgumentError: its networks have no checkpoints.
        """
        raise ArgumentError(f"{self.text(spec)} has no checkpoint to verify; load it instead.")

    def probe(self, entry: "CatalogEntry") -> "Probe | None":
        """Return the probe of a checkpoint in the catalogue; None where no expected answer is known."""
        return None

    def state(self, spec: NetworkSpec) -> str:
        """Say in a few words whether a network's weights are available."""
        return "available"


def check_picture_size(spec: NetworkSpec) -> None:
    """Refuse a size that is not one of pictures.

    Raises:
        ArgumentError: it is not height and width.
    """
    if spec.size is not None and len(spec.size) != 2:
        raise ArgumentError(f"{spec.name} got a size of {spec.size}; height and width in pixels were expected.")


def names_file(base: str, suffixes: tuple[str, ...]) -> bool:
    """Tell whether a text is the path of a file of one of several kinds; after ``NAME=`` comes a checkpoint's."""
    name, equals, _ = base.partition("=")
    is_path = not equals or os.sep in name or os.path.isfile(base)
    return is_path and Path(base).suffix.lower() in suffixes


#: The fields of a spec that can only be given if the family takes them.
_FIELDS = [field.name for field in dataclasses.fields(NetworkSpec) if field.name not in ("family", "name", "optimize")]
