"""Many metamers on disk: planned, continued where they stopped, and never made twice."""

import io
import json
import os
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfmetamers.errors import ArgumentError, ResultError, SynthesisError
from tfmetamers.files import written_whole
from tfmetamers.networks.network import Network
from tfmetamers.recipes import Recipe
from tfmetamers.results import (
    TRACED_EACH,
    Metamer,
    describe_settings,
    metamer_folder,
    read_record,
    settings_differences,
    write_metamer,
)
from tfmetamers.stimuli.collection import StimulusFile
from tfmetamers.stimuli.images import load_image, save_image
from tfmetamers.synthesis import Synthesis, SynthesisState

#: The state is saved when this long has passed since it was last saved.
SECONDS_BETWEEN_SAVES = 30.0


@dataclass(frozen=True)
class Job:
    """One metamer to be made.

    Attributes:
        stimulus: the natural stimulus.
        folder: where the finished metamer goes.
        settings: what determines it, as `describe_settings` gives it.
    """

    stimulus: StimulusFile
    folder: Path
    settings: dict

    @property
    def unfinished(self) -> Path:
        """The folder of its state and snapshots while it is unfinished."""
        return self.folder.with_name(f"{self.folder.name}.unfinished")


@dataclass(frozen=True)
class Run:
    """The metamers of one layer that one command asks for.

    Attributes:
        network: the network.
        layer: the layer's name.
        recipe: the recipe.
        seed: the seed.
        batches: what is still to be made, in batches that advance together.
        finished: what had been made before.
    """

    network: Network
    layer: str
    recipe: Recipe
    seed: int
    batches: list[list[Job]]
    finished: list[Job]


def plan_run(
    network: Network,
    layer: str,
    stimuli: Sequence[StimulusFile],
    *,
    recipe: Recipe,
    seed: int,
    out: str | os.PathLike,
    batch_size: int = 1,
) -> Run:
    """Work out what is to be made and what has been made already.

    A batch that was interrupted is continued as that batch, whatever the batch size now.

    Raises:
        ArgumentError: the layer is unknown, or the batch size or the seed cannot be used.
        StimulusError: a stimulus cannot be loaded.
        ResultError: a folder of one of these names holds something made with other settings.
    """
    if batch_size < 1:
        raise ArgumentError(f"The batch size is {batch_size}; a whole number from 1 was expected.")
    if seed < 0:
        raise ArgumentError(f"The seed is {seed}; a whole number from 0 was expected.")
    jobs = [_job(network, layer, stimulus, recipe, seed, out) for stimulus in stimuli]
    finished = [job for job in jobs if _is_finished(job)]
    batches = [_interrupted_batch(job, jobs) for job in jobs if (job.unfinished / "state.npz").exists()]
    taken = {job.folder for batch in [finished, *batches] for job in batch}
    waiting = [job for job in jobs if job.folder not in taken]
    batches += [waiting[start : start + batch_size] for start in range(0, len(waiting), batch_size)]
    return Run(network, layer, recipe, seed, batches, finished)


def execute_run(
    run: Run,
    *,
    snapshot_every: int | None = None,
    progress: Callable[[list[Job], SynthesisState], None] | None = None,
) -> Iterator[tuple[Job, Metamer]]:
    """Make what a run has still to make.

    The state is saved every `SECONDS_BETWEEN_SAVES`, and when anything stops the run; the same plan made
    again goes on from there and ends with the same bytes on the same machine.

    Args:
        run: the plan.
        snapshot_every: save the stimulus as a picture every so many steps.
        progress: called about once a second with the batch that advances and its state.

    Yields:
        Each job with its metamer, once its folder has been written.

    Raises:
        SynthesisError: a loss is not finite; the last good state was saved.
        ResultError: a folder cannot be written.
    """
    synthesis = Synthesis(run.network, layer=run.layer, recipe=run.recipe)
    for batch in run.batches:
        originals = _originals(run, batch)
        targets = synthesis.targets(originals)
        state = _read_state(batch) or synthesis.start(originals, run.seed)
        states = synthesis.advance_in_calls(targets, state, snapshot_every)
        state = _advance_safely(states, batch, state, snapshot_every, progress)
        metamers = synthesis.finish(originals, targets, state, [job.settings for job in batch])
        for job, metamer in zip(batch, metamers, strict=True):
            if not job.folder.exists():
                write_metamer(job.folder, metamer, snapshots=job.unfinished / "snapshots")
            yield job, metamer
        for job in batch:
            shutil.rmtree(job.unfinished, ignore_errors=True)


def measure_seconds(run: Run, steps: int = 3) -> float:
    """Return the seconds that a step of the run's first batch takes, from a few steps that are thrown away."""
    originals = _originals(run, run.batches[0])
    synthesis = Synthesis(run.network, layer=run.layer, recipe=run.recipe)
    targets = synthesis.targets(originals)
    warm = synthesis.advance(targets, synthesis.start(originals, run.seed), 1)
    started = time.monotonic()
    synthesis.advance(targets, warm, steps)
    return (time.monotonic() - started) / steps


def estimate_bytes(run: Run, snapshot_every: int | None = None) -> int:
    """Return the bytes that what a run has still to make takes on disk at most.

    An array takes four bytes a number and a PNG of noise about one; a traced step takes a line.
    """
    numbers = int(np.prod(run.network.stimulus_shape))
    pictures = 2 + (run.recipe.steps // snapshot_every if snapshot_every else 0)
    lines = TRACED_EACH + run.recipe.steps // 10
    return sum(map(len, run.batches)) * (numbers * (4 + pictures) + lines * 50 + 4096)


def _job(network, layer, stimulus, recipe, seed, out) -> Job:
    settings = describe_settings(network, layer, _load(network, stimulus), recipe, seed)
    settings["stimulus"] |= {
        "id": stimulus.id,
        "file": stimulus.path.name,
        "label": stimulus.label,
        "category": stimulus.category,
        "columns": stimulus.columns,
    }
    return Job(stimulus, metamer_folder(out, network.name, layer, stimulus.id, seed), settings)


def _originals(run: Run, batch: Sequence[Job]) -> np.ndarray:
    return np.stack([_load(run.network, job.stimulus) for job in batch])


def _load(network: Network, stimulus: StimulusFile) -> np.ndarray:
    return load_image(stimulus.path, network.input_size)


def _is_finished(job: Job) -> bool:
    if not job.folder.exists():
        return False
    _refuse_differences(job.folder, read_record(job.folder), job.settings)
    return True


def _refuse_differences(folder: Path, found: dict, wanted: dict) -> None:
    differences = settings_differences(found, wanted)
    if differences:
        raise ResultError(
            f"{folder} was made with other settings ({'; '.join(differences)}); "
            "give another --output or --seed, or move that folder away."
        )


def _advance_safely(states, batch, state, snapshot_every, progress) -> SynthesisState:
    """Advance a batch to its last step, saving the state from time to time and whenever anything stops it."""
    saved = time.monotonic()
    try:
        for state in states:
            if snapshot_every and state.step % snapshot_every == 0:
                _save_snapshots(batch, state)
            if progress:
                progress(batch, state)
            if time.monotonic() - saved > SECONDS_BETWEEN_SAVES:
                _write_state(batch, state)
                saved = time.monotonic()
    except SynthesisError as error:
        _write_state(batch, error.state)
        raise
    except KeyboardInterrupt:
        _write_state(batch, state)
        raise
    if len(batch) > 1:
        # The folders of a batch are written one after another: until the last is there, the state is needed.
        _write_state(batch, state)
    return state


def _save_snapshots(batch: Sequence[Job], state: SynthesisState) -> None:
    for job, stimulus in zip(batch, state.stimuli, strict=True):
        save_image(stimulus, job.unfinished / "snapshots" / f"step_{state.step:06d}.png")


def _write_state(batch: Sequence[Job], state: SynthesisState) -> None:
    """Save a batch's state in the folder of its first item."""
    described = [{"id": job.stimulus.id, "settings": job.settings} for job in batch]
    archive = io.BytesIO()  # In memory first: an archive on a disk that fills up cannot even be closed.
    np.savez(archive, batch=np.array(json.dumps(described)), **vars(state))
    with written_whole(batch[0].unfinished / "state.npz") as partial:
        partial.write_bytes(archive.getbuffer())


def _read_state(batch: Sequence[Job]) -> SynthesisState | None:
    path = batch[0].unfinished / "state.npz"
    if not path.exists():
        return None
    _, arrays = _load_state(path)
    return SynthesisState(**{**arrays, "seconds": float(arrays["seconds"])})


def _load_state(path: Path) -> tuple[list[dict], dict[str, np.ndarray]]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = dict(archive)
        return json.loads(str(arrays.pop("batch"))), arrays
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ResultError(f"{path} is damaged ({error}); delete it to start that batch again.") from error


def _interrupted_batch(job: Job, jobs: Sequence[Job]) -> list[Job]:
    """Return the jobs of the batch whose state the job's folder holds."""
    path = job.unfinished / "state.npz"
    by_id = {each.stimulus.id: each for each in jobs}
    described, _ = _load_state(path)
    missing = [each["id"] for each in described if each["id"] not in by_id]
    if missing:
        raise ResultError(
            f"{path} is the state of a batch with {', '.join(missing)} in it, not among the inputs now; "
            "give those inputs too, or delete that file to start the rest of the batch again."
        )
    for each in described:
        _refuse_differences(path, each["settings"], by_id[each["id"]].settings)
    return [by_id[each["id"]] for each in described]
