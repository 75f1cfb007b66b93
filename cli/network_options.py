"""The options by which commands name a network."""

import functools
import os
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from tfmetamers.errors import TfmetamersError
from tfmetamers.networks.spec import NetworkSpec, read_labels

#: Every form in which a network can be given, and what it is.
FORMS = {
    "NAME": "a network of 'tfmetamers networks', by its own weights",
    "NAME=PATH": "by another checkpoint",
    "NAME:random, NAME:random:SEED": "by random weights",
    "NAME@224, NAME@1.5s": "with stimuli of another size or duration; before '=' and ':random'",
    "keras:NAME": "a model of Keras Applications",
    "FILE.keras, FILE.h5": "your own Keras model",
    "FILE.pb, DIR": "a frozen graph of TensorFlow 1, a SavedModel",
    "FILE.json=PATH, FILE.json:random": "an auditory network of your own layers (.json or .pckl)",
    "DIR": "the folder of a network that 'tfmetamers train' made",
    "release:DIR, release:DIR:NAME": "a word network of the authors' release",
}

#: The forms, as the end of a command's help.
FORMS_EPILOG = "\b\nA network is given as one of\n" + "\n".join(
    f"  {form}\n    {meaning}" for form, meaning in FORMS.items()
)


def complete_network(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the names of networks that begin as a word does; where none does, the shell completes files."""
    from tfmetamers.networks.families import network_names

    names = [name for name in network_names() if name.startswith(incomplete)]
    return [*map(CompletionItem, names)] or [CompletionItem(incomplete, type="file")]


def complete_layer(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the layers, beginning as a word does, of the network that was named before it.

    A network whose layers only loading tells has none here: that takes longer than a shell may wait.
    """
    try:
        spec = NetworkSpec.parse(context.params.get("text"))
        outline = spec.kind.outline(spec)
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
            help="The network, in a form that is listed below.",
        ),
        click.option(
            "--checkpoint", type=click.Path(path_type=Path), metavar="PATH", help="The network's weights, as NAME=PATH."
        ),
    ]
    return _with(options, model_options(command))


def model_options(command):
    """Add the options that say of models what their files do not to a command."""
    options = [
        click.option(
            "--labels",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            metavar="FILE",
            help="Labels of the outputs of models and architectures of your own, one a line.",
        ),
        click.option(
            "--input-range",
            type=float,
            nargs=2,
            metavar="BLACK WHITE",
            help="What a model of your own takes for black and white, such as 0 255. [default: 0 1]",
        ),
        click.option("--logits", metavar="NAME", help="The output of a model of your own that has the labels."),
        click.option("--input", metavar="NAME", help="The input, or any tensor, that a graph is used from."),
        click.option("--signature", metavar="NAME", help="The signature of a SavedModel."),
        click.option(
            "--domain",
            type=click.Choice(["image", "sound", "array"]),
            help="What a model of your own takes, where its input does not tell.",
        ),
        click.option(
            "--sampling-rate", type=click.IntRange(min=1), metavar="HZ", help="Of the sounds that a model takes."
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
    """Return the networks that were given as judges; the options of `model_options` are for those that take them.

    Raises:
        ArgumentError: one names no network, or none takes what an option gives.
    """
    from tfmetamers.errors import ArgumentError

    quiet_tensorflow()
    specs = [NetworkSpec.parse(text) for text in texts]
    for field, value in {"labels": labels and read_labels(labels), **fields}.items():
        if value is None:
            continue
        if all(field not in spec.kind.takes for spec in specs):
            option = f"--{field.replace('_', '-')}"
            raise ArgumentError(f"{option} is for models of your own, and no judge is one; leave it out.")
        specs = [spec.replace(**{field: value}) if field in spec.kind.takes else spec for spec in specs]
    return specs


def layer_names(network, layers) -> list[str]:
    """Return the names of layers that --layer asked for, each once; 'all' stands for the paper's, which come first."""
    named = [network.layer(layer).name for layer in layers if layer != "all"]
    return list(dict.fromkeys([*(network.layers if "all" in layers else ()), *named]))
