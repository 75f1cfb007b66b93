"""Figure 2b: activations of units, for a natural stimulus and its metamer, by both gradients of the ReLU."""

from tfmetamers.reproduce.drawing import PAGE, new_figure, styled
from tfmetamers.reproduce.paper_2019.gradients import MODIFIED, ORDINARY, ROLES
from tfmetamers.reproduce.reproduction import Reproduction, Setting
from tfmetamers.reproduce.statistics import compare


class Figure2b(Reproduction):
    """How well single units are matched, with the ordinary and with the modified gradient."""

    name = "figure-2b"
    section = "3.1"
    title = "Activations of a natural stimulus and of its metamers, by the ordinary and by the modified gradient"
    claim = "without the modified gradient, many units that are active for the natural stimulus stay at zero."
    caption = (
        "Each point is a unit of the layer at which the gradients differ most; on the diagonal, it is matched. Of the "
        "first stimulus."
    )
    experiments = ("gradients",)
    stimuli = "sounds"
    quick = Setting("nothing more", "4 minutes")
    full = Setting("word_aliased, deepspeech, recordings of 20 words", "10 days")

    def tabulate(self, results):
        units = results["gradients"].activations
        active = units[units["original"] > 0].assign(lost=lambda rows: rows["metamer"] <= 0)
        shares = active.groupby(["network", "layer", "gradient"], sort=False)["lost"].mean().unstack()
        worst = (shares[ORDINARY] - shares[MODIFIED]).sort_values(kind="stable").index[-1]
        chosen = units[(units["network"] == worst[0]) & (units["layer"] == worst[1])]
        return chosen.drop(columns=["depth", "label", "category"]).reset_index(drop=True)

    @styled
    def draw(self, table, results):
        figure = new_figure(PAGE * 0.75, 2.7)
        first = table[table["stimulus"] == table["stimulus"].iloc[0]]
        panels = figure.subplots(1, 2, sharex=True, sharey=True)
        for axes, gradient in zip(panels, (ORDINARY, MODIFIED), strict=True):
            own = first[first["gradient"] == gradient]
            axes.scatter(own["original"], own["metamer"], s=6, color=ROLES[gradient].colour, alpha=0.5, linewidths=0)
            end = float(first[["original", "metamer"]].to_numpy().max()) or 1.0
            axes.plot([0, end], [0, end], color="0.6", linewidth=0.8, zorder=0)
            axes.set(title=ROLES[gradient].title, xlabel="natural stimulus")
        panels[0].set_ylabel("metamer")
        figure.suptitle(f"{table['network'].iloc[0]}, {table['layer'].iloc[0]}", fontsize=8)
        return figure

    def judge(self, table, results):
        active = table[table["original"] > 0].assign(lost=lambda rows: (rows["metamer"] <= 0).astype(float))
        ordinary, modified = (active[active["gradient"] == gradient] for gradient in (ORDINARY, MODIFIED))
        where = f"At {table['layer'].iloc[0]} of {table['network'].iloc[0]}"
        claim = f"{where}, more active units stay at zero with the ordinary gradient than with the modified one"
        return [compare(claim, ordinary, modified, "lost")]
