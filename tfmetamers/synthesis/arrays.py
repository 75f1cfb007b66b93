"""Metamers of arrays in memory, as notebooks make them."""

import dataclasses
import itertools
from collections.abc import Iterable, Sequence

import numpy as np
from tqdm.auto import tqdm

from tfmetamers.errors import ArgumentError, checked_whole_number
from tfmetamers.metamers.metamer import Metamer, listed_metamers
from tfmetamers.metamers.record import MetamerRecord, StimulusRecord
from tfmetamers.networks.network import Network, checked_network
from tfmetamers.recipes import Recipe, find_recipe
from tfmetamers.stimuli.arrays import checked_stimulus
from tfmetamers.stimuli.ids import array_ids
from tfmetamers.stimuli.noise import stimulus_digest
from tfmetamers.synthesis.loop import Synthesis, check_bounds, check_memory, check_schedule
from tfmetamers.synthesis.state import SynthesisState
from tfmetamers.utilities.lists import listed


def synthesize(
    network: Network,
    stimulus: np.ndarray,
    *,
    layer: str,
    seed: int = 0,
    recipe: Recipe | None = None,
    steps: int | None = None,
    kernels: str | None = None,
    initial: np.ndarray | None = None,
    deterministic: bool = True,
    progress: bool = False,
) -> Metamer:
    """Make a metamer of a natural stimulus at one layer of a network.

    Args:
        network: the network.
        stimulus: the natural stimulus, as ``network.domain.load(FILE)`` gives it: a float array of
            ``network.stimulus_shape``, or the waveform where a network takes its cochleagram.
        layer: the layer's name.
        seed: seeds the noise that synthesis starts from.
        recipe: the recipe; the network's own by default.
        steps: the number of steps, in place of the recipe's.
        kernels: ``"quick"`` or ``"small"``; by default what suits the layer.
        initial: what synthesis starts from in place of noise, of ``network.stimulus_shape``.
        deterministic: use only operations that give the same numbers in every process on this machine.
        progress: show a progress bar.

    Returns:
        The metamer, with the record of how it was made.

    Raises:
        ArgumentError: an unknown layer, or a stimulus of another shape.
        SynthesisError: a loss, a gradient or a logit is not finite, or the gradient is zero and nothing moves.

    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> metamer = synthesize(network, np.linspace(-1.0, 1.0, 6), layer="tanh", steps=2)
    >>> metamer.record.recipe
    <Recipe feather2019-array: 2 steps, steps=2>
    >>> metamer.stimulus.shape, len(metamer.losses)
    ((6,), 3)
    """
    (metamer,) = synthesize_batch(
        network,
        [stimulus],
        layers=[checked_network(network).layer(layer).name],
        seed=seed,
        recipe=recipe,
        steps=steps,
        kernels=kernels,
        initial=None if initial is None else [initial],
        deterministic=deterministic,
        progress=progress,
    )
    return metamer


def synthesize_batch(
    network: Network,
    stimuli: Sequence[np.ndarray],
    *,
    layers: str | Sequence[str],
    seed: int = 0,
    recipe: Recipe | None = None,
    steps: int | None = None,
    kernels: str | None = None,
    initial: Sequence[np.ndarray] | None = None,
    ids: Sequence[str] | None = None,
    deterministic: bool = True,
    progress: bool = False,
) -> list[Metamer]:
    """Make a metamer of each natural stimulus at each of several layers; stimuli advance together.

    Args:
        network: the network.
        stimuli: natural stimuli, each as `synthesize` takes one.
        layers: names of layers, or one of them; ``"all"`` stands for all that have a name.
        seed: seeds the noise.
        recipe: the recipe; the network's own by default.
        steps: the number of steps, in place of the recipe's.
        kernels: ``"quick"`` or ``"small"``; by default what suits each layer.
        initial: what synthesis starts from in place of noise, one for each stimulus.
        ids: a name for each stimulus, of which a path below an output folder is made; by default the first digits of
            its hash.
        deterministic: use only operations that give the same numbers in every process on this machine.
        progress: show a progress bar for each layer.

    Returns:
        The metamers, layer by layer.

    Raises:
        ArgumentError: an unknown layer, a stimulus of another shape, a different number of ids or initial stimuli, or a
            layer whose steps need more memory than is free; nothing was started.
        SynthesisError: a loss, a gradient or a logit is not finite, or the gradient is zero for one and it never moves.

    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> stimuli = np.random.default_rng(0).normal(size=(2, 6))
    >>> metamers = synthesize_batch(network, stimuli, layers="all", ids=["a", "b"], steps=2)
    >>> [(metamer.record.stimulus.id, metamer.record.layer.name) for metamer in metamers]
    [('a', 'tanh'), ('b', 'tanh')]
    """
    layers = checked_network(network).layer_names(layers)
    recipe = _recipe(network, recipe, steps)
    seed = checked_whole_number("seed", seed, minimum=0)
    shape = network.domain.of_natural_stimuli.shape
    naturals = [checked_stimulus(stimulus, shape) for stimulus in listed(stimuli)]
    if not naturals:
        raise ArgumentError("No stimulus was given; give at least one.")
    if initial is not None and len(initial) != len(naturals):
        raise ArgumentError(
            f"There are {len(naturals)} stimuli and {len(initial)} initial stimuli; give one for each stimulus."
        )
    originals = np.stack([network.domain.prepare(natural) for natural in naturals])
    digests = [stimulus_digest(natural) for natural in naturals]
    names = array_ids(ids, digests)
    records = [StimulusRecord(sha256=digest, id=name) for digest, name in zip(digests, names, strict=True)]
    check_memory(network, layers, kernels, len(originals))
    made = []
    for layer in layers:
        synthesis = Synthesis(network, layer=layer, recipe=recipe, kernels=kernels, deterministic=deterministic)
        targets = synthesis.targets(originals)
        if initial is None:
            start, starts = synthesis.start(digests, seed), [None] * len(naturals)
            correlations = synthesis.initial_correlations(targets, start)
        else:
            start = SynthesisState.at_rest(_checked_initial(network, recipe, initial))
            starts = [stimulus_digest(each) for each in start.stimuli]
            correlations = [None] * len(naturals)
        state = _advance(synthesis, targets, start, names, progress)
        metamers = synthesis.finish(originals, targets, state, records, seed, correlations)
        made += [_with_initial(metamer, each) for metamer, each in zip(metamers, starts, strict=True)]
    return made


def resume(
    network: Network, metamers: Metamer | Iterable[Metamer], *, steps: int, progress: bool = False
) -> list[Metamer]:
    """Continue metamers to more steps, as if these had been asked for from the start.

    Metamers that follow each other as they did in a batch advance together again, so that even the last digits agree.

    Args:
        network: the network that made them.
        metamers: what `synthesize` or `synthesize_batch` returned: one, or several.
        steps: the number of steps in all.
        progress: show a progress bar for each batch.

    Raises:
        ArgumentError: another network made them, they were read from folders without the optimiser's state, they have
            as many steps already, their learning rates depended on the number of steps, or a step needs more memory
            than is free.
        SynthesisError: a loss, a gradient or a logit is not finite.

    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> stimuli = np.random.default_rng(0).normal(size=(2, 6))
    >>> metamers = synthesize_batch(network, stimuli, layers="all", ids=["a", "b"], steps=2)
    >>> [len(metamer.losses) for metamer in resume(network, metamers, steps=5)]
    [6, 6]
    """
    steps = checked_whole_number("number of steps", steps, minimum=1)
    metamers = listed_metamers(metamers)
    identity = checked_network(network).describe().identity
    for metamer in metamers:
        if metamer.record.network.identity != identity:
            raise ArgumentError(f"{metamer!r} was not made by {network!r}; give the network that made it.")
        if metamer.moments is None:
            raise ArgumentError(
                f"{metamer!r} was read from a folder without the optimiser's state, and cannot be continued; make it "
                f"again with steps={steps}."
            )
        if steps <= metamer.record.recipe.steps:
            raise ArgumentError(
                f"{metamer!r} already has {metamer.record.recipe.steps} steps, and {steps} were asked for; give a "
                "larger number."
            )
        check_schedule(metamer, metamer.record.recipe.replace(steps=steps))
    grouped = itertools.groupby(enumerate(metamers), lambda each: _batch_of(each[0], each[1].record))
    batches = [[metamer for _, metamer in batch] for _, batch in grouped]
    for batch in batches:
        check_memory(network, [batch[0].record.layer.name], batch[0].record.asked_kernels, len(batch))
    return [continued for batch in batches for continued in _resume_batch(network, batch, steps, progress)]


def _batch_of(position: int, record: MetamerRecord) -> tuple:
    """Return what is equal for metamers of one batch that follow each other as they did in it."""
    computed = record.computation
    batch = computed.batch_size, position - computed.place, computed.deterministic
    return record.layer.name, record.recipe, record.seed, record.kernels, record.asked_kernels, *batch


def _resume_batch(network: Network, batch: Sequence[Metamer], steps: int, progress: bool) -> list[Metamer]:
    record = batch[0].record
    synthesis = Synthesis(
        network,
        layer=record.layer.name,
        recipe=record.recipe.replace(steps=steps),
        kernels=record.asked_kernels,
        deterministic=record.computation.deterministic,
    )
    originals = np.stack([metamer.original for metamer in batch])
    targets = synthesis.targets(originals)
    stimuli = [metamer.record.stimulus for metamer in batch]
    reached = SynthesisState.of_metamers(batch)
    state = _advance(synthesis, targets, reached, [stimulus.id for stimulus in stimuli], progress)
    correlations = [metamer.record.initial_correlation for metamer in batch]
    finished = synthesis.finish(originals, targets, state, stimuli, record.seed, correlations)
    return [_with_initial(new, old.record.initial) for new, old in zip(finished, batch, strict=True)]


def _recipe(network: Network, recipe: Recipe | None, steps: int | None) -> Recipe:
    recipe = find_recipe(network.recipe) if recipe is None else recipe
    if not isinstance(recipe, Recipe):
        raise ArgumentError(f"The recipe is {recipe!r}; a Recipe was expected, such as find_recipe(NAME) gives.")
    return recipe if steps is None else recipe.replace(steps=steps)


def _advance(
    synthesis: Synthesis, targets: np.ndarray, start: SynthesisState, names: Sequence[str], progress: bool
) -> SynthesisState:
    state = start
    with tqdm(
        total=synthesis.recipe.steps, initial=start.step, desc=synthesis.layer, unit="step", disable=not progress
    ) as bar:
        for state in synthesis.advance_in_calls(targets, start):
            if state.unmoved.any():
                raise synthesis.unmoved_error(list(itertools.compress(names, state.unmoved)))
            bar.set_postfix_str(f"loss {state.losses[-1].mean():.4g}", refresh=False)
            bar.update(state.step - bar.n)
    return state


def _checked_initial(network: Network, recipe: Recipe, initial: Sequence[np.ndarray]) -> np.ndarray:
    """Return initial stimuli as an array.

    Raises:
        ArgumentError: one has another shape or type, values that are not finite, or values beyond the recipe's bounds.
    """
    checked = [checked_stimulus(each, network.stimulus_shape, "An initial stimulus") for each in initial]
    stacked = np.stack(checked)
    check_bounds(recipe, stacked, "An initial stimulus")
    return stacked


def _with_initial(metamer: Metamer, initial: str | None) -> Metamer:
    return dataclasses.replace(metamer, record=metamer.record.replace(initial=initial))
