"""The families of networks: one table, and what other packages add to it.

A package adds a family by an entry point of the group ``tfmetamers.networks``, which names an instance of a subclass
of `tfmetamers.networks.families.base.NetworkFamily`.
"""

import functools
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from tfmetamers.errors import ArgumentError, shown, unknown_name
from tfmetamers.networks.families.base import NetworkFamily

#: The families of this package, by the modules that define them, in the order in which a text is offered to them.
MODULES = (
    "slim",
    "word",
    "vggish",
    "deepspeech",
    "bundled",
    "release",
    "efficientnet_lite",
    "keras_applications",
    "architecture",
    "keras",
    "frozen_graph",
    "saved_model",
    "trained",
    "memory",
)

#: The group of entry points by which other packages add families.
ENTRY_POINTS = "tfmetamers.networks"


@functools.cache
def families() -> dict[str, NetworkFamily]:
    """Return the families by name, those of this package first.

    Raises:
        ArgumentError: an entry point cannot be imported, or names something else than a family, or a family of a name
            that is taken.
    """
    own = [import_module(f"{__name__}.{module}").FAMILY for module in MODULES]
    found = {family.name: family for family in own}
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            family = entry.load()
        except Exception as error:  # Whatever the code of others raises.
            raise _broken(entry, f"cannot be imported ({type(error).__name__}: {error})") from error
        if not isinstance(family, NetworkFamily) or getattr(family, "name", None) in (None, *found):
            raise _broken(entry, f"names {shown(family)}")
        found[family.name] = family
    return found


def _broken(entry: EntryPoint, fault: str) -> ArgumentError:
    return ArgumentError(
        f"The entry point {entry.name} = {entry.value} of {ENTRY_POINTS} {fault}; a NetworkFamily with a name of its "
        "own was expected. Uninstall or fix the package that provides it."
    )


def find_family(name: str) -> NetworkFamily:
    """Return the family of a name.

    Raises:
        ArgumentError: there is none; the nearest names are listed.
    """
    if name not in families():
        raise unknown_name("family of networks", name, families(), "Install the package that provides it.")
    return families()[name]


def claim(base: str) -> dict[str, str] | None:
    """Return the fields of the spec that a text without size, duration and weights names; None where it names none."""
    for name, family in families().items():
        fields = family.claim(base)
        if fields is not None:
            return {"family": name, **fields}
    return None


def network_names() -> list[str]:
    """Return the name of every network that has one of its own.

    >>> {"vgg_19", "word_aliased", "small_word_aliased"} <= set(network_names())
    True
    """
    return [name for family in families().values() for name in family.network_names()]
