"""What a step of training with perturbations costs, against an ordinary one."""

import dataclasses
import time
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfmetamers.networks.auditory.architecture import Architecture, trace
from tfmetamers.stimuli.sounds import RMS
from tfmetamers.training.settings import TrainingSettings
from tfmetamers.training.trainer import TASK_KEYS, TrainableNetwork, Trainer


@dataclass(frozen=True)
class StepCost:
    """The cost of a step.

    Attributes:
        passes: how often the network is computed in a step, forward and backward.
        seconds: what a step takes.
        ordinary_seconds: what a step without perturbations takes.
    """

    passes: int
    seconds: float
    ordinary_seconds: float


def measure_cost(architecture: Architecture, settings: TrainingSettings) -> StepCost:
    """Measure a step of training on a batch of noise, with perturbations and without.

    The time of noise is that of sounds. Each kind of step is taken twice, and the second is measured.

    Args:
        architecture: the layers.
        settings: how it is trained, with perturbations.
    """
    ordinary = dataclasses.replace(settings, perturbation=None)
    return StepCost(
        passes=1 + settings.perturbation.steps,
        seconds=_seconds(architecture, settings),
        ordinary_seconds=_seconds(architecture, ordinary),
    )


def _seconds(architecture: Architecture, settings: TrainingSettings) -> float:
    generator = np.random.default_rng(0)
    count, classes = settings.batch_size, architecture.tasks.get(TASK_KEYS["categories"], 1)
    batch = {
        "waveform": tf.constant(RMS * generator.standard_normal((count, architecture.cochleagram.samples)), tf.float32),
        "word": tf.zeros(count, tf.int32),
        "categories": tf.zeros((count, classes), tf.float32),
    }
    trainer = Trainer(TrainableNetwork(architecture, trace(architecture, 0).random_weights()), settings)
    trainer.step(batch, seed=(0, 0))
    began = time.perf_counter()
    trainer.step(batch, seed=(0, 1))
    return time.perf_counter() - began
