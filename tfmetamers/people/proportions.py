"""Proportions correct by participant and condition, and what is told of each condition."""

from typing import TYPE_CHECKING

import numpy as np

from tfmetamers.recognition.summary import standard_error
from tfmetamers.statistics import RepeatedMeasures

if TYPE_CHECKING:
    import pandas

#: What a condition is named by.
CONDITION = ["network", "layer", "place"]


def participant_proportions(trials: "pandas.DataFrame") -> "pandas.DataFrame":
    """Return the proportion correct of each participant in each condition, catch trials left out.

    Args:
        trials: what `tfmetamers.people.trials.score_trials` returns.

    Returns:
        ``participant`` (the session), ``network``, ``layer``, ``place``, ``value``, ``trials``.
    """
    main = trials[trials["kind"] == "main"]
    grouped = main.groupby(["session", *CONDITION], sort=False)["correct"]
    table = grouped.agg(value="mean", trials="count").reset_index()
    return table.rename(columns={"session": "participant"})


def summarize_conditions(proportions: "pandas.DataFrame") -> "pandas.DataFrame":
    """Return the mean of each condition over participants, and its standard error.

    Args:
        proportions: what `participant_proportions` or `tfmetamers.people.release_2023.read_release` returns.

    Returns:
        ``network``, ``layer``, ``place``, ``participants``, ``value``, ``sem`` (standard deviation over participants
        over the square root of their number, with one degree of freedom less), natural stimuli first.
    """
    grouped = proportions.groupby(CONDITION, sort=False)["value"]
    table = grouped.agg(participants="count", value="mean", sem="sem").reset_index()
    order = {network: number for number, network in enumerate(dict.fromkeys(table["network"]))}
    keys = table["network"].map(lambda name: -1 if name == "" else order[name])
    return (
        table.assign(order=keys).sort_values(["order", "place"], kind="stable", ignore_index=True).drop(columns="order")
    )


def describe_conditions(trials: "pandas.DataFrame", choices: int, seed: int = 0) -> "pandas.DataFrame":
    """Return what is told of each condition.

    Args:
        trials: what `tfmetamers.people.trials.score_trials` returns.
        choices: how many answers there are to choose from.
        seed: of the bootstrap.

    Returns:
        The columns of `summarize_conditions`, and ``trials``, ``correct`` (how many), ``stimuli``, ``bootstrap_sem``
        (over stimuli), ``low`` and ``high`` (Wilson's interval of 95 % on pooled counts), ``chance`` (one over the
        number of choices), ``guessing`` (what the participants' answers would give if each gave theirs in random
        order).
    """
    from scipy.stats import binomtest

    table = summarize_conditions(participant_proportions(trials))
    main = trials[trials["kind"] == "main"]
    main = main.assign(guessing=_matches_at_random(main))
    groups = dict(list(main.groupby(CONDITION)))
    further = []
    for condition in table[CONDITION].itertuples(index=False, name=None):
        own = groups[condition]
        right = int(own["correct"].sum())
        low, high = binomtest(right, len(own)).proportion_ci(method="wilson")
        error = standard_error(list(own["stimulus"]), own["correct"].to_numpy(bool), seed)
        further.append([len(own), right, own["stimulus"].nunique(), np.nan if error is None else error, low, high])
    names = ["trials", "correct", "stimuli", "bootstrap_sem", "low", "high"]
    table[names] = np.array(further, float).reshape(len(table), len(names))
    table = table.astype(dict.fromkeys(names[:3], int))
    at_random = [
        groups[condition]["guessing"].mean() for condition in table[CONDITION].itertuples(index=False, name=None)
    ]
    return table.assign(chance=1 / choices, guessing=at_random)


def _matches_at_random(main: "pandas.DataFrame") -> np.ndarray:
    """Return how probable it is that a participant's answers, in random order, give the right one to each trial."""
    probable = np.zeros(len(main))
    positions = {index: place for place, index in enumerate(main.index)}
    for _, own in main.groupby("session"):
        given = own["response"].value_counts()
        probable[[positions[index] for index in own.index]] = own["answer"].map(given).fillna(0) / len(own)
    return probable


def layer_effects(proportions: "pandas.DataFrame", permutations: int = 10_000, seed: int = 0) -> "pandas.DataFrame":
    """Test, network by network, whether the proportion correct depends on the layer.

    The statistic is F of an analysis of variance with repeated measures, of participants by layers (natural stimuli
    among them); layers are permuted within each participant, as in the 2023 paper
    (`tfmetamers.statistics.RepeatedMeasures`).

    Args:
        proportions: of each participant in each condition; participants who lack a condition are left out.
        permutations: how many.
        seed: of the permutations.

    Returns:
        ``network``, ``participants``, ``layers``, ``f``, ``df``, ``df_error``, ``partial_eta_squared`` and ``p``
        (by permutation, with the table itself among them). A network is left out that has fewer than two participants
        or layers, or the same proportion everywhere.
    """
    import pandas

    natural = proportions[proportions["network"] == ""]
    rows = []
    for network in dict.fromkeys(proportions["network"]):
        if not network:
            continue
        own = pandas.concat([natural.assign(network=network), proportions[proportions["network"] == network]])
        values = own.pivot(index="participant", columns="place", values="value").dropna().to_numpy()
        participants, layers = values.shape
        if participants < 2 or layers < 2 or np.ptp(values) == 0:
            continue
        design = RepeatedMeasures(values, ["layer"])
        effect, test = design.effects["layer"], design.permutation_test("layer", permutations, seed)
        rows.append([network, participants, layers, effect.f, effect.df, effect.df_error, effect.partial_eta_squared,
                     test.p_corrected])  # fmt: skip
    columns = ["network", "participants", "layers", "f", "df", "df_error", "partial_eta_squared", "p"]
    return pandas.DataFrame(rows, columns=columns)


def detectable_difference(participants: int, trials: int, proportion: float = 0.5, power: float = 0.8) -> float | None:
    """Return the smallest difference between two layers that the design finds with a given probability.

    Each participant's proportion in a layer has the binomial variance of its trials; the test is a paired t-test, two
    sides, at .05.

    Args:
        participants: how many, from 2.
        trials: of each participant in each layer.
        proportion: correct, about which the layers differ; .5 is the worst case.
        power: the probability.

    Returns:
        A difference of proportions; None where none up to 1 would be found.

    >>> round(detectable_difference(16, 10), 2)
    0.17
    """
    from scipy.optimize import brentq
    from scipy.stats import nct, t

    if participants < 2:
        return None
    error = np.sqrt(2 * proportion * (1 - proportion) / trials / participants)
    critical = t.ppf(0.975, participants - 1)

    def shortfall(difference: float) -> float:
        return 1 - nct.cdf(critical, participants - 1, difference / error) - power

    return None if shortfall(1.0) < 0 else float(brentq(shortfall, 0, 1))
