"""What the networks of the paper are called in its figures, and the bundled networks that take their places."""

from tfmetamers.plotting.style import COLOURS
from tfmetamers.reproduce.drawing import Role

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
    "word_reduced_aliasing:random:0": _UNTRAINED,
}
