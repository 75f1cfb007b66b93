"""Lists: which stimuli a participant is shown, in which condition and order.

The same arguments give the same lists on every machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfmetamers.errors import ResultError
from tfmetamers.utilities.words import counted, first_few

#: Changes when the same seed gives other lists.
ALGORITHM = 1

#: Costs of a stimulus in a slot: that no such stimulus exists, that it is of another category than the slot asks for,
#: that it was in the same condition in an earlier list, that it was in an earlier list.
_MISSING, _OTHER_CATEGORY, _SAME_CONDITION, _USED = 1e9, 1e6, 1e3, 1e1

#: What can be done where stimuli do not suffice; those of practice and a demo come in no list.
_REMEDY = "make metamers of more stimuli, or give fewer --trials, --natural-trials, --catch, --practice or --demo"


@dataclass(frozen=True)
class Slots:
    """A condition's trials in each list.

    Attributes:
        name: what messages call the condition.
        trials: how many a list has.
        available: bool (stimuli,): which stimuli exist in this condition.
    """

    name: str
    trials: int
    available: np.ndarray


def make_lists(
    slots: Sequence[Slots], categories: np.ndarray | None, lists: int, seed: int
) -> list[list[tuple[int, int]]]:
    """Assign stimuli to conditions, list by list, and put each list in random order.

    In each list every condition has exactly its number of trials and no stimulus comes twice. Over lists, stimuli are
    used equally often and in different conditions, and conditions ask for every category in turn. Each list is an
    assignment of least cost (`scipy.optimize.linear_sum_assignment`), with a jitter drawn from ``[seed, list]``.

    Args:
        slots: the conditions.
        categories: int (stimuli,): the category of each stimulus; None where lists need not balance them.
        lists: how many lists.
        seed: the seed, from 0.

    Returns:
        Of each list, the trials in order: the places of the condition and of the stimulus.

    Raises:
        ResultError: there are too few stimuli; the conditions and numbers are named.
    """
    from scipy.optimize import linear_sum_assignment

    stimuli = len(slots[0].available)
    _require_enough(slots, stimuli)
    condition_of = np.repeat(np.arange(len(slots)), [each.trials for each in slots])
    missing = np.stack([~slots[condition].available for condition in condition_of])
    order = None if categories is None else _category_order(categories, seed)
    used, used_in = np.zeros(stimuli), np.zeros((len(slots), stimuli))
    made = []
    for number in range(lists):
        generator = np.random.default_rng([seed, number])
        cost = generator.random(missing.shape) + _USED * used + _SAME_CONDITION * used_in[condition_of]
        if order is not None:
            places = np.arange(len(condition_of)) + number  # So that 16 lists ask a condition for each equally often.
            cost += _OTHER_CATEGORY * (categories != order[places % len(order)][:, None])
        cost[missing] = _MISSING
        rows, chosen = linear_sum_assignment(cost)
        _require_filled(slots, condition_of, missing[rows, chosen])
        used[chosen] += 1
        used_in[condition_of, chosen] += 1
        made.append([(int(condition_of[row]), int(chosen[row])) for row in generator.permutation(len(condition_of))])
    return made


def _category_order(categories: np.ndarray, seed: int) -> np.ndarray:
    return np.random.default_rng([seed, 2**31]).permutation(np.unique(categories))


def _require_enough(slots: Sequence[Slots], stimuli: int) -> None:
    short = [
        f"{each.name} ({int(each.available.sum())} for {counted(each.trials, 'trial')})"
        for each in slots
        if each.available.sum() < each.trials
    ]
    if short:
        raise ResultError(f"Too few stimuli in {first_few(short)}; {_REMEDY}.")
    total = sum(each.trials for each in slots)
    if total > stimuli:
        raise ResultError(
            f"A list has {counted(total, 'trial')}, {len(slots)} conditions together, and each stimulus or word at "
            f"most once, but there are {stimuli}; {_REMEDY}."
        )


def _require_filled(slots: Sequence[Slots], condition_of: np.ndarray, is_missing: np.ndarray) -> None:
    unfilled = np.bincount(condition_of[is_missing], minlength=len(slots))
    if unfilled.any():
        named = [
            f"{each.name} ({int(each.available.sum())} stimuli, {count} of {counted(each.trials, 'trial')} empty)"
            for each, count in zip(slots, unfilled, strict=True)
            if count
        ]
        raise ResultError(
            f"Too few stimuli that are not needed elsewhere in the same list: {first_few(named)}; {_REMEDY}."
        )


def reserve(usable: np.ndarray, categories: np.ndarray | None, count: int, seed: int) -> list[int]:
    """Choose stimuli for practice, which lists then do without: those that the fewest conditions could show.

    Args:
        usable: int (stimuli,): in how many conditions each could be shown; 0 for a stimulus that may not be chosen.
        categories: int (stimuli,): as for `make_lists`; as many as possible are taken from each in turn.
        count: how many.
        seed: the seed, from 0.

    Raises:
        ResultError: there are fewer.
    """
    candidates = np.flatnonzero(usable)
    if len(candidates) < count:
        raise ResultError(
            f"{counted(count, 'stimulus', 'stimuli')} were to be kept for practice or a demo, but there are "
            f"{len(candidates)}; give fewer with --practice and --demo."
        )
    jitter = np.random.default_rng([seed, 2**31 + 1]).random(len(usable))
    ranked = sorted(candidates, key=lambda place: (usable[place], jitter[place]))
    if categories is not None:
        seen: dict[int, int] = {}
        turns = []
        for place in ranked:
            seen[categories[place]] = seen.get(categories[place], -1) + 1
            turns.append((seen[categories[place]], len(turns), place))
        ranked = [place for *_, place in sorted(turns)]
    return [int(place) for place in ranked[:count]]
