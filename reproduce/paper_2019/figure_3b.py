"""Figure 3b: metamers of image networks, recognised by people and by the networks themselves."""

import pandas

from tfmetamers.reproduce.paper_2019.people import RecognitionByPeople, tabulate_itself, tabulate_people
from tfmetamers.reproduce.paper_2019.roles import published_name
from tfmetamers.reproduce.reproduction import Setting

#: What networks choose from, as people did.
TASK = "category"


class Figure3b(RecognitionByPeople):
    """Recognition of image networks' metamers by people and by the networks themselves."""

    name = "figure-3b"
    section = "4.1"
    title = "Recognition of image networks' metamers by people and by the networks themselves, of 16 categories"
    claim = "people recognise metamers of early layers, and hardly any of the last ones; networks recognise their own."
    experiments = ("pictures",)
    stimuli = "pictures"
    quick = Setting("tfmetamers[pictures]", "8 minutes")
    full = Setting("three checkpoints, ImageNet", "100 days")

    def tabulate(self, results):
        found = results["pictures"]
        table = tabulate_people([found], ["3b"], TASK)
        others = [name for name in found.layers if published_name(name) not in set(table["network"])]
        return pandas.concat([table, *(tabulate_itself(found, name, TASK) for name in others)], ignore_index=True)
