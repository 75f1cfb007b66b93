"""Nouns agree with their numbers, and sizes and durations have the unit that fits."""

import pytest

from tfmetamers.utilities.words import byte_size, counted, duration_range, first_few


def test_nouns_agree_with_their_numbers():
    assert [counted(count, "clip") for count in (0, 1, 2)] == ["0 clips", "1 clip", "2 clips"]
    assert [counted(2, noun) for noun in ("category", "day")] == ["2 categories", "2 days"]


def test_long_lists_are_cut_short():
    assert [first_few("abcde"[:count]) for count in (0, 1, 3, 5)] == ["none", "a", "a, b, c", "a, b, c and 2 more"]


@pytest.mark.parametrize(
    ("shortest", "longest", "said"),
    [
        (0.01, 0.02, "about 0 seconds"),
        (0.8, 1.0, "0.8 to 1 seconds"),
        (1.0, 1.0, "about 1 second"),
        (31, 55, "31 to 55 seconds"),
        (100, 130, "1.7 to 2.2 minutes"),
        (3600, 7100, "60 to 118 minutes"),
        (7200, 9000, "2 to 2.5 hours"),
        (90_000, 100_000, "25 to 28 hours"),
        (100_000, 200_000, "1.2 to 2.3 days"),
        (8.64e8, 9e8, "10,000 to 10,417 days"),
    ],
)
def test_durations_have_the_unit_that_fits(shortest, longest, said):
    assert duration_range(shortest, longest) == said


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "0 kB"), (46_100, "46 kB"), (4.5e8, "450 MB"), (1e9, "1 GB"), (3.21e9, "3.2 GB"), (2.5e12, "2,500 GB")],
)
def test_sizes_have_the_unit_that_fits(size, said):
    assert byte_size(size) == said
