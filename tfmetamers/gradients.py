"""Operations whose gradient differs from the mathematical one, because synthesis needs it to."""

import contextlib
from collections.abc import Iterator

import tensorflow as tf
from tensorflow.python.framework import ops


@tf.custom_gradient
def straight_through_relu(pre_activation):
    """Rectify, with a gradient of 1 everywhere, below zero too.

    Noise leaves many units of a layer at zero, where the ordinary gradient cannot raise them. The paper
    gives the ReLU that produces the matched layer this gradient (section 3.1), and no other ReLU.

    Args:
        pre_activation: float tensor of any shape.

    Returns:
        ``max(pre_activation, 0)``, of the same shape.
    """
    return tf.nn.relu(pre_activation), lambda upstream: upstream


def straight_through_clipped_relu(pre_activation, ceiling):
    """Clip to [0, ceiling], with a gradient of 1 everywhere, below zero and above the ceiling too.

    The counterpart of `straight_through_relu` for ReLU6, and for DeepSpeech, whose units are clipped at 20. The paper's
    "1 for all values" (section 3.1) is read to include values above the ceiling: noise may leave units at either end,
    where the ordinary gradient cannot move them.

    Args:
        pre_activation: float tensor of any shape.
        ceiling: the largest value of the result, above 0.

    Returns:
        ``min(max(pre_activation, 0), ceiling)``, of the same shape.
    """
    return with_gradient(lambda values: tf.minimum(tf.nn.relu(values), ceiling), lambda upstream: upstream)(
        pre_activation
    )


def clipped_power(values, exponent, max_slope=1.0):
    """Raise to a power below 1, with a gradient that is clipped.

    The slope of a compressive power is infinite at zero, and so would be the gradients that reach a waveform through
    it. As in the released code (``clipped_power_compression`` of tfcochleagram), the values are rectified first, and
    the slope is clipped and never NaN:

    ==========  ===========  =====
    value       power        slope
    ==========  ===========  =====
    below zero  0            1
    0           0            1
    above zero  its power    ``exponent * value ** (exponent - 1)``, at most 1
    infinity    infinity     0
    NaN         NaN          1
    ==========  ===========  =====

    In place of the largest slope of 1, another can be given. A slope of 1 below zero means that this rectification does
    not block the gradient; an earlier one may.

    Args:
        values: float tensor of any shape.
        exponent: above 0 and below 1; 0.3 in the released code.
        max_slope: what the slope is clipped to, above 0; 5 in the code of 2023.

    Returns:
        ``max(values, 0) ** exponent``, of the same shape.
    """

    @tf.custom_gradient
    def power(values):
        rectified = tf.nn.relu(values)

        def gradient(upstream):
            return upstream * _clipped(exponent * tf.pow(rectified, exponent - 1.0), max_slope)

        return tf.pow(rectified, exponent), gradient

    return power(values)


def clipped_log(values, offset=1e-8):
    """Take the natural logarithm, with a gradient that is clipped to [-1, 1].

    The paper clips the gradient of logarithms as it does that of powers (section 3.1), but the released code has no
    clipped logarithm. The form chosen here is that of `clipped_power`, with an offset so that silence has a finite
    logarithm.

    ==========  ===============  =====
    value       logarithm        slope
    ==========  ===============  =====
    below zero  of the offset    1
    0           of the offset    1
    above zero  of the sum       ``1 / (value + offset)``, at most 1
    infinity    infinity         0
    NaN         NaN              1
    ==========  ===============  =====

    Args:
        values: float tensor of any shape.
        offset: added to the rectified values, above 0 and at most 1.

    Returns:
        ``log(max(values, 0) + offset)``, of the same shape.
    """

    @tf.custom_gradient
    def logarithm(values):
        shifted = tf.nn.relu(values) + offset

        def gradient(upstream):
            return upstream * _clipped(1.0 / shifted)

        return tf.math.log(shifted), gradient

    return logarithm(values)


def with_gradient(forward, backward):
    """Join a function and the function that computes its gradient with respect to its input.

    Args:
        forward: from the input to the output.
        backward: from the gradient with respect to the output to that with respect to the input.

    Returns:
        `forward`, differentiated as `backward` says.
    """

    @tf.custom_gradient
    def joined(inputs):
        return forward(inputs), backward

    return joined


@contextlib.contextmanager
def registered_gradients(names: set[str]) -> Iterator[None]:
    """Collect the names under which gradients of `tf.custom_gradient` are registered while a graph is built.

    TensorFlow keeps each of them for good, with the graph and the weights that it captures: gigabytes for each function
    of a large network. `forget_gradients` frees them once the function is gone.

    Args:
        names: the names are added to this set.
    """
    registry = ops.gradient_registry._registry
    before = set(registry)
    try:
        yield
    finally:
        names.update(set(registry) - before)


def forget_gradients(names: set[str]) -> None:
    """Remove gradients from TensorFlow's registry; graphs that use them can no longer be differentiated."""
    for name in names:
        ops.gradient_registry._registry.pop(name, None)


def _clipped(slope, limit=1.0):
    """Clip a slope, and make it the limit where it is NaN (``clipped_power_compression`` of tfcochleagram)."""
    is_undefined = tf.math.is_nan(slope)
    return tf.where(is_undefined, limit * tf.ones_like(slope), tf.clip_by_value(slope, -limit, limit))
