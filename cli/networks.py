"""``tfmetamers networks``: what there is to invert."""

from pathlib import Path

import click
from tabulate import tabulate

from tfmetamers.cli.network_options import check_extent, quiet_tensorflow, read_any_architecture


@click.group(invoke_without_command=True)
@click.pass_context
def networks(context):
    """List the networks; 'networks show NAME' prints the layers of one."""
    if context.invoked_subcommand is None:
        quiet_tensorflow()
        from tfmetamers.networks import summarize_networks

        summaries = summarize_networks()
        rows = [
            [
                network.name + (" *" if network.note else ""),
                network.stimulus,
                network.classes,
                ", ".join(network.layers),
                _checkpoint_state(network.name),
            ]
            for network in summaries
        ]
        headers = ["network", "stimulus", "classes", "layers", "checkpoint"]
        click.echo(tabulate(rows, headers, maxcolwidths=[None, 24, None, 50, None]))
        for note in dict.fromkeys(network.note for network in summaries if network.note):
            noted = ", ".join(network.name for network in summaries if network.note == note)
            click.echo(f"\n* {noted}: {note}")


def _checkpoint_state(name: str) -> str:
    from tfmetamers.checkpoints.catalog import cache_folder, network_entry
    from tfmetamers.networks.auditory.trained_folder import bundled_networks

    if name in bundled_networks():
        return "comes with the package"
    return "fetched" if network_entry(name).location(cache_folder()) else "not fetched"


@networks.command()
@click.argument("name", required=False)
@click.option("--keras-model", type=click.Path(path_type=Path), metavar="FILE.keras", help="Your own model.")
@click.option("--architecture", type=click.Path(path_type=Path), metavar="FILE", help="Layers as JSON, or .pckl.")
@click.option(
    "--release",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="The authors' release, unpacked; NAME says which network of it.",
)
@click.option("--size", type=click.IntRange(min=1), help="Height and width of a picture.")
@click.option("--duration", type=float, metavar="SECONDS", help="Length of a sound, where any will do. [default: 2]")
@click.option("--tensors", is_flag=True, help="List every tensor that --layer tensor:NAME takes, too.")
def show(name, keras_model, architecture, release, size, duration, tensors):
    """Print each layer's name, shape, number of units and ReLU rule."""
    if sum(source is not None for source in (name or release, keras_model, architecture)) != 1:
        raise click.UsageError("Give one of NAME, --release DIR, --architecture FILE and --keras-model FILE.keras.")
    check_extent(size, duration, release, architecture, keras_model)
    quiet_tensorflow()
    network = _described(name, keras_model, architecture, release, size, duration)
    kind = "characters" if network.transcribe else "classes"
    labels = f"; {len(network.labels)} {kind}" if network.labels else ""
    click.echo(f"{network.name}: stimulus {network.domain.describe()}{labels}")
    click.echo(f"{network.provenance.note}\n" if network.provenance.note else "")
    rows = [
        [layer.name, " x ".join(map(str, layer.shape)), layer.size, layer.path.rule, layer.tensor]
        for layer in network.layers.values()
    ]
    headers = ["layer", "shape", "units", "gradient of the ReLU that produces it", "tensor"]
    click.echo(tabulate(rows, headers, intfmt=","))
    if network.further_layers:
        click.echo(f"\nFurther layers: {', '.join(network.further_layers)}")
    if tensors:
        click.echo("\nFurther tensors, for --layer tensor:NAME")
        for tensor in network.tensors:
            layer = network.layer(f"tensor:{tensor}")
            click.echo(f"  {tensor}  {' x '.join(map(str, layer.shape))}")


def _described(name, keras_model, architecture, release, size, duration):
    from tfmetamers.networks import describe_architecture, describe_network, describe_release, load_keras

    if keras_model:
        return load_keras(keras_model, size=size)
    if release:
        return describe_release(release, name)
    if architecture:
        return describe_architecture(read_any_architecture(architecture))
    return describe_network(name, size, duration)
