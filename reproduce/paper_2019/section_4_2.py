"""Section 4.2: metamers of one word for DeepSpeech and VGGish, layer by layer."""

from tfmetamers.reproduce.drawing import styled
from tfmetamers.reproduce.paper_2019.heard import NOBODY, draw_heard, judge_heard, tabulate_heard
from tfmetamers.reproduce.reproduction import Reproduction, Setting


class Section42(Reproduction):
    """Metamers of DeepSpeech and VGGish."""

    name = "section-4.2"
    section = "4.2"
    title = "Metamers of one word for VGGish and DeepSpeech, layer by layer"
    claim = (
        "all metamers of DeepSpeech sound unnatural, because of its features; those of VGGish are difficult to "
        "recognise from conv4 on."
    )
    caption = "Features of the word and of its metamers at each network's front end."
    experiments = ("speech",)
    stimuli = "sounds"
    quick = Setting(
        "nothing more",
        "5 minutes",
        differences=(NOBODY, "Weights are random: the published checkpoints do not come with the package."),
    )
    full = Setting("both checkpoints (fetched), a recording", "3 hours", differences=(NOBODY,))

    def tabulate(self, results):
        return tabulate_heard(results["speech"])

    @styled
    def draw(self, table, results):
        return draw_heard(results["speech"])

    def judge(self, table, results):
        return judge_heard(table)
