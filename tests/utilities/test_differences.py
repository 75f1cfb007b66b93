"""Differences between records are named by where they are."""

from tfmetamers.utilities.differences import find_differences


def test_differences_are_named_by_where_they_are():
    found = {"seed": 0, "recipe": {"steps": 300, "name": "mine"}, "old": 1}
    wanted = {"seed": 0, "recipe": {"steps": 15000, "name": "mine"}, "new": [2]}
    assert sorted(find_differences(found, wanted)) == [
        "new: none instead of [2]",
        "old: 1 instead of none",
        "recipe.steps: 300 instead of 15000",
    ]
    assert find_differences(found, dict(found)) == []
    assert find_differences([1], {"seed": 0}, "settings") == ["settings: [1] instead of {'seed': 0}"]
