"""``tfmetamers networks``: what there is to invert."""

from pathlib import Path

import click
from tabulate import tabulate

from tfmetamers.cli.network_options import quiet_tensorflow


@click.group(invoke_without_command=True)
@click.pass_context
def networks(context):
    """List the networks; 'networks show NAME' prints the layers of one."""
    if context.invoked_subcommand is None:
        from tfmetamers.checkpoints.catalog import cached_checkpoint

        quiet_tensorflow()
        from tfmetamers.networks import slim

        rows = [
            [
                name,
                f"{definition.default_size} x {definition.default_size} RGB",
                definition.classes,
                ", ".join(definition.end_points),
                "fetched" if cached_checkpoint(name) else "not fetched",
            ]
            for name, definition in slim.DEFINITIONS.items()
        ]
        headers = ["network", "stimulus", "classes", "layers", "checkpoint"]
        click.echo(tabulate(rows, headers, maxcolwidths=[None, None, None, 50, None]))


@networks.command()
@click.argument("name", required=False)
@click.option("--keras-model", type=click.Path(path_type=Path), metavar="FILE.keras", help="Your own model.")
@click.option("--size", type=click.IntRange(min=1), help="Height and width of the stimulus.")
@click.option("--tensors", is_flag=True, help="List every tensor that --layer tensor:NAME takes, too.")
def show(name, keras_model, size, tensors):
    """Print each layer's name, shape, number of units and ReLU rule."""
    if (name is None) == (keras_model is None):
        raise click.UsageError("Give one of NAME and --keras-model FILE.keras.")
    quiet_tensorflow()
    from tfmetamers.networks.keras import load_keras
    from tfmetamers.networks.registry import describe_network

    network = load_keras(keras_model, size=size) if keras_model else describe_network(name, size)
    height, width, channels = network.stimulus_shape
    labels = f"; {len(network.labels)} classes" if network.labels else ""
    click.echo(f"{network.name}: stimulus {height} x {width} x {channels}, RGB in [0, 1]{labels}\n")
    rows = [
        [layer.name, " x ".join(map(str, layer.shape)), layer.size, layer.path.rule, layer.tensor]
        for layer in network.layers.values()
    ]
    headers = ["layer", "shape", "units", "gradient of the ReLU that produces it", "tensor"]
    click.echo(tabulate(rows, headers, intfmt=","))
    if tensors:
        click.echo("\nFurther tensors, for --layer tensor:NAME")
        for tensor in network.tensors:
            layer = network.layer(f"tensor:{tensor}")
            click.echo(f"  {tensor}  {' x '.join(map(str, layer.shape))}")
