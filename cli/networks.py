"""``tfmetamers networks``: what there is to invert."""

import click
from tabulate import tabulate

from tfmetamers.cli.network_options import FORMS_EPILOG, model_options, parse_network, quiet_tensorflow


@click.group(invoke_without_command=True)
@click.pass_context
def networks(context):
    """List the networks; 'networks show NETWORK' prints the layers of one."""
    if context.invoked_subcommand is None:
        quiet_tensorflow()
        from tfmetamers.networks import NetworkOutline, NetworkSpec, network_names

        specs = [NetworkSpec.parse(name) for name in network_names()]
        outlines = [spec.kind.outline(spec) or NetworkOutline.of(spec.describe()) for spec in specs]
        rows = [
            [
                outline.name + (" *" if outline.note else ""),
                outline.domain.describe() + ("; any length" if "duration" in spec.kind.takes else ""),
                outline.classes,
                ", ".join(outline.layers),
                spec.kind.state(spec),
            ]
            for spec, outline in zip(specs, outlines, strict=True)
        ]
        headers = ["network", "stimulus", "classes", "layers", "weights"]
        click.echo(tabulate(rows, headers, maxcolwidths=[None, 24, None, 50, None]))
        notes = {outline.name: outline.note for outline in outlines if outline.note}
        for note in dict.fromkeys(notes.values()):
            noted = ", ".join(name for name, each in notes.items() if each == note)
            click.echo(f"\n* {noted}: {note}")


@networks.command(epilog=FORMS_EPILOG)
@click.argument("text", metavar="NETWORK")
@model_options
@click.option("--tensors", is_flag=True, help="List every tensor that --layer tensor:NAME takes, too.")
def show(text, tensors, **models):
    """Print each layer's name, shape, number of units and ReLU rule."""
    network = parse_network(text, **models).describe()
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
