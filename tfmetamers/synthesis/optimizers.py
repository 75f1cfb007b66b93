"""Optimisers: each turns stimuli, their gradient and a state of two moments into the next stimuli and state.

An optimiser is a function of the recipe, the stimuli, both moments, the gradient and the number of steps that were done
before, all float32 (batch, ...) but the last. Another is one more function here, with the recipe's fields that it needs
in `tfmetamers.recipes.OPTIMIZERS`.
"""

from collections.abc import Callable

import tensorflow as tf

from tfmetamers.recipes import Recipe

#: Added to the length of a gradient before it is divided by (``attack_steps.py`` of the 2023 release).
_SMALLEST = 1e-10


def learning_rate(recipe: Recipe, step):
    """Return the learning rate of the update after a number of steps, of which float64 tensors are allowed.

    With continuous decay it falls at every step, with stairs after every `decay_steps` steps.
    """
    exponent = step / recipe.decay_steps
    if recipe.decay == "stairs":
        exponent = exponent // 1
    return recipe.learning_rate * recipe.decay_rate**exponent


def adam_step(recipe: Recipe, stimuli, first_moment, second_moment, gradient, step):
    """Do a step of TensorFlow 1's Adam: both moments' bias corrections are in the step size."""
    update = tf.cast(step + 1, tf.float64)
    correction = tf.sqrt(1.0 - recipe.beta_2**update) / (1.0 - recipe.beta_1**update)
    size = tf.cast(learning_rate(recipe, update - 1.0) * correction, tf.float32)
    first_moment += (gradient - first_moment) * (1.0 - recipe.beta_1)
    second_moment += (tf.square(gradient) - second_moment) * (1.0 - recipe.beta_2)
    stimuli -= size * first_moment / (tf.sqrt(second_moment) + recipe.epsilon)
    return _bounded(recipe, stimuli), first_moment, second_moment


def fixed_length_step(recipe: Recipe, stimuli, first_moment, second_moment, gradient, step):
    """Move each stimulus by the learning rate along its gradient, as the 2023 release does (``attack_steps.py``).

    As long as the gradient is far longer than 1e-10, only its direction matters, so that any increasing function of the
    loss gives the same path. The first moment is the last gradient that was not zero, by which a stimulus that no
    gradient reaches is noticed; the second stays as it is.
    """
    size = tf.cast(learning_rate(recipe, tf.cast(step, tf.float64)), tf.float32)
    length = tf.norm(tf.reshape(gradient, [tf.shape(gradient)[0], -1]), axis=1)
    length = tf.reshape(length, [-1] + [1] * (len(gradient.shape) - 1))
    first_moment = tf.where(length > 0, gradient, first_moment)
    return _bounded(recipe, stimuli - size * gradient / (length + _SMALLEST)), first_moment, second_moment


#: The optimisers by their names in recipes.
STEPS: dict[str, Callable] = {"adam": adam_step, "fixed-length": fixed_length_step}


def _bounded(recipe: Recipe, stimuli):
    if recipe.lower_bound is not None:
        stimuli = tf.maximum(stimuli, recipe.lower_bound)
    return stimuli if recipe.upper_bound is None else tf.minimum(stimuli, recipe.upper_bound)
