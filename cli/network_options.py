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
        click.option("--network", "name", metavar="NAME|DIR", help="Of 'tfmetamers networks', or a folder."),
        click.option(
            "--keras-model",
            type=click.Path(path_type=Path),
            metavar="FILE.keras",
            help="Your own model, in place of --network.",
        ),
        click.option(
            "--release",
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            metavar="DIR",
            help="The authors' release of the word networks, unpacked; --network says which of them.",
        ),
        click.option(
            "--architecture",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="An auditory network of your own: layers as JSON, or a pickle of the release (.pckl).",
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
            "--duration",
            type=float,
            metavar="SECONDS",
            help="Length of the sounds, for networks that take any length (VGGish, DeepSpeech). [default: 2]",
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
            help="Labels of the outputs of your own model or architecture, one a line.",
        ),
    ]
    return functools.reduce(lambda decorated, option: option(decorated), reversed(options), command)


def build_network(
    name, keras_model, release, architecture, checkpoint, weights, weights_seed, size, duration, input_range, labels
):
    """Return the network that the options of `network_options` name."""
    own = {"--keras-model": keras_model, "--architecture": architecture}
    sources = [option for option, value in {"--network": name or release, **own}.items() if value is not None]
    if len(sources) != 1:
        raise click.UsageError(
            "Give one of --network NAME, --release DIR, --architecture FILE and --keras-model FILE.keras."
        )
    if input_range and not keras_model:
        raise click.UsageError("--input-range is for a Keras model; other networks have their own.")
    if labels and not any(own.values()):
        raise click.UsageError("--labels is for a model or an architecture of your own; others have their own.")
    if (keras_model or release) and (checkpoint or weights or weights_seed is not None):
        raise click.UsageError(
            "A Keras model and a release have their own weights; leave --checkpoint, --weights and --weights-seed out."
        )
    if weights_seed is not None and weights != "random":
        raise click.UsageError("--weights-seed goes with --weights random.")
    check_extent(size, duration, release, architecture, keras_model)
    quiet_tensorflow()
    if keras_model:
        from tfmetamers.networks import load_keras

        return load_keras(keras_model, size=size, input_range=input_range or (0.0, 1.0), labels=_read_labels(labels))
    if release:
        from tfmetamers.networks import load_release

        return load_release(release, name)
    chosen = {"checkpoint": checkpoint, "weights": weights or "checkpoint", "weights_seed": weights_seed or 0}
    if architecture:
        from tfmetamers.networks import load_architecture

        return load_architecture(read_any_architecture(architecture), labels=_read_labels(labels), **chosen)
    from tfmetamers.networks import load_network

    return load_network(name, size=size, duration=duration, **chosen)


def check_extent(size, duration, release, architecture, keras_model) -> None:
    """Refuse a size or duration of stimuli for networks that have their own."""
    if size and (release or architecture):
        raise click.UsageError("--size is for pictures; an auditory network takes sounds.")
    if duration is not None and (release or architecture or keras_model):
        raise click.UsageError("--duration is for the networks that take sounds of any length; leave it out.")


def layer_names(network, layers) -> list[str]:
    """Return the names of layers that --layer asked for, each once; 'all' stands for the paper's, which come first."""
    named = [network.layer(layer).name for layer in layers if layer != "all"]
    return list(dict.fromkeys([*(network.layers if "all" in layers else ()), *named]))


def read_any_architecture(file):
    """Read an architecture from JSON, or from a pickle of the release."""
    from tfmetamers.networks.auditory.architecture import read_architecture
    from tfmetamers.networks.auditory.release import network_name, read_release_architecture

    is_json = file.suffix.lower() == ".json"
    return read_architecture(file) if is_json else read_release_architecture(file, network_name(file))


def _read_labels(file):
    try:
        return file.read_text(encoding="utf-8").splitlines() if file else None
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{file} is not text in UTF-8; one label a line was expected.") from error
