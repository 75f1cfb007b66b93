"""Any Keras model as a network."""

import contextlib
import dataclasses
import hashlib
import json
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import keras
import tensorflow as tf

from tfmetamers.errors import ArgumentError, TfmetamersWarning, unknown_name
from tfmetamers.networks.network import Network
from tfmetamers.networks.own.keras_files import read_keras
from tfmetamers.networks.own.keras_lstm import lowered, lstm_layers
from tfmetamers.networks.own.keras_rescaling import implied_white
from tfmetamers.networks.own.stimulus_input import StimulusInput, find_input
from tfmetamers.networks.own.traced_network import check_independence, trace_function, traced_network
from tfmetamers.networks.provenance import Provenance
from tfmetamers.networks.spec import NetworkSpec
from tfmetamers.stimuli.domains import MODEL_DOMAINS, implied_domain
from tfmetamers.utilities.files import file_digest

#: Settings of layers that do not change what a layer computes from its weights, and the endings of others.
_IRRELEVANT_SETTINGS = {"name", "registered_name", "build_config", "trainable", "seed"}
_IRRELEVANT_ENDINGS = ("_initializer", "_regularizer", "_constraint")


def from_keras(
    model: keras.Model,
    *,
    layers: str | Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    logits: str | None = None,
    domain: str | None = None,
    input_range: tuple[float, float] | None = None,
    size: int | Sequence[int] | None = None,
    duration: float | None = None,
    sampling_rate: int | None = None,
    name: str | None = None,
) -> Network:
    """Make a network of a Keras model that takes pictures, sounds, or arrays such as spectrograms.

    A picture is optimised in [0, 1] and stretched to the model's own input range inside the graph: at the
    paper's learning rate, a pixel in 0 to 255 would hardly move.

    Args:
        model: a model of Keras 3, or of Keras 2 (tf_keras), with one input, which is a picture (batch, height, width,
            channels), channels last, RGB where there are three; a waveform (batch, samples) or (batch, samples, 1) of
            full scale 1; or an array of any shape.
        layers: names of the layers to offer, or one of them, nested ones as ``outer/inner``; all by default.
        labels: the label of each unit of the model's output; without them, no label is compared.
        logits: the name of the output that the labels belong to, for a model of several outputs.
        domain: ``"image"``, ``"sound"`` or ``"array"``; by default, an input with a sampling rate is a sound, one of
            (height, width, 1 or 3) is a picture, and any other an array.
        input_range: the values that stand for 0 and 1 of a picture or an array in the model's input, such as
            ``(0, 255)``, or for -1 and 1 of a sound; by default, the model takes stimuli as they are.
        size: height and width in pixels, or the shape of an array, for a model that takes any; one number stands for
            a square.
        duration: of a sound in seconds, for a model that takes any.
        sampling_rate: of sounds, in Hz.
        name: the network's name; the model's own by default.

    Raises:
        ArgumentError: the model has several inputs, its input is not of the domain, the range or the labels do not
            fit, a layer or output does not exist, or stimuli of a batch influence each other.

    >>> import keras
    >>> layers = [keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3, activation="relu", name="conv")]
    >>> network = from_keras(keras.Sequential(layers, name="mine"))
    >>> network
    <Network mine: 8 x 8 x 3, RGB in [0, 1], 1 layer>
    >>> network.layer("conv").shape
    (6, 6, 2)
    """
    _check_model(model)
    taken = find_input(
        _input_shape(model, domain, sampling_rate),
        network=model.name,
        domain=domain,
        input_range=input_range,
        size=size,
        duration=duration,
        sampling_rate=sampling_rate,
    )
    provenance = Provenance("keras", model_digest(model), input_range=taken.input_range)
    network = network_of_model(
        model, taken, layers=layers, labels=labels, logits=logits, name=name or model.name, provenance=provenance
    )
    if input_range is None and taken.domain.is_visual:
        _warn_of_range(model, network)
    return network


def _warn_of_range(model: keras.Model, network: Network) -> None:
    """Warn if a model's first layers are for pictures with another range than [0, 1]."""
    white = implied_white((layer for _, layer in _named_layers(model) if not _is_model(layer)), network.stimulus_shape)
    if white in (None, 1.0):
        return
    network.warnings = (
        f"{network.name} begins with layers for pictures from 0 to {white:g}, but gets pictures from 0 to 1, which all "
        f"look black to it; give its input range (--input-range 0 {white:g}), or 0 1 to keep it as it is.",
    )
    warnings.warn(network.warnings[0], TfmetamersWarning, stacklevel=3)


def network_of_model(
    model: keras.Model,
    taken: StimulusInput,
    *,
    layers: Sequence[str] | None,
    labels: Sequence[str] | None,
    logits: str | None,
    name: str,
    provenance: Provenance,
    preprocess: Callable[[tf.Tensor], tf.Tensor] = tf.identity,
    stages: Mapping[str, str | None] | None = None,
) -> Network:
    """Make a network of a Keras model, given its input.

    Args:
        model: the model.
        taken: its input.
        layers: names of the layers to offer.
        labels: the label of each unit of its output.
        logits: the name of that output.
        name: the network's name.
        provenance: where the weights come from.
        preprocess: what is computed before the model in the graph.
        stages: the layers to offer by names of their own, by default: the model's name of each, None for what
            `preprocess` gives. Its other layers keep theirs.

    Raises:
        ArgumentError: the model computes in another precision than float32, the labels do not fit, a layer or output
            does not exist, or stimuli of a batch influence each other.
    """
    _refuse_mixed_precision(model)
    found, outputs = {}, {}

    def traced(stimulus):
        prepared = preprocess(taken(stimulus))
        with _recorded_outputs(model) as recorded:
            result = model(prepared, training=False)
        found.update({stage: recorded[layer] if layer else prepared for stage, layer in (stages or {}).items()})
        found.update(recorded)
        outputs.update(_named_outputs(model, result))
        return result

    function = trace_function(traced, taken.domain.shape)
    check_independence(name, function.function, taken)
    return traced_network(
        name,
        taken,
        stimulus=function.stimulus,
        found=found,
        layers=layers,
        default_layers=stages and tuple(stages),
        logits=_chosen_output(model, outputs, logits),
        weights=function.weights,
        provenance=provenance,
        labels=labels,
    )


def network_of_file(spec: NetworkSpec) -> Network:
    """Make a network of a model that Keras 3 or Keras 2 saved, as ``.keras`` or as HDF5 (``.h5``, ``.hdf5``).

    No code that is stored in the file (a pickled lambda, say) is executed: `read_keras` refuses it.

    Args:
        spec: its file, and what is stated of it, as `from_keras` takes it.

    Raises:
        CheckpointError: the file is missing or cannot be read as a Keras model.
        ArgumentError: as `from_keras` raises it.
    """
    path = Path(spec.file)
    stated = {"layers": spec.layers, "labels": spec.labels, "logits": spec.logits, **spec.stated_input}
    network = from_keras(read_keras(path), name=spec.network_name, **stated)
    network.provenance = dataclasses.replace(network.provenance, digest=file_digest(path), file=path.name)
    return network


def _check_model(model) -> None:
    libraries = [keras, sys.modules.get("tf_keras")]  # A model of tf_keras has imported it.
    if not any(library is not None and isinstance(model, library.Model) for library in libraries):
        raise ArgumentError(f"The model is {model!r}; a Keras model was expected.")


def _input_shape(model, domain, sampling_rate) -> tuple[int | None, ...]:
    inputs = getattr(model, "inputs", None) or []
    if len(inputs) > 1:
        raise ArgumentError(
            f"{model.name} takes {len(inputs)} inputs; one was expected. Wrap it in a model with the others constant."
        )
    if inputs:
        return tuple(inputs[0].shape)[1:]
    # A subclassed model does not state its input's shape.
    kind = MODEL_DOMAINS.get(domain) or implied_domain((), sampling_rate)
    return kind.unknown_shape


def _named_outputs(model, result) -> dict[str, tf.Tensor]:
    if isinstance(result, Mapping):
        return dict(result)
    results = list(result) if isinstance(result, list | tuple) else [result]
    names = getattr(model, "output_names", None) or [str(position) for position in range(len(results))]
    return dict(zip(names, results, strict=False))


def _chosen_output(model, outputs: Mapping[str, tf.Tensor], logits: str | None) -> tf.Tensor | None:
    if logits is None:
        return next(iter(outputs.values())) if len(outputs) == 1 else None
    if logits not in outputs:
        raise unknown_name("output", logits, outputs, "Give one of its outputs.", where=f" of {model.name}")
    return outputs[logits]


def _refuse_mixed_precision(model) -> None:
    for name, layer in _named_layers(model):
        if layer.compute_dtype != "float32":
            raise ArgumentError(
                f"The layer {name} of {model.name} computes in {layer.compute_dtype}; float32 was expected. "
                "Build the model without a mixed-precision policy."
            )


@contextlib.contextmanager
def _recorded_outputs(model) -> Iterator[dict[str, tf.Tensor]]:
    """Record each layer's output while the model is called, so that nested and subclassed models work too.

    Meanwhile, recurrent layers compute what they compute without a loop, where that can be.
    """
    recorded: dict[str, tf.Tensor] = {}
    with contextlib.ExitStack() as stack:
        for name, layer in _named_layers(model):
            for recurrent in lstm_layers(layer):
                stack.enter_context(_replaced_call(recurrent, lowered(recurrent, recurrent.call)))
            stack.enter_context(_replaced_call(layer, _recording(layer.call, name, recorded)))
        yield recorded


@contextlib.contextmanager
def _replaced_call(layer, call) -> Iterator[None]:
    own = vars(layer).get("call")  # Layers of TensorFlow's functions in Keras 2 have one.
    layer.call = call
    try:
        yield
    finally:
        if own is None:
            del layer.call
        else:
            layer.call = own


def _recording(call, name, recorded):
    def recording_call(*arguments, **options):
        output = call(*arguments, **options)
        if isinstance(output, tf.Tensor) and output.dtype == tf.float32 and output.shape[1:].is_fully_defined():
            recorded[name] = output
        return output

    return recording_call


def _named_layers(model, prefix: str = "") -> Iterator[tuple[str, keras.Layer]]:
    for layer in model.layers:
        if type(layer).__name__ == "InputLayer":
            continue
        yield prefix + layer.name, layer
        if _is_model(layer):
            yield from _named_layers(layer, f"{prefix}{layer.name}/")


def model_digest(model) -> str:
    """Return the SHA-256 of a model's layers, their settings and its weights, in hexadecimal; names do not matter."""
    digest = hashlib.sha256()
    for _, layer in _named_layers(model):
        digest.update(f"{type(layer).__name__} {_settings(layer)}\n".encode())
    for value in model.get_weights():
        digest.update(value.tobytes())
    return digest.hexdigest()


def _is_model(layer) -> bool:
    return hasattr(layer, "layers")


def _settings(layer) -> str:
    """Return what a layer computes besides its weights: its activation, strides and so on, as sorted JSON."""
    if _is_model(layer):
        return ""  # Its layers have settings of their own.
    try:
        config = layer.get_config()
    except NotImplementedError:  # Raised by layers that cannot be saved.
        return ""
    return json.dumps(_relevant_settings(config), sort_keys=True, default=lambda value: type(value).__name__)


def _relevant_settings(config):
    """Leave out the settings of a layer that do not change its output: names, and how its weights were initialised."""
    if isinstance(config, dict):
        kept = [
            str(key) for key in config if key not in _IRRELEVANT_SETTINGS and not str(key).endswith(_IRRELEVANT_ENDINGS)
        ]
        return {key: _relevant_settings(config[key]) for key in kept if key in config}
    if isinstance(config, list | tuple):
        return [_relevant_settings(value) for value in config]
    return config
