"""The 2023 paper's figures from its tables: published numbers are met, points are those of the table."""

import numpy as np
import pandas
import pytest
from click.testing import CliRunner
from scipy import stats

from tfmetamers.cli.main import tfmetamers
from tfmetamers.published import find_published
from tfmetamers.reproduce.catalogue import find_reproduction, reproductions
from tfmetamers.reproduce.statistics import CANNOT_BE_TOLD, FOUND, NOT_FOUND, conclude

FIGURES = [each for each in reproductions() if each.paper == "2023" and not each.experiments]


@pytest.fixture(scope="module")
def anova():
    reproduction = find_reproduction("2023/anova")
    return reproduction, reproduction.tabulate({})


def people(**of) -> pandas.DataFrame:
    table = find_published("recognition_2023").read()
    for column, value in of.items():
        table = table[table[column] == value]
    return table


class TestAnova:
    def test_every_published_f_value_is_met_to_its_printed_digits(self, anova):
        reproduction, table = anova
        comparison = reproduction.compare(table)
        assert len(comparison) == 184 and (comparison["difference"] == 0).all()

    def test_permutation_probabilities_are_within_chance_of_the_published_ones(self, anova):
        reproduction, table = anova
        comparison = reproduction.compare(table)
        # With five seeds a network there are 252 shuffles, and rounding decides which of the release's are equal.
        people_asked = ~comparison["effect"].str.startswith("network")
        published, ours = (comparison.loc[people_asked, column] for column in ("published_p", "our_p"))
        error = np.sqrt(2 * published * (1 - published) / 10_000)
        assert (abs(ours - published) <= np.maximum(4 * error, 2e-4)).all()
        assert (comparison["corrected_p"] >= 1 / 10_001).all()

    def test_an_f_value_is_what_a_paired_difference_gives(self):
        """Two models against each other: F of the model is the square of a paired t of participants' means."""
        models = ["alexnet", "alexnet_random_linf8_perturb"]
        own = people(domain="vision", experiment=4)
        means = own[own["model"].isin(models)].groupby(["participant", "model"])["people"].mean().unstack()
        t = stats.ttest_rel(means[models[0]], means[models[1]]).statistic
        assert t**2 == pytest.approx(5.5642, abs=5e-5)

    def test_all_claims_are_found(self, anova):
        reproduction, table = anova
        assert conclude(reproduction.judge(table, {})) == FOUND


COEFFICIENTS = {
    "8e": {"Spearman rho": 0.9195},
    "8f": {"Spearman rho": 0.8630},
    "7b": {"V1": 0.1030, "V2": 0.1337, "V4": 0.4018, "IT": 0.4519},
}


@pytest.mark.parametrize(("name", "expected"), COEFFICIENTS.items())
def test_correlation_coefficients(name, expected):
    reproduction = find_reproduction(f"2023/figure-{name}")
    table = reproduction.tabulate({})
    groups = table.groupby("region") if "region" in table else [("Spearman rho", table)]
    for key, own in groups:
        assert stats.spearmanr(own["x"], own["y"]).statistic == pytest.approx(expected[key], abs=5.1e-5)


def test_figure_8f_is_over_all_144_stages_and_exact():
    reproduction = find_reproduction("2023/figure-8f")
    comparison = reproduction.compare(reproduction.tabulate({})).set_index("statistic")
    assert comparison.loc["Spearman rho", "of"] == comparison.loc["Spearman rho", "of_ours"] == 144
    assert abs(comparison.loc["Spearman rho", "difference"]) < 5e-4


@pytest.mark.parametrize("reproduction", [each for each in FIGURES if each.name != "anova"], ids=lambda each: each.name)
def test_every_figure_is_drawn_from_its_table(reproduction):
    table = reproduction.tabulate({})
    figure = reproduction.draw(table, {})
    drawn = []
    for axes in figure.get_axes():
        curves = [each.lines[0] for each in axes.containers]
        drawn += [height for line in curves for height in np.ravel(line.get_ydata())]
        marked = [line for line in axes.get_lines() if line.get_marker() == "o" and not axes.containers]
        drawn += [height for line in marked for height in np.ravel(line.get_ydata())]
    column = "y" if "y" in table else "value"
    values = np.asarray(table[column], float)
    assert drawn and all(np.isclose(values, height, atol=1e-9).any() for height in drawn)
    findings = reproduction.judge(table, {})
    assert findings and {each.verdict for each in findings} <= {FOUND, NOT_FOUND, CANNOT_BE_TOLD}


def test_a_curve_is_the_mean_over_participants():
    table = find_reproduction("2023/figure-2c").tabulate({})
    own = table[(table["model"] == "vgg_19") & (table["who"] == "people")].set_index("stage")
    alone = people(model="vgg_19", experiment=1)
    for stage, rows in alone.groupby("stage"):
        if stage in own.index:
            assert own.loc[stage, "value"] == pytest.approx(rows["people"].mean())
    assert own.loc["natural", "value"] > 0.8 > own["value"].min()


def test_it_runs_from_the_command_line_without_a_setting(tmp_path):
    done = CliRunner().invoke(tfmetamers, ["reproduce", "2023/figure-8f", "--output", str(tmp_path)])
    assert done.exit_code == 0 and "0.863" in done.stdout
    assert (tmp_path / "2023/full/figure-8f/page.html").is_file()
