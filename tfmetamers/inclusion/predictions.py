"""What a network says of stimuli, as records have it and verdicts compare it."""

from dataclasses import asdict
from typing import Any

import numpy as np

from tfmetamers.networks.categories import decide, has_categories
from tfmetamers.networks.network import Network
from tfmetamers.recipes import CRITERIA


def describe_predictions(network: Network, logits: np.ndarray, criterion: str) -> list[dict[str, Any]]:
    """Return the ``index`` and ``label`` of the network's answer to each stimulus, and the ``category`` where needed.

    Args:
        network: the network.
        logits: of the stimuli, as `Network.logits` gives them.
        criterion: of `tfmetamers.recipes.CRITERIA`; with one that compares categories, a network of ImageNet's classes
            also has the category that the rule ``max`` chooses.

    Raises:
        ResultError: the logits are not finite.
    """
    found = [asdict(prediction) for prediction in network.predictions(logits)]
    if CRITERIA[criterion].by_category and has_categories(network):
        found = [{**each, "category": decide(row)} for each, row in zip(found, logits, strict=True)]
    return found
