"""The options by which commands name a network."""

import functools
import os
from pathlib import Path

import click


def quiet_tensorflow() -> None:
    """Keep the notices of TensorFlow's libraries off the terminal, unless the user has asked for them.

    At level 2 TensorFlow still reports errors about CUDA plug-ins on machines without a GPU; what goes wrong
    in a run arrives as an exception at any level.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def network_options(command):
    """Add the options that name a network to a command."""
    options = [
        click.option("--network", "name", metavar="NAME", help="A network of 'tfmetamers networks'."),
        click.option(
            "--keras-model",
            type=click.Path(path_type=Path),
            metavar="FILE.keras",
            help="Your own model, in place of --network.",
        ),
        click.option(
            "--checkpoint",
            type=click.Path(path_type=Path),
            metavar="PATH",
            help="The network's weights; by default what 'tfmetamers checkpoints fetch' brought.",
        ),
        click.option(
            "--weights",
            type=click.Choice(["checkpoint", "random"]),
            help="Random weights are drawn from the network's own initialisers. [default: checkpoint]",
        ),
        click.option("--weights-seed", type=click.IntRange(min=0), help="Seed of random weights. [default: 0]"),
        click.option(
            "--size",
            type=click.IntRange(min=1),
            help="Height and width of the stimulus, in place of the network's.",
        ),
        click.option(
            "--input-range",
            type=float,
            nargs=2,
            metavar="BLACK WHITE",
            help="What the Keras model takes for black and white, such as 0 255. [default: 0 1]",
        ),
        click.option(
            "--labels",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            metavar="FILE",
            help="Labels of the Keras model's outputs, one a line.",
        ),
    ]
    return functools.reduce(lambda decorated, option: option(decorated), reversed(options), command)


def build_network(name, keras_model, checkpoint, weights, weights_seed, size, input_range, labels):
    """Return the network that the options of `network_options` name."""
    if (name is None) == (keras_model is None):
        raise click.UsageError("Give one of --network NAME and --keras-model FILE.keras.")
    quiet_tensorflow()
    if keras_model is None:
        return _published(name, checkpoint, weights, weights_seed, size, input_range, labels)
    if checkpoint or weights or weights_seed is not None:
        raise click.UsageError(
            "A Keras model has its own weights; leave --checkpoint, --weights and --weights-seed out."
        )
    from tfmetamers.networks import load_keras

    return load_keras(keras_model, size=size, input_range=input_range or (0.0, 1.0), labels=_read_labels(labels))


def _published(name, checkpoint, weights, weights_seed, size, input_range, labels):
    if input_range or labels:
        raise click.UsageError("--input-range and --labels are for a Keras model; a published network has its own.")
    if weights_seed is not None and weights != "random":
        raise click.UsageError("--weights-seed goes with --weights random.")
    from tfmetamers.networks import load_network

    return load_network(
        name, checkpoint=checkpoint, weights=weights or "checkpoint", weights_seed=weights_seed or 0, size=size
    )


def _read_labels(file):
    try:
        return file.read_text(encoding="utf-8").splitlines() if file else None
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{file} is not text in UTF-8; one label a line was expected.") from error
