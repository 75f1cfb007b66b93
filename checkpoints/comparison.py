"""The variables of a checkpoint against those of a network: none left unread or unfilled, silently, ever."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple, Protocol

from tfmetamers.checkpoints.catalog import load_catalog

Variable = tuple[tuple[int, ...], str]

_NAMED_AT_MOST = 3


class Difference(NamedTuple):
    """A variable that is in the checkpoint otherwise than the network has it."""

    name: str
    found: tuple[int, ...] | str
    expected: tuple[int, ...] | str


class HasVariables(Protocol):
    """Anything with a path and variables, such as ``CheckpointFile``."""

    path: Path
    variables: Mapping[str, Variable]


@dataclass(frozen=True)
class Comparison:
    """What a checkpoint holds, against what a network needs.

    Attributes:
        path: the checkpoint.
        found: shape and dtype of every variable of the checkpoint, by name.
        expected: shape and dtype of every variable of the network, by name.
        filled: variables of the network that the checkpoint has, in the right shape and dtype.
        missing: variables of the network that it lacks.
        wrong_shape: variables that it has in another shape.
        wrong_dtype: variables that it has in another dtype.
        extras: variables that it has beyond the network's, and that are known to be no part of it.
        unknown: variables that it has beyond the network's, and that nothing accounts for.
    """

    path: Path
    found: Mapping[str, Variable]
    expected: Mapping[str, Variable]
    filled: tuple[str, ...]
    missing: tuple[str, ...]
    wrong_shape: tuple[Difference, ...]
    wrong_dtype: tuple[Difference, ...]
    extras: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether every variable of the network is filled, and every one of the checkpoint accounted for."""
        return not (self.missing or self.wrong_shape or self.wrong_dtype or self.unknown)

    def sentence(self) -> str:
        """Return what is wrong and what to do about it, in one sentence; empty when nothing is."""
        if self.ok:
            return ""
        common = len(self.expected) - len(self.missing)
        if 10 * common < len(self.expected):
            return (
                f"{self.path} is a checkpoint of another network: it has {common} of "
                f"the {len(self.expected)} variables that are needed, and {_whose_names(self.found)}; "
                "give the checkpoint of this network."
            )
        offences = self._offences()
        rest = len(offences) - _NAMED_AT_MOST
        more = f", and {rest} more {'is' if rest == 1 else 'are'} off" if rest > 0 else ""
        return (
            f"{self.path} does not fit the network: {', '.join(offences[:_NAMED_AT_MOST])}{more}; "
            "give the checkpoint of this very network."
        )

    def _offences(self) -> list[str]:
        """Return one phrase for each variable that is not right."""
        return [
            *(f"{name} {_shown(self.expected[name][0])} is missing" for name in self.missing),
            *(f"{name} is {_shown(found)} in place of {_shown(need)}" for name, found, need in self.wrong_shape),
            *(
                f"{name} {_shown(self.expected[name][0])} is {found} in place of {need}"
                for name, found, need in self.wrong_dtype
            ),
            *(f"{name} {_shown(self.found[name][0])} is no variable of the network" for name in self.unknown),
        ]


def compare(checkpoint: HasVariables, expected: Mapping[str, Variable], known_extras: Sequence[str] = ()) -> Comparison:
    """Compare the variables of a checkpoint with those of a network, reading no value.

    Args:
        checkpoint: a ``CheckpointFile``.
        expected: shape and dtype of every variable of the network, by name.
        known_extras: shell patterns (``*``, ``?``, ``[...]``) of variables that the checkpoint may hold
            although the network leaves them unused.
    """
    found = checkpoint.variables
    common = [name for name in expected if name in found]
    wrong_shape = [
        Difference(name, found[name][0], tuple(expected[name][0]))
        for name in common
        if found[name][0] != tuple(expected[name][0])
    ]
    wrong_dtype = [
        Difference(name, found[name][1], expected[name][1]) for name in common if found[name][1] != expected[name][1]
    ]
    wrong = {difference.name for difference in (*wrong_shape, *wrong_dtype)}
    unused = [name for name in found if name not in expected]
    extras = [name for name in unused if _fits_any(name, known_extras)]
    return Comparison(
        path=checkpoint.path,
        found=found,
        expected=expected,
        filled=tuple(name for name in common if name not in wrong),
        missing=tuple(name for name in expected if name not in found),
        wrong_shape=tuple(wrong_shape),
        wrong_dtype=tuple(wrong_dtype),
        extras=tuple(extras),
        unknown=tuple(name for name in unused if name not in extras),
    )


def _fits_any(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _whose_names(found: Mapping[str, Variable]) -> str:
    """Say whose names a checkpoint's variables bear: a network's of the catalogue, or else how they begin."""
    if not found:
        return "it holds no variable at all"
    networks = {
        entry.name: sum(_fits_any(name, entry.variable_names) for name in found) for entry in load_catalog().values()
    }
    most = max(networks.values())
    if 2 * most > len(found):
        likely = " or ".join(name for name, count in networks.items() if count == most)
        return f"its names seem to be those of {likely}"
    scopes = Counter(name.split("/")[0] + "/" for name in found if "/" in name)
    begins = ", ".join(scope for scope, _ in scopes.most_common(_NAMED_AT_MOST))
    return f"its names begin with {begins}" if begins else f"its names are {', '.join(list(found)[:_NAMED_AT_MOST])}"


def _shown(shape: Sequence[int]) -> str:
    return f"[{', '.join(str(length) for length in shape)}]"
