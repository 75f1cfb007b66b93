"""Figure 4, left: recognition of metamers of word networks that alias more or less, by people and by the networks."""

from tfmetamers.reproduce.paper_2019.people import RecognitionByPeople, tabulate_people
from tfmetamers.reproduce.reproduction import Setting


class Figure4(RecognitionByPeople):
    """Recognition of metamers of word networks that alias more or less."""

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
