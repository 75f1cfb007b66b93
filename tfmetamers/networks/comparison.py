"""How alike two stimuli are to a network, layer by layer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tfmetamers.metrics import pearson, signal_to_noise_ratio, spearman
from tfmetamers.networks.network import Network, checked_network
from tfmetamers.networks.spec_values import ALL_LAYERS
from tfmetamers.stimuli.arrays import checked_stimulus

if TYPE_CHECKING:
    import pandas


def compare_layers(
    network: Network, first: np.ndarray, second: np.ndarray, layers: str | Sequence[str] = ALL_LAYERS
) -> "pandas.DataFrame":
    """Compare the activations of two stimuli at layers of a network (paper, Figure 2a).

    Args:
        network: the network.
        first: a stimulus, float array of ``network.stimulus_shape``.
        second: another stimulus; its difference from the first is the noise of the signal-to-noise ratio.
        layers: names of layers, or one of them; all that have a name by default.

    Returns:
        A row for each layer: ``units``, ``spearman``, ``pearson``, and ``signal_to_noise_ratio`` in decibels.

    Raises:
        ArgumentError: an unknown layer, or a stimulus of another shape or type, or with values that are not finite.

    >>> import numpy as np
    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> stimulus = np.linspace(-1.0, 1.0, 6)
    >>> table = compare_layers(network, stimulus, stimulus[::-1])
    >>> table.loc["tanh", ["units", "spearman"]].tolist()
    [6.0, -1.0]
    """
    import pandas

    names = checked_network(network).layer_names(layers)
    pair = [
        checked_stimulus(stimulus, network.stimulus_shape, f"The {which} stimulus")
        for which, stimulus in (("first", first), ("second", second))
    ]
    activations, _ = network.measurements(names)(np.stack(pair))
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
