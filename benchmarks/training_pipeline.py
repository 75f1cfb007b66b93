"""Clips a second of the training pipeline against those that training takes, in the same run.

    python benchmarks/training_pipeline.py

Recordings of ten seconds are made in a temporary folder, at the network's own sampling rate and at 44.1 kHz. Clips of
them are decoded, resampled, mixed and batched by the pipeline alone, then by a network's training steps. The pipeline
is no bottleneck where it gives more clips a second than the steps alone take; the last column is the time of steps fed
by the pipeline over that of steps on batches that are in memory, which on a CPU share its cores.
"""

import dataclasses
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import numpy as np
import pandas as pd
import soundfile
import tensorflow as tf
from tabulate import tabulate

from tfmetamers.networks.auditory.architecture import trace
from tfmetamers.networks.auditory.word_cnn import find_architecture
from tfmetamers.training import mixtures as mixing
from tfmetamers.training.settings import MixtureSettings, TrainingSettings
from tfmetamers.training.trainer import TASK_KEYS, TrainableNetwork, Trainer

#: Of recordings that have to be resampled, in Hz.
ANOTHER_RATE = 44100

LABELS = mixing.Labels([mixing.SILENCE, "one", "two"], ["noise", "tones"])


@click.command()
@click.option("--architecture", "names", multiple=True, default=("small_word_aliased", "word_aliased"))
@click.option("--clips", default=128, show_default=True, help="Clips that are timed.")
@click.option("--batch-size", default=16, show_default=True)
def main(names, clips, batch_size):
    """Time the pipeline and training steps."""
    tf.get_logger().setLevel("ERROR")
    tf.config.experimental.enable_op_determinism()  # As training does.
    rows = []
    for name in names:
        architecture = dataclasses.replace(find_architecture(name), tasks={TASK_KEYS["word"]: 3})
        settings = architecture.cochleagram
        trainer = Trainer(TrainableNetwork(architecture, trace(architecture).random_weights()), TrainingSettings())
        for rate in (settings.sampling_rate, ANOTHER_RATE):
            with tempfile.TemporaryDirectory() as folder:
                words, backgrounds = make_corpus(Path(folder), rate)
                mixtures = mixing.draw_mixtures(
                    words,
                    backgrounds,
                    MixtureSettings(),
                    LABELS,
                    np.random.default_rng(0),
                    clips=np.arange(clips) % len(words),
                )
                dataset = mixing.mixture_dataset(
                    mixtures,
                    categories=2,
                    sampling_rate=settings.sampling_rate,
                    samples=settings.samples,
                    batch_size=batch_size,
                )
                in_memory = list(dataset)
                trainer.step(in_memory[0], seed=(0, 0))
                started = time.perf_counter()
                for _ in dataset:
                    pass
                reading = time.perf_counter() - started
                alone = seconds_of(trainer, in_memory)
                fed = seconds_of(trainer, dataset)
            rows.append([name, rate, clips / reading, clips / alone, alone / reading, fed / alone])
    headers = ["architecture", "recordings, Hz", "read, clips/s", "trained, clips/s", "ratio", "fed / in memory"]
    print(tabulate(rows, headers, floatfmt=("", "", ".0f", ".1f", ".1f", ".2f")))


def make_corpus(folder: Path, rate: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Write recordings of noise, and return their manifests."""
    generator = np.random.default_rng(0)
    files = []
    for number in range(16):
        files.append(str(folder / f"{number}.wav"))
        soundfile.write(files[-1], 0.1 * generator.standard_normal(10 * rate), rate, subtype="PCM_16")
    starts = np.linspace(0.0, 7.5, 16)
    words = pd.DataFrame({"file": files, "start": starts, "word": ["one", "two"] * 8, "split": "train"})
    backgrounds = pd.DataFrame({"file": files, "start": 0.0, "categories": ["noise", "tones"] * 8, "split": "train"})
    return words, backgrounds


def seconds_of(trainer: Trainer, batches) -> float:
    """Return how long training steps on batches take, in s."""
    started = time.perf_counter()
    for number, batch in enumerate(batches):
        trainer.step(batch, seed=(0, number))
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
