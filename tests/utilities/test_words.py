"""Nouns agree with their numbers."""

from tfmetamers.utilities.words import counted


def test_nouns_agree_with_their_numbers():
    assert [counted(count, "clip") for count in (0, 1, 2)] == ["0 clips", "1 clip", "2 clips"]
    assert [counted(2, noun) for noun in ("category", "day")] == ["2 categories", "2 days"]
