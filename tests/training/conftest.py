"""A corpus that is learned in seconds: tones are the words, noise and hum the backgrounds."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tfmetamers.networks import LayerSpecification

RATE = 4000
PITCHES = {"low": 250.0, "middle": 700.0, "high": 1500.0}


@pytest.fixture(scope="session")
def corpus(tmp_path_factory) -> Path:
    """A folder with words.csv and backgrounds.csv."""
    folder = tmp_path_factory.mktemp("corpus")
    generator = np.random.default_rng(0)
    times = np.arange(RATE // 2) / RATE
    words, backgrounds = ["file,start,word,speaker,split"], ["file,start,categories,split"]
    for split, count in {"train": 10, "validation": 4, "test": 4}.items():
        for word, pitch in PITCHES.items():
            for number in range(count):
                name = f"{split}_{word}_{number}.wav"
                tone = np.sin(2 * np.pi * pitch * generator.uniform(0.95, 1.05) * times + generator.uniform(0, 6))
                soundfile.write(folder / name, 0.3 * tone, RATE, subtype="PCM_16")
                words.append(f"{name},0,{word},speaker_{split}_{number % 2},{split}")
        for category in ("noise", "hum", "noise;hum"):
            for number in range(count // 2):
                name = f"{split}_{category.replace(';', '_')}_{number}.wav"
                sound = np.zeros(RATE)
                if "noise" in category:
                    sound += 0.1 * generator.standard_normal(RATE)
                if "hum" in category:
                    sound += 0.2 * np.sign(np.sin(2 * np.pi * 60 * np.arange(RATE) / RATE))
                soundfile.write(folder / name, np.clip(sound, -1, 1), RATE, subtype="PCM_16")
                backgrounds.append(f"{name},0,{category},{split}")
    (folder / "words.csv").write_text("\n".join(words) + "\n", encoding="utf-8")
    (folder / "backgrounds.csv").write_text("\n".join(backgrounds) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def learner(small_architecture):
    """The small architecture with dropout, and a top layer that has an output for each task."""
    *layers, _ = small_architecture.layers
    top = [
        LayerSpecification("tf.layers.dropout", {"name": "dropout", "rate": 0.25}),
        LayerSpecification("multi_fc_top_classification", {"name": "fc_top"}),
    ]
    return dataclasses.replace(small_architecture, layers=(*layers, *top), tasks={"/stimuli/word_int": 4})
