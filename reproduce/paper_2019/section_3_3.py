"""Section 3.3 with S1.1: training until words or categories are recognised well enough, and no further."""

import pandas

from tfmetamers.networks.auditory.trained_folder import bundled_networks, read_trained
from tfmetamers.plotting.style import COLOURS, LINE_COLOURS
from tfmetamers.published import find_published
from tfmetamers.reproduce.drawing import PAGE, new_figure, styled
from tfmetamers.reproduce.reproduction import Reproduction, Setting
from tfmetamers.reproduce.statistics import FOUND, NOT_FOUND, Finding

#: What is measured at each epoch, and the setting that says when to stop.
MEASURES = {
    "word_accuracy": ("proportion of words correct", "word_threshold"),
    "category_auc": ("mean area under the ROC curve", "category_threshold"),
}


class Section33(Reproduction):
    """How the bundled networks were trained, and when training stopped."""

    name = "section-3.3"
    section = "3.3"
    title = "Training of the sound networks, which ends when they are equally good at their tasks"
    claim = "networks of different architectures can be matched in how well they do, by stopping early."
    caption = "Validation after each epoch. Dashed: where training stops. Dots: the epoch that is used."
    sources = f"Published: {find_published('training_2019').source}; {find_published('training_2019').reading}."
    quick = Setting(
        "nothing more",
        "seconds",
        differences=(
            "The bundled networks were trained on 6,300 clips of 30 words, made by voices of espeak-ng and recorded "
            "digits, with synthesised backgrounds; the paper has 230,357 clips of 793 words, with AudioSet's.",
            "Thresholds are higher, since these tasks are easier.",
        ),
    )
    full = Setting(
        "the corpora of the paper, a GPU",
        "days",
        commands=(
            "tfmetamers corpus words --alignments ALIGNED --recordings RECORDINGS --output words.csv --split-by clip",
            "tfmetamers corpus backgrounds --segments SEGMENTS.csv --sounds SOUNDS --labels ontology.json "
            "--output backgrounds.csv",
            *(
                f"tfmetamers train --architecture {architecture} --task {task} --seed {seed} --corpus words.csv "
                f"--backgrounds backgrounds.csv --output {folder}"
                for architecture, task, seed, folder in (
                    ("word_aliased", "words", 0, "word_aliased"),
                    ("word_reduced_aliasing", "words", 0, "word_reduced_aliasing"),
                    ("word_reduced_aliasing", "words", 1, "word_reduced_aliasing_seed_1"),
                    ("word_reduced_aliasing", "categories", 0, "category_reduced_aliasing"),
                    ("word_reduced_aliasing", "both", 0, "word_and_category_reduced_aliasing"),
                )
            ),
        ),
    )

    def tabulate(self, results):
        rows = []
        for name, folder in bundled_networks().items():
            card = read_trained(folder).card
            for epoch in card["history"]:
                for measure, (_, threshold) in MEASURES.items():
                    if measure in epoch:
                        rows.append(
                            {
                                "network": name,
                                "measure": measure,
                                "epoch": epoch["epoch"],
                                "value": epoch[measure],
                                "is_used": epoch["epoch"] == card["epoch"],
                                "threshold": card["settings"][threshold],
                                "reached_threshold": card["reached_threshold"],
                            }
                        )
        return pandas.DataFrame(rows)

    @styled
    def draw(self, table, results):
        figure = new_figure(PAGE, 2.8)
        panels = figure.subplots(1, len(MEASURES))
        networks = list(dict.fromkeys(table["network"]))
        for axes, (measure, (label, _)) in zip(panels, MEASURES.items(), strict=True):
            for network, colour in zip(networks, LINE_COLOURS, strict=False):
                own = table[(table["network"] == network) & (table["measure"] == measure)]
                if not len(own):
                    continue
                axes.plot(own["epoch"], own["value"], color=colour, label=network)
                used = own[own["is_used"]]
                axes.plot(used["epoch"], used["value"], "o", color=colour)
                axes.axhline(own["threshold"].iloc[0], color=COLOURS["grey"], linestyle="--", linewidth=0.8)
            axes.set(xlabel="epoch", ylabel=label, ylim=(0, 1.03))
        handles = {handle.get_label(): handle for axes in panels for handle in axes.get_legend_handles_labels()[0]}
        figure.legend(handles=list(handles.values()), loc="outside lower center", ncols=2)
        return figure

    def compare(self, table):
        published = find_published("training_2019").read().set_index("quantity")["published"]
        used = table[table["is_used"]]
        measures = used["measure"].replace({"category_auc": "category_mean_auc"})
        compared = used.assign(published=measures.map(published), ours=used["value"])
        compared = compared.assign(difference=compared["ours"] - compared["published"])
        return compared[["network", "measure", "published", "ours", "difference"]].reset_index(drop=True)

    def judge(self, table, results):
        words = table[table["is_used"] & (table["measure"] == "word_accuracy")]
        spread = words["value"].max() - words["value"].min()
        reached = words.groupby("network")["reached_threshold"].first()
        return [
            Finding(
                FOUND if spread < 0.03 else NOT_FOUND,
                f"The {len(words)} networks of words are within {spread:.3f} of each other in validation "
                f"({words['value'].min():.3f} to {words['value'].max():.3f}); {int(reached.sum())} of them reached the "
                "threshold, the others were stopped at their best epoch.",
            )
        ]
