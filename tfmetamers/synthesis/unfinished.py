"""What is on disk while a batch of metamers is unfinished: its state, and a lock against other runs."""

import contextlib
import io
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from tfmetamers.errors import ResultError
from tfmetamers.metamers.spec import MetamerSpec
from tfmetamers.synthesis.state import SynthesisState
from tfmetamers.utilities.array_files import read_archive
from tfmetamers.utilities.files import atomic_write, file_lock, lock_beside, sweep
from tfmetamers.utilities.json_files import parse_json, typed


@dataclass(frozen=True)
class Job:
    """One metamer to be made.

    Attributes:
        spec: what determines it.
        out: the output folder.
        continued: the folder of a metamer that differs only in having fewer steps, which is continued; None where it is
            started from noise.
        first_step: the number of steps of that metamer; 0 where it is started from noise.
    """

    spec: MetamerSpec
    out: Path
    continued: Path | None = None
    first_step: int = 0

    @cached_property
    def folder(self) -> Path:
        """Where the finished metamer goes; worked out for those of a million whose turn comes."""
        return self.spec.folder(self.out)

    @property
    def unfinished(self) -> Path:
        """The folder of its snapshots, and of its batch's state if it is the first of the batch."""
        return self.folder.with_name(f"{self.folder.name}.unfinished")

    @property
    def state_file(self) -> Path:
        """The file of its batch's state, if it is the first of the batch."""
        return self.unfinished / "state.npz"


def write_state(batch: Sequence[Job], state: SynthesisState) -> None:
    """Save a batch's state in the folder of its first item, whole or not at all.

    Raises:
        ResultError: the file cannot be written.
    """
    members = [{"id": job.spec.stimulus.id, "identity": job.spec.identity} for job in batch]
    archive = io.BytesIO()  # In memory first: an archive on a disk that fills up cannot even be closed.
    np.savez(archive, members=np.array(json.dumps(members)), **vars(state))
    with atomic_write(batch[0].state_file) as partial:
        partial.write_bytes(archive.getvalue())


class Member(TypedDict):
    """An item of a batch whose state was saved: the id of its stimulus, and what determines it."""

    id: str
    identity: dict[str, Any]


def read_members(path: Path) -> list[Member]:
    """Return the items of a batch whose state was saved.

    Raises:
        ResultError: the file is damaged.
    """
    return _read(path)[0]


def read_state(path: Path, shape: Sequence[int] | None = None) -> SynthesisState:
    """Read a batch's state.

    Args:
        path: the file.
        shape: the shape of the batch's stimuli; None for any.

    Raises:
        ResultError: the file is damaged, or the state is of other stimuli.
    """
    state = _read(path)[1]
    if shape is not None and state.stimuli.shape != tuple(shape):
        raise _damaged(path, f"its stimuli have the shape {state.stimuli.shape}, and {tuple(shape)} was expected")
    return state


def _read(path: Path) -> tuple[list[Member], SynthesisState]:
    """Return the items and the state of a batch, of which each part fits the others."""
    try:
        arrays = read_archive(path)
        members = typed(parse_json(str(arrays.pop("members"))), list[Member])
        plain = {"seconds": float(arrays["seconds"]), "deterministic": bool(arrays["deterministic"])}
        state = SynthesisState(**{**arrays, **plain})
        of_stimuli = state.stimuli, state.first_moment, state.second_moment
        if {each.shape for each in of_stimuli} != {state.stimuli.shape} or len(state.stimuli) != len(members):
            raise ValueError("its stimuli and moments do not fit each other")
        if state.losses.shape != (len(state.losses), len(members)):
            raise ValueError("its losses are not those of its stimuli")
        if any(each.dtype != np.float32 for each in (*of_stimuli, state.losses)):
            raise ValueError("its numbers do not have single precision")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(path, error) from error
    return members, state


def _damaged(path: Path, reason: Exception | str) -> ResultError:
    return ResultError(f"{path} is damaged ({reason}); delete it to start that batch again.")


def remove_unfinished(batch: Sequence[Job]) -> None:
    """Remove what a finished batch no longer needs."""
    for job in batch:
        shutil.rmtree(job.unfinished, ignore_errors=True)


def clear_leftovers(out: str | os.PathLike, finished: Sequence[Job]) -> None:
    """Remove what killed runs left below an output folder and is no longer needed.

    Args:
        out: the output folder.
        finished: the metamers that a plan found finished.
    """
    remove_unfinished(finished)
    sweep(out)


@contextlib.contextmanager
def locked(batch: Sequence[Job]) -> Iterator[None]:
    """Keep other runs from making the same metamers.

    Raises:
        BusyError: another run is making one of them.
        ResultError: the folder cannot be written.
    """
    with contextlib.ExitStack() as stack:
        for job in batch:
            busy = f"Another run is making {job.folder}; wait until it has finished, or give another --output."
            file = lock_beside(job.folder)
            stack.enter_context(file_lock(file, file.parent, job.folder, busy=busy, remedy="Give another --output."))
        yield
