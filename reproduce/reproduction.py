"""One figure, table or section of a paper: what it shows, what it is made from, and what became of its claims."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from tfmetamers.reproduce.results import Results
from tfmetamers.reproduce.statistics import Finding

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Setting:
    """How a reproduction can be run.

    Attributes:
        needs: what it needs besides the package.
        time: about how long it takes.
        commands: what to run, for a section that rests on no experiment; empty where there is one.
        unavailable: why it cannot be run in this setting; empty where it can.
        differences: how it differs from the paper in ways that the experiment's file does not tell.
    """

    needs: str = ""
    time: str = ""
    commands: tuple[str, ...] = ()
    unavailable: str = ""
    differences: tuple[str, ...] = ()

    def describe(self) -> str:
        """Return what it needs and how long it takes, in a few words."""
        return "not possible" if self.unavailable else f"{self.needs}; {self.time}"


class Reproduction(ABC):
    """A figure, table or section of a paper.

    Attributes:
        paper: the paper's year.
        name: its name, such as ``figure-6``.
        section: the section of the paper that it belongs to.
        title: what it shows, in a few words.
        claim: what the paper found.
        caption: what the figure's parts are, below it.
        sources: where the published numbers come from; empty without any.
        digits: how many significant digits its numbers are shown with.
        experiments: names of the experiments that its metamers are of; figures share them.
        stimuli: the option that replaces its stimuli: ``pictures`` or ``sounds``; None for what takes neither.
        takes_people: whether it shows what people recognised, so that participants of one's own can be added.
        quick: the setting of ``--quick``.
        full: the setting of ``--full``.
    """

    paper: ClassVar[str] = "2019"
    name: ClassVar[str]
    section: ClassVar[str]
    title: ClassVar[str]
    claim: ClassVar[str]
    caption: ClassVar[str] = ""
    sources: ClassVar[str] = ""
    digits: ClassVar[int] = 4
    experiments: ClassVar[tuple[str, ...]] = ()
    stimuli: ClassVar[str | None] = None
    takes_people: ClassVar[bool] = False
    quick: ClassVar[Setting]
    full: ClassVar[Setting]

    @property
    def full_name(self) -> str:
        """The name with the paper: ``2019/figure-6``."""
        return f"{self.paper}/{self.name}"

    def setting(self, name: str) -> Setting:
        """Return a setting by its name: ``quick`` or ``full``."""
        return {"quick": self.quick, "full": self.full}[name]

    def differences(self, setting: str, people: "pandas.DataFrame | None") -> Sequence[str]:
        """Return how it differs from the paper in ways that the experiments' files do not tell.

        Args:
            setting: ``quick`` or ``full``.
            people: what `add_people` is given; None without any.
        """
        return self.setting(setting).differences

    def add_people(self, table: "pandas.DataFrame", people: "pandas.DataFrame") -> "pandas.DataFrame":
        """Return the table of a figure that `takes_people`, with what participants of one's own recognised.

        Args:
            table: what `tabulate` returned.
            people: as `tfmetamers.reproduce.paper_2019.people.read_participants` returns it.
        """
        raise NotImplementedError

    @abstractmethod
    def tabulate(self, results: Mapping[str, Results]) -> "pandas.DataFrame":
        """Return the numbers that the figure shows, a row for each.

        Args:
            results: what each of the experiments has made.
        """

    @abstractmethod
    def draw(self, table: "pandas.DataFrame", results: Mapping[str, Results]) -> "Figure | None":
        """Draw the figure in the paper's form; None where the paper has a table.

        Args:
            table: what `tabulate` returned; every number that is drawn is in it.
            results: for pictures and cochleagrams, which no table holds.
        """

    def compare(self, table: "pandas.DataFrame") -> "pandas.DataFrame | None":
        """Return published numbers beside ours (columns ``published``, ``ours``, ``difference``); None without any."""
        return None

    @abstractmethod
    def judge(self, table: "pandas.DataFrame", results: Mapping[str, Results]) -> Sequence[Finding]:
        """Return what became of each claim."""
