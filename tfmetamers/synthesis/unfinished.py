"""What is on disk while a batch of metamers is unfinished: its state, and a lock against a second run."""

import contextlib
import io
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfmetamers.errors import ResultError
from tfmetamers.metamers.spec import MetamerSpec
from tfmetamers.synthesis.state import SynthesisState
from tfmetamers.utilities.files import ARCHIVE_ERRORS, atomic_write, file_lock


@dataclass(frozen=True)
class Job:
    """One metamer to be made.

    Attributes:
        spec: what determines it.
        folder: where the finished metamer goes.
        begun: the folder of a metamer that differs in having fewer steps, which is continued; None to start from noise.
        steps_begun: the number of steps of that.
    """

    spec: MetamerSpec
    folder: Path
    begun: Path | None = None
    steps_begun: int = 0

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


def read_members(path: Path) -> list[dict[str, Any]]:
    """Return the ``id`` of each item's stimulus of a batch whose state was saved, and the item's ``identity``.

    Raises:
        ResultError: the file is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            return _members(archive)
    except ARCHIVE_ERRORS as error:
        raise _damaged(path, error) from error


def read_state(path: Path) -> SynthesisState:
    """Read a batch's state.

    Raises:
        ResultError: the file is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            _members(archive)
            arrays = {name: archive[name] for name in archive.files if name != "members"}
        plain = {"seconds": float(arrays["seconds"]), "deterministic": bool(arrays["deterministic"])}
        return SynthesisState(**{**arrays, **plain})
    except ARCHIVE_ERRORS as error:
        raise _damaged(path, error) from error


def _members(archive: Mapping) -> list[dict[str, Any]]:
    members = json.loads(str(archive["members"]))
    if not all({"id", "identity"} <= member.keys() for member in members):
        raise ValueError("an item lacks its id or its identity")
    return members


def _damaged(path: Path, error: Exception) -> ResultError:
    return ResultError(f"{path} is damaged ({error}); delete it to start that batch again.")


def remove_unfinished(batch: Sequence[Job]) -> None:
    """Remove what a finished batch no longer needs."""
    for job in batch:
        shutil.rmtree(job.unfinished, ignore_errors=True)


@contextlib.contextmanager
def locked(batch: Sequence[Job]) -> Iterator[None]:
    """Keep other runs from making the same metamers, and clear away what a killed run was just writing.

    Raises:
        BusyError: another run is making one of them.
        ResultError: the folder cannot be written.
    """
    with contextlib.ExitStack() as stack:
        for job in batch:
            busy = f"Another run is making {job.folder}; wait until it has finished, or give another --output."
            file = job.folder.with_name(f".{job.folder.name}.lock")
            stack.enter_context(file_lock(file, file.parent, job.folder, busy=busy, remedy="Give another --output."))
            for partial in job.folder.parent.glob(f".{job.folder.name}.*.partial"):
                shutil.rmtree(partial, ignore_errors=True)
        yield
