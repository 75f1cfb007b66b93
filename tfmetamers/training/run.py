"""A training run: epochs until a threshold is reached, resumed where it was stopped, in a folder that can be loaded."""

import contextlib
import dataclasses
import json
import os
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf

from tfmetamers.errors import ArgumentError, ResultError, shown
from tfmetamers.networks.auditory.architecture import Architecture, as_json, trace, write_architecture
from tfmetamers.networks.auditory.trained_folder import ARCHITECTURE_FILE, CARD_FILE, LABELS_FILE
from tfmetamers.stimuli.sounds import RMS
from tfmetamers.training.card import write_card
from tfmetamers.training.corpora import category_names, check_recordings, read_backgrounds, read_words
from tfmetamers.training.corpus_choices import SPLITS
from tfmetamers.training.cost import StepCost, measure_cost
from tfmetamers.training.epochs import (
    CHECKPOINT_FILE,
    EPOCHS_FOLDER,
    drop_epochs,
    epoch_folder,
    restore_epoch,
    save_epoch,
    saved_epochs,
)
from tfmetamers.training.evaluation import measure, measure_test
from tfmetamers.training.mixtures import Labels, draw_mixtures, mixture_dataset, read_batches, word_labels
from tfmetamers.training.perturbation import check_size
from tfmetamers.training.settings import TrainingSettings
from tfmetamers.training.trainer import TASK_KEYS, TrainableNetwork, Trainer
from tfmetamers.utilities.determinism import deterministic_operations
from tfmetamers.utilities.device import grow_memory
from tfmetamers.utilities.differences import find_differences
from tfmetamers.utilities.files import atomic_write, file_digest, file_lock, sweep
from tfmetamers.utilities.json_files import read_json, typed

#: What the run was started with.
RUN_FILE = "training.json"

#: What seeds the draws of training together with the seed and the epoch; `evaluation.SPLIT_SEEDS` has the others.
TRAINING_SEED = 1

#: The tasks that a network is trained on, by the value of `TrainingSettings.task`.
TASKS_TRAINED = {"words": ("word",), "categories": ("categories",), "both": ("word", "categories")}


def train(
    architecture: Architecture,
    words: str | os.PathLike,
    backgrounds: str | os.PathLike,
    settings: TrainingSettings,
    out: str | os.PathLike,
    *,
    note: str = "",
    progress: Callable[[int, int, int, float], None] | None = None,
    report: Callable[[dict], None] | None = None,
    report_cost: Callable[[StepCost], None] | None = None,
) -> dict:
    """Train an auditory network, or resume a run with the same settings where it was stopped.

    Every clip of speech is heard once an epoch, in a new mixture. After each epoch the network is validated; training
    stops at the first epoch whose validation reaches the settings' thresholds, so that networks can be compared at
    matched performance (Feather et al., 2019, section 4). Epochs, mixtures and dropout are drawn from the seed alone,
    so that an interrupted run ends with the same weights as an uninterrupted one.

    Args:
        architecture: the layers; its tasks are replaced by those of the corpus, its name by that of the folder when
            the run began.
        words: the manifest of speech (`tfmetamers.training.corpora.read_words`).
        backgrounds: the manifest of backgrounds (`read_backgrounds`).
        settings: how it is trained.
        out: the folder of the run.
        note: text to add to the card, such as the source of the recordings and their licence.
        progress: called with the epoch, the step, the number of steps in an epoch and the loss.
        report: called with each epoch's entry of the history, including those of epochs before the run was resumed.
        report_cost: called before the first epoch of this call with what a step costs, where sounds are perturbed.

    Returns:
        The content of ``card.json`` in the folder.

    Raises:
        CorpusError: a manifest or one of its recordings cannot be used.
        ArgumentError: the architecture cannot be trained, or perturbations are as large as the sounds.
        ResultError: the folder contains another run, is in use, or cannot be written.

    >>> from tfmetamers.cochlea import CochleagramSettings
    >>> from tfmetamers.networks import LayerSpecification
    >>> from tfmetamers.stimuli import save_sound
    >>> for word, frequency in {"low": 250, "high": 1500}.items():
    ...     tone = 0.1 * np.sin(2 * np.pi * frequency * np.arange(12000) / 4000)
    ...     save_sound(tone.astype(np.float32), f"{word}.wav", sampling_rate=4000)
    >>> splits = ["train", "validation", "test"]
    >>> clips = [(f"{word}.wav", start, word, splits[start]) for word in ("low", "high") for start in range(3)]
    >>> words = pd.DataFrame(clips, columns=["file", "start", "word", "split"]).assign(speaker="")
    >>> words.to_csv("words.csv", index=False)
    >>> words.rename(columns={"word": "categories"}).to_csv("backgrounds.csv", index=False)
    >>> cochleagram = CochleagramSettings(
    ...     sampling_rate=4000, samples=2000, low_limit=50, high_limit=1800, filters=4, envelope_rate=100, window=201
    ... )
    >>> flat = LayerSpecification("tf.layers.flatten", {"name": "flat"})
    >>> top = LayerSpecification("fc_top_classification", {"name": "fc_top"})
    >>> architecture = Architecture("mine", (flat, top), {"words": 3}, cochleagram=cochleagram)
    >>> settings = TrainingSettings(epochs=1, batch_size=2, deterministic=False)
    >>> card = train(architecture, "words.csv", "backgrounds.csv", settings, "run")
    >>> card["finished"], card["data"]["words"]["clips"]
    (True, {'train': 2, 'validation': 2, 'test': 2})
    """
    if not isinstance(architecture, Architecture):
        raise ArgumentError(f"The architecture is {shown(architecture)}; give the result of read_architecture(FILE).")
    if settings.perturbation and settings.perturbation.domain == "waveform":  # Whose norm is known beforehand.
        check_size(settings.perturbation, RMS * architecture.cochleagram.samples**0.5)
    out = Path(out)
    speech = read_words(words, needed=SPLITS)
    noise = read_backgrounds(backgrounds, needed=SPLITS)
    labels = Labels(word_labels(speech), category_names(noise))
    classes = {"word": len(labels.words), "categories": len(labels.categories)}
    tasks = {TASK_KEYS[task]: classes[task] for task in TASKS_TRAINED[settings.task]}
    architecture = dataclasses.replace(architecture, name=_name(out), tasks=tasks)
    seconds = architecture.cochleagram.samples / architecture.cochleagram.sampling_rate
    busy = f"Another process is training in {out}; wait for it, or give another folder."
    alone = file_lock(out / ".lock", out, out, busy=busy, remedy="Give another folder.")
    grow_memory()
    with deterministic_operations(settings.deterministic), alone:
        sweep(out)
        traced = trace(architecture, settings.seed)
        data = {"words": _describe_corpus(words, speech), "backgrounds": _describe_corpus(backgrounds, noise)}
        trainer = Trainer(TrainableNetwork(architecture, traced.random_weights()), settings)
        _claim(out, architecture, settings, data, labels)
        saved = saved_epochs(out)
        history = restore_epoch(out, saved[-1], trainer) if saved else []
        chosen, is_reached = _choose(history, settings, out)
        for entry in history if report else []:
            report(entry)
        if not is_reached and len(history) < settings.epochs:
            check_recordings(speech, seconds)
            check_recordings(noise, 1 / architecture.cochleagram.sampling_rate)
            if report_cost and settings.perturbation:
                report_cost(measure_cost(architecture, settings))
        card = {
            "name": architecture.name,
            "note": "\n\n".join(filter(None, [architecture.note, note])),
            "settings": dataclasses.asdict(settings),
            "data": data,
            "weights": int(sum(np.prod(variable.shape) for variable in traced.variables)),
            "front_end": {"trained_with": "fast", **architecture.cochleagram.to_json()},
            "versions": {name: version(name) for name in ("tfmetamers", "tensorflow", "keras", "numpy")},
        }
        with contextlib.closing(tf.summary.create_file_writer(str(out / "logs"))) as logs:
            while not is_reached and len(history) < settings.epochs:
                entry = _train_epoch(trainer, speech, noise, labels, settings, len(history) + 1, progress)
                entry |= measure(
                    trainer.network,
                    speech,
                    noise,
                    settings.mixture,
                    labels,
                    seed=settings.seed,
                    split="validation",
                )
                history.append(entry)
                save_epoch(out, trainer, history)
                chosen, is_reached = _choose(history, settings, out)
                _write(out, card, history, chosen, outcome=None)
                drop_epochs(out, {chosen, entry["epoch"]})
                _log(logs, entry)
                if report:
                    report(entry)
        restore_epoch(out, chosen, trainer)
        outcome = {
            "reached_threshold": is_reached,
            "test": measure_test(trainer.network, speech, noise, settings.mixture, labels, seed=settings.seed),
        }
        return _write(out, card, history, chosen, outcome)


def _train_epoch(trainer, speech, noise, labels, settings, epoch, progress) -> dict:
    """Train for an epoch and return its entry of the history."""
    rows = np.flatnonzero(speech["split"] == "train")
    trainer.optimizer.learning_rate.assign(settings.learning_rate_of(epoch - 1))
    generator = np.random.default_rng([settings.seed, TRAINING_SEED, epoch])
    clips = _clips_of(rows, settings, epoch)
    mixtures = draw_mixtures(speech, noise[noise["split"] == "train"], settings.mixture, labels, generator, clips=clips)
    cochleagram = trainer.network.architecture.cochleagram
    dataset = mixture_dataset(
        mixtures,
        categories=len(labels.categories),
        sampling_rate=cochleagram.sampling_rate,
        samples=cochleagram.samples,
        batch_size=settings.batch_size,
    )
    steps = -(-len(clips) // settings.batch_size)
    losses, silent, clipped, perturbed = [], 0, 0, {}
    for step, batch in enumerate(read_batches(dataset), start=1):
        if step == 1 and settings.perturbation:
            perturbed = {"signal_norm": trainer.signal_norm(batch)}
            check_size(settings.perturbation, **perturbed)
        losses.append(trainer.step(batch, seed=(settings.seed, (epoch - 1) * steps + step)))
        silent += int(batch["silent"].numpy().sum())
        clipped += int(batch["clipped"].numpy().sum())
        if not np.isfinite(losses[-1]):
            raise ResultError(
                f"The loss is {losses[-1]} at step {step} of epoch {epoch}; lower the learning rate, and give another "
                "folder."
            )
        if progress:
            progress(epoch, step, steps, losses[-1])
    return {
        "epoch": epoch,
        "loss": float(np.mean(losses)),
        "learning_rate": settings.learning_rate_of(epoch - 1),
        "silent_clips": silent,
        "clipped_clips": clipped,
        **perturbed,
    }


def _clips_of(rows: np.ndarray, settings: TrainingSettings, epoch: int) -> np.ndarray:
    """Return the rows that an epoch uses: all in a new order, or the next ones of one order after another."""
    count = len(rows) if settings.steps_per_epoch is None else settings.steps_per_epoch * settings.batch_size
    places = np.arange((epoch - 1) * count, epoch * count)
    passes = places // len(rows)
    orders = {
        number: np.random.default_rng([settings.seed, TRAINING_SEED, 0, number]).permutation(rows)
        for number in np.unique(passes).tolist()
    }
    return np.concatenate([orders[number][places[passes == number] % len(rows)] for number in orders])


def _choose(history: list[dict], settings: TrainingSettings, out: Path) -> tuple[int | None, bool]:
    """Return the epoch whose weights are used, and whether it reached the thresholds.

    It is the first that reached them. If none did, it is the first with the best metric, or mean of metrics, among
    those whose weights are on disk; if the thresholds were changed, a better one may have been deleted.

    Raises:
        ResultError: the weights of the first epoch that reached the thresholds have been deleted.
    """
    if not history:
        return None, False
    thresholds = settings.thresholds
    saved = saved_epochs(out)
    for entry in history if thresholds else []:
        if all(entry[metric] is not None and entry[metric] >= minimum for metric, minimum in thresholds.items()):
            if entry["epoch"] not in saved:
                raise ResultError(
                    f"Epoch {entry['epoch']} of {out} was the first to reach the thresholds, but its weights were "
                    "deleted under the earlier ones; give the earlier thresholds, or another folder."
                )
            return entry["epoch"], True
    metrics = ("word_accuracy", "category_auc")
    there = [entry for entry in history if entry["epoch"] in saved]
    return max(there, key=lambda entry: np.mean([entry.get(name) or 0.0 for name in metrics]))["epoch"], False


def _write(out: Path, card: dict, history: list[dict], chosen: int, outcome: dict | None) -> dict:
    """Write the card: what was done, and which checkpoint to load."""
    folder = epoch_folder(out, chosen).relative_to(out)
    card = {
        **card,
        "checkpoint": (folder / CHECKPOINT_FILE).as_posix(),
        "epoch": chosen,
        "finished": outcome is not None,
        **(outcome or {}),
        "validation": history[chosen - 1],
        "history": history,
    }
    write_card(card, out)
    return card


def _log(logs, entry: dict) -> None:
    with logs.as_default(step=entry["epoch"]):
        for name, value in entry.items():
            if name != "epoch" and value is not None:
                tf.summary.scalar(name, value)
    logs.flush()


def _describe_corpus(manifest, frame: pd.DataFrame) -> dict:
    """Describe a corpus: the name and hash of its manifest, and the numbers of clips and speakers of each split."""
    counts = {split: int((frame["split"] == split).sum()) for split in SPLITS}
    entries = {"manifest": Path(manifest).name, "sha256": file_digest(manifest), "clips": counts}
    if "word" in frame:
        entries["speakers"] = {split: int(frame.loc[frame["split"] == split, "speaker"].nunique()) for split in SPLITS}
    return entries


def _claim(out: Path, architecture: Architecture, settings: TrainingSettings, data: dict, labels: Labels) -> None:
    """Record what the run was started with, or refuse a folder in which another run has finished an epoch."""
    changeable = ("epochs", "word_threshold", "category_threshold")
    identity = {
        "architecture": as_json(architecture),
        "settings": {name: value for name, value in dataclasses.asdict(settings).items() if name not in changeable},
        "data": data,
    }
    identity = json.loads(json.dumps(identity))
    results = [name for name in (EPOCHS_FOLDER, CARD_FILE) if (out / name).exists()]
    found = _read_run(out)
    if found is not None and results:
        differences = find_differences(found, identity)
        if differences:
            raise ResultError(
                f"{out} contains another run ({'; '.join(differences[:5])}); give another folder, or the settings of "
                "that run."
            )
        return
    if results:
        raise ResultError(f"{out} contains {' and '.join(results)}, but not of a training run; give another folder.")
    write_architecture(architecture, out / ARCHITECTURE_FILE)
    named = {TASK_KEYS["word"]: labels.words, TASK_KEYS["categories"]: labels.categories}
    _write_json({key: named[key] for key in architecture.tasks}, out / LABELS_FILE)
    _write_json(identity, out / RUN_FILE)


def _read_run(out: Path):
    """Return the settings with which the run of a folder was started; None if there is no run."""
    file = out / RUN_FILE
    if not file.exists():
        return None
    try:
        return typed(read_json(file), dict[str, Any])
    except (OSError, ValueError) as error:
        raise ResultError(f"{file} cannot be read ({error}); give another folder.") from error


def _name(out: Path) -> str:
    """Return the name of a folder's network: that of the folder when the run began, wherever it is now."""
    try:
        return _read_run(out)["architecture"]["name"]
    except (TypeError, KeyError):  # There is no run, or something else, which `_claim` refuses.
        return out.resolve().name


def _write_json(content, file: Path) -> None:
    with atomic_write(file) as partial:
        partial.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
