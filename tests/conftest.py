"""What the tests share: a quiet TensorFlow, small networks, and the checkpoint of the 8-bit VGG-19."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.golden import SHARED

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# A shell ignores SIGINT in what it runs in the background, and so would the commands that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of networks and data that are too large for the repository, or a skip that says that it is missing."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} is missing")
    return SHARED


@pytest.fixture(scope="session")
def vgg_19_8bit(shared, tmp_path_factory):
    """A V1 slim checkpoint of VGG-19 with weights of 8 bits."""
    folder = tmp_path_factory.mktemp("vgg_19")
    writer = shared / "tools" / "write_vgg_19_checkpoint.py"
    subprocess.run([sys.executable, writer, folder], check=True, capture_output=True)
    yield folder / "vgg_19.ckpt"
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def small_model():
    """A Keras model of 32 x 32 pixels with the layers that the ReLU rule tells apart."""
    import keras

    keras.utils.set_random_seed(1)
    layers = keras.layers
    stimulus = keras.Input((32, 32, 3))
    first = layers.Conv2D(6, 4, padding="same", activation="relu", name="first")(stimulus)
    normalized = layers.BatchNormalization(name="normalized")(first)
    left = layers.Conv2D(4, 3, padding="same", activation="relu", name="left")(normalized)
    right = layers.Conv2D(5, 1, activation="relu6", name="right")(normalized)
    linear = layers.Conv2D(3, 5, padding="same", name="linear")(normalized)
    block = layers.Concatenate(name="block")([left, right, linear])
    pooled = layers.MaxPooling2D(2, name="pooled")(block)
    flat = layers.Flatten(name="flat")(layers.ReLU(name="rectified")(layers.Conv2D(4, 3, strides=2)(pooled)))
    logits = layers.Dense(10, name="logits")(flat)
    model = keras.Model(stimulus, logits, name="small")
    generator = np.random.default_rng(2)
    normalization = model.get_layer("normalized")
    normalization.set_weights([generator.uniform(0.5, 1.5, 6) for _ in range(4)])
    return model


@pytest.fixture(scope="session")
def smooth_model():
    """A Keras model of 16 x 16 pixels without kinks, whose gradient rounding cannot flip."""
    import keras

    keras.utils.set_random_seed(3)
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            layers.Conv2D(8, 3, padding="same", activation="tanh", name="first"),
            layers.AveragePooling2D(2, name="pooled"),
            layers.Conv2D(8, 3, activation="tanh", name="second"),
            layers.Flatten(name="flat"),
            layers.Dense(4, name="logits"),
        ],
        name="smooth",
    )


@pytest.fixture(scope="session")
def small_architecture():
    """An auditory network of half a second at 4 kHz, with ten classes."""
    from tfmetamers.cochlea import CochleagramSettings
    from tfmetamers.networks import Architecture, LayerSpecification

    settings = CochleagramSettings(
        sampling_rate=4000, samples=2000, low_limit=50, high_limit=1800, filters=8, envelope_rate=100, window=201
    )
    layers = [
        ("tf.layers.conv2d", {"name": "conv_0", "filters": 6, "kernel_size": [3, 4], "strides": 2, "padding": "SAME"}),
        ("tf.nn.relu", {"name": "relu_0"}),
        ("tf.layers.batch_normalization", {"name": "batch_norm_0"}),
        ("tf.layers.conv2d", {"name": "conv_1", "filters": 8, "kernel_size": [2, 5], "padding": "SAME"}),
        ("tf.nn.relu", {"name": "relu_1"}),
        ("hpool", {"name": "pool_1", "pool_size": 8, "strides": 2}),
        ("tf.layers.flatten", {"name": "flat"}),
        ("fc_top_classification", {"name": "fc_top"}),
    ]
    specifications = tuple(LayerSpecification(layer_type, arguments) for layer_type, arguments in layers)
    return Architecture("small", specifications, {"words": 10}, cochleagram=settings)


@pytest.fixture
def pictures() -> np.ndarray:
    """Four pictures of 32 x 32 pixels, in [0, 1]."""
    return np.random.default_rng(4).random((4, 32, 32, 3), np.float32)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory) -> Path:
    """A folder with words.csv and backgrounds.csv, learned in seconds: words are tones, backgrounds noise and hum."""
    import soundfile

    rate, pitches = 4000, {"low": 250.0, "middle": 700.0, "high": 1500.0}
    folder = tmp_path_factory.mktemp("corpus")
    generator = np.random.default_rng(0)
    times = np.arange(rate // 2) / rate
    words, backgrounds = ["file,start,word,speaker,split"], ["file,start,categories,split"]
    for split, count in {"train": 10, "validation": 4, "test": 4}.items():
        for word, pitch in pitches.items():
            for number in range(count):
                name = f"{split}_{word}_{number}.wav"
                tone = np.sin(2 * np.pi * pitch * generator.uniform(0.95, 1.05) * times + generator.uniform(0, 6))
                soundfile.write(folder / name, 0.3 * tone, rate, subtype="PCM_16")
                words.append(f"{name},0,{word},speaker_{split}_{number % 2},{split}")
        for category in ("noise", "hum", "noise;hum"):
            for number in range(count // 2):
                name = f"{split}_{category.replace(';', '_')}_{number}.wav"
                sound = np.zeros(rate)
                if "noise" in category:
                    sound += 0.1 * generator.standard_normal(rate)
                if "hum" in category:
                    sound += 0.2 * np.sign(np.sin(2 * np.pi * 60 * np.arange(rate) / rate))
                soundfile.write(folder / name, np.clip(sound, -1, 1), rate, subtype="PCM_16")
                backgrounds.append(f"{name},0,{category},{split}")
    (folder / "words.csv").write_text("\n".join(words) + "\n", encoding="utf-8")
    (folder / "backgrounds.csv").write_text("\n".join(backgrounds) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def learner(small_architecture):
    """The small architecture with dropout, and a top layer that has an output for each task."""
    import dataclasses

    from tfmetamers.networks import LayerSpecification

    *layers, _ = small_architecture.layers
    top = [
        LayerSpecification("tf.layers.dropout", {"name": "dropout", "rate": 0.25}),
        LayerSpecification("multi_fc_top_classification", {"name": "fc_top"}),
    ]
    return dataclasses.replace(small_architecture, layers=(*layers, *top), tasks={"/stimuli/word_int": 4})
