"""Figure 7b: how well Brain-Score predicts whether people recognise metamers."""

import pandas

from tfmetamers.plotting.style import COLOURS
from tfmetamers.published import find_published
from tfmetamers.reproduce.drawing import PAGE, new_figure, styled
from tfmetamers.reproduce.paper_2023.correlations import PUBLISHED, coefficients, compare_coefficients
from tfmetamers.reproduce.paper_2023.participants import pooled
from tfmetamers.reproduce.reproduction import Reproduction, Setting
from tfmetamers.reproduce.statistics import ALPHA, FOUND, NOT_FOUND, Finding

#: The regions of the visual system.
REGIONS = ("V1", "V2", "V4", "IT")

_SETTING = Setting("nothing more", "seconds")


class Figure7b(Reproduction):
    """Brain-Score against the recognition of metamers."""

    paper = "2023"
    name = "figure-7b"
    section = "Results, Figure 7"
    title = "Brain-Score of 26 vision models against people's recognition of their metamers"
    claim = "how well a model predicts neurons does not tell whether people recognise its metamers."
    caption = (
        "A point for each model: people's recognition of metamers of the stage that predicts a region best, against "
        "how well it does."
    )
    sources = f"Published: {find_published(PUBLISHED).source}; {find_published(PUBLISHED).reading}."
    quick = _SETTING
    full = _SETTING

    def tabulate(self, results):
        scores = find_published("brain_score_2023").read().query("in_figure == 1")
        people = pooled(scores["model"])
        rows = [
            {"region": region, "model": row["model"], "stage": row[f"{region}_best_stage"], "x": row[region],
             "y": people[row["model"], row[f"{region}_best_stage"]]}
            for region in REGIONS
            for _, row in scores.iterrows()
        ]  # fmt: skip
        return pandas.DataFrame(rows)

    @styled
    def draw(self, table, results):
        figure = new_figure(PAGE, 2.1)
        panels = figure.subplots(1, len(REGIONS), sharey=True)
        for axes, region in zip(panels, REGIONS, strict=True):
            own = table[table["region"] == region]
            axes.plot(own["x"], own["y"], "o", color=COLOURS["blue"], alpha=0.7)
            rho, _ = coefficients(own["x"], own["y"])["Spearman rho"]
            axes.set_title(f"{region}, rho = {rho:.2f}")
            axes.set(xlabel="Brain-Score", ylim=(0, 1.03))
        panels[0].set_ylabel("metamers recognised\nby people")
        return figure

    def compare(self, table):
        return compare_coefficients(table, "7b", "region")

    def judge(self, table, results):
        findings = []
        for region in REGIONS:
            own = table[table["region"] == region]
            rho, p = coefficients(own["x"], own["y"])["Spearman rho"]
            corrected = min(1.0, p * len(REGIONS))
            findings.append(
                Finding(
                    FOUND if corrected > ALPHA else NOT_FOUND,
                    f"{region}: no correlation beyond chance (Spearman's rho {rho:.4f}, p = {p:.2f}, "
                    f"{corrected:.2f} after Bonferroni's correction for {len(REGIONS)} regions).",
                )
            )
        return findings
