"""What metamer.json holds: how a metamer was made and how well it matches."""

import dataclasses
import math
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from tfmetamers.metamers.spec import layer_folder, layer_variant, metamer_folder, metamer_identity
from tfmetamers.networks.record import NetworkRecord
from tfmetamers.recipes import Recipe
from tfmetamers.stimuli.domains import Domain, domain_from_json
from tfmetamers.utilities.json_files import typed
from tfmetamers.utilities.repetition import remember_last

#: The version of the folder's format, written as ``format`` in metamer.json.
FORMAT = 3


@dataclass(frozen=True)
class LayerRecord:
    """The matched layer.

    Attributes:
        name: its name.
        tensor: the tensor's name in the traced graph.
        shape: of its activations.
        relu_rule: what its gradient does, in words.
        relus: names of the ReLUs that produce it.
    """

    name: str
    tensor: str
    shape: tuple[int, ...]
    relu_rule: str
    relus: tuple[str, ...]


@dataclass(frozen=True)
class StimulusRecord:
    """The natural stimulus.

    Attributes:
        sha256: `tfmetamers.stimuli.noise.stimulus_digest` of its array, which seeds the noise.
        id: names it in results; the first digits of its hash, for an array of which nothing else is known.
        file: the name of its file; None for an array.
        file_sha256: SHA-256 of that file.
        label: its true label, where one is known.
        category: its true category.
        columns: further columns of the manifest.
        fit: what was done with a sound of another length.
    """

    sha256: str
    id: str
    file: str | None = None
    file_sha256: str | None = None
    label: str | None = None
    category: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    fit: str | None = None


@dataclass(frozen=True)
class LossRecord:
    """Losses: the first, the last, and what the reference front end says of the last."""

    initial: float
    final: float
    final_exact: float


@dataclass(frozen=True)
class ComputationRecord:
    """How a metamer was computed, which affects only its last digits.

    Attributes:
        deterministic: whether TensorFlow used only operations that give the same numbers in every process.
        threads: the number of threads that an operation was divided among.
        batch_size: the number of metamers that advanced together.
        place: its place among these, from 0.
        device: the GPU, or the processor, by its product name; None in records that older versions wrote.
        driver: the version of NVIDIA's driver, where it is known.
        tf32: whether a GPU was allowed to round the factors of products to TF32; None in records of older versions.
    """

    deterministic: bool
    threads: int
    batch_size: int
    place: int
    device: str | None = None
    driver: str | None = None
    tf32: bool | None = None


class PredictionRecord(TypedDict):
    """The network's answer: the index of its label, None for a transcript, and the label or transcript.

    Where the recipe's inclusion test compares the 16 categories, there is also the category.
    """

    index: int | None
    label: str
    category: NotRequired[str]


class PredictionRecords(TypedDict):
    """The network's answer to the natural stimulus and to the metamer; None without labels."""

    original: PredictionRecord | None
    metamer: PredictionRecord | None


class _Content(TypedDict):
    """The types of what metamer.json holds, all but the network and the recipe, which check themselves."""

    layer: LayerRecord
    stimulus: StimulusRecord
    seed: int
    kernels: str
    asked_kernels: str | None
    initial: str | None
    computation: ComputationRecord
    loss: LossRecord
    initial_correlation: float | None
    correlation: float | None
    further_measures: NotRequired[dict[str, float | None]]
    prediction: PredictionRecords
    warnings: tuple[str, ...]
    versions: dict[str, str]
    files: dict[str, str]


@dataclass(frozen=True)
class MetamerRecord:
    """How a metamer was made and how well it matches.

    Attributes:
        network: the network.
        layer: the matched layer.
        stimulus: the natural stimulus.
        recipe: the recipe.
        seed: the seed of the noise.
        kernels: how convolutions were computed, ``"quick"`` or ``"small"``.
        asked_kernels: how they were asked to be; None for the layer's default.
        initial: SHA-256 of the initial stimulus, where it was not noise.
        computation: how it was computed.
        loss: losses.
        initial_correlation: Spearman's coefficient of the activations before the first step, by the front end of the
            recipe; None where they are constant.
        correlation: that of the finished metamer, by the reference front end.
        further_measures: what else the recipe's inclusion test needs of the finished metamer
            (`tfmetamers.inclusion.measures.further_measures`); None where one is undefined.
        prediction: ``index`` and ``label`` of the ``original`` and of the ``metamer``; None without labels.
        warnings: reasons not to rely on it, in words.
        versions: of the software that made it.
        files: SHA-256 of every other file of its folder that was written with it, by the path in the folder; empty for
            a metamer in memory.

    >>> import numpy as np
    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> from tfmetamers.synthesis import synthesize
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> record = synthesize(network, np.linspace(-1.0, 1.0, 6), layer="tanh", steps=2).record
    >>> record.layer.name, record.recipe.steps, record.seed
    ('tanh', 2, 0)
    >>> MetamerRecord.from_json(record.to_json()) == record
    True
    """

    network: NetworkRecord
    layer: LayerRecord
    stimulus: StimulusRecord
    recipe: Recipe
    seed: int
    kernels: str
    asked_kernels: str | None
    initial: str | None
    computation: ComputationRecord
    loss: LossRecord
    initial_correlation: float | None
    correlation: float | None
    prediction: Mapping[str, Mapping[str, Any] | None]
    warnings: tuple[str, ...]
    versions: Mapping[str, str]
    files: Mapping[str, str] = field(default_factory=dict, compare=False)
    further_measures: Mapping[str, float | None] = field(default_factory=dict)

    @cached_property
    def domain(self) -> Domain:
        """What its stimulus is."""
        return domain_from_json(self.network.domain)

    @property
    def identity(self) -> dict[str, Any]:
        """What determines the metamer, as `tfmetamers.metamers.spec.MetamerSpec.identity` has it."""
        return metamer_identity(
            self.network.spec_identity,
            self.layer.name,
            self.stimulus.file_sha256,
            self.stimulus.fit,
            self.recipe,
            self.seed,
            self.asked_kernels,
            self.initial,
        )

    @property
    def relative_folder(self) -> Path:
        """The metamer's folder below an output folder."""
        of_layer = layer_folder(self.network.folder_name, self.layer.name, self.variant)
        return metamer_folder(of_layer, self.stimulus.id, self.seed)

    @property
    def variant(self) -> list[str]:
        """What was not as usual for the network, in words; empty if everything was."""
        return layer_variant(self.recipe, self.network.recipe, self.stimulus.fit, self.asked_kernels, self.initial)

    def replace(self, **fields: Any) -> "MetamerRecord":
        """Return the same with other values for some fields."""
        return dataclasses.replace(self, **fields)

    def to_json(self) -> dict[str, Any]:
        """Return what metamer.json holds."""
        return {
            "format": FORMAT,
            "network": self.network.to_json(),
            "layer": {**vars(self.layer), "shape": list(self.layer.shape), "relus": list(self.layer.relus)},
            "stimulus": {**vars(self.stimulus), "columns": dict(self.stimulus.columns)},
            "recipe": dataclasses.asdict(self.recipe),
            "deviations": {name: list(pair) for name, pair in self.recipe.deviations().items()},
            **{name: getattr(self, name) for name in ("seed", "kernels", "asked_kernels", "initial")},
            "computation": vars(self.computation),
            "loss": vars(self.loss),
            "initial_correlation": self.initial_correlation,
            "correlation": self.correlation,
            **({"further_measures": dict(self.further_measures)} if self.further_measures else {}),
            "prediction": {which: each and dict(each) for which, each in self.prediction.items()},
            "warnings": list(self.warnings),
            "versions": dict(self.versions),
            "files": dict(self.files),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "MetamerRecord":
        """Return what `to_json` gave.

        Raises:
            TfmetamersError: a network, a recipe or a domain that is not known here, or a value that cannot be used.
            KeyError, TypeError, ValueError: a part is missing or of another type.
        """
        record = cls(
            network=_network(content["network"]),
            recipe=_recipe(content["recipe"]),
            **typed(content, _Content),
        )
        if record.domain.shape != record.network.stimulus_shape or math.prod(record.layer.shape) < 1:
            raise ValueError("the shapes of its stimulus or layer do not agree")
        return record


@remember_last
def _network(content: Mapping[str, Any]) -> NetworkRecord:
    """Return the network of a record; the metamers of a run share it."""
    return NetworkRecord.from_json(content)


@remember_last
def _recipe(content: Mapping[str, Any]) -> Recipe:
    return Recipe(**content)


@dataclass(frozen=True)
class RunRecord:
    """When and where a metamer was made, which has no effect on it; what run.json holds.

    Attributes:
        seconds: wall time of the steps of its batch.
        finished: when, in UTC (ISO 8601).
        host: the machine's name.

    >>> run = RunRecord.now(seconds=12.5)
    >>> run.seconds, run.finished.startswith("20")
    (12.5, True)
    """

    seconds: float
    finished: str
    host: str

    @classmethod
    def now(cls, seconds: float) -> "RunRecord":
        """Return the record of a metamer that is finished now, on this machine."""
        finished = datetime.now(timezone.utc).isoformat(timespec="seconds")
        return cls(round(seconds, 3), finished, platform.node())
