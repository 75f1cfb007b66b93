"""Feather, Leclerc, Mądry and McDermott (Nature Neuroscience 2023), figure by figure."""

from tfmetamers.reproduce.paper_2023.anova import Anova
from tfmetamers.reproduce.paper_2023.figure_6 import Figure6
from tfmetamers.reproduce.paper_2023.figure_7b import Figure7b
from tfmetamers.reproduce.paper_2023.figure_7d import Figure7d
from tfmetamers.reproduce.paper_2023.figure_8 import FIGURE_8E, FIGURE_8F
from tfmetamers.reproduce.paper_2023.figures_2_to_5 import FIGURES_2_TO_5
from tfmetamers.reproduce.paper_2023.published import EXPERIMENTS
from tfmetamers.reproduce.paper_2023.targeted import TargetedPictures, TargetedSounds

__all__ = ["EXPERIMENTS", "REPRODUCTIONS"]

REPRODUCTIONS = (
    *FIGURES_2_TO_5,
    Figure6(),
    Figure7b(),
    Figure7d(),
    FIGURE_8E,
    FIGURE_8F,
    Anova(),
    TargetedSounds(),
    TargetedPictures(),
)
