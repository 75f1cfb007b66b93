"""The judges of a model test: networks that share labels with the model and know what the stimuli are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tfmetamers.errors import ArgumentError, CheckpointError
from tfmetamers.networks.categories import CATEGORIES
from tfmetamers.networks.families.base import NetworkOutline
from tfmetamers.networks.spec import NetworkSpec
from tfmetamers.recognition.judges import Judge
from tfmetamers.stimuli.collection import StimulusFile
from tfmetamers.utilities.words import first_few

if TYPE_CHECKING:
    from tfmetamers.networks.network import Network

#: The judges where none are given, by the domain of the stimuli: networks that come with the package, with packages
#: beside it, or as published checkpoints; those that are not there are passed over.
DEFAULT_JUDGES = {
    "image": ("efficientnet_lite0", "efficientnet_lite1", "vgg_19", "inception_v3", "resnet_v2_101"),
    "sound": (
        "small_word_reduced_aliasing",
        "small_word_reduced_aliasing_seed_1",
        "small_word_aliased",
        "small_word_and_category_reduced_aliasing",
        "small_category_reduced_aliasing",
    ),
}


@dataclass(frozen=True)
class Panel:
    """Who is shown a model's metamers.

    Attributes:
        judges: the judges, without the model itself.
        left_out: other networks, by their titles, and why they are no judges.
        chances: the probability of being right by chance, of the model and of each judge (`Judge.chances`).
    """

    judges: tuple[NetworkSpec, ...]
    left_out: tuple[tuple[str, str], ...]
    chances: tuple[dict[str, float | None], ...]


def default_judges(model: NetworkSpec, domain: str) -> list[NetworkSpec]:
    """Return the judges of `DEFAULT_JUDGES` whose weights are there, without the model itself.

    Args:
        model: the model that is tested.
        domain: the name of the domain of its stimuli.
    """
    specs = map(NetworkSpec.parse, DEFAULT_JUDGES.get(domain, ()))
    return [spec for spec in specs if _has_weights(spec) and spec.identity != model.identity]


def find_panel(
    model: "Network", candidates: Sequence[NetworkSpec], stimuli: Iterable[StimulusFile], outline: NetworkOutline
) -> Panel:
    """Return who of some networks can judge a model's metamers.

    A judge takes the model's stimuli, has a label in common with it, and knows the right answer to at least one
    stimulus, if any is known at all. ImageNet's 16 categories count as labels of both networks that have them.

    Args:
        model: the model, or its description.
        candidates: the networks.
        stimuli: the natural stimuli.
        outline: of the model.

    Raises:
        ArgumentError: the model has no labels.
    """
    own = Judge(model, model.name)
    truths = {truth for file in stimuli for truth in (file.label, file.category)} - {None, ""}
    judges, chances, left_out = [], [own.chances], []
    for spec in candidates:
        try:
            judge = Judge(spec.describe(), spec.title)
        except ArgumentError:
            left_out.append((spec.title, "it has no labels"))
            continue
        reason = _objection(own, judge, truths, outline)
        if reason is None:
            judges.append(spec)
            chances.append(judge.chances)
        else:
            left_out.append((spec.title, reason))
    return Panel(tuple(judges), tuple(left_out), tuple(chances))


def _objection(own: Judge, judge: Judge, truths: set[str], outline: NetworkOutline) -> str | None:
    """Return why a network is no judge; None if it is one."""
    takes, shown = judge.network.domain, outline.domain
    if not takes.can_judge(shown):
        return f"it takes {takes.describe()}, and the model {shown.describe()}"
    labels = set(judge.network.labels)
    if not (own.has_categories and judge.has_categories) and labels.isdisjoint(own.network.labels):
        return "it shares no label with the model"
    known = labels | (set(CATEGORIES) if judge.has_categories else set())
    if truths and known.isdisjoint(truths):
        return f"it knows none of the stimuli's labels ({first_few(sorted(truths))})"
    return None


def _has_weights(spec: NetworkSpec) -> bool:
    try:
        return bool(spec.digest)
    except CheckpointError:
        return False
