"""Recipes: everything about a synthesis that is not the network, the layer or the stimulus."""

import dataclasses
import functools
import hashlib
import json
import types
import typing
from dataclasses import dataclass
from typing import Any

from tfmetamers.cochlea.settings import FRONT_ENDS as COCHLEAGRAM_FRONT_ENDS
from tfmetamers.errors import ArgumentError, unknown_name

#: The gradients that the ReLUs which produce the matched layer can have; the paper's comes first.
RELU_GRADIENTS = ("straight-through", "normal")

#: The optimisers, and the fields that each needs besides the learning rate; others must be None.
OPTIMIZERS = {"adam": ("beta_1", "beta_2", "epsilon"), "fixed-length": ()}

#: How the learning rate decays: at every step, or in stairs.
DECAYS = ("continuous", "stairs")

#: The distributions of the first stimulus, and the fields that each needs; others must be None.
NOISES = {"uniform": ("noise_low", "noise_high"), "pink": ("noise_rms",), "normal": ("noise_mean", "noise_deviation")}

#: How often noise is drawn: for each natural stimulus and layer, or once for all.
DRAWS = ("each", "once")

#: How a picture is brought to the network's size: by which of Pillow's filters.
RESAMPLINGS = ("bilinear", "bicubic")

#: How a metamer becomes the picture of 8 bits that people see: by the nearest level, or by the one below.
ROUNDINGS = ("nearest", "floor")

#: The front end that synthesis differentiates; ``none`` is for networks that have none.
FRONT_ENDS = ("none", *COCHLEAGRAM_FRONT_ENDS)

#: The largest number that single precision, in which stimuli are optimised, can hold.
MAX_FLOAT = 3.4e38


@dataclass(frozen=True)
class Criterion:
    """An inclusion test: the network's answer has to be the same, and activations have to match.

    Attributes:
        measures: by which activations have to match (`tfmetamers.inclusion.measures`), each against its own null.
        may_equal: whether the largest value of the null is enough, or has to be exceeded.
        by_category: whether answers among ImageNet's classes are compared as one of the 16 categories
            (`tfmetamers.networks.categories`).
    """

    measures: tuple[str, ...]
    may_equal: bool
    by_category: bool


#: The inclusion tests: that of the 2019 paper (section 3.1), and that of the 2023 paper's code
#: (``optimization_analysis_scripts.py``).
CRITERIA = {
    "feather2019": Criterion(("spearman",), may_equal=False, by_category=False),
    "feather2023": Criterion(("spearman", "pearson", "snr"), may_equal=True, by_category=True),
}


@dataclass(frozen=True, repr=False)
class Recipe:
    """A named set of synthesis settings.

    The loss is half the summed squared difference of activations (``lossfunctions.py`` of the released
    code), and the stimulus is clipped to its bounds after each step.

    Attributes:
        name: the recipe's name.
        steps: number of optimiser steps.
        learning_rate: Adam's learning rate at step 0; the length of the first step of ``"fixed-length"``.
        decay_rate: the learning rate is multiplied by this every `decay_steps` steps.
        decay_steps: see `decay_rate`.
        beta_1: decay of Adam's first moment; None for another optimiser.
        beta_2: decay of Adam's second moment; None for another optimiser.
        epsilon: added to the root of Adam's second moment, before its bias is corrected ("epsilon hat"); None for
            another optimiser.
        noise: the distribution of the first stimulus: ``"uniform"``, ``"pink"`` or ``"normal"``.
        noise_low: lower end of uniform noise; None for other noise.
        noise_high: upper end of uniform noise; None for other noise.
        noise_rms: root mean square of pink noise; None for other noise.
        lower_bound: the minimum of the stimulus; None for no minimum.
        upper_bound: the maximum of the stimulus; None for no maximum.
        relu_gradient: ``"straight-through"`` or ``"normal"``, for the ReLUs that produce the matched layer.
        front_end: ``"exact"`` or ``"fast"`` for networks of sounds, ``"none"`` for those without a front end.
        optimizer: ``"adam"``, TensorFlow 1's; or ``"fixed-length"``, steps of one length along the gradient.
        decay: ``"continuous"``, or ``"stairs"``: after every `decay_steps` steps.
        noise_mean: mean of normal noise, which is clipped to the bounds; None for other noise.
        noise_deviation: standard deviation of normal noise; None for other noise.
        noise_drawn: ``"each"``: for each natural stimulus and layer; ``"once"``: the same for all of a shape.
        resampling: how natural pictures are brought to the network's size, ``"bilinear"`` or ``"bicubic"``.
        rounding: how a metamer becomes a picture of 8 bits, ``"nearest"`` or ``"floor"``.
        criterion: the inclusion test of its metamers (`CRITERIA`), ``"feather2019"`` or ``"feather2023"``.

    Raises:
        ArgumentError: a value is of the wrong type or out of its range.

    >>> recipe = find_recipe("feather2019-image").replace(steps=200)
    >>> recipe.steps, recipe.learning_rate
    (200, 0.001)
    """

    name: str
    steps: int
    learning_rate: float
    decay_rate: float
    decay_steps: int
    beta_1: float | None
    beta_2: float | None
    epsilon: float | None
    noise: str
    noise_low: float | None
    noise_high: float | None
    noise_rms: float | None
    lower_bound: float | None
    upper_bound: float | None
    relu_gradient: str
    front_end: str
    optimizer: str = "adam"
    decay: str = "continuous"
    noise_mean: float | None = None
    noise_deviation: float | None = None
    noise_drawn: str = "each"
    criterion: str = "feather2019"
    resampling: str = "bilinear"
    rounding: str = "nearest"

    def __repr__(self) -> str:
        deviations = "".join(f", {field}={used!r}" for field, (_, used) in self.deviations().items())
        return f"<Recipe {self.name}: {self.steps} steps{deviations}>"

    def __post_init__(self):
        for field, type_ in _types().items():
            object.__setattr__(self, field, _converted(field, getattr(self, field), type_))
        choices = {"optimizer": OPTIMIZERS, "decay": DECAYS, "noise": NOISES, "noise_drawn": DRAWS,
                   "relu_gradient": RELU_GRADIENTS, "front_end": FRONT_ENDS, "criterion": CRITERIA,
                   "resampling": RESAMPLINGS, "rounding": ROUNDINGS}  # fmt: skip
        for field, known in choices.items():
            _require(field, getattr(self, field), getattr(self, field) in known, " or ".join(map(repr, known)))
        self._require_fields(OPTIMIZERS, self.optimizer, f"the optimiser {self.optimizer}")
        self._require_fields(NOISES, self.noise, f"{self.noise} noise")
        for field in ("steps", "learning_rate", "decay_rate", "decay_steps", "epsilon", "noise_rms", "noise_deviation"):
            value = getattr(self, field)
            _require(field, value, value is None or value > 0, "a positive number")
        for field in ("beta_1", "beta_2"):
            value = getattr(self, field)
            _require(field, value, value is None or 0 <= value < 1, "a number from 0 to below 1")
        self._check_bounds()

    def _require_fields(self, kinds: dict[str, tuple[str, ...]], chosen: str, what: str) -> None:
        """Refuse a recipe without a field that its choice of some kinds needs, or with one that only others need."""
        for field in dict.fromkeys(field for fields in kinds.values() for field in fields):
            is_needed = field in kinds[chosen]
            expected = f"{'a number' if is_needed else 'none'}, as for {what},"
            _require(field, getattr(self, field), (getattr(self, field) is not None) == is_needed, expected)

    def _check_bounds(self) -> None:
        bounds = (self.lower_bound, self.noise_low, self.noise_high, self.upper_bound)
        given = [bound for bound in bounds if bound is not None]
        if given != sorted(given):
            raise ArgumentError(
                f"lower_bound, noise_low, noise_high and upper_bound are {bounds}; they must not decrease from one "
                "to the next."
            )

    @property
    def optimizer_title(self) -> str:
        """What messages call the optimiser, with its first learning rate."""
        name = {"adam": "Adam at", "fixed-length": "length"}[self.optimizer]
        return f"{name} {self.learning_rate:g}"

    def replace(self, **fields: Any) -> "Recipe":
        """Return this recipe with other values for some of its fields.

        Raises:
            ArgumentError: an unknown field, or a value that cannot be used.
        """
        known = [field.name for field in dataclasses.fields(self) if field.name != "name"]
        for field in fields:
            if field not in known:
                raise unknown_name("field", field, known, where=" of a recipe")
        return dataclasses.replace(self, **fields)

    def deviations(self) -> dict[str, tuple[Any, Any]]:
        """Return the fields that differ from the recipe of this name: field -> (the recipe's, this one's).

        A recipe with a new name has none.
        """
        named = next((recipe for recipe in _recipes() if recipe.name == self.name), self)
        pairs = {
            field.name: (getattr(named, field.name), getattr(self, field.name)) for field in dataclasses.fields(self)
        }
        return {field: pair for field, pair in pairs.items() if pair[0] != pair[1]}

    def variant(self, own: str) -> list[str]:
        """Return how the recipe differs from a network's own, in words of letters, digits and ``-._``.

        Args:
            own: the name of the network's own recipe.
        """
        if all(recipe.name != self.name for recipe in _recipes()):
            digest = hashlib.sha256(json.dumps(dataclasses.asdict(self), sort_keys=True).encode())
            return [f"{self.name}-{digest.hexdigest()[:8]}"]
        words = [] if self.name == own else [self.name]
        for field, (_, used) in self.deviations().items():
            shown = repr(used).removesuffix(".0") if isinstance(used, float) else used
            kind = {"relu_gradient": "gradient", "front_end": "front-end"}.get(field)
            words.append(f"{shown}-{kind}" if kind else f"{field}-{shown}")
        return words


def find_recipe(name: str) -> Recipe:
    """Return the recipe of a name.

    - ``feather2019-image``: the released code for images, which made the published stimuli.
    - ``feather2019-image-text``: as the paper's text has it: a constant learning rate (no decay is
      mentioned) and noise whose mean is the centre of the range, 0.5; its width, which the text leaves open,
      is the released one.
    - ``feather2019-audio``: the released code for sounds: the same optimiser, pink noise, no bounds.
    - ``feather2019-audio-fast``: the same with the fast front end.
    - ``feather2019-audio-vggish`` and ``feather2019-audio-deepspeech``: the same with the learning rates that the paper
      gives for VGGish and for DeepSpeech, 1e-2 and 1e-4.
    - ``feather2019-audio-cochleagram``: the same for the cochleagram in place of the waveform, which stays
      non-negative (paper, Figure S9; the bound and the start are choices made here).
    - ``feather2019-audio-waveform``: the same for a network that takes the waveform itself, without a front end.
    - ``feather2023-image``: the released code of the 2023 paper for images: steps of one length along the gradient,
      which is halved after every 3000 of 24000, from normal noise of which one draw serves all layers.
    - ``feather2023-audio``: the same for sounds, from white noise of 1e-7.
    - ``feather2019-array``: the released code's optimiser for arrays of about unit variance, such as normalised
      spectrograms: no bounds, and noise of the released width around 0 (choices made here).

    Raises:
        ArgumentError: there is no recipe of that name.

    >>> recipe = find_recipe("feather2019-image").replace(steps=200, relu_gradient="normal")
    >>> recipe
    <Recipe feather2019-image: 200 steps, steps=200, relu_gradient='normal'>
    >>> recipe.deviations()
    {'steps': (15000, 200), 'relu_gradient': ('straight-through', 'normal')}
    >>> recipe.variant("feather2019-image")
    ['steps-200', 'normal-gradient']
    """
    recipes = {recipe.name: recipe for recipe in _recipes()}
    if name not in recipes:
        raise unknown_name("recipe", name, recipes)
    return recipes[name]


@functools.cache
def _types() -> dict[str, Any]:
    """Return the type of each field."""
    return typing.get_type_hints(Recipe)


@functools.cache
def _recipes() -> tuple[Recipe, ...]:
    image = Recipe(
        name="feather2019-image",
        steps=15000,
        learning_rate=0.001,
        decay_rate=0.95,
        decay_steps=1000,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        noise="uniform",
        noise_low=0.5,
        noise_high=0.6,
        noise_rms=None,
        lower_bound=0.0,
        upper_bound=1.0,
        relu_gradient="straight-through",
        front_end="none",
    )
    text = dataclasses.replace(image, name="feather2019-image-text", decay_rate=1.0, noise_low=0.45, noise_high=0.55)
    audio = dataclasses.replace(
        image,
        name="feather2019-audio",
        noise="pink",
        noise_low=None,
        noise_high=None,
        noise_rms=0.01,
        lower_bound=None,
        upper_bound=None,
        front_end="exact",
    )
    fast = dataclasses.replace(audio, name="feather2019-audio-fast", front_end="fast")
    vggish = dataclasses.replace(audio, name="feather2019-audio-vggish", learning_rate=0.01)
    deepspeech = dataclasses.replace(audio, name="feather2019-audio-deepspeech", learning_rate=0.0001)
    cochleagram = dataclasses.replace(audio, name="feather2019-audio-cochleagram", lower_bound=0.0, front_end="none")
    waveform = dataclasses.replace(audio, name="feather2019-audio-waveform", front_end="none")
    array = dataclasses.replace(
        image, name="feather2019-array", noise_low=-0.05, noise_high=0.05, lower_bound=None, upper_bound=None
    )
    image_2023 = dataclasses.replace(
        image,
        name="feather2023-image",
        steps=24000,
        learning_rate=1.0,
        decay_rate=0.5,
        decay_steps=3000,
        beta_1=None,
        beta_2=None,
        epsilon=None,
        noise="normal",
        noise_low=None,
        noise_high=None,
        optimizer="fixed-length",
        decay="stairs",
        noise_mean=0.5,
        noise_deviation=0.05,
        noise_drawn="once",
        criterion="feather2023",
        resampling="bicubic",
    )
    audio_2023 = dataclasses.replace(
        image_2023,
        name="feather2023-audio",
        lower_bound=-1.0,
        front_end="exact",
        resampling="bilinear",
        noise_mean=0.0,
        noise_deviation=1e-7,
    )
    return (
        image, text, audio, fast, vggish, deepspeech, cochleagram, waveform, array, image_2023, audio_2023
    )  # fmt: skip


#: What a setting of each type is called.
_EXPECTED = {int: "a whole number", float: "a finite number", str: "text"}


def _converted(field: str, value, type_):
    """Return a value as the field's type, so that command-line text, JSON and Python give the same recipe."""
    may_be_none = types.NoneType in typing.get_args(type_)
    type_ = typing.get_args(type_)[0] if may_be_none else type_
    if may_be_none and (value is None or value == "none"):
        return None
    try:
        converted = type_(value)
    except (TypeError, ValueError, OverflowError):
        converted = None
    is_exact = converted is not None and (type_ is not int or converted == _number(value))
    is_finite = type_ is str or (is_exact and abs(converted) < MAX_FLOAT)
    is_boolean = isinstance(value, bool)
    expected = _EXPECTED[type_] + (", or none" if may_be_none else "")
    _require(field, value, is_exact and is_finite and not is_boolean, expected)
    return converted


def _number(value) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _require(field: str, value, is_fine: bool, expected: str) -> None:
    if not is_fine:
        raise ArgumentError(f"The recipe's setting {field} is {value!r}; {expected} was expected.")
