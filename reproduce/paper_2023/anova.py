"""All analyses of variance of the release: F values, effect sizes, corrected and permutation probabilities."""

import pandas
from scipy.stats import norm

from tfmetamers.published import find_published
from tfmetamers.reproduce.paper_2023.analyses import KINDS, PUBLISHED, analyses, difference
from tfmetamers.reproduce.reproduction import Reproduction, Setting
from tfmetamers.reproduce.statistics import ALPHA, FOUND, NOT_FOUND, Finding
from tfmetamers.statistics import CORRECTIONS

#: Kinds whose permutations count in the release if their F value is as large; in the others it has to be larger.
AT_LEAST = ("observers", "stages")

#: How likely two counts of the same probability are to differ by less than is taken for agreement.
BAND = 0.9999

#: Probabilities and effect sizes are printed with five significant digits, of which rounding can change the last.
_PRINTED = 1e-4

_SETTING = Setting(
    "nothing more",
    "1 minute",
    differences=(
        "The random numbers of the permutations are others (the release has MATLAB's, from seed 517), so that "
        "permutation probabilities agree within chance alone.",
        "F values of permutations that differ by rounding alone count as equal. In the release they do not, so that "
        "with five seeds a network, which can be dealt in 252 ways, it prints some p = 0.0001, smaller than the 2/252 "
        "that are possible.",
        "The last stage is left out where the release leaves it out: for CLIP ResNet-50 against people, and where "
        "stages are compared.",
    ),
)


class Anova(Reproduction):
    """The F values that the release tests by permutation."""

    paper = "2023"
    name = "anova"
    section = "Results, statistics"
    title = "Analyses of variance of all experiments with people, and of adversarial accuracy"
    claim = "at which stages metamers are recognised differs between people and the networks they were made for."
    sources = f"Published: {find_published(PUBLISHED).source}; {find_published(PUBLISHED).reading}."
    digits = 8
    quick = _SETTING
    full = _SETTING

    def tabulate(self, results):
        rows = []
        for design, effects in analyses(find_published(PUBLISHED).read()):
            for published in effects.itertuples(index=False):
                effect, test = design.effects[published.effect], design.permutation_test(published.effect)
                rows.append(
                    {
                        **{key: getattr(published, key) for key in ("kind", "domain", "experiment", "models", "norm")},
                        "levels": published.levels,
                        "effect": published.effect,
                        "f": effect.f,
                        "df": effect.df,
                        "df_error": effect.df_error,
                        "partial_eta_squared": effect.partial_eta_squared,
                        "p": effect.p(),
                        **{f"p_{correction}": effect.p(correction) for correction in CORRECTIONS},
                        "permutations": test.permutations,
                        "larger": test.larger,
                        "equal": test.equal,
                        "p_permutation": test.p_at_least if published.kind in AT_LEAST else test.p_larger,
                        "p_corrected": test.p_corrected,
                        **difference(published.f, effect),
                    }
                )
        return pandas.DataFrame(rows)

    def draw(self, table, results):
        return None

    def compare(self, table):
        published = _published(table)
        return pandas.DataFrame(
            {
                "experiment": table["domain"] + " " + table["experiment"].astype(str),
                "models": (table["models"].str.replace(";", ", ") + " " + table["norm"].fillna("")).str.strip(),
                "effect": table["effect"],
                **{column: table[column] for column in ("published", "ours", "difference")},
                "published_p": published["p_permutation"],
                "our_p": table["p_permutation"],
                "corrected_p": table["p_corrected"].round(6),
            }
        )

    def judge(self, table, results):
        published = _published(table)
        same = table["difference"] == 0
        counts = ", ".join(f"{int(same[rows].sum())} of {len(rows)} that compare {KINDS[kind]}"
                           for kind, rows in table.groupby("kind", sort=False).groups.items())  # fmt: skip
        likely = is_likely(published["p_permutation"], table)
        columns = ["partial_eta_squared", "p", *(f"p_{correction}" for correction in CORRECTIONS)]
        is_near = (table[columns] / published[columns] - 1).abs() < _PRINTED
        interactions = table[table["effect"] == "observer x stage"]
        differing = interactions["p_corrected"] < ALPHA
        return [
            Finding(_found(differing.all()), f"People and networks differ by stage in {differing.sum()} of "
                    f"{len(differing)} tables (largest p = {interactions['p_corrected'].max():.2g})."),
            Finding(_found(same.all()), f"F values equal to the printed digits: {counts}."),
            Finding(_found(likely.all()), f"Permutation probabilities within chance of the published ones: "
                    f"{likely.sum()} of {len(table)}."),
            Finding(_found(is_near.all(axis=None)), "Partial eta squared, and probabilities without a correction and "
                    "with three, equal to four printed digits: "
                    f"{is_near.to_numpy().sum()} of {is_near.size}."),
        ]  # fmt: skip


def is_likely(published: pandas.Series, table: pandas.DataFrame) -> pandas.Series:
    """Tell which published probabilities are within chance of ours, with permutations that tie counted or not.

    Args:
        published: shares of as many permutations.
        table: rows with our counts, ``larger`` and ``equal``, of ``permutations``.
    """
    count = table["permutations"]
    low, high = table["larger"] / count, (table["larger"] + table["equal"]) / count
    width = norm.ppf((1 + BAND) / 2)
    # At least one count: the release prints no zero.
    errors = [(2 * (share * (1 - share)).clip(lower=1 / count) / count) ** 0.5 for share in (low, high)]
    return (published >= low - width * errors[0]) & (published <= high + width * errors[1])


def _published(table: pandas.DataFrame) -> pandas.DataFrame:
    """Return the published rows in the order of a table's."""
    keys = ["kind", "domain", "experiment", "models", "norm", "effect", "levels"]
    found = table[keys].merge(find_published(PUBLISHED).read(), on=[*keys], how="left", validate="one_to_one")
    return found.set_index(table.index)


def _found(is_true: bool) -> str:
    return FOUND if is_true else NOT_FOUND
