"""Figures of metamers."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from tfmetamers.cochlea.filters import hertz_to_erb_number
from tfmetamers.metamers.folder import Metamer

#: The frequencies that the axis of a cochleagram labels, in Hz.
MARKED_FREQUENCIES = (50, 100, 200, 500, 1000, 2000, 4000, 8000)

if TYPE_CHECKING:
    from tfmetamers.networks.network import Network


#: Decorates what draws names of files and networks: a dollar sign in one would begin a formula.
plain_text = rc_context({"text.parse_math": False})


@plain_text
def plot_sound_metamer(metamer: Metamer, network: "Network") -> Figure:
    """Draw the waveforms of a natural sound and its metamer, their cochleagrams or features, and how the loss fell.

    Args:
        metamer: a metamer of a sound, or one whose cochleagram was optimised, which has no waveform.
        network: the network that made it; what its front end gives is drawn.
    """
    has_waveforms = network.domain.name == "sound"
    front_end = network.front_end(network.front_ends[0]) if has_waveforms else network.domain.front_end
    figure = Figure(figsize=(10.5, 8.5 if has_waveforms else 6.5), layout="constrained")
    figure.suptitle(f"{metamer.record['stimulus'].get('id', 'a sound')}, {network.name}: {_caption(metamer, ', ')}")
    grid = figure.add_gridspec(3, 2, height_ratios=[0.9 if has_waveforms else 0.01, 2.4, 1.6])
    stimuli = np.stack([metamer.original, metamer.stimulus])
    heard = front_end(stimuli).numpy() if has_waveforms else stimuli
    sounds = network.domain if has_waveforms else network.domain.sounds
    duration = sounds.samples / sounds.sampling_rate
    for column, title in enumerate(("original", "metamer")):
        if has_waveforms:
            highest = np.abs(stimuli).max()
            axes = figure.add_subplot(grid[0, column], ylabel="amplitude", ylim=(-highest, highest), xmargin=0)
            axes.plot(np.arange(sounds.samples) / sounds.sampling_rate, stimuli[column], linewidth=0.3)
            axes.tick_params(labelbottom=False)
            axes.set_title(title)
        axes = figure.add_subplot(grid[1, column], title="" if has_waveforms else title)
        if hasattr(front_end, "center_frequencies"):
            draw_cochleagram(axes, heard[column], front_end.center_frequencies, duration).set_clim(0, heard.max())
        else:
            _draw_features(axes, heard[column], front_end.output_name).set_clim(heard.min(), heard.max())
    axes = figure.add_subplot(grid[2, :], xlabel="step", ylabel="loss / first loss")
    axes.semilogy(metamer.traced_steps, metamer.losses / metamer.losses[0])
    axes.grid(alpha=0.3)
    return figure


def _caption(metamer: Metamer, separator: str = "\n") -> str:
    correlation = metamer.record["correlation"]
    matched = "correlation undefined" if correlation is None else f"correlation {correlation:.3f}"
    return f"metamer of {metamer.record['layer']['name']}{separator}{matched}"


def _draw_features(axes: Axes, features: np.ndarray, name: str) -> AxesImage:
    """Draw features (..., features) over the frames of a sound."""
    axes.set(xlabel="frame", ylabel=name)
    rows = features.reshape(-1, features.shape[-1]).T
    return axes.imshow(rows, origin="lower", aspect="auto", cmap="magma", interpolation="nearest")


def draw_cochleagram(axes: Axes, cochleagram: np.ndarray, center_frequencies: np.ndarray, duration: float) -> AxesImage:
    """Draw a cochleagram over time, one row of equal height for each channel, with round frequencies labelled.

    Channels are evenly spaced on the ERB-number scale, and so is the axis.

    Args:
        axes: where to draw.
        cochleagram: float (channels, envelope samples), low frequencies first.
        center_frequencies: float (channels,), in Hz, as a front end has them.
        duration: of the sound, in seconds.

    Returns:
        The image, from which a colour bar can be made.
    """
    channels = len(center_frequencies)
    image = axes.imshow(
        cochleagram,
        origin="lower",
        aspect="auto",
        cmap="magma",
        vmin=0.0,
        extent=(0.0, duration, -0.5, channels - 0.5),
        interpolation="nearest",
    )
    places = hertz_to_erb_number(center_frequencies)
    marked = [f for f in MARKED_FREQUENCIES if center_frequencies[0] <= f <= center_frequencies[-1]]
    axes.set_yticks(np.interp(hertz_to_erb_number(np.array(marked)), places, np.arange(channels)), marked)
    axes.set(xlabel="time (s)", ylabel="frequency (Hz)")
    return image


@plain_text
def plot_cochleagram(
    waveform: np.ndarray, sampling_rate: int, cochleagram: np.ndarray, center_frequencies: np.ndarray, title: str
) -> Figure:
    """Draw a sound's waveform above its cochleagram, on one time axis.

    Args:
        waveform: float (samples,).
        sampling_rate: of the waveform, in Hz.
        cochleagram: float (channels, envelope samples), low frequencies first.
        center_frequencies: float (channels,), in Hz, as a front end has them.
        title: what the sound is.
    """
    duration = len(waveform) / sampling_rate
    figure = Figure(figsize=(9.0, 5.6), layout="constrained")
    figure.suptitle(title)
    grid = figure.add_gridspec(2, 2, height_ratios=[1, 4], width_ratios=[45, 1])
    below = figure.add_subplot(grid[1, 0])
    image = draw_cochleagram(below, cochleagram, center_frequencies, duration)
    figure.colorbar(image, cax=figure.add_subplot(grid[1, 1]), label="compressed envelope")
    above = figure.add_subplot(grid[0, 0], sharex=below)
    above.plot(np.arange(len(waveform)) / sampling_rate, waveform, linewidth=0.4, color="0.2")
    above.set(ylabel="amplitude", xlim=(0.0, duration))
    above.tick_params(labelbottom=False)
    return figure
