"""Null distributions of one network, merged."""

import json
from collections.abc import Mapping, Sequence

import numpy as np

from tfmetamers.errors import ResultError
from tfmetamers.inclusion.measures import SPEARMAN
from tfmetamers.inclusion.null import NullDistribution, NullStimulus
from tfmetamers.networks.record import IDENTITY
from tfmetamers.utilities.differences import find_differences
from tfmetamers.utilities.words import counted


def merge_nulls(nulls: Sequence[NullDistribution]) -> NullDistribution:
    """Merge null distributions of one network that have no pair in common.

    Stimuli are identified by their hashes, and the result does not depend on the order of the distributions.

    Raises:
        ResultError: there are fewer than two, one does not record its pairs, they have different networks, weights,
            sizes, layers, measures or front ends, or the same pair is in two of them.

    >>> import numpy as np
    >>> import tensorflow as tf
    >>> from tfmetamers.inclusion import NullDistribution
    >>> from tfmetamers.networks import from_function
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> stimuli = np.random.default_rng(0).normal(size=(8, 6))
    >>> parts = [NullDistribution.from_stimuli(network, part, layers="tanh") for part in (stimuli[:4], stimuli[4:])]
    >>> len(merge_nulls(parts).pairs)
    12
    """
    if len(nulls) < 2:
        raise ResultError(f"{counted(len(nulls), 'null distribution')} cannot be merged; give two or more.")
    for null in nulls:
        _check_can_merge(nulls[0], null)
    ids: dict[str, str] = {}
    for stimulus in (stimulus for null in nulls for stimulus in null.stimuli):
        ids[stimulus.sha256] = min(stimulus.id, ids.get(stimulus.sha256, stimulus.id))
    stimuli = tuple(
        sorted((NullStimulus(ids[digest], digest) for digest in ids), key=lambda each: (each.id, each.sha256))
    )
    places = {stimulus.sha256: place for place, stimulus in enumerate(stimuli)}
    renumbered = [_renumbered(null, places) for null in nulls]
    pairs = np.concatenate(renumbered)
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    pairs = pairs[order]
    _refuse_repeated(pairs, stimuli)
    names = min(list(null.layers) for null in nulls)  # One order, whichever distribution comes first.

    def joined(measure: str) -> dict[str, np.ndarray]:
        values = {name: np.concatenate([null.values(measure)[name] for null in nulls]) for name in names}
        return {name: numbers[order] for name, numbers in values.items()}

    parts = [part for null in nulls for part in (null.parts or [_part(null)])]
    seeds = {null.seed for null in nulls}
    left_out = {reason for null in nulls for reason in null.left_out}
    return NullDistribution(
        network=_common(nulls),
        layers=joined(SPEARMAN),
        further={measure: joined(measure) for measure in nulls[0].further},
        pairs=pairs,
        stimuli=stimuli,
        seed=seeds.pop() if len(seeds) == 1 else None,
        design="independent" if np.bincount(pairs.ravel()).max() == 1 else "blocks",
        front_end=nulls[0].front_end,
        versions=_joined_versions(nulls),
        parts=tuple(sorted(parts, key=lambda part: json.dumps(part, sort_keys=True))),
        left_out={
            reason: sorted({id_ for null in nulls for id_ in null.left_out.get(reason, ())})
            for reason in sorted(left_out)
        },
    )


def _check_can_merge(first: NullDistribution, null: NullDistribution) -> None:
    if null.pairs is None or null.stimuli is None or null.network is None:
        raise ResultError(
            f"{null.source or 'A null distribution'} does not record its pairs, so it cannot be merged: the same "
            "pair could be in both. Merge only those that 'tfmetamers null build' made."
        )
    records = [
        {
            "network": {key: each.network.get(key) for key in IDENTITY},
            "layers": ", ".join(sorted(each.layers)),
            "measures": ", ".join(each.measures),
            "front end": each.front_end,
        }
        for each in (first, null)
    ]
    differences = find_differences(*records)
    if differences:
        raise ResultError(
            f"The null distributions do not belong together ({'; '.join(differences)}); merge only those of one "
            "network, with the same layers, measures and front end."
        )


def _renumbered(null: NullDistribution, places: Mapping[str, int]) -> np.ndarray:
    """Return a distribution's pairs as places in the merged list of stimuli."""
    mapped = np.array([places[stimulus.sha256] for stimulus in null.stimuli], np.int32)
    return np.sort(mapped[null.pairs], axis=1)


def _refuse_repeated(pairs: np.ndarray, stimuli: Sequence[NullStimulus]) -> None:
    repeated = np.flatnonzero((pairs[1:] == pairs[:-1]).all(axis=1))
    if len(repeated):
        first, second = (stimuli[place].id for place in pairs[repeated[0]])
        raise ResultError(
            f"{counted(len(repeated), 'pair is', 'pairs are')} in more than one of the null distributions, such as "
            f"{first} with {second}; merge only those of different stimuli, or build one with more pairs."
        )


def _part(null: NullDistribution) -> dict:
    return {
        "seed": null.seed,
        "design": null.design,
        "pairs": null.pairs_count,
        "distinct_stimuli": null.distinct_stimuli,
    }


def _common(nulls: Sequence[NullDistribution]) -> dict:
    """Return the record of the network without what differs between the distributions, such as a file's name."""
    records = [null.network for null in nulls]
    return {
        key: value if all(record.get(key) == value for record in records) else None for key, value in records[0].items()
    }


def _joined_versions(nulls: Sequence[NullDistribution]) -> dict[str, str]:
    names = dict.fromkeys(name for null in nulls for name in null.versions)
    joined = {name: sorted({null.versions[name] for null in nulls if name in null.versions}) for name in names}
    return {name: ", ".join(versions) for name, versions in joined.items()}
