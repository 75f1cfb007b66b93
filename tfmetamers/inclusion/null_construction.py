"""Null distributions built from natural stimuli block by block, and continued after an interruption."""

import contextlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from tfmetamers.errors import ArgumentError, ResultError, StimulusError, checked_whole_number
from tfmetamers.inclusion.measures import CONVENTIONS, SPEARMAN
from tfmetamers.inclusion.null import RECORDED, NullDistribution, NullStimulus
from tfmetamers.inclusion.null_archive import NullMetadata, Values, array_name
from tfmetamers.inclusion.pairs import DrawnPairs, draw_pairs, signals
from tfmetamers.inclusion.row_tables import LayerTable, row_bytes
from tfmetamers.networks.network import Network
from tfmetamers.networks.record import IDENTITY, network_identity
from tfmetamers.stimuli.collection import StimulusFile
from tfmetamers.stimuli.noise import stimulus_digest
from tfmetamers.utilities.array_files import read_archive
from tfmetamers.utilities.differences import find_differences
from tfmetamers.utilities.files import atomic_write, file_lock, lock_beside, sweep, sweep_beside
from tfmetamers.utilities.json_files import read_json, typed
from tfmetamers.utilities.versions import describe_versions
from tfmetamers.utilities.words import counted, first_few

#: Bytes that ranking a stimulus takes for each unit of the layer, its activations included (measured).
RANKING_BYTES = 56

#: The memory, in bytes, that activations and their ranks may take by default.
MEMORY_BYTES = 4 * 10**9

#: The largest file of settings that is read, in bytes: that of two million stimuli.
MAX_SETTINGS = 2**28


@dataclass(frozen=True)
class NaturalStimuli:
    """The stimuli that pairs are drawn from, and those that were left out.

    Attributes:
        files: the different stimuli that can be loaded.
        digests: `stimulus_digest` of each.
        duplicates: the id of each stimulus that equals an earlier one, and the id of the earlier one.
        broken: the id of each stimulus that cannot be loaded, and why.
        fit: what was done with sounds of another length.
    """

    files: list[StimulusFile]
    digests: list[str]
    duplicates: list[tuple[str, str]]
    broken: list[tuple[str, str]]
    fit: str | None = None


def examine_stimuli(
    network: Network,
    stimuli: Sequence[StimulusFile],
    *,
    fit: str | None = None,
    progress: Callable[[], None] | None = None,
) -> NaturalStimuli:
    """Load each stimulus once, to find duplicates and files that cannot be loaded.

    Args:
        network: the network whose domain loads them.
        stimuli: the files.
        fit: what is done with sounds of another length, which cannot be loaded by default.
        progress: called after each stimulus.

    Raises:
        ArgumentError: a fit was given, and the network does not take sounds.
        StimulusError: fewer than two different stimuli can be loaded.

    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> from tfmetamers.stimuli import collect_stimuli
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> for name in ("a", "b", "copy_of_b"):
    ...     np.save(f"{name}.npy", np.full(6, float(ord(name[-1]))))
    >>> examined = examine_stimuli(network, collect_stimuli(["."], [".npy"]))
    >>> [stimulus.id for stimulus in examined.files], examined.duplicates
    (['a', 'b'], [('copy_of_b', 'b')])
    """
    first_of: dict[str, StimulusFile] = {}
    duplicates, broken = [], []
    for stimulus in stimuli:
        try:
            digest = stimulus_digest(network.domain.load(stimulus.path, fit))
        except StimulusError as error:
            broken.append((stimulus.id, str(error)))
        else:
            if digest in first_of:
                duplicates.append((stimulus.id, first_of[digest].id))
            first_of.setdefault(digest, stimulus)
        if progress:
            progress()
    if len(first_of) < 2:
        reason = f", such as: {broken[0][1].rstrip('.')}" if broken else ""
        raise StimulusError(
            f"{counted(len(first_of), 'different stimulus', 'different stimuli')} can be loaded out of {len(stimuli)} "
            f"(copies: {len(duplicates)}, files that cannot be loaded: {len(broken)}{reason}); give at least two."
        )
    return NaturalStimuli(list(first_of.values()), list(first_of), duplicates, broken, fit)


@dataclass(frozen=True)
class NullPlan:
    """A null distribution to be built.

    Attributes:
        network: the network.
        layers: names of its layers.
        stimuli: what pairs are drawn from.
        drawn: the pairs.
        seed: with which they were drawn.
        design: with which they were drawn.
        out: the file to write.
        memory_bytes: what the activations and ranks of one group of layers may take.
    """

    network: Network
    layers: tuple[str, ...]
    stimuli: NaturalStimuli
    drawn: DrawnPairs
    seed: int
    design: str
    out: Path
    memory_bytes: int

    @property
    def unfinished(self) -> Path:
        """The folder that keeps what is finished until the whole distribution is."""
        return self.out.with_name(f"{self.out.name}.unfinished")

    @cached_property
    def settings(self) -> dict:
        """What determines the distribution, as its file has it."""
        return json.loads(json.dumps(self._distribution(self._empty()).metadata()))

    def _empty(self) -> dict[str, dict[str, np.ndarray]]:
        """Return arrays for the numbers of each measure by layer."""
        return {measure: {name: np.empty(len(self.drawn.pairs)) for name in self.layers} for measure in CONVENTIONS}

    def _distribution(self, values: Values) -> NullDistribution:
        found = zip(self.stimuli.files, self.stimuli.digests, strict=True)
        # The same network gives the same file, wherever its weights lie.
        network = {key: value for key, value in self.network.describe().to_json().items() if key in RECORDED}
        return NullDistribution(
            network=network,
            layers=values[SPEARMAN],
            further={measure: layers for measure, layers in values.items() if measure != SPEARMAN},
            pairs=self.drawn.pairs,
            stimuli=tuple(NullStimulus(stimulus.id, digest) for stimulus, digest in found),
            seed=self.seed,
            design=self.design,
            front_end=next(iter(self.network.front_ends), "none"),
            versions=describe_versions(),
            left_out={
                "duplicates": [id_ for id_, _ in self.stimuli.duplicates],
                "broken": [id_ for id_, _ in self.stimuli.broken],
            },
        )


def plan_null(
    network: Network,
    layers: Sequence[str],
    stimuli: NaturalStimuli,
    *,
    pairs: int,
    seed: int,
    out: str | os.PathLike,
    design: str = "blocks",
    memory_bytes: int = MEMORY_BYTES,
) -> NullPlan:
    """Draw the pairs of a null distribution, and check that it can be written.

    Args:
        network: the network.
        layers: names of layers.
        stimuli: what `examine_stimuli` returned.
        pairs: the number of pairs.
        seed: decides which pairs are drawn.
        out: the ``.npz`` file to write.
        design: ``"blocks"`` or ``"independent"`` (`tfmetamers.inclusion.pairs.draw_pairs`).
        memory_bytes: what activations and their ranks may take. Each pass computes as many layers as have room for
            theirs, and at least one; they are in files beside `out`, and in memory a part at a time. The network and
            one pass through it take memory in addition. The result does not depend on it.

    Raises:
        ArgumentError: a layer is unknown, there are fewer pairs than asked for, or another value cannot be used.
        ResultError: `out` exists and is something else, or was started with other settings.

    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> from tfmetamers.stimuli import collect_stimuli
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> generator = np.random.default_rng(0)
    >>> for name in "abcd":
    ...     np.save(f"{name}.npy", generator.normal(size=6))
    >>> stimuli = examine_stimuli(network, collect_stimuli(["."], [".npy"]))
    >>> plan = plan_null(network, ["tanh"], stimuli, pairs=6, seed=0, out="null.npz")
    >>> build_null(plan)
    <NullDistribution of function at tanh: 6 overlapping pairs of 4 stimuli>
    """
    checked_whole_number("memory in bytes", memory_bytes, minimum=1)
    names = tuple(dict.fromkeys(network.layer(name).name for name in layers))
    if not names:
        raise ArgumentError("No layer was given; give at least one.")
    drawn = draw_pairs(len(stimuli.files), pairs, seed, design)
    plan = NullPlan(network, names, stimuli, drawn, seed, design, Path(out), memory_bytes)
    if plan.out.exists():
        _refuse_differences(plan.out, NullDistribution.load(plan.out).metadata(), plan.settings)
    else:
        _check_unfinished(plan)
    return plan


def build_null(
    plan: NullPlan, progress: Callable[[int, int], None] | None = None, *, is_alone: bool = False
) -> NullDistribution:
    """Build a null distribution and write it, or read it if it has been written.

    What is known of each stimulus and the numbers of each block are kept as soon as they are known; the same plan made
    again continues from there, and ends with the same bytes on the same machine, whatever the memory.

    Args:
        plan: the plan.
        progress: called after each stimulus with the number of stimuli ranked and the number in all blocks that are
            not finished, both summed over groups of layers.
        is_alone: whether the caller sees to it that nobody else builds the same distribution, in place of a lock.

    Raises:
        ResultError: an activation is not a number, a file cannot be written, a stimulus has changed, or another run is
            building the same distribution.
        StimulusError: a stimulus can no longer be loaded.

    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> from tfmetamers.stimuli import collect_stimuli
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> generator = np.random.default_rng(0)
    >>> for name in "abcd":
    ...     np.save(f"{name}.npy", generator.normal(size=6))
    >>> stimuli = examine_stimuli(network, collect_stimuli(["."], [".npy"]))
    >>> null = build_null(plan_null(network, ["tanh"], stimuli, pairs=6, seed=0, out="null.npz"))
    >>> NullDistribution.load("null.npz").maximum("tanh") == null.maximum("tanh")
    True
    """
    with contextlib.nullcontext() if is_alone else _locked(plan), _tidied(plan):
        if plan.out.exists():
            found = NullDistribution.load(plan.out)
            shutil.rmtree(plan.unfinished, ignore_errors=True)  # Left by a run that was killed at its very end.
            return found
        _check_unfinished(plan)
        with atomic_write(plan.unfinished / "settings.json") as partial:
            partial.write_text(json.dumps(plan.settings))
        _finish_blocks(plan, progress or (lambda done, total: None))
        values = plan._empty()
        for block in range(plan.drawn.blocks.max() + 1):
            found = _read_block(plan, block)
            if not _is_whole(found, plan.layers):
                raise ResultError(
                    f"{_block_file(plan, block)} was finished but is gone; make sure that nothing else writes to "
                    f"{plan.out.parent}, and run the command again."
                )
            for (measure, name), numbers in found.items():
                values[measure][name][plan.drawn.blocks == block] = numbers
        null = plan._distribution(values)
        null.save(plan.out)
        shutil.rmtree(plan.unfinished, ignore_errors=True)
    null.warn()
    return null


def _refuse_differences(path: Path, found: dict, wanted: dict, further: Sequence[str] = ()) -> None:
    """Refuse to continue or overwrite what was made with other settings."""
    keys = ["network", "layers", "measures", "pairs", "seed", "design", "front_end", *further]
    there, asked = ({key: settings.get(key) for key in keys} for settings in map(_shown, (found, wanted)))
    differences = find_differences(there, asked)
    if found.get("stimuli") != wanted["stimuli"]:
        differences.append(_difference_of_stimuli(found.get("stimuli") or [], wanted["stimuli"]))
    if differences:
        raise ResultError(
            f"{path} was made with other settings ({'; '.join(differences)}); give another --output, or move it away."
        )


def _shown(settings: dict) -> dict:
    versions = ", ".join(f"{name} {version}" for name, version in (settings.get("versions") or {}).items())
    network = {key: (settings.get("network") or {}).get(key) for key in IDENTITY}
    return {
        **settings,
        "network": network,
        "layers": ", ".join(settings.get("layers") or ()),
        "measures": ", ".join(settings.get("measures") or [SPEARMAN]),
        "versions": versions,
    }


def _difference_of_stimuli(found: list, wanted: list) -> str:
    there, asked = ({digest: id_ for id_, digest in stimuli} for stimuli in (found, wanted))
    only_there = [id_ for digest, id_ in there.items() if digest not in asked]
    only_asked = [id_ for digest, id_ in asked.items() if digest not in there]
    if not only_there and not only_asked:
        return "stimuli: other names or another order"
    return f"stimuli: {first_few(only_there)} only in the file, {first_few(only_asked)} only among those given"


def _check_unfinished(plan: NullPlan) -> None:
    path = plan.unfinished / "settings.json"
    if not path.exists():
        return
    try:
        found = read_json(path, MAX_SETTINGS)
        typed(found, NullMetadata)
    except (OSError, ValueError) as error:
        raise ResultError(f"{path} is damaged ({error}); delete {plan.unfinished} to start again.") from error
    _refuse_differences(plan.unfinished, found, plan.settings, ["versions"])


@contextlib.contextmanager
def _locked(plan: NullPlan) -> Iterator[None]:
    """Keep other runs from building the same distribution."""
    busy = f"Another run is building {plan.out}; wait until it has finished, or give another --output."
    with file_lock(lock_beside(plan.out), plan.unfinished, plan.out, busy=busy, remedy="Give another --output."):
        yield


@contextlib.contextmanager
def _tidied(plan: NullPlan) -> Iterator[None]:
    """Clear away what killed runs left, and at the end the folder of what is unfinished, if empty."""
    sweep(plan.unfinished)
    sweep_beside(plan.out)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            plan.unfinished.rmdir()


def _block_file(plan: NullPlan, block: int) -> Path:
    return plan.unfinished / f"block_{block:06d}.npz"


def _read_block(plan: NullPlan, block: int) -> dict[tuple[str, str], np.ndarray]:
    """Return the numbers of a block's pairs by measure and layer, of each layer that is finished."""
    path = _block_file(plan, block)
    if not path.exists():
        return {}
    try:
        layers = list(enumerate(plan.layers))
        keys = {array_name(measure, place): (measure, name) for measure in CONVENTIONS for place, name in layers}
        found = {keys[key]: values for key, values in read_archive(path).items()}
        count = int((plan.drawn.blocks == block).sum())
        if any(values.shape != (count,) or values.dtype != np.float64 for values in found.values()):
            raise ValueError(f"arrays of shape ({count},) were expected")
    except (OSError, ValueError, KeyError) as error:
        raise ResultError(f"{path} is damaged ({error}); delete it to compute that block again.") from error
    return found


def _is_whole(found: Mapping[tuple[str, str], np.ndarray], layers: Sequence[str]) -> bool:
    """Tell whether a block has every measure of some layers."""
    return {(measure, name) for measure in CONVENTIONS for name in layers} <= found.keys()


def _write_block(plan: NullPlan, block: int, found: Mapping[tuple[str, str], np.ndarray]) -> None:
    archive = io.BytesIO()
    arrays = {array_name(measure, plan.layers.index(name)): values for (measure, name), values in found.items()}
    np.savez(archive, **arrays)
    with atomic_write(_block_file(plan, block)) as partial:
        partial.write_bytes(archive.getbuffer())


def _finish_blocks(plan: NullPlan, progress: Callable[[int, int], None]) -> None:
    """Compute what is missing, one group of layers after another, so that each group is compiled only once."""
    blocks = [np.flatnonzero(plan.drawn.blocks == block) for block in range(plan.drawn.blocks.max() + 1)]
    members = [np.unique(plan.drawn.pairs[positions]) for positions in blocks]
    waiting = [
        (group, block)
        for group in _groups(plan, max(map(len, members)))
        for block in range(len(blocks))
        if not _is_whole(_read_block(plan, block), group)
    ]
    done, total = 0, sum(len(members[block]) for _, block in waiting)
    function, compiled = None, None
    for group, block in waiting:
        if group != compiled:
            function, compiled = plan.network.activations_together(group), group
        with contextlib.ExitStack() as stack:
            tables = [stack.enter_context(_table(plan, name, members[block])) for name in group]
            for row, number in enumerate(members[block]):
                if not all(table.holds(row) for table in tables):
                    _keep(plan, group, function, number, tables, row)
                done += 1
                progress(done, total)
            drawn, slab = plan.drawn.pairs[blocks[block]], max(plan.memory_bytes // 8, 1)
            rows = [np.searchsorted(members[block], each) for each in (drawn, signals(drawn, plan.stimuli.digests))]
            compared = {name: table.compare(*rows, slab) for name, table in zip(group, tables, strict=True)}
            found = {(measure, name): values for name, each in compared.items() for measure, values in each.items()}
            _write_block(plan, block, _read_block(plan, block) | found)
            for table in tables:
                table.remove()
        progress(done, total)


def _groups(plan: NullPlan, rows: int) -> list[tuple[str, ...]]:
    """Split the layers into groups whose tables fit together; a layer that does not fit is a group by itself."""
    groups: list[list[str]] = []
    taken = 0
    for name in plan.layers:
        size = rows * row_bytes(plan.network.layer(name).size)
        if not groups or taken + size > _room(plan):
            groups.append([])
            taken = 0
        groups[-1].append(name)
        taken += size
    return [tuple(group) for group in groups]


def _room(plan: NullPlan) -> int:
    """Return the bytes left for tables besides those for ranking one stimulus and for reading units to multiply."""
    largest = max(plan.network.layer(name).size for name in plan.layers)
    return plan.memory_bytes - max(RANKING_BYTES * largest, plan.memory_bytes // 8)


def _table(plan: NullPlan, name: str, members: np.ndarray) -> LayerTable:
    """Return what is kept of a block's stimuli at a layer, including what an interrupted run has kept."""
    file = plan.unfinished / f"layer_{plan.layers.index(name)}"
    return LayerTable(file, plan.network.layer(name).size, [_origin(plan, name, number) for number in members])


def _origin(plan: NullPlan, name: str, number: int) -> str:
    """Return what the activations of a stimulus at a layer depend on."""
    network, front_end, versions = (plan.settings[key] for key in ("network", "front_end", "versions"))
    return json.dumps([*network_identity(network), front_end, versions, name, plan.stimuli.digests[number]])


def _keep(plan: NullPlan, group, function, number: int, tables: list[LayerTable], row: int) -> None:
    """Compute the activations of one stimulus at each layer of a group, and keep them."""
    # One stimulus per pass: in a batch, rounding could depend on which stimuli are in it.
    stimulus = _load(plan, number)
    outputs = function(stimulus[None])
    for name, table, output in zip(group, tables, outputs, strict=True):
        activations = output.numpy()
        if np.isnan(activations).any():
            raise ResultError(
                f"{plan.stimuli.files[number].id} gives activations at {name} of {plan.network.name} that are not "
                "numbers (NaN); leave that stimulus out, or use other weights."
            )
        table.write(row, activations)


def _load(plan: NullPlan, number: int) -> np.ndarray:
    file, domain = plan.stimuli.files[number], plan.network.domain
    natural = domain.load(file.path, plan.stimuli.fit)
    if stimulus_digest(natural) != plan.stimuli.digests[number]:
        raise ResultError(f"{file.path} has changed since the run began; run the command again.")
    return domain.prepare(natural).astype(np.float32)
