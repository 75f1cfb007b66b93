"""The operations whose gradient is not the mathematical one."""

import numpy as np
import pytest
import tensorflow as tf

from tfmetamers.gradients import frozen_convolution, straight_through_relu, straight_through_relu6


@pytest.mark.parametrize(
    ("rectify", "ordinary"), [(straight_through_relu, tf.nn.relu), (straight_through_relu6, tf.nn.relu6)]
)
def test_rectifies_and_hands_the_gradient_through_everywhere(rectify, ordinary):
    values = tf.constant([-3.0, -0.0, 0.0, 2.0, 6.0, 7.0])
    upstream = tf.constant([1.0, 2.0, -3.0, 4.0, 5.0, -6.0])
    with tf.GradientTape() as tape:
        tape.watch(values)
        rectified = rectify(values)
    np.testing.assert_array_equal(rectified, ordinary(values))
    np.testing.assert_array_equal(tape.gradient(rectified, values, upstream), upstream)


@pytest.mark.parametrize(
    ("kernel_shape", "padding", "backward"),
    [
        ((3, 3), "SAME", "SAME"),
        ((1, 1), "SAME", "SAME"),
        ((4, 3), "SAME", [[0, 0], [2, 1], [1, 1], [0, 0]]),
        ((2, 5), "VALID", [[0, 0], [1, 1], [4, 4], [0, 0]]),
    ],
)
def test_a_frozen_convolution_has_the_ordinary_value_and_gradient(kernel_shape, padding, backward):
    generator = np.random.default_rng(0)
    stimulus = tf.constant(generator.normal(size=(2, 9, 8, 3)))
    kernel = tf.constant(generator.normal(size=(*kernel_shape, 3, 4)))
    flipped = tf.transpose(tf.reverse(kernel, [0, 1]), [0, 1, 3, 2])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(stimulus)
        frozen = frozen_convolution(stimulus, kernel, flipped, padding, backward)
        ordinary = tf.nn.conv2d(stimulus, kernel, 1, padding)
    upstream = tf.constant(generator.normal(size=ordinary.shape))
    np.testing.assert_array_equal(frozen, ordinary)
    np.testing.assert_allclose(
        tape.gradient(frozen, stimulus, upstream), tape.gradient(ordinary, stimulus, upstream), rtol=1e-10
    )
