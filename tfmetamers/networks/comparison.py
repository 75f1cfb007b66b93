"""How alike two stimuli are to a network, layer by layer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tfmetamers.metrics import pearson, signal_to_noise_ratio, spearman
from tfmetamers.networks.network import Network

if TYPE_CHECKING:
    import pandas


def compare_layers(
    network: Network, first: np.ndarray, second: np.ndarray, layers: Sequence[str] | None = None
) -> "pandas.DataFrame":
    """Compare the activations of two stimuli at layers of a network (paper, Figure 2a).

    Args:
        network: the network.
        first: a stimulus, float array of ``network.stimulus_shape``.
        second: another stimulus; its difference from the first is the noise of the signal-to-noise ratio.
        layers: names of layers; all that have a name by default.

    Returns:
        A row for each layer: ``units``, ``spearman``, ``pearson``, and ``signal_to_noise_ratio`` in decibels.

    Raises:
        ArgumentError: an unknown layer, or a stimulus of another shape.

    >>> from tfmetamers.networks import load_network
    >>> from tfmetamers.stimuli import sample_word
    >>> network = load_network("small_word_aliased")
    >>> word = network.domain.load(sample_word(), "centre")
    >>> compare_layers(network, word, word)["spearman"].round(6).unique().tolist()
    [1.0]
    """
    import pandas

    names = list(network.layers) if layers is None else [network.layer(name).name for name in layers]
    activations, _ = network.measurements(names)(np.stack([first, second]).astype(np.float32))
    rows = []
    for name in names:
        one, other = activations[name]
        rows.append(
            {
                "layer": name,
                "units": one.size,
                "spearman": spearman(one, other),
                "pearson": pearson(one, other),
                "signal_to_noise_ratio": signal_to_noise_ratio(one, other),
            }
        )
    return pandas.DataFrame(rows).set_index("layer")
