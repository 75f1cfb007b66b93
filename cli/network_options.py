"""The options that name a network."""

import functools
import os
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from tfmetamers.errors import TfmetamersError
from tfmetamers.networks.notation import NOTATION
from tfmetamers.networks.spec import NetworkSpec
from tfmetamers.networks.spec_values import read_labels
from tfmetamers.stimuli.domains import MODEL_DOMAINS

#: The notation of networks, as the end of a command's help.
NOTATION_EPILOG = "\b\nA NETWORK is written as one of\n" + "\n".join(
    f"  {form}\n    {meaning}" for form, meaning in NOTATION.items()
)


def complete_network(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the names of networks that begin with a word; if none does, the shell completes files."""
    from tfmetamers.networks.families import network_names

    names = [name for name in network_names() if name.startswith(incomplete)]
    return [*map(CompletionItem, names)] or [CompletionItem(incomplete, type="file")]


def complete_layer(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the layers that begin with a word, of the network that was named before it.

    A network that must be loaded for its layers has none here: that would take longer than a shell can wait.
    """
    try:
        spec = NetworkSpec.parse(context.params.get("text"))
        outline = spec.network_family.outline(spec)
    except TfmetamersError:
        return []
    names = ["all", *outline.layers] if outline else []
    return [name for name in names if name.startswith(incomplete)]


def quiet_tensorflow() -> None:
    """Keep the notices of TensorFlow's libraries off the terminal, unless the user has asked for them.

    At level 2 TensorFlow still reports errors about CUDA plug-ins on machines without a GPU; what goes wrong
    in a run arrives as an exception at any level.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def network_options(command):
    """Add the options that name a network to a command."""
    options = [
        click.option(
            "--network",
            "text",
            metavar="NETWORK",
            required=True,
            shell_complete=complete_network,
            help="The network, in the notation below.",
        ),
        click.option(
            "--checkpoint",
            type=click.Path(path_type=Path),
            metavar="PATH",
            help="A checkpoint with the network's weights; the same as NAME=PATH.",
        ),
    ]
    return _with(options, model_options(command))


#: Adds ``--layer`` to a command.
layers_option = click.option(
    "--layer",
    "layers",
    multiple=True,
    required=True,
    shell_complete=complete_layer,
    help="A layer's name, or 'all'; can be given several times.",
)


def model_options(command):
    """Add the options for what the files of models do not state to a command."""
    options = [
        click.option(
            "--labels",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            metavar="FILE",
            help="A file with the labels of your own model's outputs, one per line.",
        ),
        click.option(
            "--input-range",
            type=float,
            nargs=2,
            metavar="BLACK WHITE",
            help="The values of black and white in your own model's input, such as 0 255. [default: 0 1]",
        ),
        click.option("--logits", metavar="NAME", help="The output of your own model that the labels belong to."),
        click.option("--input", metavar="NAME", help="The tensor of a graph that takes the stimuli."),
        click.option("--signature", metavar="NAME", help="The signature of a SavedModel to use."),
        click.option(
            "--domain",
            type=click.Choice(list(MODEL_DOMAINS)),
            help="The kind of stimuli for your own model, if it does not follow from the model's input.",
        ),
        click.option(
            "--sampling-rate",
            type=click.IntRange(min=1),
            metavar="HZ",
            help="The sampling rate of the sounds that your own model takes, in Hz.",
        ),
    ]
    return _with(options, command)


def _with(options: list, command):
    return functools.reduce(lambda decorated, option: option(decorated), reversed(options), command)


def parse_network(text: str, *, labels: Path | None = None, **fields) -> NetworkSpec:
    """Return the network that the options of `network_options` name."""
    quiet_tensorflow()
    return NetworkSpec.parse(text, labels=labels and read_labels(labels), **fields)


def parse_judges(texts, *, labels: Path | None = None, **fields) -> list[NetworkSpec]:
    """Return the networks that were given as judges; each option of `model_options` applies to those that take it.

    Raises:
        ArgumentError: a text names no network, or no judge takes an option.
    """
    from tfmetamers.errors import ArgumentError

    quiet_tensorflow()
    specs = [NetworkSpec.parse(text) for text in texts]
    for field, value in {"labels": labels and read_labels(labels), **fields}.items():
        if value is None:
            continue
        if all(field not in spec.network_family.takes for spec in specs):
            option = f"--{field.replace('_', '-')}"
            raise ArgumentError(f"{option} is for models of your own, but no judge is one; leave it out.")
        specs = [spec.replace(**{field: value}) if field in spec.network_family.takes else spec for spec in specs]
    return specs
