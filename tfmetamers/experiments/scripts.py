"""Files that an experiment starts from: a new experiment, a copy of one, a script for SLURM."""

import os
import re
import shlex
import string
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from tfmetamers.errors import ArgumentError
from tfmetamers.experiments.file import read_experiment_file
from tfmetamers.utilities.files import atomic_write

#: How SLURM writes a time limit.
_TIME = re.compile(r"\d+|\d+:\d\d(:\d\d)?|\d+-\d+(:\d\d){0,2}")

#: The line of a file that sets its output folder.
_OUTPUT_LINE = re.compile(r"^[ \t]*output\s*=.*$", re.MULTILINE)


def write_new_experiment(name: str | os.PathLike) -> Path:
    """Write an experiment that runs as it is, with comments, and return its file.

    Args:
        name: the file, with or without ``.toml``.

    Raises:
        ArgumentError: there is such a file, or the name cannot be one.
        ResultError: it cannot be written.
    """
    file = _new_file(name)
    text = _template("template.toml").substitute(name=file.stem, file=file.name)
    with atomic_write(file) as partial:
        partial.write_text(text, encoding="utf-8")
    return file


def fork_experiment(file: Path, name: str | os.PathLike) -> Path:
    """Write a copy of an experiment that starts over in an output folder of its own, and return the copy's file.

    Args:
        file: the experiment's file.
        name: the copy, in the same folder.

    Raises:
        ArgumentError: there is such a file, or the name is not a plain one.
        ResultError: it cannot be written.
    """
    read_experiment_file(file)
    copy = _new_file(name)
    if copy.parent != Path("."):
        raise ArgumentError(f"--fork got {name}; the name of a file beside {file} was expected, without folders.")
    copy = _new_file(file.parent / copy)
    text = _OUTPUT_LINE.sub(f'output = "{copy.stem}"', file.read_text(encoding="utf-8"), count=1)
    with atomic_write(copy) as partial:
        partial.write_text(text, encoding="utf-8")
    return copy


@dataclass(frozen=True)
class SlurmJob:
    """What a SLURM array of an experiment asks for.

    Attributes:
        shards: the number of its tasks.
        time: the time limit of each, as SLURM writes it.
        cpus: the number of cores of each.
        memory: the memory of each, as SLURM writes it.
        has_gpu: whether each gets a GPU.
        partition: the partition; None for the cluster's default.
    """

    shards: int
    time: str
    cpus: int
    memory: str
    has_gpu: bool
    partition: str | None = None

    def __post_init__(self):
        if not _TIME.fullmatch(self.time):
            raise ArgumentError(
                f"The time limit is {self.time!r}; hours, minutes and seconds as 24:00:00 were expected."
            )
        if not re.fullmatch(r"\d+[KMGT]?", self.memory):
            raise ArgumentError(f"The memory is {self.memory!r}; a number and a unit as 16G were expected.")


def write_slurm_script(file: Path, job: SlurmJob) -> str:
    """Return the script of a SLURM array whose tasks do an experiment together.

    Args:
        file: the experiment's file.
        job: what the array asks for.
    """
    resources_asked = [f"#SBATCH --partition={job.partition}"] if job.partition else []
    if job.has_gpu:
        resources_asked.append(
            "#SBATCH --gres=gpu:1                       # one GPU per task, the only one that it sees"
        )
    threads = "" if job.has_gpu else ' --threads "$SLURM_CPUS_PER_TASK"'
    return _template("slurm.sh").substitute(
        name=file.stem,
        file=shlex.quote(str(file.absolute())),
        shards=job.shards,
        time=job.time,
        cpus=job.cpus,
        memory=job.memory,
        resources="".join(f"{line}\n" for line in resources_asked),
        threads=threads,
    )


def _new_file(name: str | os.PathLike) -> Path:
    file = Path(name)
    if file.suffix != ".toml":
        file = file.with_name(f"{file.name}.toml")
    if not re.fullmatch(r"[\w.-]+", file.stem):
        raise ArgumentError(f"The experiment's name is {file.stem!r}; letters, digits and '_.-' were expected.")
    if file.exists():
        raise ArgumentError(f"{file} exists; give another name.")
    return file


class _Template(string.Template):
    """A template whose fields are told from the variables of a shell: ``@name``."""

    delimiter = "@"


def _template(name: str) -> string.Template:
    text = resources.files("tfmetamers.experiments").joinpath(name).read_text(encoding="utf-8")
    return (_Template if name.endswith(".sh") else string.Template)(text)
