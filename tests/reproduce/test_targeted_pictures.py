"""The networks of pictures: that they learn, that random perturbations have their size, and what is written."""

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from tests.scripts import load_script


@pytest.fixture(scope="module")
def script():
    return load_script("targeted_pictures")


def pictures():
    """Return pictures of three kinds, each brighter in one channel, and their labels."""
    random = np.random.default_rng(0)
    labels = np.arange(90, dtype=np.int32) % 3
    images = 0.4 * random.random((90, 32, 32, 3), np.float32)
    images[np.arange(90), :, :, labels] += 0.3
    return images, labels


def test_a_network_learns_on_adversarial_pictures(script):
    images, labels = pictures()
    model = script.train("small", images, labels, (8, 8, 8, 8), False, 0, 2, epochs=20)
    assert np.mean(model(images).numpy().argmax(axis=1) == labels) > 0.9
    targets, clean = tf.constant(labels), tf.constant(images)
    moved = {steps: script.attacked(model, clean, targets, 0.5, (steps, 0.3), tf.constant([0, 1])) for steps in (0, 7)}
    for each in moved.values():
        sizes = np.linalg.norm((each - clean).numpy().reshape(90, -1), axis=1)
        assert sizes.max() <= 0.5 * (1 + 1e-5) and tf.reduce_min(each) >= 0 and tf.reduce_max(each) <= 1
    assert script.loss(model, moved[7], targets) > script.loss(model, moved[0], targets)


def test_held_out_pictures_are_written_with_their_labels(script, tmp_path):
    images, labels = pictures()
    script.write_pictures(images, labels, ["red", "green", "blue"], tmp_path)
    stimuli = pd.read_csv(tmp_path / "stimuli.csv", dtype=str)
    assert stimuli["label"].value_counts().to_dict() == {"red": 2, "green": 2, "blue": 2}
    assert len(pd.read_csv(tmp_path / "held_out.csv")) == 90 and (tmp_path / stimuli["file"][0]).exists()
    assert (tmp_path / "labels.txt").read_text().split() == ["red", "green", "blue"]


def test_pictures_are_shifted_and_mirrored_but_not_changed(script):
    images, _ = pictures()
    varied = script.varied(images, np.random.default_rng(0))
    inner = images[:, 8:24, 8:24]
    for image, original in zip(varied, inner, strict=True):
        windows = [view[y : y + 16, x : x + 16] for view in (image, image[:, ::-1])
                   for y in range(6, 11) for x in range(6, 11)]  # fmt: skip
        assert any(np.array_equal(window, original) for window in windows)
