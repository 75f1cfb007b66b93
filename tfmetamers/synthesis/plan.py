"""What is to be made and what has been made already, told from specs and disk alone, without TensorFlow."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from tfmetamers.errors import ResultError, checked_whole_number
from tfmetamers.metamers.folder import TRACED_EACH, read_record
from tfmetamers.metamers.spec import MetamerSpec
from tfmetamers.stimuli.domains import Domain
from tfmetamers.synthesis.unfinished import Job, read_members
from tfmetamers.utilities.differences import find_differences


@dataclass(frozen=True)
class Plan:
    """The metamers that one command asks for.

    Attributes:
        batches: what is still to be made, in batches of one layer that advance together.
        finished: what had been made before.
    """

    batches: list[list[Job]]
    finished: list[Job]

    @property
    def waiting(self) -> int:
        """The number of metamers that are still to be made."""
        return sum(map(len, self.batches))

    @property
    def layers(self) -> list[str]:
        """The layers at which metamers are still to be made, in the order of the batches."""
        return list(dict.fromkeys(batch[0].spec.layer for batch in self.batches))


def plan_run(specs: Sequence[MetamerSpec], out: str | os.PathLike, batch_size: int = 1) -> Plan:
    """Work out what is to be made and what has been made already.

    A batch that was interrupted is continued as that batch, whatever the batch size now.

    Args:
        specs: the metamers, layer by layer.
        out: the output folder.
        batch_size: how many metamers of a layer advance together.

    Raises:
        ArgumentError: the batch size cannot be used.
        ResultError: a folder of one of these names holds something else.
    """
    checked_whole_number("batch size", batch_size, minimum=1)
    jobs = [Job(spec, spec.folder(out)) for spec in specs]
    interrupted = _interrupted_batches(jobs)
    continued = {job.folder for batch in interrupted for job in batch}
    finished = [job for job in jobs if job.folder not in continued and is_finished(job)]
    taken = continued | {job.folder for job in finished}
    batches = list(interrupted)
    for _, alike in groupby((job for job in jobs if job.folder not in taken), lambda job: job.spec.layer):
        waiting = list(alike)
        batches += [waiting[start : start + batch_size] for start in range(0, len(waiting), batch_size)]
    order = {layer: place for place, layer in enumerate(dict.fromkeys(spec.layer for spec in specs))}
    batches.sort(key=lambda batch: order[batch[0].spec.layer])
    return Plan(batches, finished)


def is_finished(job: Job) -> bool:
    """Tell whether a metamer has been made.

    Raises:
        ResultError: its folder holds something else.
    """
    if not job.folder.exists():
        return False
    if not (job.folder / "metamer.json").exists():
        raise ResultError(
            f"{job.folder} is in the way and not a finished metamer; move it away or give another --output."
        )
    _refuse_differences(job.folder, read_record(job.folder).identity, job.spec.identity)
    return True


def estimate_bytes(plan: Plan, domain: Domain, snapshot_every: int | None = None) -> int:
    """Return the bytes that what a plan has still to make takes on disk at most, its states included.

    A traced step takes a line. Snapshots are there twice for a moment, and a state holds three arrays and each
    step's loss.
    """
    numbers = int(np.prod(domain.shape))
    size, largest = 0, 0
    for batch in plan.batches:
        steps = batch[0].spec.recipe.steps
        snapshots = (steps // snapshot_every if snapshot_every else 0) * domain.snapshot_bytes
        lines = TRACED_EACH + steps // 10
        size += len(batch) * (numbers * (domain.saved_bytes + snapshots) + domain.figure_bytes + lines * 50 + 8192)
        largest = max(largest, len(batch) * (numbers * (3 * 4 + snapshots) + steps * 4 + 4096))
    return size + largest


def _refuse_differences(path: Path, found: dict, wanted: dict) -> None:
    phrases = find_differences(found, wanted)
    if phrases:
        raise ResultError(
            f"{path} was made with other settings ({'; '.join(phrases)}); "
            "give another --output or --seed, or move it away."
        )


def _interrupted_batches(jobs: Sequence[Job]) -> list[list[Job]]:
    """Return the batches whose states are on disk, each job in one of them at most."""
    batches, continued = [], set()
    for job in jobs:
        if job.folder not in continued and job.state_file.exists():
            alike = [other for other in jobs if other.spec.layer == job.spec.layer]
            batches.append(_members(job.state_file, alike))
            continued |= {member.folder for member in batches[-1]}
    return batches


def _members(path: Path, jobs: Sequence[Job]) -> list[Job]:
    by_id = {job.spec.stimulus.id: job for job in jobs}
    members = read_members(path)
    missing = [member["id"] for member in members if member["id"] not in by_id]
    if missing:
        raise ResultError(
            f"{path} is the state of a batch with {', '.join(missing)} in it, not among the inputs now; "
            "give those inputs too, or delete that file to start the rest of the batch again."
        )
    for member in members:
        _refuse_differences(path, member["identity"], by_id[member["id"]].spec.identity)
    return [by_id[member["id"]] for member in members]
