"""Lists have exact counts, no stimulus twice, and are refused with the numbers."""

import numpy as np
import pytest

from tfmetamers.errors import ResultError
from tfmetamers.people.lists import Slots, make_lists, reserve


def slots(conditions: int, trials: int, stimuli: int, missing: float = 0.0) -> list[Slots]:
    exists = np.random.default_rng(0).random((conditions, stimuli)) >= missing
    return [Slots(f"condition {number}", trials, row) for number, row in enumerate(exists)]


@pytest.mark.parametrize(
    ("conditions", "trials", "stimuli", "missing", "lists"), [(23, 10, 256, 0.1, 16), (41, 5, 295, 0.3, 20)]
)
def test_each_list_has_exact_counts_and_each_stimulus_once(conditions, trials, stimuli, missing, lists):
    asked = slots(conditions, trials, stimuli, missing)
    made = make_lists(asked, None, lists, seed=3)
    assert len(made) == lists
    shown = np.zeros((conditions, stimuli), int)
    for each in made:
        where, which = np.array(each).T
        assert np.bincount(where, minlength=conditions).tolist() == [trials] * conditions
        assert len(set(which)) == len(which)
        assert all(asked[condition].available[stimulus] for condition, stimulus in each)
        shown[where, which] += 1
    assert shown.max() == 1  # No stimulus comes twice in the same condition, over all lists.
    assert np.ptp(shown.sum(axis=0)) <= 2


def test_categories_are_balanced_over_conditions():
    categories = np.arange(256) % 16
    made = make_lists(slots(8, 10, 256), categories, 16, seed=0)
    for condition in range(8):
        asked = [categories[stimulus] for each in made for where, stimulus in each if where == condition]
        assert set(np.bincount(asked, minlength=16)) == {10}


def test_the_same_seed_gives_the_same_lists_and_another_seed_others():
    first, again, other = (make_lists(slots(4, 3, 40), None, 3, seed) for seed in (0, 0, 1))
    assert first == again != other


def test_the_order_differs_from_list_to_list():
    orders = [[condition for condition, _ in each] for each in make_lists(slots(4, 3, 40), None, 3, 0)]
    assert orders[0] != orders[1] != orders[2]


def test_too_few_stimuli_are_refused_with_the_numbers():
    few = [*slots(2, 3, 20), Slots("conv5_4 of vgg_19", 3, np.arange(20) < 2)]
    with pytest.raises(ResultError, match=r"conv5_4 of vgg_19 \(2 for 3 trials\)"):
        make_lists(few, None, 2, 0)
    with pytest.raises(ResultError, match=r"24 trials, 8 conditions.* 20"):
        make_lists(slots(8, 3, 20), None, 2, 0)


def test_conditions_that_need_the_same_stimuli_are_refused():
    same = np.arange(20) < 4
    with pytest.raises(ResultError, match=r"(late|later) \(4 stimuli, 2 of 3 trials empty\)|1 of 3 trials empty"):
        make_lists([Slots("late", 3, same), Slots("later", 3, same), *slots(1, 3, 20)], None, 1, 0)


class TestReserve:
    def test_what_the_fewest_conditions_could_show_is_taken_first(self):
        assert sorted(reserve(np.array([3, 1, 0, 1, 3]), None, 2, 0)) == [1, 3]

    def test_each_category_comes_in_turn(self):
        chosen = reserve(np.full(64, 2), np.arange(64) % 16, 16, 0)
        assert sorted(place % 16 for place in chosen) == list(range(16))

    def test_too_few_are_refused(self):
        with pytest.raises(ResultError, match=r"3 stimuli .* 2"):
            reserve(np.array([1, 1, 0]), None, 3, 0)
