"""Proof that a checkpoint is what it should be: readable, complete, finite, right about a probe stimulus."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from tfmetamers.checkpoints.comparison import Comparison, Variable, compare
from tfmetamers.checkpoints.reader import CheckpointFile, count_not_finite
from tfmetamers.errors import CheckpointError, TfmetamersError

ProbeCall = Callable[[dict[str, np.ndarray]], tuple[str, bool, str]]

_NAMES_SHOWN = 5


@dataclass(frozen=True)
class Check:
    """One row of a verification.

    Attributes:
        check: what was looked at.
        expected: what should be found.
        found: what was found, or why the check was not run.
        ok: whether it is right; None when the check was not run.
    """

    check: str
    expected: str
    found: str
    ok: bool | None


@dataclass(frozen=True)
class Verification:
    """Everything that was checked of a checkpoint, in order.

    Attributes:
        rows: one for each check.
    """

    rows: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether no check failed."""
        return all(row.ok is not False for row in self.rows)


def verify(
    checkpoint: str | os.PathLike,
    expected: Mapping[str, Variable],
    known_extras: Sequence[str] = (),
    probe: ProbeCall | None = None,
    recorded_digest: str | None = None,
    *,
    variables: int | None = None,
    parameters: int | None = None,
) -> Verification:
    """Check a checkpoint against a network, and return what was found instead of raising.

    A check that an earlier one has made meaningless is marked as not run.

    Args:
        checkpoint: path of the checkpoint, as ``CheckpointFile`` takes it.
        expected: shape and dtype of every variable of the network, by name.
        known_extras: shell patterns of variables that the network may leave unused.
        probe: given the values of every variable by name, returns what the network predicts for a stimulus,
            whether that is right, and what was expected.
        recorded_digest: SHA-256 of the checkpoint's files when they were first fetched.
        variables: how many variables the catalogue says there are, known extras not counted.
        parameters: how many numbers the catalogue says that those hold together.
    """
    try:
        file = CheckpointFile(checkpoint)
    except CheckpointError as error:
        return Verification((Check("readable", "a V1 or V2 checkpoint", str(error), False), *_not_run_without_file()))
    comparison = compare(file, expected, known_extras)
    rows = [
        Check("readable", "a V1 or V2 checkpoint", f"{file.format}, {len(file.variables)} variables", True),
        _hash_row(file, recorded_digest),
        *_count_rows(file, comparison, known_extras, variables, parameters),
        *_comparison_rows(comparison),
    ]
    values, finite = _finite_row(file, comparison)
    rows += [finite, _probe_row(probe, values if comparison.ok and finite.ok else None)]
    return Verification(tuple(rows))


_AFTER_READABLE = (
    "SHA-256",
    "variables filled",
    "shapes",
    "dtypes",
    "no unknown variable",
    "values finite",
    "probe",
)


def _not_run_without_file() -> list[Check]:
    return [_not_run(check, "the checkpoint cannot be read") for check in _AFTER_READABLE]


def _not_run(check: str, why: str) -> Check:
    return Check(check, "", f"not run: {why}", None)


def _hash_row(file: CheckpointFile, recorded: str | None) -> Check:
    try:
        digest = file.digest
    except OSError as error:
        return Check("SHA-256", recorded or "", f"cannot be read: {error.strerror}", False)
    return Check("SHA-256", recorded or "none on record", digest, recorded in (None, digest))


def _count_rows(
    file: CheckpointFile,
    comparison: Comparison,
    known_extras: Sequence[str],
    variables: int | None,
    parameters: int | None,
) -> list[Check]:
    """Return the catalogue's counts against those of the file, whatever the network's graph says."""
    counted = compare(file, {}, known_extras).unknown
    held = sum(prod(file.variables[name][0]) for name in counted)
    rows = [
        ("variables as published", variables, len(counted)),
        ("parameters as published", parameters, held),
    ]
    return [
        Check(check, str(published), str(found), found == published)
        for check, published, found in rows
        if published is not None
    ]


def _comparison_rows(comparison: Comparison) -> list[Check]:
    needed = len(comparison.expected)
    common = needed - len(comparison.missing)
    filled = f"{common} of {needed}" + (f"; missing {_listed(comparison.missing)}" if comparison.missing else "")
    shapes = [f"{name} {list(found)}, not {list(need)}" for name, found, need in comparison.wrong_shape]
    dtypes = [f"{name} {found}, not {need}" for name, found, need in comparison.wrong_dtype]
    extras = f"known extras: {_listed(comparison.extras)}"
    unknown = f"unknown: {_listed(comparison.unknown)}"
    compared = [("shapes", shapes), ("dtypes", dtypes)]
    rows = [Check("variables filled", f"{needed} of {needed}", filled, not comparison.missing)]
    for check, wrong in compared:
        if common:
            rows.append(Check(check, "as the network's", _listed(wrong) if wrong else "as the network's", not wrong))
        else:
            rows.append(_not_run(check, "no variable of the network is there"))
    found = "; ".join([extras] * bool(comparison.extras) + [unknown] * bool(comparison.unknown)) or "no other variable"
    return [*rows, Check("no unknown variable", "known extras only", found, not comparison.unknown)]


def _finite_row(file: CheckpointFile, comparison: Comparison) -> tuple[dict[str, np.ndarray], Check]:
    """Return the values of every filled variable, and the row that says whether all are finite."""
    if not comparison.filled:
        return {}, _not_run("values finite", "no variable of the network is there")
    try:
        values = {name: file.read(name) for name in comparison.filled}
    except CheckpointError as error:
        return {}, Check("values finite", "no NaN, nothing infinite", str(error), False)
    spoilt = [f"{name} ({count} values)" for name, value in values.items() if (count := count_not_finite(value))]
    found = f"NaN or infinite: {_listed(spoilt)}" if spoilt else f"finite in {len(values)} variables"
    return values, Check("values finite", "no NaN, nothing infinite", found, not spoilt)


def _probe_row(probe: ProbeCall | None, values: dict[str, np.ndarray] | None) -> Check:
    """Return what the network says of the probe; ``values`` is None when an earlier check failed."""
    if probe is None:
        return _not_run("probe", "no prediction is known for this network")
    if values is None:
        return _not_run("probe", "an earlier check failed")
    try:
        found, ok, expected = probe(values)
    except TfmetamersError as error:
        return Check("probe", "a prediction", str(error), False)
    return Check("probe", expected, found, ok)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more
