"""The operations whose gradient is not the mathematical one."""

import numpy as np
import pytest
import tensorflow as tf

from tfmetamers.gradients import straight_through_relu, straight_through_relu6, with_gradient


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


def test_a_function_is_differentiated_as_its_partner_says():
    tripled = with_gradient(lambda values: values * 2.0, lambda upstream: upstream * 3.0)
    values = tf.constant([1.0, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(values)
        result = tripled(values)
    np.testing.assert_array_equal(result, [2.0, 4.0])
    np.testing.assert_array_equal(tape.gradient(result, values), [3.0, 3.0])
