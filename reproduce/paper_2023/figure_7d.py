"""Figure 7d: how well models of sound that predict auditory cortex have metamers that people recognise."""

import pandas

from tfmetamers.plotting.style import COLOURS
from tfmetamers.published import find_published
from tfmetamers.reproduce.drawing import PAGE, new_figure, styled
from tfmetamers.reproduce.paper_2023.correlations import PUBLISHED, coefficients, compare_coefficients
from tfmetamers.reproduce.paper_2023.participants import plain_stage, pooled
from tfmetamers.reproduce.reproduction import Reproduction, Setting
from tfmetamers.reproduce.statistics import CANNOT_BE_TOLD, Finding

#: The regions of interest, and what the figure calls them.
REGIONS = {"all_aud_voxels": "all voxels", "tonotopic": "tonotopic", "pitch": "pitch", "music": "music",
           "speech": "speech"}  # fmt: skip

#: The model that the paper leaves out of the figure.
LEFT_OUT = "spectemp_filters"

_SETTING = Setting(
    "nothing more",
    "seconds",
    differences=(
        "Of the 17 models of the figure, the regressions of 6 are released; coefficients of 6 models say little of 17.",
        "Participants' best stages are averaged; the release does not tell how the paper combined them.",
    ),
)


class Figure7d(Reproduction):
    """Variance of auditory cortex explained, against the recognition of metamers."""

    paper = "2023"
    name = "figure-7d"
    section = "Results, Figure 7"
    title = "Auditory cortex explained by sound models against people's recognition of their metamers"
    claim = "how well a model predicts auditory cortex does not tell whether people recognise its metamers."
    caption = (
        "A point for each released model: people's recognition of the metamers of its best stage, against the variance "
        "that this stage explains in participants who were left out when it was chosen."
    )
    sources = f"Published: {find_published(PUBLISHED).source}; {find_published(PUBLISHED).reading}."
    quick = _SETTING
    full = _SETTING

    def tabulate(self, results):
        explained = find_published("fmri_2023").read()
        explained = explained[explained["model"] != LEFT_OUT]
        people = {(model, plain_stage(stage)): value for (model, stage), value in pooled(explained["model"]).items()}
        rows = []
        for region in REGIONS:
            for model, own in explained[explained["region"] == region].groupby("model", sort=False):
                stages = own.pivot(index="stage", columns="participant", values="r2")
                chosen = {each: stages.drop(columns=each).mean(axis=1).idxmax() for each in stages.columns}
                stage = pandas.Series(chosen).mode()[0]
                left_out = [stages.loc[best, each] for each, best in chosen.items()]
                rows.append({"region": region, "model": model, "stage": stage,
                             "x": sum(left_out) / len(left_out), "y": people[model, stage]})  # fmt: skip
        return pandas.DataFrame(rows)

    @styled
    def draw(self, table, results):
        figure = new_figure(PAGE, 2.1)
        panels = figure.subplots(1, len(REGIONS), sharey=True)
        for axes, (region, title) in zip(panels, REGIONS.items(), strict=True):
            own = table[table["region"] == region]
            axes.plot(own["x"], own["y"], "o", color=COLOURS["blue"], alpha=0.7)
            axes.set_title(title)
            axes.set(xlabel="variance explained", ylim=(0, 1.03))
            axes.margins(x=0.15)
        panels[0].set_ylabel("metamers recognised\nby people")
        return figure

    def compare(self, table):
        return compare_coefficients(table, "7d", "region")

    def judge(self, table, results):
        findings = []
        for region, title in REGIONS.items():
            own = table[table["region"] == region]
            rho, p = coefficients(own["x"], own["y"])["Spearman rho"]
            findings.append(
                Finding(CANNOT_BE_TOLD, f"{title}: Spearman's rho {rho:.2f} over {len(own)} models (p = {p:.2f}).")
            )
        return findings
