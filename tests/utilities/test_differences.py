"""Differences between records are named by where they are."""

from tfmetamers.utilities.differences import find_differences


def test_differences_are_named_by_where_they_are():
    found = {"seed": 0, "recipe": {"steps": 300, "name": "mine"}, "old": 1}
    wanted = {"seed": 0, "recipe": {"steps": 15000, "name": "mine"}, "new": [2]}
    assert sorted(find_differences(found, wanted)) == [
        "new: nothing there, [2] asked",
        "old: 1 there, nothing asked",
        "recipe.steps: 300 there, 15000 asked",
    ]
    assert find_differences(found, dict(found)) == []
    assert find_differences([1], {"seed": 0}, "settings") == ["settings: [1] there, {'seed': 0} asked"]
