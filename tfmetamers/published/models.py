"""The 48 models of the 2023 paper: their stages, where their weights are, and whether TensorFlow can have them."""

from dataclasses import dataclass
from functools import cache

from tfmetamers.errors import unknown_name
from tfmetamers.published import find_published


@dataclass(frozen=True)
class PublishedModel:
    """A model of the 2023 paper.

    Attributes:
        name: the release's name of it.
        title: what figures call it.
        domain: ``"vision"`` or ``"audio"``.
        architecture: what it is built as.
        training: how it was trained.
        stages: the stages that metamers were made of, from the input to the output. The release adds ``_fake_relu`` or
            ``_fakerelu`` to some, for the gradient of the ReLU at their end; here that is a setting.
        weights: where the release has its weights from.
        licence: a short name, of the repository that publishes the weights; ``"unknown"`` where it states none for
            them.
        tensorflow: what can be had for TensorFlow: its ``"weights"``, its ``"architecture"`` only, or ``"no"``.
        tensorflow_note: where, or what is in the way.
        keras: the name in Keras Applications of its architecture; None where it is not there.
    """

    name: str
    title: str
    domain: str
    architecture: str
    training: str
    stages: tuple[str, ...]
    weights: str
    licence: str
    tensorflow: str
    tensorflow_note: str
    keras: str | None


@cache
def published_models() -> tuple[PublishedModel, ...]:
    """Return the models, those of vision first.

    >>> len(published_models())
    48
    >>> [model.name for model in published_models() if model.tensorflow == "weights"]
    ['vision_transformer_vit_large_patch16_224', 'CLIP_ViT-B_32']
    """
    rows = find_published("models_2023").read().to_dict("records")
    return tuple(
        PublishedModel(
            name=row.pop("model"),
            stages=tuple(row.pop("stages").split(";")),
            keras=keras if isinstance(keras := row.pop("keras"), str) else None,
            **row,
        )
        for row in rows
    )


def find_model(name: str) -> PublishedModel:
    """Return the model of a name.

    Raises:
        ArgumentError: there is none.

    >>> find_model("resnet50").stages
    ('input_after_preproc', 'conv1_relu1', 'layer1', 'layer2', 'layer3', 'layer4', 'avgpool', 'final')
    """
    models = {model.name: model for model in published_models()}
    if name not in models:
        raise unknown_name("model of the 2023 paper", name, models)
    return models[name]
