"""Figure 3c: cochleagrams of a word and of its metamers, layer by layer."""

from tfmetamers.reproduce.drawing import styled
from tfmetamers.reproduce.paper_2019.heard import NOBODY, draw_heard, judge_heard, tabulate_heard
from tfmetamers.reproduce.reproduction import Reproduction, Setting


class Figure3c(Reproduction):
    """Cochleagrams of a word and of its metamers."""

    name = "figure-3c"
    section = "4.2"
    title = "Cochleagrams of a spoken word and of a word network's metamers of it, layer by layer"
    claim = "metamers of early layers look and sound like the word; those of late layers do not."
    caption = "Cochleagrams of the first word, and of its metamers, by the layer that they were made at."
    experiments = ("aliased",)
    stimuli = "sounds"
    quick = Setting("nothing more", "3 minutes", differences=(NOBODY,))
    full = Setting("word_aliased, recordings of the 295 words", "100 days", differences=(NOBODY,))

    def tabulate(self, results):
        return tabulate_heard(results["aliased"])

    @styled
    def draw(self, table, results):
        return draw_heard(results["aliased"])

    def judge(self, table, results):
        return judge_heard(table)
