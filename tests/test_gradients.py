"""Operations whose gradient is not the mathematical one."""

import numpy as np
import pytest
import tensorflow as tf

from tfmetamers.gradients import (
    clipped_log,
    clipped_power,
    straight_through_clipped_relu,
    straight_through_relu,
    with_gradient,
)


@pytest.mark.parametrize(
    ("rectify", "ordinary"),
    [
        (straight_through_relu, tf.nn.relu),
        (lambda values: straight_through_clipped_relu(values, 6.0), tf.nn.relu6),
        (lambda values: straight_through_clipped_relu(values, 2.5), lambda values: np.clip(values, 0.0, 2.5)),
    ],
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


def value_and_slope(function, values):
    values = tf.constant(values)
    with tf.GradientTape() as tape:
        tape.watch(values)
        result = function(values)
    return result.numpy(), tape.gradient(result, values).numpy()


class TestClippedPower:
    def test_values_and_slopes_are_the_released_ones(self):
        table = [
            (-np.inf, 0.0, 1.0),
            (-2.0, 0.0, 1.0),
            (0.0, 0.0, 1.0),
            (1e-30, 1e-9, 1.0),
            (0.17, 0.17**0.3, 1.0),
            (0.2, 0.2**0.3, 0.3 * 0.2**-0.7),
            (5.0, 5.0**0.3, 0.3 * 5.0**-0.7),
            (np.inf, np.inf, 0.0),
            (np.nan, np.nan, 1.0),
        ]
        values, *expected = np.transpose(table)
        found = value_and_slope(lambda values: clipped_power(values, 0.3), np.float32(values))
        np.testing.assert_allclose(found, expected, rtol=1e-5)

    def test_is_the_ordinary_power_where_the_slope_is_below_one(self):
        values = np.linspace(0.3, 9.0, 50)
        ours = value_and_slope(lambda values: clipped_power(values, 0.5), values)
        np.testing.assert_allclose(ours, value_and_slope(lambda values: tf.pow(values, 0.5), values), rtol=1e-12)

    def test_the_slope_multiplies_what_comes_from_above(self):
        values, upstream = tf.constant([-1.0, 0.0, 4.0]), tf.constant([3.0, -2.0, 8.0])
        with tf.GradientTape() as tape:
            tape.watch(values)
            powers = clipped_power(values, 0.5)
        np.testing.assert_allclose(tape.gradient(powers, values, upstream), [3.0, -2.0, 2.0])


class TestClippedLog:
    def test_values_and_slopes(self):
        table = [
            (-np.inf, np.log(1e-8), 1.0),
            (-2.0, np.log(1e-8), 1.0),
            (0.0, np.log(1e-8), 1.0),
            (1e-3, np.log(1e-3 + 1e-8), 1.0),
            (4.0, np.log(4.0), 0.25),
            (np.inf, np.inf, 0.0),
            (np.nan, np.nan, 1.0),
        ]
        values, *expected = np.transpose(table)
        np.testing.assert_allclose(value_and_slope(clipped_log, np.float32(values)), expected, rtol=1e-5)

    def test_is_the_ordinary_logarithm_where_the_slope_is_below_one(self):
        values = np.linspace(1.1, 9.0, 50)
        ours = value_and_slope(lambda values: clipped_log(values, 0.01), values)
        np.testing.assert_allclose(ours, value_and_slope(lambda values: tf.math.log(values + 0.01), values), rtol=1e-12)
