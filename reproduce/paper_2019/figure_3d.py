"""Figure 3d: metamers of the word network, recognised by people and by the network itself."""

from tfmetamers.reproduce.paper_2019.people import RecognitionByPeople, tabulate_people
from tfmetamers.reproduce.reproduction import Setting


class Figure3d(RecognitionByPeople):
    """Recognition of a word network's metamers by people and by the network itself."""

    name = "figure-3d"
    section = "4.2"
    title = "Recognition of a word network's metamers by people and by the network itself"
    claim = "people recognise metamers of early layers, and hardly any of late ones; the network recognises them all."
    experiments = ("aliased",)
    stimuli = "sounds"
    quick = Setting("nothing more", "2 minutes")
    full = Setting("word_aliased, recordings of the 295 words", "100 days")

    def tabulate(self, results):
        return tabulate_people([results["aliased"]], ["3d"], "label")
