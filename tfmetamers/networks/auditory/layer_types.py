"""The layer types of the released networks' vocabulary, and how each is built, at inference and in training.

A type does what TensorFlow 1's function of that name did, or the function of ``audio_cnn_helpers.py`` in the release.
"""

import dataclasses
import inspect
import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

import numpy as np
import tensorflow as tf

from tfmetamers.errors import shown

#: Defaults of TensorFlow 1's ``tf.layers.batch_normalization``.
BATCH_NORM_EPSILON = 1e-3
BATCH_NORM_MOMENTUM = 0.99

#: The maximum number of weights in one layer; the largest kernel of the paper's networks has a hundred million.
MAX_WEIGHTS = 2**31

#: The maximum length of a window relative to its input, where zeros are put around the input.
MAX_WINDOW_RATIO = 2


@dataclass
class TrainingPass:
    """One pass of training through a network, apart from its outputs.

    Attributes:
        seed: int32 (2,), the seed of the masks of dropout.
        moving_averages: the new value of each moving average, by the variable's name; filled while the graph is built.
    """

    seed: tf.Tensor
    moving_averages: dict[str, tf.Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class LayerType:
    """How a layer type is built.

    Attributes:
        build: from the input and the tasks, with the layer's arguments as keywords, to the output, or to the outputs by
            the task's key.
        ignored: arguments that only matter in training.
        build_in_training: from the input and a `TrainingPass` to the output, where it differs in training.
        used_in_training: the ignored arguments that `build_in_training` takes.
    """

    build: Callable
    ignored: tuple[str, ...] = ()
    build_in_training: Callable | None = None
    used_in_training: tuple[str, ...] = ()

    def check_arguments(self, arguments: Mapping) -> None:
        """Raise a `ValueError` if an argument is unknown or missing."""
        parameters = [
            each for each in inspect.signature(self.build).parameters.values() if each.kind == each.KEYWORD_ONLY
        ]
        known = [parameter.name for parameter in parameters]
        required = [parameter.name for parameter in parameters if parameter.default is parameter.empty]
        for name in arguments:
            if name not in known:
                near = get_close_matches(str(name), known, n=3, cutoff=0.4) or known
                raise ValueError(f"it does not take the argument {shown(name)}; the nearest are {', '.join(near)}")
        missing = [name for name in required if name not in arguments]
        if missing:
            raise ValueError(f"the argument {missing[0]} is missing; give it one")


def _convolution(
    inputs,
    _,
    *,
    name,
    filters,
    kernel_size,
    strides=1,
    padding="valid",
    use_bias=True,
    activation=None,
    data_format="channels_last",
    dilation_rate=1,
):
    _require_rank(inputs, 4)
    _require_one_of("activation", activation, (None,))
    _require_one_of("data_format", data_format, ("channels_last",))
    _require_one_of("dilation_rate", dilation_rate, (1, [1, 1]))
    size, strides = _pair("kernel_size", kernel_size), _pair("strides", strides)
    inputs, padding = _padded(inputs, size, strides, padding)
    with tf.compat.v1.variable_scope(name):
        kernel, bias = _weights([*size, inputs.shape[-1], _whole_number("filters", filters)], use_bias)
        convolved = tf.nn.conv2d(inputs, kernel, strides, padding)
        return convolved if bias is None else tf.nn.bias_add(convolved, bias)


def _weights(kernel_shape, use_bias):
    """Create the variables of TensorFlow 1's convolutional and dense layers, with their initialisers."""
    _require_one_of("use_bias", use_bias, (True, False))
    count = math.prod(kernel_shape)
    if count > MAX_WEIGHTS:
        raise ValueError(f"its kernel would have {count} weights; give it a smaller one")
    zeros, glorot = tf.compat.v1.zeros_initializer(), tf.compat.v1.glorot_uniform_initializer()
    kernel = tf.compat.v1.get_variable("kernel", kernel_shape, initializer=glorot)
    return kernel, tf.compat.v1.get_variable("bias", kernel_shape[-1:], initializer=zeros) if use_bias else None


def _batch_normalization(
    inputs, _, *, name, axis=-1, epsilon=BATCH_NORM_EPSILON, center=True, scale=True, renorm=False
):
    epsilon = _check_normalization(inputs, axis, epsilon, renorm)
    gamma, beta, mean, variance = _normalization_variables(name, inputs.shape[-1], center, scale)
    if inputs.shape.rank != 4:
        return tf.nn.batch_normalization(inputs, mean, variance, beta, gamma, epsilon)
    # One operation, which a frozen network folds into the convolution before it.
    return tf.raw_ops.FusedBatchNormV3(
        x=inputs, scale=gamma, offset=beta, mean=mean, variance=variance, epsilon=epsilon, is_training=False
    )[0]


def _batch_normalization_in_training(
    inputs,
    training,
    *,
    name,
    axis=-1,
    epsilon=BATCH_NORM_EPSILON,
    center=True,
    scale=True,
    renorm=False,
    momentum=BATCH_NORM_MOMENTUM,
):
    """Normalise by the moments of the batch, and move the averages towards them."""
    epsilon = _check_normalization(inputs, axis, epsilon, renorm)
    gamma, beta, *moving = _normalization_variables(name, inputs.shape[-1], center, scale)
    moments = tf.nn.moments(inputs, list(range(inputs.shape.rank - 1)))
    for variable, value in zip(moving, moments, strict=True):
        averaged = momentum * variable + (1.0 - momentum) * value
        training.moving_averages[variable.name.partition(":")[0]] = averaged
    return tf.nn.batch_normalization(inputs, *moments, beta, gamma, epsilon)


def _check_normalization(inputs, axis, epsilon, renorm) -> float:
    _require_one_of("axis", axis, (-1, inputs.shape.rank - 1, [-1], [inputs.shape.rank - 1]))
    _require_one_of("renorm", renorm, (False,))
    return _number("epsilon", epsilon)


def _normalization_variables(name, channels, center, scale):
    """Return scale and offset (constants where they are not learned), moving mean and moving variance."""
    _require_one_of("center", center, (True, False))
    _require_one_of("scale", scale, (True, False))
    ones, zeros = tf.compat.v1.ones_initializer(), tf.compat.v1.zeros_initializer()
    with tf.compat.v1.variable_scope(name):
        gamma = tf.compat.v1.get_variable("gamma", [channels], initializer=ones) if scale else tf.ones([channels])
        beta = tf.compat.v1.get_variable("beta", [channels], initializer=zeros) if center else tf.zeros([channels])
        mean = tf.compat.v1.get_variable("moving_mean", [channels], initializer=zeros, trainable=False)
        variance = tf.compat.v1.get_variable("moving_variance", [channels], initializer=ones, trainable=False)
    return gamma, beta, mean, variance


def _dropout_in_training(inputs, training, *, name, rate=0.5):
    # Each dropout layer has masks of its own.
    seed = training.seed + tf.constant([0, zlib.crc32(name.encode()) % 2**31], tf.int32)
    return tf.nn.experimental.stateless_dropout(inputs, _number("rate", rate), seed, name=name)


def _hanning_pooling(inputs, _, *, name, strides=2, pool_size=8, padding="SAME", sqrt_window=False, normalize=False):
    """Pool each channel by a weighted average with a Hann window (``audio_cnn_helpers.py``)."""
    _require_rank(inputs, 4)
    _require_one_of("sqrt_window", sqrt_window, (True, False))
    _require_one_of("normalize", normalize, (True, False))
    size, strides = _pair("pool_size", pool_size), _pair("strides", strides)
    inputs, padding = _padded(inputs, size, strides, padding)
    window = np.outer(*(hann_window(each) for each in size))
    window = np.sqrt(window) if sqrt_window else window
    if not window.any():
        raise ValueError("a Hann window of 2 points is zero throughout; give a pool_size of 1, or more than 2")
    window = (window / window.sum() if normalize else window).astype(np.float32)
    with tf.compat.v1.variable_scope(name):
        if strides[0] == strides[1]:
            kernel = np.tile(window[:, :, None, None], [1, 1, inputs.shape[-1], 1])
            return tf.nn.depthwise_conv2d(inputs, kernel, [1, *strides, 1], padding)
        # Depthwise convolutions with unequal strides do not run on every CPU: channels become items of the batch.
        height, width, channels = inputs.shape[1:]
        items = tf.reshape(tf.transpose(inputs, [0, 3, 1, 2]), [-1, height, width, 1])
        pooled = tf.nn.conv2d(items, window[:, :, None, None], strides, padding)
        return tf.transpose(tf.reshape(pooled, [-1, channels, *pooled.shape[1:3]]), [0, 2, 3, 1])


def hann_window(size: int) -> np.ndarray:
    """Return the symmetric Hann window, whose end points are zero; a window of one point is 1.

    Args:
        size: number of points.

    Returns:
        float64 (size,), as in ``make_hanning_kernel`` of the release.
    """
    if size == 1:
        return np.ones(1)
    return 0.5 * (1.0 - np.cos(2.0 * np.pi * np.arange(size) / (size - 1)))


def _pooling(function):
    """Return how to build a layer that pools by a TensorFlow function."""

    def build(inputs, _, *, name, pool_size, strides, padding="valid", data_format="channels_last"):
        _require_rank(inputs, 4)
        _require_one_of("data_format", data_format, ("channels_last",))
        size, strides = _pair("pool_size", pool_size), _pair("strides", strides)
        _check_padding(inputs, size, padding, ("SAME", "VALID"))
        return function(inputs, size, strides, padding.upper(), name=name)

    return build


def _average_pooling_4d(inputs, _, *, name, ksize, strides, padding, data_format="NHWC"):
    _require_one_of("data_format", data_format, ("NHWC",))
    sizes = {"pool_size": _inner_pair("ksize", ksize), "strides": _inner_pair("strides", strides)}
    return _pooling(tf.nn.avg_pool2d)(inputs, _, name=name, padding=padding, **sizes)


def _inner_pair(argument, value):
    """Return height and width of a value that may include batch and channels, as ``[1, h, w, 1]``."""
    is_4d = isinstance(value, list) and len(value) == 4
    if is_4d and (value[0], value[-1]) != (1, 1):
        raise ValueError(f"the {argument} is {shown(value)}; 1 was expected for the batch and the channels")
    return value[1:3] if is_4d else value


def _flatten(inputs, _, *, name, data_format="channels_last"):
    _require_one_of("data_format", data_format, ("channels_last",))
    return tf.reshape(inputs, [-1, math.prod(inputs.shape[1:])], name=name)


def _dense(inputs, _, *, name, units, use_bias=True, activation=None):
    _require_one_of("activation", activation, (None,))
    *places, channels = inputs.shape[1:]
    units = _whole_number("units", units)
    with tf.compat.v1.variable_scope(name):
        kernel, bias = _weights([channels, units], use_bias)
        flat = tf.reshape(inputs, [-1, channels]) if places else inputs
        product = tf.matmul(flat, kernel)
        product = product if bias is None else tf.nn.bias_add(product, bias)
        return tf.reshape(product, [-1, *places, units]) if places else product


def _top(inputs, tasks, *, name, use_bias=True, activation=None):
    if len(tasks) != 1:
        raise ValueError(f"it has one output, and the number of tasks is {len(tasks)}; give one task")
    ((task, classes),) = tasks.items()
    return {task: _dense(inputs, tasks, name=name, units=classes, use_bias=use_bias, activation=activation)}


def _tops(inputs, tasks, *, name, use_bias=True, activation=None):
    if not tasks:
        raise ValueError("it has an output for each task, and there are no tasks; give one")
    # Numbered in the order of the sorted keys, as in audio_cnn_helpers.py.
    return {
        task: _dense(
            inputs, tasks, name=top_name(name, number), units=tasks[task], use_bias=use_bias, activation=activation
        )
        for number, task in enumerate(sorted(tasks))
    }


def top_name(name: str, number: int) -> str:
    """Return the name of an output of a top layer with several, by its number."""
    return f"{name}_{number}"


def _pad(inputs, _, *, name, paddings, mode="CONSTANT", constant_values=0):
    rank = inputs.shape.rank
    is_list = isinstance(paddings, list) and len(paddings) == rank
    if not is_list or not all(isinstance(pair, list) and len(pair) == 2 for pair in paddings):
        raise ValueError(f"the paddings are {shown(paddings)}; {rank} pairs [before, after] were expected")
    for each in (number for pair in paddings for number in pair):
        _whole_number("paddings", each, minimum=0)
    if paddings[0] != [0, 0]:
        raise ValueError("the paddings include the batch; give [0, 0] first")
    _require_one_of("mode", mode.upper() if isinstance(mode, str) else mode, ("CONSTANT", "REFLECT", "SYMMETRIC"))
    kept = {"CONSTANT": math.inf, "REFLECT": -1, "SYMMETRIC": 0}[mode.upper()]
    if any(max(pair) > size + kept for pair, size in zip(paddings[1:], inputs.shape[1:], strict=True)):
        raise ValueError(f"the paddings are {shown(paddings)}, wider than what they would mirror; give smaller ones")
    return tf.pad(inputs, paddings, mode.upper(), _number("constant_values", constant_values, minimum=None), name=name)


def _slice(inputs, _, *, name, begin, size):
    rank, limits = inputs.shape.rank, inputs.shape[1:].as_list()
    for argument, value in {"begin": begin, "size": size}.items():
        if not isinstance(value, list) or len(value) != rank:
            raise ValueError(f"the {argument} is {shown(value)}; {rank} whole numbers were expected")
    if (begin[0], size[0]) != (0, -1):
        raise ValueError("it slices the batch; give a begin of 0 and a size of -1 first")
    for start, count, limit in zip(begin[1:], size[1:], limits, strict=True):
        start, count = _whole_number("begin", start, minimum=0), _whole_number("size", count, minimum=-1)
        if count == 0 or start + max(count, 1) > limit:
            raise ValueError(f"{count} from {start} on is not within {limit}; give other numbers")
    return tf.slice(inputs, begin, size, name=name)


def _transpose(inputs, _, *, name, perm):
    axes = list(range(inputs.shape.rank))
    is_order = isinstance(perm, list) and all(axis in axes for axis in perm) and sorted(perm) == axes
    if not is_order or perm[0] != 0:
        raise ValueError(f"the perm is {shown(perm)}; an order of {axes} was expected, 0 first")
    return tf.transpose(inputs, perm, name=name)


def _leaky_relu(inputs, _, *, name, alpha=0.2):
    return tf.nn.leaky_relu(inputs, _number("alpha", alpha), name=name)


def _padded(inputs, size, strides, padding):
    """Resolve the padding ``valid_time`` of the lab's later networks: zeros in frequency as for SAME, none in time.

    Returns:
        The input, with zeros around it if needed, and ``"SAME"`` or ``"VALID"``.
    """
    _check_padding(inputs, size, padding, ("SAME", "VALID", "VALID_TIME"))
    if padding.upper() != "VALID_TIME":
        return inputs, padding.upper()
    total = max(size[0] - (inputs.shape[1] % strides[0] or strides[0]), 0)
    return tf.pad(inputs, [[0, 0], [total // 2, total - total // 2], [0, 0], [0, 0]]), "VALID"


def _check_padding(inputs, size, padding, known) -> None:
    """Raise a `ValueError` for an unknown padding, or for a window that is too long for the input."""
    _require_one_of("padding", padding.upper() if isinstance(padding, str) else padding, known)
    padded_axes = {"SAME": (0, 1), "VALID": (), "VALID_TIME": (0,)}[padding.upper()]
    for axis in (0, 1):
        maximum = (MAX_WINDOW_RATIO if axis in padded_axes else 1) * inputs.shape[1 + axis]
        if size[axis] > maximum:
            raise ValueError(f"its window of {size[0]} x {size[1]} is longer than {maximum}; give a smaller one")


def _require_rank(inputs, rank: int) -> None:
    if inputs.shape.rank != rank:
        raise ValueError("frequency, time and channels were expected; put it before what flattens them")


def _require_one_of(argument, value, allowed) -> None:
    if value not in allowed:
        listed = " or ".join(map(str, allowed))
        raise ValueError(f"the {argument} is {shown(value)}; {listed} was expected")


def _whole_number(argument, value, minimum=1) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value < MAX_WEIGHTS:
        raise ValueError(f"the {argument} is {shown(value)}; whole numbers from {minimum} were expected")
    return value


def _number(argument, value, minimum: float | None = 0.0) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or (minimum is not None and value < minimum):
        raise ValueError(
            f"the {argument} is {shown(value)}; a number{'' if minimum is None else ' from 0'} was expected"
        )
    return float(value)


def _pair(argument, value) -> tuple[int, int]:
    pair = value if isinstance(value, list) else [value, value]
    if len(pair) != 2:
        raise ValueError(f"the {argument} is {shown(value)}; a whole number or two were expected")
    return _whole_number(argument, pair[0]), _whole_number(argument, pair[1])


#: The layer types of the release's vocabulary, and how each is built.
LAYER_TYPES: dict[str, LayerType] = {
    "tf.layers.conv2d": LayerType(
        _convolution,
        ignored=(
            "trainable",
            "reuse",
            "kernel_initializer",
            "bias_initializer",
            "kernel_regularizer",
            "bias_regularizer",
            "activity_regularizer",
            "kernel_constraint",
            "bias_constraint",
        ),
    ),
    "tf.nn.relu": LayerType(lambda inputs, _, *, name: tf.nn.relu(inputs, name=name)),
    "tf.nn.relu6": LayerType(lambda inputs, _, *, name: tf.nn.relu6(inputs, name=name)),
    "tf.nn.leaky_relu": LayerType(_leaky_relu),
    "tf.layers.batch_normalization": LayerType(
        _batch_normalization,
        ignored=(
            "trainable",
            "reuse",
            "training",
            "momentum",
            "fused",
            "beta_initializer",
            "gamma_initializer",
            "moving_mean_initializer",
            "moving_variance_initializer",
            "beta_regularizer",
            "gamma_regularizer",
            "beta_constraint",
            "gamma_constraint",
        ),
        build_in_training=_batch_normalization_in_training,
        used_in_training=("momentum",),
    ),
    "hpool": LayerType(_hanning_pooling),
    "tf.layers.max_pooling2d": LayerType(_pooling(tf.nn.max_pool2d)),
    "tf.layers.average_pooling2d": LayerType(_pooling(tf.nn.avg_pool2d)),
    "tf.nn.avg_pool": LayerType(_average_pooling_4d),
    "tf.layers.flatten": LayerType(_flatten),
    "tf.layers.dropout": LayerType(
        lambda inputs, _, *, name: tf.identity(inputs, name=name),
        ignored=("rate", "noise_shape", "seed", "training"),
        build_in_training=_dropout_in_training,
        used_in_training=("rate",),
    ),
    "tf.pad": LayerType(_pad),
    "tf.slice": LayerType(_slice),
    "tf.transpose": LayerType(_transpose),
}
LAYER_TYPES |= {
    name: dataclasses.replace(LAYER_TYPES["tf.layers.conv2d"], build=build)
    for name, build in {
        "tf.layers.dense": _dense,
        "fc_top_classification": _top,
        "multi_fc_top_classification": _tops,
    }.items()
}
