"""The inclusion test: does a metamer count?

It does if the network gives it the label of the natural stimulus, and if its activations at the matched layer
correlate with those of the natural stimulus more than the activations of any pair of natural stimuli in a null
distribution (paper, section 3.1; ``np.max(null[layer]) < r`` in the released code).
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tfmetamers.errors import ArgumentError, shown
from tfmetamers.inclusion.null import NullDistribution
from tfmetamers.metamers.metamer import Metamer
from tfmetamers.metamers.record import MetamerRecord

#: Why a metamer is not judged where no null distribution was given.
WITHOUT_NULL = "no null distribution was given"


@dataclass(frozen=True)
class Verdict:
    """Whether a metamer passed, and why not.

    Attributes:
        included: whether it passed both parts; None if it passed the first and there is no null distribution.
        original_label: the network's label or transcript of the natural stimulus, None for a network without labels.
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

    @property
    def margin(self) -> float | None:
        """How far the correlation is above the null's maximum; negative below it."""
        if self.correlation is None or self.null_maximum is None:
            return None
        return self.correlation - self.null_maximum

    def as_json(self) -> dict[str, Any]:
        """Return the verdict as a dictionary of JSON's types."""
        lists = {"reasons": list(self.reasons), "warnings": list(self.warnings)}
        return {**dataclasses.asdict(self), **lists, "margin": self.margin}


def include(metamer: Metamer, null: NullDistribution | None = None) -> Verdict:
    """Judge a metamer by the labels and the correlation in its record.

    Args:
        metamer: the metamer.
        null: a null distribution of the same network and layer.

    Raises:
        ArgumentError: one of them is something else, such as the path of a file.
        ResultError: the null distribution is of another network, layer or front end.

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
    return judge(record.layer.name, *predictions, record.correlation, null, warnings=record.warnings)


def check_null(null: NullDistribution, record: MetamerRecord) -> None:
    """Refuse a null distribution that is not of the network and layer that made a metamer.

    Raises:
        ResultError: it is of another network, layer, size or front end.
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
        if not null.differences(of_sounds, record.layer.name, "exact"):
            return []
    return null.differences(*_compared(record))


def _compared(record: MetamerRecord) -> tuple[Mapping, str, str]:
    front_end = "none" if record.recipe.front_end == "none" else "exact"  # Correlations are by the exact one.
    return record.network.to_json(), record.layer.name, front_end


def judge(
    layer: str,
    original: Mapping | None,
    metamer: Mapping | None,
    correlation: float | None,
    null: NullDistribution | None,
    without_null: str = WITHOUT_NULL,
    warnings: Sequence[str] = (),
) -> Verdict:
    """Judge by predictions and the correlation at a layer.

    Predictions are ``index`` and ``label``, None without labels. Where the network transcribes, ``index`` is None and
    transcripts are compared in place of labels.

    Args:
        layer: the matched layer.
        original: the prediction of the natural stimulus.
        metamer: the prediction of the metamer.
        correlation: Spearman's coefficient; None where it is undefined.
        null: a null distribution of the same network and layer.
        without_null: why there is no null distribution, if there is none.
        warnings: reasons not to rely on the metamer; those of the null distribution are added.

    Raises:
        ResultError: the null distribution has no coefficient at the layer.
    """
    has_labels = original is not None and metamer is not None
    is_transcript = has_labels and original["index"] is None
    compared = "label" if is_transcript else "index"
    same_label = original[compared] == metamer[compared] if has_labels else None
    has_null = null is not None
    maximum = null.maximum(layer) if has_null else None
    is_above = has_null and correlation is not None and correlation > maximum
    reasons = []
    if same_label is False and is_transcript:
        reasons.append(f"its transcript is {metamer['label']!r}, not {original['label']!r}")
    elif same_label is False:
        reasons.append(f"its label is {metamer['label']}, not {original['label']}")
    if correlation is None:
        reasons.append("its correlation is undefined, because activations are constant")
    elif has_null and not is_above:
        reasons.append(f"its correlation, {correlation:.4f}, is not above the null's maximum, {maximum:.4f}")
    refused = bool(reasons)
    if not has_null:
        reasons.append(without_null)
    labelled = "transcript and correlation" if is_transcript else "label and correlation"
    basis = labelled if has_labels else "correlation alone, because the network has no labels"
    return Verdict(
        included=False if refused else (True if has_null else None),
        original_label=original and original["label"],
        metamer_label=metamer and metamer["label"],
        same_label=same_label,
        correlation=correlation,
        null_maximum=maximum,
        percentile=None if correlation is None or not has_null else null.percentile(layer, correlation),
        pairs=len(null.coefficients(layer)) if has_null else None,
        claim=f"{basis}; {null.claim(layer) if has_null else 'no null distribution'}",
        reasons=tuple(reasons),
        warnings=(*warnings, *(null.find_warnings(layer) if has_null else ())),
    )
