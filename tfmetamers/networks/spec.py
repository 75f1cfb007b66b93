"""Which network, from where, and with which weights: plain data that can be sent anywhere."""

import dataclasses
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfmetamers.errors import ArgumentError, CheckpointError, shown, unknown_name
from tfmetamers.networks.notation import extent_text, parse_parts, readings, shortest_text
from tfmetamers.networks.spec_values import (
    checked_domain,
    checked_object,
    checked_range,
    checked_rate,
    checked_seconds,
    checked_seed,
    checked_size,
    checked_text,
    checked_texts,
    offered_layers,
)
from tfmetamers.stimuli.domains import Cochleagrams
from tfmetamers.utilities.files import file_digest
from tfmetamers.utilities.json_files import content_digest

if TYPE_CHECKING:
    from tfmetamers.networks.families.base import NetworkFamily
    from tfmetamers.networks.network import Network

#: What can be optimised: the network's own stimulus, or what its front end gives in place of it, by the domain's name.
STIMULUS = "stimulus"
OPTIMIZED = (STIMULUS, Cochleagrams.name)

#: Fields that say where files are; only the files' bytes determine a network.
PATHS = ("file", "checkpoint")

#: Fields that say what the input of a user's own model is.
INPUT_FIELDS = ("domain", "input_range", "size", "duration", "sampling_rate")

#: Fields that do not change what a metamer is.
_NOT_DETERMINING = (*PATHS, "labels", "layers", "logits")


def _checked(check: Callable[[Any, str], Any], **options) -> Any:
    """Return a field that may be left out, and is checked by a function of `tfmetamers.networks.spec_values`."""
    return dataclasses.field(default=None, metadata={"check": check}, **options)


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """Which network, from where, with which weights.

    A field that is None stands for the network's own.

    Attributes:
        family: the name of its family (`tfmetamers.networks.families`).
        name: its name among those of the family, where there are several.
        file: the file or folder that defines it, for families that read one.
        definition: what defines it, as JSON, in place of a file.
        checkpoint: the file of its weights.
        random_seed: the seed of random weights.
        size: height and width of pictures in pixels, or the shape of arrays.
        duration: of sounds, in seconds.
        input_range: the values that stand for black and white in a model's input.
        labels: the label of each logit.
        layers: names of the layers to offer, for a model of one's own.
        logits: the name of the output that labels belong to.
        input: the name of the tensor that takes the stimulus.
        signature: the name of a SavedModel's signature.
        domain: the kind of stimulus, ``"image"``, ``"sound"`` or ``"array"``, where it does not follow from the model.
        sampling_rate: of a model's sounds, in Hz.
        optimize: ``"stimulus"``, or ``"cochleagram"`` in place of the waveform.

    Raises:
        ArgumentError: there is no such family, it does not take one of the fields, or a value cannot be used.

    >>> spec = NetworkSpec(family="slim", name="vgg_19", random_seed=3)
    >>> spec == NetworkSpec.parse("vgg_19:random:3")
    True
    """

    family: str = dataclasses.field(metadata={"check": checked_text})
    name: str | None = _checked(checked_text)
    file: str | None = _checked(checked_text)
    definition: Mapping[str, Any] | None = _checked(checked_object, hash=False)
    checkpoint: str | None = _checked(checked_text)
    random_seed: int | None = _checked(checked_seed)
    size: tuple[int, ...] | None = _checked(checked_size)
    duration: float | None = _checked(checked_seconds)
    input_range: tuple[float, float] | None = _checked(checked_range)
    labels: tuple[str, ...] | None = _checked(checked_texts)
    layers: tuple[str, ...] | None = _checked(offered_layers)
    logits: str | None = _checked(checked_text)
    input: str | None = _checked(checked_text)
    signature: str | None = _checked(checked_text)
    domain: str | None = _checked(checked_domain)
    sampling_rate: int | None = _checked(checked_rate)
    optimize: str = dataclasses.field(default=STIMULUS, metadata={"check": checked_text})

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value is not None:
                checked = field.metadata["check"](value, field.name.replace("_", " "))
                object.__setattr__(self, field.name, checked)
        if self.optimize not in OPTIMIZED:
            raise unknown_name("optimised quantity", self.optimize, OPTIMIZED)
        if self.random_seed is not None and self.checkpoint is not None:
            raise ArgumentError(
                f"{self.name or self.file} got the checkpoint {self.checkpoint} and random weights; give one of them."
            )
        self.network_family.check(self)

    @classmethod
    def parse(cls, text: str, **fields: Any) -> "NetworkSpec":
        """Return the network that a text names in the notation (`NOTATION`).

        Args:
            text: such as ``vgg_19:random:3``.
            fields: further fields, such as ``labels``; those that are None are ignored.

        Raises:
            ArgumentError: the text names no network, a part of it is missing, or a field repeats a part of it.

        >>> spec = NetworkSpec.parse("inception_v3@224:random:3")
        >>> spec.size, spec.random_seed, spec.folder_name
        ((224, 224), 3, 'inception_v3@224~random-3')
        >>> NetworkSpec.from_json(spec.to_json()) == spec
        True
        >>> str(spec)
        'inception_v3@224:random:3'
        """
        from tfmetamers.networks.families import claim

        text = os.fspath(text) if isinstance(text, str | os.PathLike) else text
        if not isinstance(text, str) or not text:
            raise ArgumentError(f"The network is {shown(text)}; a text such as 'vgg_19' was expected.")
        for base, parts in readings(text):
            claimed = claim(base)
            if claimed is not None:
                parsed = parse_parts(text, parts)
                break
        else:
            raise _unknown(base)
        given = {field: value for field, value in fields.items() if value is not None}
        for field in parsed.keys() & given.keys():
            raise ArgumentError(f"The {field.replace('_', ' ')} of {text!r} is given twice; give it once.")
        return cls(**claimed, **parsed, **given)

    @property
    def stated_input(self) -> dict[str, Any]:
        """What is stated of a model's input, None where nothing is: the fields `INPUT_FIELDS`."""
        return {field: getattr(self, field) for field in INPUT_FIELDS}

    @property
    def network_family(self) -> "NetworkFamily":
        """The family's definition."""
        from tfmetamers.networks.families import find_family

        return find_family(self.family)

    @cached_property
    def network_name(self) -> str:
        """The network's name in folders and tables; TensorFlow is not needed for it.

        Raises:
            ArgumentError: the file that has it cannot be used.
            CheckpointError: that file is missing or damaged.
        """
        return self.network_family.network_name(self)

    @cached_property
    def folder_name(self) -> str:
        """The network's name, and what differs from the network's own: ``inception_v3@224~random-3``.

        Weights from a file are named by the first digits of the file's SHA-256, as in ``vgg_19~1b8d7ec8``.
        """
        return self.folder_name_with(self.network_name, self.digest)

    def folder_name_with(self, name: str, digest: str) -> str:
        """Return `folder_name` with a name and a `digest` that are known already."""
        parts = [name + self._extent]
        if self.definition is not None or self.checkpoint is not None or self.file is not None:
            parts.append(self._content_digest(digest)[:8])
        if self.random_seed is not None:
            parts.append(f"random-{self.random_seed}")
        if self.input_range is not None:
            parts.append("range-{}-{}".format(*map(shortest_text, self.input_range)))
        parts += [
            f"{field}-{value}"
            for field in ("input", "signature", "domain")
            if (value := getattr(self, field)) is not None
        ]
        if self.sampling_rate is not None:
            parts.append(f"{self.sampling_rate}Hz")
        if self.optimize != STIMULUS:
            parts.append(self.optimize)
        return "~".join(parts)

    def _content_digest(self, digest: str) -> str:
        """Return the digest of the definition and the files together, given that of the files."""
        if self.definition and self.checkpoint is not None:
            return content_digest({"definition": self.definition, "files": digest})
        return content_digest(self.definition) if self.definition else digest

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the files that determine the network, empty where there is none.

        Raises:
            CheckpointError: one is missing or cannot be read.
        """
        files = self.network_family.files(self)
        try:
            return file_digest(*files) if files else ""
        except OSError as error:
            raise CheckpointError(f"{error.filename} cannot be read: {error.strerror}; copy it again.") from error

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What determines the network, wherever its files are: its fields, and the SHA-256 of the files."""
        return self.identity_with(self.digest)

    def identity_with(self, digest: str) -> dict[str, Any]:
        """Return `identity` with a `digest` that is known already."""
        fields = {field: value for field, value in self.to_json().items() if field not in _NOT_DETERMINING}
        return {**self.network_family.identity(fields), "sha256": digest}

    def load(self) -> "Network":
        """Return the network.

        Raises:
            ArgumentError: a value cannot be used.
            CheckpointError: a file is missing, damaged, or not of the network.
        """
        from tfmetamers.utilities.device import grow_memory  # Imports TensorFlow.

        grow_memory()
        network = self.network_family.load(self).loaded_by(self)
        self.digest  # noqa: B018  Computed now: the files may have changed by the time something has been made.
        return self._optimized(network)

    def describe(self) -> "Network":
        """Return the network without its weights, unless they are needed to know its layers.

        Raises:
            ArgumentError: a value cannot be used.
            CheckpointError: a file is missing or damaged.
        """
        return self._optimized(self.network_family.describe(self).loaded_by(self))

    def _optimized(self, network: "Network") -> "Network":
        """Return a network of what is optimised."""
        return network if self.optimize == STIMULUS else network.without_front_end()

    def remembering(self, network_name: str, digest: str) -> "NetworkSpec":
        """Return the same with the name and the `digest` of an earlier time: to tell them, its files are not needed."""
        remembering = self.replace()
        vars(remembering).update(network_name=network_name, digest=digest)
        return remembering

    def replace(self, **fields: Any) -> "NetworkSpec":
        """Return the same with other values for some fields."""
        return dataclasses.replace(self, **fields)

    def to_json(self) -> dict[str, Any]:
        """Return the fields that are given, as JSON has them; paths are made absolute."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        kept = {name: value for name, value in values.items() if value is not None}
        if self.optimize == STIMULUS:
            del kept["optimize"]
        kept |= {name: str(Path(kept[name]).absolute()) for name in PATHS if name in kept}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in kept.items()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "NetworkSpec":
        """Return what `to_json` gave.

        Raises:
            ArgumentError: a field is unknown or missing, or has a value that cannot be used.
        """
        known = [field.name for field in dataclasses.fields(cls)]
        if not isinstance(content, Mapping) or not isinstance(content.get("family"), str):
            raise ArgumentError(
                f"A network is described by {shown(content)}; fields by name, with its family, were expected."
            )
        for name in content:
            if name not in known:
                raise unknown_name("field", name, known, where=" of a network")
        return cls(**content)

    def __str__(self) -> str:
        weights = ""
        if self.random_seed is not None:
            weights = f":random:{self.random_seed}"
        elif self.checkpoint is not None:
            weights = f"={self.checkpoint}"
        return f"{self.network_family.text(self)}{self._extent}{weights}"

    @property
    def title(self) -> str:
        """What it is called in figures: the notation with the network's name in the place of paths.

        >>> NetworkSpec.parse("vgg_19@160=weights/vgg_19.ckpt").title
        'vgg_19@160'
        """
        random = "" if self.random_seed is None else f":random:{self.random_seed}"
        return f"{self.network_name}{self._extent}{random}"

    @property
    def _extent(self) -> str:
        return extent_text(self.size, self.duration)


def _unknown(base: str) -> ArgumentError:
    from tfmetamers.networks.families import network_names

    if Path(base).suffix or os.sep in base:
        fault = "is not a network of any known kind" if os.path.exists(base) else "does not exist"
        return ArgumentError(
            f"{base} {fault}; a name that 'tfmetamers networks' lists, a model (.keras, .h5, .pb), an architecture "
            "(.json, .pckl), or the folder of a SavedModel or of a trained network was expected."
        )
    return unknown_name("network", base, network_names(), "'tfmetamers networks' lists them.")
