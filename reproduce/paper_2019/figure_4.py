"""Figure 4: recognition of metamers of sound networks that differ in one thing, by people and by the networks."""

import dataclasses

from tfmetamers.reproduce.paper_2019.people import (
    PARTICIPANTS,
    RecognitionByPeople,
    judge_itself,
    tabulate_networks,
    tabulate_people,
)
from tfmetamers.reproduce.reproduction import Setting
from tfmetamers.reproduce.statistics import CANNOT_BE_TOLD, Finding

#: What is not shown of the middle and right panels.
NOT_READ = "What people recognised of the other networks was published as curves that were not measured; give --people."


class ClaimOfPeople(RecognitionByPeople):
    """A panel whose claim is of people alone, which networks cannot decide."""

    def judge(self, table, results):
        if (table["who"] == PARTICIPANTS).any():
            sentence = "What people of this experiment recognised is shown; 'tfmetamers people analyse' tests it."
        else:
            sentence = "What people recognise: nobody was asked (--people)."
        itself = [dataclasses.replace(finding, is_decisive=False) for finding in judge_itself(table)]
        return [Finding(CANNOT_BE_TOLD, sentence), *itself]


class Figure4(ClaimOfPeople):
    """The left panel: word networks that alias more or less."""

    name = "figure-4"
    section = "4.3"
    title = "Recognition of metamers of word networks with and without blurring before they stride"
    claim = (
        "people recognise metamers of middle layers more often where the network blurs before it strides; those of the "
        "last layers are not recognised."
    )
    experiments = ("aliased", "sounds")
    stimuli = "sounds"
    quick = Setting("nothing more", "10 minutes")
    full = Setting("both released word networks, recordings of the 295 words", "200 days")

    def tabulate(self, results):
        return tabulate_people([results["sounds"], results["aliased"]], ["3d", "4"], "label")


class Figure4OfTraining(ClaimOfPeople):
    """The middle and the right panel: networks of one architecture that were trained on different tasks, or not."""

    section = "4.3"
    experiments = ("sounds",)
    stimuli = "sounds"
    quick = Setting("nothing more", "8 minutes", differences=(NOT_READ,))
    full = Setting(
        "word_reduced_aliasing, networks that you train, recordings of the 295 words",
        "300 days",
        differences=(NOT_READ,),
    )

    def __init__(self, name: str, title: str, claim: str, networks: tuple[str, ...]):
        """Take a panel.

        Args:
            name: its name.
            title: what it shows.
            claim: what the paper found.
            networks: the paper's networks in it.
        """
        self.name, self.title, self.claim, self.networks = name, title, claim, networks

    def tabulate(self, results):
        return tabulate_networks(results["sounds"], self.networks, "label")


WORD = "word_reduced_aliasing"

FIGURES_4 = (
    Figure4(),
    Figure4OfTraining(
        "figure-4-training",
        "Recognition of metamers of a trained and an untrained network",
        "metamers of an untrained network stay recognisable to people through all convolutional layers.",
        (WORD, f"{WORD}:random:0"),
    ),
    Figure4OfTraining(
        "figure-4-task",
        "Recognition of metamers of networks that were trained on words, on backgrounds, and on both",
        "metamers of a network of backgrounds become unrecognisable to people at earlier layers than those of a "
        "network of words; training on both tasks does no harm.",
        (WORD, "word_and_category_reduced_aliasing", "category_reduced_aliasing"),
    ),
)
