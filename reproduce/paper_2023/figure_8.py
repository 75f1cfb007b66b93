"""Figures 8e and 8f: recognition of metamers by other networks against recognition by people."""

from tfmetamers.plotting.style import COLOURS
from tfmetamers.published import find_published
from tfmetamers.reproduce.drawing import COLUMN, new_figure, styled
from tfmetamers.reproduce.paper_2023.correlations import PUBLISHED, coefficients, compare_coefficients
from tfmetamers.reproduce.paper_2023.participants import pooled
from tfmetamers.reproduce.reproduction import Reproduction, Setting
from tfmetamers.reproduce.statistics import ALPHA, FOUND, NOT_FOUND, Finding


class Figure8(Reproduction):
    """A point for each model and stage."""

    paper = "2023"
    section = "Results, Figure 8"
    claim = "people recognise the metamers that other models recognise."
    caption = (
        "A point for each model and stage: people's recognition of its metamers, against the mean of all other models "
        "of the kind; standard errors over these."
    )
    sources = f"Published: {find_published(PUBLISHED).source}; {find_published(PUBLISHED).reading}."

    def __init__(self, panel: str, domain: str, described: str, differences: tuple[str, ...]):
        self.panel, self.domain = f"8{panel}", domain
        self.name, self.title = (
            f"figure-8{panel}",
            f"Recognition of metamers of {described}, by other models and people",
        )
        self.quick = self.full = Setting("nothing more", "seconds", differences=differences)

    def tabulate(self, results):
        table = find_published("network_recognition_2023").read()
        others = table[(table["domain"] == self.domain) & (table["generator"] != table["judge"])]
        people = pooled(others["generator"]).rename("y")
        judged = others.groupby(["generator", "stage"], sort=False)["value"].agg(x="mean", sem="sem", judges="count")
        joined = judged.join(people, on=["generator", "stage"])
        # Vision models have no human data at their input, which is the picture itself.
        return joined[joined["y"].notna()].reset_index().rename(columns={"generator": "model"})

    @styled
    def draw(self, table, results):
        figure = new_figure(COLUMN, 3.0)
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=COLOURS["grey"], linestyle="--", linewidth=0.8)
        axes.errorbar(table["x"], table["y"], xerr=table["sem"], fmt="o", color=COLOURS["blue"], alpha=0.6,
                      elinewidth=0.6, capsize=0)  # fmt: skip
        rho, _ = coefficients(table["x"], table["y"])["Spearman rho"]
        axes.set(xlabel="recognised by other models", ylabel="recognised by people", xlim=(0, 1.02), ylim=(0, 1.02))
        axes.set_title(f"{len(table)} stages of {table['model'].nunique()} models, rho = {rho:.3f}")
        axes.set_aspect("equal")
        return figure

    def compare(self, table):
        return compare_coefficients(table, self.panel)

    def judge(self, table, results):
        rho, p = coefficients(table["x"], table["y"])["Spearman rho"]
        return [
            Finding(
                FOUND if rho > 0 and p < ALPHA else NOT_FOUND,
                f"Recognition by other models goes with that by people (Spearman's rho {rho:.4f}, p = {p:.1g}, "
                f"{len(table)} stages of {table['model'].nunique()} models).",
            )
        ]


FIGURE_8E = Figure8(
    "e",
    "vision",
    "vision models",
    (
        "The release has the answers of 20 of the paper's 29 models: each point is a mean over fewer others, and 148 "
        "of 219 stages are there.",
    ),
)
FIGURE_8F = Figure8("f", "audio", "sound models", ())
