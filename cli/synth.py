"""``tfmetamers synth``: natural stimuli in, metamers out."""

from pathlib import Path

import click
from tabulate import tabulate
from tqdm import tqdm

from tfmetamers.cli.network_options import build_network, layer_names, network_options
from tfmetamers.errors import ArgumentError


@click.command()
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
    dry_run,
    inputs,
    **network,
):
    """Make a metamer of each INPUT at each LAYER of a network.

    An INPUT is a picture or a sound, a folder of them, or a manifest (CSV with the columns id, file and, if known,
    label and category). The same command run again continues what is unfinished and skips what is done.
    """
    overrides = {"steps": steps, "learning_rate": learning_rate, "relu_gradient": relu_gradient}
    overrides = _overrides(settings, {field: value for field, value in overrides.items() if value is not None})
    network = build_network(**network)
    if optimize == "cochleagram":
        network = network.without_front_end()
    from tfmetamers.recipes import find_recipe
    from tfmetamers.stimuli.collection import collect_stimuli
    from tfmetamers.synthesis.runs import plan_run

    recipe = find_recipe(recipe_name or network.recipe).replace(**overrides)
    names = layer_names(network, layers)
    stimuli = collect_stimuli(inputs, network.domain.suffixes, ignored=out)
    runs = [
        plan_run(network, layer, stimuli, recipe=recipe, seed=seed, out=out, batch_size=batch_size, fit=fit)
        for layer in names
    ]
    _introduce(network, recipe, runs, out)
    if dry_run:
        _estimate(runs, snapshot_every)
    else:
        _execute(runs, snapshot_every)


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


def _introduce(network, recipe, runs, out) -> None:
    click.echo(f"{network.name}, {network.provenance.describe()}")
    click.echo(f"Recipe {recipe.name}: {recipe.steps} steps of Adam at {recipe.learning_rate:g}")
    for field, (named, used) in recipe.deviations().items():
        click.echo(f"  {field}: {used} in place of {named}")
    waiting = sum(len(batch) for run in runs for batch in run.batches)
    finished = sum(len(run.finished) for run in runs)
    click.echo(f"{waiting} metamers to make, {finished} made before, in {out}")


def _estimate(runs, snapshot_every) -> None:
    from tfmetamers.synthesis.runs import estimate_bytes, measure_seconds

    rows, hours = [], 0.0
    for run in filter(lambda run: run.batches, runs):
        seconds = measure_seconds(run)
        metamers = sum(map(len, run.batches))
        duration = seconds * run.synthesis.recipe.steps * len(run.batches) / 3600
        hours += duration
        rows.append([run.synthesis.layer, metamers, f"{seconds:.3f}", f"{duration:.2f}"])
    size = sum(estimate_bytes(run, snapshot_every) for run in runs)
    click.echo("\n" + tabulate(rows, ["layer", "metamers", "seconds a step", "hours"], disable_numparse=True))
    click.echo(f"\nAt most {size / 1e6:,.1f} MB on disk; {hours:.2f} hours on this machine. Nothing was made.")


def _execute(runs, snapshot_every) -> None:
    from tfmetamers.synthesis.runs import execute_run

    rows = []
    for run in runs:
        with _ProgressBar(run) as bar:
            for job, metamer in execute_run(run, snapshot_every=snapshot_every, progress=bar.update):
                rows.append(_row(run.synthesis.layer, job, metamer.record))
    if rows:
        headers = ["stimulus", "layer", "first loss", "last loss", "correlation", "original is", "metamer is"]
        click.echo(tabulate(rows, headers, disable_numparse=True))
        click.echo(f"\nEach lies in a folder of its own, such as {job.folder}.")


def _row(layer, job, record) -> list[str]:
    correlation, predictions = record["correlation"], record["prediction"]
    return [
        job.stimulus.id,
        layer,
        f"{record['loss']['initial']:.4g}",
        f"{record['loss']['final']:.4g}",
        "undefined" if correlation is None else f"{correlation:.4f}",
        *((predictions[which] or {}).get("label", "-") for which in ("original", "metamer")),
    ]


class _ProgressBar:
    """One bar a layer, over the steps of all its batches."""

    def __init__(self, run):
        self._batches = run.batches
        self._steps = run.synthesis.recipe.steps
        total = len(run.batches) * self._steps
        self._bar = tqdm(total=total, desc=run.synthesis.layer, unit="step", disable=not run.batches)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._bar.close()

    def update(self, batch, state) -> None:
        done = self._batches.index(batch) * self._steps + state.step
        if self._bar.n == 0 and state.step > 1:
            self._bar.initial = done - 1
        self._bar.set_postfix_str(f"loss {state.losses[-1].mean():.4g}", refresh=False)
        self._bar.update(done - self._bar.n)
