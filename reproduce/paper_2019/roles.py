"""What the networks of the paper are called in its figures, and the bundled networks that take their places."""

from collections.abc import Sequence

from tfmetamers.plotting.style import COLOURS
from tfmetamers.reproduce.drawing import Role, assign_roles
from tfmetamers.reproduce.paper_2019.recognition import is_trained
from tfmetamers.reproduce.results import without_size

_WORD = Role("Word, same network", COLOURS["black"], "s")
_OTHER_SEED = Role("Word, other seed", COLOURS["blue"])
_BOTH = Role("Both tasks", COLOURS["green"])
_CATEGORY = Role("Backgrounds alone", COLOURS["vermilion"])
_UNTRAINED = Role("Untrained", COLOURS["grey"], "D")

#: Networks whose metamers are shown to the word network with reduced aliasing (Figures 4 and 6).
TASKS = {
    "small_word_reduced_aliasing": _WORD,
    "small_word_reduced_aliasing_seed_1": _OTHER_SEED,
    "small_word_and_category_reduced_aliasing": _BOTH,
    "small_category_reduced_aliasing": _CATEGORY,
    "small_word_reduced_aliasing:random:0": _UNTRAINED,
    "word_reduced_aliasing": _WORD,
    "word_reduced_aliasing_seed_1": _OTHER_SEED,
    "word_and_category_reduced_aliasing": _BOTH,
    "category_reduced_aliasing": _CATEGORY,
    "word_reduced_aliasing:random:0": _UNTRAINED,
}

#: Colours of the networks of pictures (Figure 5).
_IMAGE_COLOURS = {
    "vgg_19": COLOURS["blue"],
    "inception_v3": COLOURS["vermilion"],
    "resnet_v2_101": COLOURS["green"],
}


def image_roles(names: Sequence[str]) -> dict[str, Role]:
    """Return the role of each network of pictures: its colour in all figures, and grey for random weights."""
    known = {name: Role(name, _IMAGE_COLOURS[without_size(name)]) for name in names
             if without_size(name) in _IMAGE_COLOURS}  # fmt: skip
    known |= {name: Role(name, COLOURS["grey"], "D") for name in names if not is_trained(name)}
    return assign_roles(names, known)
