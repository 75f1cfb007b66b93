"""``tfmetamers synth``: metamers of natural stimuli."""

import itertools
from pathlib import Path

import click

from tfmetamers.cli.network_options import NOTATION_EPILOG, layers_option, network_options, parse_network
from tfmetamers.cli.output import (
    Column,
    json_option,
    progress_bar,
    progress_over,
    quiet_option,
    say,
    say_above_bars,
    show_table,
)
from tfmetamers.errors import ArgumentError
from tfmetamers.networks.graph.kernels import KERNELS
from tfmetamers.networks.spec import OPTIMIZED, STIMULUS
from tfmetamers.recipes import RELU_GRADIENTS
from tfmetamers.stimuli.sounds import FITS
from tfmetamers.utilities.words import counted, duration_range

#: If a dry run expects more seconds than this, it says what may help.
LONG = 2 * 3600

#: A run says how long a layer takes once this many calls of steps have been timed.
TIMED_CALLS = 3


@click.command(epilog=NOTATION_EPILOG)
@network_options
@layers_option
@click.option("--recipe", "recipe_name", metavar="NAME", help="A recipe. [default: the network's own]")
@click.option("--steps", type=int, help="Number of optimiser steps. [default: the recipe's]")
@click.option("--learning-rate", type=float, help="The optimiser's learning rate. [default: the recipe's]")
@click.option("--relu-gradient", type=click.Choice(RELU_GRADIENTS), help="[default: the recipe's]")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Another field of the recipe; can be given several times.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the noise.")
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="The number of metamers that advance together.",
)
@click.option(
    "--snapshot-every",
    type=click.IntRange(min=1),
    metavar="STEPS",
    help="Save the stimulus at every multiple of this number of steps.",
)
@click.option(
    "--output",
    "out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("metamers"),
    show_default=True,
    help="Folder to write to.",
)
@click.option(
    "--fit",
    type=click.Choice(FITS),
    help="Fit sounds of another length to the network's; they are otherwise refused.",
)
@click.option(
    "--optimize",
    type=click.Choice(OPTIMIZED),
    default=STIMULUS,
    show_default=True,
    help="What to optimise: the stimulus, or the cochleagram in place of the waveform.",
)
@click.option(
    "--kernels",
    type=click.Choice(KERNELS),
    help="How convolutions are computed: faster, or in less memory. [default: depends on network and layer]",
)
@click.option(
    "--keep-state", is_flag=True, help="Save the optimiser's state with each metamer, so that --extend can continue it."
)
@click.option("--extend", is_flag=True, help="Continue metamers that were made with fewer steps and --keep-state.")
@click.option(
    "--fast-operations", is_flag=True, help="Allow operations whose results differ from run to run and, on a GPU, TF32."
)
@click.option("--dry-run", is_flag=True, help="Show what would be made and how long it would take, but make nothing.")
@quiet_option
@json_option
@click.argument("inputs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="INPUT...")
def synth(
    layers,
    recipe_name,
    steps,
    learning_rate,
    relu_gradient,
    settings,
    seed,
    batch_size,
    snapshot_every,
    out,
    fit,
    optimize,
    kernels,
    keep_state,
    extend,
    fast_operations,
    dry_run,
    inputs,
    text,
    **network,
):
    """Make a metamer of each INPUT at each LAYER of a network.

    An INPUT is a picture or a sound, a folder of them, or a manifest: a CSV file with the columns id, file and, if
    known, label and category. The same command continues a run that was stopped; finished metamers are not made again.
    """
    overrides = {"steps": steps, "learning_rate": learning_rate, "relu_gradient": relu_gradient}
    overrides = _overrides(settings, {field: value for field, value in overrides.items() if value is not None})
    spec = parse_network(text, optimize=optimize, **network)
    from tfmetamers.synthesis.plan import plan_run
    from tfmetamers.synthesis.request import Request, plan_request
    from tfmetamers.synthesis.unfinished import clear_leftovers

    request = Request(spec, layers, inputs, out, recipe_name, overrides, seed, kernels, fit)
    load_network = _LazyNetwork(spec)
    with progress_over("stimuli", "stimulus", leave=False) as progress:
        specs, outline, recipe = plan_request(request, load_network, progress)
    with progress_over("planned", "metamer", leave=False) as progress:
        plan = plan_run(specs, out, batch_size, extend=extend, progress=progress)
    _introduce(outline, recipe, plan, out)
    options = {"snapshot_every": snapshot_every, "keep_state": keep_state}
    if dry_run:
        _estimate(plan, outline, load_network, batch_size, not fast_operations, **options)
        return
    clear_leftovers(out, plan.finished)
    if plan.batches:
        _execute(plan, load_network, deterministic=not fast_operations, **options)
    else:
        show_table([], _COLUMNS)


class _LazyNetwork:
    """The network, loaded when it is first needed."""

    def __init__(self, spec):
        self._spec, self._network = spec, None

    def __call__(self):
        if self._network is None:
            self._network = self._spec.load()
            from tfmetamers.utilities.device import describe_device

            say(f"{self._network.name}, {self._network.describe().describe_weights()}, on the {describe_device()}")
        return self._network


def _overrides(settings, options) -> dict[str, str]:
    """Return the fields of the recipe that --set and the options of their own name set."""
    for setting in settings:
        if "=" not in setting:
            raise ArgumentError(f"--set got {setting!r}; FIELD=VALUE was expected, such as decay_rate=1.")
    pairs = [setting.split("=", 1) for setting in settings] + list(options.items())
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ArgumentError("A field of the recipe is set twice; set it once.")
    return fields


def _introduce(outline, recipe, plan, out) -> None:
    say(f"{outline.name}, recipe {recipe.name}: {counted(recipe.steps, 'step')} of {recipe.optimizer_title}")
    for field, (named, used) in recipe.deviations().items():
        say(f"  {field}: {used} in place of {named}")
    extended = f" ({plan.extended} continued from fewer steps)" if plan.extended else ""
    say(f"{counted(plan.waiting, 'metamer')} to make{extended}, {len(plan.finished)} made before, in {out}")


def _estimate(plan, outline, load_network, batch_size, deterministic, **options) -> None:
    from tfmetamers.synthesis.plan import estimate_bytes

    rows = []
    if plan.batches:
        from tfmetamers.synthesis.runs import measure_seconds

        for layer, batches in plan.by_layer.items():
            a_step = measure_seconds(plan, load_network(), layer, deterministic=deterministic)
            steps = sum(map(_steps_of, batches))
            rows.append(
                {
                    "layer": layer,
                    "metamers": sum(map(len, batches)),
                    "seconds_per_step": a_step,
                    "seconds": tuple(steps * seconds for seconds in a_step),
                }
            )
        say("")
        columns = {
            "layer": "layer",
            "metamers": "metamers",
            "seconds_per_step": Column("seconds per step", lambda ends: "{:.3g} to {:.3g}".format(*ends)),
            "seconds": Column("time", lambda ends: duration_range(*ends)),
        }
        show_table(rows, columns)
    size = estimate_bytes(plan, outline.domain, **options)
    say(f"\nAt most {size / 1e6:,.1f} MB on disk. Nothing was made.")
    if rows:
        fastest, slowest = (sum(row["seconds"][end] for row in rows) for end in (0, 1))
        say(f"{duration_range(fastest, slowest).capitalize()} on this machine, judging by a few timed steps.")
        if slowest > LONG:
            _advise(batch_size, max(row["metamers"] for row in rows))


def _steps_of(batch) -> int:
    return batch[0].spec.recipe.steps - batch[0].first_step


def _advise(batch_size: int, metamers: int) -> None:
    """Say what may shorten a long run."""
    from tfmetamers.utilities.device import has_gpu

    if batch_size < metamers:
        say(f"Batches larger than {batch_size} (--batch-size) may take less time per metamer, but need more memory.")
    if not has_gpu():
        say("TensorFlow found no GPU here; on one, steps take a fraction of the time.")
    say(
        "Several processes that run the same command divide its batches among themselves. For whole grids, on any "
        "number of machines, there is 'tfmetamers experiment'."
    )


def _execute(plan, load_network, **options) -> None:
    from tfmetamers.synthesis.runs import execute_run

    rows, job = [], None
    try:
        with _Progress(plan) as progress:
            for job, metamer in execute_run(plan, load_network(), progress=progress.update, **options):
                rows.append(_row(job, metamer.record))
    finally:  # Also shown if something else failed.
        show_table(rows, _COLUMNS)
        if rows:
            say(f"\nEach metamer has its own folder, such as {job.folder}.")


_COLUMNS = {
    "stimulus": "stimulus",
    "layer": "layer",
    "first_loss": Column("first loss", ".4g"),
    "last_loss": Column("last loss", ".4g"),
    "correlation": Column("correlation", lambda value: "undefined" if value is None else f"{value:.4f}"),
    "original_is": "original is",
    "metamer_is": "metamer is",
}


def _row(job, record) -> dict:
    predicted = {which: (record.prediction[which] or {}).get("label") for which in ("original", "metamer")}
    return {
        "stimulus": job.spec.stimulus.id,
        "layer": record.layer.name,
        "first_loss": record.loss.initial,
        "last_loss": record.loss.final,
        "correlation": record.correlation,
        **{f"{which}_is": label for which, label in predicted.items()},
        "folder": job.folder,
    }


class _Progress:
    """A bar for each layer, over the steps of all its batches, and how long the layer will take."""

    def __init__(self, plan):
        self._batches = plan.by_layer
        self._totals = {layer: sum(map(_steps_of, batches)) for layer, batches in self._batches.items()}
        self._before = {}  # By a metamer's folder, the steps of the batches before that which it is in.
        for batches in self._batches.values():
            for batch, before in zip(batches, itertools.accumulate(map(_steps_of, batches), initial=0), strict=False):
                self._before |= {job.folder: before for job in batch}
        self._layer, self._bar = None, None
        self._last, self._seconds = None, []  # The call before, and the seconds per step of those that were timed.

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._close()

    def _close(self):
        if self._bar is not None:
            self._bar.close()

    def update(self, batch, state) -> None:
        layer = batch[0].spec.layer
        total, done = self._totals[layer], self._before[batch[0].folder] + state.step - batch[0].first_step
        if layer != self._layer:
            self._close()
            self._layer, self._bar = layer, progress_bar(total=total, desc=layer, unit="step")
            self._bar.initial = done - 1
            self._last, self._seconds = None, []
        self._bar.set_postfix_str(f"loss {state.losses[-1].mean():.4g}", refresh=False)
        self._bar.update(done - self._bar.n)
        self._time(batch, state, total - done)

    def _time(self, batch, state, waiting: int) -> None:
        """Time the first calls after the one in which the layer is compiled, and say how long the layer takes."""
        if self._last is not None and self._last[0] == batch[0].folder and len(self._seconds) < TIMED_CALLS:
            _, step, seconds = self._last
            self._seconds.append((state.seconds - seconds) / (state.step - step))
            if len(self._seconds) == TIMED_CALLS:
                left = duration_range(*(waiting * end for end in (min(self._seconds), max(self._seconds))))
                metamers = counted(sum(map(len, self._batches[self._layer])), "metamer")
                say_above_bars(f"{metamers} of {self._layer}: {left}, judging by the first steps")
        self._last = batch[0].folder, state.step, state.seconds
