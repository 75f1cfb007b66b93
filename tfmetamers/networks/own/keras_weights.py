"""The files of weights that Keras fetches for the models of Keras Applications, told without TensorFlow."""

import os
from pathlib import Path

from tfmetamers.errors import unknown_name

_BY_DIMENSIONS = "{}_weights_tf_dim_ordering_tf_kernels.h5"

#: The name of the file of weights for ImageNet of each model.
FILES = {
    **{f"ConvNeXt{size}": f"convnext_{size.lower()}.h5" for size in ("Tiny", "Small", "Base", "Large", "XLarge")},
    **{f"DenseNet{layers}": _BY_DIMENSIONS.format(f"densenet{layers}") for layers in (121, 169, 201)},
    **{f"EfficientNetB{number}": f"efficientnetb{number}.h5" for number in range(8)},
    **{
        f"EfficientNetV2{size}": f"efficientnetv2-{size.lower()}.h5" for size in ("B0", "B1", "B2", "B3", "S", "M", "L")
    },
    "InceptionResNetV2": _BY_DIMENSIONS.format("inception_resnet_v2"),
    "InceptionV3": _BY_DIMENSIONS.format("inception_v3"),
    "MobileNet": "mobilenet_1_0_224_tf.h5",
    "MobileNetV2": "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5",
    "MobileNetV3Large": "weights_mobilenet_v3_large_224_1.0_float.h5",
    "MobileNetV3Small": "weights_mobilenet_v3_small_224_1.0_float.h5",
    "NASNetLarge": "nasnet_large.h5",
    "NASNetMobile": "nasnet_mobile.h5",
    **{
        name: _BY_DIMENSIONS.format(name.lower())
        for name in ("ResNet50", "ResNet101", "ResNet152", "ResNet50V2", "ResNet101V2", "ResNet152V2")
    },
    **{name: _BY_DIMENSIONS.format(name.lower()) for name in ("VGG16", "VGG19", "Xception")},
}


def weights_file(name: str) -> Path:
    """Return where Keras keeps the weights for ImageNet of a model once it has fetched them.

    The folder is that of ``KERAS_HOME``, by default ``.keras`` in the user's own, or in ``/tmp`` where nothing can be
    written there, as Keras has it.

    Raises:
        ArgumentError: there is no such model.
    """
    if name not in FILES:
        raise unknown_name("model of Keras Applications", name, FILES, "Give one of these.")
    home = os.path.expanduser("~")
    folder = Path(home if os.access(home, os.W_OK) else "/tmp", ".keras")
    return Path(os.environ.get("KERAS_HOME", folder), "models", FILES[name])
