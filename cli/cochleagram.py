"""``tfmetamers cochleagram``: a sound's waveform and cochleagram, as a figure."""

import math
from pathlib import Path

import click

from tfmetamers.cli.network_options import complete_network, parse_network, quiet_tensorflow
from tfmetamers.cli.output import quiet_option, say
from tfmetamers.cochlea.settings import FRONT_ENDS, PRESETS
from tfmetamers.errors import ArgumentError, StimulusError
from tfmetamers.stimuli.sounds import FITS

#: The maximum duration of a sound that is drawn whole, in seconds, at which the filters take 2 GiB.
MAX_SECONDS = 30


@click.command()
@click.argument("sound", type=click.Path(path_type=Path))
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FIGURE.png",
    help="The figure to write. [default: SOUND's name with _cochleagram.png, in the current folder]",
)
@click.option(
    "--settings",
    "settings_name",
    type=click.Choice(list(PRESETS)),
    help="Those of the released networks of 2019 (211 channels), of that paper's text (171), or of the networks of "
    "2023. [default: released]",
)
@click.option(
    "--network",
    "text",
    metavar="NETWORK",
    shell_complete=complete_network,
    help="Draw what this network hears: with its filters, its sampling rate and, with --fit, its length.",
)
@click.option(
    "--front-end",
    type=click.Choice(FRONT_ENDS),
    default=FRONT_ENDS[0],
    show_default=True,
    help="The released pipeline, or its fast approximation.",
)
@click.option(
    "--fit",
    type=click.Choice(FITS),
    help="Fit SOUND to the length that networks hear (2 s, or that of --network), instead of drawing all of it.",
)
@quiet_option
def cochleagram(sound, output, settings_name, text, front_end, fit):
    """Draw the waveform and the cochleagram of SOUND."""
    output = output or Path(f"{sound.stem}_cochleagram.png")
    _check_output(output, sound)
    if settings_name and text:
        raise click.UsageError("--settings and --network both choose the filters; give only one of them.")
    from tfmetamers.cochlea.settings import find_cochleagram_settings
    from tfmetamers.stimuli.sounds import load_sound

    settings = _settings_of(text) if text else find_cochleagram_settings(settings_name or "released")
    if fit is None:
        settings = settings.replace(samples=_own_length(sound, settings))
    waveform = load_sound(sound, settings.sampling_rate, settings.samples, fit or "trim")
    quiet_tensorflow()
    from tfmetamers.cochlea import build_front_end
    from tfmetamers.cochlea.figures import plot_cochleagram
    from tfmetamers.utilities.determinism import deterministic_operations
    from tfmetamers.utilities.files import atomic_write

    built = build_front_end(front_end, settings)
    with deterministic_operations():
        heard = built(waveform[None])[0, ..., 0].numpy()
    title = f"{sound.name}, {settings.channels} channels, {front_end}"
    figure = plot_cochleagram(waveform, heard, built, title)
    with atomic_write(output) as partial:
        figure.savefig(partial, dpi=150)
    say(f"Wrote {output}: {settings.samples / settings.sampling_rate:g} s in {settings.channels} channels.")


def _settings_of(text: str):
    """Return the settings of the cochleagram that a network hears."""
    network = parse_network(text).describe()
    settings = network.front_ends and getattr(network.front_end(network.front_ends[0]), "settings", None)
    from tfmetamers.cochlea.settings import CochleagramSettings

    if not isinstance(settings, CochleagramSettings):
        raise ArgumentError(
            f"{network.name} does not take a cochleagram; give a network that does, such as word_aliased."
        )
    return settings


def _check_output(output, sound) -> None:
    if output.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise click.UsageError(f"--output is {output}; a name that ends in .png, .pdf or .svg was expected.")
    if output.resolve() == sound.resolve() or (output.exists() and sound.exists() and output.samefile(sound)):
        raise click.UsageError(f"--output is {output}, which is the sound itself; give another name.")


def _own_length(sound, settings) -> int:
    """Return how many samples of a sound are drawn: all that make whole samples of a cochleagram."""
    from tfmetamers.stimuli.sounds import sound_length

    length = sound_length(sound, settings.sampling_rate)
    # A sound must be at least as long as the window of the settings.
    minimum, maximum = math.ceil(settings.window / settings.step) * settings.step, MAX_SECONDS * settings.sampling_rate
    drawn = length - length % settings.step
    if not minimum <= drawn <= maximum:
        raise StimulusError(
            f"{sound} lasts {length / settings.sampling_rate:.6g} s; only {minimum / settings.sampling_rate:.3g} to "
            f"{MAX_SECONDS} s can be drawn whole. Fit it to {settings.samples / settings.sampling_rate:g} s with "
            f"--fit {'pad' if drawn < minimum else 'trim'}."
        )
    return drawn
