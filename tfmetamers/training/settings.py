"""What a network is trained with: the task, the optimiser and the mixtures, with the closest published values."""

import math
from dataclasses import dataclass, field

from tfmetamers.errors import ArgumentError, unknown_name
from tfmetamers.training.checks import check_numbers, check_positive, check_whole_numbers

#: What a network can be trained to do.
TASKS = ("words", "categories", "both")

OPTIMIZERS = ("sgd", "adam")

#: What perturbations can be added to.
PERTURBED = ("waveform", "cochleagram")


@dataclass(frozen=True)
class MixtureSettings:
    """How speech and backgrounds are mixed.

    The range of signal-to-noise ratios is that of the 2023 paper's networks (``data_augmentation.py`` in
    model_metamers_pytorch); the released code does not say how the 2019 networks were trained. The shift and the
    shares of clips without speech or background were chosen here: clips without speech teach the class "no word",
    which the released word labels have.

    Attributes:
        min_snr: the smallest signal-to-noise ratio, in dB.
        max_snr: the largest, in dB; the ratio of a clip is drawn between the two, uniformly in dB.
        shift: a word is moved in time by up to this much in either direction, in s.
        silence: the share of clips without speech; their word is the class of silence.
        clean: the share of clips without a background; they belong to no category.

    Raises:
        ArgumentError: a value is out of its range.

    >>> mixture = MixtureSettings(min_snr=0.0, max_snr=20.0)
    >>> mixture.shift, mixture.clean
    (0.1, 0.05)
    """

    min_snr: float = -10.0
    max_snr: float = 10.0
    shift: float = 0.1
    silence: float = 0.05
    clean: float = 0.05

    def __post_init__(self):
        if not -math.inf < self.min_snr <= self.max_snr < math.inf:
            raise ArgumentError(
                f"The range of signal-to-noise ratios is {self.min_snr} to {self.max_snr} dB (min_snr, max_snr); "
                "give finite numbers, the smaller one first."
            )
        check_numbers(self, "shift", minimum=0)
        check_numbers(self, "silence", "clean", minimum=0, maximum=1)
        if self.silence + self.clean > 1:
            raise ArgumentError(
                f"The settings silence and clean add up to {self.silence + self.clean:g}; at most 1 was expected."
            )


@dataclass(frozen=True)
class PerturbationSettings:
    """What is added to the sounds that a network is trained on.

    Adversarial perturbations raise the network's loss; they are found by projected gradient descent. The 2023 paper's
    auditory networks had five steps of half of eps (``pytorch_checkpoints/README`` in model_metamers_pytorch), and
    random perturbations of the norm eps as their control.

    >>> PerturbationSettings("waveform", eps=0.45)
    PerturbationSettings(domain='waveform', eps=0.45, steps=5, relative_step=0.5)

    Attributes:
        domain: what they are added to, ``"waveform"`` or ``"cochleagram"``.
        eps: the largest L2 norm of a perturbation, below that of the signal; paper: 1.0, which is 5 % of the norm of
            its waveforms.
        steps: steps of projected gradient descent; 0 for random perturbations.
        relative_step: the length of a step, in units of eps.

    Raises:
        ArgumentError: a value is unknown or out of its range.
    """

    domain: str
    eps: float
    steps: int = 5
    relative_step: float = 0.5

    def __post_init__(self):
        if self.domain not in PERTURBED:
            raise unknown_name("domain", self.domain, PERTURBED)
        check_positive(self, "eps", "relative_step")
        check_whole_numbers(self, "steps", minimum=0)


@dataclass(frozen=True)
class TrainingSettings:
    """How a network is trained.

    The optimiser, its learning rate, the batch and the number of epochs are those of the 2023 paper's CochCNN9
    (``pytorch_checkpoints/README`` in model_metamers_pytorch: batches of 128, a rate of 0.01 divided by 10 every 50
    epochs, 150 epochs, stochastic gradient descent by the library robustness, whose momentum is 0.9); those of the
    2019 networks are not in the released code. The thresholds are from the 2019 paper.

    Attributes:
        task: ``"words"``, ``"categories"`` or ``"both"``.
        seed: seed of the weights, of the clips and mixtures of each epoch, and of dropout.
        epochs: the number of epochs after which training stops in any case.
        steps_per_epoch: batches in an epoch; None for every clip of training once.
        batch_size: clips in a batch.
        optimizer: ``"sgd"`` with momentum, or ``"adam"``.
        learning_rate: the learning rate of the first epoch.
        momentum: momentum of stochastic gradient descent.
        decay_epochs: the learning rate is divided by 10 every so many epochs.
        category_weight: what the loss of the categories is multiplied by when both tasks are trained.
        word_threshold: training stops at the first validation with at least this share of words correct (paper:
            0.57); None to continue to the last epoch.
        category_threshold: the same for the mean area under the ROC curve of the categories (paper: 0.83); with both
            tasks, both must be reached.
        deterministic: use only deterministic operations, so that the same settings give the same weights on the same
            machine.
        mixture: how speech and backgrounds are mixed.
        perturbation: what is added to the mixtures in training, and not in validation or test; None for nothing.

    Raises:
        ArgumentError: a value is unknown or out of its range.

    >>> settings = TrainingSettings(task="words", epochs=100, word_threshold=0.6)
    >>> settings.thresholds, [settings.learning_rate_of(epoch) for epoch in (0, 49, 50)]
    ({'word_accuracy': 0.6}, [0.01, 0.01, 0.001])
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
    perturbation: PerturbationSettings | None = None

    def __post_init__(self):
        if self.task not in TASKS:
            raise unknown_name("task", self.task, TASKS)
        if self.optimizer not in OPTIMIZERS:
            raise unknown_name("optimizer", self.optimizer, OPTIMIZERS)
        check_whole_numbers(self, "seed", minimum=0)
        check_whole_numbers(self, "epochs", "batch_size", "decay_epochs", minimum=1)
        if self.steps_per_epoch is not None:
            check_whole_numbers(self, "steps_per_epoch", minimum=1)
        check_positive(self, "learning_rate")
        check_numbers(self, "momentum", minimum=0, maximum=1)
        check_numbers(self, "category_weight", minimum=0)
        for name in ("word_threshold", "category_threshold"):
            if getattr(self, name) is not None:
                check_numbers(self, name, minimum=0, maximum=1)

    @property
    def thresholds(self) -> dict[str, float]:
        """The thresholds at which training stops, by the metric's name; empty if it continues to the last epoch."""
        named = {"word_accuracy": self.word_threshold, "category_auc": self.category_threshold}
        metrics = {"words": ["word_accuracy"], "categories": ["category_auc"]}.get(self.task, list(named))
        given = {metric: named[metric] for metric in metrics if named[metric] is not None}
        return given if len(given) == len(metrics) else {}

    def learning_rate_of(self, epoch: int) -> float:
        """Return the learning rate of an epoch, counted from 0."""
        return self.learning_rate * 10.0 ** -(epoch // self.decay_epochs)
