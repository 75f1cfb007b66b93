"""Null distributions: how well the activations of unrelated natural stimuli match."""

import dataclasses
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tfmetamers.errors import ResultError, TfmetamersWarning, unknown_name
from tfmetamers.inclusion.measures import CONVENTIONS, SPEARMAN
from tfmetamers.inclusion.null_archive import read_null, write_null
from tfmetamers.metrics import BARELY_DIFFERENT
from tfmetamers.networks.record import IDENTITY
from tfmetamers.utilities.differences import find_differences
from tfmetamers.utilities.words import counted

if TYPE_CHECKING:
    from tfmetamers.networks.network import Network

#: What is recorded of a network: what distinguishes it from others, and where its weights come from.
RECORDED = (*IDENTITY, "source", "file", "seed", "note")

#: A maximum above this leaves a metamer no room, since its correlation would have to be higher still. The maxima of the
#: bundled networks, which metamers do exceed, are up to 0.9986, where words of one class give nearly the same.
NO_ROOM = 0.999

#: How pairs can be drawn (`tfmetamers.inclusion.pairs`).
DESIGNS = ("blocks", "independent")


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
    """How well the activations of pairs of natural stimuli match, at layers of one network.

    Methods take a measure of `tfmetamers.inclusion.measures.CONVENTIONS`, Spearman's coefficient by default. Attributes
    that the authors' own distributions do not record are None.

    Attributes:
        network: what distinguishes the network from others, as in `NetworkRecord.to_json`; or None.
        layers: Spearman's coefficients, float64 (pairs,) by the layer's name; NaN where one is undefined, because the
            activations of either stimulus are constant.
        further: the same of further measures, by the measure's name; empty for the authors' own distributions and for
            files of earlier versions. The signal of a pair is the stimulus whose hash comes first, in effect a random
            one.
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
    >>> NullDistribution.load("null.npz").maximum("tanh", "snr") == null.maximum("tanh", "snr")
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
    further: Mapping[str, Mapping[str, np.ndarray]] = dataclasses.field(default_factory=dict)

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
    def measures(self) -> list[str]:
        """The names of its measures."""
        return [SPEARMAN, *self.further]

    @property
    def pairs_count(self) -> int:
        """The number of pairs, including those without a coefficient."""
        return len(next(iter(self.layers.values())))

    @property
    def distinct_stimuli(self) -> int | None:
        """The number of different stimuli in the pairs; None where it is not known."""
        return None if self.pairs is None else len(np.unique(self.pairs))

    def values(self, measure: str) -> Mapping[str, np.ndarray]:
        """Return the numbers of a measure by layer, as `layers` has them.

        Raises:
            ResultError: the distribution does not have that measure.
        """
        if measure not in self.measures:
            raise ResultError(
                f"The null distribution of {self.network_name} has {', '.join(self.measures)}, and not {measure}; "
                "build it again with 'tfmetamers null build'."
            )
        return self.layers if measure == SPEARMAN else self.further[measure]

    def coefficients(self, layer: str, measure: str = SPEARMAN) -> np.ndarray:
        """Return the coefficients, or the numbers of another measure, of a layer that are defined, float64 (pairs,).

        Raises:
            ArgumentError: the distribution has no such layer; similar names are listed.
            ResultError: it does not have that measure.
        """
        values = self._of_layer(layer, measure)
        return values[~np.isnan(values)]

    def undefined(self, layer: str, measure: str = SPEARMAN) -> int:
        """Return the number of pairs whose coefficient at a layer is undefined.

        Raises:
            ArgumentError: the distribution has no such layer.
            ResultError: it does not have that measure.
        """
        return int(np.isnan(self._of_layer(layer, measure)).sum())

    def maximum(self, layer: str, measure: str = SPEARMAN) -> float:
        """Return the largest coefficient of a layer, which that of a metamer has to exceed (paper, section 3.1).

        Raises:
            ArgumentError: the distribution has no such layer.
            ResultError: no pair has a coefficient there, or it does not have that measure.
        """
        return float(self._defined(layer, measure).max())

    def percentile(self, layer: str, coefficient: float, measure: str = SPEARMAN) -> float:
        """Return the share of a layer's defined pairs whose coefficient is below a given one, 0 to 100.

        Raises:
            ArgumentError: the distribution has no such layer.
            ResultError: no pair has a coefficient there, or it does not have that measure.
        """
        return 100 * float(np.mean(self._defined(layer, measure) < coefficient))

    def quantile(self, layer: str, share: float, measure: str = SPEARMAN) -> float:
        """Return a quantile of a layer's defined coefficients, interpolated linearly.

        Args:
            layer: the layer's name.
            share: of the coefficients that lie below it, 0 to 1.
            measure: the measure's name.

        Raises:
            ArgumentError: the distribution has no such layer.
            ResultError: no pair has a coefficient there, or it does not have that measure.
        """
        return float(np.quantile(self._defined(layer, measure), share))

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

    def check_applies(
        self,
        network: Mapping[str, Any],
        layer: str,
        front_end: str | None = None,
        measures: Sequence[str] = (SPEARMAN,),
    ) -> None:
        """Refuse to judge activations of another network or layer, or by other measures, by this distribution.

        What a distribution does not record is not compared.

        Args:
            network: `NetworkRecord.to_json`, as in ``metamer.json`` under ``network``.
            layer: the layer's name.
            front_end: the front end with which the coefficient to be judged was computed, if known.
            measures: the measures that are needed.

        Raises:
            ResultError: the network, its weights, its stimulus's shape, the layer or the front end differs, or a
                measure is missing.
        """
        differences = self.differences(network, layer, front_end, measures)
        if differences:
            raise ResultError(
                f"The null distribution does not apply ({'; '.join(differences)}); build one for this network and "
                "layer with 'tfmetamers null build'."
            )

    def differences(
        self,
        network: Mapping[str, Any],
        layer: str,
        front_end: str | None = None,
        measures: Sequence[str] = (SPEARMAN,),
    ) -> list[str]:
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
        missing = [measure for measure in measures if measure not in self.measures]
        if missing:
            differences.append(f"measures: {', '.join(self.measures)}, without {' and '.join(missing)}")
        return differences

    @property
    def recorded(self) -> list[str]:
        """The fields of `IDENTITY` that it records."""
        return [key for key in IDENTITY if key in (self.network or {})]

    def metadata(self) -> dict[str, Any]:
        """Return everything but the coefficients and the pairs, as the file has it in JSON."""
        return {
            "network": self.network and dict(self.network),
            "layers": list(self.layers),
            "measures": {measure: CONVENTIONS[measure] for measure in self.measures},
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
        write_null(path, self.metadata(), {SPEARMAN: self.layers, **self.further}, self.pairs)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "NullDistribution":
        """Read a distribution that `save` wrote.

        Raises:
            ResultError: the file is missing or damaged, is not a null distribution, or has another format.
        """
        metadata, values, pairs = read_null(path)
        stimuli = metadata["stimuli"]
        return cls(
            network=metadata["network"],
            layers=values.pop(SPEARMAN),
            further=values,
            pairs=pairs,
            stimuli=None if stimuli is None else tuple(NullStimulus(id_, digest) for id_, digest in stimuli),
            parts=tuple(metadata["parts"]),
            **{name: metadata[name] for name in ("seed", "design", "front_end", "versions", "left_out", "source")},
        )

    def _of_layer(self, layer: str, measure: str) -> np.ndarray:
        if layer not in self.layers:
            raise unknown_name("layer", layer, self.layers, where=" in the null distribution")
        return self.values(measure)[layer]

    def _defined(self, layer: str, measure: str) -> np.ndarray:
        values = self.coefficients(layer, measure)
        if not len(values):
            raise ResultError(
                f"No pair out of {self.pairs_count:,} has a coefficient at {layer}, because the activations there are "
                "constant; give a null distribution of other stimuli, or choose another layer."
            )
        return values
