"""Published numbers that results are held against: one table each, with its source.

No other module has a published result in it; settings that were published are where they are used.
"""

from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from tfmetamers.errors import unknown_name

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class PublishedTable:
    """A table of published numbers.

    Attributes:
        name: its name, as of its file.
        about: what is in it.
        source: where its numbers were published.
        reading: how they were taken from there, and how exact that is.

    >>> table = find_published("losses_2019")
    >>> table.read().columns.tolist()
    ['network', 'layer', 'step', 'loss']
    """

    name: str
    about: str
    source: str
    reading: str

    def read(self) -> "pd.DataFrame":
        """Return the table; its numbers are exactly those of the file."""
        import pandas as pd

        folder = resources.files(__package__)
        [file] = [each for each in folder.iterdir() if each.name in (f"{self.name}.csv", f"{self.name}.csv.gz")]
        with file.open("rb") as stream:
            compression = "gzip" if file.name.endswith(".gz") else None
            return pd.read_csv(stream, comment="#", compression=compression, float_precision="round_trip")


#: The release of the 2023 paper.
_RELEASE_2023 = "github jenellefeather/model_metamers_pytorch at f89cdad (MIT)"

_TABLES = (
    PublishedTable(
        "recognition_2019",
        about="how often people, and the network that they were made for, recognised metamers, by network and layer",
        source="Feather, Durango, Gonzalez and McDermott (NeurIPS 2019), Figures 3b, 3d and 4 (left)",
        reading="measured in the published figures, to 0.01, and by eye in Figure 4, to 0.02",
    ),
    PublishedTable(
        "front_end_2019",
        about="the filters of the sound networks' front end",
        source="Feather, Durango, Gonzalez and McDermott (NeurIPS 2019), section 3.2",
        reading="as printed; the released networks have another number",
    ),
    PublishedTable(
        "training_2019",
        about="how well the sound networks did when training stopped",
        source="Feather, Durango, Gonzalez and McDermott (NeurIPS 2019), section 3.3",
        reading="as printed",
    ),
    PublishedTable(
        "losses_2019",
        about="losses of two metamers of VGG-19, of the photograph pocketwatch.jpg, by step",
        source="the notebook of github jenellefeather/model_metamers (MIT)",
        reading="as printed",
    ),
    PublishedTable(
        "models_2023",
        about="the 48 models of the 2023 paper: their stages, where their weights are, and what TensorFlow can have",
        source=f"{_RELEASE_2023}, model_analysis_folders/all_model_info.py, READMEs of checkpoints, build_network.py",
        reading="names of the release, of stages without the gradient of their ReLU; titles are shortened, and written "
        "without LaTeX; licences are what the repositories state that publish the weights",
    ),
    PublishedTable(
        "losses_2023",
        about="how far metamers were from their originals, |r - t| / |t| of activations, by model and stage",
        source=f"{_RELEASE_2023}, model_analysis_folders, null_dist/distance_hist_*.pdf",
        reading="measured in vector histograms of metamers that passed the test, in dB, of which it is 10^(-dB / 10); "
        "the median lies between low and high, and the worst metamer and the best pair of natural stimuli are bounds; "
        "46 models were released",
    ),
    PublishedTable(
        "matching_2023",
        about="Spearman's and Pearson's correlations, and dB, of metamers and of a million pairs of natural stimuli",
        source=f"{_RELEASE_2023}, model_analysis_folders, null_dist/distance_hist_*.pdf",
        reading="measured in the same histograms: extremes lie between low and high, the edges of a bar; dB is 10 "
        "log10 of the ratio of norms",
    ),
    PublishedTable(
        "experiments_2023",
        about="the experiments with people of the 2023 paper: participants, and conditions with the natural one",
        source=f"{_RELEASE_2023}, model_analysis_folders/all_model_info.py and the tables of participants",
        reading="experiments are numbered as in the release, which the title translates into the paper's numbers",
    ),
    PublishedTable(
        "recognition_2023",
        about="how often each participant, and the network that they were made for, recognised metamers, by stage",
        source=f"{_RELEASE_2023}, AuditoryBehavioralExperiments and VisionBehavioralExperiments, *_public.mat",
        reading="all 59 tables, to the last bit, by reproduce/scripts/published_2023.py; natural stimuli are the first "
        "stage, repeated for each model of an experiment",
    ),
    PublishedTable(
        "network_recognition_2023",
        about="how often networks recognised the metamers of networks that passed the inclusion test, by stage",
        source=f"{_RELEASE_2023}, model_analysis_folders, network_network_evaluations/*.pckl",
        reading="counted from the answers of each judge, to six decimals; 37 of 48 models were released",
    ),
    PublishedTable(
        "f_statistics_2023",
        about="all F values that the release tests by permutation, with degrees of freedom and corrected p values",
        source=f"{_RELEASE_2023}, the 59 logs of which the column log has the paths",
        reading="as printed; levels are the stages or the attacks' sizes that the log has",
    ),
    PublishedTable(
        "adversarial_accuracy_2023",
        about="accuracy of three variants of AlexNet under attack, by norm, size of the perturbation and seed",
        source=f"{_RELEASE_2023}, VisionBehavioralExperiments/EXP9_ANALYSIS, log of 20 March 2022",
        reading="printed as a proportion with four decimals, which tells how many of 1,024 images were right",
    ),
    PublishedTable(
        "brain_score_2023",
        about="Brain-Score of vision models on 26 October 2022, and the stage that is best for each region",
        source=f"{_RELEASE_2023}, notebooks/2022_10_26_Metamers_Paper_Brainscore_Model_Tracking.csv",
        reading="as printed, without a repeated row and a placeholder; in_figure marks those of Figure 7b",
    ),
    PublishedTable(
        "fmri_2023",
        about="variance of auditory cortex that stages of sound models explain, by region and participant",
        source=f"{_RELEASE_2023}, model_analysis_folders/audio_networks, regression_results/*.pckl",
        reading="medians over voxels of medians over ten splits, corrected for noise; 7 models were released",
    ),
    PublishedTable(
        "correlations_2023",
        about="correlation coefficients of Figures 7b, 7d, 8e and 8f",
        source=f"{_RELEASE_2023}, outputs of the notebooks",
        reading="as printed",
    ),
)


def published_tables() -> tuple[PublishedTable, ...]:
    """Return all tables.

    >>> "recognition_2023" in {table.name for table in published_tables()}
    True
    """
    return _TABLES


def find_published(name: str) -> PublishedTable:
    """Return the table of a name.

    Raises:
        ArgumentError: there is none.

    >>> losses = find_published("losses_2019").read()
    >>> losses.query("layer == 'conv1_2'").shape
    (16, 4)
    """
    for table in _TABLES:
        if table.name == name:
            return table
    raise unknown_name("published table", name, [table.name for table in _TABLES], "Give one of these.")
