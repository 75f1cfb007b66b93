"""``tfmetamers null``: null distributions, which the match of a metamer must exceed."""

from pathlib import Path

import click

from tfmetamers.cli.memory_size import MemorySize
from tfmetamers.cli.network_options import (
    NOTATION_EPILOG,
    layers_option,
    network_options,
    parse_network,
    quiet_tensorflow,
)
from tfmetamers.cli.output import (
    Column,
    json_option,
    progress_bar,
    progress_counter,
    quiet_option,
    say,
    show_table,
    warn,
)
from tfmetamers.errors import ArgumentError
from tfmetamers.inclusion.measures import TITLES
from tfmetamers.inclusion.null import DESIGNS
from tfmetamers.stimuli.sounds import FITS
from tfmetamers.utilities.words import counted

_FIGURES = (".png", ".pdf", ".svg")

_output_option = click.option(
    "--output",
    "out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE.npz",
    help="File to write.",
)


@click.group()
def null() -> None:
    """Build, merge and show null distributions: how well unrelated stimuli match.

    A metamer passes only if its activations match the original's better than those of any such pair: by Spearman's
    correlation and, for recipes of 2023, also by Pearson's and the signal-to-noise ratio.
    """


@null.command(epilog=NOTATION_EPILOG)
@network_options
@layers_option
@click.option(
    "--stimuli",
    "inputs",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A folder, a manifest (CSV) or a file; can be given several times.",
)
@click.option("--pairs", type=click.IntRange(min=1), required=True, help="Number of pairs.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the pairs.")
@click.option(
    "--design",
    type=click.Choice(DESIGNS),
    default="blocks",
    show_default=True,
    help="Pairs within random blocks of stimuli, or each stimulus in at most one pair.",
)
@click.option(
    "--memory",
    "memory_bytes",
    type=MemorySize(),
    default="4GB",
    show_default=True,
    help="Space for activations and ranks in temporary files beside the output; a single layer may need more.",
)
@click.option(
    "--fit",
    type=click.Choice(FITS),
    help="Fit sounds of another length to the network's; they are otherwise left out.",
)
@_output_option
@quiet_option
@json_option
def build(layers, inputs, pairs, seed, design, memory_bytes, fit, out, text, **network):
    """Compare the activations of random pairs of stimuli at each LAYER of a network.

    Copies of a stimulus and files that cannot be loaded are listed and left out. After an interruption, the same
    command continues; the same seed gives the same file, whatever the memory.
    """
    _check_name(out, (".npz",), "null distribution")
    network = parse_network(text, **network).load()
    from tfmetamers.inclusion.null_construction import build_null, examine_stimuli, plan_null
    from tfmetamers.stimuli.collection import collect_stimuli

    names = network.layer_names(layers)
    files = collect_stimuli(inputs, network.domain.suffixes)
    with progress_bar(total=len(files), desc="stimuli", unit="stimulus", leave=False) as bar:
        stimuli = examine_stimuli(network, files, fit=fit, progress=bar.update)
    _report_stimuli(stimuli)
    plan = plan_null(network, names, stimuli, pairs=pairs, seed=seed, out=out, design=design, memory_bytes=memory_bytes)
    say(f"{network.name}, {network.describe().describe_weights()}; {pairs:,} pairs, {design}, seed {seed}")
    with progress_counter("ranks", "stimulus") as progress:
        built = build_null(plan, progress=progress)
    _show_table(built)
    say(f"\nWrote {out}.")


@null.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@_output_option
@quiet_option
@json_option
def merge(files, out):
    """Merge null distributions of one network that have no pair in common."""
    from tfmetamers.inclusion.null_files import load_null
    from tfmetamers.inclusion.null_merging import merge_nulls

    _check_name(out, (".npz",), "null distribution")
    if len(files) < 2:
        raise ArgumentError(f"Only {files[0]} was given; give at least two files to merge.")
    if out.exists():
        raise ArgumentError(f"{out} already exists; give another --output, or move it away.")
    merged = merge_nulls([load_null(file) for file in files])
    merged.save(out)
    merged.warn()
    _show_table(merged)
    say(f"\nWrote {out}.")


@null.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--figure",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.png",
    help="Draw a histogram of each layer.",
)
@quiet_option
@json_option
def show(file, figure):
    """Show what a null distribution holds; FILE can be one of the authors' pickles, which are never executed."""
    from tfmetamers.inclusion.null_files import load_null

    if figure:
        _check_name(figure, _FIGURES, "figure")
    quiet_tensorflow()
    loaded = load_null(file)
    say("\n".join(_description(loaded)) + "\n")
    _show_table(loaded)
    loaded.warn()
    if figure:
        from tfmetamers.plotting.nulls import plot_null
        from tfmetamers.utilities.files import atomic_write

        with atomic_write(figure) as partial:
            plot_null(loaded).savefig(partial, dpi=150)
        say(f"\nWrote {figure}.")


def _check_name(path: Path, endings: tuple[str, ...], what: str) -> None:
    if path.suffix.lower() not in endings:
        listed = " or ".join(endings)
        raise ArgumentError(f"The name of the {what} is {path}; a name that ends in {listed} was expected.")


def _report_stimuli(stimuli) -> None:
    say(f"{counted(len(stimuli.files), 'different stimulus', 'different stimuli')}")
    if stimuli.duplicates:
        listed = "; ".join(f"{id_} is a copy of {first}" for id_, first in stimuli.duplicates[:5])
        say(f"{counted(len(stimuli.duplicates), 'copy', 'copies')} left out: {listed}{_and_more(stimuli.duplicates)}")
    if stimuli.broken:
        warn(f"{counted(len(stimuli.broken), 'file was', 'files were')} left out that cannot be loaded:")
        for id_, reason in stimuli.broken[:20]:
            warn(f"  {id_}: {reason}")
        if len(stimuli.broken) > 20:
            warn(f"  and {len(stimuli.broken) - 20:,} more")


def _and_more(items: list) -> str:
    return f"; and {len(items) - 5:,} more" if len(items) > 5 else ""


def _description(loaded) -> list[str]:
    digest = (loaded.network or {}).get("digest")
    weights = f", weights with SHA-256 {digest[:12]}..." if digest else ""
    lines = [f"{loaded.network_name}{weights}", loaded.claim()]
    if loaded.pairs is not None:
        lines[1] += f"; design {loaded.design}, " + ("several seeds" if loaded.seed is None else f"seed {loaded.seed}")
        duplicates, broken = (len(loaded.left_out.get(reason, ())) for reason in ("duplicates", "broken"))
        if duplicates or broken:
            files = counted(broken, "file") + " that cannot be loaded"
            lines.append(f"left out: {counted(duplicates, 'copy', 'copies')}, {files}")
    if loaded.parts:
        lines.append(f"merged from {counted(len(loaded.parts), 'null distribution')}")
    return lines


def _show_table(loaded) -> None:
    rows = []
    for layer in loaded.layers:
        undefined = loaded.undefined(layer)
        is_defined = undefined < loaded.pairs_count
        rows.append(
            {
                "layer": layer,
                "pairs": loaded.pairs_count,
                "undefined": undefined,
                "median": loaded.quantile(layer, 0.5) if is_defined else None,
                "percentile_99_9": loaded.quantile(layer, 0.999) if is_defined else None,
                "maximum": loaded.maximum(layer) if is_defined else None,
                **{f"maximum_{name}": _maximum(loaded, layer, name) for name in loaded.further},
            }
        )
    columns = {
        "layer": "layer",
        "pairs": Column("pairs", ","),
        "undefined": Column("undefined", ","),
        "median": Column("median", ".4f"),
        "percentile_99_9": Column("99.9th percentile", ".4f"),
        "maximum": Column("maximum", ".4f"),
        **{f"maximum_{name}": Column(f"maximum of {TITLES[name]}", ".4f") for name in loaded.further},
    }
    show_table(rows, columns, maxheadercolwidths=14)


def _maximum(loaded, layer, measure) -> float | None:
    is_defined = loaded.undefined(layer, measure) < loaded.pairs_count
    return loaded.maximum(layer, measure) if is_defined else None
