"""What a command asks for, as specs; a network is loaded only where planning needs it."""

import itertools
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tfmetamers.errors import CheckpointError, checked_whole_number
from tfmetamers.metamers.failures import Failure, attempt
from tfmetamers.metamers.folder import read_record
from tfmetamers.metamers.spec import MetamerSpec, StimulusSpec, network_folder, stimulus_file_digest
from tfmetamers.networks.families.base import NetworkOutline
from tfmetamers.networks.spec import NetworkSpec
from tfmetamers.networks.spec_values import ALL_LAYERS
from tfmetamers.recipes import Recipe, find_recipe
from tfmetamers.stimuli.collection import StimulusFile, collect_stimuli
from tfmetamers.stimuli.domains import domain_from_json
from tfmetamers.utilities.memory import no_garbage_collection

if TYPE_CHECKING:
    from tfmetamers.networks.network import Network

#: The number of files that a thread hashes at a time.
FILES_A_CALL = 64


@dataclass
class Request:
    """Metamers of stimuli at layers of one network.

    Attributes:
        network: the network.
        layers: names of layers; `ALL_LAYERS` stands for all that have a name.
        inputs: files, folders and manifests of stimuli.
        out: the output folder.
        recipe: the name of a recipe; None for the network's own.
        overrides: other values for fields of the recipe.
        seed: the seed of the noise.
        kernels: how convolutions are computed; None for each layer's default.
        fit: what is done with a sound of another length.

    >>> from tfmetamers.stimuli import sample_word
    >>> network = NetworkSpec.parse("small_word_aliased")
    >>> request = Request(network, ["conv_2"], [sample_word()], "metamers", overrides={"steps": "200"})
    >>> request.seed, request.recipe is None
    (0, True)
    """

    network: NetworkSpec
    layers: Sequence[str]
    inputs: Sequence[str | os.PathLike]
    out: str | os.PathLike
    recipe: str | None = None
    overrides: dict[str, str] = field(default_factory=dict)
    seed: int = 0
    kernels: str | None = None
    fit: str | None = None


@no_garbage_collection()
def plan_request(
    request: Request, load: Callable[[], "Network"], progress: Callable[[Sequence], Iterable] = iter
) -> tuple[list[MetamerSpec], NetworkOutline, Recipe]:
    """Return the specs of the metamers that a request stands for, layer by layer, and what they were planned with.

    Args:
        request: the request.
        load: loads the network; called only if what planning needs is known neither from its family nor from a metamer
            in the output folder.
        progress: called with the stimuli, whose files are hashed; yields them one by one, such as a progress bar.

    Raises:
        ArgumentError: an unknown layer or recipe, or a value that cannot be used.
        StimulusError: an input is missing or holds no stimulus.

    >>> from tfmetamers.networks import load_network
    >>> from tfmetamers.stimuli import sample_word
    >>> network = NetworkSpec.parse("small_word_aliased")
    >>> request = Request(network, ["all"], [sample_word()], "metamers", overrides={"steps": "200"})
    >>> specs, outline, recipe = plan_request(request, lambda: load_network(network))
    >>> len(specs) == len(outline.layers), recipe.steps
    (True, 200)
    """
    seed = checked_whole_number("seed", request.seed, minimum=0)
    outline = find_outline(request.network, Path(request.out)) or NetworkOutline.of(load())
    layers = find_layers(outline, request.layers, load)
    recipe = find_recipe(request.recipe or outline.recipe).replace(**request.overrides)
    files = collect_stimuli(request.inputs, outline.domain.suffixes, ignored=request.out)
    specs = metamer_specs(
        request.network,
        layers,
        files,
        recipe=recipe,
        own_recipe=outline.recipe,
        seed=seed,
        kernels=request.kernels,
        fit=request.fit,
        progress=progress,
    )
    return specs, outline, recipe


def find_layers(outline: NetworkOutline, names: Sequence[str], load: Callable[[], "Network"]) -> list[str]:
    """Return the layers that names stand for, each once.

    Args:
        outline: the network's outline.
        names: names of layers; `ALL_LAYERS` stands for all that have a name.
        load: loads the network; called only for a name that the outline does not have.

    Raises:
        ArgumentError: an unknown layer.
    """
    layers = [name for name in names if name != ALL_LAYERS]
    if any(name not in outline.layers for name in layers):
        network = load()  # A tensor, another name for a layer, or a name that is not known.
        layers = [network.layer(name).name for name in layers]
    return list(dict.fromkeys([*(outline.layers if ALL_LAYERS in names else ()), *layers]))


def metamer_specs(
    network: NetworkSpec,
    layers: Sequence[str],
    files: Sequence[StimulusFile],
    *,
    recipe: Recipe,
    own_recipe: str,
    seed: int = 0,
    kernels: str | None = None,
    fit: str | None = None,
    progress: Callable[[Sequence], Iterable] = iter,
) -> list[MetamerSpec]:
    """Return the specs of metamers of stimuli at layers of one network, layer by layer.

    Args:
        network: the network.
        layers: names of layers, as the network's `layer` returns them.
        files: natural stimuli; their files are hashed and not decoded.
        recipe: the recipe.
        own_recipe: the name of the network's own recipe.
        seed: the seed of the noise.
        kernels: how convolutions are computed; None for each layer's default.
        fit: what is done with a sound of another length.
        progress: as `plan_request` takes it.

    Raises:
        StimulusError: a file cannot be read.

    >>> from tfmetamers.recipes import find_recipe
    >>> from tfmetamers.stimuli import StimulusFile, sample_word
    >>> word, layers = StimulusFile("human", sample_word()), ["conv_0", "conv_2"]
    >>> recipe, own_recipe = find_recipe("feather2019-audio-waveform").replace(steps=200), "feather2019-audio-waveform"
    >>> network = NetworkSpec.parse("small_word_aliased")
    >>> specs = metamer_specs(network, layers, [word], recipe=recipe, own_recipe=own_recipe)
    >>> [spec.relative_folder.as_posix() for spec in specs]
    ['small_word_aliased/conv_0~steps-200/human/0', 'small_word_aliased/conv_2~steps-200/human/0']
    """
    stimuli = _stimulus_specs(files, fit, progress)
    return [
        MetamerSpec(network, layer, stimulus, recipe, own_recipe, seed, kernels)
        for layer in layers
        for stimulus in stimuli
    ]


def _stimulus_specs(files: Sequence[StimulusFile], fit: str | None, progress) -> list[StimulusSpec]:
    """Return the specs of stimuli; each of their files is hashed once, several at a time."""
    paths = list(dict.fromkeys(file.path for file in files))
    calls = [paths[first : first + FILES_A_CALL] for first in range(0, len(paths), FILES_A_CALL)]
    digests: dict[Path, str] = {}
    specs = []
    pool = ThreadPoolExecutor()
    try:
        hashed = itertools.chain.from_iterable(pool.map(lambda call: [*map(stimulus_file_digest, call)], calls))
        for file in progress(files):
            if file.path not in digests:
                digests[file.path] = next(hashed)
            specs.append(StimulusSpec.of_file(file, fit, digests[file.path]))
    finally:
        pool.shutdown(cancel_futures=True)
    return specs


def find_outline(spec: NetworkSpec, out: Path) -> NetworkOutline | None:
    """Return what planning needs to know about a network without loading it; None where it is not known.

    It is known from the network's family, or from a metamer of the same network in the output folder.
    """
    outline = spec.network_family.outline(spec)
    if outline is not None:
        return outline
    try:
        identity = spec.identity
    except CheckpointError:  # Loading fetches the file, or says why it cannot be used.
        return None
    for file in (out / network_folder(spec.folder_name)).rglob("metamer.json"):  # Any of them will do.
        record = attempt(file.parent, read_record, file.parent)
        if isinstance(record, Failure):
            continue
        network = record.network
        if network.spec_identity == identity:
            return NetworkOutline(network.name, domain_from_json(network.domain), network.layers, network.recipe)
    return None
