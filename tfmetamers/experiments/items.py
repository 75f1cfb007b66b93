"""What an experiment is made of, as plain data: batches of metamers, null distributions, evaluations, recognitions."""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from tfmetamers.metamers.spec import MetamerSpec, StimulusSpec, layer_folder, layer_variant, network_folder
from tfmetamers.networks.spec import NetworkSpec
from tfmetamers.recipes import Recipe
from tfmetamers.utilities.json_files import content_digest

#: The folders of an experiment's results, below its output folder.
METAMERS, NULLS, RECOGNITION = "metamers", "nulls", "recognition"


@dataclass(frozen=True)
class Condition:
    """What metamers have in common that are alike but for their stimuli.

    Attributes:
        network: the network.
        layer: the layer's name.
        recipe: the recipe.
        own_recipe: the name of the network's own recipe.
        seed: the seed of the noise.
        kernels: how convolutions are computed; None for the layer's default.
        fit: what is done with sounds of another length.
    """

    network: NetworkSpec
    layer: str
    recipe: Recipe
    own_recipe: str
    seed: int
    kernels: str | None = None
    fit: str | None = None

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of what determines it."""
        fields = {"layer": self.layer, "recipe": dataclasses.asdict(self.recipe), "seed": self.seed}
        return content_digest({**fields, "network": self.network.identity, "kernels": self.kernels})

    @cached_property
    def layer_folder(self) -> Path:
        """The folder of the layer below the folder of all metamers."""
        variant = layer_variant(self.recipe, self.own_recipe, self.fit, self.kernels)
        return layer_folder(self.network.folder_name, self.layer, variant)

    def spec(self, stimulus: StimulusSpec) -> MetamerSpec:
        """Return the metamer of a stimulus."""
        return MetamerSpec(self.network, self.layer, stimulus, self.recipe, self.own_recipe, self.seed, self.kernels)


class NetworkItem:
    """An item of one network.

    Attributes:
        network: the network.
        unit: what its progress is counted in.
    """

    network: NetworkSpec
    unit: ClassVar[str] = "stimuli"

    @property
    def network_title(self) -> str:
        """What messages and tables call the network: ``vgg_19~random-0``, where another may be ``vgg_19~1b8d7ec8``."""
        return self.network.folder_name


@dataclass(frozen=True)
class SynthesisItem(NetworkItem):
    """A batch of metamers of one network and layer.

    Attributes:
        condition: what they have in common.
        stimuli: their stimuli.
    """

    condition: Condition
    stimuli: tuple[StimulusSpec, ...]
    kind: ClassVar[str] = "metamers"
    unit: ClassVar[str] = "steps"

    @cached_property
    def key(self) -> str:
        """What identifies the item."""
        stimuli = [[each.id, each.sha256, each.fit] for each in self.stimuli]
        return content_digest({"condition": self.condition.digest, "stimuli": stimuli})[:32]

    @property
    def network(self) -> NetworkSpec:
        """The network."""
        return self.condition.network

    @property
    def layer_folder(self) -> Path:
        """The folder of the layer below the folder of all metamers."""
        return self.condition.layer_folder

    @property
    def specs(self) -> list[MetamerSpec]:
        """The metamers."""
        return [self.condition.spec(stimulus) for stimulus in self.stimuli]

    def folders(self, out: str) -> Iterator[str]:
        """Give the folders of the metamers, as text, below the folder of all metamers."""
        layer, seed = f"{out}/{METAMERS}/{self.condition.layer_folder}", self.condition.seed
        return (f"{layer}/{stimulus.id}/{seed}" for stimulus in self.stimuli)

    def describe(self) -> str:
        """Say what it is in a few words."""
        ids = ", ".join(stimulus.id for stimulus in self.stimuli[:3]) + (", …" if len(self.stimuli) > 3 else "")
        return f"{self.network_title} {self.condition.layer}, seed {self.condition.seed}: {ids}"


@dataclass(frozen=True)
class NullItem(NetworkItem):
    """A null distribution of one network.

    Attributes:
        network: the network.
        layers: its layers.
        stimuli: paths of files, folders and manifests of natural stimuli.
        pairs: the number of pairs.
        design: of the pairs.
        seed: decides which pairs are drawn.
        fit: what is done with sounds of another length.
    """

    network: NetworkSpec
    layers: tuple[str, ...]
    stimuli: tuple[str, ...]
    pairs: int
    design: str
    seed: int
    fit: str | None = None
    kind: ClassVar[str] = "null"
    layer_folder: ClassVar[None] = None

    @cached_property
    def key(self) -> str:
        """What identifies the item."""
        fields = {name: value for name, value in dataclasses.asdict(self).items() if name != "network"}
        return content_digest({**fields, "network": self.network.identity})[:32]

    def file(self, out: str) -> Path:
        """Return the file of the null distribution."""
        return Path(out, NULLS, f"{network_folder(self.network.folder_name)}~{self.key[:8]}.npz")

    def describe(self) -> str:
        """Say what it is in a few words."""
        return f"the null distribution of {self.network_title}"


@dataclass(frozen=True)
class EvaluationItem(NetworkItem):
    """The inclusion test of all metamers of one network and layer.

    Attributes:
        network: the network.
        layer: the layer's name.
        layer_folder: the layer's folder below the folder of all metamers.
        null: the file of the null distribution that is built for the network; None where there is none.
        further_nulls: files of null distributions, of which those that apply are used.
        all_layers: whether all layers are compared.
    """

    network: NetworkSpec
    layer: str
    layer_folder: Path
    null: str | None
    further_nulls: tuple[str, ...]
    all_layers: bool
    kind: ClassVar[str] = "evaluation"

    @cached_property
    def key(self) -> str:
        """What identifies the item."""
        nulls = [self.null and Path(self.null).name, *self.further_nulls]
        fields = {"folder": str(self.layer_folder), "nulls": nulls, "all_layers": self.all_layers}
        return content_digest({**fields, "evaluated": self.network.identity})[:32]

    def describe(self) -> str:
        """Say what it is in a few words."""
        return f"the evaluation of {self.network_title} {self.layer}"


@dataclass(frozen=True)
class RecognitionItem:
    """What judges recognise in all metamers, by one decision rule.

    Attributes:
        judges: the networks that are asked.
        rule: how one of the 16 categories is chosen.
        include_failed: whether metamers are shown that did not pass the inclusion test.
        bootstrap_seed: seed of the standard errors.
        truth: a CSV with the right answers; None for those that were recorded with the metamers.
    """

    judges: tuple[NetworkSpec, ...]
    rule: str
    include_failed: bool
    bootstrap_seed: int
    truth: str | None = None
    kind: ClassVar[str] = "recognition"
    unit: ClassVar[str] = "stimuli"
    network_title: ClassVar[str] = ""
    layer_folder: ClassVar[None] = None

    @cached_property
    def key(self) -> str:
        """What identifies the item."""
        fields = {"rule": self.rule, "include_failed": self.include_failed, "seed": self.bootstrap_seed}
        fields |= {} if self.truth is None else {"truth": self.truth}
        return content_digest({**fields, "judges": [judge.identity for judge in self.judges]})[:32]

    def folder(self, out: str) -> Path:
        """Return the folder of the decisions."""
        return Path(out, RECOGNITION, self.rule)

    def describe(self) -> str:
        """Say what it is in a few words."""
        return f"recognition by {', '.join(judge.folder_name for judge in self.judges)}, rule {self.rule}"


Item = SynthesisItem | NullItem | EvaluationItem | RecognitionItem


def batches(condition: Condition, stimuli: Sequence[StimulusSpec], batch_size: int) -> Iterator[SynthesisItem]:
    """Give the batches of one condition, in the order of the stimuli."""
    for start in range(0, len(stimuli), batch_size):
        yield SynthesisItem(condition, tuple(stimuli[start : start + batch_size]))
