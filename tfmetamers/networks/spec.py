"""Which network, from where, and with which weights: plain data that can be sent anywhere, and its notation as text.

`NOTATION` has every form of the notation.
"""

import dataclasses
import itertools
import math
import numbers
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfmetamers.errors import ArgumentError, CheckpointError, checked_whole_number, shown, unknown_name
from tfmetamers.stimuli.domains import MODEL_DOMAINS
from tfmetamers.utilities.files import file_digest
from tfmetamers.utilities.json_files import content_digest
from tfmetamers.utilities.lists import listed
from tfmetamers.utilities.regular_files import read_text

if TYPE_CHECKING:
    from tfmetamers.networks.families.base import NetworkFamily
    from tfmetamers.networks.network import Network

#: Every form of the notation, by examples, and what it names. ``@`` comes before ``=`` and ``:random``.
NOTATION = {
    "vgg_19": "a network of 'tfmetamers networks', with its own weights",
    "vgg_19=FILE.ckpt": "with the weights of another checkpoint",
    "vgg_19:random, vgg_19:random:3": "with random weights, of seed 0 or 3",
    "inception_v3@224, mine.keras@128x256": "for pictures of another size: a square, or height and width",
    "deepspeech@1.5s": "for sounds of another duration",
    "keras:ResNet50": "a model of Keras Applications",
    "mine.keras, mine.h5": "a Keras model of your own",
    "graph.pb, FOLDER": "a frozen graph of TensorFlow 1, or a SavedModel",
    "layers.json=FILE.ckpt, layers.json:random": "an auditory network with layers of your own (.json or .pckl)",
    "networks/words": "the folder of a network that 'tfmetamers train' made",
    "release:DIR, release:DIR:word_aliased": "a word network of the authors' release",
}

#: The largest file of labels that is read, in bytes.
MAX_LABELS = 2**24

#: What can be optimised: the network's own stimulus, or the cochleagram in place of the waveform.
OPTIMIZED = ("stimulus", "cochleagram")

#: What stands for every layer that has a name, where layers are asked for.
ALL_LAYERS = "all"

#: What may follow the name or path of a network.
_PARTS = re.compile(
    r"(?:@(?P<extent>\d{1,18}(?:x\d{1,18})*|\d*\.?\d+s))?(?:=(?P<checkpoint>.*)|:(?P<random>random)(?::(?P<seed>.*))?)?"
)

#: Fields that say where files are; only the files' bytes determine a network.
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
        for base, parts in _readings(text):
            claimed = claim(base)
            if claimed is not None:
                parsed = _parse_parts(text, parts)
                break
        else:
            raise _unknown(base)
        given = {field: value for field, value in fields.items() if value is not None}
        for field in parsed.keys() & given.keys():
            raise ArgumentError(f"The {field.replace('_', ' ')} of {text!r} is given twice; give it once.")
        return cls(**claimed, **parsed, **given)

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
        look_in: folders to look in for files that have moved or were replaced.

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
            f"The files of {name} have changed since the metamer was made; give the folder that has the earlier ones "
            "with --look-in DIR."
        )
    where = f"{spec.checkpoint or spec.file} is gone" if spec.checkpoint or spec.file else f"{name} was not fetched"
    raise CheckpointError(f"{where}; fetch it, or give the folder that it is in with --look-in DIR.")


def _moved(spec: NetworkSpec, look_in: Sequence[Path]) -> list[NetworkSpec]:
    """Return the spec with its files looked for in other folders, by their names and by the folders above them."""
    paths = {field: Path(getattr(spec, field)) for field in _PATHS if getattr(spec, field) is not None}
    if not paths:  # A network with its own weights, which may be in any of the folders.
        return [
            spec.replace(checkpoint=str(path))
            for folder in look_in
            for path in spec.network_family.own_files(folder, spec)
        ]
    places = [
        [path, *(place for folder in look_in for place in (*(Path(folder, *path.parts[-n:]) for n in (1, 3)), folder))]
        for path in paths.values()
    ]
    return [
        spec.replace(**dict(zip(paths, map(str, chosen), strict=True)))
        for chosen in list(itertools.product(*places))[1:]
    ]


def _readings(text: str) -> Iterator[tuple[str, re.Match]]:
    """Yield every split of a text into a base and parts, the longest base first: a path may contain any sign."""
    for end in range(len(text), 0, -1):
        parts = _PARTS.fullmatch(text, end)
        if parts is not None:
            yield text[:end], parts


def _parse_parts(text: str, parts: re.Match) -> dict[str, Any]:
    """Return the fields that the parts of a notation after its base stand for."""
    fields: dict[str, Any] = {}
    if parts["checkpoint"] is not None:
        if not parts["checkpoint"]:
            raise ArgumentError(f"The network {text!r} has no checkpoint after '='; write NAME=FILE.")
        fields["checkpoint"] = parts["checkpoint"]
    elif parts["random"]:
        seed = parts["seed"]
        if seed is not None and not re.fullmatch(r"\d{1,18}", seed):
            raise ArgumentError(
                f"The network {text!r} has the seed {shown(seed)}; write NAME:random:SEED, with a whole number of at "
                "most 18 digits."
            )
        fields["random_seed"] = int(seed or 0)
    extent = parts["extent"]
    if extent is not None and extent.endswith("s"):
        fields["duration"] = float(extent[:-1])
    elif extent is not None:
        sides = [int(side) for side in extent.split("x")]
        fields["size"] = sides * 2 if len(sides) == 1 else sides
    return fields


def _unknown(base: str) -> ArgumentError:
    from tfmetamers.networks.families import network_names

    if Path(base).suffix or os.sep in base:
        fault = "is not a network of any known kind" if os.path.exists(base) else "does not exist"
        return ArgumentError(
            f"{base} {fault}; a name that 'tfmetamers networks' lists, a model (.keras, .h5, .pb), an architecture "
            "(.json, .pckl), or the folder of a SavedModel or of a trained network was expected."
        )
    return unknown_name("network", base, network_names(), "'tfmetamers networks' lists them.")


def offered_layers(layers: str | Iterable[str] | None) -> tuple[str, ...] | None:
    """Return the names of the layers that a model is to offer, where one may be given alone; None for all.

    Raises:
        ArgumentError: they are not names.
    """
    if layers is None or (isinstance(layers, str) and layers == ALL_LAYERS):
        return None
    return _texts("layers", listed(layers))


def check_domain(domain: str) -> None:
    """Refuse a name that is not a domain of users' own models.

    Raises:
        ArgumentError: it is not.
    """
    if domain not in MODEL_DOMAINS:
        raise unknown_name("domain", domain, MODEL_DOMAINS)


def checked_range(value: Sequence[float]) -> tuple[float, float]:
    """Return an input range: what stands for black, and what for white.

    Raises:
        ArgumentError: it is not two finite numbers, the lower one first.
    """
    try:
        low, high = (float(number) for number in value)
    except (TypeError, ValueError):
        low = high = math.nan
    if isinstance(value, str) or not -math.inf < low < high < math.inf:
        raise ArgumentError(
            f"The input range is {shown(value)}; two finite numbers, the lower one first, were expected."
        )
    return low, high


def _size(field: str, value) -> tuple[int, ...]:
    values = list(value) if isinstance(value, Iterable) and not isinstance(value, str) else [value, value]
    return tuple(checked_whole_number(field, side, minimum=1) for side in values)


def _layers(field: str, value) -> tuple[str, ...] | None:
    return offered_layers(value)


def _range(field: str, value) -> tuple[float, float]:
    return checked_range(value)


def _domain(field: str, value) -> str:
    check_domain(value)
    return str(value)


def _shortest(number: float) -> str:
    """Return the shortest text of a number that is exact."""
    return repr(number).removesuffix(".0")


def _texts(field: str, value) -> tuple[str, ...]:
    is_list = isinstance(value, Iterable) and not isinstance(value, str | Mapping | Set)
    if not is_list or not all(isinstance(each, str) for each in value):
        raise ArgumentError(f"The {field} are {shown(value)}; a list of text was expected.")
    return tuple(value)


def _text(field: str, value) -> str:
    if not isinstance(value, str | os.PathLike):
        raise ArgumentError(f"The {field} of a network is {shown(value)}; text was expected.")
    text = os.fspath(value)
    if isinstance(text, bytes) or "\0" in text or not _is_unicode(text):
        raise ArgumentError(f"The {field} of a network is {shown(text)}, which is not Unicode text; rename the file.")
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


def _seed(field: str, value) -> int:
    return checked_whole_number(field.replace("_", " "), value, minimum=0)


def _rate(field: str, value) -> int:
    return checked_whole_number(field.replace("_", " "), value, minimum=1)


def _seconds(field: str, value) -> float:
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not is_number or not 0 < value < float("inf"):
        raise ArgumentError(f"The {field} is {shown(value)}; seconds above 0 were expected.")
    return float(value)


_CONVERTERS = {
    **dict.fromkeys(("family", "name", "file", "checkpoint", "logits", "input", "signature"), _text),
    "domain": _domain,
    "optimize": _text,
    "definition": _object,
    "random_seed": _seed,
    "sampling_rate": _rate,
    "size": _size,
    "input_range": _range,
    "labels": _texts,
    "layers": _layers,
    "duration": _seconds,
}
