"""The variables of a checkpoint against those of a network: none left unread or unfilled, silently, ever."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tfmetamers.checkpoints.catalog import load_catalog

Variable = tuple[tuple[int, ...], str]


@dataclass(frozen=True)
class Comparison:
    """What a checkpoint holds, against what a network needs.

    Attributes:
        found: shape and dtype of every variable of the checkpoint, by name.
        expected: shape and dtype of every variable of the network, by name.
        missing: variables of the network that the checkpoint lacks.
        wrong: one phrase for each variable that it has in another shape or dtype.
        extras: variables that it has beyond the network's, and that are known to be no part of it.
        unknown: variables that it has beyond the network's, and that nothing accounts for.
    """

    found: Mapping[str, Variable]
    expected: Mapping[str, Variable]
    missing: tuple[str, ...]
    wrong: tuple[str, ...]
    extras: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def common(self) -> int:
        """How many variables of the network the checkpoint has, in whatever shape and dtype."""
        return len(self.expected) - len(self.missing)

    @property
    def another_network(self) -> str:
        """Whose checkpoint this seems to be, as a phrase, when it seems to be that of another network; else empty.

        It has hardly a variable in common with the network, or its names are those of other entries of the catalogue
        than the network's: releases of DeepSpeech have most of theirs in common.
        """
        owners = set(_owners(self.found)), set(_owners(self.expected))
        is_others = all(owners) and owners[0].isdisjoint(owners[1])
        return _whose_names(self.found) if is_others or 10 * self.common < len(self.expected) else ""

    @property
    def problem(self) -> str:
        """What is wrong and what to do about it, to follow the checkpoint's path; empty when nothing is."""
        offences = [
            *(f"{name} {_shown(self.expected[name])} is missing" for name in self.missing),
            *self.wrong,
            *(f"{name} {_shown(self.found[name])} is no variable of the network" for name in self.unknown),
        ]
        if not offences:
            return ""
        if self.another_network:
            return (
                f"is a checkpoint of another network: it has {self.common} of the {len(self.expected)} variables "
                f"that are needed, and {self.another_network}; give the checkpoint of this network."
            )
        return f"does not fit the network: {listed(offences)}; give the checkpoint of this very network."


def compare(
    found: Mapping[str, Variable], expected: Mapping[str, Variable], known_extras: Sequence[str] = ()
) -> Comparison:
    """Compare the variables of a checkpoint with those of a network, reading no value.

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
            f"{name} is {_shown(found[name])} in place of {_shown(needed)}"
            for name, needed in expected.items()
            if name in found and found[name] != needed
        ),
        extras=tuple(name for name in unused if _fits_any(name, known_extras)),
        unknown=tuple(name for name in unused if not _fits_any(name, known_extras)),
    )


def listed(items: Sequence[str]) -> str:
    """Return the first three of some items in words, and how many more there are."""
    return ", ".join(items[:3]) + (f" and {len(items) - 3} more" if len(items) > 3 else "")


def _fits_any(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _whose_names(found: Mapping[str, Variable]) -> str:
    """Say whose names a checkpoint's variables bear: a network's of the catalogue, or else how they begin."""
    if not found:
        return "it holds no variable at all"
    owners = _owners(found)
    if owners:
        return f"its names seem to be those of {' or '.join(owners)}"
    return f"its names are such as {listed(list(found))}"


def _owners(variables: Mapping[str, Variable]) -> list[str]:
    """Return the entries of the catalogue whose names most of the variables bear; none where they bear none's."""
    fitting = {
        entry.name: sum(_fits_any(name, entry.variable_names) for name in variables)
        for entry in load_catalog().values()
    }
    most = max(fitting.values())
    return [name for name, count in fitting.items() if count == most] if 2 * most > len(variables) else []


def _shown(variable: Variable) -> str:
    shape, dtype = variable
    return f"{dtype} {list(shape)}"
