"""Figure 4, left: recognition of metamers of word networks that alias more or less, by people and by the networks."""

from tfmetamers.published import find_published
from tfmetamers.reproduce.drawing import styled
from tfmetamers.reproduce.paper_2019.figure_3d import NO_PEOPLE
from tfmetamers.reproduce.paper_2019.people import TABLE, compare_people, draw_people, judge_itself, tabulate_people
from tfmetamers.reproduce.reproduction import Reproduction, Setting


class Figure4(Reproduction):
    """Recognition of metamers of word networks that alias more or less."""

    name = "figure-4"
    section = "4.3"
    title = "Recognition of metamers of word networks with and without blurring before they stride"
    claim = (
        "people recognise metamers of middle layers more often where the network blurs before it strides; those of the "
        "last layers are not recognised."
    )
    caption = "Proportion of metamers recognised, by the layer that they were made at; standard errors."
    sources = f"Published: {find_published(TABLE).source}; {find_published(TABLE).reading}."
    experiments = ("aliased", "sounds")
    stimuli = "sounds"
    quick = Setting("nothing more", "10 minutes", differences=(NO_PEOPLE,))
    full = Setting("both released word networks, recordings of the 295 words", "200 days", differences=(NO_PEOPLE,))

    def tabulate(self, results):
        return tabulate_people([results["sounds"], results["aliased"]], ["3d", "4"], "label")

    @styled
    def draw(self, table, results):
        return draw_people(table)

    def compare(self, table):
        return compare_people(table)

    def judge(self, table, results):
        return judge_itself(table)
