"""Small networks of CIFAR-10 that differ in one thing each: the 2023 paper's targeted changes at small scale.

    python reproduce/scripts/targeted_pictures.py --pictures cifar10_4000.npz --released FOLDER \
        --output reproduction/2023/full/cifar

PICTURES is a .npz of images (uint8, n x 32 x 32 x 3), labels (n) and names (10); the last 400 are held out. FOLDER has
the networks of `robust_networks.py`, which is beside this script, and standard_resnet8.h5 (mlcommons/tiny, Apache-2.0).
A network that was trained is left as it is. The settings were fixed before the first network was trained, and all seeds
are kept. `tfmetamers reproduce 2023/targeted-pictures` makes their metamers.
"""

import shutil
from pathlib import Path

import click
import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from PIL import Image
from robust_networks import write_keras

from tfmetamers.training.perturbation import perturb
from tfmetamers.utilities.files import atomic_write

#: The seeds of weights, order and perturbations.
SEEDS = (10, 11, 12)

#: The L2 norm of perturbations: the usual one for pictures of this size, of values from 0 to 1.
EPS = 0.5

#: Steps of projected gradient descent and their length in units of eps, in training and in evaluation (the defaults of
#: the library robustness). Networks meet the full eps after a third of the epochs: at once, training can stall.
TRAINING_ATTACK, EVALUATION_ATTACK = (7, 2.5 / 7), (20, 2.5 / 20)

#: The number of steps of the attack in training, by condition; None for no perturbations.
CONDITIONS = {"standard": None, "random": 0, "adversarial": TRAINING_ATTACK[0]}

#: Networks that only judge, with their filters and whether they pool where the others stride.
JUDGES = {"judge_narrow": ((16, 32, 64, 64), False), "judge_pooled": ((32, 64, 128, 128), True)}
JUDGES_SEED = 20

FILTERS, UNITS = (32, 64, 128, 128), 64
EPOCHS, BATCH, RATE, DECAY_EPOCHS = 30, 64, 1e-3, 20
SHIFT = 2

#: Pictures that no network here is trained on, and how many of each kind metamers are made of.
HELD_OUT, OF_EACH = 400, 2

RELEASED = ("resnet_2b", "resnet_4b", "cifar10_large")
RESIDUAL = "standard_resnet8.h5"


@click.command()
@click.option("--pictures", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True)
@click.option("--released", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), required=True)
def main(pictures, released, output):
    """Write pictures and released networks, and train the others."""
    with np.load(pictures) as file:
        images, labels, names = file["images"] / np.float32(255), file["labels"].astype(np.int32), list(file["names"])
    write_pictures(images[-HELD_OUT:], labels[-HELD_OUT:], names, output)
    shutil.copyfile(released / RESIDUAL, output / RESIDUAL)
    for name in RELEASED:
        click.echo(write_keras(released / f"{name}.onnx", output))
    wanted = {f"{condition}_{seed}": (FILTERS, False, seed, steps)
              for seed in SEEDS for condition, steps in CONDITIONS.items()}  # fmt: skip
    wanted |= {name: (*shape, JUDGES_SEED, None) for name, shape in JUDGES.items()}
    for name, (filters, is_pooled, seed, steps) in wanted.items():
        if not (output / f"{name}.keras").exists():
            model = train(name, images[:-HELD_OUT], labels[:-HELD_OUT], filters, is_pooled, seed, steps)
            with atomic_write(output / f"{name}.keras") as partial:
                model.save(partial.with_suffix(".keras"))
                partial.with_suffix(".keras").rename(partial)
    write_accuracies([*wanted, *RELEASED], images[-HELD_OUT:], labels[-HELD_OUT:], output)


def build(name: str, filters, is_pooled: bool, seed: int, classes: int = 10) -> keras.Model:
    """Return a network of four convolutions and two dense layers with random weights.

    Args:
        name: its name.
        filters: of each convolution.
        is_pooled: whether it pools by averages where others stride.
        seed: of the weights.
        classes: how many there are.
    """
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    values = inputs = keras.Input((32, 32, 3), name="pictures")
    for number, count in enumerate(filters):
        strides = 2 if number and not is_pooled else 1
        values = layers.Conv2D(count, 3, strides, padding="same", name=f"conv_{number}")(values)
        values = layers.ReLU(name=f"relu_{number}")(values)
        if number and is_pooled:
            values = layers.AveragePooling2D(2, name=f"pool_{number}")(values)
    values = layers.Dense(UNITS, name="dense")(layers.Flatten(name="flatten")(values))
    values = layers.ReLU(name="relu_dense")(values)
    return keras.Model(inputs, layers.Dense(classes, name="logits")(values), name=name)


def train(name, images, labels, filters, is_pooled, seed, steps, epochs=EPOCHS) -> keras.Model:
    """Train a network on pictures that are mirrored and shifted at random, and perturbed.

    Args:
        name: its name.
        images: float32 (n, 32, 32, 3), from 0 to 1.
        labels: int32 (n,).
        filters: of each convolution.
        is_pooled: whether it pools where others stride.
        seed: of weights, order and perturbations.
        steps: of the attack; 0 for random perturbations, None for none.
        epochs: passes over the pictures.
    """
    model = build(name, filters, is_pooled, seed, int(labels.max()) + 1)
    optimizer = keras.optimizers.Adam(RATE)
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(pictures, targets, eps, seed):
        if steps is not None:
            pictures = attacked(model, pictures, targets, eps, (steps, TRAINING_ATTACK[1]), seed)
        with tf.GradientTape() as tape:
            value = loss(model, pictures, targets)
        optimizer.apply(tape.gradient(value, model.trainable_variables), model.trainable_variables)
        return value

    generator = np.random.default_rng(seed)
    for epoch in range(epochs):
        optimizer.learning_rate.assign(RATE if epoch < DECAY_EPOCHS else RATE / 10)
        eps = tf.constant(EPS * min(1.0, (epoch + 1) / (epochs / 3)), tf.float32)
        order, losses = generator.permutation(len(images)), []
        for first in range(0, len(order), BATCH):
            rows = order[first : first + BATCH]
            pictures = tf.constant(varied(images[rows], generator))
            place = tf.constant([seed, epoch * len(images) + first])
            losses.append(float(step(pictures, tf.constant(labels[rows]), eps, place)))
        click.echo(f"{name}, epoch {epoch + 1}: loss {np.mean(losses):.3f}")
    return model


def varied(images: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return pictures mirrored or not, and shifted by up to `SHIFT` pixels, each at random."""
    padded = np.pad(images, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), "reflect")
    places = generator.integers(2 * SHIFT + 1, size=(len(images), 2))
    size = images.shape[1]
    shifted = [image[down : down + size, across : across + size]
               for image, (down, across) in zip(padded, places, strict=True)]  # fmt: skip
    mirrored = generator.random(len(images)) < 0.5
    return np.stack([image[:, ::-1] if is_mirrored else image
                     for image, is_mirrored in zip(shifted, mirrored, strict=True)])  # fmt: skip


def loss(model: keras.Model, pictures, targets) -> tf.Tensor:
    """Return the mean cross-entropy."""
    logits = model(pictures)
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=logits))


def attacked(model: keras.Model, pictures, targets, eps, attack: tuple[int, float], seed) -> tf.Tensor:
    """Return pictures with adversarial perturbations, or random ones where the attack has no steps."""
    steps, share = attack
    return perturb(pictures, lambda each: loss(model, each, targets), eps=eps, steps=steps, step_size=share * eps,
                   bounds=(0.0, 1.0), seed=seed)  # fmt: skip


def write_pictures(images: np.ndarray, labels: np.ndarray, names: list[str], output: Path) -> None:
    """Write the pictures that were held out, manifests of them and of those that metamers are made of, and labels."""
    folder, rows = output / "pictures", []
    output.mkdir(parents=True, exist_ok=True)
    if not folder.exists():
        with atomic_write(folder) as partial:
            partial.mkdir()
            for number, image in enumerate(images):
                Image.fromarray(np.round(image * 255).astype(np.uint8)).save(partial / f"{number:03d}.png")
    for number, label in enumerate(labels):
        rows.append({"id": f"{number:03d}", "file": f"pictures/{number:03d}.png", "label": names[label]})
    table = pd.DataFrame(rows)
    for name, chosen in {"held_out.csv": table, "stimuli.csv": table.groupby("label").head(OF_EACH)}.items():
        with atomic_write(output / name) as partial:
            chosen.to_csv(partial, index=False, lineterminator="\n")
    with atomic_write(output / "labels.txt") as partial:
        partial.write_text("\n".join(names) + "\n", encoding="utf-8")


def write_accuracies(names: list[str], images: np.ndarray, labels: np.ndarray, output: Path) -> None:
    """Write how often each network is right about the pictures that were held out, and under attack."""
    rows = []
    for name in names:
        model = keras.saving.load_model(output / f"{name}.keras", compile=False)
        targets, pictures = tf.constant(labels), tf.constant(images)
        moved = attacked(model, pictures, targets, EPS, EVALUATION_ATTACK, tf.constant([0, 0]))
        right = [float(np.mean(model(each).numpy().argmax(axis=1) == labels)) for each in (pictures, moved)]
        rows.append({"network": name, "accuracy": right[0], "accuracy_under_attack": right[1]})
        click.echo(f"{name}: {right[0]:.3f} right, {right[1]:.3f} under attack of {EPS}")
    with atomic_write(output / "accuracy.csv") as partial:
        pd.DataFrame(rows).to_csv(partial, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
