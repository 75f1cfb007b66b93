"""Figures of the outputs of front ends."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from tfmetamers.cochlea.filters import hertz_to_erb_number

if TYPE_CHECKING:
    from tfmetamers.cochlea.cochleagram import FrontEnd

#: The frequencies that the axis of a cochleagram labels, in Hz.
MARKED_FREQUENCIES = (50, 100, 200, 500, 1000, 2000, 4000, 8000)


def draw_front_end(row: Sequence[Axes], outputs: np.ndarray, front_end: Callable) -> None:
    """Draw a front end's outputs for several sounds, on the same scale.

    Args:
        row: where to draw each.
        outputs: float (sounds, ...), cochleagrams or features over frames.
        front_end: the front end; one with ``center_frequencies`` gives cochleagrams.
    """
    for axes, output in zip(row, outputs, strict=True):
        if hasattr(front_end, "center_frequencies"):
            draw_cochleagram(axes, output, front_end).set_clim(0, outputs.max())
        else:
            _draw_features(axes, output, front_end.output_name).set_clim(outputs.min(), outputs.max())


def _draw_features(axes: Axes, features: np.ndarray, name: str) -> AxesImage:
    """Draw features (..., features) over the frames of a sound."""
    axes.set(xlabel="frame", ylabel=name)
    rows = features.reshape(-1, features.shape[-1]).T
    return axes.imshow(rows, origin="lower", aspect="auto", cmap="magma", interpolation="nearest")


def draw_cochleagram(axes: Axes, cochleagram: np.ndarray, front_end: "FrontEnd") -> AxesImage:
    """Draw a cochleagram over time, one row of equal height for each channel, with round frequencies labelled.

    Channels are evenly spaced on the ERB-number scale, and so is the axis.

    Args:
        axes: where to draw.
        cochleagram: float (channels, envelope samples), low frequencies first.
        front_end: the front end that computed it.

    Returns:
        The image, from which a colour bar can be made.
    """
    center_frequencies, settings = front_end.center_frequencies, front_end.settings
    channels = len(center_frequencies)
    image = axes.imshow(
        cochleagram,
        origin="lower",
        aspect="auto",
        cmap="magma",
        vmin=0.0,
        extent=(*settings.times, -0.5, channels - 0.5),
        interpolation="nearest",
    )
    places = hertz_to_erb_number(center_frequencies)
    marked = [f for f in MARKED_FREQUENCIES if center_frequencies[0] <= f <= center_frequencies[-1]]
    axes.set_yticks(np.interp(hertz_to_erb_number(np.array(marked)), places, np.arange(channels)), marked)
    duration = settings.samples / settings.sampling_rate
    axes.set(xlabel="time (s)", ylabel="frequency (Hz)", xlim=(0.0, duration))
    return image


@rc_context({"text.parse_math": False})
def plot_cochleagram(waveform: np.ndarray, cochleagram: np.ndarray, front_end: "FrontEnd", title: str) -> Figure:
    """Draw a sound's waveform above its cochleagram, on one time axis.

    Args:
        waveform: float (samples,).
        cochleagram: float (channels, envelope samples), low frequencies first.
        front_end: the front end that computed it.
        title: what the sound is.
    """
    figure = Figure(figsize=(9.0, 5.6), layout="constrained")
    figure.suptitle(title)
    grid = figure.add_gridspec(2, 2, height_ratios=[1, 4], width_ratios=[45, 1])
    below = figure.add_subplot(grid[1, 0])
    image = draw_cochleagram(below, cochleagram, front_end)
    figure.colorbar(image, cax=figure.add_subplot(grid[1, 1]), label="compressed envelope")
    above = figure.add_subplot(grid[0, 0], sharex=below)
    above.plot(np.arange(len(waveform)) / front_end.settings.sampling_rate, waveform, linewidth=0.4, color="0.2")
    above.set(ylabel="amplitude")
    above.tick_params(labelbottom=False)
    return figure
