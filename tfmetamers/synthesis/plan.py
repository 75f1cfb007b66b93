"""What is to be made and what has been made already, worked out from specs and the disk, without TensorFlow."""

import dataclasses
import functools
import glob
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from tfmetamers.errors import ResultError, checked_whole_number
from tfmetamers.metamers.folder import STATE_FILE, TRACED_EACH, read_record
from tfmetamers.metamers.spec import MetamerSpec
from tfmetamers.stimuli.domains import Domain
from tfmetamers.synthesis.unfinished import Job, read_members
from tfmetamers.utilities.differences import find_differences
from tfmetamers.utilities.memory import no_garbage_collection


@dataclass(frozen=True)
class Plan:
    """The metamers that one command asks for.

    Attributes:
        batches: what is still to be made, in batches of one layer that advance together.
        finished: what had been made before.

    >>> from tfmetamers.networks import NetworkSpec, load_network
    >>> from tfmetamers.stimuli import sample_words
    >>> from tfmetamers.synthesis import Request, plan_request
    >>> network = NetworkSpec.parse("small_word_aliased")
    >>> request = Request(network, ["conv_0", "conv_2"], [sample_words()], "metamers")
    >>> specs, outline, recipe = plan_request(request, lambda: load_network(network))
    >>> plan = plan_run(specs, "metamers", batch_size=20)
    >>> plan.waiting, {layer: len(batches) for layer, batches in plan.by_layer.items()}
    (120, {'conv_0': 3, 'conv_2': 3})
    """

    batches: list[list[Job]]
    finished: list[Job]

    @property
    def waiting(self) -> int:
        """The number of metamers that are still to be made."""
        return sum(map(len, self.batches))

    @property
    def extended(self) -> int:
        """How many of these continue metamers of fewer steps."""
        return sum(job.continued is not None for batch in self.batches for job in batch)

    @property
    def by_layer(self) -> dict[str, list[list[Job]]]:
        """The batches that are still to be made, by their layers."""
        by_layer: dict[str, list[list[Job]]] = {}
        for batch in self.batches:
            by_layer.setdefault(batch[0].spec.layer, []).append(batch)
        return by_layer


@no_garbage_collection()
def plan_run(
    specs: Sequence[MetamerSpec],
    out: str | os.PathLike,
    batch_size: int = 1,
    *,
    extend: bool = False,
    progress: Callable[[Sequence], Iterable] = iter,
) -> Plan:
    """Work out what is to be made and what has been made already.

    A batch that was interrupted is continued as that batch, whatever the batch size now.

    Args:
        specs: the metamers, layer by layer.
        out: the output folder.
        batch_size: how many metamers of a layer advance together.
        extend: continue metamers in the output folder that differ only in having fewer steps, if their state was
            kept; others start from noise.
        progress: called with the jobs that are looked for on disk; yields them one by one, as a progress bar does.

    Raises:
        ArgumentError: the batch size cannot be used.
        ResultError: a folder of one of these names holds something else, or there is nothing to extend.

    >>> from tfmetamers.networks import NetworkSpec, load_network
    >>> from tfmetamers.stimuli import sample_words
    >>> from tfmetamers.synthesis import Request, plan_request
    >>> network = NetworkSpec.parse("small_word_aliased")
    >>> request = Request(network, ["conv_2"], [sample_words()], "metamers")
    >>> specs, outline, recipe = plan_request(request, lambda: load_network(network))
    >>> plan = plan_run(specs, "metamers", batch_size=20)
    >>> [len(batch) for batch in plan.batches], plan.finished
    ([20, 20, 20], [])
    """
    checked_whole_number("batch size", batch_size, minimum=1)
    out = Path(out)
    jobs = [Job(spec, out) for spec in specs]
    return plan_jobs(_extending(jobs, out) if extend else jobs, batch_size, progress)


def plan_jobs(jobs: Sequence[Job], batch_size: int, progress: Callable[[Sequence], Iterable] = iter) -> Plan:
    """Divide jobs into what is to be made and what has been made already, as `plan_run` does.

    Raises:
        ResultError: a folder of one of these names holds something else.
    """
    started = _in_started_folders(jobs)
    interrupted = _interrupted_batches(started)
    continued = {job.folder for batch in interrupted for job in batch}
    finished = [job for job in progress(started) if job.folder not in continued and is_finished(job)]
    taken = continued | {job.folder for job in finished}
    batches = list(interrupted)
    untouched = [job for job in jobs if job.folder not in taken] if taken else jobs
    for _, alike in groupby(untouched, lambda job: (job.spec.layer, job.first_step)):
        waiting = list(alike)
        batches += [waiting[start : start + batch_size] for start in range(0, len(waiting), batch_size)]
    order = {layer: place for place, layer in enumerate(dict.fromkeys(job.spec.layer for job in jobs))}
    batches.sort(key=lambda batch: order[batch[0].spec.layer])
    return Plan(batches, finished)


def _in_started_folders(jobs: Sequence[Job]) -> list[Job]:
    """Return the jobs of which the folder of the layer and of the class of stimuli is there: one look at each."""

    @functools.cache
    def is_there(out: Path, layer: Path, group: str) -> bool:
        return Path(out, layer, group).exists()

    return [job for job in jobs if is_there(job.out, job.spec.layer_folder, job.spec.stimulus.id.rpartition("/")[0])]


def is_finished(job: Job) -> bool:
    """Tell whether a metamer has been made.

    Raises:
        ResultError: its folder holds something else.
    """
    if not job.folder.exists():
        return False
    if not (job.folder / "metamer.json").exists():
        raise ResultError(f"{job.folder} exists but is not a finished metamer; move it away or give another --output.")
    _refuse_differences(job.folder, read_record(job.folder).identity, job.spec.identity)
    return True


def _extending(jobs: Sequence[Job], out: Path) -> list[Job]:
    """Return the same jobs, each with the metamer of most steps that it can continue.

    Raises:
        ResultError: no metamer can be continued.
    """
    found = {job.folder: _longest_shorter(job, out) for job in jobs if not job.folder.exists()}
    if not any(found.values()) and any(not job.state_file.exists() for job in jobs if job.folder in found):
        raise ResultError(
            f"There is nothing to extend in {out}: it has no metamer with fewer steps, made with the same settings and "
            "--keep-state; leave --extend out to start from noise."
        )
    return [dataclasses.replace(job, **(found.get(job.folder) or {})) for job in jobs]


def _longest_shorter(job: Job, out: Path) -> dict[str, Path | int] | None:
    """Return the fields of a job that name the metamer of most steps that it can continue, None where there is none."""
    network, _, *below = job.spec.relative_folder.parts
    found = None
    for file in sorted((out / network).glob("/".join(["*", *map(glob.escape, below), STATE_FILE]))):
        try:
            record = read_record(file.parent)
        except ResultError:
            continue
        steps = record.recipe.steps
        is_shorter = (found["first_step"] if found else 0) < steps < job.spec.recipe.steps
        if is_shorter and _without_steps(record.identity) == _without_steps(job.spec.identity):
            found = {"continued": file.parent, "first_step": steps}
    return found


def _without_steps(identity: Mapping[str, Any]) -> dict[str, Any]:
    return {**identity, "recipe": {**identity["recipe"], "steps": None}}


def estimate_bytes(plan: Plan, domain: Domain, *, snapshot_every: int | None = None, keep_state: bool = False) -> int:
    """Return the largest number of bytes that the metamers still to be made can take on disk, states included.

    A traced step takes a line. Snapshots exist twice for a moment, and a state holds three arrays and each step's
    loss; a state that is kept has two arrays, and two numbers for each step.
    """
    numbers = int(np.prod(domain.shape))
    size, largest = 0, 0
    for batch in plan.batches:
        steps = batch[0].spec.recipe.steps
        snapshots = (steps // snapshot_every if snapshot_every else 0) * domain.snapshot_bytes
        lines = TRACED_EACH + steps // 10
        kept = numbers * 2 * 4 + steps * 12 if keep_state else 0
        size += len(batch) * (
            numbers * (domain.saved_bytes + snapshots) + domain.figure_bytes + lines * 50 + kept + 8192
        )
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
            f"{path} is the state of a batch with inputs that were not given now: {', '.join(missing)}; give "
            "them too, or delete that file to start the rest of the batch again."
        )
    for member in members:
        _refuse_differences(path, member["identity"], by_id[member["id"]].spec.identity)
    return [by_id[member["id"]] for member in members]
