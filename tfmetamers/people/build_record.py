"""What was built: ``private/build.json`` and ``private/key.csv``, by which answers are scored."""

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfmetamers.errors import ResultError, checked_whole_number, first_line
from tfmetamers.people.experiment_file import FORMAT
from tfmetamers.utilities.json_files import check_seal, other_format, read_json, sealed, typed
from tfmetamers.utilities.words import counted

if TYPE_CHECKING:
    import pandas

#: The columns of key.csv.
KEY_COLUMNS = ("id", "network", "layer", "place", "stimulus", "answer", "folder", "sha256", "record_sha256")


@dataclass(frozen=True)
class Design:
    """What participants are asked.

    Attributes:
        task: ``"images"`` or ``"sounds"``.
        protocol: ``"feather2019"`` or ``"feather2023"``, which has the numbers that are None here.
        seed: the seed of all that is drawn.
        lists: how many lists there are; participants beyond that begin again with the first.
        trials: trials of each network and layer.
        natural_trials: trials of natural stimuli; as many as of a layer by default.
        practice: trials with feedback.
        demo: trials that must be passed.
        catch: natural stimuli besides.
        headphones: whether sounds begin with a check for headphones.

    Raises:
        ArgumentError: a number cannot be used.
    """

    task: str
    protocol: str
    seed: int = 0
    lists: int = 16
    trials: int | None = None
    natural_trials: int | None = None
    practice: int | None = None
    demo: int | None = None
    catch: int | None = None
    headphones: bool = True

    def __post_init__(self):
        checked_whole_number("seed", self.seed, 0)
        checked_whole_number("number of lists", self.lists, 1)
        for name in ("trials", "natural_trials", "practice", "demo", "catch"):
            if getattr(self, name) is not None:
                checked_whole_number(f"number of {name} trials".replace("trials trials", "trials"), getattr(self, name),
                                     1 if name == "trials" else 0)  # fmt: skip

    def describe(self) -> str:
        """Return its numbers in words."""
        return (
            f"{counted(self.lists, 'list')} from seed {self.seed}; {counted(self.trials, 'trial')} of each layer, "
            f"{self.natural_trials} of natural stimuli, {self.practice} of practice, {self.demo} of a demo, "
            f"{counted(self.catch, 'catch trial')}"
        )


@dataclass(frozen=True)
class Build:
    """What was built.

    Attributes:
        format: the version of the format.
        experiment: the experiment's id.
        design: what participants are asked; without numbers that are None.
        algorithm: the version of how lists are made.
        versions: of the software that built it.
        stated: what the paper states and was done so.
        differences: what is taken from elsewhere, or differs.
        conditions: ``network``, ``layer``, ``place`` and the number of ``stimuli`` of each condition.
        left_out: how many metamers were left out, by the reason.
        words: where the words to choose from come from; None for images.
    """

    format: int
    experiment: str
    design: Design
    algorithm: int
    versions: Mapping[str, str]
    stated: tuple[str, ...]
    differences: tuple[str, ...]
    conditions: tuple[dict[str, str | int], ...]
    left_out: Mapping[str, int]
    words: str | None

    def to_json(self) -> dict[str, Any]:
        """Return what build.json holds."""
        return sealed({**dataclasses.asdict(self), "stated": list(self.stated), "differences": list(self.differences),
                       "conditions": list(self.conditions)})  # fmt: skip


def read_build(out: str | os.PathLike) -> Build:
    """Return what a folder's ``private/build.json`` holds.

    Raises:
        ResultError: the folder is no experiment's, or its file is damaged, altered, or of another format.
    """
    path = Path(out) / "private" / "build.json"
    try:
        content = read_json(path)
        version = content["format"]
        if version == FORMAT:
            check_seal(content)
            return typed({key: value for key, value in content.items() if key != "sha256"}, Build)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResultError(
            f"{path} is missing or damaged ({getattr(error, 'strerror', None) or error}); give the folder that "
            "'tfmetamers people build' wrote."
        ) from error
    raise other_format(path, version, FORMAT, "build the site again")


def read_key(out: str | os.PathLike) -> "pandas.DataFrame":
    """Return what each opaque name stands for: the columns `KEY_COLUMNS`, with the name as the index.

    Raises:
        ResultError: the file is missing or damaged.
    """
    import pandas

    path = Path(out) / "private" / "key.csv"
    try:
        key = pandas.read_csv(path, dtype={"place": int}, keep_default_na=False)
        if tuple(key.columns) != KEY_COLUMNS or key["id"].duplicated().any():
            raise ValueError(f"the columns {', '.join(KEY_COLUMNS)} and each id once were expected")
        missing = {file.stem for file in (Path(out) / "site" / "stimuli").iterdir()} - set(key["id"])
        if missing:
            raise ValueError(f"it lacks {counted(len(missing), 'stimulus', 'stimuli')} of the site")
    except (OSError, ValueError) as error:
        raise ResultError(f"{path} is missing or damaged ({first_line(error)}); build the site again.") from error
    return key.set_index("id")
