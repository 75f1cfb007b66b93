"""Null distributions of stimuli in memory, for notebooks."""

import contextlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tfmetamers.errors import ArgumentError, ResultError
from tfmetamers.inclusion.measures import CONVENTIONS, SPEARMAN
from tfmetamers.inclusion.null import RECORDED, NullDistribution, NullStimulus
from tfmetamers.inclusion.pairs import draw_pairs, max_pairs, signals
from tfmetamers.inclusion.row_tables import LayerTable
from tfmetamers.networks.network import Network, checked_network
from tfmetamers.stimuli.arrays import checked_stimulus
from tfmetamers.stimuli.ids import array_ids
from tfmetamers.stimuli.noise import stimulus_digest
from tfmetamers.utilities.lists import listed
from tfmetamers.utilities.versions import describe_versions
from tfmetamers.utilities.words import counted

#: Bytes of a table that are read at a time.
SLAB_BYTES = 2**28


def build_null_of_arrays(
    network: Network,
    stimuli: Sequence[np.ndarray],
    *,
    layers: str | Sequence[str],
    pairs: int | None = None,
    seed: int = 0,
    design: str = "blocks",
    ids: Sequence[str] | None = None,
) -> NullDistribution:
    """Compare the activations of random pairs of natural stimuli at layers of a network.

    The numbers are those that 'tfmetamers null build' gives for the same stimuli in the same order.

    Args:
        network: the network.
        stimuli: natural stimuli, each as ``network.domain.load(FILE)`` gives it; copies of an earlier one are left out.
        layers: names of layers, or one of them; ``"all"`` stands for all that have a name.
        pairs: the number of pairs; by default, as many as the design can draw.
        seed: decides which pairs are drawn.
        design: ``"blocks"`` or ``"independent"`` (`tfmetamers.inclusion.draw_pairs`).
        ids: a name for each stimulus; by default the first digits of its hash.

    Raises:
        ArgumentError: an unknown layer, a stimulus of another shape or type, fewer than two different stimuli, fewer
            pairs than asked for, or ids that cannot be used.
        ResultError: an activation is not a number.
    """
    chosen = checked_network(network).layer_names(layers)
    shape = network.domain.of_natural_stimuli.shape
    naturals = [
        checked_stimulus(stimulus, shape, f"Stimulus {place}, counted from 0,")
        for place, stimulus in enumerate(listed(stimuli))
    ]
    digests = [stimulus_digest(natural) for natural in naturals]
    distinct = {digest: place for place, digest in reversed(list(enumerate(digests)))}
    kept = sorted(distinct.values())
    names = array_ids(ids, digests)
    if len(kept) < 2:
        raise ArgumentError(
            f"There {'is' if len(kept) == 1 else 'are'} "
            f"{counted(len(kept), 'different stimulus', 'different stimuli')} in {len(naturals)} arrays; give at "
            "least two."
        )
    drawn = draw_pairs(len(kept), max_pairs(len(kept), design) if pairs is None else pairs, seed, design)
    prepared = [network.domain.prepare(naturals[place]) for place in kept]
    values = _values(network, prepared, chosen, drawn.pairs, signals(drawn.pairs, [digests[place] for place in kept]))
    described = network.describe().to_json()
    null = NullDistribution(
        network={key: described[key] for key in RECORDED},
        layers=values.pop(SPEARMAN),
        further=values,
        pairs=drawn.pairs,
        stimuli=tuple(NullStimulus(names[place], digests[place]) for place in kept),
        seed=seed,
        design=design,
        front_end=next(iter(network.front_ends), "none"),
        versions=describe_versions(),
        left_out={"duplicates": [names[place] for place in range(len(naturals)) if place not in kept], "broken": []},
    )
    null.warn()
    return null


def _values(
    network: Network, stimuli: Sequence[np.ndarray], layers: Sequence[str], pairs: np.ndarray, signal: np.ndarray
) -> dict[str, dict[str, np.ndarray]]:
    """Return the numbers of each measure by layer."""
    compute = network.activations_together(layers)
    origins = [str(place) for place in range(len(stimuli))]
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        tables = [
            stack.enter_context(LayerTable(Path(folder) / str(place), network.layer(name).size, origins))
            for place, name in enumerate(layers)
        ]
        for row, stimulus in enumerate(stimuli):
            # One stimulus per pass: in a batch, rounding could depend on which stimuli are in it.
            for name, table, output in zip(layers, tables, compute(stimulus[None]), strict=True):
                activations = output.numpy()
                if np.isnan(activations).any():
                    raise ResultError(
                        f"Stimulus {row}, counted from 0 without copies, gives activations at {name} that are not "
                        "numbers (NaN); leave it out, or use other weights."
                    )
                table.write(row, activations)
        compared = [table.compare(pairs, signal, SLAB_BYTES) for table in tables]
    return {
        measure: {name: each[measure] for name, each in zip(layers, compared, strict=True)} for measure in CONVENTIONS
    }
