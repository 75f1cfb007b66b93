"""The two gradients of the ReLU that produces the matched layer, in the figures that compare them."""

from tfmetamers.plotting.style import COLOURS
from tfmetamers.reproduce.drawing import Role

#: The gradients, as recipes and figures call them.
MODIFIED, ORDINARY = "straight-through", "normal"

ROLES = {
    MODIFIED: Role("modified gradient", COLOURS["blue"]),
    ORDINARY: Role("ordinary gradient", COLOURS["vermilion"], "s"),
}
