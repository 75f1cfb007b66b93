"""Anybody's Keras model as a network."""

import contextlib
import dataclasses
import hashlib
import json
import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import keras
import tensorflow as tf

from tfmetamers.errors import ArgumentError, CheckpointError, unknown_name
from tfmetamers.networks.graph.traced_graph import TracedGraph
from tfmetamers.networks.network import Network, Provenance
from tfmetamers.stimuli.domains import Images
from tfmetamers.utilities.files import file_digest

#: Settings of layers that do not change what a layer computes from its weights, and endings of such.
_NOISE = {"name", "registered_name", "build_config", "trainable", "seed"}
_NOISE_ENDINGS = ("_initializer", "_regularizer", "_constraint")


def from_keras(
    model: keras.Model,
    *,
    layers: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    input_range: tuple[float, float] = (0.0, 1.0),
    size: int | None = None,
    name: str | None = None,
) -> Network:
    """Make a network of a Keras model that takes pictures.

    The stimulus is optimised in [0, 1] and stretched to the model's own input range inside the graph: at the
    paper's learning rate, a pixel in 0 to 255 would hardly move.

    Args:
        model: a model with one input (batch, height, width, 3), channels last, RGB.
        layers: names of the layers to offer, nested ones as ``outer/inner``; all by default.
        labels: the label of each unit of the model's output; without them, no label is compared.
        input_range: the values that stand for black and white in the model's input, such as ``(0, 255)``.
        size: height and width in pixels, for a model that takes any.
        name: the network's name; the model's own by default.

    Raises:
        ArgumentError: the model's input is not a square picture, the range or the labels do not fit, or a
            layer does not exist.
    """
    if not isinstance(model, keras.Model):
        raise ArgumentError(f"The model is {model!r}; a keras.Model was expected. tf_keras models must be saved first.")
    size = _input_size(model, size)
    black, white = _checked_range(input_range)
    _refuse_mixed_precision(model)
    outputs = {}

    @tf.function(autograph=False)
    def traced(stimulus):
        with _recorded_outputs(model) as recorded:
            result = model(stimulus * (white - black) + black, training=False)
        outputs.update(recorded)
        return result

    with _inlined_functions():
        function = traced.get_concrete_function(tf.TensorSpec([None, size, size, 3], tf.float32, "stimulus"))
    stimulus, captured = function.inputs[0], function.inputs[1:]
    output = function.graph.outputs[0] if len(function.graph.outputs) == 1 else None
    chosen = list(outputs) if layers is None else list(layers)
    for layer in chosen:
        if layer not in outputs:
            raise unknown_name(f"layer of {model.name} called", layer, outputs, "Give one of its layers.")
    return Network(
        name or model.name,
        domain=Images(size),
        trace=TracedGraph(stimulus, {layer: outputs[layer] for layer in chosen}, output, variables=[]),
        weights=_captured_values(function, captured),
        provenance=Provenance("keras", _digest(model), input_range=(black, white)),
        labels=_checked_labels(labels, output),
        recipe="feather2019-image",
    )


def load_keras(file: str | os.PathLike, **options) -> Network:
    """Make a network of a model saved as a ``.keras`` file.

    Code stored in the file (a pickled lambda, say) is never executed: Keras's safe mode refuses it.

    Args:
        file: the ``.keras`` file.
        options: as `from_keras` takes them; the name is the file's by default.

    Raises:
        CheckpointError: the file is missing or cannot be read as a Keras model.
    """
    path = Path(file)
    if not path.is_file():
        raise CheckpointError(f"There is no file {path}; give a model that Keras saved as FILE.keras.")
    if path.suffix != ".keras":
        raise CheckpointError(f"{path} is not named FILE.keras; save the model with model.save('FILE.keras').")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever its parsers and layers raise.
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise CheckpointError(
            f"{path} cannot be read as a Keras model: {reason[0]} "
            "Save it again with model.save('FILE.keras'); load models with custom layers in Python "
            "and give them to tfmetamers.networks.from_keras."
        ) from error
    network = from_keras(model, **{"name": path.stem, **options})
    network.provenance = dataclasses.replace(
        network.provenance,
        digest=file_digest(path),
        file=path.name,
        loading={"by": "load_keras", "file": str(path.absolute()), **_as_json(options)},
    )
    return network


def _as_json(options) -> dict:
    return {
        name: list(value) if isinstance(value, Sequence | tuple) and not isinstance(value, str) else value
        for name, value in options.items()
    }


def _input_size(model, size: int | None) -> int:
    inputs = getattr(model, "inputs", None) or []  # A subclassed model does not know its own.
    shape = tuple(inputs[0].shape) if inputs else (None, None, None, 3)
    if len(inputs) > 1 or len(shape) != 4 or shape[-1] != 3:
        raise ArgumentError(
            f"{model.name} takes {len(inputs)} inputs, the first of shape {shape}; one of shape (batch, height, "
            "width, 3) was expected. Put layers before it that turn an RGB picture into its input."
        )
    height, width = (size if extent is None else extent for extent in shape[1:3])
    if height is None or width is None:
        raise ArgumentError(f"{model.name} takes pictures of any size; say which with --size or size=.")
    if height != width:
        raise ArgumentError(f"{model.name} takes pictures of {height} x {width}; square ones were expected.")
    if size is not None and size != height:
        raise ArgumentError(f"{model.name} takes pictures of {height} pixels; a size of {size} was asked for.")
    return height


def _checked_range(input_range) -> tuple[float, float]:
    try:
        black, white = (float(value) for value in input_range)
    except (TypeError, ValueError):
        black = white = 0.0
    if not black < white < float("inf") or black == -float("inf"):
        raise ArgumentError(
            f"The input range is {input_range!r}; two finite numbers, black before white, were expected."
        )
    return black, white


def _checked_labels(labels, output):
    if labels is None:
        return None
    units = None if output is None or output.shape.rank != 2 else output.shape[-1]
    if units != len(labels):
        raise ArgumentError(
            f"There are {len(labels)} labels, and the model's output has shape "
            f"{None if output is None else tuple(output.shape)}; one label a unit of a flat output was expected."
        )
    return labels


def _refuse_mixed_precision(model) -> None:
    for name, layer in _named_layers(model):
        if layer.compute_dtype != "float32":
            raise ArgumentError(
                f"The layer {name} of {model.name} computes in {layer.compute_dtype}; float32 was expected. "
                "Build the model without a mixed-precision policy."
            )


@contextlib.contextmanager
def _inlined_functions() -> Iterator[None]:
    """Have functions that the model calls (Keras's grouped convolutions) traced as part of it."""
    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)


@contextlib.contextmanager
def _recorded_outputs(model) -> Iterator[dict[str, tf.Tensor]]:
    """Record each layer's output while the model is called, so that nested and subclassed models work too."""
    recorded: dict[str, tf.Tensor] = {}
    layers = list(_named_layers(model))
    for name, layer in layers:
        layer.call = _recording(layer.call, name, recorded)
    try:
        yield recorded
    finally:
        for _, layer in layers:
            del layer.call


def _recording(call, name, recorded):
    def recording_call(*arguments, **options):
        output = call(*arguments, **options)
        if isinstance(output, tf.Tensor) and output.dtype == tf.float32 and output.shape[1:].is_fully_defined():
            recorded[name] = output
        return output

    return recording_call


def _named_layers(model, prefix: str = "") -> Iterator[tuple[str, keras.Layer]]:
    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        yield prefix + layer.name, layer
        if isinstance(layer, keras.Model):
            yield from _named_layers(layer, f"{prefix}{layer.name}/")


def _captured_values(function, captured) -> dict[str, tf.Variable | tf.Tensor]:
    """Return the variables and constants that the traced function captures, by the names of their placeholders."""
    by_handle = {variable.handle.ref(): variable for variable in function.graph.variables}
    return {
        placeholder.op.name: by_handle.get(external.ref(), external)
        for placeholder, external in zip(captured, function.captured_inputs, strict=True)
    }


def _digest(model) -> str:
    digest = hashlib.sha256()
    for name, layer in _named_layers(model):
        digest.update(f"{name} {type(layer).__name__} {_settings(layer)}\n".encode())
    for value in model.get_weights():
        digest.update(value.tobytes())
    return digest.hexdigest()


def _settings(layer) -> str:
    """Return what a layer computes besides its weights: its activation, strides and so on, as sorted JSON."""
    if isinstance(layer, keras.Model):
        return ""  # Its layers are described one by one.
    try:
        config = layer.get_config()
    except NotImplementedError:  # As Keras says of layers that cannot be saved.
        return ""
    return json.dumps(_without_noise(config), sort_keys=True, default=lambda value: type(value).__name__)


def _without_noise(config):
    """Leave out of a layer's settings what does not change its output: names, and how its weights came about."""
    if isinstance(config, dict):
        kept = [str(key) for key in config if key not in _NOISE and not str(key).endswith(_NOISE_ENDINGS)]
        return {key: _without_noise(config[key]) for key in kept if key in config}
    if isinstance(config, list | tuple):
        return [_without_noise(value) for value in config]
    return config
