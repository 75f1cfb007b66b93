"""Architectures of auditory networks: lists of layers, as data, and the graph that such a list stands for.

The vocabulary is that of the released networks' own ``graph_architecture``: each layer is a ``layer_type`` and its
``args``, and takes the output of the layer before it. What the types do is what TensorFlow 1's functions of those
names did, and the functions of ``audio_cnn_helpers.py`` in the release.
"""

import dataclasses
import inspect
import json
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfmetamers.cochlea.settings import CochleagramSettings
from tfmetamers.errors import ArgumentError, shown, unknown_name
from tfmetamers.files import written_whole
from tfmetamers.networks.trace import Trace

#: The scope of the variables of a word network in the released checkpoints.
SCOPE = "brain_network"

#: The task whose classes are the network's labels (``build_word_network_aliased.py``).
LABEL_TASK = "/stimuli/word_int"

#: Of TensorFlow 1's ``tf.layers.batch_normalization``.
BATCH_NORM_EPSILON = 1e-3

#: The pools that take the places of convolutions: in the paper's network with reduced aliasing (facts of the release)
#: they do what the strides of these convolutions do in the other network.
POOLS_IN_PLACE = {"conv_0": "pool_0_0", "conv_1": "pool_1_0"}

#: Layers that have a name of their own in the paper, which stands for the activations after their ReLU.
WEIGHTED = ("tf.layers.conv2d", "tf.layers.dense")

RECTIFIERS = ("tf.nn.relu", "tf.nn.relu6", "tf.nn.leaky_relu")

#: More weights than this in one layer are a slip of the hand; the largest kernel of the paper's has a hundred million.
MOST_WEIGHTS = 2**31

#: As above, for the places of a pool's window.
LARGEST_WINDOW = 2**20

#: A layer has no more arguments than this, and none of them is a longer list.
MOST_ARGUMENTS = 32

#: A network's or layer's name is not longer than this, in characters.
LONGEST_NAME = 100

#: A network has no more tasks than this.
MOST_TASKS = 100

#: A convolution's kernel is at most as long as its input, and a pool's window, with zeros around the input, twice that.
LONGEST_KERNEL = 1
LONGEST_POOL = 2

#: Arguments that are a whole number for frequency and time, or one for each.
PAIRS = ("kernel_size", "pool_size", "strides")

#: Names that every network of this module gives its input and its answer.
RESERVED_NAMES = ("cochleagram", "logits")


@dataclass(frozen=True)
class LayerSpecification:
    """One layer of an architecture.

    Attributes:
        layer_type: a key of `LAYER_TYPES`.
        args: the layer's arguments, as TensorFlow 1's function of that name takes them; ``name`` is among them.
            Values are text, numbers, true, false and None, and lists of those.

    Raises:
        ArgumentError: an argument is something else.
    """

    layer_type: str
    args: Mapping

    def __post_init__(self):
        has_args = isinstance(self.args, Mapping) and len(self.args) <= MOST_ARGUMENTS
        if not isinstance(self.layer_type, str) or not has_args or not all(isinstance(key, str) for key in self.args):
            raise ArgumentError(
                f"A layer has the layer_type {shown(self.layer_type)} and the args {shown(self.args)}; "
                f"text was expected, and at most {MOST_ARGUMENTS} values by name."
            )
        try:
            plain = {key: _plain(value) for key, value in self.args.items()}
        except ValueError as error:
            raise ArgumentError(
                f"An argument of the layer {shown(self.args.get('name'))}, of type {shown(self.layer_type)}, {error}."
            ) from error
        object.__setattr__(self, "args", plain)

    @property
    def name(self) -> str:
        """The layer's name."""
        return self.args["name"]


@dataclass(frozen=True)
class Architecture:
    """An auditory network from the cochleagram on.

    Attributes:
        name: the network's name.
        layers: its layers, each fed by the one before it.
        tasks: number of classes of each task, by the task's key; a top layer has an output for each.
        note: where the architecture comes from.
        cochleagram: the settings of the cochleagram that the network takes.

    Raises:
        ArgumentError: a name or the note is no printable text, or a name is longer than `LONGEST_NAME`; a layer has
            the name of another layer or an unknown type; a top layer is not the last; or a number of classes is no
            positive whole number.
    """

    name: str
    layers: tuple[LayerSpecification, ...]
    tasks: Mapping[str, int]
    note: str = ""
    cochleagram: CochleagramSettings = field(default_factory=CochleagramSettings)

    def __post_init__(self):
        object.__setattr__(self, "layers", tuple(self.layers))
        if not isinstance(self.name, str) or not self.name.isprintable() or not 0 < len(self.name) <= LONGEST_NAME:
            raise ArgumentError(
                f"An architecture has the name {shown(self.name)}; printable text of at most {LONGEST_NAME} characters "
                "was expected."
            )
        if not isinstance(self.note, str) or not self.note.replace("\n", "").isprintable():
            raise ArgumentError(f"The note of {self.name} is {shown(self.note)}; printable text was expected.")
        if not self.layers:
            raise ArgumentError(f"{self.name} has no layers; give it at least one.")
        _check_names(self)
        for layer in self.layers[:-1]:
            if layer.layer_type in TOPS:
                raise ArgumentError(f"{layer.name}, a top layer of {self.name}, has a layer after it; put it last.")
        _check_output_names(self)
        object.__setattr__(self, "tasks", _checked_tasks(self))

    @property
    def label_task(self) -> str | None:
        """The task whose classes are the network's labels, None where there are no tasks."""
        return LABEL_TASK if LABEL_TASK in self.tasks else next(iter(sorted(self.tasks)), None)


def _check_names(architecture: Architecture) -> None:
    seen = set(RESERVED_NAMES)
    for layer in architecture.layers:
        name = layer.args.get("name")
        is_name = isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9.][A-Za-z0-9_.-]*", name)
        if not is_name or len(name) > LONGEST_NAME:
            raise ArgumentError(
                f"A layer of {architecture.name}, of type {shown(layer.layer_type)}, has the name {shown(name)}; "
                f"at most {LONGEST_NAME} letters, digits, '_', '.' and '-' were expected, a letter or digit first."
            )
        if layer.layer_type not in LAYER_TYPES:
            remedy = f"Give one of these for the layer {name} of {architecture.name}."
            raise unknown_name("layer type", layer.layer_type[:60], LAYER_TYPES, remedy)
        # Without regard to case, since TensorFlow tells operations apart without it.
        if name.lower() in seen:
            reserved = ", and the input and the answer are called " + " and ".join(RESERVED_NAMES)
            raise ArgumentError(
                f"{architecture.name} has two things called {name!r}; give each layer a name of its own, which differs "
                f"in more than case{reserved if name.lower() in RESERVED_NAMES else ''}."
            )
        seen.add(name.lower())


def _check_output_names(architecture: Architecture) -> None:
    """Refuse a layer that has the name of one of the outputs of a top layer with several (`top_name`)."""
    *others, top = architecture.layers
    if top.layer_type != "multi_fc_top_classification":
        return
    for layer in others:
        if re.fullmatch(rf"{re.escape(top.name)}_\d+", layer.name, re.IGNORECASE | re.ASCII):
            raise ArgumentError(
                f"{architecture.name} has a layer {layer.name!r}, as an output of its top layer {top.name} is called; "
                "give the layer another name."
            )


def _checked_tasks(architecture: Architecture) -> dict[str, int]:
    tasks = architecture.tasks
    is_mapping = isinstance(tasks, Mapping) and len(tasks) <= MOST_TASKS
    if not is_mapping or not all(isinstance(task, str) and task.isprintable() for task in tasks):
        raise ArgumentError(
            f"The tasks of {architecture.name} are {shown(tasks)}; at most {MOST_TASKS} numbers of classes, by the "
            "task's key, were expected."
        )
    for task, classes in tasks.items():
        if not isinstance(classes, int) or isinstance(classes, bool) or not 1 <= classes < MOST_WEIGHTS:
            raise ArgumentError(
                f"The number of classes of the task {shown(task)} of {architecture.name} is {shown(classes)}; "
                "a whole number from 1 was expected."
            )
    return dict(tasks)


def trace(architecture: Architecture, seed: int = 0) -> Trace:
    """Build a network's graph, at inference, from the cochleagram to the output of its label task.

    The layers are the paper's (section 4 of Feather et al., 2019; ``build_word_network_*.py`` of the release): the
    cochleagram; each convolutional or dense layer by its name, which stands for the activations after its ReLU;
    ``pool_0_0`` and ``pool_1_0`` in place of ``conv_0`` and ``conv_1`` where there are such pools; and the logits. The
    ReLU of ``conv_<k>`` is ``relu_<k>``, and that of another layer with weights ``relu_<its name>``; where there is
    none of that name, it is the one that directly follows.

    Args:
        architecture: the layers.
        seed: seeds the initialisers of the variables, which this function does not run.

    Returns:
        The graph; its stimulus is the placeholder ``cochleagram``, float32 (batch, channels, envelope samples, 1),
        and its variables are in the scope ``brain_network``.

    Raises:
        ArgumentError: a layer has arguments that its type does not take, or does not fit its input.
    """
    settings = architecture.cochleagram
    with tf.Graph().as_default():
        tf.compat.v1.set_random_seed(seed)
        shape = [None, settings.channels, settings.envelope_samples, 1]
        cochleagram = tf.compat.v1.placeholder(tf.float32, shape, "cochleagram")
        outputs = _build(architecture, cochleagram)
        has_top = architecture.layers[-1].layer_type in TOPS
        logits = outputs[architecture.layers[-1].name] if has_top else None
        activations = _activations(architecture, outputs)
        layers = {"cochleagram": cochleagram, **_paper_layers(activations, outputs)}
        if has_top:
            layers["logits"] = logits
        further = {name: activations.get(name, output) for name, output in outputs.items() if name not in layers}
        return Trace(cochleagram, layers, logits, tf.compat.v1.global_variables(), further)


def _activations(architecture: Architecture, outputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Return the activations of each layer that has weights, after its ReLU if it has one, by name."""
    layers = architecture.layers
    return {
        layer.name: outputs[_rectifier(layer, layers[position + 1 :]) or layer.name]
        for position, layer in enumerate(layers)
        if layer.layer_type in WEIGHTED
    }


def _rectifier(layer: LayerSpecification, later: Sequence[LayerSpecification]) -> str | None:
    """Return the name of a layer's ReLU: by its name where there is one of it, else that which directly follows."""
    named = f"relu_{re.sub('^conv_', '', layer.name)}"
    rectifiers = [each.name for each in later if each.layer_type in RECTIFIERS]
    if named in rectifiers:
        return named
    return next((each.name for each in later[:1] if each.layer_type in RECTIFIERS), None)


def _paper_layers(activations: Mapping[str, tf.Tensor], outputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    layers = {}
    for name, activation in activations.items():
        pool = POOLS_IN_PLACE.get(name)
        layers |= {pool: outputs[pool]} if pool in outputs else {name: activation}
    return layers


def _build(architecture: Architecture, cochleagram: tf.Tensor) -> dict[str, tf.Tensor]:
    """Return each layer's output by the layer's name; further outputs of a top layer are ``name:task``."""
    outputs, latest = {}, cochleagram
    with tf.compat.v1.variable_scope(SCOPE):
        for layer in architecture.layers:
            built = _build_layer(layer, latest, architecture)
            if isinstance(built, dict):
                several = {f"{layer.name}:{task}": output for task, output in built.items()} if len(built) > 1 else {}
                built = built[architecture.label_task]
                outputs |= several
            outputs[layer.name] = latest = built
    return outputs


def _build_layer(layer: LayerSpecification, inputs: tf.Tensor, architecture: Architecture):
    layer_type, arguments = LAYER_TYPES[layer.layer_type], _used_arguments(layer)
    shape = inputs.shape[1:].as_list()
    try:
        layer_type.check_arguments(arguments)
        built = layer_type.build(inputs, architecture.tasks, **arguments)
        for output in built.values() if isinstance(built, dict) else [built]:
            if not output.shape[1:].is_fully_defined() or 0 in output.shape[1:]:
                raise ValueError(f"its output would have the shape {output.shape[1:].as_list()}; give it other sizes")
    except (TypeError, ValueError, OverflowError) as error:
        raise ArgumentError(
            f"The layer {layer.name} of {architecture.name}, of type {layer.layer_type}, cannot be built on an input "
            f"of shape {shape}: {str(error).splitlines()[0].rstrip('.')}."
        ) from error
    return built


def _used_arguments(layer: LayerSpecification) -> dict:
    """Return a layer's arguments without those that matter in training alone."""
    return {key: value for key, value in layer.args.items() if key not in LAYER_TYPES[layer.layer_type].ignored}


def inference_arguments(layer: LayerSpecification) -> dict:
    """Return a layer's arguments that matter at inference, sizes as two whole numbers even if one stands for both.

    Args:
        layer: a layer of an architecture.
    """
    return {
        key: [value, value] if key in PAIRS and isinstance(value, int) else value
        for key, value in _used_arguments(layer).items()
    }


@dataclass(frozen=True)
class LayerType:
    """How a layer type is built.

    Attributes:
        build: from the input and the tasks, with the layer's arguments as keywords, to the output, or to the
            outputs by the task's key.
        ignored: arguments that matter in training alone.
    """

    build: Callable
    ignored: tuple[str, ...] = ()

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
                raise ValueError(f"it takes no argument {shown(name)}; the nearest are {', '.join(near)}")
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
    inputs, padding = _padded(inputs, size, strides, padding, LONGEST_KERNEL)
    with tf.compat.v1.variable_scope(name):
        kernel, bias = _weights([*size, inputs.shape[-1], _whole_number("filters", filters)], use_bias)
        convolved = tf.nn.conv2d(inputs, kernel, strides, padding)
        return convolved if bias is None else tf.nn.bias_add(convolved, bias)


def _weights(kernel_shape, use_bias):
    """Make the variables of TensorFlow 1's convolutional and dense layers, with their initialisers."""
    _require_one_of("use_bias", use_bias, (True, False))
    count = math.prod(kernel_shape)
    if count > MOST_WEIGHTS:
        raise ValueError(f"its kernel would have {count} weights; give it a smaller one")
    zeros, glorot = tf.compat.v1.zeros_initializer(), tf.compat.v1.glorot_uniform_initializer()
    kernel = tf.compat.v1.get_variable("kernel", kernel_shape, initializer=glorot)
    return kernel, tf.compat.v1.get_variable("bias", kernel_shape[-1:], initializer=zeros) if use_bias else None


def _batch_normalization(
    inputs, _, *, name, axis=-1, epsilon=BATCH_NORM_EPSILON, center=True, scale=True, renorm=False
):
    _require_one_of("axis", axis, (-1, inputs.shape.rank - 1, [-1], [inputs.shape.rank - 1]))
    _require_one_of("center", center, (True, False))
    _require_one_of("scale", scale, (True, False))
    _require_one_of("renorm", renorm, (False,))
    epsilon = _number("epsilon", epsilon)
    units = [inputs.shape[-1]]
    ones, zeros = tf.compat.v1.ones_initializer(), tf.compat.v1.zeros_initializer()
    with tf.compat.v1.variable_scope(name):
        gamma = tf.compat.v1.get_variable("gamma", units, initializer=ones) if scale else tf.ones(units)
        beta = tf.compat.v1.get_variable("beta", units, initializer=zeros) if center else tf.zeros(units)
        mean = tf.compat.v1.get_variable("moving_mean", units, initializer=zeros, trainable=False)
        variance = tf.compat.v1.get_variable("moving_variance", units, initializer=ones, trainable=False)
        if inputs.shape.rank != 4:
            return tf.nn.batch_normalization(inputs, mean, variance, beta, gamma, epsilon)
        # One operation, which a frozen network folds into the convolution before it.
        return tf.raw_ops.FusedBatchNormV3(
            x=inputs, scale=gamma, offset=beta, mean=mean, variance=variance, epsilon=epsilon, is_training=False
        )[0]


def _hanning_pooling(inputs, _, *, name, strides=2, pool_size=8, padding="SAME", sqrt_window=False, normalize=False):
    """Pool by a weighted average with a Hann window, channel by channel (``audio_cnn_helpers.py``)."""
    _require_rank(inputs, 4)
    _require_one_of("sqrt_window", sqrt_window, (True, False))
    _require_one_of("normalize", normalize, (True, False))
    size, strides = _window("pool_size", pool_size), _pair("strides", strides)
    window = np.outer(*(hann_window(each) for each in size))
    window = np.sqrt(window) if sqrt_window else window
    if not window.any():
        raise ValueError("a Hann window of 2 points is zero throughout; give a pool_size of 1, or more than 2")
    window = (window / window.sum() if normalize else window).astype(np.float32)
    inputs, padding = _padded(inputs, size, strides, padding, LONGEST_POOL)
    with tf.compat.v1.variable_scope(name):
        if strides[0] == strides[1]:
            kernel = np.tile(window[:, :, None, None], [1, 1, inputs.shape[-1], 1])
            return tf.nn.depthwise_conv2d(inputs, kernel, [1, *strides, 1], padding)
        # Not every CPU has depthwise convolutions whose strides differ: each channel becomes an item of the batch.
        height, width, channels = inputs.shape[1:]
        items = tf.reshape(tf.transpose(inputs, [0, 3, 1, 2]), [-1, height, width, 1])
        pooled = tf.nn.conv2d(items, window[:, :, None, None], strides, padding)
        return tf.transpose(tf.reshape(pooled, [-1, channels, *pooled.shape[1:3]]), [0, 2, 3, 1])


def hann_window(size: int) -> np.ndarray:
    """Return the symmetric Hann window, whose end points are zero; a window of one point is 1.

    Args:
        size: number of points.

    Returns:
        float64 (size,), as ``make_hanning_kernel`` of the release has it.
    """
    if size == 1:
        return np.ones(1)
    return 0.5 * (1.0 - np.cos(2.0 * np.pi * np.arange(size) / (size - 1)))


def _pooling(function):
    """Return how a layer is built that pools by a TensorFlow function."""

    def build(inputs, _, *, name, pool_size, strides, padding="valid", data_format="channels_last"):
        _require_rank(inputs, 4)
        _require_one_of("data_format", data_format, ("channels_last",))
        size, strides = _window("pool_size", pool_size), _pair("strides", strides)
        _check_padding(inputs, size, padding, LONGEST_POOL, ("SAME", "VALID"))
        return function(inputs, size, strides, padding.upper(), name=name)

    return build


def _average_pooling_4d(inputs, _, *, name, ksize, strides, padding, data_format="NHWC"):
    _require_one_of("data_format", data_format, ("NHWC",))
    sizes = {"pool_size": _inner_pair("ksize", ksize), "strides": _inner_pair("strides", strides)}
    return _pooling(tf.nn.avg_pool2d)(inputs, _, name=name, padding=padding, **sizes)


def _inner_pair(argument, value):
    """Return height and width of a value that may have batch and channels around them, as ``[1, h, w, 1]``."""
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
        raise ValueError(f"it has one output, and there are {len(tasks)} tasks; give one")
    ((task, classes),) = tasks.items()
    return {task: _dense(inputs, tasks, name=name, units=classes, use_bias=use_bias, activation=activation)}


def _tops(inputs, tasks, *, name, use_bias=True, activation=None):
    if not tasks:
        raise ValueError("it has an output for each task, and there is no task; give one")
    # Numbered in the order of the sorted keys, as in audio_cnn_helpers.py.
    return {
        task: _dense(
            inputs, tasks, name=top_name(name, number), units=tasks[task], use_bias=use_bias, activation=activation
        )
        for number, task in enumerate(sorted(tasks))
    }


def top_name(name: str, number: int) -> str:
    """Return the name of one of the outputs of a top layer with several, by its number."""
    return f"{name}_{number}"


def _pad(inputs, _, *, name, paddings, mode="CONSTANT", constant_values=0):
    rank = inputs.shape.rank
    is_list = isinstance(paddings, list) and len(paddings) == rank
    if not is_list or not all(isinstance(pair, list) and len(pair) == 2 for pair in paddings):
        raise ValueError(f"the paddings are {shown(paddings)}; {rank} pairs [before, after] were expected")
    for each in (number for pair in paddings for number in pair):
        _whole_number("paddings", each, least=0)
    if paddings[0] != [0, 0]:
        raise ValueError("the paddings reach the batch; give [0, 0] first")
    _require_one_of("mode", mode.upper() if isinstance(mode, str) else mode, ("CONSTANT", "REFLECT", "SYMMETRIC"))
    kept = {"CONSTANT": math.inf, "REFLECT": -1, "SYMMETRIC": 0}[mode.upper()]
    if any(max(pair) > size + kept for pair, size in zip(paddings[1:], inputs.shape[1:], strict=True)):
        raise ValueError(f"the paddings are {shown(paddings)}, wider than what they would mirror; give smaller ones")
    return tf.pad(inputs, paddings, mode.upper(), _number("constant_values", constant_values, least=None), name=name)


def _slice(inputs, _, *, name, begin, size):
    rank, limits = inputs.shape.rank, inputs.shape[1:].as_list()
    for argument, value in {"begin": begin, "size": size}.items():
        if not isinstance(value, list) or len(value) != rank:
            raise ValueError(f"the {argument} is {shown(value)}; {rank} whole numbers were expected")
    if (begin[0], size[0]) != (0, -1):
        raise ValueError("it slices the batch; begin with 0 and a size of -1")
    for start, count, limit in zip(begin[1:], size[1:], limits, strict=True):
        start, count = _whole_number("begin", start, least=0), _whole_number("size", count, least=-1)
        if count == 0 or start + max(count, 1) > limit:
            raise ValueError(f"{count} from {start} on is not within the {limit} that there are; give other numbers")
    return tf.slice(inputs, begin, size, name=name)


def _transpose(inputs, _, *, name, perm):
    axes = list(range(inputs.shape.rank))
    is_order = isinstance(perm, list) and all(axis in axes for axis in perm) and sorted(perm) == axes
    if not is_order or perm[0] != 0:
        raise ValueError(f"the perm is {shown(perm)}; an order of {axes} was expected, 0 first")
    return tf.transpose(inputs, perm, name=name)


def _leaky_relu(inputs, _, *, name, alpha=0.2):
    return tf.nn.leaky_relu(inputs, _number("alpha", alpha), name=name)


def _padded(inputs, size, strides, padding, longest):
    """Resolve the padding ``valid_time`` of the lab's later networks: zeros in frequency as for SAME, none in time.

    Returns:
        The input, with zeros around if need be, and ``"SAME"`` or ``"VALID"``.
    """
    _check_padding(inputs, size, padding, longest, ("SAME", "VALID", "VALID_TIME"))
    if padding.upper() != "VALID_TIME":
        return inputs, padding.upper()
    total = max(size[0] - (inputs.shape[1] % strides[0] or strides[0]), 0)
    return tf.pad(inputs, [[0, 0], [total // 2, total - total // 2], [0, 0], [0, 0]]), "VALID"


def _check_padding(inputs, size, padding, longest, known) -> None:
    """Raise a `ValueError` for an unknown padding, or a window longer than the input (`longest` times where padded)."""
    _require_one_of("padding", padding.upper() if isinstance(padding, str) else padding, known)
    padded_axes = {"SAME": (0, 1), "VALID": (), "VALID_TIME": (0,)}[padding.upper()]
    for axis in (0, 1):
        times = longest if axis in padded_axes else 1
        if size[axis] > times * inputs.shape[1 + axis]:
            limit = "that" if times == 1 else f"{times} times that"
            raise ValueError(f"its window of {size[0]} x {size[1]} is larger than {limit}; give a smaller one")


def _require_rank(inputs, rank: int) -> None:
    if inputs.shape.rank != rank:
        raise ValueError("frequency, time and channels were expected; put it before what flattens them")


def _require_one_of(argument, value, allowed) -> None:
    if value not in allowed:
        listed = " or ".join(map(str, allowed))
        raise ValueError(f"the {argument} is {shown(value)}; {listed} was expected")


def _whole_number(argument, value, least=1) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < MOST_WEIGHTS:
        raise ValueError(f"the {argument} is {shown(value)}; whole numbers from {least} were expected")
    return value


def _number(argument, value, least: float | None = 0.0) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or (least is not None and value < least):
        raise ValueError(f"the {argument} is {shown(value)}; a number{'' if least is None else ' from 0'} was expected")
    return float(value)


def _pair(argument, value) -> tuple[int, int]:
    pair = value if isinstance(value, list) else [value, value]
    if len(pair) != 2:
        raise ValueError(f"the {argument} is {shown(value)}; a whole number or two were expected")
    return _whole_number(argument, pair[0]), _whole_number(argument, pair[1])


def _window(argument, value) -> tuple[int, int]:
    height, width = _pair(argument, value)
    if height * width > LARGEST_WINDOW:
        raise ValueError(f"the {argument} is {shown(value)}; a smaller window was expected")
    return height, width


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
    ),
    "hpool": LayerType(_hanning_pooling),
    "tf.layers.max_pooling2d": LayerType(_pooling(tf.nn.max_pool2d)),
    "tf.layers.average_pooling2d": LayerType(_pooling(tf.nn.avg_pool2d)),
    "tf.nn.avg_pool": LayerType(_average_pooling_4d),
    "tf.layers.flatten": LayerType(_flatten),
    "tf.layers.dropout": LayerType(
        lambda inputs, _, *, name: tf.identity(inputs, name=name), ignored=("rate", "noise_shape", "seed", "training")
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

#: The layer types that have an output for each task.
TOPS = ("fc_top_classification", "multi_fc_top_classification")


def _plain(value, depth: int = 0):
    """Return the value of an argument as JSON gives it back."""
    is_list = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    if is_list and depth < 2 and len(value) <= MOST_ARGUMENTS:
        return [_plain(each, depth + 1) for each in value]
    value = value.item() if isinstance(value, np.generic) else value
    is_number = isinstance(value, int | float) and abs(value) < 2**63  # Which leaves NaN and infinity out.
    if value is not None and not is_number and not isinstance(value, str):
        raise ValueError(f"is {shown(value)}; text, a finite number, true, false, null or a short list was expected")
    return value


_EXPECTED = "a JSON file with name, note, tasks, cochleagram and layers, each with layer_type and args, was expected"


def read_architecture(file: str | os.PathLike) -> Architecture:
    """Read an architecture from its JSON file, as `write_architecture` makes it.

    Raises:
        ArgumentError: the file is missing, no JSON, or no architecture.
    """
    path = Path(file)
    content = _read_json(path)
    try:
        return from_json(content)
    except ArgumentError as error:
        raise ArgumentError(f"{path} cannot be used: {error}") from error


def _read_json(path: Path):
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ArgumentError(f"{path} cannot be read: {error.strerror or error}; {_EXPECTED}.") from error
    except UnicodeDecodeError as error:
        raise ArgumentError(f"{path} is no architecture: it is not text in UTF-8; {_EXPECTED}.") from error
    except ValueError as error:  # A null character in the path.
        raise ArgumentError(f"{shown(str(path))} is no path ({error}); check it.") from error
    try:
        return json.loads(text, object_pairs_hook=_without_repetition)
    except ArgumentError as error:
        raise ArgumentError(f"{path} is no architecture: {error}; {_EXPECTED}.") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ArgumentError(f"{path} is no architecture: it is no JSON from {place} on; {_EXPECTED}.") from error
    except RecursionError as error:
        raise ArgumentError(f"{path} is no architecture: its lists are too deep in each other; {_EXPECTED}.") from error
    except ValueError as error:  # The limit of Python's on the digits of a whole number.
        raise ArgumentError(f"{path} is no architecture: a number has thousands of digits; {_EXPECTED}.") from error


def _without_repetition(pairs) -> dict:
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise ArgumentError(f"the key {shown(repeated)} is there twice in one place")
    return dict(pairs)


def from_json(content) -> Architecture:
    """Return the architecture of what `as_json` gave.

    Raises:
        ArgumentError: a key is unknown or missing, or has a value of another type; or the architecture cannot be used.
    """
    _check_json(content)
    layers = tuple(LayerSpecification(layer["layer_type"], layer["args"]) for layer in content["layers"])
    settings = CochleagramSettings().replace(**content.get("cochleagram", {}))
    return Architecture(content["name"], layers, content["tasks"], content.get("note", ""), settings)


def _check_json(content) -> None:
    """Refuse what `from_json` could not take apart; `Architecture` checks the values."""
    keys = [each.name for each in dataclasses.fields(Architecture)]
    if not isinstance(content, dict):
        raise ArgumentError(f"An architecture is {shown(content)}; {', '.join(keys)} were expected, by name.")
    for key in content:
        if key not in keys:
            raise unknown_name("key of an architecture called", key[:60], keys, "Give one of these.")
    for key in ("name", "tasks", "layers"):
        if key not in content:
            raise ArgumentError(f"An architecture has no {key!r}; add it.")
    settings, layers = content.get("cochleagram", {}), content["layers"]
    if not isinstance(settings, dict):
        raise ArgumentError(f"The cochleagram of an architecture is {shown(settings)}; settings by name were expected.")
    if not isinstance(layers, list):
        raise ArgumentError(f"The layers of an architecture are {shown(layers)}; a list was expected.")
    for layer in layers:
        if not isinstance(layer, dict) or set(layer) != {"layer_type", "args"}:
            raise ArgumentError(f"A layer is {shown(layer)}; layer_type and args were expected, and nothing else.")


def as_json(architecture: Architecture) -> dict:
    """Return an architecture as lists and dictionaries; of the cochleagram's settings, those that are not the default.

    The layers come last.
    """
    defaults = dataclasses.asdict(CochleagramSettings())
    settings = dataclasses.asdict(architecture.cochleagram)
    return {
        "name": architecture.name,
        "note": architecture.note,
        "tasks": dict(architecture.tasks),
        "cochleagram": {key: value for key, value in settings.items() if value != defaults[key]},
        "layers": [{"layer_type": layer.layer_type, "args": dict(layer.args)} for layer in architecture.layers],
    }


def write_architecture(architecture: Architecture, file: str | os.PathLike) -> None:
    """Write an architecture as JSON that a person can read and edit, a layer a line.

    Raises:
        ResultError: the file cannot be written.
    """
    entries = as_json(architecture)
    layers = entries.pop("layers")
    lines = [f"  {json.dumps(key)}: {json.dumps(value)},\n" for key, value in entries.items()]
    listed = ",\n".join(f"    {json.dumps(layer)}" for layer in layers)
    with written_whole(file) as partial:
        partial.write_text(f'{{\n{"".join(lines)}  "layers": [\n{listed}\n  ]\n}}\n', encoding="utf-8")
