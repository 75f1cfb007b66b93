"""A network on variables, and the optimiser that trains it."""

from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from tfmetamers.cochlea.cochleagram import build_front_end
from tfmetamers.errors import ArgumentError
from tfmetamers.networks.auditory.architecture import Architecture, trace, training_outputs
from tfmetamers.networks.auditory.layer_names import LABEL_TASK, TOPS
from tfmetamers.networks.auditory.layer_types import TrainingPass
from tfmetamers.training.perturbation import BOUNDS, norms, perturb
from tfmetamers.training.settings import TrainingSettings
from tfmetamers.utilities.interrupts import defer_sigint

#: The keys of the two tasks in an architecture: the release's for words, and that of the lab's later code, without the
#: name of its dataset, for categories.
TASK_KEYS = {"word": LABEL_TASK, "categories": "/stimuli/labels_binary_via_int"}


class TrainableNetwork:
    """The graph of an architecture behind the fast front end, on variables that can be assigned.

    Attributes:
        architecture: the layers.
        front_end: from waveforms to cochleagrams.
        variables: each variable by its name in a checkpoint.
    """

    def __init__(self, architecture: Architecture, weights: Mapping[str, np.ndarray]):
        """Make the variables.

        Args:
            architecture: its tasks are among `TASK_KEYS`.
            weights: the value of each variable, by name.

        Raises:
            ArgumentError: the architecture has no top layer, or other tasks.
        """
        if architecture.layers[-1].layer_type not in TOPS:
            raise ArgumentError(
                f"{architecture.name} ends with a layer of type {architecture.layers[-1].layer_type}, which has no "
                f"classes; end it with one of {', '.join(TOPS)}."
            )
        unknown = set(architecture.tasks) - set(TASK_KEYS.values())
        if unknown or not architecture.tasks:
            raise ArgumentError(
                f"{architecture.name} has the tasks {', '.join(architecture.tasks) or 'none'}; only "
                f"{' and '.join(TASK_KEYS.values())} can be trained, so name them so."
            )
        self.architecture = architecture
        self.front_end = build_front_end("fast", architecture.cochleagram)
        trained = {variable.op.name: variable.trainable for variable in trace(architecture).variables}
        self.variables = {
            name: tf.Variable(weights[name], trainable=is_trained, name=name) for name, is_trained in trained.items()
        }

    @property
    def trainable_variables(self) -> list[tf.Variable]:
        """The variables that gradients change, in the order of the layers."""
        return [variable for variable in self.variables.values() if variable.trainable]

    @defer_sigint()
    def outputs(self, waveforms) -> dict[str, np.ndarray]:
        """Return the logits of each task, as the network gives them at inference.

        Args:
            waveforms: float32 (batch, samples).

        Returns:
            float32 (batch, classes) by ``"word"`` and ``"categories"``, for the tasks that the network has.
        """
        return {task: logits.numpy() for task, logits in self._outputs(waveforms).items()}

    @tf.function(autograph=False, reduce_retracing=True)
    def _outputs(self, waveforms):
        return self._logits(waveforms, None)

    def _logits(self, waveforms, training: TrainingPass | None) -> dict[str, tf.Tensor]:
        return self.logits_of_cochleagrams(self.front_end(waveforms), training)

    def logits_of_cochleagrams(self, cochleagrams, training: TrainingPass | None) -> dict[str, tf.Tensor]:
        """Return the logits of each task in a graph that is being built.

        Args:
            cochleagrams: float32 (batch, channels, envelope samples, 1).
            training: the pass of training; None for the network as it is at inference.

        Returns:
            float32 (batch, classes) by ``"word"`` and ``"categories"``, for the tasks that the network has.
        """
        outputs = training_outputs(self.architecture, cochleagrams, self.variables, training)
        return {task: outputs[key] for task, key in TASK_KEYS.items() if key in outputs}


class Trainer:
    """A network and the optimiser that trains it.

    Attributes:
        network: the network.
        optimizer: the optimiser, of Keras.
    """

    def __init__(self, network: TrainableNetwork, settings: TrainingSettings):
        """Make the optimiser's variables."""
        self.network = network
        self._perturbation = settings.perturbation
        self.optimizer = {
            "sgd": lambda rate: keras.optimizers.SGD(rate, momentum=settings.momentum),
            "adam": keras.optimizers.Adam,
        }[settings.optimizer](settings.learning_rate)
        self.optimizer.build(network.trainable_variables)
        self._weights = {"word": 1.0, "categories": settings.category_weight if settings.task == "both" else 1.0}

    @defer_sigint()
    def step(self, batch: Mapping[str, tf.Tensor], seed: tuple[int, int]) -> float:
        """Take one step of gradient descent and return the loss before it.

        Args:
            batch: a batch of `tfmetamers.training.mixtures.mixture_dataset`.
            seed: seed of dropout.
        """
        return float(self._step(batch["waveform"], batch["word"], batch["categories"], tf.constant(seed, tf.int32)))

    @defer_sigint()
    def signal_norm(self, batch: Mapping[str, tf.Tensor]) -> float:
        """Return the mean L2 norm of what perturbations are added to: the waveforms of a batch, or its cochleagrams."""
        return float(tf.reduce_mean(norms(self._perturbed_signals(batch["waveform"]))))

    def _perturbed_signals(self, waveforms):
        in_cochleagram = self._perturbation is not None and self._perturbation.domain == "cochleagram"
        return self.network.front_end(waveforms) if in_cochleagram else waveforms

    def _loss(self, signals, word, categories, training: TrainingPass | None):
        """Return the loss of waveforms (batch, samples), or of cochleagrams (batch, channels, envelope samples, 1)."""
        network = self.network
        logits_of = network._logits if signals.shape.rank == 2 else network.logits_of_cochleagrams
        logits = logits_of(signals, training)
        return tf.add_n([self._weights[task] * _loss(task, logits[task], word, categories) for task in logits])

    @tf.function(autograph=False, reduce_retracing=True)
    def _step(self, waveforms, word, categories, seed):
        network, training = self.network, TrainingPass(seed)
        signals = self._perturbed_signals(waveforms)
        if self._perturbation is not None:
            # The network that is attacked is that of inference, as in the release (`AttackerModel` of robustness).
            settings = self._perturbation
            signals = perturb(
                signals,
                lambda perturbed: self._loss(perturbed, word, categories, None),
                eps=settings.eps,
                steps=settings.steps,
                step_size=settings.eps * settings.relative_step,
                bounds=BOUNDS[settings.domain],
                seed=seed,
            )
        with tf.GradientTape() as tape:
            loss = self._loss(signals, word, categories, training)
        trained = network.trainable_variables
        self.optimizer.apply(tape.gradient(loss, trained), trained)
        for name, value in training.moving_averages.items():
            network.variables[name].assign(value)
        return loss


def _loss(task: str, logits, word, categories) -> tf.Tensor:
    """Return the cross-entropy averaged over the batch: of one word among all, or of each category separately."""
    if task == "word":
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=word, logits=logits))
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=categories, logits=logits))
