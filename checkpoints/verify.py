"""Verification that a checkpoint is what it should be: readable, complete, finite, right about a probe stimulus."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tfmetamers.checkpoints.comparison import Comparison, Variable, compare
from tfmetamers.checkpoints.reader import CheckpointFile, read_variables
from tfmetamers.errors import CheckpointError
from tfmetamers.utilities.words import first_few


class Probe(NamedTuple):
    """A stimulus to which a network's answer is known.

    Attributes:
        expected: the answer, in words.
        answer: a function from the value of every variable, by name, to the network's answer in words and whether
            that is right; where the network could not be asked, to the reason and None.
    """

    expected: str
    answer: Callable[[dict[str, np.ndarray]], tuple[str, bool | None]]


class Check(NamedTuple):
    """One row of a verification: what was checked, expected and found, and whether that is right.

    ``ok`` is None if the check was not run; ``found`` then says why.
    """

    check: str
    expected: str
    found: str
    ok: bool | None


def verify(
    checkpoint: str | os.PathLike,
    expected: Mapping[str, Variable],
    known_extras: Sequence[str] = (),
    *,
    recorded_digest: str | None = None,
    probe: Probe | None = None,
) -> list[Check]:
    """Check a checkpoint against a network, and return one row for each check instead of raising.

    A check that is meaningless after an earlier one failed is not run; a file that cannot be read gets one row only.

    Args:
        checkpoint: path of the checkpoint, as ``CheckpointFile`` takes it.
        expected: shape and dtype of every variable of the network, by name.
        known_extras: shell patterns of variables that the network may leave unused.
        recorded_digest: SHA-256 of the checkpoint's files when they were first fetched.
        probe: a stimulus and the answer expected to it.
    """
    readable = "a V1 or V2 checkpoint"
    try:
        file = CheckpointFile(checkpoint)
        digest = file.digest
    except CheckpointError as error:
        return [Check("readable", readable, str(error), False)]
    comparison = compare(file.variables, expected, known_extras)
    rows = [
        Check("readable", readable, f"{file.format}, {len(file.variables)} variables", True),
        Check("SHA-256", recorded_digest or "not recorded", digest, recorded_digest in (None, digest)),
        *_comparison_rows(comparison),
    ]
    finite, right = "no NaN, nothing infinite", probe.expected if probe else ""
    not_run = "not run: an earlier check failed"
    if comparison.problem:
        return [*rows, Check("values finite", finite, not_run, None), Check("probe", right, not_run, None)]
    try:
        values = read_variables(file, expected, known_extras)
    except CheckpointError as error:
        return [*rows, Check("values finite", finite, str(error), False), Check("probe", right, not_run, None)]
    rows.append(Check("values finite", finite, finite, True))
    if probe is None:
        return [*rows, Check("probe", right, "not run: no answer of this network is known", None)]
    return [*rows, Check("probe", right, *probe.answer(values))]


def _comparison_rows(comparison: Comparison) -> list[Check]:
    needed = len(comparison.expected)
    filled = f"{comparison.common} of {needed}"
    if comparison.missing:
        filled += f"; {comparison.another_network or 'missing ' + first_few(comparison.missing)}"
    extras = [f"known extras: {first_few(comparison.extras)}"] if comparison.extras else []
    unknown = [f"unknown: {first_few(comparison.unknown)}"] if comparison.unknown else []
    others = "; ".join(extras + unknown) or "no other variables"
    agree = "those of the network"
    wrong = first_few(comparison.wrong) if comparison.wrong else agree
    return [
        Check("variables filled", f"{needed} of {needed}", filled, not comparison.missing),
        Check("shapes and dtypes", agree, wrong, not comparison.wrong),
        Check("no unknown variables", "known extras only", others, not comparison.unknown),
    ]
