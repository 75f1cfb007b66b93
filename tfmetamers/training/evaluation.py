"""Evaluation of a trained network on a split of a corpus, in mixtures and in quiet."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import pandas as pd

from tfmetamers.checkpoints.reader import CheckpointFile, read_variables
from tfmetamers.errors import CheckpointError, CorpusError, shown
from tfmetamers.networks.auditory.architecture import trace
from tfmetamers.networks.auditory.trained_folder import CARD_FILE, find_trained, read_trained
from tfmetamers.training.corpora import category_names, check_recordings, read_backgrounds, read_words
from tfmetamers.training.metrics import accuracy, mean_area_under_roc
from tfmetamers.training.mixtures import Labels, draw_mixtures, mixture_dataset, read_batches, word_labels
from tfmetamers.training.settings import MixtureSettings
from tfmetamers.training.trainer import TASK_KEYS, TrainableNetwork

#: What seeds the draws of validation and test together with the seed, so that they differ from those of training.
SPLIT_SEEDS = {"validation": 2, "test": 3}

#: Clips in a batch.
BATCH_SIZE = 64


def measure(
    network: TrainableNetwork,
    words: pd.DataFrame,
    backgrounds: pd.DataFrame,
    mixture: MixtureSettings,
    labels: Labels,
    *,
    seed: int,
    split: str,
) -> dict[str, float | None]:
    """Return the metrics of a network on a split; the same seed gives the same mixtures.

    Args:
        network: the network.
        words: the clips of speech; each clip of the split is used once.
        backgrounds: the backgrounds; those of the split are drawn from.
        mixture: how they are mixed.
        labels: the classes.
        seed: seed of the draws.
        split: ``"validation"`` or ``"test"``.

    Returns:
        ``word_accuracy`` and ``category_auc`` (None if no category can have one), for the tasks that the network has.
    """
    words, backgrounds = words[words["split"] == split], backgrounds[backgrounds["split"] == split]
    generator = np.random.default_rng([seed, SPLIT_SEEDS[split]])
    mixtures = draw_mixtures(words, backgrounds, mixture, labels, generator, clips=range(len(words)))
    settings = network.architecture.cochleagram
    dataset = mixture_dataset(
        mixtures,
        categories=len(labels.categories),
        sampling_rate=settings.sampling_rate,
        samples=settings.samples,
        batch_size=BATCH_SIZE,
    )
    logits, targets = {}, {"word": [], "categories": []}
    for batch in read_batches(dataset):
        for task, output in network.outputs(batch["waveform"]).items():
            logits.setdefault(task, []).append(output)
        for task, target in targets.items():
            target.append(batch[task].numpy())
    metrics = {"word": ("word_accuracy", accuracy), "categories": ("category_auc", mean_area_under_roc)}
    return {
        metrics[task][0]: metrics[task][1](np.concatenate(outputs), np.concatenate(targets[task]))
        for task, outputs in logits.items()
    }


def in_quiet(mixture: MixtureSettings) -> MixtureSettings:
    """Return the settings for the same words without backgrounds or shifts."""
    return dataclasses.replace(mixture, silence=0.0, clean=1.0, shift=0.0)


def without_speech(mixture: MixtureSettings) -> MixtureSettings:
    """Return the settings for backgrounds alone."""
    return dataclasses.replace(mixture, silence=1.0, clean=0.0)


def measure_test(
    network: TrainableNetwork,
    words: pd.DataFrame,
    backgrounds: pd.DataFrame,
    mixture: MixtureSettings,
    labels: Labels,
    *,
    seed: int,
) -> dict[str, float | None]:
    """Return the metrics on the test split: in mixtures, for words in quiet, and for backgrounds alone.

    Args:
        network: the network.
        words: the clips of speech.
        backgrounds: the backgrounds.
        mixture: how they were mixed in training.
        labels: the classes.
        seed: seed of the draws.

    Returns:
        As `measure`, and ``word_accuracy_in_quiet`` and ``category_auc_without_speech``.
    """

    def measured(settings):
        return measure(network, words, backgrounds, settings, labels, seed=seed, split="test")

    metrics = measured(mixture)
    if "word_accuracy" in metrics:
        metrics["word_accuracy_in_quiet"] = measured(in_quiet(mixture))["word_accuracy"]
    if "category_auc" in metrics:
        metrics["category_auc_without_speech"] = measured(without_speech(mixture))["category_auc"]
    return metrics


def evaluate_trained(
    folder: str | os.PathLike, words: str | os.PathLike, backgrounds: str | os.PathLike
) -> dict[str, float | None]:
    """Return the metrics of a trained network on the test split of a corpus, mixed as its card says.

    On the corpus that it was trained on, they are those of the card.

    Args:
        folder: the folder that ``tfmetamers train`` wrote, or the name of a bundled network.
        words: the manifest of speech.
        backgrounds: the manifest of backgrounds.

    Returns:
        As `measure_test`.

    Raises:
        CheckpointError: the folder cannot be read.
        CorpusError: a manifest cannot be used, or a recording of it; the corpus has words or categories that the
            network lacks.

    >>> from tfmetamers.stimuli import sample_words, save_sound
    >>> words = pd.read_csv(sample_words()).rename(columns={"label": "word"}).head(12)
    >>> words["file"] = [sample_words().with_name(file) for file in words["file"]]
    >>> words.assign(start=0.0, split=["train", "test"] * 6).to_csv("words.csv", index=False)
    >>> save_sound(0.1 * np.random.default_rng(0).normal(size=32000).astype(np.float32), "noise.wav", 8000)
    >>> columns = {"start": range(4), "categories": ["hiss", "wind"] * 2, "split": ["train"] * 2 + ["test"] * 2}
    >>> pd.DataFrame({"file": "noise.wav", **columns}).to_csv("backgrounds.csv", index=False)
    >>> metrics = evaluate_trained("small_word_aliased", "words.csv", "backgrounds.csv")
    >>> metrics["word_accuracy_in_quiet"] > 0.8
    True
    """
    folder = find_trained(folder) or Path(folder)
    files = read_trained(folder)
    try:
        seed, mixture = files.card["settings"]["seed"], MixtureSettings(**files.card["settings"]["mixture"])
    except (KeyError, TypeError) as error:
        raise CheckpointError(
            f"{folder / CARD_FILE} does not have the settings of the training ({error}); copy the folder again."
        ) from error
    speech, noise = read_words(words), read_backgrounds(backgrounds, needed=["test"])
    named = {task: files.labels.get(key) for task, key in TASK_KEYS.items()}
    labels = Labels(named["word"] or word_labels(speech), named["categories"] or category_names(noise))
    test, test_noise = speech[speech["split"] == "test"], noise[noise["split"] == "test"]
    for manifest, what, there, known in (
        (words, "words", test["word"].unique(), labels.words),
        (backgrounds, "categories", category_names(test_noise), labels.categories),
    ):
        unknown = sorted(set(there) - set(known))
        if unknown:
            raise CorpusError(
                f"{files.architecture.name} was not trained on {what} in the test split of {manifest}: "
                f"{shown(', '.join(unknown))}; delete their rows."
            )
    settings = files.architecture.cochleagram
    check_recordings(test, settings.samples / settings.sampling_rate)
    check_recordings(test_noise, 1 / settings.sampling_rate)
    specification = trace(files.architecture).specification
    network = TrainableNetwork(files.architecture, read_variables(CheckpointFile(files.checkpoint), specification))
    return measure_test(network, speech, noise, mixture, labels, seed=seed)
