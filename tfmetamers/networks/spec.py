"""Which network, from where, and with which weights: plain data that can be sent anywhere, with one notation.

::

    vgg_19                       a network of 'tfmetamers networks', by its own weights
    vgg_19=FILE.ckpt             by another checkpoint
    vgg_19:random:3              by random weights of seed 3 (``:random`` is seed 0)
    inception_v3@224             of pictures of 224 x 224 pixels (``@128x256``: height and width)
    deepspeech@1.5s              of sounds of 1.5 seconds
    keras:ResNet50               a model of Keras Applications
    mine.keras                   a model of your own: .keras, .h5, .pb (a frozen graph), the folder of a SavedModel
    layers.json=FILE.ckpt        an auditory network of your own layers (.json or .pckl)
    networks/words               the folder of a network that 'tfmetamers train' made
    release:DIR:word_aliased     a word network of the authors' release

``@`` comes before ``=`` and ``:random``.
"""

import dataclasses
import itertools
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfmetamers.errors import ArgumentError, CheckpointError, checked_whole_number, shown, unknown_name
from tfmetamers.utilities.files import file_digest
from tfmetamers.utilities.json_files import content_digest
from tfmetamers.utilities.regular_files import read_text

if TYPE_CHECKING:
    from tfmetamers.networks.families.base import NetworkFamily
    from tfmetamers.networks.network import Network

#: The largest file of labels that is read, in bytes.
MAX_LABELS = 2**24

#: What can be optimised: the network's own stimulus, or the cochleagram in place of the waveform.
OPTIMIZED = ("stimulus", "cochleagram")

#: What may follow the name or path of a network.
_PARTS = re.compile(
    r"(?:@(?P<extent>\d{1,18}(?:x\d{1,18})*|\d*\.?\d+s))?(?:=(?P<checkpoint>.*)|:(?P<random>random)(?::(?P<seed>.*))?)?"
)

#: Fields that say where files are, which determine nothing: their bytes do.
_PATHS = ("file", "checkpoint")

#: Fields that do not change what a metamer is.
_NOT_DETERMINING = (*_PATHS, "labels", "layers", "logits")


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """Which network, from where, with which weights.

    A field that is None stands for the network's own.

    Attributes:
        family: the name of its family (`tfmetamers.networks.families`).
        name: its name among those of the family, where there are several.
        file: the file or folder that defines it, for families that read one.
        definition: what defines it, as JSON has it, in place of a file.
        checkpoint: the file of its weights.
        random_seed: the seed of random weights.
        size: height and width of pictures in pixels, or the shape of arrays.
        duration: of sounds, in seconds.
        input_range: what a model takes for black and white.
        labels: the label of each logit.
        layers: names of the layers to offer, of a model whose layers have none of the paper's names.
        logits: the name of the output that labels belong to.
        input: the name of the tensor that takes the stimulus.
        signature: the name of a SavedModel's signature.
        domain: what the stimulus is, ``"image"``, ``"sound"`` or ``"array"``, where the model alone does not tell.
        sampling_rate: of a model's sounds, in Hz.
        optimize: ``"stimulus"``, or ``"cochleagram"`` in place of the waveform.

    Raises:
        ArgumentError: there is no such family, it does not take one of the fields, or a value cannot be used.
    """

    family: str
    name: str | None = None
    file: str | None = None
    definition: Mapping[str, Any] | None = dataclasses.field(default=None, hash=False)
    checkpoint: str | None = None
    random_seed: int | None = None
    size: tuple[int, ...] | None = None
    duration: float | None = None
    input_range: tuple[float, float] | None = None
    labels: tuple[str, ...] | None = None
    layers: tuple[str, ...] | None = None
    logits: str | None = None
    input: str | None = None
    signature: str | None = None
    domain: str | None = None
    sampling_rate: int | None = None
    optimize: str = "stimulus"

    def __post_init__(self):
        for field, convert in _CONVERTERS.items():
            if getattr(self, field) is not None:
                object.__setattr__(self, field, convert(field, getattr(self, field)))
        if self.optimize not in OPTIMIZED:
            raise unknown_name("thing to optimise called", self.optimize, OPTIMIZED, "Give one of these.")
        if self.random_seed is not None and self.checkpoint is not None:
            raise ArgumentError(
                f"{self.name or self.file} got the checkpoint {self.checkpoint} and random weights; give one of them."
            )
        self.kind.check(self)

    @classmethod
    def parse(cls, text: str, **fields: Any) -> "NetworkSpec":
        """Return the network that a text names; this module's documentation has the notation.

        Args:
            text: such as ``vgg_19:random:3``.
            fields: further fields, such as ``labels``; those that are None are left to the text.

        Raises:
            ArgumentError: the text names no network, a part of it is missing, or it says what a field says too.

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
        for base, parts in _readings(text):
            claimed = claim(base)
            if claimed is not None:
                told = _told(text, parts)
                break
        else:
            raise _unknown(base)
        given = {field: value for field, value in fields.items() if value is not None}
        for field in told.keys() & given.keys():
            raise ArgumentError(f"The {field.replace('_', ' ')} of {text!r} is given twice; give it once.")
        return cls(**claimed, **told, **given)

    @property
    def kind(self) -> "NetworkFamily":
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
        return self.kind.network_name(self)

    @cached_property
    def folder_name(self) -> str:
        """The network's name, and what of it is not its own: ``inception_v3@224~random-3``.

        Weights of a file are told by the first digits of the file's SHA-256, as ``vgg_19~1b8d7ec8``.
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
            parts.append("range-{}-{}".format(*map(_shortest, self.input_range)))
        parts += [
            f"{field}-{value}"
            for field in ("input", "signature", "domain")
            if (value := getattr(self, field)) is not None
        ]
        if self.sampling_rate is not None:
            parts.append(f"{self.sampling_rate}Hz")
        if self.optimize != "stimulus":
            parts.append(self.optimize)
        return "~".join(parts)

    def _content_digest(self, digest: str) -> str:
        """Return what tells the definition and the files together, `digest` being that of the files."""
        if self.definition and self.checkpoint is not None:
            return spec_digest({"definition": self.definition, "files": digest})
        return spec_digest(self.definition) if self.definition else digest

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the files that determine the network, empty where there is none.

        Raises:
            CheckpointError: one is missing or cannot be read.
        """
        files = self.kind.files(self)
        try:
            return file_digest(*files) if files else ""
        except OSError as error:
            raise CheckpointError(f"{error.filename} cannot be read: {error.strerror}; copy it again.") from error

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What determines the network, wherever its files lie: its fields, and the SHA-256 of the files."""
        return self.identity_with(self.digest)

    def identity_with(self, digest: str) -> dict[str, Any]:
        """Return `identity` with a `digest` that is known already."""
        told = {field: value for field, value in self.to_json().items() if field not in _NOT_DETERMINING}
        return {**self.kind.identity(told), "sha256": digest}

    def load(self) -> "Network":
        """Return the network.

        Raises:
            ArgumentError: a value cannot be used.
            CheckpointError: a file is missing, damaged, or not of the network.
        """
        network = self.kind.load(self).loaded_by(self)
        self.digest  # noqa: B018  Of now: when something has been made, the files may be others.
        return self._optimized(network)

    def describe(self) -> "Network":
        """Return the network without its weights, as far as they are not needed to tell its layers.

        Raises:
            ArgumentError: a value cannot be used.
            CheckpointError: a file is missing or damaged.
        """
        return self._optimized(self.kind.describe(self).loaded_by(self))

    def _optimized(self, network: "Network") -> "Network":
        """Return a network of what is optimised."""
        return network.without_front_end() if self.optimize == "cochleagram" else network

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
        if self.optimize == "stimulus":
            del kept["optimize"]
        kept |= {name: str(Path(kept[name]).absolute()) for name in _PATHS if name in kept}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in kept.items()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "NetworkSpec":
        """Return what `to_json` gave.

        Raises:
            ArgumentError: a field is unknown or missing, or has a value that cannot be used.
        """
        known = [field.name for field in dataclasses.fields(cls)]
        if not isinstance(content, Mapping) or not isinstance(content.get("family"), str):
            raise ArgumentError(f"A network is {shown(content)}; its fields by name were expected, family among them.")
        for name in content:
            if name not in known:
                raise unknown_name("field of a network called", name, known, "Give one of these.")
        return cls(**content)

    def __str__(self) -> str:
        weights = ""
        if self.random_seed is not None:
            weights = f":random:{self.random_seed}"
        elif self.checkpoint is not None:
            weights = f"={self.checkpoint}"
        return f"{self.kind.text(self)}{self._extent}{weights}"

    @property
    def _extent(self) -> str:
        if self.size is not None:
            is_square = len(self.size) == 2 and self.size[0] == self.size[1]
            return f"@{self.size[0]}" if is_square else f"@{'x'.join(map(str, self.size))}"
        return "" if self.duration is None else f"@{_shortest(self.duration)}s"


def read_labels(file: str | os.PathLike) -> list[str]:
    """Return the lines of a file of labels.

    Raises:
        ArgumentError: it is missing, too large, or not text in UTF-8.
    """
    try:
        return read_text(Path(file), MAX_LABELS).splitlines()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not text in UTF-8"
        raise ArgumentError(f"{file} cannot be read ({reason}); a text of one label a line was expected.") from error


def locate(spec: NetworkSpec, digest: str, look_in: Sequence[Path] = ()) -> NetworkSpec:
    """Return a network's spec with its files where they are now.

    Args:
        spec: as it was recorded.
        digest: `NetworkSpec.digest` at that time.
        look_in: folders to look in for files that are no longer where they were, or are others there.

    Raises:
        CheckpointError: the files are gone or have changed.
    """
    present = False
    for each in (spec.replace(), *_moved(spec, look_in)):  # A copy, whose files are those of now.
        try:
            found = each.digest
        except CheckpointError:
            continue
        present = True
        if found == digest:
            return each
    name = spec.name or spec.file
    if present:
        raise CheckpointError(
            f"The files of {name} are not what they were when the metamer was made; give the folder that has those of "
            "that time by --look-in DIR."
        )
    where = f"{spec.checkpoint or spec.file} is gone" if spec.checkpoint or spec.file else f"{name} was not fetched"
    raise CheckpointError(f"{where}; fetch it, or give the folder that it is in by --look-in DIR.")


def _moved(spec: NetworkSpec, look_in: Sequence[Path]) -> list[NetworkSpec]:
    """Return the spec with any of its files in other folders, each by its name and the folders above it."""
    paths = {field: Path(getattr(spec, field)) for field in _PATHS if getattr(spec, field) is not None}
    if not paths:  # A network by its own weights, which may lie in any of the folders.
        return [spec.replace(checkpoint=str(path)) for folder in look_in for path in spec.kind.own_files(folder, spec)]
    places = [
        [path, *(place for folder in look_in for place in (*(Path(folder, *path.parts[-n:]) for n in (1, 3)), folder))]
        for path in paths.values()
    ]
    return [
        spec.replace(**dict(zip(paths, map(str, chosen), strict=True)))
        for chosen in list(itertools.product(*places))[1:]
    ]


def _readings(text: str) -> Iterator[tuple[str, re.Match]]:
    """Give every way to read a text as a base and parts, the longest base first: a path may hold any of the signs."""
    for end in range(len(text), 0, -1):
        parts = _PARTS.fullmatch(text, end)
        if parts is not None:
            yield text[:end], parts


def _told(text: str, parts: re.Match) -> dict[str, Any]:
    """Return the fields that the parts of a notation after its base stand for."""
    told: dict[str, Any] = {}
    if parts["checkpoint"] is not None:
        if not parts["checkpoint"]:
            raise ArgumentError(f"The network {text!r} has no checkpoint after '='; write NAME=FILE.")
        told["checkpoint"] = parts["checkpoint"]
    elif parts["random"]:
        seed = parts["seed"]
        if seed is not None and not re.fullmatch(r"\d{1,18}", seed):
            raise ArgumentError(
                f"The network {text!r} has the seed {shown(seed)}; write NAME:random:SEED, from 0 and of at most 18 "
                "digits."
            )
        told["random_seed"] = int(seed or 0)
    extent = parts["extent"]
    if extent is not None and extent.endswith("s"):
        told["duration"] = float(extent[:-1])
    elif extent is not None:
        sides = [int(side) for side in extent.split("x")]
        told["size"] = sides * 2 if len(sides) == 1 else sides
    return told


def _unknown(base: str) -> ArgumentError:
    from tfmetamers.networks.families import network_names

    if Path(base).suffix or os.sep in base:
        kind = "is not a kind of network that is known" if Path(base).exists() else "does not exist"
        return ArgumentError(
            f"The network {base} {kind}; a name of 'tfmetamers networks' was expected, a model (.keras, .h5, .pb), an "
            "architecture (.json, .pckl), or the folder of a SavedModel or a trained network."
        )
    return unknown_name("network", base, network_names(), "'tfmetamers networks' lists them.")


def _size(field: str, value) -> tuple[int, ...]:
    values = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value, value]
    return tuple(checked_whole_number(field, side, minimum=1) for side in values)


def _pair(field: str, value) -> tuple[float, float]:
    values = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    if len(values) != 2:
        raise ArgumentError(f"The {field.replace('_', ' ')} is {shown(value)}; two numbers were expected.")
    try:
        return tuple(float(number) for number in values)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"The {field.replace('_', ' ')} is {shown(value)}; two numbers were expected.") from error


def _shortest(number: float) -> str:
    """Return the shortest text of a number that is exact."""
    return repr(number).removesuffix(".0")


def _texts(field: str, value) -> tuple[str, ...]:
    is_list = isinstance(value, Iterable) and not isinstance(value, str)
    if not is_list or not all(isinstance(each, str) for each in value):
        raise ArgumentError(f"The {field} are {shown(value)}; a list of texts was expected.")
    return tuple(value)


def _text(field: str, value) -> str:
    if not isinstance(value, str | os.PathLike):
        raise ArgumentError(f"The {field} of a network is {shown(value)}; text was expected.")
    text = os.fspath(value)
    if isinstance(text, bytes) or "\0" in text or not _is_unicode(text):
        raise ArgumentError(f"The {field} of a network is {shown(text)}, which is no text; rename the file.")
    return text


def _is_unicode(text: str) -> bool:
    """Tell whether a text, such as the name of a file, can be written down: a file's bytes need not be UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _object(field: str, value) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ArgumentError(f"The {field} of a network is {shown(value)}; values by name were expected.")
    return value


def _whole(field: str, value) -> int:
    return checked_whole_number(field.replace("_", " "), value, minimum=0)


def _seconds(field: str, value) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 < value < float("inf"):
        raise ArgumentError(f"The {field} is {shown(value)}; seconds above 0 were expected.")
    return float(value)


_CONVERTERS = {
    **dict.fromkeys(("family", "name", "file", "checkpoint", "logits", "input", "signature", "domain"), _text),
    "optimize": _text,
    "definition": _object,
    **dict.fromkeys(("random_seed", "sampling_rate"), _whole),
    "size": _size,
    "input_range": _pair,
    **dict.fromkeys(("labels", "layers"), _texts),
    "duration": _seconds,
}


def spec_digest(identity: Mapping[str, Any]) -> str:
    """Return the SHA-256 of what determines a network or a metamer, in hexadecimal."""
    return content_digest(identity)
