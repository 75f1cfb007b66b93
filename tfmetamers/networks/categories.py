"""The 16 categories of the paper's experiments with pictures, and how a network of ImageNet's classes chooses one.

Which of ImageNet's classes belong to which category is from ``code/helper/human_categories.py`` of
rgeirhos/texture-vs-shape, which the authors' ``helpers_16_choice.py`` repeats.
"""

import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np

from tfmetamers.errors import ArgumentError, unknown_name

if TYPE_CHECKING:
    from tfmetamers.networks.network import Network

#: The categories in sorted order.
CATEGORIES = (
    "airplane",
    "bear",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "car",
    "cat",
    "chair",
    "clock",
    "dog",
    "elephant",
    "keyboard",
    "knife",
    "oven",
    "truck",
)

#: How logits become a category (`decide`); the released rule comes first.
RULES = ("max", "mean")

#: The position of ImageNet's first class by a network's number of classes.
OFFSETS = {1000: 0, 1001: 1}


@cache
def imagenet_indices() -> dict[str, tuple[int, ...]]:
    """Return the classes of each category, 0 to 999 in the order of their WordNet numbers: 207 classes in all."""
    text = resources.files(__package__).joinpath("categories_16.json").read_text("utf-8")
    return {category: tuple(indices) for category, indices in json.loads(text).items()}


@cache
def category_positions(classes: int) -> np.ndarray:
    """Return for each class the position of its category among `CATEGORIES`, -1 for a class in none of them.

    Args:
        classes: the number of logits: 1000, or 1001 with a background class first.

    Returns:
        int (classes,), which cannot be written to.

    Raises:
        ArgumentError: the number of classes is another.

    >>> positions = category_positions(1000)
    >>> CATEGORIES[positions[404]]  # "airliner"
    'airplane'
    """
    if classes not in OFFSETS:
        raise ArgumentError(
            f"The network has {classes} classes; ImageNet's 1000, or 1001 with a background class, were expected. Give "
            "another network."
        )
    positions = np.full(classes, -1)
    for position, category in enumerate(CATEGORIES):
        positions[np.array(imagenet_indices()[category]) + OFFSETS[classes]] = position
    positions.flags.writeable = False
    return positions


def has_categories(network: "Network") -> bool:
    """Tell whether a network takes pictures and has ImageNet's 1000 classes, or 1001 with a background."""
    return network.domain.is_visual and len(network.labels or ()) in OFFSETS


def decide(logits: np.ndarray, rule: str = "max") -> str:
    """Return the category that a network of ImageNet's classes chooses.

    ``max`` goes from the largest logit down and takes the first class that is in a category, as the authors'
    ``force_16_choice`` does. (That function loses the offset of 1001 classes after the first class that it tries; here
    the offset is kept.) ``mean`` takes the category whose classes have the largest mean probability, the default of
    ``code/probabilities_to_decision.py`` in rgeirhos/texture-vs-shape.

    Args:
        logits: float (classes,), for 1000 or 1001 classes.
        rule: ``"max"`` or ``"mean"``.

    Raises:
        ArgumentError: the rule is unknown, the number of logits is another, or they are not finite.

    >>> logits = np.zeros(1000)
    >>> logits[[895, 404]] = 2.0, 1.0  # "warplane", which is in no category, and "airliner"
    >>> decide(logits)
    'airplane'
    """
    check_rule(rule)
    logits = np.asarray(logits, np.float64)
    positions = category_positions(logits.size)
    if not np.isfinite(logits).all():
        raise ArgumentError("Some logits are not finite; use other weights.")
    in_category = np.flatnonzero(positions >= 0)
    if rule == "max":
        return CATEGORIES[positions[in_category[np.argmax(logits[in_category])]]]
    probabilities = np.exp(logits - logits.max())
    sums = np.bincount(positions[in_category], probabilities[in_category])
    return CATEGORIES[np.argmax(sums / np.bincount(positions[in_category]))]


def check_rule(rule: str) -> None:
    """Refuse a rule that is not one of `RULES`.

    Raises:
        ArgumentError: the rule is unknown.
    """
    if rule not in RULES:
        raise unknown_name("decision rule", rule, RULES)
