"""Many metamers on disk, made batch after batch and continued after an interruption."""

import contextlib
import functools
import gc
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import compress
from pathlib import Path

import numpy as np

from tfmetamers.errors import (
    BusyError,
    ResultError,
    StimulusError,
    SynthesisError,
    TfmetamersWarning,
    UnmovedError,
)
from tfmetamers.metamers.folder import read_metamer, write_metamer
from tfmetamers.metamers.metamer import Metamer
from tfmetamers.metamers.record import RunRecord, StimulusRecord
from tfmetamers.metamers.spec import stimulus_file_digest
from tfmetamers.networks.network import Network
from tfmetamers.plotting.metamers import plot_metamer
from tfmetamers.recipes import Recipe
from tfmetamers.stimuli.noise import stimulus_digest
from tfmetamers.synthesis.loop import Synthesis, check_memory, check_schedule
from tfmetamers.synthesis.plan import Plan, is_finished, plan_jobs
from tfmetamers.synthesis.state import SynthesisState
from tfmetamers.synthesis.unfinished import Job, locked, read_state, remove_unfinished, write_state

#: The state is saved when this long has passed since it was last saved.
SECONDS_BETWEEN_SAVES = 30.0

#: Steps are timed by calls of so many of them as take about this long, this many calls.
SECONDS_TIMED, TIMED_CALLS = 0.2, 3

#: The number of natural stimuli that are kept in memory from one layer to the next.
STIMULI_KEPT = 1024

#: Called about once a second with the batch that advances and its state.
Progress = Callable[[Sequence[Job], SynthesisState], None]


def execute_run(
    plan: Plan,
    network: Network,
    *,
    snapshot_every: int | None = None,
    keep_state: bool = False,
    deterministic: bool = True,
    progress: Progress | None = None,
) -> Iterator[tuple[Job, Metamer]]:
    """Make the metamers that a plan lacks, layer after layer, with one layer's function in memory at a time.

    The state is saved before the first step, every `SECONDS_BETWEEN_SAVES`, after the last step, and when anything
    stops the run; the same plan made again continues from there and ends with the same bytes on the same machine.
    Batches that another run is making are skipped, and tried again at the end.

    Args:
        plan: the plan.
        network: the network that its specs name.
        snapshot_every: save the stimulus as a picture every so many steps.
        keep_state: keep the optimiser's state with each metamer, so that it can be continued to more steps.
        deterministic: use only operations that give the same numbers in every process on this machine.
        progress: called about once a second.

    Yields:
        Each job with its metamer, once its folder has been written.

    Raises:
        ArgumentError: a step of one of the layers needs more memory than is free; nothing was made.
        SynthesisError: a loss was not finite, and the last good state was saved; a gradient was zero; or a stimulus
            could not be loaded. All other metamers were made.
        BusyError: another run is still making some; all others were made.
        ResultError: a folder cannot be written.

    >>> import numpy as np
    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> from tfmetamers.synthesis import Request, plan_request, plan_run
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> np.save("ramp.npy", np.linspace(-1.0, 1.0, 6))
    >>> request = Request(network.spec, ["tanh"], ["ramp.npy"], "metamers", overrides={"steps": "2"})
    >>> specs, outline, recipe = plan_request(request, lambda: network)
    >>> for job, metamer in execute_run(plan_run(specs, "metamers"), network):
    ...     print(job.folder.name, metamer.record.stimulus.id, len(metamer.losses))
    0 ramp 3
    """
    _check_memory(plan, network)
    run = Run(
        network,
        snapshot_every=snapshot_every,
        keep_state=keep_state,
        deterministic=deterministic,
        progress=progress,
    )
    busy: list[list[Job]] = []
    for batch in plan.batches:
        try:
            yield from run.make_alone(batch)
        except BusyError:
            busy.append(batch)
    errors = []
    for batch in busy:
        try:
            yield from run.make_alone(batch)
        except BusyError as error:
            errors.append(str(error))
    if run.failures:  # A stimulus that fails does so at every layer, and is named once.
        raise SynthesisError(" ".join(dict.fromkeys([*run.failures.values(), *errors])))
    if errors:
        raise BusyError(" ".join(errors))


def measure_seconds(plan: Plan, network: Network, layer: str, *, deterministic: bool = True) -> tuple[float, float]:
    """Return the minimum and the maximum number of seconds that a step of a layer's first batch takes.

    A few calls of a few steps are timed and discarded, which is enough for the order of magnitude.

    Raises:
        ArgumentError: a step of one of the plan's layers needs more memory than is free.
    """
    _check_memory(plan, network)
    batch = plan.by_layer[layer][0]
    stimuli, synthesis = _Stimuli(network), _synthesis(network, batch[0], deterministic)
    targets = synthesis.targets(np.stack([stimuli.prepared(job) for job in batch]))
    state = synthesis.start([stimuli.digest(job) for job in batch], batch[0].spec.seed)

    def timed(steps: int) -> float:
        started = time.monotonic()
        synthesis.advance(targets, state, steps)
        return time.monotonic() - started

    timed(1)  # Which compiles.
    steps = 1
    while timed(steps) < SECONDS_TIMED:
        steps *= 2
    times = [timed(steps) / steps for _ in range(TIMED_CALLS)]
    return min(times), max(times)


def _check_memory(plan: Plan, network: Network) -> None:
    """Refuse a plan of which any layer needs more memory than is free, before the first is begun."""
    largest: dict[tuple, int] = {}
    for batch in plan.batches:
        made_alike = batch[0].spec.layer, batch[0].spec.kernels
        largest[made_alike] = max(len(batch), largest.get(made_alike, 0))
    for (layer, kernels), size in largest.items():
        check_memory(network, [layer], kernels, size)


class _Stimuli:
    """The natural stimuli of a run, each loaded once."""

    def __init__(self, network: Network):
        self._domain = network.domain
        self._load = functools.lru_cache(maxsize=STIMULI_KEPT)(self._load_and_prepare)

    def _load_and_prepare(self, path: str, fit: str | None, recipe: Recipe) -> tuple[np.ndarray, str]:
        natural = self._domain.load(Path(path), fit, recipe)
        return self._domain.prepare(natural), stimulus_digest(natural)

    def prepared(self, job: Job) -> np.ndarray:
        """Return what the network takes in place of a natural stimulus."""
        return self._loaded(job)[0]

    def digest(self, job: Job) -> str:
        """Return `stimulus_digest` of a natural stimulus."""
        return self._loaded(job)[1]

    def _loaded(self, job: Job) -> tuple[np.ndarray, str]:
        return self._load(job.spec.stimulus.path, job.spec.stimulus.fit, job.spec.recipe)

    def record(self, job: Job) -> StimulusRecord:
        """Return what is recorded of a natural stimulus."""
        spec = job.spec.stimulus
        return StimulusRecord(
            sha256=self.digest(job),
            id=spec.id,
            file=Path(spec.path).name,
            file_sha256=spec.sha256,
            label=spec.label,
            category=spec.category,
            columns=spec.columns,
            fit=spec.fit,
        )


class Run:
    """A run in progress: one network, and the function of one layer at a time.

    Attributes:
        failures: why what could not be made could not, by its folder.
    """

    def __init__(
        self,
        network: Network,
        *,
        snapshot_every: int | None = None,
        keep_state: bool = False,
        deterministic: bool = True,
        progress: Progress | None = None,
        may_write: Callable[[], None] = lambda: None,
    ):
        """Begin a run.

        Args:
            network: the network.
            snapshot_every: save the stimulus as a picture every so many steps.
            keep_state: keep the optimiser's state with each metamer.
            deterministic: use only operations that give the same numbers in every process on this machine.
            progress: called about once a second.
            may_write: called before anything is written; what it raises ends the batch as it is on disk.
        """
        self.failures: dict[Path, str] = {}
        self.network = network
        self._snapshot_every, self._progress, self._may_write = snapshot_every, progress, may_write
        self._keep_state, self._deterministic = keep_state, deterministic
        self._stimuli = _Stimuli(network)
        self._synthesis: Synthesis | None = None

    def make_alone(self, batch: Sequence[Job]) -> Iterator[tuple[Job, Metamer]]:
        """Make and write the metamers of a batch that no other run has made, and keep other runs from making them.

        Raises:
            BusyError: another run is making one of them.
        """
        with locked(batch):
            for part in plan_jobs(batch, len(batch)).batches:
                yield from self.make(part)

    def make(self, batch: Sequence[Job]) -> Iterator[tuple[Job, Metamer]]:
        """Make and write a batch; what cannot be made is among `failures` and spares the rest of the batch."""
        usable = [job for job in batch if self._can_load(job)]
        made = None
        while usable and made is None:
            try:
                made = self._metamers(usable)
            except UnmovedError as error:
                self._note_unmoved(usable, error)
                remove_unfinished(usable)  # A state that cannot change is not worth keeping.
                return
            except SynthesisError as error:
                usable = self._spared(usable, error)
        for job, metamer in made or ():
            if not is_finished(job):
                self._write(job, metamer)
            yield job, metamer
        remove_unfinished(usable)

    def _can_load(self, job: Job) -> bool:
        spec = job.spec.stimulus
        try:
            if stimulus_file_digest(spec.path) != spec.sha256:
                raise StimulusError(f"{spec.path} has changed since the run was planned; plan it again.")
            self._stimuli.prepared(job)
        except StimulusError as error:
            self.failures[job.folder] = str(error)
            return False
        return True

    def _spared(self, batch: Sequence[Job], error: SynthesisError) -> list[Job]:
        """Note why items of a batch failed, and return the others; each part's last good state is saved."""
        culprits = set(range(len(batch)) if error.culprits is None else error.culprits)
        rest = [place for place in range(len(batch)) if place not in culprits]
        names = ", ".join(batch[place].spec.stimulus.id for place in sorted(culprits))
        for part in (rest, *([place] for place in culprits)):
            if part and error.state is not None:
                self._save([batch[place] for place in part], error.state.of_items(part))
        for place in culprits:
            self.failures[batch[place].folder] = f"{names}: {error}"
        return [batch[place] for place in rest]

    def _metamers(self, batch: Sequence[Job]) -> list[tuple[Job, Metamer]]:
        """Return the metamers of a batch, from its state on disk if there is one, without those that never moved."""
        synthesis, seed = self._prepared(batch[0]), batch[0].spec.seed
        originals = np.stack([self._stimuli.prepared(job) for job in batch])
        targets = synthesis.targets(originals)
        noise = synthesis.start([self._stimuli.digest(job) for job in batch], seed)
        correlations = synthesis.initial_correlations(targets, noise)
        if batch[0].state_file.exists():
            state = read_state(batch[0].state_file, originals.shape)
        else:
            state = _continued_state(batch) if batch[0].continued else noise
            self._save(batch, state)  # A folder that cannot be written is noticed before the work, not after.
        state = self._advanced(synthesis, targets, batch, state)
        self._notice_unmoved(synthesis, batch, state)
        self._save(batch, state)  # Folders are written one after another: until the last is there, it is needed.
        records = [self._stimuli.record(job) for job in batch]
        metamers = synthesis.finish(originals, targets, state, records, seed, correlations)
        return list(compress(zip(batch, metamers, strict=True), ~state.unmoved))

    def _save(self, batch: Sequence[Job], state: SynthesisState) -> None:
        self._may_write()
        write_state(batch, state)

    def _prepared(self, job: Job) -> Synthesis:
        """Return the synthesis for a job's layer, after freeing that of the previous layer."""
        wanted = job.spec.layer, job.spec.recipe, job.spec.kernels
        found = self._synthesis
        if found is None or (found.layer, found.recipe, found.asked_kernels) != wanted:
            self._synthesis = found = None
            self._synthesis = _synthesis(self.network, job, self._deterministic)
        return self._synthesis

    def _advanced(self, synthesis: Synthesis, targets, batch: Sequence[Job], start: SynthesisState) -> SynthesisState:
        """Advance a batch to its last step, saving the state from time to time and whenever anything stops it."""
        state, saved = start, time.monotonic()
        try:
            for state in synthesis.advance_in_calls(targets, start, self._snapshot_every):
                self._notice_unmoved(synthesis, batch, state)
                if self._snapshot_every and state.step % self._snapshot_every == 0:
                    self._save_snapshots(batch, state)
                if self._progress:
                    self._progress(batch, state)
                if time.monotonic() - saved > SECONDS_BETWEEN_SAVES:
                    self._save(batch, state)
                    saved = time.monotonic()
        except BaseException as error:
            with contextlib.suppress(ResultError):  # The first error matters more than a state that cannot be saved.
                self._save(batch, getattr(error, "state", None) or state)
            raise
        return state

    def _notice_unmoved(self, synthesis: Synthesis, batch: Sequence[Job], state: SynthesisState) -> None:
        """Warn at once of items that never change: they are not written, and the rest of the batch continues.

        Raises:
            UnmovedError: no item of the batch changes.
        """
        if not state.unmoved.any():
            return
        error = synthesis.unmoved_error([job.spec.stimulus.id for job in compress(batch, state.unmoved)])
        if state.unmoved.all():
            raise error
        if self._note_unmoved(compress(batch, state.unmoved), error):
            warnings.warn(str(error), TfmetamersWarning, stacklevel=2)

    def _note_unmoved(self, jobs: Iterable[Job], error: UnmovedError) -> bool:
        """Note what never moves, and tell whether that is news."""
        found = {job.folder: str(error) for job in jobs}
        is_news = not found.items() <= self.failures.items()
        self.failures |= found
        return is_news

    def _save_snapshots(self, batch: Sequence[Job], state: SynthesisState) -> None:
        self._may_write()
        for job, stimulus in zip(batch, state.stimuli, strict=True):
            self.network.domain.save(stimulus, job.unfinished / "snapshots" / f"step_{state.step:06d}")

    def _write(self, job: Job, metamer: Metamer) -> None:
        figure = plot_metamer(metamer, self.network) if self.network.domain.figure_bytes else None
        run = RunRecord.now(metamer.seconds)
        self._may_write()
        snapshots = job.unfinished / "snapshots"
        write_metamer(job.folder, metamer, run, snapshots, figure, keep_state=self._keep_state)


def _synthesis(network: Network, job: Job, deterministic: bool) -> Synthesis:
    gc.collect()  # That of the previous layer refers to itself, and holds all its kernels.
    spec = job.spec
    return Synthesis(network, layer=spec.layer, recipe=spec.recipe, kernels=spec.kernels, deterministic=deterministic)


def _continued_state(batch: Sequence[Job]) -> SynthesisState:
    """Return the state after the last step of the metamers that a batch continues.

    Raises:
        ArgumentError: their learning rates depended on the number of steps.
        ResultError: one is damaged.
    """
    metamers = [read_metamer(job.continued) for job in batch]
    for job, metamer in zip(batch, metamers, strict=True):
        check_schedule(metamer, job.spec.recipe)
    return SynthesisState.of_metamers(metamers)
