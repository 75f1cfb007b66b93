"""The networks of pictures: that they learn, that random perturbations have their size, and what is written."""

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
import tomlkit
from click.testing import CliRunner

from tests.scripts import load_script
from tfmetamers.cli.main import tfmetamers
from tfmetamers.reproduce.experiments import experiment_text


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


@pytest.mark.slow
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


def reduced() -> str:
    """Return the experiment with two networks and two judges, and few steps."""
    document = tomlkit.parse(experiment_text("2023", "targeted_pictures", "full"))
    kept = tomlkit.aot()
    for table in document["networks"]:
        if table["network"] in ("cifar/standard_10.keras", "cifar/adversarial_10.keras"):
            table["settings"]["steps"] = 3
            kept.append(table)
    document["networks"], document["recognition"]["judges"] = kept, document["recognition"]["judges"][:2]
    document["null"]["pairs"] = 20
    return tomlkit.dumps(document)


@pytest.mark.slow
def test_the_figure_is_made_of_networks_that_the_script_trained(script, tmp_path):
    import keras

    folder = tmp_path / "2023" / "full"
    images, labels = pictures()
    script.write_pictures(images, labels, ["red", "green", "blue"], folder / "cifar")
    for name in ("standard_10", "adversarial_10", "judge_narrow", "judge_pooled"):
        model = script.train(name, images, labels, (8, 8, 8, 8), name == "judge_pooled", 0, None, epochs=1)
        model.save(folder / "cifar" / f"{name}.keras")
    (folder / "targeted_pictures.toml").write_text(reduced())
    command = ["reproduce", "2023/targeted-pictures", "--full", "--output", str(tmp_path), "--shard", "1/1"]
    done = CliRunner().invoke(tfmetamers, command)
    assert done.exit_code == 0, done.output
    table = pd.read_csv(folder / "targeted-pictures" / "table.csv", keep_default_na=False, na_values=[""])
    natural = table[(table["layer"] == "natural") & (table["metamers"] == "passed")]
    judges = [keras.saving.load_model(folder / "cifar" / f"judge_{kind}.keras") for kind in ("narrow", "pooled")]
    right = [np.mean(judge(images[:6]).numpy().argmax(axis=1) == labels[:6]) for judge in judges]
    assert natural["value"].iloc[0] == pytest.approx(np.mean(right))
    assert set(table["condition"].dropna()) >= {"standard", "adversarial"}
    assert "Adversarial training makes metamers of the last stage" in done.output
