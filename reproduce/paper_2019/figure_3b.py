"""Figure 3b: metamers of image networks, recognised by people and by the networks themselves."""

import pandas

from tfmetamers.published import find_published
from tfmetamers.reproduce.drawing import styled
from tfmetamers.reproduce.paper_2019.figure_3d import NO_PEOPLE
from tfmetamers.reproduce.paper_2019.people import (
    TABLE,
    compare_people,
    draw_people,
    judge_itself,
    tabulate_itself,
    tabulate_people,
)
from tfmetamers.reproduce.paper_2019.roles import published_name
from tfmetamers.reproduce.reproduction import Reproduction, Setting

#: What networks choose from, as people did.
TASK = "category"


class Figure3b(Reproduction):
    """Recognition of image networks' metamers by people and by the networks themselves."""

    name = "figure-3b"
    section = "4.1"
    title = "Recognition of image networks' metamers by people and by the networks themselves, of 16 categories"
    claim = "people recognise metamers of early layers, and hardly any of the last ones; networks recognise their own."
    caption = "Proportion of metamers recognised, by the layer that they were made at; standard errors."
    sources = f"Published: {find_published(TABLE).source}; {find_published(TABLE).reading}."
    experiments = ("pictures",)
    stimuli = "pictures"
    quick = Setting("tfmetamers[pictures]", "8 minutes", differences=(NO_PEOPLE,))
    full = Setting("three checkpoints, ImageNet", "100 days", differences=(NO_PEOPLE,))

    def tabulate(self, results):
        found = results["pictures"]
        table = tabulate_people([found], ["3b"], TASK)
        others = [name for name in found.layers if published_name(name) not in set(table["network"])]
        return pandas.concat([table, *(tabulate_itself(found, name, TASK) for name in others)], ignore_index=True)

    @styled
    def draw(self, table, results):
        return draw_people(table)

    def compare(self, table):
        return compare_people(table)

    def judge(self, table, results):
        return judge_itself(table)
