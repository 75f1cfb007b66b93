"""Null distributions: correlations between the activations of unrelated natural stimuli."""

import dataclasses
import io
import json
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from tfmetamers.errors import ResultError, TfmetamersWarning, unknown_name
from tfmetamers.metrics import BARELY_DIFFERENT
from tfmetamers.networks.record import IDENTITY
from tfmetamers.utilities.array_files import read_archive
from tfmetamers.utilities.differences import find_differences
from tfmetamers.utilities.files import atomic_write
from tfmetamers.utilities.json_files import other_format, parse_json, typed
from tfmetamers.utilities.regular_files import require_file
from tfmetamers.utilities.words import counted

if TYPE_CHECKING:
    from tfmetamers.networks.network import Network

#: The version of the file's format, written as ``format`` in its metadata.
FORMAT = 1

#: What is recorded of a network: what distinguishes it from others, and where its weights come from.
RECORDED = (*IDENTITY, "source", "file", "seed", "note")

#: A maximum above this leaves a metamer no room, since its correlation would have to be higher still. The maxima of the
#: bundled networks, which metamers do exceed, are up to 0.9986, where words of one class give nearly the same.
NO_ROOM = 0.999

#: How pairs can be drawn (`tfmetamers.inclusion.pairs`).
DESIGNS = ("blocks", "independent")


class NullNetwork(TypedDict, total=False):
    """The types of what is recorded of a network: those of `RECORDED` that are known."""

    name: str
    stimulus_shape: list[int]
    digest: str
    input_range: list[float] | None
    architecture: str | None
    source: str
    file: str | None
    seed: int | None
    note: str


class NullMetadata(TypedDict):
    """The types of a file's metadata, as `NullDistribution.metadata` gives it."""

    network: NullNetwork | None
    layers: list[str]
    stimuli: list[tuple[str, str]] | None
    pairs: int
    seed: int | None
    design: str | None
    front_end: str | None
    versions: dict[str, str]
    parts: list[dict[str, Any]]
    left_out: dict[str, list[str]]
    source: str | None


@dataclass(frozen=True)
class NullStimulus:
    """A natural stimulus of a null distribution.

    Attributes:
        id: as `tfmetamers.stimuli.collection` gives it.
        sha256: `tfmetamers.stimuli.noise.stimulus_digest` of the stimulus as the network's domain loads it.

    >>> from tfmetamers.stimuli import stimulus_digest
    >>> NullStimulus("rain", stimulus_digest(np.zeros(6))).sha256[:8]
    '9d908ecf'
    """

    id: str
    sha256: str


@dataclass(frozen=True, eq=False, repr=False)
class NullDistribution:
    """Spearman's coefficients of the activations of pairs of natural stimuli, at layers of one network.

    Attributes that the authors' own distributions do not record are None.

    Attributes:
        network: what distinguishes the network from others, as in `NetworkRecord.to_json`; or None.
        layers: float64 (pairs,) by the layer's name; NaN where a coefficient is undefined, because the activations
            of either stimulus are constant.
        pairs: int32 (pairs, 2), positions in `stimuli`, the first below the second, in ascending order; or None.
        stimuli: the stimuli that pairs were drawn from, or None.
        seed: the seed of the pairs; None where distributions with several seeds were merged.
        design: ``"independent"`` where no stimulus is in two pairs, ``"blocks"`` where pairs share stimuli, or None.
        front_end: the front end that activations were computed with, ``"none"`` or ``"exact"``; or None.
        versions: of the software that computed it.
        parts: for each distribution that was merged into this one, its ``seed``, ``design``, ``pairs`` and
            ``distinct_stimuli``; empty where none was.
        left_out: ids of the ``"duplicates"`` and the ``"broken"`` stimuli that no pair was drawn from.
        source: the name of the file, for one of the authors' own.

    >>> import numpy as np
    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> stimuli = np.random.default_rng(0).normal(size=(4, 6))
    >>> null = NullDistribution.from_stimuli(network, stimuli, layers="all")
    >>> null
    <NullDistribution of function at tanh: 6 overlapping pairs of 4 stimuli>
    >>> null.save("null.npz")
    >>> NullDistribution.load("null.npz").maximum("tanh") == null.maximum("tanh")
    True
    """

    network: Mapping[str, Any] | None
    layers: Mapping[str, np.ndarray]
    pairs: np.ndarray | None = None
    stimuli: tuple[NullStimulus, ...] | None = None
    seed: int | None = None
    design: str | None = None
    front_end: str | None = None
    versions: Mapping[str, str] = dataclasses.field(default_factory=dict)
    parts: tuple[Mapping[str, Any], ...] = ()
    left_out: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    source: str | None = None

    def __repr__(self) -> str:
        return f"<NullDistribution of {self.network_name} at {', '.join(self.layers)}: {self.claim()}>"

    @classmethod
    def from_stimuli(
        cls,
        network: "Network",
        stimuli: "Sequence[np.ndarray]",
        *,
        layers: str | Sequence[str],
        pairs: int | None = None,
        seed: int = 0,
        design: str = "blocks",
        ids: Sequence[str] | None = None,
    ) -> "NullDistribution":
        """Return the null distribution of natural stimuli that are in memory.

        Args:
            network: the network.
            stimuli: natural stimuli, each as ``network.domain.load(FILE)`` gives it; copies of an earlier one are left
                out.
            layers: names of layers, or one of them; ``"all"`` stands for all that have a name.
            pairs: the number of pairs; by default, as many as the design can draw.
            seed: decides which pairs are drawn.
            design: ``"blocks"`` or ``"independent"`` (`tfmetamers.inclusion.draw_pairs`).
            ids: a name for each stimulus; by default the first digits of its hash.

        Raises:
            ArgumentError: an unknown layer, a stimulus of another shape or type, fewer than two different stimuli,
                fewer pairs than asked for, or ids that cannot be used.
            ResultError: an activation is not a number.
        """
        from tfmetamers.inclusion.null_arrays import build_null_of_arrays

        return build_null_of_arrays(network, stimuli, layers=layers, pairs=pairs, seed=seed, design=design, ids=ids)

    @property
    def network_name(self) -> str:
        """The name of its network, or words that say that it is not recorded."""
        source = f" ({self.source})" if self.source else ""
        return (self.network or {}).get("name") or f"an unrecorded network{source}"

    @property
    def pairs_count(self) -> int:
        """The number of pairs, including those without a coefficient."""
        return len(next(iter(self.layers.values())))

    @property
    def distinct_stimuli(self) -> int | None:
        """The number of different stimuli in the pairs; None where it is not known."""
        return None if self.pairs is None else len(np.unique(self.pairs))

    def coefficients(self, layer: str) -> np.ndarray:
        """Return the coefficients of a layer that are defined, float64 (defined pairs,).

        Raises:
            ArgumentError: the distribution has no such layer; similar names are listed.
        """
        values = self._of_layer(layer)
        return values[~np.isnan(values)]

    def undefined(self, layer: str) -> int:
        """Return the number of pairs whose coefficient at a layer is undefined.

        Raises:
            ArgumentError: the distribution has no such layer.
        """
        return int(np.isnan(self._of_layer(layer)).sum())

    def maximum(self, layer: str) -> float:
        """Return the largest coefficient of a layer, which that of a metamer has to exceed (paper, section 3.1).

        Raises:
            ArgumentError: the distribution has no such layer.
            ResultError: no pair has a coefficient there.
        """
        return float(self._defined(layer).max())

    def percentile(self, layer: str, coefficient: float) -> float:
        """Return the share of a layer's defined pairs whose coefficient is below a given one, 0 to 100.

        Raises:
            ArgumentError: the distribution has no such layer.
            ResultError: no pair has a coefficient there.
        """
        return 100 * float(np.mean(self._defined(layer) < coefficient))

    def quantile(self, layer: str, share: float) -> float:
        """Return a quantile of a layer's defined coefficients, interpolated linearly.

        Args:
            layer: the layer's name.
            share: of the coefficients that lie below it, 0 to 1.

        Raises:
            ArgumentError: the distribution has no such layer.
            ResultError: no pair has a coefficient there.
        """
        return float(np.quantile(self._defined(layer), share))

    def find_warnings(self, layer: str) -> list[str]:
        """Return reasons not to rely on verdicts at a layer, in words; empty if there are none.

        Raises:
            ArgumentError: the distribution has no such layer.
        """
        if self.undefined(layer) == self.pairs_count:
            return []
        median, maximum = self.quantile(layer, 0.5), self.maximum(layer)
        where = f"At {layer} of {self.network_name},"
        if median > BARELY_DIFFERENT:
            return [
                f"{where} natural stimuli barely differ: half of the null's pairs correlate by {median:.4f} or more, "
                "so a match there says little; check the input range, and try other layers."
            ]
        if maximum > NO_ROOM:
            return [
                f"{where} the null's maximum is {maximum:.6f}, which leaves a metamer no room above it; look for "
                "stimuli that are nearly the same, or try other layers."
            ]
        return []

    def warn(self) -> None:
        """Issue what `find_warnings` returns for all layers as Python warnings."""
        for text in (text for layer in self.layers for text in self.find_warnings(layer)):
            warnings.warn(text, TfmetamersWarning, stacklevel=3)

    def claim(self, layer: str | None = None) -> str:
        """Return in a few words what a verdict is based on: the numbers of pairs and stimuli.

        Args:
            layer: a layer; pairs without a coefficient there are mentioned.

        Raises:
            ArgumentError: the distribution has no such layer.
        """
        undefined = 0 if layer is None else self.undefined(layer)
        without = f" ({undefined:,} of them without a coefficient)" if undefined else ""
        if self.pairs is None:
            return f"{counted(self.pairs_count, 'pair')} of unrecorded stimuli{without}"
        kind = "independent" if self.design == "independent" else "overlapping"
        pairs, stimuli = (
            counted(self.pairs_count, f"{kind} pair"),
            counted(self.distinct_stimuli, "stimulus", "stimuli"),
        )
        return f"{pairs} of {stimuli}{without}"

    def check_applies(self, network: Mapping[str, Any], layer: str, front_end: str | None = None) -> None:
        """Refuse to judge activations of another network or layer by this distribution.

        What a distribution does not record is not compared.

        Args:
            network: `NetworkRecord.to_json`, as in ``metamer.json`` under ``network``.
            layer: the layer's name.
            front_end: the front end with which the coefficient to be judged was computed, if known.

        Raises:
            ResultError: the network, its weights, its stimulus's shape, the layer or the front end differs.
        """
        differences = self.differences(network, layer, front_end)
        if differences:
            raise ResultError(
                f"The null distribution does not apply ({'; '.join(differences)}); build one for this network and "
                "layer with 'tfmetamers null build'."
            )

    def differences(self, network: Mapping[str, Any], layer: str, front_end: str | None = None) -> list[str]:
        """Return a phrase for each difference that `check_applies`, which has the same arguments, would refuse.

        Returns:
            Phrases such as ``network.name: vgg_19 instead of vgg_16``; none where the distribution applies.
        """
        known = {"network": {key: (self.network or {})[key] for key in self.recorded}}
        asked = {"network": {key: network.get(key) for key in self.recorded}}
        differences = find_differences(known, asked)
        if layer not in self.layers:
            differences.append(f"layer: {', '.join(self.layers)} instead of {layer}")
        if None not in (front_end, self.front_end) and front_end != self.front_end:
            differences.append(f"front end: {self.front_end} instead of {front_end}")
        return differences

    @property
    def recorded(self) -> list[str]:
        """The fields of `IDENTITY` that it records."""
        return [key for key in IDENTITY if key in (self.network or {})]

    def metadata(self) -> dict[str, Any]:
        """Return everything but the coefficients and the pairs, as the file has it in JSON."""
        return {
            "format": FORMAT,
            "network": self.network and dict(self.network),
            "layers": list(self.layers),
            "stimuli": None if self.stimuli is None else [[each.id, each.sha256] for each in self.stimuli],
            "pairs": self.pairs_count,
            "distinct_stimuli": self.distinct_stimuli,
            "seed": self.seed,
            "design": self.design,
            "front_end": self.front_end,
            "versions": dict(self.versions),
            "parts": [dict(part) for part in self.parts],
            "left_out": {reason: list(ids) for reason, ids in self.left_out.items()},
            "source": self.source,
        }

    def save(self, path: str | os.PathLike) -> None:
        """Write the distribution as one ``.npz`` file, whole or not at all; the same distribution gives the same bytes.

        Raises:
            ResultError: the file cannot be written.
        """
        arrays = {f"layer_{place}": values for place, values in enumerate(self.layers.values())}
        if self.pairs is not None:
            arrays["pairs"] = self.pairs
        archive = io.BytesIO()  # In memory first: an archive on a disk that fills up cannot even be closed.
        np.savez(archive, metadata=np.array(json.dumps(self.metadata())), **arrays)
        with atomic_write(path) as partial:
            partial.write_bytes(archive.getbuffer())

    @classmethod
    def load(cls, path: str | os.PathLike) -> "NullDistribution":
        """Read a distribution that `save` wrote.

        Raises:
            ResultError: the file is missing or damaged, is not a null distribution, or has another format.
        """
        path = Path(path)
        require_file(path, "a null distribution, or build one with 'tfmetamers null build'", ResultError)
        try:
            arrays = read_archive(path)
            metadata = parse_json(str(arrays.pop("metadata")))
            version = metadata["format"]
            if version == FORMAT:
                return cls._from_arrays(typed(metadata, NullMetadata), arrays)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _damaged(path, error) from error
        raise other_format(path, version, FORMAT, "build it again")

    @classmethod
    def _from_arrays(cls, metadata: NullMetadata, arrays: dict[str, np.ndarray]) -> "NullDistribution":
        layers = {name: arrays[f"layer_{place}"] for place, name in enumerate(metadata["layers"])}
        pairs, stimuli = arrays.get("pairs"), metadata["stimuli"]
        _check_arrays(layers, pairs, len(stimuli or ()), metadata["pairs"])
        return cls(
            network=metadata["network"],
            layers=layers,
            pairs=pairs,
            stimuli=None if stimuli is None else tuple(NullStimulus(id_, digest) for id_, digest in stimuli),
            parts=tuple(metadata["parts"]),
            **{name: metadata[name] for name in ("seed", "design", "front_end", "versions", "left_out", "source")},
        )

    def _of_layer(self, layer: str) -> np.ndarray:
        if layer not in self.layers:
            raise unknown_name("layer", layer, self.layers, where=" in the null distribution")
        return self.layers[layer]

    def _defined(self, layer: str) -> np.ndarray:
        values = self.coefficients(layer)
        if not len(values):
            raise ResultError(
                f"No pair out of {self.pairs_count:,} has a coefficient at {layer}, because the activations there are "
                "constant; give a null distribution of other stimuli, or choose another layer."
            )
        return values


def merge_nulls(nulls: Sequence[NullDistribution]) -> NullDistribution:
    """Merge null distributions of one network that have no pair in common.

    Stimuli are identified by their hashes, and the result does not depend on the order of the distributions.

    Raises:
        ResultError: there are fewer than two, one does not record its pairs, they have different networks, weights,
            sizes, layers or front ends, or the same pair is in two of them.

    >>> import numpy as np
    >>> import tensorflow as tf
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
    parts = [part for null in nulls for part in (null.parts or [_part(null)])]
    seeds = {null.seed for null in nulls}
    left_out = {reason for null in nulls for reason in null.left_out}
    return NullDistribution(
        network=_common(nulls),
        layers={name: np.concatenate([null.layers[name] for null in nulls])[order] for name in names},
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


def _damaged(path: Path, error: Exception) -> ResultError:
    reason = getattr(error, "strerror", None) or error
    return ResultError(
        f"{path} is damaged or is not a null distribution ({reason}); build it again with 'tfmetamers null build'."
    )


def _check_arrays(layers, pairs, stimuli: int, count: int) -> None:
    """Refuse arrays that do not belong together."""
    if not layers or not count:
        raise ValueError("it has no layer or no pair")
    for name, values in layers.items():
        if values.dtype != np.float64 or values.shape != (count,) or np.nanmax(np.abs(values), initial=0) > 1 + 1e-9:
            raise ValueError(f"the coefficients of {name} are not {count} numbers from -1 to 1")
    if pairs is None:
        return
    is_whole = pairs.dtype == np.int32 and pairs.shape == (count, 2)
    if not is_whole or (count and not (pairs >= 0).all()) or not (pairs[:, 0] < pairs[:, 1]).all():
        raise ValueError(f"the pairs are not {count} pairs of places")
    if count and pairs.max() >= stimuli:
        raise ValueError(f"the pairs name more than the {stimuli} stimuli")


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
            "front end": each.front_end,
        }
        for each in (first, null)
    ]
    differences = find_differences(*records)
    if differences:
        raise ResultError(
            f"The null distributions do not belong together ({'; '.join(differences)}); merge only those of one "
            "network, with the same layers and front end."
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
