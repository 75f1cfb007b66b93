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
    """

    name: str
    about: str
    source: str
    reading: str

    def read(self) -> "pd.DataFrame":
        """Return the table."""
        import pandas as pd

        with resources.files(__package__).joinpath(f"{self.name}.csv").open(encoding="utf-8") as stream:
            return pd.read_csv(stream, comment="#")


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
)


def published_tables() -> tuple[PublishedTable, ...]:
    """Return all tables."""
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
