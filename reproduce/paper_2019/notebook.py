"""The released notebook: the loss of two metamers of a photograph, step by step, beside what it printed."""

import pandas

from tfmetamers.metamers.folder import read_metamer
from tfmetamers.plotting.style import LINE_COLOURS
from tfmetamers.published import find_published
from tfmetamers.reproduce.drawing import PAGE, new_figure, styled
from tfmetamers.reproduce.reproduction import Reproduction, Setting
from tfmetamers.reproduce.statistics import CANNOT_BE_TOLD, FOUND, NOT_FOUND, Finding

#: The published table, and how far a loss may be from what was printed, as a ratio: noise of another seed changes it.
TABLE, TOLERANCE = "losses_2019", 1.5


class Notebook(Reproduction):
    """The losses that the released notebook printed."""

    name = "notebook"
    section = "3.1"
    title = "The loss of metamers of a photograph for VGG-19, step by step, beside the released notebook's"
    claim = "the loss falls as the notebook printed."
    caption = "Half the summed squared difference of activations. Dots: printed by the notebook."
    sources = f"Published: {find_published(TABLE).source}; {find_published(TABLE).reading}."
    experiments = ("notebook",)
    stimuli = "pictures"
    quick = Setting(unavailable="VGG-19 and its photograph do not come with the package; fetch them, then give --full.")
    full = Setting("vgg_19 (fetched), pocketwatch.jpg of the released code", "1 hour")

    def tabulate(self, results):
        published = find_published(TABLE).read()
        rows = []
        for each in results["notebook"].metamers.itertuples():
            metamer = read_metamer(each.folder)
            printed = published[published["layer"] == each.layer].set_index("step")["loss"]
            for step, loss in zip(metamer.steps.tolist(), metamer.losses.tolist(), strict=True):
                rows.append([each.network, each.layer, each.seed, step, loss, printed.get(step)])
        return pandas.DataFrame(rows, columns=["network", "layer", "seed", "step", "loss", "published"])

    @styled
    def draw(self, table, results):
        layers = list(dict.fromkeys(table["layer"]))
        figure = new_figure(PAGE, 2.6)
        panels = figure.subplots(1, len(layers), squeeze=False)[0]
        for axes, layer in zip(panels, layers, strict=True):
            own = table[table["layer"] == layer]
            for (seed, trace), colour in zip(own.groupby("seed"), LINE_COLOURS, strict=False):
                axes.plot(trace["step"], trace["loss"], color=colour, label=f"ours, seed {seed}")
            printed = own[own["published"].notna()].drop_duplicates("step")
            axes.plot(printed["step"], printed["published"], "o", color="black", label="published", zorder=3)
            axes.set(title=layer, xlabel="step", ylabel="loss", yscale="log")
            axes.legend()
        return figure

    def compare(self, table):
        printed = table[table["published"].notna()]
        compared = printed.rename(columns={"loss": "ours"})[["layer", "seed", "step", "published", "ours"]]
        return compared.assign(
            difference=compared["ours"] - compared["published"], ratio=compared["ours"] / compared["published"]
        ).reset_index(drop=True)

    def judge(self, table, results):
        compared = self.compare(table)
        findings = []
        for (layer, seed), own in compared.groupby(["layer", "seed"], sort=False):
            low, high = own["ratio"].min(), own["ratio"].max()
            is_close = high < TOLERANCE and low > 1 / TOLERANCE
            verdict = CANNOT_BE_TOLD if own["step"].max() == 0 else FOUND if is_close else NOT_FOUND
            findings.append(
                Finding(
                    verdict,
                    f"{layer}, seed {seed}: ours is {low:.2f} to {high:.2f} times the printed loss at {len(own)} "
                    f"steps, up to {own['step'].max():,}.",
                )
            )
        return findings
