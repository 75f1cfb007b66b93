"""Figure 2c: how well metamers match each layer, with both gradients of the ReLU."""

import dataclasses
from collections.abc import Sequence

from tfmetamers.plotting.style import wrapped
from tfmetamers.reproduce.drawing import PAGE, draw_line, name_ticks, new_figure, styled
from tfmetamers.reproduce.paper_2019.gradients import MODIFIED, ORDINARY, ROLES
from tfmetamers.reproduce.recognition import ticks_of
from tfmetamers.reproduce.reproduction import Reproduction, Setting
from tfmetamers.reproduce.statistics import ALPHA, CANNOT_BE_TOLD, FOUND, NOT_FOUND, Finding, compare, summarize


class Figure2c(Reproduction):
    """Matching fidelity by layer, with the ordinary and with the modified gradient."""

    name = "figure-2c"
    section = "3.1"
    title = "How well metamers match each layer, by the ordinary and by the modified gradient"
    claim = "the modified gradient improves the match of some layers substantially, and worsens none."
    caption = "Spearman correlation of metamers with their natural stimuli at the matched layer; standard errors."
    experiments = ("gradients",)
    stimuli = "sounds"
    quick = Setting("nothing more", "4 minutes")
    full = Setting("word_aliased, deepspeech, recordings of 20 words", "10 days")

    def tabulate(self, results):
        return summarize(results["gradients"].metamers, ["network", "layer", "depth", "gradient"], "correlation")

    @styled
    def draw(self, table, results):
        networks = list(dict.fromkeys(table["network"]))
        figure = new_figure(PAGE, 2.6)
        panels = figure.subplots(1, len(networks), squeeze=False, sharey=True)[0]
        for axes, network in zip(panels, networks, strict=True):
            own = table[table["network"] == network]
            ticks = ticks_of(own)
            for gradient, role in ROLES.items():
                draw_line(axes, own[own["gradient"] == gradient], ticks, role)
            name_ticks(axes, ticks)
            axes.set_title(wrapped(network, PAGE / len(networks) - 0.5))
        panels[0].set_ylabel("Spearman correlation")
        panels[-1].legend(loc="lower left")
        return figure

    def judge(self, table, results):
        groups = list(results["gradients"].metamers.groupby(["network", "layer"], sort=False))
        alpha = ALPHA / len(groups)  # One of many layers would differ by chance.
        better, worse = [], []
        for (network, layer), own in groups:
            modified, ordinary = (own[own["gradient"] == gradient] for gradient in (MODIFIED, ORDINARY))
            claim = f"{layer} of {network} is matched {{}} with the modified gradient"
            better.append(compare(claim.format("better"), modified, ordinary, "correlation", alpha))
            worse.append(compare(claim.format("worse"), ordinary, modified, "correlation", alpha))
        return [
            _judge_any("better", better, is_expected=True),
            _judge_any("worse", worse, is_expected=False),
            *(dataclasses.replace(each, is_decisive=False) for each in better + worse if each.verdict == FOUND),
        ]


def _judge_any(word: str, findings: Sequence[Finding], *, is_expected: bool) -> Finding:
    """Tell whether any layer differs, or none, as the paper says."""
    count = sum(each.verdict == FOUND for each in findings)
    is_open = not count and any(each.verdict == CANNOT_BE_TOLD for each in findings)
    verdict = CANNOT_BE_TOLD if is_open else FOUND if bool(count) == is_expected else NOT_FOUND
    return Finding(verdict, f"Layers that are matched {word}: {count} of {len(findings)}.")
