"""Which ReLU produces a layer, on graphs made for the purpose."""

import pytest
import tensorflow as tf

from tfmetamers.networks.graph.relu import producing_path


def path_of(build):
    """Return the producing path of what `build` makes of a placeholder, and the names of its ReLUs."""
    with tf.Graph().as_default():
        stimulus = tf.compat.v1.placeholder(tf.float32, [None, 4, 4, 2], "stimulus")
        return producing_path(build(stimulus))


def test_a_relu_produces_its_own_output():
    assert path_of(lambda x: tf.nn.relu(x, "rectify")).relus == ("rectify",)


def test_rearranging_operations_are_walked_through():
    path = path_of(lambda x: tf.identity(tf.reshape(tf.nn.relu(x[:, :1, :1], "rectify"), [-1, 2])))
    assert path.relus == ("rectify",)
    squeezed = path_of(lambda x: tf.squeeze(tf.nn.relu6(x[:, :1, :1], "rectify"), [1, 2]))
    assert squeezed.relus == ("rectify",)
    assert squeezed.rule == "straight-through (1 ReLU clipped at 6)"


@pytest.mark.parametrize("clip", [lambda x: tf.minimum(x, 20.0), lambda x: tf.minimum(tf.constant(20.0), x)])
def test_the_smaller_of_a_relu_and_a_constant_is_one_relu_that_is_clipped(clip):
    path = path_of(lambda x: tf.reshape(clip(tf.nn.relu(x, "rectify")), [-1, 32], "flat"))
    assert path.relus == ("Minimum",)
    assert path.rearranging == ("flat",)
    assert path.rule == "straight-through (1 ReLU clipped at 20)"


def test_relus_clipped_at_several_values_are_all_named():
    path = path_of(lambda x: tf.concat([tf.nn.relu6(x), tf.minimum(tf.nn.relu(x), 0.5), tf.nn.relu(x)], 3))
    assert path.rule == "straight-through (3 ReLUs, 2 of them clipped at 0.5 or 6)"


def test_a_concatenation_is_produced_by_the_relus_of_its_branches_alone():
    def block(x):
        return tf.concat(
            [tf.nn.relu(x, "a"), tf.nn.max_pool2d(tf.nn.relu(x, "pooled"), 1, 1, "SAME"), tf.nn.relu(-x, "b")], 3
        )

    path = path_of(block)
    assert path.relus == ("a", "b")
    assert path.rule == "straight-through (2 ReLUs)"


def test_computation_between_a_relu_and_the_layer_leaves_the_ordinary_gradient():
    for build in (
        lambda x: tf.nn.relu(x) + x,
        lambda x: tf.reduce_mean(tf.nn.relu(x), [1, 2]),
        lambda x: tf.nn.max_pool2d(tf.nn.relu(x), 2, 2, "SAME"),
        lambda x: tf.nn.bias_add(tf.nn.relu(x), [1.0, 2.0]),
        lambda x: tf.minimum(tf.nn.relu(x), [1.0, 2.0]),
        lambda x: tf.minimum(tf.nn.relu(x), tf.reduce_max(x)),
        lambda x: tf.minimum(tf.nn.relu(x), -1.0),
        lambda x: tf.minimum(x, 20.0),
    ):
        path = path_of(build)
        assert path.relus == path.rearranging == ()
        assert path.rule == "ordinary (no ReLU produces this layer)"
