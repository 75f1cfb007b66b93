"""Figure 6: two variants of AlexNet that are equally robust to attacks, and whose metamers are not alike."""

import pandas

from tfmetamers.plotting.style import LINE_COLOURS
from tfmetamers.reproduce.drawing import PAGE, new_figure, styled
from tfmetamers.reproduce.paper_2023.analyses import analyses, published_rows
from tfmetamers.reproduce.paper_2023.curves import Claim, Panel, RecognitionCurves, draw_panel
from tfmetamers.reproduce.paper_2023.participants import adversarial_accuracy, titles
from tfmetamers.reproduce.statistics import ALPHA, FOUND, NOT_FOUND, Finding

#: The models, and the norms of the attacks.
STANDARD, LOWPASS, VONE = MODELS = (
    "alexnet_early_checkpoint",
    "alexnet_reduced_aliasing_early_checkpoint",
    "vonealexnet_gaussian_noise_std4_fixed",
)
NORMS = {"l1": "L1", "l2": "L2", "linf": "L∞"}

_PANEL = Panel("vision", 9, MODELS)

#: Who is right about attacked pictures, in tables.
ATTACKED = "network_under_attack"


class Figure6(RecognitionCurves):
    """Accuracy under attack and recognition of metamers."""

    caption = (
        "Top: accuracy under attack, mean and standard error of five seeds, by the size of the perturbation. Bottom: "
        + RecognitionCurves.caption
    )

    def __init__(self):
        super().__init__(
            "figure-6",
            "Adversarial robustness and recognition of metamers of two variants of AlexNet",
            "networks with less aliasing and with a front end like V1 are equally robust to attacks, but people "
            "recognise metamers of the first more often.",
            [_PANEL],
            [Claim(_PANEL, LOWPASS, VONE, is_higher=True), Claim(_PANEL, LOWPASS, STANDARD, is_higher=True)],
            ("Accuracy under attack is that of the sizes of perturbations which the release prints.",),
        )

    def tabulate(self, results):
        means = adversarial_accuracy().groupby(["norm", "model", "eps"], sort=False)["accuracy"]
        attacked = means.agg(value="mean", sem="sem", participants="count").reset_index()
        attacked = attacked.assign(panel=attacked["norm"], domain="vision", who=ATTACKED).drop(columns="norm")
        return pandas.concat([super().tabulate(results), attacked], ignore_index=True)

    @styled
    def draw(self, table, results):
        figure = new_figure(PAGE, 5.6)
        top, bottom = figure.subfigures(2, height_ratios=(1, 1.5))
        panels = top.subplots(1, len(NORMS), sharey=True)
        for axes, (norm, title) in zip(panels, NORMS.items(), strict=True):
            own = table[table["panel"] == norm]
            for model, colour in zip(MODELS, LINE_COLOURS, strict=False):
                rows = own[own["model"] == model]
                axes.errorbar(rows["eps"], rows["value"], yerr=rows["sem"], color=colour, marker="o")
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter("{x:g}")  # The style does not read powers of ten as mathematics.
            axes.xaxis.set_minor_formatter("")
            axes.set(xlabel=f"{title} norm of the perturbation", ylim=(0, 0.6))
        panels[0].set_ylabel("accuracy under attack")
        axes = bottom.subplots()
        draw_panel(axes, table[table["who"] != ATTACKED].astype({"depth": int}), PAGE)
        axes.set_ylabel("proportion recognised")
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        return figure

    def judge(self, table, results):
        findings = super().judge(table, results)
        published = published_rows("vision", 9).query("kind == 'robustness' and effect == 'network'")
        pair = published[[set(models.split(";")) == {LOWPASS, VONE} for models in published["models"]]]
        for design, rows in analyses(pair):
            effect = design.effects["network"]
            findings.append(
                Finding(
                    FOUND if effect.p() > ALPHA else NOT_FOUND,
                    f"{titles()[LOWPASS]} and {titles()[VONE]} are equally robust to attacks of a limited "
                    f"{NORMS[rows['norm'].iloc[0]]} norm: F({effect.df}, {effect.df_error}) = {effect.f:.2f}, "
                    f"p = {effect.p():.2g}.",
                )
            )
        return findings
