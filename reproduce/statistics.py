"""Proportions and their intervals, and whether a difference between two conditions was found."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tfmetamers.recognition.summary import resampled_means
from tfmetamers.utilities.words import counted

if TYPE_CHECKING:
    import pandas

#: What can become of a claim of the paper.
FOUND, NOT_FOUND, CANNOT_BE_TOLD = "found", "not found", "cannot be told with so few"

#: The largest probability of chance at which a difference counts as found.
ALPHA = 0.05

#: A difference below this, of proportions or of coefficients, is taken for none.
SMALLEST_DIFFERENCE = 0.1

#: The shares that are nearly all and hardly any, and the fewest stimuli that can show either.
NEARLY_ALL, HARDLY_ANY, FEWEST = 0.9, 0.1, 5

#: The quantiles of intervals.
INTERVAL = (0.025, 0.975)


@dataclass(frozen=True)
class Finding:
    """What became of one claim.

    Attributes:
        verdict: `FOUND`, `NOT_FOUND` or `CANNOT_BE_TOLD`.
        sentence: the claim, and the numbers that the verdict rests on.
        is_decisive: whether it counts for what became of all claims together.
    """

    verdict: str
    sentence: str
    is_decisive: bool = True


def summarize(table: "pandas.DataFrame", by: Sequence[str], value: str) -> "pandas.DataFrame":
    """Return the mean of a column in each group, with intervals by bootstrap over stimuli.

    Args:
        table: rows with a column ``stimulus``; those without a value are left out.
        by: columns that make groups, in the order of their first rows.
        value: the column.

    Returns:
        A row for each group: `by`, ``value``, ``low`` and ``high`` (95 % interval), ``sem``, ``stimuli`` and ``count``.
        Intervals and errors are empty for fewer than two stimuli.
    """
    import pandas

    rows = []
    known = table[table[value].notna()]
    for group, members in known.groupby(list(by), sort=False, dropna=False):
        values, stimuli = members[value].astype(float), members["stimulus"]
        spread = (np.nan, np.nan, np.nan)
        if stimuli.nunique() > 1:
            means = resampled_means(stimuli, values)
            spread = (*np.quantile(means, INTERVAL), np.std(means, ddof=1))
        low, high, sem = map(float, spread)
        rows.append([*group, values.mean(), low, high, sem, stimuli.nunique(), len(values)])
    return pandas.DataFrame(rows, columns=[*by, "value", "low", "high", "sem", "stimuli", "count"])


def compare(
    claim: str, higher: "pandas.DataFrame", lower: "pandas.DataFrame", value: str, alpha: float = ALPHA
) -> Finding:
    """Tell whether the mean of a column is larger in one condition than in another.

    Both are compared stimulus by stimulus: by a permutation test of the signs of the differences (exact for few
    stimuli), and by the bootstrap interval of their mean. A difference is found if chance gives it with a probability
    below `alpha`; it is not found if the interval ends below `SMALLEST_DIFFERENCE` and there are at least
    `FEWEST` stimuli; else it cannot be told.

    Args:
        claim: what the paper says, as a clause: "metamers of early layers are recognised more often".
        higher: rows of the condition that is larger if the claim is true, with a column ``stimulus``.
        lower: rows of the other condition.
        value: the column.
        alpha: the probability of chance at which a difference counts as found; less than `ALPHA` for one of several.
    """
    from scipy.stats import permutation_test

    pair = _paired(claim, higher, lower, value)
    if isinstance(pair, Finding):
        return pair
    differences = pair.first - pair.second
    if differences.any():
        chance = permutation_test(
            (differences,),
            np.mean,
            permutation_type="samples",
            alternative="greater",
            n_resamples=10_000,
            vectorized=False,
            rng=np.random.default_rng(0),
        ).pvalue
    else:
        chance = 1.0
    if chance < alpha:
        verdict = FOUND
    elif pair.high < SMALLEST_DIFFERENCE and len(differences) >= FEWEST:
        verdict = NOT_FOUND
    else:
        verdict = CANNOT_BE_TOLD
    return Finding(verdict, f"{claim}: {pair.describe(f'p = {chance:.2g}')}.")


def match(claim: str, first: "pandas.DataFrame", second: "pandas.DataFrame", value: str) -> Finding:
    """Tell whether the mean of a column is the same in two conditions, but for `SMALLEST_DIFFERENCE`.

    Both are compared stimulus by stimulus. That there is no difference is found if the bootstrap interval of the mean
    difference lies within `SMALLEST_DIFFERENCE` of 0 and there are at least `FEWEST` stimuli; it is not found if the
    interval reaches beyond and leaves out 0; else it cannot be told.

    Args:
        claim: what the paper says, as a clause: "random perturbations do not".
        first: rows of a condition, with a column ``stimulus``.
        second: rows of the other.
        value: the column.
    """
    pair = _paired(claim, first, second, value)
    if isinstance(pair, Finding):
        return pair
    if pair.low > -SMALLEST_DIFFERENCE and pair.high < SMALLEST_DIFFERENCE and len(pair.first) >= FEWEST:
        verdict = FOUND
    elif pair.low > 0 or pair.high < 0:
        verdict = NOT_FOUND
    else:
        verdict = CANNOT_BE_TOLD
    return Finding(verdict, f"{claim}: {pair.describe()}.")


@dataclass(frozen=True)
class _Pair:
    """Means of the stimuli that two conditions share, and the bootstrap interval of their mean difference."""

    first: np.ndarray
    second: np.ndarray
    low: float
    high: float

    def describe(self, *remarks: str) -> str:
        interval = f"95 % interval {self.low:+.2f} to {self.high:+.2f}"
        stimuli = counted(len(self.first), "stimulus", "stimuli")
        first, second = self.first.mean(), self.second.mean()
        return (
            f"{first:.2f} against {second:.2f}, difference {first - second:+.2f} "
            f"({', '.join([interval, *remarks, stimuli])})"
        )


def _paired(claim: str, first: "pandas.DataFrame", second: "pandas.DataFrame", value: str) -> _Pair | Finding:
    """Return both conditions stimulus by stimulus; where they share fewer than two, that it cannot be told."""
    means = [each.dropna(subset=[value]).astype({value: float}).groupby("stimulus")[value].mean()
             for each in (first, second)]  # fmt: skip
    shared = means[0].index.intersection(means[1].index)
    if len(shared) < 2:
        return Finding(CANNOT_BE_TOLD, f"{claim}: {counted(len(shared), 'stimulus', 'stimuli')} in both conditions.")
    values = [each.loc[shared].to_numpy() for each in means]
    return _Pair(*values, *np.quantile(resampled_means(shared, values[0] - values[1]), INTERVAL))


def judge_share(
    claim: str, count: int, total: int, *, is_large: bool, remark: str = "", stimuli: int | None = None
) -> Finding:
    """Tell whether nearly all, or hardly any, of some stimuli have a property.

    Args:
        claim: what the paper says, as a clause.
        count: how many have it.
        total: of how many.
        is_large: whether nearly all should have it, a share of at least `NEARLY_ALL`; else hardly any, at most
            `HARDLY_ANY`.
        remark: further numbers, in parentheses.
        stimuli: how many different stimuli there are, by default as many as `total`; fewer than `FEWEST` cannot tell.
    """
    share = count / total if total else 0.0
    is_true = share >= NEARLY_ALL if is_large else share <= HARDLY_ANY
    verdict = CANNOT_BE_TOLD if (total if stimuli is None else stimuli) < FEWEST else FOUND if is_true else NOT_FOUND
    return Finding(verdict, f"{claim}: {count} of {total}{f' ({remark})' if remark else ''}.")


def conclude(findings: Iterable[Finding]) -> str:
    """Return what became of all claims together: found if all were, not found if one was not, else not to be told."""
    verdicts = {finding.verdict for finding in findings if finding.is_decisive}
    for verdict in (NOT_FOUND, CANNOT_BE_TOLD):
        if verdict in verdicts:
            return verdict
    return FOUND if verdicts else CANNOT_BE_TOLD
