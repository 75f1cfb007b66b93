"""``tfmetamers experiment``: grids of networks, layers and stimuli, by any number of workers."""

import json
import re
import signal
import time
from pathlib import Path

import click
from tabulate import tabulate

from tfmetamers.cli.network_options import quiet_tensorflow
from tfmetamers.errors import ArgumentError
from tfmetamers.utilities.words import counted

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
    click.echo(f"Wrote {file}. Edit it, then: tfmetamers experiment plan {file}")


@experiment.command()
@_FILE
@click.option("--measure", is_flag=True, help="Time a few steps of each layer on this machine.")
@click.option(
    "--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Estimate for so many workers."
)
def plan(file, measure, workers):
    """Say what FILE asks for, what is done already, and how long the rest takes; nothing is made."""
    quiet_tensorflow()
    from tfmetamers.experiments.experiment import Experiment
    from tfmetamers.experiments.speeds import estimate, measure_speeds

    planned = Experiment.plan(file)
    if measure:
        for condition, seconds in measure_speeds(planned):
            click.echo(f"{condition.network.network_name} {condition.layer}: {seconds:.3f} seconds a step", err=True)
    rows = estimate(planned)
    headers = [
        "network",
        "layer",
        "metamers",
        "made",
        "batches to make",
        "steps to make",
        "seconds a step",
        "time",
        "MB",
    ]
    table = [
        [
            row.network,
            row.layer,
            f"{row.metamers:,}",
            f"{row.made:,}",
            f"{row.items:,}",
            f"{row.steps:,}",
            "-" if row.seconds_a_step is None else f"{row.seconds_a_step:.3f}",
            _duration(None if row.hours is None else row.hours * 3600),
            f"{row.bytes / 1e6:,.1f}",
        ]
        for row in rows
    ]
    click.echo(tabulate(table, [*headers, "time", "MB"], disable_numparse=True, maxheadercolwidths=10))
    metamers, made, items, steps, size = (
        sum(getattr(row, field) for row in rows) for field in ("metamers", "made", "items", "steps", "bytes")
    )
    further = len(planned.items) - sum(item.kind == "metamers" for item in planned.items)
    click.echo(
        f"\n{counted(metamers, 'metamer')}, {made:,} made before; {counted(items, 'batch', 'batches')} of "
        f"{planned.definition.batch_size} at most and {counted(steps, 'step')} to make; "
        f"{counted(further, 'further item')} (null distributions, evaluations, recognition)."
    )
    click.echo(f"At most {size / 1e6:,.1f} MB in {planned.out}.")
    _tell_duration(rows, workers)


def _tell_duration(rows, workers) -> None:
    if any(row.items and row.hours is None for row in rows):
        click.echo("How long that takes is not known yet; --measure times a few steps of each layer.")
        return
    seconds = sum(row.hours or 0 for row in rows) * 3600
    click.echo(f"{_duration(seconds)} on one worker as fast as the one that was timed.")
    if workers > 1:
        click.echo(f"{_duration(seconds / workers)} on {workers} workers, each as fast.")


_ENGINE_OPTIONS = [
    click.option("--workers", type=click.IntRange(min=1), help="Workers on this machine, each a process (Dask)."),
    click.option(
        "--scheduler", metavar="ADDRESS", help="The scheduler of a cluster of Dask, such as tcp://10.0.0.1:8786."
    ),
    click.option("--shard", metavar="I/N", help="Be the I-th of N workers that were started by hand or by SLURM."),
    click.option(
        "--threads",
        type=click.IntRange(min=1),
        help="Threads of each worker; the bytes of metamers may depend on it [default: all, divided among --workers].",
    ),
]


def _engine_options(command):
    for option in reversed(_ENGINE_OPTIONS):
        command = option(command)
    return command


@experiment.command()
@_FILE
@_engine_options
@click.option("--fork", metavar="NEW", help="Copy FILE to NEW.toml and start anew in another output folder.")
def run(file, fork, **engine):
    """Make what FILE asks for and is not there yet; what was stopped is continued.

    Without an option, this process does it alone. What failed before is left alone ('tfmetamers experiment retry').
    """
    if fork:
        from tfmetamers.experiments.scripts import fork_experiment

        file = fork_experiment(file, fork)
        click.echo(f"Wrote {file}.")
    return _run(file, **engine)


@experiment.command()
@_FILE
@_engine_options
def retry(file, **engine):
    """Make what failed before, once its causes are mended, and what else is not there yet."""
    return _run(file, forgive=True, **engine)


def _run(file, *, workers, scheduler, shard, threads, forgive=False) -> int:
    quiet_tensorflow()
    if sum(option is not None for option in (workers, scheduler, shard)) > 1:
        raise ArgumentError("--workers, --scheduler and --shard exclude each other; give one of them.")
    number, count = _shard(shard)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    from tfmetamers.experiments.experiment import Experiment, numbered_shard

    planned = Experiment.plan(file)
    items = numbered_shard(planned.items, number, count)
    planned.keep()
    if forgive:
        click.echo(f"{counted(planned.forgive_failures(), 'failed item')} to try again.")
    progress = _Progress(planned)
    if workers is None and scheduler is None:
        from tfmetamers.experiments.work import Worker, limit_threads

        if progress.has_work:
            limit_threads(threads)
        Worker(planned).work(items, progress.tell)
    else:
        _run_on_cluster(planned, items, progress, workers, scheduler, threads)
    return progress.conclude(file)


def _run_on_cluster(planned, items, progress, workers, scheduler, threads) -> None:
    import os

    from tfmetamers.experiments.cluster import local_client, remote_client, run_on_cluster

    if workers is not None and threads is None:
        threads = max(1, (os.cpu_count() or 1) // workers)
    with remote_client(scheduler) if workers is None else local_client(workers) as client:
        click.echo(f"Dashboard: {client.dashboard_link}")
        run_on_cluster(planned, items, client, progress.tell, threads=threads, share_gpus=workers is not None)


def _shard(text: str | None) -> tuple[int, int]:
    if text is None:
        return 1, 1
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if not match:
        raise ArgumentError(f"--shard got {text!r}; I/N was expected, such as 1/8 to 8/8.")
    return int(match[1]), int(match[2])


class _Progress:
    """A line for each item that was tried."""

    def __init__(self, planned):
        self._total = len(planned.items)
        self._done = sum(map(planned.is_done, planned.items))
        self._failed = 0
        click.echo(f"{counted(self._total, 'item')}, {self._done:,} done before, in {planned.out}")

    @property
    def has_work(self) -> bool:
        return self._done < self._total

    def tell(self, item, outcome) -> None:
        self._done += not outcome.reasons
        self._failed += bool(outcome.reasons)
        word = "failed" if outcome.reasons else "done"
        click.echo(f"[{self._done:,}/{self._total:,}] {item.describe()}: {word} in {_duration(outcome.seconds)}")
        for failed, reason in outcome.reasons.items():
            click.echo(f"  {failed}: {reason}", err=True)

    def conclude(self, file) -> int:
        if self._failed:
            click.echo(
                f"{counted(self._failed, 'item')} failed; 'tfmetamers experiment retry {file}' tries them again.",
                err=True,
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

    recalled = Experiment.recall(file)
    while True:
        found = survey(recalled)
        text = json.dumps(found.to_json(), indent=2) if as_json else _describe(found)
        if watch:
            click.clear()
        click.echo(text)
        if not watch:
            return
        time.sleep(SECONDS_A_LOOK)


def _describe(found) -> str:
    headers = ["network", "layer", "what", "all", "done", "running", "failed", "waiting", "time left, one worker"]
    rows = [
        [
            row.network or "-",
            row.layer or "-",
            row.kind,
            *(f"{count:,}" for count in (row.total, row.done, row.running, row.failed, row.waiting)),
            _duration(row.seconds_left) if row.kind == "metamers" else "-",
        ]
        for row in found.rows
    ]
    lines = [tabulate(rows, headers, disable_numparse=True, maxheadercolwidths=9)]
    if found.running:
        lines += ["", "Running:"]
    for each in found.running:
        steps = f"step {each.step:,} of {each.steps:,} at {each.steps_a_second:.1f} a second" if each.steps else "begun"
        lines.append(f"  {each.item}: {steps}; {each.worker} since {each.since}, heard of {each.beat:.0f} s ago")
    if found.failed:
        lines += ["", "Failed:"]
    for each in found.failed:
        lines += [f"  {each.item}: {failed}: {reason}" for failed, reason in each.reasons.items()]
    lines += ["", f"Time left: {_duration(found.seconds_left)} ({counted(len(found.running), 'item')} running now)"]
    return "\n".join(lines)


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
        click.echo(f"{found.folder / name}: {counted(rows, 'row')}")
    if found.report:
        click.echo(f"Open {found.report}.")
    for folder, reason in found.unreadable.items():
        click.echo(f"Left out: {folder}: {reason}", err=True)
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
    click.echo(f"Wrote {output}. Submit it: sbatch {output}")


def _duration(seconds: float | None) -> str:
    """Return a duration in the unit that suits it."""
    if seconds is None:
        return "not known"
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:.1f} s"
