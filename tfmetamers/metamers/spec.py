"""What determines a metamer: plain data, from which its folder follows."""

import dataclasses
import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tfmetamers.errors import StimulusError
from tfmetamers.networks.spec import NetworkSpec
from tfmetamers.recipes import Recipe
from tfmetamers.stimuli.collection import StimulusFile
from tfmetamers.utilities.files import file_digest
from tfmetamers.utilities.json_files import content_digest

#: The longest name of a folder, for a network or for a layer and its variant; a hash replaces the rest.
MAX_NAME = 200


@dataclass(frozen=True)
class StimulusSpec:
    """A natural stimulus: a file, and how it is loaded.

    Attributes:
        id: names it in results.
        path: the file.
        sha256: of the file's bytes.
        label: its true label, where a manifest gives one.
        category: its true category.
        columns: further columns of the manifest.
        fit: what is done with a sound of another length than the network's.

    >>> from tfmetamers.stimuli import StimulusFile, sample_word
    >>> spec = StimulusSpec.of_file(StimulusFile("human", sample_word(), label="human"), fit="centre")
    >>> spec.id, spec.label, len(spec.sha256)
    ('human', 'human', 64)
    """

    id: str
    path: str
    sha256: str
    label: str | None = None
    category: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict, hash=False)
    fit: str | None = None

    @classmethod
    def of_file(cls, stimulus: StimulusFile, fit: str | None = None, sha256: str | None = None) -> "StimulusSpec":
        """Return the spec of a stimulus that was collected; its file is hashed and not decoded.

        Args:
            stimulus: the stimulus.
            fit: what is done with a sound of another length.
            sha256: of the file, where that is known already.

        Raises:
            StimulusError: the file is missing or cannot be read.
        """
        digest = stimulus_file_digest(stimulus.path) if sha256 is None else sha256
        path = os.path.join(os.getcwd(), stimulus.path)
        return cls(stimulus.id, path, digest, stimulus.label, stimulus.category, dict(stimulus.columns), fit)


def stimulus_file_digest(path: str | os.PathLike) -> str:
    """Return the SHA-256 of the bytes of a natural stimulus's file.

    Raises:
        StimulusError: it is missing or cannot be read.
    """
    try:
        return file_digest(path)
    except OSError as error:
        raise StimulusError(f"{path} cannot be read: {error.strerror or error}; check the path.") from error


@dataclass(frozen=True)
class MetamerSpec:
    """Everything that determines a metamer.

    Attributes:
        network: the network.
        layer: the layer's name.
        stimulus: the natural stimulus.
        recipe: the recipe.
        own_recipe: the name of the network's own recipe.
        seed: the seed of the noise.
        kernels: how convolutions are computed, ``"quick"`` or ``"small"``; None for the layer's default.

    >>> from tfmetamers.recipes import find_recipe
    >>> recipe = find_recipe("feather2019-image").replace(steps=200)
    >>> stimulus = StimulusSpec("dog", "dog.png", sha256="ab12")
    >>> spec = MetamerSpec(NetworkSpec.parse("vgg_19:random"), "conv5_4", stimulus, recipe, "feather2019-image")
    >>> spec.folder("metamers").as_posix()
    'metamers/vgg_19~random-0/conv5_4~steps-200/dog/0'
    """

    network: NetworkSpec
    layer: str
    stimulus: StimulusSpec
    recipe: Recipe
    own_recipe: str
    seed: int = 0
    kernels: str | None = None

    @property
    def relative_folder(self) -> Path:
        """The metamer's folder below the output folder: network, layer, stimulus, seed."""
        return metamer_folder(self.layer_folder, self.stimulus.id, self.seed)

    @cached_property
    def layer_folder(self) -> Path:
        """The folder of all metamers of its layer that are made in the same way, below the output folder."""
        return _layer_folder(
            self.network.folder_name, self.layer, self.recipe, self.own_recipe, self.stimulus.fit, self.kernels
        )

    def folder(self, out: str | os.PathLike) -> Path:
        """Return the metamer's folder below an output folder."""
        return metamer_folder(_below(out, self.layer_folder), self.stimulus.id, self.seed)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What determines the metamer, wherever files lie: equal for equal metamers only."""
        return metamer_identity(
            self.network.identity,
            self.layer,
            self.stimulus.sha256,
            self.stimulus.fit,
            self.recipe,
            self.seed,
            self.kernels,
        )

    @property
    def key(self) -> str:
        """The SHA-256 of `identity` and of the stimulus's id, in hexadecimal."""
        return content_digest({**self.identity, "id": self.stimulus.id})

    def to_json(self) -> dict[str, Any]:
        """Return the spec as JSON has it."""
        return {
            **{each.name: getattr(self, each.name) for each in dataclasses.fields(self)},
            "network": self.network.to_json(),
            "stimulus": dataclasses.asdict(self.stimulus),
            "recipe": dataclasses.asdict(self.recipe),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "MetamerSpec":
        """Return what `to_json` gave.

        Raises:
            ArgumentError: a network or a recipe that cannot be used.
            KeyError, TypeError: a part is missing or unknown.
        """
        parts = {
            "network": NetworkSpec.from_json(content["network"]),
            "stimulus": StimulusSpec(**content["stimulus"]),
            "recipe": Recipe(**content["recipe"]),
        }
        return cls(**{**content, **parts})


def metamer_identity(
    network: Mapping[str, Any],
    layer: str,
    stimulus: str | None,
    fit: str | None,
    recipe: Recipe,
    seed: int,
    kernels: str | None,
    initial: str | None = None,
) -> dict[str, Any]:
    """Return what determines a metamer, as JSON has it.

    Args:
        network: `NetworkSpec.identity`.
        layer: the layer's name.
        stimulus: SHA-256 of the natural stimulus's file.
        fit: what was done with a sound of another length.
        recipe: the recipe.
        seed: the seed of the noise.
        kernels: how convolutions were asked to be computed.
        initial: SHA-256 of an initial stimulus of one's own.
    """
    return {
        "network": dict(network),
        "layer": layer,
        "stimulus": stimulus,
        "fit": fit,
        "recipe": dict(_recipe_fields(recipe)),
        "seed": seed,
        "kernels": kernels,
        "initial": initial,
    }


@functools.lru_cache
def _recipe_fields(recipe: Recipe) -> dict[str, Any]:
    return dataclasses.asdict(recipe)


def layer_variant(
    recipe: Recipe, own_recipe: str, fit: str | None = None, kernels: str | None = None, initial: str | None = None
) -> list[str]:
    """Return what was not as usual for the network when a metamer was made, in words."""
    words = recipe.variant(own_recipe)
    if fit is not None:
        words.append(f"fit-{fit}")
    if kernels is not None:
        words.append(f"{kernels}-kernels")
    if initial is not None:
        words.append(f"initial-{initial[:8]}")
    return words


def metamer_folder(layer_folder: Path, stimulus_id: str, seed: int) -> Path:
    """Return the folder of one metamer below that of its layer: ``<network>/<layer>/<stimulus id>/<seed>``."""
    return layer_folder.joinpath(stimulus_id, str(seed))


def layer_folder(network: str, layer: str, variant: list[str] | None = None) -> Path:
    """Return the folder of all metamers of a layer that are made in the same way, below the output folder.

    In the name of the layer, characters other than letters, digits and ``_.-`` are escaped as in a URL, so that no two
    layers share a folder; after ``~`` comes whatever is not as usual for the network.
    """
    plain = quote(layer, safe="").replace("~", "%7E")
    name = "~".join([plain, *(quote(word, safe="") for word in variant or [])])
    if len(name) > MAX_NAME:
        name = f"{plain[: MAX_NAME - 10]}~{content_digest({'variant': variant, 'layer': layer})[:8]}"
    return Path(network_folder(network)) / name


def network_folder(network: str) -> str:
    """Return the name of the folder of a network's metamers, from `NetworkSpec.folder_name`."""
    folder = quote(network, safe="@")
    if len(folder) > MAX_NAME:
        folder = f"{folder[: MAX_NAME - 10]}~{content_digest({'network': network})[:8]}"
    return folder


@functools.lru_cache
def _below(out: str | os.PathLike, folder: Path) -> Path:
    """Return a folder below an output folder, joined once for a run's many metamers."""
    return Path(out, folder)


@functools.lru_cache
def _layer_folder(
    network: str, layer: str, recipe: Recipe, own_recipe: str, fit: str | None, kernels: str | None
) -> Path:
    """Return `layer_folder`, computed once for a run's many metamers."""
    return layer_folder(network, layer, layer_variant(recipe, own_recipe, fit, kernels))
