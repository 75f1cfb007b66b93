"""What the networks of the paper are called in its figures, and the bundled networks that take their places."""

from collections.abc import Sequence

from tfmetamers.networks.notation import without_extent
from tfmetamers.plotting.style import COLOURS
from tfmetamers.reproduce.drawing import Role, assign_roles
from tfmetamers.reproduce.recognition import is_trained

_WORD = Role("Word, same network", COLOURS["black"], "s")
_OTHER_SEED = Role("Word, other seed", COLOURS["blue"])
_BOTH = Role("Both tasks", COLOURS["green"])
_CATEGORY = Role("Backgrounds alone", COLOURS["vermilion"])
_UNTRAINED = Role("Untrained", COLOURS["grey"], "D")

#: The paper's networks that the bundled ones stand for.
_BUNDLED = {
    "small_word_aliased": "word_aliased",
    "small_word_reduced_aliasing": "word_reduced_aliasing",
    "small_word_reduced_aliasing_seed_1": "word_reduced_aliasing_seed_1",
    "small_word_and_category_reduced_aliasing": "word_and_category_reduced_aliasing",
    "small_category_reduced_aliasing": "category_reduced_aliasing",
    "small_word_reduced_aliasing:random:0": "word_reduced_aliasing:random:0",
}

#: Networks whose metamers are shown to the word network with reduced aliasing (Figures 4 and 6).
_TASKS = {
    "word_reduced_aliasing": _WORD,
    "word_reduced_aliasing_seed_1": _OTHER_SEED,
    "word_and_category_reduced_aliasing": _BOTH,
    "category_reduced_aliasing": _CATEGORY,
    "word_reduced_aliasing:random:0": _UNTRAINED,
}
TASKS = _TASKS | {bundled: _TASKS[name] for bundled, name in _BUNDLED.items() if name in _TASKS}

#: Colours of the networks of pictures (Figure 5).
_IMAGE_COLOURS = {
    "vgg_19": COLOURS["blue"],
    "inception_v3": COLOURS["vermilion"],
    "resnet_v2_101": COLOURS["green"],
}


def published_name(title: str) -> str:
    """Return the paper's network that a network stands for, whatever its size.

    >>> published_name("small_word_aliased")
    'word_aliased'
    >>> published_name("inception_v3@224")
    'inception_v3'
    """
    name = without_extent(title)
    return _BUNDLED.get(name, name)


def image_roles(names: Sequence[str]) -> dict[str, Role]:
    """Return the role of each network of pictures: its colour in all figures, and grey for random weights."""
    known = {name: Role(name, _IMAGE_COLOURS[without_extent(name)]) for name in names
             if without_extent(name) in _IMAGE_COLOURS}  # fmt: skip
    known |= {name: Role(name, COLOURS["grey"], "D") for name in names if not is_trained(name)}
    return assign_roles(names, known)
