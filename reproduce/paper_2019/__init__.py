"""Feather, Durango, Gonzalez and McDermott (NeurIPS 2019), figure by figure."""

from tfmetamers.reproduce.paper_2019.figure_2a import Figure2a
from tfmetamers.reproduce.paper_2019.figure_2b import Figure2b
from tfmetamers.reproduce.paper_2019.figure_2c import Figure2c
from tfmetamers.reproduce.paper_2019.figure_3a import Figure3a
from tfmetamers.reproduce.paper_2019.figure_3b import Figure3b
from tfmetamers.reproduce.paper_2019.figure_3c import Figure3c
from tfmetamers.reproduce.paper_2019.figure_3d import Figure3d
from tfmetamers.reproduce.paper_2019.figure_4 import FIGURES_4
from tfmetamers.reproduce.paper_2019.figure_5 import Figure5
from tfmetamers.reproduce.paper_2019.figure_6 import Figure6
from tfmetamers.reproduce.paper_2019.figure_s9 import FigureS9
from tfmetamers.reproduce.paper_2019.figures_s1_to_s8 import HistogramsOfNetwork
from tfmetamers.reproduce.paper_2019.notebook import Notebook
from tfmetamers.reproduce.paper_2019.published import EXPERIMENTS
from tfmetamers.reproduce.paper_2019.section_3_2 import Section32
from tfmetamers.reproduce.paper_2019.section_3_3 import Section33
from tfmetamers.reproduce.paper_2019.section_4_1 import Section41
from tfmetamers.reproduce.paper_2019.section_4_2 import Section42
from tfmetamers.reproduce.paper_2019.tables_passed import TableOfPassed
from tfmetamers.reproduce.reproduction import Setting

__all__ = ["EXPERIMENTS", "REPRODUCTIONS"]

_WORDS = "recordings of the 295 words"
_TRAINED = "a network that you train"
_PICTURES_QUICK = Setting("tfmetamers[pictures]", "8 minutes")
_PICTURES_FULL = Setting("three checkpoints, ImageNet", "100 days")

#: The sound networks of Figures S1 to S5: what they are, their experiment, what the paper's is called, and what
#: ``--full`` needs besides recordings.
_SOUND_NETWORKS = (
    ("the word network", "aliased", ("word_aliased",), "word_aliased"),
    ("the word network with reduced aliasing", "sounds", ("word_reduced_aliasing",), "word_reduced_aliasing"),
    (
        "an untrained network with reduced aliasing",
        "sounds",
        ("word_reduced_aliasing:random:0",),
        "nothing",
    ),
    (
        "a network with reduced aliasing that was trained on AudioSet's categories",
        "sounds",
        ("category_reduced_aliasing",),
        _TRAINED,
    ),
    (
        "a network with reduced aliasing that was trained on both tasks",
        "sounds",
        ("word_and_category_reduced_aliasing",),
        _TRAINED,
    ),
)

#: The image networks of Figures S6 to S8: what they are, what they are called in the experiment, and ``--quick``.
_IMAGE_NETWORKS = (
    ("VGG-19", ("vgg_19", "efficientnet_lite0"), _PICTURES_QUICK),
    ("Inception-V3", ("inception_v3", "efficientnet_lite1"), _PICTURES_QUICK),
    (
        "ResNet-101-V2",
        ("resnet_v2_101",),
        Setting(unavailable="packages ship two networks of ImageNet, and Figures S6 and S7 show these; give --full."),
    ),
)

REPRODUCTIONS = (
    Figure2a(
        "figure-2a",
        "sounds",
        "sounds",
        Setting("nothing more", "8 minutes"),
        Setting("word_reduced_aliasing, recordings of the 295 words", "400 days"),
    ),
    Figure2a("figure-2a-pictures", "pictures", "pictures", _PICTURES_QUICK, _PICTURES_FULL),
    Figure2b(),
    Figure2c(),
    Notebook(),
    Section32(),
    Section33(),
    Figure3a(),
    Figure3b(),
    Figure3c(),
    Figure3d(),
    Section42(),
    Section41(),
    *FIGURES_4,
    Figure5(),
    Figure6(),
    *(
        HistogramsOfNetwork(
            number,
            described,
            experiment,
            names,
            "sounds",
            Setting("nothing more", "8 minutes"),
            Setting(f"{needed}, {_WORDS}", "100 days"),
        )
        for number, (described, experiment, names, needed) in enumerate(_SOUND_NETWORKS, start=1)
    ),
    *(
        HistogramsOfNetwork(number, described, "pictures", names, "pictures", quick, _PICTURES_FULL)
        for number, (described, names, quick) in enumerate(_IMAGE_NETWORKS, start=6)
    ),
    FigureS9(),
    TableOfPassed(
        "table-s1.2",
        "sound",
        ("aliased", "sounds"),
        "sounds",
        Setting("nothing more", "10 minutes"),
        Setting(f"both released word networks, networks that you train, {_WORDS}", "400 days"),
    ),
    TableOfPassed("tables-s4-and-s5", "image", ("pictures",), "pictures", _PICTURES_QUICK, _PICTURES_FULL),
)
