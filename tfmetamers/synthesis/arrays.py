"""Metamers of arrays in memory, as notebooks make them."""

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np
from tqdm.auto import tqdm

from tfmetamers.errors import ArgumentError, checked_whole_number
from tfmetamers.metamers.metamer import Metamer
from tfmetamers.metamers.record import MetamerRecord, StimulusRecord
from tfmetamers.networks.network import Network
from tfmetamers.recipes import Recipe, find_recipe
from tfmetamers.stimuli.noise import stimulus_digest
from tfmetamers.synthesis.loop import Synthesis, check_schedule, check_values
from tfmetamers.synthesis.state import SynthesisState


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

    >>> from tfmetamers.networks import load_network
    >>> from tfmetamers.stimuli import sample_word
    >>> network = load_network("small_word_aliased")
    >>> word = network.domain.load(sample_word(), "centre")
    >>> metamer = synthesize(network, word, layer="conv_2", steps=2)
    >>> metamer.record.recipe
    <Recipe feather2019-audio: 2 steps, steps=2>
    >>> metamer.stimulus.shape, len(metamer.losses)
    ((8000,), 3)
    """
    (metamer,) = synthesize_batch(
        network,
        np.asarray(stimulus)[None],
        layers=[layer],
        seed=seed,
        recipe=recipe,
        steps=steps,
        kernels=kernels,
        initial=None if initial is None else np.asarray(initial)[None],
        deterministic=deterministic,
        progress=progress,
    )
    return metamer


def synthesize_batch(
    network: Network,
    stimuli: Sequence[np.ndarray],
    *,
    layers: Sequence[str],
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
        layers: names of layers.
        seed: seeds the noise.
        recipe: the recipe; the network's own by default.
        steps: the number of steps, in place of the recipe's.
        kernels: ``"quick"`` or ``"small"``; by default what suits each layer.
        initial: what synthesis starts from in place of noise, one for each stimulus.
        ids: a name for each stimulus; by default the first digits of its hash.
        deterministic: use only operations that give the same numbers in every process on this machine.
        progress: show a progress bar for each layer.

    Returns:
        The metamers, layer by layer.

    Raises:
        ArgumentError: an unknown layer, a stimulus of another shape, or a different number of ids or initial stimuli.
        SynthesisError: a loss, a gradient or a logit is not finite, or the gradient is zero for one and it never moves.
    """
    recipe = _recipe(network, recipe, steps)
    seed = checked_whole_number("seed", seed, minimum=0)
    naturals = [np.asarray(stimulus, np.float32) for stimulus in stimuli]
    if not naturals:
        raise ArgumentError("No stimulus was given; give at least one.")
    for what, given in (("names", ids), ("initial stimuli", initial)):
        if given is not None and len(given) != len(naturals):
            raise ArgumentError(
                f"There are {len(naturals)} stimuli and {len(given)} {what}; give one for each stimulus."
            )
    originals = np.stack([network.domain.prepare(natural) for natural in naturals])
    digests = [stimulus_digest(natural) for natural in naturals]
    names = list(ids) if ids is not None else [digest[:12] for digest in digests]
    records = [StimulusRecord(sha256=digest, id=name) for digest, name in zip(digests, names, strict=True)]
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


def resume(network: Network, metamers: Sequence[Metamer], *, steps: int, progress: bool = False) -> list[Metamer]:
    """Continue metamers to more steps, as if these had been asked for from the start.

    Metamers that follow each other as they did in a batch advance together again, so that even the last digits agree.

    Args:
        network: the network that made them.
        metamers: what `synthesize` or `synthesize_batch` returned.
        steps: the number of steps in all.
        progress: show a progress bar for each batch.

    Raises:
        ArgumentError: another network made them, they were read from folders without the optimiser's state, they have
            as many steps already, or their learning rates depended on the number of steps.
        SynthesisError: a loss, a gradient or a logit is not finite.
    """
    steps = checked_whole_number("number of steps", steps, minimum=1)
    identity = network.describe().identity
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
    batches = itertools.groupby(enumerate(metamers), lambda each: _batch_of(each[0], each[1].record))
    return [
        continued
        for _, batch in batches
        for continued in _resume_batch(network, [metamer for _, metamer in batch], steps, progress)
    ]


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
        ArgumentError: one has another shape, values that are not finite, or values beyond the recipe's bounds.
    """
    for each in initial:
        if np.shape(each) != network.stimulus_shape:
            raise ArgumentError(
                f"An initial stimulus has shape {np.shape(each)}; {network.name} takes {network.stimulus_shape}."
            )
    stacked = np.array([np.asarray(each, np.float32) for each in initial])
    check_values(stacked, recipe, "An initial stimulus")
    return stacked


def _with_initial(metamer: Metamer, initial: str | None) -> Metamer:
    return dataclasses.replace(metamer, record=metamer.record.replace(initial=initial))
