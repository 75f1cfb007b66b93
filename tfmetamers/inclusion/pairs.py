"""Random pairs of stimuli."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfmetamers.errors import ArgumentError, checked_whole_number, unknown_name
from tfmetamers.inclusion.null import DESIGNS
from tfmetamers.utilities.words import counted

#: Blocks of fewer stimuli than this are computed together.
WORKED_TOGETHER = 32


@dataclass(frozen=True)
class DrawnPairs:
    """Pairs of stimuli, and the blocks in which they are computed.

    Attributes:
        pairs: int32 (pairs, 2), numbers of stimuli, the first below the second, in ascending order.
        blocks: int32 (pairs,), the block of each pair, from 0; no stimulus is in two blocks.
    """

    pairs: np.ndarray
    blocks: np.ndarray


def draw_pairs(stimuli: int, pairs: int, seed: int, design: str = "blocks") -> DrawnPairs:
    """Draw random pairs of different stimuli, none of them twice.

    The stimuli are shuffled and cut into blocks, and pairs are those within a block:

    - ``"independent"``: blocks of two, so that every stimulus is in at most one pair; there are half as many pairs as
      stimuli.
    - ``"blocks"``: the smallest blocks that have enough pairs. Pairs that share a stimulus are dependent; the smaller
      the blocks, the fewer such pairs. All pairs of all stimuli are one block.

    Where the blocks have more pairs than asked for, a random choice of them is kept.

    Args:
        stimuli: the number of stimuli.
        pairs: the number of pairs.
        seed: seeds NumPy's generator, which chooses them.
        design: ``"blocks"`` or ``"independent"``.

    Raises:
        ArgumentError: there are fewer pairs than asked for, or another value cannot be used.

    >>> draw_pairs(6, 3, seed=0, design="independent").pairs.shape
    (3, 2)
    """
    checked_whole_number("number of stimuli", stimuli, minimum=2)
    checked_whole_number("number of pairs", pairs, minimum=1)
    checked_whole_number("seed", seed, minimum=0)
    if design not in DESIGNS:
        raise unknown_name("design", design, DESIGNS)
    maximum = max_pairs(stimuli, design)
    if pairs > maximum:
        kind = "independent pair" if design == "independent" else "pair"
        raise ArgumentError(
            f"{counted(pairs, 'pair was', 'pairs were')} asked for, but {stimuli:,} stimuli have only "
            f"{counted(maximum, kind)}; ask for fewer pairs, or give more stimuli."
        )
    generator = np.random.default_rng([seed, DESIGNS.index(design)])
    shuffled = generator.permutation(stimuli).astype(np.int32)
    size = 2 if design == "independent" else _smallest_block(stimuli, pairs)
    drawn, blocks = _within_blocks(shuffled, size)
    kept = generator.choice(len(drawn), pairs, replace=False)
    drawn, blocks = np.sort(drawn[kept], axis=1), blocks[kept] // max(1, WORKED_TOGETHER // size)
    order = np.lexsort((drawn[:, 1], drawn[:, 0]))
    return DrawnPairs(drawn[order], np.unique(blocks[order], return_inverse=True)[1].astype(np.int32))


def signals(pairs: np.ndarray, digests: Sequence[str]) -> np.ndarray:
    """Return for each pair the stimulus that is the signal of its signal-to-noise ratio: the one of the smaller hash.

    The released code takes the first of a random pair. Here pairs are sorted, and the hash makes it a random one of the
    two, whatever their order.

    Args:
        pairs: int (pairs, 2), numbers of stimuli.
        digests: the hash of each stimulus.
    """
    places = np.argsort(np.argsort(digests))
    first, second = pairs.T
    return np.where(places[first] < places[second], first, second)


def max_pairs(stimuli: int, design: str) -> int:
    """Return the largest number of pairs that a design can draw from a number of stimuli."""
    return stimuli // 2 if design == "independent" else stimuli * (stimuli - 1) // 2


def _smallest_block(stimuli: int, pairs: int) -> int:
    """Return the size of the smallest blocks that have this many pairs in all."""
    sizes = np.arange(2, stimuli + 1, dtype=np.int64)
    rest = stimuli % sizes
    counts = stimuli // sizes * (sizes * (sizes - 1) // 2) + rest * (rest - 1) // 2
    return int(sizes[np.argmax(counts >= pairs)])


def _within_blocks(shuffled: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return all pairs within blocks of a size, and the block of each."""
    pairs, blocks = [], []
    for block, start in enumerate(range(0, len(shuffled), size)):
        members = shuffled[start : start + size]
        first, second = np.triu_indices(len(members), 1)
        pairs.append(np.stack([members[first], members[second]], axis=1))
        blocks.append(np.full(len(first), block, np.int32))
    return np.concatenate(pairs), np.concatenate(blocks)
