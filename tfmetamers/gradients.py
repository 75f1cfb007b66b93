"""Operations whose gradient differs from the mathematical one, because synthesis needs it to."""

import tensorflow as tf


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


@tf.custom_gradient
def straight_through_relu6(pre_activation):
    """Clip to [0, 6], with a gradient of 1 everywhere, below zero and above six too.

    The counterpart of `straight_through_relu` for networks built on ReLU6. The paper has no such network;
    "1 for all values" is read to hold on both sides.

    Args:
        pre_activation: float tensor of any shape.

    Returns:
        ``min(max(pre_activation, 0), 6)``, of the same shape.
    """
    return tf.nn.relu6(pre_activation), lambda upstream: upstream


def frozen_convolution(stimulus_side, kernel, flipped_kernel, padding, explicit_backward_padding):
    """Convolve at stride 1 with a kernel that never changes.

    The gradient with respect to the input is computed as a forward convolution with the kernel that is
    flipped in space and transposed in channels: the same sums, in an order that CPU libraries run faster.
    The kernel has no gradient.

    Args:
        stimulus_side: float tensor (batch, height, width, channels in).
        kernel: float tensor (height, width, channels in, channels out).
        flipped_kernel: the kernel reversed along its first two axes, its last two axes exchanged.
        padding: ``"SAME"`` or ``"VALID"``.
        explicit_backward_padding: four pairs (before, after), the zeros around the upstream gradient.

    Returns:
        Float tensor (batch, height out, width out, channels out).
    """

    @tf.custom_gradient
    def convolution(inputs):
        def gradient(upstream):
            return tf.nn.conv2d(upstream, flipped_kernel, 1, explicit_backward_padding)

        return tf.nn.conv2d(inputs, kernel, 1, padding), gradient

    return convolution(stimulus_side)
