"""The notation of networks as text: a name or a path, and what follows it (`NOTATION`)."""

import re
from collections.abc import Iterator
from typing import Any

from tfmetamers.errors import ArgumentError, shown

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

#: A size or a duration.
_EXTENT = re.compile(r"@(?P<extent>\d{1,18}(?:x\d{1,18})*|\d*\.?\d+s)")

#: What may follow the name or path of a network.
_PARTS = re.compile(rf"(?:{_EXTENT.pattern})?(?:=(?P<checkpoint>.*)|:(?P<random>random)(?::(?P<seed>.*))?)?")


def readings(text: str) -> Iterator[tuple[str, re.Match]]:
    """Yield every split of a text into a base and parts, the longest base first: a path may contain any sign."""
    for end in range(len(text), 0, -1):
        parts = _PARTS.fullmatch(text, end)
        if parts is not None:
            yield text[:end], parts


def parse_parts(text: str, parts: re.Match) -> dict[str, Any]:
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


def extent_text(size: tuple[int, ...] | None, duration: float | None) -> str:
    """Return the part of the notation that has the size of pictures or the duration of sounds; empty without one."""
    if size is not None:
        is_square = len(size) == 2 and size[0] == size[1]
        return f"@{size[0]}" if is_square else f"@{'x'.join(map(str, size))}"
    return "" if duration is None else f"@{shortest_text(duration)}s"


def without_extent(title: str) -> str:
    """Return the title of a network without its size or duration: ``vgg_19:random:0`` for ``vgg_19@160:random:0``.

    Args:
        title: as `tfmetamers.networks.NetworkSpec.title` gives it.
    """
    return _EXTENT.sub("", title)


def shortest_text(number: float) -> str:
    """Return the shortest text of a number that is exact."""
    return repr(number).removesuffix(".0")
