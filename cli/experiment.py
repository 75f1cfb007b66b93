"""``tfmetamers experiment``: grids of networks, layers and stimuli, by any number of workers."""

import json
import re
import signal
import time
from collections import Counter
from pathlib import Path

import click

from tfmetamers.cli.network_options import quiet_tensorflow
from tfmetamers.cli.output import Column, json_option, progress_bar, quiet_option, say, show_table, warn
from tfmetamers.errors import ArgumentError
from tfmetamers.utilities.words import byte_size, counted, duration

#: Seconds between two looks of ``status --watch``.
SECONDS_A_LOOK = 10

_FILE = click.argument("file", type=click.Path(path_type=Path))


@click.group()
def experiment() -> None:
    """Experiments in files: networks, layers, stimuli, and what is done with their metamers.

    Any number of workers, on any number of machines that share a folder, work on one experiment; each may be stopped at
    any moment, and nothing is made twice.
    """


@experiment.command()
@click.argument("name")
def new(name):
    """Write NAME.toml, an experiment that runs as it is, with comments."""
    from tfmetamers.experiments.scripts import write_new_experiment

    file = write_new_experiment(name)
    say(f"Wrote {file}. Edit it, then: tfmetamers experiment plan {file}")


@experiment.command()
@_FILE
@click.option("--measure", is_flag=True, help="Time a few steps of each layer on this machine.")
@click.option(
    "--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Estimate for so many workers."
)
@quiet_option
@json_option
def plan(file, measure, workers):
    """Say what FILE asks for, what is done already, and how long the rest takes; nothing is made."""
    quiet_tensorflow()
    from tfmetamers.experiments.experiment import Experiment
    from tfmetamers.experiments.speeds import estimate, measure_speeds

    planned = Experiment.plan(file)
    for item, seconds in measure_speeds(planned) if measure else ():
        say(f"{item.network_title} {planned.layer_titles[item.layer_folder]}: {seconds:.3g} seconds per step")
    rows = [{**vars(row), "seconds": row.seconds} for row in estimate(planned)]
    show_table(rows, _PLANNED, maxheadercolwidths=10)
    totals = {key: sum(row[key] for row in rows) for key in ("metamers", "made", "batches", "steps", "bytes")}
    say(
        f"\n{counted(totals['metamers'], 'metamer')}, {totals['made']:,} made before. To make: "
        f"{counted(totals['batches'], 'batch', 'batches')} of up to {planned.definition.batch_size}, "
        f"{counted(totals['steps'], 'step')}, at most {byte_size(totals['bytes'])} in {planned.out}."
    )
    kinds = Counter(item.kind for item in planned.items)
    further = [counted(kinds[kind], name) for kind, name in _FURTHER.items() if kinds[kind]]
    say(f"Then: {', '.join(further)}, which are not part of the times.")
    seconds = [row["seconds"] for row in rows if row["batches"]]
    if None in seconds:
        say("How long the metamers take is not known yet; --measure times a few steps of each layer.")
    elif seconds:
        one = sum(seconds)
        say(f"The metamers take about {duration(one)} on one worker as fast as the one that was timed.")
        if workers > 1:
            say(f"About {duration(one / workers)} on {workers} such workers.")


def _duration(seconds: float | None) -> str:
    return duration(seconds) if seconds else "-"


#: What is done beside metamers, by the kind of the item.
_FURTHER = {"null": "null distribution", "evaluation": "evaluation", "recognition": "recognition"}

_PLANNED = {
    "network": "network",
    "layer": "layer",
    "metamers": Column("metamers", ","),
    "made": Column("made", ","),
    "batches": Column("batches to make", ","),
    "steps": Column("steps to make", ","),
    "seconds_per_step": Column("seconds per step", ".3g"),
    "seconds": Column("time, one worker", _duration),
    "bytes": Column("on disk", byte_size),
}


_ENGINE_OPTIONS = [
    click.option("--workers", type=click.IntRange(min=1), help="Workers on this machine, each a process (Dask)."),
    click.option(
        "--scheduler", metavar="ADDRESS", help="The scheduler of a Dask cluster, such as tcp://10.0.0.1:8786."
    ),
    click.option("--shard", metavar="I/N", help="Be the I-th of N workers that were started by hand or by SLURM."),
    click.option(
        "--threads",
        type=click.IntRange(min=1),
        help="Threads of each worker; the bytes of metamers may depend on it. "
        "[default: all cores, divided among --workers]",
    ),
    quiet_option,
]


def engine_options(command):
    """Add the options of who does the work."""
    for option in reversed(_ENGINE_OPTIONS):
        command = option(command)
    return command


@experiment.command()
@_FILE
@engine_options
@click.option("--fork", metavar="NEW", help="Copy FILE to NEW.toml and start over in another output folder.")
def run(file, fork, **engine):
    """Make what FILE asks for and is not there yet; what was stopped is continued.

    Without an option, this process does it alone. What failed before is left alone ('tfmetamers experiment retry').
    """
    return run_experiment(file, fork=fork, **engine)


@experiment.command()
@_FILE
@engine_options
def retry(file, **engine):
    """Make what failed before, once its causes are mended, and what else is not there yet."""
    return run_experiment(file, retries=True, **engine)


def run_experiment(file, *, workers, scheduler, shard, threads, fork=None, retries=False) -> int:
    """Make what an experiment's file asks for and is not there yet, and return the exit status."""
    quiet_tensorflow()
    if sum(option is not None for option in (workers, scheduler, shard)) > 1:
        raise ArgumentError("--workers, --scheduler and --shard exclude each other; give one of them.")
    number, count = _shard(shard)
    signal.signal(signal.SIGTERM, _stop)
    from tfmetamers.experiments.experiment import Experiment, numbered_shard
    from tfmetamers.experiments.work import Worker

    is_here = limit_own_threads(workers=workers, scheduler=scheduler, threads=threads)
    if fork:
        from tfmetamers.experiments.scripts import fork_experiment

        file = fork_experiment(file, fork)
        say(f"Wrote {file}.")
    planned = Experiment.plan(file)
    items = numbered_shard(planned.items, number, count)
    planned.keep()
    if retries:
        say(f"{counted(planned.reset_failures(), 'failed item')} to try again.")
    planned.tidy()
    with _Progress(planned) as progress:
        if not progress.has_work:
            return 0
        if is_here:
            Worker(planned, progress.show).work(items, progress.tell)
        else:
            _run_on_cluster(planned, items, progress, workers, scheduler, threads)
    return progress.conclude(file)


def limit_own_threads(*, workers, scheduler, threads, **_) -> bool:
    """Limit the threads of this process if it does the work itself, and tell whether it does.

    Networks are looked at only afterwards, because that sets TensorFlow to work.
    """
    from tfmetamers.experiments.work import limit_threads

    is_here = workers is None and scheduler is None
    if is_here:
        limit_threads(threads)
    return is_here


def _stop(*_) -> None:
    """End as after Ctrl-C, which a shell has the background jobs of scripts ignore."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.raise_signal(signal.SIGINT)


def _run_on_cluster(planned, items, progress, workers, scheduler, threads) -> None:
    from tfmetamers.experiments.cluster import local_client, remote_client, run_on_cluster
    from tfmetamers.utilities.determinism import usable_processors

    if workers is not None and threads is None:
        threads = max(1, usable_processors() // workers)
    with remote_client(scheduler) if workers is None else local_client(workers) as client:
        say(f"Dashboard: {client.dashboard_link}")
        run_on_cluster(planned, items, client, progress.tell, threads=threads, share_gpus=workers is not None)


def _failure(item: str, failed: str, reason: str) -> str:
    """Return why an item failed: the reason, after the part of the item that it is for."""
    return reason if failed == item else f"{failed}: {reason}"


def _shard(text: str | None) -> tuple[int, int]:
    if text is None:
        return 1, 1
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    number, count = map(int, match.groups()) if match else (0, 0)
    if not 1 <= number <= count:
        raise ArgumentError(f"--shard got {text!r}; I/N was expected, with I from 1 to N, such as 1/8 to 8/8.")
    return number, count


class _Progress:
    """A line for each item that was tried, and a bar for the one that this process works on."""

    def __init__(self, planned):
        self._planned = planned
        self._total = len(planned.items)
        self._done = {item.key for item in planned.items if planned.is_done(item)}
        self._failed = 0
        self._shown, self._bar = None, None
        say(f"{counted(self._total, 'item')}, {len(self._done):,} done before, in {planned.out}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._close()

    def _close(self):
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    @property
    def has_work(self) -> bool:
        return len(self._done) < self._total

    def show(self, item, done, total) -> None:
        if self._bar is None:
            self._bar = progress_bar(total=total, initial=done, desc=item.describe(), unit=item.unit)
        self._bar.update(done - self._bar.n)

    def tell(self, item, outcome) -> None:
        self._close()
        if outcome.reasons:
            self._failed += 1
        else:
            self._done.add(item.key)  # An evaluation may be there already: it is done again for what has come since.
        word = "failed" if outcome.reasons else "done"
        say(f"[{len(self._done):,}/{self._total:,}] {item.describe()}: {word} in {duration(outcome.seconds)}")
        for failed, reason in outcome.reasons.items():
            warn(f"  {_failure(item.describe(), failed, reason)}")

    def conclude(self, file) -> int:
        if self._failed:
            warn(f"{counted(self._failed, 'item')} failed; 'tfmetamers experiment retry {file}' tries again.")
        left = self._total - sum(map(self._planned.is_done, self._planned.items)) - self._failed
        if left > 0:
            say(
                f"{counted(left, 'item')} left to other workers, or until failures are mended; see 'experiment status'."
            )
        return 1 if self._failed else 0


@experiment.command()
@_FILE
@click.option("--watch", is_flag=True, help="Look again every few seconds, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(file, watch, as_json):
    """Show what is done, who works on what, what failed and why, and how long the rest takes."""
    from tfmetamers.experiments.experiment import Experiment
    from tfmetamers.experiments.status import survey

    while True:
        found = survey(Experiment.recall(file))
        if watch:
            click.clear()
        if as_json:
            click.echo(json.dumps(found.to_json(), indent=2))
        else:
            _show_status(found)
        if not watch:
            return
        time.sleep(SECONDS_A_LOOK)


_STATUS = {
    "network": Column("network", lambda name: name or "-"),
    "layer": Column("layer", lambda name: name or "-"),
    "kind": "what",
    **{key: Column(key, ",") for key in ("total", "done", "running", "failed", "waiting")},
    "seconds_left": Column("time left, one worker", _duration),
}


def _show_status(found) -> None:
    show_table([vars(row) for row in found.rows], _STATUS, maxheadercolwidths=9)
    if found.running:
        say("\nRunning:")
    for each in found.running:
        progress = f"{each.step:,} of {each.steps:,} {each.unit}, {each.steps_a_second:.3g} a second"
        say(
            f"  {each.item}: {progress if each.steps else 'begun'}; "
            f"{each.worker} since {each.since}, last heartbeat {duration(each.beat)} ago"
        )
    if found.failed:
        say("\nFailed:")
    for each in found.failed:
        for failed, reason in each.reasons.items():
            say(f"  {each.item}: {_failure(each.item, failed, reason)}")
        if each.failures > len(each.reasons):
            say(f"  {each.item}: {each.failures - len(each.reasons):,} more")
    if any(row.running or row.waiting for row in found.rows if row.kind == "metamers"):
        left = "not known" if found.seconds_left is None else f"about {duration(found.seconds_left)}"
        workers = len({each.worker for each in found.running})
        at_work = f"{counted(workers, 'worker')} at work" if workers else "on one worker; none is at work"
        say(f"\nTime left for metamers: {left} ({at_work})")


@experiment.command()
@_FILE
@click.option("--report/--no-report", default=True, show_default=True, help="Write the report, too.")
def collect(file, report):
    """Write tidy tables of all that is there, however partial, and the report."""
    quiet_tensorflow()
    from tfmetamers.experiments.collection import collect as gather
    from tfmetamers.experiments.experiment import Experiment

    found = gather(Experiment.recall(file), report=report)
    for name, rows in found.rows.items():
        say(f"{found.folder / name}: {counted(rows, 'row')}")
    if found.report:
        say(f"Open {found.report}.")
    for folder, reason in found.unreadable.items():
        warn(f"Left out: {folder}: {reason}")
    return 1 if found.unreadable else 0


@experiment.command()
@_FILE
@click.option("--shards", type=click.IntRange(min=1), default=8, show_default=True, help="Tasks of the array.")
@click.option("--gpu", is_flag=True, help="One GPU a task; without it, cores alone.")
@click.option("--time", "limit", default="24:00:00", show_default=True, help="Time limit of each task.")
@click.option("--cpus", type=click.IntRange(min=1), default=4, show_default=True, help="Cores of each task.")
@click.option("--memory", default="16G", show_default=True, help="Memory of each task.")
@click.option("--partition", help="Partition [default: the cluster's].")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write [default: print it].")
def sbatch(file, shards, gpu, limit, cpus, memory, partition, output):
    """Print the script of a SLURM array whose tasks make what FILE asks for."""
    from tfmetamers.experiments.file import read_experiment_file
    from tfmetamers.experiments.scripts import SlurmJob, write_slurm_script
    from tfmetamers.utilities.files import atomic_write

    read_experiment_file(file)
    text = write_slurm_script(file, SlurmJob(shards, limit, cpus, memory, gpu, partition))
    if output is None:
        click.echo(text, nl=False)
        return
    with atomic_write(output) as partial:
        partial.write_text(text, encoding="utf-8")
    say(f"Wrote {output}. Submit it: sbatch {output}")
