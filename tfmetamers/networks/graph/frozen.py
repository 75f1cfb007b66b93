"""A layer's activations as a function of the stimulus, with weights that never change.

Synthesis differentiates with respect to the stimulus alone, so the traced graph is replayed operation by
operation with rewrites that leave its values as they were: what depends on weights alone is computed once, batch
normalisation is folded into the convolution before it, a convolution at stride 1 gets a gradient that is a
convolution, by Winograd's algorithm where it pays, and an LSTM gets one that leaves its weights out. On a GPU,
convolutions stay TensorFlow's own.
``benchmarks/image_step.py`` shows what they bring to networks of images.
"""

import inspect
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import tensorflow as tf

from tfmetamers.errors import ArgumentError
from tfmetamers.gradients import forget_gradients, registered_gradients, with_gradient
from tfmetamers.networks.graph import winograd
from tfmetamers.networks.graph.recurrence import OUTPUT, recurrence_of
from tfmetamers.networks.graph.relu import ProducingPath, find_rectifier, producing_path, rearranged_inputs
from tfmetamers.networks.graph.winograd import WinogradConvolution
from tfmetamers.utilities.device import has_gpu
from tfmetamers.utilities.interrupts import defer_sigint

#: Outputs along each side of the tiles of quick convolutions, the quicker first.
TILES = (4, 2)

#: Constants of more elements than this stay outside the compiled graph, which would be slow to optimise with
#: them inside; smaller ones (axes, shapes, paddings) go in, where TensorFlow's shape inference needs them.
MAX_INLINED_CONSTANT = 1024

#: Kernels of more numbers than this are not put into the compiled graph: there, each takes some twenty times its
#: memory while it is compiled, and only networks of many small kernels (Inception-V3) are quicker with them inside.
MAX_INLINED_KERNEL = 300_000


class FrozenFunction:
    """The function from a batch of stimuli to the activations of one layer.

    Call it with a float tensor (batch, *stimulus shape); it returns (batch, *layer shape). It is
    differentiable with `tf.GradientTape`. Items of a batch do not influence each other.
    """

    def __init__(
        self,
        stimulus: tf.Tensor,
        layer: tf.Tensor,
        weights: Mapping[str, tf.Tensor | tf.Variable],
        straight_through: bool = True,
        kernels: str = "small",
    ):
        """Plan the replay.

        Args:
            stimulus: the placeholder of the traced graph that takes the stimulus.
            layer: the tensor of the traced graph to compute.
            weights: the value of each variable, by the name of its handle in the graph.
            straight_through: give the ReLUs that produce the layer a gradient of 1 everywhere.
            kernels: ``"small"`` keeps one copy of each convolution's kernel; ``"quick"`` keeps transformed copies of it
                for both directions, which take several times its memory: steps are quicker, compiling takes longer,
                and rounding is coarser (a relative error of 5e-6 in place of 1e-6). On a GPU both are the ordinary
                convolutions.
        """
        self._stimulus = stimulus
        self._layer = layer
        self._path = producing_path(layer) if straight_through else ProducingPath((), ())
        operations = operations_up_to(self._inputs_of_path(layer), stimulus)
        _refuse_what_cannot_be_replayed(operations)
        constants = _evaluate_constants(operations, weights)
        self._steps = _plan(operations, constants, self._inputs_of_path(layer), kernels)
        read = {name for step in self._steps for name in step.reads} | self._read_along_path(layer)
        self._constants = {name: value for name, value in constants.items() if name in read}
        # TensorFlow counts traces by function: a partial is one of its own, a method would be all instances'.
        self._compiled = tf.function(partial(self._replay), autograph=False, reduce_retracing=True)
        self._registered: set[str] = set()
        weakref.finalize(self, forget_gradients, self._registered)

    def __call__(self, stimuli: tf.Tensor) -> tf.Tensor:
        if not self._stimulus.shape.is_compatible_with(stimuli.shape):
            expected = ("batch", *self._stimulus.shape[1:].as_list())
            raise ArgumentError(f"The stimuli have shape {tuple(stimuli.shape)}; {expected} was expected.")
        if tf.inside_function():
            return self._replay(stimuli)
        try:
            with defer_sigint():
                return self._compiled(tf.convert_to_tensor(stimuli))
        except tf.errors.OpError as error:  # The graph is not ours, or memory is too small.
            reason = (error.message.strip().splitlines() or [type(error).__name__])[0]
            raise ArgumentError(
                f"{self._layer.name} cannot be computed ({reason}); leave that layer out, free some memory, or fix "
                "the model."
            ) from error

    def _replay(self, stimuli: tf.Tensor) -> tf.Tensor:
        with registered_gradients(self._registered):
            return self._replay_operations(stimuli)

    def _replay_operations(self, stimuli: tf.Tensor) -> tf.Tensor:
        values = dict(self._constants)
        values[self._stimulus.name] = stimuli
        for step in self._steps:
            outputs = step.compute(*(values[name] for name in step.reads))
            values.update(zip(step.writes, outputs, strict=False))
        return self._along_path(self._layer, values)

    def _along_path(self, tensor: tf.Tensor, values: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Compute a tensor on the way from the producing ReLUs to the layer."""
        operation = tensor.op
        if operation.name in self._path.relus:
            rectifier = find_rectifier(operation)
            return rectifier.straight_through(values[rectifier.pre_activation.name])
        if operation.name not in self._path.rearranging:
            return values[tensor.name]
        handed_on = [self._along_path(each, values) for each in rearranged_inputs(operation)]
        rest = [values[each.name] for each in operation.inputs[len(handed_on) :]]
        return execute(operation, *handed_on, *rest)[0]

    def _read_along_path(self, layer: tf.Tensor) -> set[str]:
        """Return the names of the tensors that `_along_path` reads."""
        return {tensor.name for tensor in self._inputs_of_path(layer)}

    def _inputs_of_path(self, tensor: tf.Tensor) -> list[tf.Tensor]:
        """Return the tensors from which `_along_path` starts."""
        operation = tensor.op
        if operation.name in self._path.relus:
            return [find_rectifier(operation).pre_activation]
        if operation.name not in self._path.rearranging:
            return [tensor]
        handed_on = rearranged_inputs(operation)
        rest = list(operation.inputs[len(handed_on) :])
        return rest + [start for each in handed_on for start in self._inputs_of_path(each)]


class FrozenLayers(FrozenFunction):
    """The function from a batch of stimuli to the activations of several layers, with ordinary gradients, not quick."""

    def __init__(self, stimulus: tf.Tensor, layers: Sequence[tf.Tensor], weights):
        """Plan the replay up to the last of the layers; the arguments are those of `FrozenFunction`."""
        self._layers = list(layers)
        super().__init__(stimulus, self._layers[-1], weights, straight_through=False)

    def _inputs_of_path(self, tensor):
        return self._layers

    def _along_path(self, tensor, values):
        return [values[layer.name] for layer in self._layers]


@dataclass(frozen=True)
class _Step:
    """One operation of a replay.

    Attributes:
        reads: names of the tensors that it takes.
        writes: names of the tensors that it gives.
        compute: from the values of those to a list of values of these.
    """

    reads: tuple[str, ...]
    writes: tuple[str, ...]
    compute: Callable[..., list]


def execute(operation: tf.Operation, *inputs) -> list:
    """Run the operation of a traced graph on other inputs, eagerly or in the graph being built.

    Returns:
        The operation's outputs, in order.
    """
    definition = operation.op_def
    arguments, inferred, position = {}, set(), 0
    for argument in definition.input_arg:
        inferred.update(filter(None, (argument.type_attr, argument.number_attr, argument.type_list_attr)))
        if argument.number_attr or argument.type_list_attr:
            counted = operation.get_attr(argument.number_attr or argument.type_list_attr)
            count = counted if argument.number_attr else len(counted)
            arguments[argument.name] = list(inputs[position : position + count])
        else:
            count = 1
            arguments[argument.name] = inputs[position]
        position += count
    attributes = [attribute for attribute in definition.attr if attribute.name not in inferred]
    arguments |= {attribute.name: operation.get_attr(attribute.name) for attribute in attributes}
    function = getattr(tf.raw_ops, operation.type)
    outputs = function(**_renamed(arguments, inspect.signature(function).parameters))
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]


def _renamed(arguments: dict, parameters) -> dict:
    """Give arguments the names that Python has for them, which differ for a few (Squeeze's squeeze_dims)."""
    foreign = [name for name in arguments if name not in parameters]
    free = [name for name in parameters if name not in arguments and name != "name"]
    renamed = dict(zip(foreign, free, strict=False))
    return {renamed.get(name, name): value for name, value in arguments.items()}


def operations_up_to(fetched: list[tf.Tensor], stimulus: tf.Tensor) -> list[tf.Operation]:
    """Return the operations that the fetched tensors need, each after its inputs."""
    ordered, pending = {}, [(tensor.op, False) for tensor in fetched]
    while pending:
        operation, inputs_are_ordered = pending.pop()
        if operation.name in ordered or operation is stimulus.op:
            continue
        if inputs_are_ordered:
            ordered[operation.name] = operation
        else:
            pending.append((operation, True))
            pending.extend((tensor.op, False) for tensor in operation.inputs)
    return list(ordered.values())


def _refuse_what_cannot_be_replayed(operations) -> None:
    for operation in operations:
        if any(attribute.type in ("func", "list(func)") for attribute in operation.op_def.attr):
            raise ArgumentError(
                f"The network contains a loop or a function ({operation.name}, {operation.type}), which cannot be "
                "replayed; build recurrent layers with unroll=True, and leave tf.while_loop and tf.cond out."
            )
        if "_gradient_op_type" in operation.node_def.attr and not _is_silu(operation):
            raise ArgumentError(
                f"The network contains an operation with a custom gradient ({operation.name}), which would be lost "
                "when it is replayed; leave tf.custom_gradient out."
            )


def _is_silu(operation) -> bool:
    """Tell whether an operation is the last of TensorFlow's SiLU, whose custom gradient only saves memory."""
    product = operation.inputs[0].op
    factors = [tensor.op.type for tensor in product.inputs]
    return operation.type == "IdentityN" and product.type == "Mul" and "Sigmoid" in factors


def _evaluate_constants(operations, weights) -> dict:
    """Compute every tensor that depends on weights and constants alone, by name."""
    constants = {}
    for operation in operations:
        if operation.type == "ReadVariableOp" and operation.inputs[0].op.name in weights:
            outputs = [tf.convert_to_tensor(weights[operation.inputs[0].op.name])]
        elif operation.type == "Placeholder" and isinstance(weights.get(operation.name), tf.Tensor):
            outputs = [weights[operation.name]]
        elif operation.type == "Const":
            outputs = [tf.constant(tf.make_ndarray(operation.get_attr("value")))]
        elif _is_constant(operation, constants):
            outputs = execute(operation, *(constants[tensor.name] for tensor in operation.inputs))
        else:
            continue
        for tensor, value in zip(operation.outputs, outputs, strict=False):
            is_small = value.shape.num_elements() <= MAX_INLINED_CONSTANT
            constants[tensor.name] = value.numpy() if is_small else value
    return constants


def _is_constant(operation, constants) -> bool:
    known = [tensor.name in constants for tensor in operation.inputs]
    is_numeric = not any(tensor.dtype in (tf.resource, tf.variant) for tensor in operation.outputs)
    return bool(known) and all(known) and is_numeric and not operation.op_def.is_stateful


def _plan(operations, constants, fetched, kernels: str) -> list[_Step]:
    """Return a step for each operation that depends on the stimulus."""
    normalizations = _normalizations(operations, constants)
    foldable = _foldable_normalizations(operations, constants, fetched, normalizations)
    scales = {convolution: normalizations[name][0] for name, convolution in foldable.items()}
    is_for_gpu = has_gpu()
    is_quick = kernels == "quick" and not is_for_gpu
    steps = []

    def add(operation, compute, reads=None):
        names = [tensor.name for tensor in operation.inputs]
        reads = names if reads is None else [names[place] for place in reads]
        steps.append(_Step(tuple(reads), tuple(tensor.name for tensor in operation.outputs), compute))

    read = {tensor.name for operation in operations for tensor in operation.inputs} | {each.name for each in fetched}
    for operation in operations:
        if all(tensor.name in constants for tensor in operation.outputs) and operation.outputs:
            continue
        if operation.type in ("VarHandleOp", "Placeholder"):
            continue
        recurrence = recurrence_of(operation, constants, read)
        if operation.name in foldable:
            add(operation, _shift(normalizations[operation.name][1]), [0])
        elif operation.name in normalizations:
            add(operation, _scale_and_shift(*normalizations[operation.name]), [0])
        elif operation.type == "Conv2D" and operation.inputs[1].name in constants:
            kernel = constants[operation.inputs[1].name]
            if operation.name in scales:
                kernel = kernel * scales[operation.name]
            is_inlined = is_quick and np.size(kernel) <= MAX_INLINED_KERNEL
            kernel = np.asarray(kernel) if is_inlined else tf.convert_to_tensor(kernel)
            is_grouped = operation.inputs[0].shape[-1] != kernel.shape[2]
            if is_grouped and not is_for_gpu:
                add(operation, _grouped_convolution(operation, kernel), [0])
            elif is_quick and not is_grouped:
                add(operation, _quick_convolution(operation, kernel), [0])
            else:
                add(operation, partial(_execute_convolution, operation, kernel), [0])
        elif operation.type == "MaxPool" and operation.get_attr("padding") != b"EXPLICIT":
            add(operation, _max_pool(operation))
        elif recurrence:
            add(operation, _recurrence(recurrence), [1, 2, 3])
        else:
            add(operation, _executor(operation))
    return steps


def _executor(operation):
    return lambda *inputs: execute(operation, *inputs)


def _recurrence(recurrence):
    unread = [None] * OUTPUT
    return lambda inputs, cell, output: [*unread, recurrence(inputs, cell, output)]


def _max_pool(operation):
    """Return the function that computes a max pool, with a gradient that is the same to the last bit in every process.

    Within a loop, TensorFlow has oneDNN compute the ordinary gradient (``MaxPoolGrad``) in some processes and not in
    others, by the order in which it happens to visit the graph; the two round differently. It leaves ``MaxPoolGradV2``,
    which computes the same, alone.
    """
    window = {name: operation.get_attr(name) for name in ("ksize", "strides", "padding", "data_format")}

    @tf.custom_gradient
    def pooled(inputs):
        outputs = tf.raw_ops.MaxPool(input=inputs, **window)
        return outputs, lambda upstream: tf.raw_ops.MaxPoolGradV2(
            orig_input=inputs, orig_output=outputs, grad=upstream, **window
        )

    return lambda inputs: [pooled(inputs)]


def _shift(shift):
    return lambda inputs: [tf.nn.bias_add(inputs, shift)]


def _scale_and_shift(scale, shift):
    return lambda inputs: [tf.nn.bias_add(inputs * scale, shift)]


def _normalizations(operations, constants) -> dict:
    """Return the scale and shift that each batch normalisation at inference amounts to, by its name."""
    normalizations = {}
    for operation in operations:
        if operation.type != "FusedBatchNormV3":
            continue
        statistics = [constants.get(tensor.name) for tensor in operation.inputs[1:]]
        channels_last = operation.get_attr("data_format") == b"NHWC"
        if operation.get_attr("is_training") or not channels_last or any(each is None for each in statistics):
            continue
        gamma, beta, mean, variance = (np.asarray(each, np.float64) for each in statistics)
        scale = gamma / np.sqrt(variance + operation.get_attr("epsilon"))
        normalizations[operation.name] = scale.astype(np.float32), (beta - mean * scale).astype(np.float32)
    return normalizations


def _foldable_normalizations(operations, constants, fetched, normalizations) -> dict:
    """Return, by name, the normalisations whose input is a convolution that nothing else reads, and its name."""
    readers = [tensor.name for operation in operations for tensor in operation.inputs]
    readers += [tensor.name for tensor in fetched]
    foldable = {}
    for operation in operations:
        if operation.name not in normalizations:
            continue
        produced = operation.inputs[0]
        is_frozen = produced.op.type == "Conv2D" and produced.op.inputs[1].name in constants
        if is_frozen and readers.count(produced.name) == 1:
            foldable[operation.name] = produced.op.name
    return foldable


def _execute_convolution(operation, kernel, inputs):
    """Return what a convolution gives with a constant kernel, as it is."""
    return execute(operation, inputs, kernel)


def _quick_convolution(operation, kernel):
    """Return the function that computes a convolution with a constant kernel, quick on processors.

    Where its stride is 1, its gradient is a convolution too, with the kernel flipped in space and transposed in
    channels: the same sums, in an order that CPU libraries run faster.
    """
    backward_padding = _backward_padding(operation)
    if backward_padding is None:
        return partial(_execute_convolution, operation, kernel)
    flipped = np.ascontiguousarray(np.asarray(kernel)[::-1, ::-1].transpose(0, 1, 3, 2))
    padding = operation.get_attr("padding").decode()
    size = operation.inputs[0].shape[1:3].as_list()
    forward = _stride_1(kernel, padding, size)
    flipped = flipped if isinstance(kernel, np.ndarray) else tf.constant(flipped)
    backward = _stride_1(flipped, backward_padding, size)
    convolution = with_gradient(forward, backward)
    return lambda inputs: [convolution(inputs)]


def _stride_1(kernel, padding, size):
    """Return a convolution at stride 1, by the tiles that pay, or as it is."""
    outputs = _tile(kernel.shape, padding, size)
    if outputs:
        return WinogradConvolution(np.asarray(kernel), *size, outputs=outputs)
    return partial(tf.nn.conv2d, filters=kernel, strides=1, padding=padding)


def _tile(kernel_shape, padding, size) -> int | None:
    """Return the outputs along each side of the tiles that pay for a convolution, None where none do."""
    if padding != "SAME" or None in size:
        return None
    return next((outputs for outputs in TILES if winograd.pays(kernel_shape, *size, outputs=outputs)), None)


def kernel_bytes(stimulus: tf.Tensor, layer: tf.Tensor) -> int:
    """Return the bytes that the quick kernels of a layer take, from the graph alone; 0 on a GPU, which has none.

    Args:
        stimulus: the placeholder of the traced graph that takes the stimulus.
        layer: the tensor of the traced graph to compute.
    """
    if has_gpu():
        return 0
    return sum(
        _quick_bytes(operation) for operation in operations_up_to([layer], stimulus) if operation.type == "Conv2D"
    )


def _quick_bytes(operation: tf.Operation) -> int:
    """Return the bytes of a convolution's kernel for both directions, transformed where that pays."""
    kernel, padding = operation.inputs[1].shape, _backward_padding(operation)
    size = 4 * kernel.num_elements()
    if padding is None:
        return size
    places = operation.inputs[0].shape[1:3].as_list()
    flipped = [*kernel[:2], kernel[3], kernel[2]]
    tiles = [_tile(*each, places) for each in ((kernel, operation.get_attr("padding").decode()), (flipped, padding))]
    return round(sum(size if tile is None else size * (tile + 2) ** 2 / 9 for tile in tiles))


def _grouped_convolution(operation, kernel):
    """Return the function that computes a convolution in groups of channels, whose gradient TensorFlow's CPU lacks."""
    groups = operation.inputs[0].shape[-1] // kernel.shape[2]
    kernels = tf.split(kernel, groups, axis=3)

    def convolution(inputs):
        parts = zip(tf.split(inputs, groups, axis=3), kernels, strict=True)
        return [tf.concat([execute(operation, *part)[0] for part in parts], axis=3)]

    if kernel.shape[2] > 1 or operation.get_attr("padding") == b"EXPLICIT":
        return convolution
    depthwise = tf.reshape(kernel, [*kernel.shape[:2], groups, -1])
    attributes = {name: operation.get_attr(name) for name in ("strides", "dilations", "padding")}
    return lambda inputs: [tf.raw_ops.DepthwiseConv2dNative(input=inputs, filter=depthwise, **attributes)]


def _backward_padding(operation):
    """Return the padding of the convolution that computes a convolution's gradient, or None.

    None stands for "use the ordinary gradient": another stride or a dilation, another layout, or an input
    so much larger than the output (VGG-19's fc6) that most of the sums would be over zeros.
    """
    ordinary = (
        list(operation.get_attr("strides")) != [1, 1, 1, 1]
        or list(operation.get_attr("dilations")) != [1, 1, 1, 1]
        or operation.get_attr("data_format") != b"NHWC"
        or operation.get_attr("padding") == b"EXPLICIT"
    )
    if ordinary:
        return None
    height, width = operation.inputs[1].shape[:2]
    if operation.get_attr("padding") == b"SAME":
        if height % 2 and width % 2:
            return "SAME"
        return [[0, 0], [height // 2, (height - 1) // 2], [width // 2, (width - 1) // 2], [0, 0]]
    source, result = (tensor.shape[1:3].as_list() for tensor in (operation.inputs[0], operation.outputs[0]))
    if None in source or np.prod(source) > 1.25 * np.prod(result):
        return None
    return [[0, 0], [height - 1, height - 1], [width - 1, width - 1], [0, 0]]
