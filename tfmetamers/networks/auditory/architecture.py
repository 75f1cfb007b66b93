"""Architectures of auditory networks: lists of layers, as data, and the graph that such a list stands for.

The vocabulary is that of the released networks' own ``graph_architecture``: each layer is a ``layer_type`` and its
``args``, and takes the output of the previous layer. `tfmetamers.networks.auditory.layer_types` defines the types.
"""

import dataclasses
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfmetamers.cochlea.settings import CochleagramSettings
from tfmetamers.errors import ArgumentError, first_line, shown, unknown_name
from tfmetamers.networks.auditory.layer_names import (
    INPUT,
    OUTPUT,
    TOPS,
    activation_layers,
    label_task,
    paper_layers,
)
from tfmetamers.networks.auditory.layer_types import LAYER_TYPES, MAX_WEIGHTS, TrainingPass
from tfmetamers.networks.graph.traced_graph import TracedGraph
from tfmetamers.utilities.files import atomic_write
from tfmetamers.utilities.json_files import read_json

#: The scope of the variables of a word network in the released checkpoints.
SCOPE = "brain_network"

#: The maximum length of a list among a layer's arguments: a few bytes of a pickle can stand for billions of values.
MAX_LIST_LENGTH = 32

#: Arguments that are one whole number, or one for frequency and one for time.
PAIRS = ("kernel_size", "pool_size", "strides")

#: The names that every network of this module gives its input and its output.
RESERVED_NAMES = (INPUT, OUTPUT)


@dataclass(frozen=True)
class LayerSpecification:
    """One layer of an architecture.

    Attributes:
        layer_type: a key of `LAYER_TYPES`.
        args: the layer's arguments, including ``name``, as TensorFlow 1's function of that name takes them. Values are
            text, numbers, true, false, None, and lists of those.

    Raises:
        ArgumentError: an argument is something else.

    >>> LayerSpecification("tf.nn.relu", {"name": "relu_0"}).name
    'relu_0'
    """

    layer_type: str
    args: Mapping

    def __post_init__(self):
        has_args = isinstance(self.args, Mapping) and all(isinstance(key, str) for key in self.args)
        if not isinstance(self.layer_type, str) or not has_args:
            raise ArgumentError(
                f"A layer has the layer_type {shown(self.layer_type)} and the args {shown(self.args)}; text and values "
                "by name were expected."
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
        layers: its layers; each takes the output of the previous one.
        tasks: number of classes of each task, by the task's key; a top layer has an output for each.
        note: where the architecture comes from.
        cochleagram: the settings of the cochleagram that the network takes.

    Raises:
        ArgumentError: a name or the note is not printable text; two layers have the same name; a layer has an unknown
            type; a top layer is not the last; or a number of classes is not a positive whole number.

    >>> layers = [
    ...     LayerSpecification("tf.layers.conv2d", {"name": "conv_0", "filters": 4, "kernel_size": [3, 4]}),
    ...     LayerSpecification("tf.nn.relu", {"name": "relu_0"}),
    ... ]
    >>> architecture = Architecture("mine", tuple(layers), {})
    >>> [layer.name for layer in architecture.layers], architecture.cochleagram.channels
    (['conv_0', 'relu_0'], 211)
    """

    name: str
    layers: tuple[LayerSpecification, ...]
    tasks: Mapping[str, int]
    note: str = ""
    cochleagram: CochleagramSettings = field(default_factory=CochleagramSettings)

    def __post_init__(self):
        object.__setattr__(self, "layers", tuple(self.layers))
        if not isinstance(self.name, str) or not self.name or not self.name.isprintable():
            raise ArgumentError(f"The name of an architecture is {shown(self.name)}; printable text was expected.")
        if not isinstance(self.note, str) or not self.note.replace("\n", "").isprintable():
            raise ArgumentError(f"The note of {self.name} is {shown(self.note)}; printable text was expected.")
        if not self.layers:
            raise ArgumentError(f"{self.name} has no layers; at least one was expected.")
        _check_names(self)
        for layer in self.layers[:-1]:
            if layer.layer_type in TOPS:
                raise ArgumentError(f"{layer.name}, a top layer of {self.name}, is not the last layer; put it last.")
        object.__setattr__(self, "tasks", _checked_tasks(self))

    @property
    def label_task(self) -> str | None:
        """The task whose classes are the network's labels; None where there are no tasks."""
        return label_task(self.tasks)


def _check_names(architecture: Architecture) -> None:
    seen = set(RESERVED_NAMES)
    for layer in architecture.layers:
        name = layer.args.get("name")
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9.][A-Za-z0-9_.-]*", name):
            raise ArgumentError(
                f"A layer of {architecture.name}, of type {shown(layer.layer_type)}, has the name {shown(name)}; "
                "letters, digits, '_', '.' and '-' were expected, a letter or digit first."
            )
        if layer.layer_type not in LAYER_TYPES:
            remedy = f"Give one of these for the layer {shown(name)} of {architecture.name}."
            raise unknown_name("layer type", layer.layer_type[:60], LAYER_TYPES, remedy)
        # TensorFlow ignores case in the names of operations.
        if name.lower() in seen:
            raise ArgumentError(
                f"The name {shown(name)} is used twice in {architecture.name}; give each layer a name of its own that "
                f"differs in more than case and is not {' or '.join(RESERVED_NAMES)}."
            )
        seen.add(name.lower())


def _checked_tasks(architecture: Architecture) -> dict[str, int]:
    tasks = architecture.tasks
    if not isinstance(tasks, Mapping) or not all(isinstance(task, str) and task.isprintable() for task in tasks):
        raise ArgumentError(
            f"The tasks of {architecture.name} are {shown(tasks)}; numbers of classes by task were expected."
        )
    for task, classes in tasks.items():
        if not isinstance(classes, int) or isinstance(classes, bool) or not 1 <= classes < MAX_WEIGHTS:
            raise ArgumentError(
                f"The number of classes of the task {shown(task)} of {architecture.name} is {shown(classes)}; "
                "a whole number from 1 was expected."
            )
    return dict(tasks)


def trace(architecture: Architecture, seed: int = 0) -> TracedGraph:
    """Build a network's graph, at inference, from the cochleagram to the output of its label task.

    The layers are the paper's (section 4 of Feather et al., 2019; ``build_word_network_*.py`` of the release): the
    cochleagram; each convolutional or dense layer, whose name stands for the activations after its ReLU; ``pool_0_0``
    and ``pool_1_0`` in place of ``conv_0`` and ``conv_1`` where there are such pools; and the logits. The ReLU of
    ``conv_<k>`` is ``relu_<k>``, and that of another layer with weights is ``relu_<its name>``; without a ReLU of that
    name, it is the one that directly follows.

    Args:
        architecture: the layers.
        seed: seeds the initialisers of the variables, which this function does not run.

    Returns:
        The graph; its stimulus is the placeholder ``cochleagram``, float32 (batch, channels, envelope samples, 1),
        and its variables are in the scope ``brain_network``.

    Raises:
        ArgumentError: a layer has arguments that its type does not take, or that do not fit its input.
    """
    settings = architecture.cochleagram
    with tf.Graph().as_default():
        tf.compat.v1.set_random_seed(seed)
        shape = [None, settings.channels, settings.envelope_samples, 1]
        cochleagram = tf.compat.v1.placeholder(tf.float32, shape, INPUT)
        outputs = build_layers(architecture, cochleagram)
        listed = [(layer.layer_type, layer.name) for layer in architecture.layers]
        layers = {INPUT: cochleagram, **{name: outputs[layer] for name, layer in paper_layers(listed).items()}}
        activations = activation_layers(listed)
        further = {name: outputs[activations.get(name, name)] for name in outputs if name not in layers}
        return TracedGraph(cochleagram, layers, layers.get(OUTPUT), tf.compat.v1.global_variables(), further)


def training_outputs(
    architecture: Architecture,
    cochleagrams: tf.Tensor,
    variables: Mapping[str, tf.Variable],
    training: TrainingPass | None = None,
) -> dict[str, tf.Tensor]:
    """Return the outputs of a network with given variables, inside a `tf.function`.

    Args:
        architecture: the layers, of which the last is a top layer.
        cochleagrams: float32 (batch, channels, envelope samples, 1).
        variables: each variable by its name, as `trace` names them.
        training: the pass of training, in which new moving averages are collected; None for inference.

    Returns:
        float32 (batch, classes) for each task, by the task's key.
    """
    top = architecture.layers[-1].name

    def given(getter, name, **_):
        return variables[name]

    with tf.compat.v1.variable_scope("", custom_getter=given):
        outputs = build_layers(architecture, cochleagrams, training)
    return {task: outputs.get(f"{top}:{task}", outputs[top]) for task in architecture.tasks}


def build_layers(
    architecture: Architecture, cochleagram: tf.Tensor, training: TrainingPass | None = None
) -> dict[str, tf.Tensor]:
    """Build the layers on a cochleagram, in the graph or the function that is being built.

    Args:
        architecture: the layers.
        cochleagram: float32 (batch, channels, envelope samples, 1).
        training: the pass of training; None for inference.

    Returns:
        Each layer's output by the layer's name; the outputs of a top layer with several tasks are ``name:task``.

    Raises:
        ArgumentError: a layer has arguments that its type does not take, or that do not fit its input.
    """
    outputs, latest = {}, cochleagram
    with tf.compat.v1.variable_scope(SCOPE):
        for layer in architecture.layers:
            built = _build_layer(layer, latest, architecture, training)
            if isinstance(built, dict):
                several = {f"{layer.name}:{task}": output for task, output in built.items()} if len(built) > 1 else {}
                built = built[architecture.label_task]
                outputs |= several
            outputs[layer.name] = latest = built
    return outputs


def _build_layer(
    layer: LayerSpecification, inputs: tf.Tensor, architecture: Architecture, training: TrainingPass | None
):
    layer_type, arguments = LAYER_TYPES[layer.layer_type], _used_arguments(layer)
    shape = inputs.shape[1:].as_list()
    try:
        layer_type.check_arguments(arguments)
        if training is not None and layer_type.build_in_training is not None:
            arguments |= {key: layer.args[key] for key in layer_type.used_in_training if key in layer.args}
            built = layer_type.build_in_training(inputs, training, **arguments)
        else:
            built = layer_type.build(inputs, architecture.tasks, **arguments)
        for output in built.values() if isinstance(built, dict) else [built]:
            if not output.shape[1:].is_fully_defined() or 0 in output.shape[1:]:
                raise ValueError(f"its output would have the shape {output.shape[1:].as_list()}; give other sizes")
    except (TypeError, ValueError, OverflowError) as error:
        raise ArgumentError(
            f"The layer {layer.name} of {architecture.name}, of type {layer.layer_type}, cannot be built on an input "
            f"of shape {shape}: {first_line(error).rstrip('.')}."
        ) from error
    return built


def _used_arguments(layer: LayerSpecification) -> dict:
    """Return a layer's arguments without those that only matter in training."""
    return {key: value for key, value in layer.args.items() if key not in LAYER_TYPES[layer.layer_type].ignored}


def inference_arguments(layer: LayerSpecification) -> dict:
    """Return the arguments of a layer that matter at inference, with two whole numbers for every size.

    Args:
        layer: a layer of an architecture.
    """
    return {
        key: [value, value] if key in PAIRS and isinstance(value, int) else value
        for key, value in _used_arguments(layer).items()
    }


def _plain(value, depth: int = 0):
    """Return the value of an argument as JSON gives it back."""
    is_list = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    if is_list and depth < 2 and len(value) <= MAX_LIST_LENGTH:
        return [_plain(each, depth + 1) for each in value]
    value = value.item() if isinstance(value, np.generic) else value
    is_number = isinstance(value, int | float) and abs(value) < 2**63  # Which leaves NaN and infinity out.
    if value is not None and not is_number and not isinstance(value, str):
        raise ValueError(f"is {shown(value)}; text, a finite number, true, false, null or a short list was expected")
    return value


_EXPECTED = "a JSON file with name, note, tasks, cochleagram and layers, each with layer_type and args, was expected"


def read_architecture(file: str | os.PathLike) -> Architecture:
    """Read an architecture from a JSON file that `write_architecture` made.

    Raises:
        ArgumentError: the file is missing, not JSON, or not a valid architecture.

    >>> relu = LayerSpecification("tf.nn.relu", {"name": "relu_0"})
    >>> write_architecture(Architecture("mine", (relu,), {}), "mine.json")
    >>> read_architecture("mine.json").layers[0].layer_type
    'tf.nn.relu'
    """
    path = Path(file)
    try:
        content = read_json(path)
    except OSError as error:
        raise ArgumentError(f"{path} cannot be read: {error.strerror or error}; {_EXPECTED}.") from error
    except ValueError as error:
        raise ArgumentError(f"{path} is not a JSON file ({error}); {_EXPECTED}.") from error
    try:
        return from_json(content)
    except ArgumentError as error:
        raise ArgumentError(f"{path} is not a valid architecture: {error}") from error


def from_json(content) -> Architecture:
    """Return the architecture that `as_json` was given.

    Raises:
        ArgumentError: a key is unknown or missing, or a value is not valid.
    """
    keys = [each.name for each in dataclasses.fields(Architecture)]
    if not isinstance(content, dict):
        raise ArgumentError(f"The architecture is {shown(content)}; values for {', '.join(keys)} were expected.")
    for key in content:
        if key not in keys:
            raise unknown_name("key", key[:60], keys, where=" of an architecture")
    for key in ("name", "tasks", "layers"):
        if key not in content:
            raise ArgumentError(f"The architecture has no {key!r}; add it.")
    layers, settings = content["layers"], content.get("cochleagram", {})
    if not isinstance(layers, list) or not all(
        isinstance(layer, dict) and set(layer) == {"layer_type", "args"} for layer in layers
    ):
        raise ArgumentError(f"The layers are {shown(layers)}; a list was expected, each with layer_type and args.")
    if not isinstance(settings, dict):
        raise ArgumentError(f"The cochleagram is {shown(settings)}; settings by name were expected.")
    return Architecture(
        content["name"],
        tuple(LayerSpecification(**layer) for layer in layers),
        content["tasks"],
        content.get("note", ""),
        CochleagramSettings().replace(**settings),
    )


def as_json(architecture: Architecture) -> dict:
    """Return an architecture as lists and dictionaries, the layers last.

    Of the cochleagram's settings, only those that differ from the released networks' are included.
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
    """Write an architecture as JSON that a person can read and edit, one layer a line.

    Raises:
        ResultError: the file cannot be written.

    >>> architecture = Architecture("mine", (LayerSpecification("tf.nn.relu", {"name": "relu_0"}),), {})
    >>> write_architecture(architecture, "mine.json")
    >>> read_architecture("mine.json") == architecture
    True
    """
    entries = as_json(architecture)
    layers = entries.pop("layers")
    lines = [f"  {json.dumps(key)}: {json.dumps(value)},\n" for key, value in entries.items()]
    listed = ",\n".join(f"    {json.dumps(layer)}" for layer in layers)
    with atomic_write(file) as partial:
        partial.write_text(f'{{\n{"".join(lines)}  "layers": [\n{listed}\n  ]\n}}\n', encoding="utf-8")
