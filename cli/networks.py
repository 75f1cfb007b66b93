"""``tfmetamers networks``: the networks and their layers."""

from dataclasses import asdict

import click

from tfmetamers.cli.network_options import (
    NOTATION_EPILOG,
    complete_network,
    model_options,
    parse_network,
    quiet_tensorflow,
)
from tfmetamers.cli.output import Column, json_option, quiet_option, say, show_line, show_table
from tfmetamers.utilities.words import byte_size


@click.group(invoke_without_command=True)
@click.option("--paper", type=click.Choice(["2023"]), help="List the 48 models of that paper instead.")
@quiet_option
@json_option
@click.pass_context
def networks(context, paper):
    """List the networks; 'networks show NETWORK' prints the layers of one."""
    if context.invoked_subcommand is not None and paper:
        raise click.UsageError(f"--paper lists the models of a paper; leave out {context.invoked_subcommand!r}.")
    if paper:
        _list_published()
    elif context.invoked_subcommand is None:
        quiet_tensorflow()
        from tfmetamers.networks import NetworkOutline, NetworkSpec, network_names

        specs = [NetworkSpec.parse(name) for name in network_names()]
        outlines = [spec.network_family.outline(spec) or NetworkOutline.of(spec.describe()) for spec in specs]
        rows = [
            {
                "network": outline.name,
                "stimulus": outline.domain.describe()
                + ("; any length" if "duration" in spec.network_family.takes else ""),
                "classes": outline.classes,
                "layers": list(outline.layers),
                "weights": spec.network_family.state(spec),
                "note": outline.note,
            }
            for spec, outline in zip(specs, outlines, strict=True)
        ]
        notes = {outline.name: outline.note for outline in outlines if outline.note}
        columns = {
            "network": Column("network", lambda name: f"{name} *" if name in notes else name),
            "stimulus": "stimulus",
            "classes": "classes",
            "layers": Column("layers", ", ".join),
            "weights": "weights",
        }
        show_table(rows, columns, maxcolwidths=[None, 24, None, 50, None])
        for note in dict.fromkeys(notes.values()):
            noted = ", ".join(name for name, each in notes.items() if each == note)
            say(f"\n* {noted}: {note}")


def _list_published() -> None:
    """Show the models of the 2023 paper."""
    from tfmetamers.networks.own.keras_stages import COMMON_DIFFERENCES, STAGES
    from tfmetamers.published.models import published_models

    columns = {
        "name": "model",
        "stages": Column("stages", ", ".join),
        "weights": "weights",
        "licence": "licence",
        "tensorflow": Column("for TensorFlow", lambda has: has if has == "no" else f"its {has}"),
        "tensorflow_note": "how",
        "keras": Column("in Keras", lambda name: f"keras:{name}" if name else "-"),
    }
    rows = [asdict(model) for model in published_models()]
    show_table(rows, columns, maxcolwidths=[None, 34, 34, 12, None, 26, None])
    for differences in dict.fromkeys(stages.differences for stages in STAGES.values()):
        alike = " and ".join(f"keras:{name}" for name, stages in STAGES.items() if stages.differences == differences)
        say(f"\nThe stages of {alike}: {differences}")
    say(f"\nAll of these: {COMMON_DIFFERENCES}")


@networks.command(epilog=NOTATION_EPILOG)
@click.argument("text", metavar="NETWORK", shell_complete=complete_network)
@model_options
@click.option("--tensors", is_flag=True, help="Also list every tensor that --layer tensor:NAME can name.")
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="The number of metamers that advance together, for the memory of a step.",
)
@quiet_option
@json_option
def show(text, tensors, batch_size, **models):
    """Show each layer's name, shape, number of units, memory and ReLU gradient."""
    network = parse_network(text, **models).describe()
    kind = "characters" if network.transcribe else "classes"
    labels = f"; {len(network.labels)} {kind}" if network.labels else ""
    say(f"{network.name}: stimulus {network.domain.describe()}{labels}")
    say(f"{network.provenance.note}\n" if network.provenance.note else "")
    memory = network.step_bytes(list(network.layers), batch_size)
    columns = {
        "layer": "layer",
        "shape": Column("shape", _sides),
        "units": Column("units", ","),
        "memory": Column("memory of a step", lambda size: f"about {byte_size(size)}"),
        "relu_gradient": "gradient of its ReLU",
        "tensor": "tensor",
    }
    rows = [
        {
            "layer": layer.name,
            "shape": layer.shape,
            "units": layer.size,
            "memory": memory[layer.name],
            "relu_gradient": layer.path.rule,
            "tensor": layer.tensor,
        }
        for layer in network.layers.values()
    ]
    show_table(rows, columns)
    if network.further_layers:
        say(f"\nFurther layers: {', '.join(network.further_layers)}")
    if tensors:
        say("\nFurther tensors, for --layer tensor:NAME")
        for tensor in network.tensors:
            show_line(f"  {tensor}  {_sides(network.layer(f'tensor:{tensor}').shape)}")


def _sides(shape) -> str:
    return " x ".join(map(str, shape))
