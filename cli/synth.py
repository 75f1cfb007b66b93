"""``tfmetamers synth``: natural stimuli in, metamers out."""

from pathlib import Path

import click
from tabulate import tabulate
from tqdm import tqdm

from tfmetamers.cli.network_options import FORMS_EPILOG, network_options, parse_network
from tfmetamers.errors import ArgumentError
from tfmetamers.utilities.words import counted


@click.command(epilog=FORMS_EPILOG)
@network_options
@click.option("--layer", "layers", multiple=True, required=True, help="A layer's name, several times, or 'all'.")
@click.option("--recipe", "recipe_name", metavar="NAME", help="A named recipe [default: the network's own].")
@click.option("--steps", help="Number of optimiser steps, in place of the recipe's.")
@click.option("--learning-rate", help="Adam's learning rate, in place of the recipe's.")
@click.option("--relu-gradient", help="'straight-through' or 'normal', in place of the recipe's.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Any other field of the recipe, several times.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the noise.")
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Metamers that advance together.",
)
@click.option(
    "--snapshot-every",
    type=click.IntRange(min=1),
    metavar="STEPS",
    help="Save the stimulus every so many steps.",
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
    type=click.Choice(["pad", "trim", "centre"]),
    help="Fit sounds of another length than the network's, which are refused otherwise.",
)
@click.option(
    "--optimize",
    type=click.Choice(["stimulus", "cochleagram"]),
    default="stimulus",
    show_default=True,
    help="Optimise the cochleagram in place of the waveform.",
)
@click.option(
    "--kernels",
    type=click.Choice(["quick", "small"]),
    help="How convolutions are computed: quicker, or in less memory [default: by network and layer].",
)
@click.option("--keep-state", is_flag=True, help="Keep with each metamer what --extend continues it from.")
@click.option("--extend", is_flag=True, help="Continue metamers of fewer steps whose state was kept.")
@click.option("--fast-operations", is_flag=True, help="Allow operations whose results differ from run to run.")
@click.option("--dry-run", is_flag=True, help="Say what would be made, and how long it would take, and stop.")
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
    known, label and category. What was stopped is continued by the same command, and what is finished is not made
    again.
    """
    overrides = {"steps": steps, "learning_rate": learning_rate, "relu_gradient": relu_gradient}
    overrides = _overrides(settings, {field: value for field, value in overrides.items() if value is not None})
    spec = parse_network(text, optimize=optimize, **network)
    from tfmetamers.synthesis.plan import plan_run
    from tfmetamers.synthesis.request import Request, plan_request
    from tfmetamers.synthesis.unfinished import clear_leftovers

    request = Request(spec, layers, inputs, out, recipe_name, overrides, seed, kernels, fit)
    loaded = _Loaded(spec)
    specs, outline, recipe = plan_request(request, loaded)
    plan = plan_run(specs, out, batch_size, extend=extend)
    _introduce(outline, recipe, plan, out)
    options = {"snapshot_every": snapshot_every, "keep_state": keep_state}
    if dry_run:
        _estimate(plan, outline, loaded, not fast_operations, **options)
        return
    clear_leftovers(out, plan.finished)
    if plan.batches:
        _execute(plan, loaded, deterministic=not fast_operations, **options)


class _Loaded:
    """The network, loaded when it is first needed."""

    def __init__(self, spec):
        self._spec, self._network = spec, None

    def __call__(self):
        if self._network is None:
            self._network = self._spec.load()
            click.echo(f"{self._network.name}, {self._network.provenance.describe()}")
        return self._network


def _overrides(settings, options) -> dict[str, str]:
    """Return the fields of the recipe that --set and the options of their own name set."""
    for setting in settings:
        if "=" not in setting:
            raise ArgumentError(f"--set got {setting!r}; FIELD=VALUE was expected, such as decay_rate=1.")
    pairs = [setting.split("=", 1) for setting in settings] + list(options.items())
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ArgumentError("The same field of the recipe is set twice; set it once.")
    return fields


def _introduce(outline, recipe, plan, out) -> None:
    click.echo(
        f"{outline.name}, recipe {recipe.name}: {counted(recipe.steps, 'step')} of Adam at {recipe.learning_rate:g}"
    )
    for field, (named, used) in recipe.deviations().items():
        click.echo(f"  {field}: {used} in place of {named}")
    extended = f" ({plan.extended} from those of fewer steps)" if plan.extended else ""
    click.echo(f"{counted(plan.waiting, 'metamer')} to make{extended}, {len(plan.finished)} made before, in {out}")


def _estimate(plan, outline, loaded, deterministic, **options) -> None:
    from tfmetamers.synthesis.plan import estimate_bytes

    rows, hours = [], 0.0
    if plan.batches:
        from tfmetamers.synthesis.runs import measure_seconds

        for layer in plan.layers:
            batches = [batch for batch in plan.batches if batch[0].spec.layer == layer]
            seconds = measure_seconds(plan, loaded(), layer, deterministic=deterministic)
            steps = sum(batch[0].spec.recipe.steps - batch[0].steps_begun for batch in batches)
            duration = seconds * steps / 3600
            hours += duration
            rows.append([layer, sum(map(len, batches)), f"{seconds:.3f}", f"{duration:.2f}"])
        click.echo("\n" + tabulate(rows, ["layer", "metamers", "seconds a step", "hours"], disable_numparse=True))
    size = estimate_bytes(plan, outline.domain, **options)
    click.echo(f"\nAt most {size / 1e6:,.1f} MB on disk; {hours:.2f} hours on this machine. Nothing was made.")


def _execute(plan, loaded, **options) -> None:
    from tfmetamers.synthesis.runs import execute_run

    rows, job = [], None
    try:
        with _ProgressBars(plan) as bars:
            for job, metamer in execute_run(plan, loaded(), progress=bars.update, **options):
                rows.append(_row(job, metamer.record))
    finally:  # What was made is told where something else failed, too.
        if rows:
            headers = ["stimulus", "layer", "first loss", "last loss", "correlation", "original is", "metamer is"]
            click.echo(tabulate(rows, headers, disable_numparse=True))
            click.echo(f"\nEach is in a folder of its own, such as {job.folder}.")


def _row(job, record) -> list[str]:
    correlation = record.correlation
    return [
        job.spec.stimulus.id,
        record.layer.name,
        f"{record.loss.initial:.4g}",
        f"{record.loss.final:.4g}",
        "undefined" if correlation is None else f"{correlation:.4f}",
        *((record.prediction[which] or {}).get("label", "-") for which in ("original", "metamer")),
    ]


class _ProgressBars:
    """One bar for each layer, over the steps of all its batches."""

    def __init__(self, plan):
        self._batches = {
            layer: [batch for batch in plan.batches if batch[0].spec.layer == layer] for layer in plan.layers
        }
        self._layer, self._bar = None, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._close()

    def _close(self):
        if self._bar is not None:
            self._bar.close()

    def update(self, batch, state) -> None:
        spec = batch[0].spec
        batches, steps = self._batches[spec.layer], spec.recipe.steps
        if spec.layer != self._layer:
            self._close()
            self._layer, self._bar = spec.layer, tqdm(total=len(batches) * steps, desc=spec.layer, unit="step")
        place = next(place for place, each in enumerate(batches) if batch[0] in each)
        done = place * steps + state.step
        if self._bar.n == 0 and state.step > 1:
            self._bar.initial = done - 1
        self._bar.set_postfix_str(f"loss {state.losses[-1].mean():.4g}", refresh=False)
        self._bar.update(done - self._bar.n)
