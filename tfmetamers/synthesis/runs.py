"""Many metamers on disk: planned, continued where they stopped, and never made twice."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfmetamers.errors import ResultError, SynthesisError, checked_whole_number
from tfmetamers.metamers.folder import (
    TRACED_EACH,
    Metamer,
    describe_settings,
    metamer_folder,
    read_record,
    settings_differences,
    write_metamer,
)
from tfmetamers.networks.network import Network
from tfmetamers.plotting.metamers import plot_sound_metamer
from tfmetamers.recipes import Recipe
from tfmetamers.stimuli.collection import StimulusFile
from tfmetamers.stimuli.noise import stimulus_digest
from tfmetamers.synthesis.loop import Synthesis, SynthesisState
from tfmetamers.synthesis.unfinished import Job, SavedState, locked, read_state, remove_unfinished, write_state

#: The state is saved when this long has passed since it was last saved.
SECONDS_BETWEEN_SAVES = 30.0


@dataclass(frozen=True)
class Run:
    """The metamers of one layer that one command asks for.

    Attributes:
        synthesis: matches the layer.
        seed: the seed of the noise.
        batches: what is still to be made, in batches that advance together.
        finished: what had been made before.
        fit: what is done with a sound of another length.
    """

    synthesis: Synthesis
    seed: int
    batches: list[list[Job]]
    finished: list[Job]
    fit: str | None = None


def plan_run(
    network: Network,
    layer: str,
    stimuli: Sequence[StimulusFile],
    *,
    recipe: Recipe,
    seed: int,
    out: str | os.PathLike,
    batch_size: int = 1,
    fit: str | None = None,
) -> Run:
    """Work out what is to be made and what has been made already.

    A batch that was interrupted is continued as that batch, whatever the batch size now. `fit` is ``"pad"``,
    ``"trim"`` or ``"centre"`` for sounds of another length than the network's, which are refused by default.

    Raises:
        ArgumentError: the layer is unknown, or the batch size or the seed cannot be used.
        StimulusError: a stimulus cannot be loaded.
        ResultError: a folder of one of these names holds something made with other settings.
    """
    checked_whole_number("batch size", batch_size, minimum=1)
    checked_whole_number("seed", seed, minimum=0)
    synthesis = Synthesis(network, layer=layer, recipe=recipe)
    jobs = [_job(synthesis, stimulus, seed, out, fit) for stimulus in stimuli]
    interrupted = _interrupted_batches(jobs)
    continued = {job.folder for batch in interrupted for job in batch}
    finished = [job for job in jobs if _is_finished(job) and job.folder not in continued]
    taken = continued | {job.folder for job in finished}
    waiting = [job for job in jobs if job.folder not in taken]
    batches = [waiting[start : start + batch_size] for start in range(0, len(waiting), batch_size)]
    return Run(synthesis, seed, interrupted + batches, finished, fit)


def execute_run(
    run: Run,
    *,
    snapshot_every: int | None = None,
    progress: Callable[[list[Job], SynthesisState], None] | None = None,
) -> Iterator[tuple[Job, Metamer]]:
    """Make what a run has still to make.

    The state is saved before the first step, every `SECONDS_BETWEEN_SAVES`, after the last step, and when anything
    stops the run; the same plan made again goes on from there and ends with the same bytes on the same machine.

    Args:
        run: the plan.
        snapshot_every: save the stimulus as a picture every so many steps.
        progress: called about once a second with the batch that advances and its state.

    Yields:
        Each job with its metamer, once its folder has been written.

    Raises:
        SynthesisError: a loss was not finite; the last good state was saved, and all other batches were made.
        ResultError: a folder cannot be written, or another run is at work in it.
    """
    failures = []
    for batch in run.batches:
        with locked(batch):
            try:
                metamers = _make(run, batch, snapshot_every, progress)
            except SynthesisError as error:
                failures.append(f"{', '.join(job.stimulus.id for job in batch)}: {error}")
                continue
            for job, metamer in zip(batch, metamers, strict=True):
                if not _is_finished(job):
                    _write(run, job, metamer)
                yield job, metamer
            remove_unfinished(batch)
    if failures:
        raise SynthesisError(" ".join(failures))


def measure_seconds(run: Run, steps: int = 3) -> float:
    """Return the seconds that a step of the run's first batch takes, from a few steps that are thrown away."""
    originals = _originals(run, run.batches[0])
    targets = run.synthesis.targets(originals)
    warm = run.synthesis.advance(targets, _start(run, run.batches[0]), 1)
    started = time.monotonic()
    run.synthesis.advance(targets, warm, steps)
    return (time.monotonic() - started) / steps


def estimate_bytes(run: Run, snapshot_every: int | None = None) -> int:
    """Return the bytes that what a run has still to make takes on disk at most, its states included.

    A traced step takes a line. Snapshots are there twice for a moment, and a state holds three arrays and each
    step's loss.
    """
    domain = run.synthesis.network.domain
    steps, numbers = run.synthesis.recipe.steps, int(np.prod(domain.shape))
    snapshots = (steps // snapshot_every if snapshot_every else 0) * domain.snapshot_bytes
    lines = TRACED_EACH + steps // 10
    kept = numbers * (domain.saved_bytes + snapshots) + domain.figure_bytes + lines * 50 + 8192
    state = numbers * (3 * 4 + snapshots) + steps * 4 + 4096
    largest = max(map(len, run.batches), default=0)
    return sum(map(len, run.batches)) * kept + largest * state


def _job(synthesis: Synthesis, stimulus: StimulusFile, seed: int, out, fit) -> Job:
    network, layer = synthesis.network, synthesis.layer
    digest = stimulus_digest(network.domain.load(stimulus.path, fit))
    settings = describe_settings(network, layer, digest, synthesis.recipe, seed)
    settings["stimulus"] |= {
        "id": stimulus.id,
        "file": stimulus.path.name,
        "label": stimulus.label,
        "category": stimulus.category,
        "columns": stimulus.columns,
        "fit": fit,
    }
    return Job(stimulus, metamer_folder(out, network.name, layer, stimulus.id, seed), settings)


def _originals(run: Run, batch: Sequence[Job]) -> np.ndarray:
    domain = run.synthesis.network.domain
    return np.stack([domain.prepare(domain.load(job.stimulus.path, run.fit)) for job in batch])


def _start(run: Run, batch: Sequence[Job]) -> SynthesisState:
    return run.synthesis.start([job.settings["stimulus"]["sha256"] for job in batch], run.seed)


def _write(run: Run, job: Job, metamer: Metamer) -> None:
    network = run.synthesis.network
    figure = plot_sound_metamer(metamer, network) if network.domain.figure_bytes else None
    write_metamer(job.folder, metamer, network.domain, job.unfinished / "snapshots", figure)


def _is_finished(job: Job) -> bool:
    if not job.folder.exists():
        return False
    if not (job.folder / "metamer.json").exists():
        raise ResultError(f"{job.folder} is in the way and no finished metamer; move it away or give another --output.")
    _refuse_differences(job.folder, read_record(job.folder), job.settings)
    return True


def _refuse_differences(path: Path, found: dict, wanted: dict) -> None:
    differences = settings_differences(found, wanted)
    if differences:
        raise ResultError(
            f"{path} was made with other settings ({'; '.join(differences)}); "
            "give another --output or --seed, or move it away."
        )


def _interrupted_batches(jobs: Sequence[Job]) -> list[list[Job]]:
    """Return the batches whose states are on disk, each job in one of them at most."""
    batches, continued = [], set()
    for job in jobs:
        if job.folder not in continued and job.state_file.exists():
            batches.append(_members(read_state(job.state_file), job.state_file, jobs))
            continued |= {member.folder for member in batches[-1]}
    return batches


def _members(saved: SavedState, path: Path, jobs: Sequence[Job]) -> list[Job]:
    by_id = {job.stimulus.id: job for job in jobs}
    missing = [member["id"] for member in saved.members if member["id"] not in by_id]
    if missing:
        raise ResultError(
            f"{path} is the state of a batch with {', '.join(missing)} in it, not among the inputs now; "
            "give those inputs too, or delete that file to start the rest of the batch again."
        )
    for member in saved.members:
        _refuse_differences(path, member["settings"], by_id[member["id"]].settings)
    return [by_id[member["id"]] for member in saved.members]


def _make(run: Run, batch, snapshot_every, progress) -> list[Metamer]:
    """Make the metamers of a batch, from its state on disk if there is one."""
    originals = _originals(run, batch)
    targets = run.synthesis.targets(originals)
    if batch[0].state_file.exists():
        state = read_state(batch[0].state_file).state
    else:
        state = _start(run, batch)
        write_state(batch, state)  # A folder that cannot be written is noticed before the work, not after.
    states = run.synthesis.advance_in_calls(targets, state, snapshot_every)
    state = _advance_safely(run, states, batch, state, snapshot_every, progress)
    write_state(batch, state)  # Folders are written one after another: until the last is there, it is needed.
    return run.synthesis.finish(originals, targets, state, [job.settings for job in batch])


def _advance_safely(run, states, batch, state, snapshot_every, progress) -> SynthesisState:
    """Advance a batch to its last step, saving the state from time to time and whenever anything stops it."""
    saved = time.monotonic()
    try:
        for state in states:
            if snapshot_every and state.step % snapshot_every == 0:
                _save_snapshots(run.synthesis.network.domain, batch, state)
            if progress:
                progress(batch, state)
            if time.monotonic() - saved > SECONDS_BETWEEN_SAVES:
                write_state(batch, state)
                saved = time.monotonic()
    except BaseException as error:
        with contextlib.suppress(ResultError):  # The first error says more than that the state cannot be saved.
            write_state(batch, getattr(error, "state", state))
        raise
    return state


def _save_snapshots(domain, batch: Sequence[Job], state: SynthesisState) -> None:
    for job, stimulus in zip(batch, state.stimuli, strict=True):
        domain.save(stimulus, job.unfinished / "snapshots" / f"step_{state.step:06d}")
