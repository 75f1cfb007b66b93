"""How two records differ, in words."""

from collections.abc import Mapping

from tfmetamers.errors import shown


def find_differences(found, wanted, name: str = "") -> list[str]:
    """Return a phrase for each difference between two records: ``recipe.steps: 300 instead of 15000``.

    Args:
        found: what is there: a mapping of values and further mappings, as in JSON.
        wanted: what was asked for.
        name: the keys that lead to the two, joined by dots.
    """
    if found == wanted:
        return []
    if isinstance(found, Mapping) and isinstance(wanted, Mapping):
        return [
            phrase
            for key in {**found, **wanted}
            for phrase in find_differences(found.get(key), wanted.get(key), f"{name}.{key}" if name else key)
        ]
    return [f"{name}: {_text(found)} instead of {_text(wanted)}"]


def _text(value) -> str:
    if value in (None, ""):
        return "none"
    return value if isinstance(value, str) else shown(value)
