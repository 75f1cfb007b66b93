"""The inclusion test: does a metamer count?

By the 2019 paper it does if the network gives it the label of the natural stimulus, and if its activations at the
matched layer correlate with those of the natural stimulus more than the activations of any pair of natural stimuli in a
null distribution (section 3.1; ``np.max(null[layer]) < r`` in the released code). By the 2023 paper's code, Pearson's
correlation and the signal-to-noise ratio also have to reach the largest of theirs, and networks of ImageNet's classes
have to give it the same of 16 categories (``optimization_analysis_scripts.py``). The recipe names the test.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tfmetamers.errors import ArgumentError, shown
from tfmetamers.inclusion.measures import SPEARMAN, TITLES
from tfmetamers.inclusion.null import NullDistribution
from tfmetamers.metamers.metamer import Metamer
from tfmetamers.metamers.record import MetamerRecord
from tfmetamers.recipes import CRITERIA

#: Why a metamer is not judged where no null distribution was given.
WITHOUT_NULL = "no null distribution was given"


@dataclass(frozen=True)
class Comparison:
    """A measure of a metamer against its null distribution.

    Attributes:
        value: the metamer's; None where it is undefined.
        null_maximum: the largest of the null distribution; None without one.
        percentile: share of the null's pairs that are below the metamer's, 0 to 100.
    """

    value: float | None
    null_maximum: float | None
    percentile: float | None

    @property
    def margin(self) -> float | None:
        """How far the value is above the null's maximum; negative below it."""
        return None if None in (self.value, self.null_maximum) else self.value - self.null_maximum


@dataclass(frozen=True)
class Verdict:
    """Whether a metamer passed, and why not.

    Attributes:
        included: whether it passed all parts; None if it passed the first and there is no null distribution.
        original_label: the network's label, category or transcript of the natural stimulus, None for a network without
            labels.
        metamer_label: that of the metamer.
        same_label: whether they are the same; None for a network without labels, whose metamers are judged by
            correlation alone.
        correlation: Spearman's coefficient at the matched layer; None where it is undefined.
        null_maximum: the largest coefficient of the null distribution; None without one.
        percentile: share of the null's pairs whose coefficient is below the metamer's, 0 to 100.
        pairs: the number of the null's pairs with a coefficient.
        claim: what the verdict is based on, in words.
        reasons: phrases that say why it was refused or could not be judged; empty if it passed.
        warnings: reasons not to rely on it, in words.
        further: the measures besides Spearman's that the recipe's test has, by name; empty for the test of 2019.

    >>> import numpy as np
    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> from tfmetamers.synthesis import synthesize
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> metamer = synthesize(network, np.linspace(-1.0, 1.0, 6), layer="tanh", steps=2)
    >>> verdict = include(metamer, None)
    >>> verdict.included is None, verdict.reasons
    (True, ('no null distribution was given',))
    """

    included: bool | None
    original_label: str | None
    metamer_label: str | None
    same_label: bool | None
    correlation: float | None
    null_maximum: float | None
    percentile: float | None
    pairs: int | None
    claim: str
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    further: Mapping[str, Comparison] = dataclasses.field(default_factory=dict)

    @property
    def margin(self) -> float | None:
        """How far the correlation is above the null's maximum; negative below it."""
        return Comparison(self.correlation, self.null_maximum, self.percentile).margin

    def as_json(self) -> dict[str, Any]:
        """Return the verdict as a dictionary of JSON's types; the test of 2019 has no ``further``."""
        fields = {name: value for name, value in vars(self).items() if name != "further"}
        lists = {"reasons": list(self.reasons), "warnings": list(self.warnings)}
        further = {name: {**vars(each), "margin": each.margin} for name, each in self.further.items()}
        return {**fields, **lists, "margin": self.margin, **({"further": further} if further else {})}


def include(metamer: Metamer, null: NullDistribution | None = None) -> Verdict:
    """Judge a metamer by the labels, the correlation and the further measures in its record.

    Args:
        metamer: the metamer.
        null: a null distribution of the same network and layer.

    Raises:
        ArgumentError: one of them is something else, such as the path of a file.
        ResultError: the null distribution is of another network, layer or front end, or lacks a measure.

    >>> import numpy as np
    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> from tfmetamers.synthesis import synthesize
    >>> metamer = synthesize(network, np.linspace(-1.0, 1.0, 6), layer="tanh", steps=2)
    >>> null = NullDistribution.from_stimuli(network, np.random.default_rng(0).normal(size=(4, 6)), layers="tanh")
    >>> verdict = include(metamer, null)
    >>> verdict.pairs, verdict.same_label
    (6, None)
    >>> verdict.included == (verdict.margin > 0)
    True
    """
    if not isinstance(metamer, Metamer):
        raise ArgumentError(
            f"The metamer is {shown(metamer)}; a Metamer was expected, as read_metamer(FOLDER) returns."
        )
    if not isinstance(null, NullDistribution | None):
        raise ArgumentError(
            f"The null distribution is {shown(null)}; a NullDistribution was expected, as NullDistribution.load(FILE) "
            "returns."
        )
    record = metamer.record
    if null:
        check_null(null, record)
    predictions = record.prediction["original"], record.prediction["metamer"]
    return judge(
        record.layer.name,
        *predictions,
        record.correlation,
        null,
        warnings=record.warnings,
        criterion=record.recipe.criterion,
        further=record.further_measures,
    )


def check_null(null: NullDistribution, record: MetamerRecord) -> None:
    """Refuse a null distribution that is not of the network and layer that made a metamer.

    Raises:
        ResultError: it is of another network, layer, size or front end, or lacks a measure of the recipe's test.
    """
    if null_differences(null, record):
        null.check_applies(*_compared(record))


def null_differences(null: NullDistribution, record: MetamerRecord) -> list[str]:
    """Return a phrase for each difference between a null distribution and what made a metamer; none where it applies.

    The null distribution of a network with its exact front end also applies to cochleagrams that were optimised
    themselves: a sound and its exact cochleagram give the same activations.
    """
    natural = record.domain.of_natural_stimuli
    if natural != record.domain:
        of_sounds = {**record.network.to_json(), "stimulus_shape": list(natural.shape)}
        if not null.differences(of_sounds, record.layer.name, "exact", _measures(record)):
            return []
    return null.differences(*_compared(record))


def _compared(record: MetamerRecord) -> tuple[Mapping, str, str, tuple[str, ...]]:
    front_end = "none" if record.recipe.front_end == "none" else "exact"  # Correlations are by the exact one.
    return record.network.to_json(), record.layer.name, front_end, _measures(record)


def _measures(record: MetamerRecord) -> tuple[str, ...]:
    return CRITERIA[record.recipe.criterion].measures


def is_match(criterion: str, value: float | None, null_maximum: float | None) -> bool:
    """Tell whether a measure of a metamer is defined and outside its null distribution, as a criterion has it."""
    if value is None or null_maximum is None:
        return False
    return value >= null_maximum if CRITERIA[criterion].may_equal else value > null_maximum


def judge(
    layer: str,
    original: Mapping | None,
    metamer: Mapping | None,
    correlation: float | None,
    null: NullDistribution | None,
    without_null: str = WITHOUT_NULL,
    warnings: Sequence[str] = (),
    *,
    criterion: str = "feather2019",
    further: Mapping[str, float | None] | None = None,
) -> Verdict:
    """Judge by predictions and how well activations match at a layer.

    Predictions are ``index`` and ``label``, None without labels. Where they have a ``category``, categories are
    compared; where the network transcribes, ``index`` is None and transcripts are.

    Args:
        layer: the matched layer.
        original: the prediction of the natural stimulus.
        metamer: the prediction of the metamer.
        correlation: Spearman's coefficient; None where it is undefined.
        null: a null distribution of the same network and layer.
        without_null: why there is no null distribution, if there is none.
        warnings: reasons not to rely on the metamer; those of the null distribution are added.
        criterion: the test, of `tfmetamers.recipes.CRITERIA`.
        further: the measures besides Spearman's that the test has, by name; None where one is undefined.

    Raises:
        ResultError: the null distribution has no coefficient at the layer, or lacks a measure.
    """
    values = {SPEARMAN: correlation, **(further or {})}
    compared = {name: _comparison(null, layer, name, values[name]) for name in CRITERIA[criterion].measures}
    answer = _Answer(original, metamer)
    reasons = [*answer.reasons, *(_mismatch(criterion, name, each) for name, each in compared.items())]
    reasons = [reason for reason in reasons if reason]
    refused = bool(reasons)
    if null is None:
        reasons.append(without_null)
    spearman = compared.pop(SPEARMAN)
    return Verdict(
        included=False if refused else (True if null else None),
        original_label=answer.original,
        metamer_label=answer.metamer,
        same_label=answer.is_same,
        correlation=correlation,
        null_maximum=spearman.null_maximum,
        percentile=spearman.percentile,
        pairs=len(null.coefficients(layer)) if null else None,
        claim=f"{answer.claim([SPEARMAN, *compared])}; {null.claim(layer) if null else 'no null distribution'}",
        reasons=tuple(reasons),
        warnings=(*warnings, *(null.find_warnings(layer) if null else ())),
        further=compared,
    )


class _Answer:
    """What the network says of both stimuli."""

    def __init__(self, original: Mapping | None, metamer: Mapping | None):
        self.kind = None
        self.original = self.metamer = self.is_same = None
        if original is None or metamer is None:
            return
        self.kind = "category" if "category" in original else "transcript" if original["index"] is None else "label"
        shown = "category" if self.kind == "category" else "label"
        compared = "index" if self.kind == "label" else shown
        self.original, self.metamer = original[shown], metamer[shown]
        self.is_same = original[compared] == metamer[compared]

    @property
    def reasons(self) -> list[str]:
        """Why it would be refused, in words."""
        if self.is_same is not False:
            return []
        labels = self.metamer, self.original
        found, wanted = map(repr, labels) if self.kind == "transcript" else labels
        return [f"its {self.kind} is {found}, not {wanted}"]

    def claim(self, measures: Sequence[str]) -> str:
        """Return in words what a verdict is based on besides the null distribution."""
        *others, last = [TITLES[name] for name in measures]
        if self.kind is None:
            listed = f"{', '.join(others)} and {last}" if others else last
            return f"{listed} alone, because the network has no labels"
        return f"{', '.join([self.kind, *others])} and {last}"


def _comparison(null: NullDistribution | None, layer: str, measure: str, value: float | None) -> Comparison:
    if null is None:
        return Comparison(value, None, None)
    percentile = None if value is None else null.percentile(layer, value, measure)
    return Comparison(value, null.maximum(layer, measure), percentile)


def _mismatch(criterion: str, measure: str, found: Comparison) -> str | None:
    """Return why a measure refuses a metamer, None where it does not."""
    if found.value is None:
        return f"its {TITLES[measure]} is undefined, because activations are constant"
    if found.null_maximum is None or is_match(criterion, found.value, found.null_maximum):
        return None
    place = "below" if CRITERIA[criterion].may_equal else "not above"
    return f"its {TITLES[measure]}, {found.value:.4f}, is {place} the null's maximum, {found.null_maximum:.4f}"
