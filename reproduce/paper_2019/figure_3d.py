"""Figure 3d: metamers of the word network, recognised by people and by the network itself."""

from tfmetamers.published import find_published
from tfmetamers.reproduce.drawing import styled
from tfmetamers.reproduce.paper_2019.people import TABLE, compare_people, draw_people, judge_itself, tabulate_people
from tfmetamers.reproduce.reproduction import Reproduction, Setting

#: What no run without participants can show.
NO_PEOPLE = "Nobody was asked: what people recognised is redrawn from the paper."


class Figure3d(Reproduction):
    """Recognition of a word network's metamers by people and by the network itself."""

    name = "figure-3d"
    section = "4.2"
    title = "Recognition of a word network's metamers by people and by the network itself"
    claim = "people recognise metamers of early layers, and hardly any of late ones; the network recognises them all."
    caption = "Proportion of metamers recognised, by the layer that they were made at; standard errors."
    sources = f"Published: {find_published(TABLE).source}; {find_published(TABLE).reading}."
    experiments = ("aliased",)
    stimuli = "sounds"
    quick = Setting("nothing more", "2 minutes", differences=(NO_PEOPLE,))
    full = Setting("word_aliased, recordings of the 295 words", "100 days", differences=(NO_PEOPLE,))

    def tabulate(self, results):
        return tabulate_people([results["aliased"]], ["3d"], "label")

    @styled
    def draw(self, table, results):
        return draw_people(table)

    def compare(self, table):
        return compare_people(table)

    def judge(self, table, results):
        return judge_itself(table)
