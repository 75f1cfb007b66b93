"""The variables of a checkpoint compared with those of a network, so that none is skipped or left unfilled silently."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tfmetamers.checkpoints.catalog import load_catalog
from tfmetamers.utilities.words import first_few

Variable = tuple[tuple[int, ...], str]


@dataclass(frozen=True)
class Comparison:
    """What a checkpoint holds, compared with what a network needs.

    Attributes:
        found: shape and dtype of every variable of the checkpoint, by name.
        expected: shape and dtype of every variable of the network, by name.
        missing: variables of the network that the checkpoint lacks.
        wrong: one phrase for each variable whose shape or dtype differs.
        extras: variables of the checkpoint that the network is known to leave unused.
        unknown: variables of the checkpoint that belong neither to the network nor to the known extras.
    """

    found: Mapping[str, Variable]
    expected: Mapping[str, Variable]
    missing: tuple[str, ...]
    wrong: tuple[str, ...]
    extras: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def common(self) -> int:
        """How many variables of the network the checkpoint has, whatever their shape and dtype."""
        return len(self.expected) - len(self.missing)

    @property
    def another_network(self) -> str:
        """Which other network the checkpoint seems to belong to, as a phrase; empty when it seems to be the right one.

        A checkpoint of another network shares hardly any variables with this one.
        """
        return _whose_names(self.found) if 10 * self.common < len(self.expected) else ""

    @property
    def problem(self) -> str:
        """What is wrong and what to do about it, worded to follow the checkpoint's path; empty when nothing is."""
        problems = [
            *(f"{name} {_shown(self.expected[name])} is missing" for name in self.missing),
            *self.wrong,
            *(f"{name} {_shown(self.found[name])} is not a variable of the network" for name in self.unknown),
        ]
        if not problems:
            return ""
        if self.another_network:
            return (
                f"is a checkpoint of another network: it has {self.common} of the {len(self.expected)} variables "
                f"needed, and {self.another_network}; give this network's checkpoint."
            )
        return f"does not fit the network: {first_few(problems)}; give this network's checkpoint."


def compare(
    found: Mapping[str, Variable], expected: Mapping[str, Variable], known_extras: Sequence[str] = ()
) -> Comparison:
    """Compare the variables of a checkpoint with those of a network, without reading their values.

    Args:
        found: shape and dtype of every variable of the checkpoint, by name.
        expected: shape and dtype of every variable of the network, by name.
        known_extras: shell patterns (``*``, ``?``, ``[...]``) of variables that the checkpoint may hold
            although the network leaves them unused.
    """
    unused = [name for name in found if name not in expected]
    return Comparison(
        found=found,
        expected=expected,
        missing=tuple(name for name in expected if name not in found),
        wrong=tuple(
            f"{name} is {_shown(found[name])} instead of {_shown(needed)}"
            for name, needed in expected.items()
            if name in found and found[name] != needed
        ),
        extras=tuple(name for name in unused if _fits_any(name, known_extras)),
        unknown=tuple(name for name in unused if not _fits_any(name, known_extras)),
    )


def _fits_any(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _whose_names(found: Mapping[str, Variable]) -> str:
    """Say which entries of the catalogue match most of the variable names, or else list the first names."""
    if not found:
        return "it has no variables"
    matches = {
        entry.name: sum(_fits_any(name, entry.variable_names) for name in found) for entry in load_catalog().values()
    }
    best = max(matches.values())
    if 2 * best <= len(found):
        return f"its variables are {first_few(list(found))}"
    return f"its names look like those of {' or '.join(name for name, count in matches.items() if count == best)}"


def _shown(variable: Variable) -> str:
    shape, dtype = variable
    return f"{dtype} {list(shape)}"
