"""Figures of metamers."""

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tfmetamers.metamers.metamer import Metamer, listed_metamers
from tfmetamers.networks.network import Network, checked_network

#: Decorates functions that draw names of files and networks, in which a dollar sign would begin a formula.
plain_text = rc_context({"text.parse_math": False})


@plain_text
def plot_metamer(metamer: Metamer, network: Network) -> Figure:
    """Draw a natural stimulus and its metamer, the output of the front end for both, and how the loss fell.

    Args:
        metamer: the metamer.
        network: the network that made it.

    Raises:
        ArgumentError: the network is something else, such as the name of one.

    >>> import numpy as np
    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> from tfmetamers.synthesis import synthesize
    >>> metamer = synthesize(network, np.linspace(-1.0, 1.0, 6), layer="tanh", steps=2)
    >>> plot_metamer(metamer, network).savefig("metamer.png")
    """
    checked_network(network)
    figure = Figure(figsize=(10.5, 8.5), layout="constrained")
    record = metamer.record
    figure.suptitle(f"{record.stimulus.id}, {network.name}: {caption(metamer, ', ')}")
    above, below = figure.subfigures(2, 1, height_ratios=[3.3, 1.6])
    front_end = network.front_end(network.front_ends[0]) if network.front_ends else None
    network.domain.draw(above, [metamer.original, metamer.stimulus], ["original", "metamer"], front_end)
    draw_losses(below.subplots(), [metamer])
    return figure


@plain_text
def plot_losses(metamers: Metamer | Iterable[Metamer]) -> Figure:
    """Draw how the losses of metamers, or of one, fell, with one curve for each metamer.

    >>> import numpy as np
    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> from tfmetamers.synthesis import synthesize
    >>> metamer = synthesize(network, np.linspace(-1.0, 1.0, 6), layer="tanh", steps=2)
    >>> plot_losses(metamer).savefig("losses.png")
    """
    metamers = listed_metamers(metamers)
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    draw_losses(axes, metamers)
    axes.legend([f"{each.record.stimulus.id}, {each.record.layer.name}" for each in metamers], fontsize="small")
    return figure


def draw_losses(axes: Axes, metamers: Sequence[Metamer]) -> None:
    """Draw losses as fractions of the first loss, on a logarithmic axis."""
    for metamer in metamers:
        axes.semilogy(metamer.steps, metamer.losses / max(float(metamer.losses[0]), np.finfo(np.float64).tiny))
    axes.set(xlabel="step", ylabel="loss / first loss")
    axes.grid(alpha=0.3)


def caption(metamer: Metamer, separator: str = "\n") -> str:
    """Say in a few words which layer a metamer matches and how well."""
    correlation = metamer.record.correlation
    matched = "correlation undefined" if correlation is None else f"correlation {correlation:.3f}"
    return f"metamer of {metamer.record.layer.name}{separator}{matched}"
