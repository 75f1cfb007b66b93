"""What a network is trained with: the task, the optimiser and the mixtures, with the closest published values."""

import dataclasses
import math
from dataclasses import dataclass, field
from numbers import Real

from tfmetamers.errors import ArgumentError, checked_whole_number, unknown_name

#: What a network can be trained to do.
TASKS = ("words", "categories", "both")

OPTIMIZERS = ("sgd", "adam")


@dataclass(frozen=True)
class MixtureSettings:
    """How speech and backgrounds are mixed.

    The range of signal-to-noise ratios is that of the 2023 paper's networks (``data_augmentation.py`` in
    model_metamers_pytorch); what the 2019 networks were trained with is not in the released code. The shift and the
    shares of clips without speech or background are choices made here: the released word labels have a class for
    "no word", which is what the former are for.

    Attributes:
        least_snr: the least signal-to-noise ratio, in dB.
        greatest_snr: the greatest, in dB; the ratio of a clip is drawn between the two, evenly in dB.
        shift: a word is moved in time by up to this much to either side, in s.
        silence: the share of clips without speech, whose word is the class of silence.
        clean: the share of clips without a background, which belong to no category.

    Raises:
        ArgumentError: a value is out of its range.
    """

    least_snr: float = -10.0
    greatest_snr: float = 10.0
    shift: float = 0.1
    silence: float = 0.05
    clean: float = 0.05

    def __post_init__(self):
        for name in ("least_snr", "greatest_snr"):
            _check_range(f"{name} in dB", getattr(self, name), -200, 200)
        if self.least_snr > self.greatest_snr:
            raise ArgumentError(
                f"The signal-to-noise ratio is from {self.least_snr} to {self.greatest_snr} dB; give the least first."
            )
        _check_range("shift in s", self.shift, 0, 60)
        _check_range("share of silence", self.silence, 0, 1)
        _check_range("share of clean clips", self.clean, 0, 1)
        if self.silence + self.clean > 1:
            raise ArgumentError(
                f"The shares of silence and of clean clips are {self.silence} and {self.clean}; together at most 1 was "
                "expected."
            )


@dataclass(frozen=True)
class TrainingSettings:
    """How a network is trained.

    The optimiser, its learning rate, the batch and the number of epochs are those of the 2023 paper's CochCNN9
    (``pytorch_checkpoints/README`` in model_metamers_pytorch: batches of 128, a rate of 0.01 divided by 10 every 50
    epochs, 150 epochs, stochastic gradient descent by the library robustness, whose momentum is 0.9); those of the
    2019 networks are not in the released code. The thresholds are the 2019 paper's.

    Attributes:
        task: ``"words"``, ``"categories"`` or ``"both"``.
        seed: of the weights, of what each epoch is made of, and of dropout.
        epochs: the most epochs to train for.
        steps_per_epoch: batches in an epoch; None for each clip of training once.
        batch_size: clips in a batch.
        optimizer: ``"sgd"`` with momentum, or ``"adam"``.
        learning_rate: at the beginning.
        momentum: of stochastic gradient descent.
        decay_epochs: the learning rate is divided by 10 every so many epochs.
        category_weight: what the loss of the categories is multiplied by where both tasks are trained.
        word_threshold: training stops at the first validation where the share of words that are right is at least
            this (paper: 0.57); None to go on.
        category_threshold: as above, for the mean area under the ROC curve of the categories (paper: 0.83); with both
            tasks, both must be reached.
        deterministic: use deterministic operations alone, so that the same settings give the same weights on the same
            machine.
        mixture: how speech and backgrounds are mixed.

    Raises:
        ArgumentError: a value is unknown or out of its range.
    """

    task: str = "words"
    seed: int = 0
    epochs: int = 150
    steps_per_epoch: int | None = None
    batch_size: int = 128
    optimizer: str = "sgd"
    learning_rate: float = 0.01
    momentum: float = 0.9
    decay_epochs: int = 50
    category_weight: float = 1.0
    word_threshold: float | None = 0.57
    category_threshold: float | None = 0.83
    deterministic: bool = True
    mixture: MixtureSettings = field(default_factory=MixtureSettings)

    def __post_init__(self):
        if self.task not in TASKS:
            raise unknown_name("task", self.task, TASKS, "Give one of these.")
        if self.optimizer not in OPTIMIZERS:
            raise unknown_name("optimizer", self.optimizer, OPTIMIZERS, "Give one of these.")
        checked_whole_number("seed", self.seed, minimum=0)
        checked_whole_number("number of epochs", self.epochs, minimum=1)
        checked_whole_number("batch size", self.batch_size, minimum=1)
        checked_whole_number("number of epochs from one decay of the learning rate", self.decay_epochs, minimum=1)
        if self.steps_per_epoch is not None:
            checked_whole_number("number of steps per epoch", self.steps_per_epoch, minimum=1)
        if not isinstance(self.learning_rate, Real) or not 0 < self.learning_rate < math.inf:
            raise ArgumentError(f"The learning rate is {self.learning_rate}; a number above 0 was expected.")
        _check_range("momentum", self.momentum, 0, 1)
        _check_range("weight of the categories", self.category_weight, 0, 1e6)
        for name in ("word_threshold", "category_threshold"):
            if getattr(self, name) is not None:
                _check_range(name.replace("_", " "), getattr(self, name), 0, 1)

    @property
    def thresholds(self) -> dict[str, float]:
        """What must be reached for training to stop, by the metric's name; empty where nothing stops it."""
        named = {"word_accuracy": self.word_threshold, "category_auc": self.category_threshold}
        metrics = {"words": ["word_accuracy"], "categories": ["category_auc"]}.get(self.task, list(named))
        given = {metric: named[metric] for metric in metrics if named[metric] is not None}
        return given if len(given) == len(metrics) else {}

    def learning_rate_of(self, epoch: int) -> float:
        """Return the learning rate of an epoch, counted from 0."""
        return self.learning_rate * 10.0 ** -(epoch // self.decay_epochs)

    def record(self) -> dict:
        """Return the settings as JSON has them."""
        return dataclasses.asdict(self)


def _check_range(name: str, value, minimum: float, maximum: float) -> None:
    if not isinstance(value, Real) or not minimum <= value <= maximum:
        raise ArgumentError(f"The {name} is {value}; a number from {minimum} to {maximum} was expected.")
