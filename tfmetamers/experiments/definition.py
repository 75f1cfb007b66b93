"""What an experiment's file stands for: networks, stimuli and settings that are resolved, as plain data.

It is kept in the output folder, so that every worker makes the same items, and so that a file that was changed is
noticed.
"""

import dataclasses
import functools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypedDict

import msgspec
import numpy as np
import psutil

from tfmetamers.errors import ArgumentError, StimulusError, TfmetamersError
from tfmetamers.experiments.items import METAMERS
from tfmetamers.metamers.spec import StimulusSpec
from tfmetamers.networks.families import network_names
from tfmetamers.networks.families.base import NetworkOutline
from tfmetamers.networks.notation import readings
from tfmetamers.networks.spec import PATHS, NetworkSpec
from tfmetamers.networks.spec_values import read_labels
from tfmetamers.recipes import Recipe, find_recipe
from tfmetamers.recognition.truth import read_truth
from tfmetamers.stimuli.collection import StimulusFile, collect_stimuli
from tfmetamers.stimuli.data_sets import data_set_manifest, find_data_set
from tfmetamers.stimuli.domains import Domain, domain_from_json
from tfmetamers.synthesis.request import find_layers, find_outline
from tfmetamers.utilities.json_files import typed
from tfmetamers.utilities.words import counted
from tfmetamers.version import __version__

#: The version of the form in which a definition is kept.
FORMAT = 1

#: The largest batch that ``batch_size = "auto"`` stands for.
MAX_AUTO_BATCH = 32

#: Fields of a table of a network that `NetworkSpec.parse` takes.
_MODEL_FIELDS = ("checkpoint", "input_range", "logits", "input", "signature", "domain", "sampling_rate", "optimize")


#: Numbers that count, and numbers that are seeds.
_Count, _Seed = Annotated[int, msgspec.Meta(ge=1)], Annotated[int, msgspec.Meta(ge=0)]


class _NetworkContent(TypedDict):
    """What `PlannedNetwork.to_json` returns."""

    entry: dict[str, Any]
    network: dict[str, Any]
    name: str
    sha256: str
    domain: dict[str, Any]
    named_layers: list[str]
    own_recipe: str
    classes: int | None
    layers: list[str]
    recipe: dict[str, Any]
    kernels: str | None


class _JudgeContent(TypedDict):
    """What `PlannedJudge.to_json` returns."""

    entry: str | dict[str, Any]
    network: dict[str, Any]
    name: str
    sha256: str


class _NullContent(TypedDict, total=False):
    """The table ``null``."""

    stimuli: list[str]
    files: list[str]
    fit: str
    pairs: _Count
    design: str
    seed: _Seed


class _EvaluationContent(TypedDict):
    """The table ``evaluation``."""

    layers: str


class _RecognitionContent(TypedDict):
    """The table ``recognition``, without the judges."""

    rules: list[str]
    include_failed: bool
    bootstrap_seed: _Seed


class _Content(TypedDict):
    """What `Definition.to_json` returns."""

    version: str
    file: str
    networks: list[_NetworkContent]
    stimuli: list[StimulusSpec]
    seeds: list[_Seed]
    batch_size: _Count
    null: _NullContent | None
    evaluation: _EvaluationContent
    judges: list[_JudgeContent]
    recognition: _RecognitionContent | None


@dataclass(frozen=True)
class PlannedNetwork:
    """A network of an experiment, with all that planning needs to know of it.

    Attributes:
        entry: its table of the file.
        spec: the network; it remembers its name and the digest of its files.
        outline: what is known of it.
        layers: names of the layers that metamers are made for.
        recipe: the recipe.
        kernels: how convolutions are computed; None for each layer's default.
    """

    entry: Mapping[str, Any]
    spec: NetworkSpec
    outline: NetworkOutline
    layers: tuple[str, ...]
    recipe: Recipe
    kernels: str | None

    def to_json(self) -> dict[str, Any]:
        """Return the network as JSON has it."""
        outline = self.outline
        return {
            "entry": dict(self.entry),
            **_remembered(self.spec),
            "domain": outline.domain.to_json(),
            "named_layers": list(outline.layers),
            "own_recipe": outline.recipe,
            "classes": outline.classes,
            "layers": list(self.layers),
            "recipe": dataclasses.asdict(self.recipe),
            "kernels": self.kernels,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "PlannedNetwork":
        """Return what `to_json` gave."""
        outline = NetworkOutline(
            content["name"],
            domain_from_json(content["domain"]),
            tuple(content["named_layers"]),
            content["own_recipe"],
            content["classes"],
        )
        spec, recipe = _recalled(content), Recipe(**content["recipe"])
        return cls(content["entry"], spec, outline, tuple(content["layers"]), recipe, content["kernels"])


@dataclass(frozen=True)
class PlannedJudge:
    """A judge of an experiment.

    Attributes:
        entry: what the file has for it.
        spec: the network; it remembers its name and the digest of its files.
    """

    entry: Any
    spec: NetworkSpec

    def to_json(self) -> dict[str, Any]:
        """Return the judge as JSON has it."""
        return {"entry": self.entry, **_remembered(self.spec)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "PlannedJudge":
        """Return what `to_json` gave."""
        return cls(content["entry"], _recalled(content))


@dataclass(frozen=True)
class Definition:
    """An experiment, resolved.

    Attributes:
        version: of tfmetamers.
        file: the experiment's file, as seen from the output folder.
        networks: the generating networks.
        stimuli: the natural stimuli.
        seeds: of the noise.
        batch_size: metamers that advance together.
        null: the table ``null``, with paths made absolute; None without one.
        evaluation: the table ``evaluation``.
        judges: who is shown the metamers.
        recognition: the rest of the table ``recognition``; None without one.
    """

    version: str
    file: str
    networks: tuple[PlannedNetwork, ...]
    stimuli: tuple[StimulusSpec, ...]
    seeds: tuple[int, ...]
    batch_size: int
    null: Mapping[str, Any] | None
    evaluation: Mapping[str, Any]
    judges: tuple[PlannedJudge, ...]
    recognition: Mapping[str, Any] | None

    @property
    def fit(self) -> str | None:
        """What is done with sounds of another length, which is the same for all."""
        return next((stimulus.fit for stimulus in self.stimuli), None)

    def to_json(self) -> dict[str, Any]:
        """Return the definition as JSON has it."""
        return {
            "format": FORMAT,
            "version": self.version,
            "file": self.file,
            "networks": [network.to_json() for network in self.networks],
            "stimuli": [dataclasses.asdict(stimulus) for stimulus in self.stimuli],
            "seeds": list(self.seeds),
            "batch_size": self.batch_size,
            "null": self.null and dict(self.null),
            "evaluation": dict(self.evaluation),
            "judges": [judge.to_json() for judge in self.judges],
            "recognition": self.recognition and dict(self.recognition),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Definition":
        """Return what `to_json` gave.

        Raises:
            ArgumentError: a network or a recipe that cannot be used.
            KeyError, TypeError, ValueError: a part is missing or of another type.
        """
        if content["format"] != FORMAT:
            raise ValueError(f"it has format {content['format']}, and {FORMAT} was expected")
        content = typed(content, _Content)
        return cls(
            version=content["version"],
            file=content["file"],
            networks=tuple(map(PlannedNetwork.from_json, content["networks"])),
            stimuli=tuple(content["stimuli"]),
            seeds=tuple(content["seeds"]),
            batch_size=content["batch_size"],
            null=content["null"],
            evaluation=content["evaluation"],
            judges=tuple(map(PlannedJudge.from_json, content["judges"])),
            recognition=content["recognition"],
        )


def resolve(content: Mapping[str, Any], file: Path, out: Path, earlier: Definition | None = None) -> Definition:
    """Return what an experiment's file stands for.

    No weights are loaded; networks are traced only where neither their family nor an earlier metamer tells what
    planning needs. Stimuli are hashed and not decoded.

    Args:
        content: what `read_experiment_file` returned.
        file: the file, whose folder is where relative paths start.
        out: the output folder.
        earlier: what was resolved before; networks whose files are gone since are taken from there, as long as the
            file has the same to say of them.

    Raises:
        ArgumentError: an unknown network, layer or recipe, a value that cannot be used, or things that do not go
            together.
        CheckpointError: a network's files are missing.
        StimulusError: a stimulus is missing or of another kind than the networks take.
    """
    out = out.absolute()
    folder = file.absolute().parent
    known = {} if earlier is None else {_frozen(each.entry): each for each in earlier.networks}
    networks = [_network(entry, folder, out, known.get(_frozen(entry))) for entry in content["networks"]]
    domains = [network.outline.domain for network in networks]
    for network in networks[1:]:
        _refuse_another_kind(networks[0], network)
    files = _chosen_stimuli(content["stimuli"], domains[0].of_natural_stimuli, folder, out)
    fit = content["stimuli"].get("fit")
    stimuli = tuple(StimulusSpec.of_file(stimulus, fit) for stimulus in files)
    recognition = _recognition(content.get("recognition"), folder, stimuli)
    known = {} if earlier is None else {_frozen(each.entry): each for each in earlier.judges}
    entries = content.get("recognition", {}).get("judges", ())
    judges = [_judge(entry, folder, known.get(_frozen(entry)), domains) for entry in entries]
    null = content.get("null")
    if null is not None:
        null = dict(null)
        if "data_set" in null:
            null["stimuli"] = [str(data_set_manifest(null.pop("data_set")))]
        null = {key: _absolute(value, folder) if key in ("stimuli", "files") else value for key, value in null.items()}
    batch_size = content["batch_size"]
    if batch_size == "auto":
        batch_size = earlier.batch_size if earlier else min(map(_fitting_batch, networks))
    return Definition(
        version=__version__,
        file=os.path.relpath(file.absolute(), out),
        networks=tuple(networks),
        stimuli=stimuli,
        seeds=tuple(content["seeds"]),
        batch_size=batch_size,
        null=null,
        evaluation=content["evaluation"],
        judges=tuple(judges),
        recognition=recognition,
    )


def _network(entry: Mapping[str, Any], folder: Path, out: Path, earlier: PlannedNetwork | None) -> PlannedNetwork:
    """Return a network of the file, as it was planned before where nothing about it has changed."""
    spec = _spec(entry, folder, earlier)
    if earlier is not None and earlier.spec.digest == spec.digest:
        return earlier
    describe = functools.cache(spec.describe)
    outline = find_outline(spec, out / METAMERS) or NetworkOutline.of(describe())
    names = [entry["layers"]] if isinstance(entry["layers"], str) else entry["layers"]
    layers = find_layers(outline, names, describe)
    front_end = {"front_end": entry["front_end"]} if "front_end" in entry else {}
    if front_end and find_recipe(outline.recipe).front_end == "none":
        raise ArgumentError(f"{outline.name} has no front end to choose; leave front_end = {entry['front_end']!r} out.")
    recipe = find_recipe(entry.get("recipe") or outline.recipe).replace(**front_end, **entry["settings"])
    outline = dataclasses.replace(outline, note="")  # Which is not kept.
    return PlannedNetwork(dict(entry), spec, outline, tuple(layers), recipe, entry.get("kernels"))


def _judge(entry: Any, folder: Path, earlier: PlannedJudge | None, domains: Sequence[Domain]) -> PlannedJudge:
    """Return a judge of the file; refuse one that does not take the metamers, as far as that is known."""
    spec = _spec({"network": entry} if isinstance(entry, str) else entry, folder, earlier)
    if earlier is not None and earlier.spec is spec:
        return earlier
    outline = spec.network_family.outline(spec)
    for shown in domains if outline else ():
        takes = outline.domain
        if not takes.can_judge(shown):
            raise ArgumentError(
                f"The judge {spec} takes {takes.describe()}, and the metamers are {shown.describe()}; give another "
                "judge."
            )
    return PlannedJudge(entry, spec)


def _recognition(
    table: Mapping[str, Any] | None, folder: Path, stimuli: Sequence[StimulusSpec]
) -> dict[str, Any] | None:
    """Return the table ``recognition`` without its judges, and with the path of the right answers made absolute."""
    if table is None:
        return None
    kept = {key: value for key, value in table.items() if key != "judges"}
    if "truth" in kept:
        kept["truth"] = os.path.abspath(folder / kept["truth"])
        if read_truth(kept["truth"]).keys().isdisjoint(stimulus.id for stimulus in stimuli):
            raise ArgumentError(
                f"{kept['truth']} has none of the stimuli, such as {stimuli[0].id!r}; give their ids in its column id."
            )
    return kept


def _spec(entry: Mapping[str, Any], folder: Path, earlier: PlannedNetwork | PlannedJudge | None) -> NetworkSpec:
    """Return the network of a table, as it was planned before where its files are gone."""
    try:
        labels = read_labels(folder / entry["labels"]) if "labels" in entry else None
        fields = {field: entry.get(field) for field in _MODEL_FIELDS}
        spec = NetworkSpec.parse(_located(entry["network"], folder), labels=labels, **fields)
        paths = {name: getattr(spec, name) for name in PATHS}
        spec = spec.replace(**{name: str(folder / path) for name, path in paths.items() if path is not None})
        return spec.remembering(spec.network_name, spec.digest)
    except TfmetamersError:
        if earlier is None:
            raise
        return earlier.spec


def _located(text: str, folder: Path) -> str:
    """Return the notation of a network with the path in it made absolute, where it begins with one that exists."""
    for base, _ in readings(text):
        if base not in network_names() and os.path.exists(folder / base):
            return f"{folder / base}{text.removeprefix(base)}"
    return text


def _remembered(spec: NetworkSpec) -> dict[str, Any]:
    return {"network": spec.to_json(), "name": spec.network_name, "sha256": spec.digest}


def _recalled(content: Mapping[str, Any]) -> NetworkSpec:
    return NetworkSpec.from_json(content["network"]).remembering(content["name"], content["sha256"])


def _refuse_another_kind(first: PlannedNetwork, other: PlannedNetwork) -> None:
    kinds = [network.outline.domain.of_natural_stimuli for network in (first, other)]
    if kinds[0].name != kinds[1].name:
        raise ArgumentError(
            f"{first.outline.name} takes {kinds[0].describe()}, and {other.outline.name} takes {kinds[1].describe()}; "
            "networks of one experiment share their stimuli. Write an experiment for each."
        )


def _chosen_stimuli(table: Mapping[str, Any], domain: Domain, folder: Path, out: Path) -> list[StimulusFile]:
    if "data_set" in table:
        files = find_data_set(table["data_set"])
    else:
        files = collect_stimuli([folder / each for each in table["inputs"]], domain.suffixes, ignored=out)
    for file in files:
        if file.path.suffix.lower() not in domain.suffixes:
            raise StimulusError(
                f"{file.path} is a stimulus of another kind: the networks take {domain.describe()}; give files that "
                f"end in {', '.join(domain.suffixes)}."
            )
    if "per_category" in table:
        files = _drawn_of_categories(files, table["per_category"], table["seed"])
    return _drawn(files, table["count"], table["seed"]) if "count" in table else files


def _drawn(files: Sequence[StimulusFile], count: int, seed: int) -> list[StimulusFile]:
    """Draw as many stimuli, whatever their category."""
    if len(files) < count:
        raise ArgumentError(
            f"There {'is' if len(files) == 1 else 'are'} {counted(len(files), 'stimulus', 'stimuli')}, and count is "
            f"{count}; give a smaller number."
        )
    drawn = np.random.default_rng(seed).choice(len(files), count, replace=False)
    return [files[place] for place in sorted(drawn)]


def _drawn_of_categories(files: Sequence[StimulusFile], count: int, seed: int) -> list[StimulusFile]:
    """Draw as many stimuli of each category; which, does not depend on the other categories."""
    by_category: dict[str, list[StimulusFile]] = {}
    for file in files:
        if file.category is None:
            raise ArgumentError(
                f"{file.path} has no category, and {count} of each were to be drawn; put the stimuli in folders named "
                "by category, or give a manifest with that column."
            )
        by_category.setdefault(file.category, []).append(file)
    drawn = set()
    for category, members in by_category.items():
        if len(members) < count:
            raise ArgumentError(
                f"The category {category} has {counted(len(members), 'stimulus', 'stimuli')}, and per_category is "
                f"{count}; give a smaller number."
            )
        members = sorted(members, key=lambda file: file.id)
        generator = np.random.default_rng([seed, *category.encode()])
        drawn.update(members[place].id for place in generator.choice(len(members), count, replace=False))
    return [file for file in files if file.id in drawn]


def _fitting_batch(network: PlannedNetwork) -> int:
    """Return how many metamers a step can advance in half of this machine's memory, from 1 to `MAX_AUTO_BATCH`."""
    described, room = network.spec.describe(), psutil.virtual_memory().total // 2
    one, two = (described.step_bytes(network.layers, count) for count in (1, 2))
    fitting = min(1 + (room - one[layer]) // (two[layer] - one[layer]) for layer in one)
    return max(1, min(MAX_AUTO_BATCH, fitting))


def _absolute(paths: Sequence[str], folder: Path) -> list[str]:
    for path in paths:
        if not (folder / path).exists():
            raise ArgumentError(f"{path} of [null] does not exist; check the path.")
    return [os.path.abspath(folder / path) for path in paths]


def _frozen(entry: Any) -> str:
    return repr(sorted(entry.items()) if isinstance(entry, Mapping) else entry)
