"""The loop that turns noise into metamers, and its resumable state."""

import dataclasses
import time
import warnings
import weakref
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import numpy as np
import tensorflow as tf

from tfmetamers.errors import ArgumentError, ResultError, SynthesisError, TfmetamersWarning, UnmovedError
from tfmetamers.gradients import forget_gradients, registered_gradients
from tfmetamers.inclusion.measures import further_measures
from tfmetamers.inclusion.predictions import describe_predictions
from tfmetamers.metamers.metamer import Metamer
from tfmetamers.metamers.record import ComputationRecord, LayerRecord, LossRecord, MetamerRecord, StimulusRecord
from tfmetamers.metrics import BARELY_DIFFERENT, spearman
from tfmetamers.networks.network import Network
from tfmetamers.recipes import Recipe
from tfmetamers.synthesis.optimizers import STEPS, learning_rate
from tfmetamers.synthesis.state import SynthesisState
from tfmetamers.utilities.determinism import deterministic_operations, operation_threads
from tfmetamers.utilities.device import device_name, driver_version, has_gpu, uses_tf32
from tfmetamers.utilities.interrupts import defer_sigint
from tfmetamers.utilities.memory import require_free_memory
from tfmetamers.utilities.versions import describe_versions

#: A compiled call does as many steps as take about this long, so that Ctrl-C has an effect within it.
SECONDS_A_CALL = 1.0


class Synthesis:
    """Matches one layer of a network, a batch of independent metamers at a time; compiled once.

    Losses are summed over the batch and optimisers work on each item by itself, so that no item sees another.

    Attributes:
        network: the network.
        layer: the layer's name.
        recipe: the recipe.
        kernels: how convolutions are computed.
        deterministic: whether steps use deterministic operations alone.

    >>> import numpy as np
    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> from tfmetamers.recipes import find_recipe
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> synthesis = Synthesis(network, layer="tanh", recipe=find_recipe(network.recipe).replace(steps=3))
    >>> targets = synthesis.targets(np.zeros((2, 6), np.float32))
    >>> state = synthesis.advance(targets, synthesis.start(["ab12", "cd34"], seed=0), steps=3)
    >>> state.stimuli.shape, state.losses.shape
    ((2, 6), (3, 2))
    """

    def __init__(
        self,
        network: Network,
        *,
        layer: str,
        recipe: Recipe,
        kernels: str | None = None,
        deterministic: bool = True,
    ):
        """Prepare to match a layer.

        Args:
            network: the network.
            layer: the layer's name.
            recipe: the recipe.
            kernels: ``"quick"`` or ``"small"``; by default what suits the layer.
            deterministic: use only operations that give the same numbers in every process; everything but the steps
                always does.

        Raises:
            ArgumentError: the layer is unknown, the recipe is not one, or the network cannot be replayed to its logits.
        """
        if not isinstance(recipe, Recipe):
            raise ArgumentError(f"The recipe is {recipe!r}; a Recipe was expected, such as find_recipe(NAME) gives.")
        self.network = network
        self.layer = network.layer(layer).name  # One name for one layer, so that its noise is the same.
        self.recipe = recipe
        self.deterministic = deterministic
        self.asked_kernels = kernels
        self.kernels = network.default_kernels(self.layer) if kernels is None else kernels
        self._activations = network.activations(
            self.layer,
            relu_gradient=recipe.relu_gradient,
            kernels=self.kernels,
            front_end=recipe.front_end,
        )
        # TensorFlow counts traces by function: a partial is one of its own, a method would be all instances'.
        self._compiled = tf.function(partial(self._advance), autograph=False)
        self._allows_tf32 = uses_tf32()
        self._registered: set[str] = set()
        weakref.finalize(self, forget_gradients, self._registered)

    def targets(self, originals: np.ndarray) -> np.ndarray:
        """Return the activations to be matched.

        Args:
            originals: natural stimuli, float32 `(batch, *network.stimulus_shape)`.

        Returns:
            float32 `(batch, *layer shape)`.

        Raises:
            ArgumentError: the stimuli have another shape, or values beyond the recipe's bounds (pictures, arrays).
            SynthesisError: the activations or the logits of a natural stimulus are not finite.
        """
        if originals.shape[1:] != self.network.stimulus_shape:
            raise ArgumentError(
                f"The stimuli have shape {originals.shape[1:]}; "
                f"{self.network.name} takes {self.network.stimulus_shape}."
            )
        if not self.network.domain.may_exceed_bounds:
            check_bounds(self.recipe, originals, "A natural stimulus")
        self._predictions(originals)  # If labels cannot be computed, this fails now and not after the last step.
        targets = self._activations(originals).numpy()
        if not np.isfinite(targets).all():
            raise SynthesisError(
                f"The activations of {self.network.name} at {self.layer} are not finite for a natural stimulus; "
                "its weights or its input range are wrong.",
                culprits=_not_finite(targets),
            )
        return targets

    def start(self, digests: Sequence[str], seed: int) -> SynthesisState:
        """Return the state before the first step: noise for each natural stimulus, the optimiser at rest.

        Args:
            digests: `tfmetamers.stimuli.noise.stimulus_digest` of each natural stimulus.
            seed: the seed of the noise.

        Raises:
            ArgumentError: the recipe's noise is for another kind of stimuli.
        """
        domain = self.network.domain
        noise = [domain.noise(self.recipe, each, self.layer, seed) for each in digests]
        return SynthesisState.at_rest(np.stack(noise))

    def initial_correlations(self, targets: np.ndarray, start: SynthesisState) -> list[float | None]:
        """Return Spearman's coefficient of each item's initial activations and targets, and warn where it is high.

        Args:
            targets: what is to be matched.
            start: what `start` returned.
        """
        activations = self._activations(start.stimuli).numpy()
        found = [spearman(*pair) for pair in zip(targets, activations, strict=True)]
        matched = [np.array_equal(*pair) for pair in zip(targets, activations, strict=True)]
        told = (text for pair in zip(found, matched, strict=True) for text in self._find_warnings(*pair))
        for text in dict.fromkeys(told):
            warnings.warn(text, TfmetamersWarning, stacklevel=2)
        return found

    def _find_warnings(self, initial_correlation: float | None, is_matched: bool) -> list[str]:
        if is_matched:
            return [
                f"At {self.layer} of {self.network.name}, a natural stimulus is matched before the first step, because "
                "its activations are those of what synthesis starts from, so no step changes anything; try another "
                "layer."
            ]
        if initial_correlation is None or initial_correlation <= BARELY_DIFFERENT:
            return []
        return [
            f"At {self.layer} of {self.network.name}, noise already correlates with a natural stimulus by more than "
            f"{BARELY_DIFFERENT:g}, so a match there says little; check the input range, and try other layers."
        ]

    def unmoved_error(self, names: Sequence[str]) -> UnmovedError:
        """Return the error for items that no gradient reaches, by their names."""
        helps = ["other noise (another seed)", "another layer"]
        if self.recipe.relu_gradient == "normal" and self.network.layer(self.layer).path.relus:
            helps.insert(1, "the straight-through ReLU gradient")
        return UnmovedError(
            f"The gradient of {self.network.name} at {self.layer} is zero everywhere for {', '.join(names)}, so no "
            f"step can change anything; {', '.join(helps[:-1])} or {helps[-1]} may help."
        )

    def advance(self, targets: np.ndarray, state: SynthesisState, steps: int) -> SynthesisState:
        """Return the state after a number of steps.

        The result is the same however the steps are divided among calls.

        Raises:
            SynthesisError: a loss or a gradient is not finite; the error has the last good state, and the items at
                fault.
        """
        started = time.monotonic()
        moving = (state.stimuli, state.first_moment, state.second_moment)
        with defer_sigint(), registered_gradients(self._registered), deterministic_operations(self.deterministic):
            stimuli, first, second, losses, done, are_finite = self._compiled(
                targets, *moving, tf.constant(state.step), tf.constant(steps)
            )
        advanced = SynthesisState(
            stimuli.numpy(),
            first.numpy(),
            second.numpy(),
            np.concatenate([state.losses, losses.numpy()[: int(done)]]),
            state.seconds + time.monotonic() - started,
            state.deterministic and self.deterministic,
        )
        if int(done) < steps:
            raise SynthesisError(
                f"The loss of {self.network.name} at {self.layer}, or the next stimulus, is not finite at step "
                f"{advanced.step}; a smaller learning rate may help. The last good state was kept.",
                state=advanced,
                culprits=np.flatnonzero(~are_finite.numpy()).tolist(),
            )
        return advanced

    def advance_in_calls(
        self, targets: np.ndarray, state: SynthesisState, pause_every: int | None = None
    ) -> Iterator[SynthesisState]:
        """Advance to the recipe's last step, giving the state after each compiled call.

        Args:
            targets: what is matched.
            state: where the batch stands.
            pause_every: end a call at each multiple of this many steps, in addition.

        Yields:
            The state about once every `SECONDS_A_CALL`.
        """
        total, steps = self.recipe.steps, 1
        while state.step < total:
            until_pause = pause_every - state.step % pause_every if pause_every else total
            before = state.seconds
            state = self.advance(targets, state, min(steps, until_pause, total - state.step))
            yield state
            steps = steps * 2 if state.seconds - before < SECONDS_A_CALL / 2 else steps

    @deterministic_operations()
    def finish(
        self,
        originals: np.ndarray,
        targets: np.ndarray,
        state: SynthesisState,
        stimuli: Sequence[StimulusRecord],
        seed: int,
        initial_correlations: Sequence[float | None],
    ) -> list[Metamer]:
        """Measure the finished items of a batch and give them as metamers.

        What was synthesised with a fast front end is measured by the exact one: its correlation, its labels and the
        loss ``final_exact``.

        Args:
            originals: the natural stimuli of the batch.
            targets: what was matched.
            state: the final state.
            stimuli: what is recorded of each natural stimulus.
            seed: the seed of the noise.
            initial_correlations: what the method of that name returned; None for items that did not start from noise.

        Raises:
            SynthesisError: the last loss, or the logits of a metamer, are not finite.
        """
        activations = self._activations(state.stimuli).numpy()
        losses = np.concatenate([state.losses, _losses(targets, activations).numpy()[None]])
        if not np.isfinite(losses[-1]).all():
            raise SynthesisError(
                f"The last loss of {self.network.name} at {self.layer} is not finite.",
                state=state,
                culprits=_not_finite(losses[-1]),
            )
        exact_losses = losses[-1]
        if self.recipe.front_end not in (*self.network.front_ends[:1], "none"):
            exact = self.network.activations(self.layer)
            targets, activations = exact(originals).numpy(), exact(state.stimuli).numpy()
            exact_losses = _losses(targets, activations).numpy()
        rates = np.array([learning_rate(self.recipe, step) for step in range(len(losses))])
        predictions = zip(self._predictions(originals), self._predictions(state.stimuli), strict=True)
        network, layer, versions = self.network.describe(), self._describe_layer(), describe_versions()
        computation = ComputationRecord(
            state.deterministic,
            operation_threads(),
            batch_size=len(originals),
            place=0,
            device=device_name(),
            driver=driver_version(),
            tf32=self._allows_tf32 and not state.deterministic,
        )
        return [
            Metamer(
                stimulus=state.stimuli[item],
                original=originals[item],
                losses=losses[:, item],
                learning_rates=rates,
                seconds=state.seconds,
                moments=(state.first_moment[item], state.second_moment[item]),
                record=MetamerRecord(
                    network=network,
                    layer=layer,
                    stimulus=stimuli[item],
                    recipe=self.recipe,
                    seed=seed,
                    kernels=self.kernels,
                    asked_kernels=self.asked_kernels,
                    initial=None,
                    computation=dataclasses.replace(computation, place=item),
                    loss=LossRecord(float(losses[0, item]), float(losses[-1, item]), float(exact_losses[item])),
                    initial_correlation=initial_correlations[item],
                    correlation=spearman(targets[item], activations[item]),
                    further_measures=further_measures(self.recipe.criterion, targets[item], activations[item]),
                    prediction={"original": original, "metamer": metamer},
                    warnings=(
                        *self.network.warnings,
                        *self._find_warnings(initial_correlations[item], losses[0, item] == 0),
                    ),
                    versions=versions,
                ),
            )
            for item, (original, metamer) in enumerate(predictions)
        ]

    def _predictions(self, stimuli: np.ndarray) -> list[dict | None]:
        if self.network.logits is None:
            return [None] * len(stimuli)
        logits = self.network.logits(tf.convert_to_tensor(stimuli))
        try:
            return describe_predictions(self.network, logits.numpy(), self.recipe.criterion)
        except ResultError as error:
            raise SynthesisError(str(error)) from error

    def _describe_layer(self) -> LayerRecord:
        layer = self.network.layer(self.layer)
        is_ordinary = self.recipe.relu_gradient == "normal" and layer.path.relus
        rule = "ordinary (as asked)" if is_ordinary else layer.path.rule
        return LayerRecord(layer.name, layer.tensor, tuple(layer.shape), rule, tuple(layer.path.relus))

    def _advance(self, targets, stimuli, first_moment, second_moment, step, count):
        """Do `count` steps, or as many as have finite losses and gradients."""
        losses = tf.TensorArray(tf.float32, size=count, element_shape=[stimuli.shape[0]])

        def goes_on(done, are_finite, *_):
            return tf.reduce_all(are_finite) & (done < count)

        def update(done, _, moving, losses):
            item_losses, gradient = self._losses_and_gradient(targets, moving[0])
            updated = STEPS[self.recipe.optimizer](self.recipe, *moving, gradient, step + done)
            are_finite = tf.reduce_all([_finite_items(each) for each in (item_losses, *updated)], axis=0)
            is_finite = tf.reduce_all(are_finite)
            moving = tuple(tf.where(is_finite, new, old) for new, old in zip(updated, moving, strict=True))
            return done + tf.cast(is_finite, tf.int32), are_finite, moving, losses.write(done, item_losses)

        are_finite = tf.ones(stimuli.shape[:1], tf.bool)
        start = (tf.constant(0), are_finite, (stimuli, first_moment, second_moment), losses)
        done, are_finite, moving, losses = tf.while_loop(goes_on, update, start, parallel_iterations=1)
        return *moving, losses.stack(), done, are_finite

    def _losses_and_gradient(self, targets, stimuli):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(stimuli)
            item_losses = _losses(targets, self._activations(stimuli))
            loss = tf.reduce_sum(item_losses)
        return item_losses, tape.gradient(loss, stimuli)


def check_bounds(recipe: Recipe, stimuli: np.ndarray, what: str) -> None:
    """Refuse stimuli with values that a recipe does not allow.

    Args:
        recipe: the recipe.
        stimuli: float array of any shape.
        what: what each is, as a message begins.

    Raises:
        ArgumentError: a value is not finite, or beyond the recipe's bounds.
    """
    lowest = -np.inf if recipe.lower_bound is None else recipe.lower_bound
    highest = np.inf if recipe.upper_bound is None else recipe.upper_bound
    if not (np.isfinite(stimuli) & (stimuli >= lowest) & (stimuli <= highest)).all():
        raise ArgumentError(
            f"{what} has values from {stimuli.min():g} to {stimuli.max():g}; finite numbers from {lowest:g} to "
            f"{highest:g} were expected, as network.domain.load(FILE) gives."
        )


def check_memory(network: Network, layers: Iterable[str], kernels: str | None, batch_size: int) -> None:
    """Refuse layers whose steps, with quick kernels, take more memory than is free now; small ones are not refused.

    Nor is anything on a GPU, whose free memory TensorFlow does not tell.

    Args:
        network: the network.
        layers: names of layers.
        kernels: ``"quick"`` or ``"small"``; None for what suits each layer.
        batch_size: the number of metamers that advance together.

    Raises:
        ArgumentError: one does not fit, by the estimate of `Network.step_bytes`, or is unknown.
    """
    if has_gpu():
        return
    quick = [layer for layer in layers if (kernels or network.default_kernels(layer)) == "quick"]
    for layer, needed in network.step_bytes(quick, batch_size, kernels).items():
        require_free_memory(needed, f"A step of {network.name} at {layer} with quick kernels")


def check_schedule(metamer: Metamer, recipe: Recipe) -> None:
    """Refuse to continue a metamer whose steps had other learning rates than in a longer recipe.

    Raises:
        ArgumentError: the learning rates depended on the number of steps.
    """
    if not np.array_equal(metamer.learning_rates, [learning_rate(recipe, step) for step in metamer.steps]):
        raise ArgumentError(
            f"{metamer!r} cannot be continued to {recipe.steps} steps, because its learning rates depended on the "
            "number of steps; make it from the start."
        )


def _not_finite(values: np.ndarray) -> list[int]:
    """Return the places of the items of a batch that hold a number that is not finite."""
    return np.flatnonzero(~np.isfinite(values.reshape(len(values), -1)).all(axis=1)).tolist()


def _finite_items(values) -> tf.Tensor:
    """Tell of each item of a batch whether all its numbers are finite."""
    return tf.reduce_all(tf.math.is_finite(values), list(range(1, len(values.shape))))


def _losses(targets, activations) -> tf.Tensor:
    """Half the summed squared difference of each item (``tf.nn.l2_loss`` in the released code)."""
    axes = list(range(1, len(targets.shape)))
    return tf.reduce_sum(tf.square(activations - targets), axes) / 2.0
