"""The stages of the 2023 paper's networks in the models of Keras Applications, told without TensorFlow.

The paper's networks are torchvision's. Stages: the release's robustness/imagenet_models/vgg.py and resnet.py, whose
outputs of those names end in a ReLU unless they are pools, the input or the output; so do the layers here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

#: The stage that is the picture as the model's own preprocessing gives it, which is no layer of Keras's.
INPUT_STAGE = "input_after_preproc"


@dataclass(frozen=True)
class PublishedStages:
    """The stages of a network of the 2023 paper in the architecture that Keras Applications has.

    Attributes:
        model: the paper's model that the architecture and the data set for training are those of
            (`tfmetamers.published.models`).
        layers: the Keras layer of each stage but the first, which is `INPUT_STAGE`, from the input to the output.
        differences: in what the architecture differs from the paper's, in words.
    """

    model: str
    layers: Mapping[str, str]
    differences: str


def _resnet(model: str, blocks_of_layer3: int) -> PublishedStages:
    layers = {
        "conv1_relu1": "conv1_relu",
        "layer1": "conv2_block3_out",
        "layer2": "conv3_block4_out",
        "layer3": f"conv4_block{blocks_of_layer3}_out",
        "layer4": "conv5_block3_out",
        "avgpool": "avg_pool",
        "final": "predictions",
    }
    return PublishedStages(
        model,
        layers,
        "The first blocks of layer2, layer3 and layer4 have their stride in the first convolution, of 1 x 1, where "
        "torchvision's have it in the second, of 3 x 3; convolutions have biases; batch normalisation adds 1.001e-5 to "
        "the variance, not 1e-5. Stages have the same shapes, and those that end in a ReLU here do there; the padding "
        "is the same.",
    )


#: By the name in Keras Applications.
STAGES: Mapping[str, PublishedStages] = {
    "VGG19": PublishedStages(
        "vgg_19",
        {
            "conv_relu_0_1": "block1_conv2",
            "conv_relu_1_1": "block2_conv2",
            "conv_relu_2_3": "block3_conv4",
            "conv_relu_3_3": "block4_conv4",
            "conv_relu_4_3": "block5_conv4",
            "avgpool": "block5_pool",
            "fc_relu_0": "fc1",
            "fc_relu_1": "fc2",
            "final": "predictions",
        },
        "It computes what torchvision's does with the same weights, but torchvision flattens avgpool channel by "
        "channel, so that the rows of fc1 are in another order. avgpool is the last max pool, on which torchvision's "
        "average pool does nothing at 224 x 224. Stages that end in a ReLU here do there; the padding is the same.",
    ),
    "ResNet50": _resnet("resnet50", blocks_of_layer3=6),
    "ResNet101": _resnet("resnet101", blocks_of_layer3=23),
}

#: In what all of them differ from the paper's.
COMMON_DIFFERENCES = (
    "The weights for ImageNet that Keras fetches come from Caffe, not from torchvision. Pictures are BGR from 0 to "
    "255, less the mean of ImageNet, where torchvision's are RGB from 0 to 1, less the mean and divided by the "
    f"deviation, so that {INPUT_STAGE} differs by more than a factor."
)


def layers_by_stage(name: str) -> dict[str, str | None] | None:
    """Return the Keras layer of each stage, None for `INPUT_STAGE`; None for a model of which the paper has no stages.

    >>> layers_by_stage("ResNet50")["layer4"]
    'conv5_block3_out'
    """
    return {INPUT_STAGE: None, **STAGES[name].layers} if name in STAGES else None


def describe_stages(name: str) -> str:
    """Return what is to be known of the stages of a model of Keras Applications; empty for one without any."""
    if name not in STAGES:
        return ""
    stages = STAGES[name]
    return (
        f"The layers are the stages of {stages.model} of the 2023 paper, by its names; Keras's names can be used too. "
        f"{stages.differences} {COMMON_DIFFERENCES}"
    )
