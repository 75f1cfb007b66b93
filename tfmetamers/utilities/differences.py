"""In what two records differ, in words."""

from collections.abc import Mapping

from tfmetamers.errors import shown


def find_differences(found, wanted, name: str = "") -> list[str]:
    """Say in what two records differ, a phrase for each difference: ``recipe.steps: 300 there, 15000 asked``.

    Args:
        found: what is there: a mapping of values and further mappings, as JSON has them.
        wanted: what was asked for.
        name: where the two are from, with dots between the keys.
    """
    if found == wanted:
        return []
    if isinstance(found, Mapping) and isinstance(wanted, Mapping):
        return [
            phrase
            for key in {**found, **wanted}
            for phrase in find_differences(found.get(key), wanted.get(key), f"{name}.{key}" if name else key)
        ]
    return [f"{name}: {_text(found)} there, {_text(wanted)} asked"]


def _text(value) -> str:
    if value in (None, ""):
        return "nothing"
    return value if isinstance(value, str) else shown(value)
