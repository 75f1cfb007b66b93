"""What is equal to the last is not made again."""

import pytest

from tfmetamers.utilities.repetition import remember_last


def test_an_argument_equal_to_the_last_gives_the_same_object():
    calls = []

    @remember_last
    def doubled(content):
        calls.append(content)
        return {name: 2 * value for name, value in content.items()}

    first = doubled({"a": 1})
    assert doubled({"a": 1}) is first == {"a": 2}
    assert doubled({"a": 3}) == {"a": 6} and doubled({"a": 1}) == {"a": 2}
    assert calls == [{"a": 1}, {"a": 3}, {"a": 1}]


def test_what_fails_is_tried_again():
    @remember_last
    def inverted(number):
        return 1 / number

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            inverted(0)
    assert inverted(2) == 0.5
