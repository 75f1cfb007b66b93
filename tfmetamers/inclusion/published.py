"""What the 2023 paper's release has on the match of metamers, for networks that are among its 48."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from tfmetamers.inclusion.measures import CONVENTIONS, SPEARMAN
from tfmetamers.networks.own.keras_stages import STAGES
from tfmetamers.networks.record import NetworkRecord
from tfmetamers.published import find_published
from tfmetamers.published.models import PublishedModel, published_models

#: The family of networks that `STAGES` names.
_KERAS_APPLICATIONS = "keras_applications"


@dataclass(frozen=True)
class PublishedMatch:
    """How well the release's metamers of a stage match; its histograms tell extremes and medians to within a bar.

    Attributes:
        model: the release's name of the model.
        stage: the stage.
        loss: the median of `|r - t| / |t|` over metamers that passed the test, with t the original's activations and r
            the metamer's.
        loss_range: the two numbers that it lies between.
        correlation: the median of Spearman's coefficient over the same metamers.
        null_maximum_ranges: by measure (`tfmetamers.inclusion.measures.CONVENTIONS`), the two numbers that its largest
            value over a million pairs of natural stimuli lies between.

    >>> import keras
    >>> from tfmetamers.networks import from_keras
    >>> layers = [keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3, activation="relu", name="layer1")]
    >>> network = from_keras(keras.Sequential(layers), name="resnet50_l2_3_robust")
    >>> match = published_match(network.describe(), "layer1")
    >>> match.stage, match.loss_range[0] <= match.loss <= match.loss_range[1]
    ('layer1', True)
    """

    model: str
    stage: str
    loss: float
    loss_range: tuple[float, float]
    correlation: float
    null_maximum_ranges: Mapping[str, tuple[float, float]]


def published_model(network: NetworkRecord) -> PublishedModel | None:
    """Return the model of the 2023 paper that a network is or stands for; None for any other.

    A network is taken for the model whose name in the release it has; VGG19, ResNet50 and ResNet101 of Keras
    Applications stand for the model of their architecture and training set, with other weights. Networks with random
    weights stand for none.

    Args:
        network: a network's record, as `tfmetamers.networks.Network.describe` gives it.

    >>> import keras
    >>> from tfmetamers.networks import from_keras
    >>> model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3, name="relu0")])
    >>> published_model(from_keras(model, name="alexnet_l2_3_robust").describe()).title
    'AlexNet L2, eps 3'
    >>> published_model(from_keras(model, name="mine").describe()) is None
    True
    """
    if network.source == "random":
        return None
    name = network.name
    if network.spec.family == _KERAS_APPLICATIONS and name in STAGES:
        name = STAGES[name].model
    return next((model for model in published_models() if model.name == name), None)


def published_match(network: NetworkRecord, layer: str) -> PublishedMatch | None:
    """Return what the release has on metamers of a layer, if it is a stage of one of the paper's models.

    Args:
        network: a network's record, as `tfmetamers.networks.Network.describe` gives it.
        layer: the layer's name.

    Returns:
        None for other networks and layers, and for HMAX and the spectrotemporal filters, of which no histogram was
        released.

    >>> import keras
    >>> from tfmetamers.networks import from_keras
    >>> layers = [keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3, activation="relu", name="layer1")]
    >>> network = from_keras(keras.Sequential(layers), name="resnet50_l2_3_robust")
    >>> published_match(network.describe(), "layer1").null_maximum_ranges["spearman"]
    (0.9143, 0.9429)
    """
    model = published_model(network)
    return _matches().get((model.name, layer)) if model else None


@cache
def _matches() -> dict[tuple[str, str], PublishedMatch]:
    losses, matching = (
        find_published(name).read().set_index(["model", "stage"]) for name in ("losses_2023", "matching_2023")
    )
    by_measure = {measure: matching[matching["measure"] == measure].to_dict("index") for measure in CONVENTIONS}
    return {
        (model, stage): PublishedMatch(
            model,
            stage,
            loss=row["median"],
            loss_range=(row["median_low"], row["median_high"]),
            correlation=by_measure[SPEARMAN][model, stage]["metamer_median"],
            null_maximum_ranges={
                measure: (rows[model, stage]["null_maximum_low"], rows[model, stage]["null_maximum_high"])
                for measure, rows in by_measure.items()
            },
        )
        for (model, stage), row in losses.to_dict("index").items()
    }
