"""The traced network: one graph from the stimulus to every named activation."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from tfmetamers.errors import ArgumentError, shown, unknown_name
from tfmetamers.networks.graph.frozen import FrozenFunction, FrozenLayers, kernel_bytes
from tfmetamers.networks.graph.kernels import KERNELS
from tfmetamers.networks.graph.memory import front_end_bytes, layer_bytes, stimulus_bytes
from tfmetamers.networks.graph.stimulus_tensors import stimulus_tensors
from tfmetamers.networks.graph.traced_graph import TracedGraph
from tfmetamers.networks.layer import Layer, describe_layer
from tfmetamers.networks.predictions import Prediction, read_predictions
from tfmetamers.networks.provenance import Provenance
from tfmetamers.networks.record import NetworkRecord
from tfmetamers.networks.spec import NetworkSpec
from tfmetamers.networks.spec_values import ALL_LAYERS
from tfmetamers.recipes import RELU_GRADIENTS
from tfmetamers.stimuli.domains import Cochleagrams, Domain
from tfmetamers.utilities.determinism import deterministic_operations
from tfmetamers.utilities.lists import listed
from tfmetamers.utilities.words import counted

if TYPE_CHECKING:
    import pandas

#: Quick kernels of more bytes than this are not the default.
MAX_QUICK_BYTES = 8 * 2**30

#: A step takes about this many times the memory of what is computed on the way to the layer.
STEP_FACTOR = 2.0

#: What precedes the name of a tensor where a layer is named.
TENSOR_PREFIX = "tensor:"


class Network:
    """A network that was traced once, from the stimulus to every named activation.

    A front end, such as the one from a waveform to its cochleagram, precedes the traced graph: it has custom gradients,
    and there may be several that compute the same.

    Attributes:
        name: the network's name.
        domain: what the stimulus is (`tfmetamers.stimuli.domains`).
        layers: the named layers, by name, from the input to the output.
        further_layers: other layers that have a name of their own.
        front_ends: names of the front ends, the reference first; empty where the graph takes the stimulus itself.
        front_end_domain: the kind of what the front ends give, where that can be optimised in place of the stimulus.
        labels: the label of each logit, or None for a network without labels; characters where it transcribes.
        transcribe: from logits (batch, frames, characters) to a text for each item; None for a network that gives one
            label a stimulus, or none.
        provenance: where the weights come from.
        recipe: the name of the recipe that its metamers are synthesised with.
        warnings: reasons not to use it as it was loaded, in words; recorded with every metamer that it makes.

    >>> import tensorflow as tf
    >>> from tfmetamers.networks import from_function
    >>> network = from_function(lambda stimuli: {"tanh": tf.tanh(stimuli)}, (6,))
    >>> network.stimulus_shape, list(network.layers)
    ((6,), ['tanh'])
    >>> network.activations("tanh")(tf.zeros((2, 6))).shape
    TensorShape([2, 6])
    """

    def __init__(
        self,
        name: str,
        *,
        domain: Domain,
        traced: TracedGraph,
        weights: Mapping[str, tf.Tensor | tf.Variable],
        provenance: Provenance,
        labels: Sequence[str] | None,
        recipe: str,
        front_ends: Mapping[str, Callable[[], Callable]] | None = None,
        front_end_domain: type[Cochleagrams] | None = None,
        transcribe: Callable[[np.ndarray], list[str]] | None = None,
    ):
        """Describe the layers.

        Args:
            name: the network's name, which can be that of a file.
            domain: what the stimulus is.
            traced: the traced graph.
            weights: the value of each variable, by name.
            provenance: where they come from.
            labels: the label of each logit.
            recipe: the name of its recipe.
            front_ends: by name, what builds the function from a batch of stimuli to the graph's input.
            front_end_domain: the kind of the graph's inputs, where they can be optimised in place of the stimulus.
            transcribe: from logits (batch, frames, characters) to a text for each item, for a network whose answer
                that is.

        Raises:
            ArgumentError: the name cannot be that of a file.
        """
        check_name(name)
        self.name = name
        self.domain = domain
        self.provenance = provenance
        self.labels = list(labels) if labels is not None else None
        self.transcribe = transcribe
        self.recipe = recipe
        self.warnings: tuple[str, ...] = ()
        self._spec: NetworkSpec | None = None
        self._traced = traced
        self._stimulus = traced.stimulus
        self._weights = weights
        self.front_end_domain = front_end_domain
        self._builders = dict(front_ends or {})
        self._front_ends: dict[str, Callable] = {}
        self.layers = {name: describe_layer(name, tensor) for name, tensor in traced.layers.items()}
        self.further_layers = {name: describe_layer(name, tensor) for name, tensor in traced.further_layers.items()}

    def __repr__(self) -> str:
        labels = "" if self.labels is None else f", {len(self.labels)} {'characters' if self.transcribe else 'labels'}"
        return f"<Network {self.name}: {self.domain.describe()}, {counted(len(self.layers), 'layer')}{labels}>"

    def summary(self) -> "pandas.DataFrame":
        """Return a table of the named layers, a row for each: shape, units, and the gradient of its ReLU."""
        import pandas

        rows = [
            {"layer": layer.name, "shape": layer.shape, "units": layer.size, "relu_gradient": layer.path.rule}
            for layer in self.layers.values()
        ]
        return pandas.DataFrame(rows).set_index("layer")

    @property
    def spec(self) -> NetworkSpec:
        """How to load it again; in the family ``memory`` for a model that is only in memory."""
        if self._spec is not None:
            return self._spec
        input_range = self.provenance.input_range and list(self.provenance.input_range)
        determining = {"sha256": self.provenance.digest, "input_range": input_range}
        return NetworkSpec(family="memory", name=self.name, definition=determining)

    def loaded_by(self, spec: NetworkSpec) -> "Network":
        """Record how the network can be loaded again, and return the network."""
        self._spec = spec
        return self

    @property
    def stimulus_shape(self) -> tuple[int, ...]:
        """The shape of one stimulus: (height, width, 3) of a picture, (samples,) of a sound."""
        return self.domain.shape

    @property
    def front_ends(self) -> tuple[str, ...]:
        """Names of the front ends, the reference first."""
        return tuple(self._builders)

    def front_end(self, name: str) -> Callable:
        """Return a front end, which is built when it is first needed.

        Raises:
            ArgumentError: the network has no front end of that name.
        """
        if name not in self._builders:
            has = f"has the front ends {', '.join(self.front_ends)}" if self._builders else "has no front end"
            raise ArgumentError(
                f"The front end {name!r} was asked for, but {self.name} {has}; give another recipe, or optimise the "
                "cochleagram (--optimize cochleagram) with its own recipe."
            )
        if name not in self._front_ends:
            self._front_ends[name] = self._builders[name]()
        return self._front_ends[name]

    def without_front_end(self) -> "Network":
        """Return the network from the front end's output onwards, such as the cochleagram, which is its stimulus then.

        Raises:
            ArgumentError: the network has no front end whose output can be optimised.
        """
        if self.front_end_domain is None:
            raise ArgumentError(f"{self.name} has no front end whose output can be optimised; optimise the stimulus.")
        shape = tuple(self._stimulus.shape[1:].as_list())
        domain = self.front_end_domain.of_front_end(self.domain, self.front_end(self.front_ends[0]), shape)
        return Network(
            self.name,
            domain=domain,
            traced=self._traced,
            weights=self._weights,
            provenance=self.provenance,
            labels=self.labels,
            recipe=domain.recipe,
        ).loaded_by(self.spec.replace(optimize=domain.name))

    @cached_property
    def tensors(self) -> list[str]:
        """Names of all floating-point tensors with one row for each stimulus, which ``tensor:NAME`` can name.

        Tensors whose rows are parts of stimuli, such as VGGish's examples, are not among them.
        """
        return stimulus_tensors(self._stimulus)

    def layer(self, name: str) -> Layer:
        """Return a layer by its name, or any tensor of the graph by ``tensor:NAME``.

        Where one of the paper's layers has another name too, as `relu_0` of a word network is its `conv_0`, it is
        returned under the paper's.

        Raises:
            ArgumentError: there is no such layer or tensor; similar names are listed.
        """
        named = {**self.layers, **self.further_layers}
        if isinstance(name, str) and name in named:
            same = (layer for layer in self.layers.values() if layer.tensor == named[name].tensor)
            return next(same, named[name])
        if not str(name).startswith(TENSOR_PREFIX):
            remedy = "'tfmetamers networks show' lists them all; tensor:NAME names any tensor."
            raise unknown_name("layer", name, named, remedy, where=f" in {self.name}")
        tensor = name.removeprefix(TENSOR_PREFIX)
        tensor = tensor if ":" in tensor else f"{tensor}:0"
        if tensor not in self.tensors:
            remedy = "'tfmetamers networks show --tensors' lists them all."
            raise unknown_name("tensor", tensor, self.tensors, remedy, where=f" in {self.name}")
        return describe_layer(TENSOR_PREFIX + tensor, self._stimulus.graph.get_tensor_by_name(tensor))

    def layer_names(self, layers: str | Sequence[str]) -> list[str]:
        """Return the names of layers that were asked for, each once.

        Args:
            layers: names of layers, as `layer` takes them, or one of them; ``"all"`` stands for all that have a name
                of the network's, which come first.

        Raises:
            ArgumentError: a layer is unknown, or there is none.
        """
        asked = listed(layers)
        if not asked:
            raise ArgumentError(f"No layer of {self.name} was given; give at least one, or 'all'.")
        named = [self.layer(layer).name for layer in asked if layer != ALL_LAYERS]
        return list(dict.fromkeys([*(self.layers if ALL_LAYERS in asked else ()), *named]))

    def activations(
        self,
        layer: str,
        *,
        relu_gradient: str = "straight-through",
        kernels: str = "small",
        front_end: str | None = None,
    ) -> Callable[[tf.Tensor], tf.Tensor]:
        """Return the function from a batch of stimuli to the activations of a layer.

        Args:
            layer: the layer's name, as `layer` takes it.
            relu_gradient: ``"straight-through"`` gives the ReLUs that directly produce the layer a gradient
                of 1 everywhere (paper, section 3.1); ``"normal"`` leaves the ordinary one. All other ReLUs
                keep the ordinary gradient.
            kernels: ``"small"`` keeps one copy of each convolution's kernel; ``"quick"`` computes steps quicker with
                transformed copies, rounds more coarsely (a relative error of 5e-6 in place of 1e-6), and takes longer
                to compile.
            front_end: the name of a front end, ``"none"`` where the network has none; by default the reference.

        Returns:
            A function from float32 `(batch, *stimulus_shape)` to float32 `(batch, *layer shape)`.

        Raises:
            ArgumentError: an unknown layer, gradient or front end.
        """
        if relu_gradient not in RELU_GRADIENTS:
            raise unknown_name("ReLU gradient", relu_gradient, RELU_GRADIENTS)
        if kernels not in KERNELS:
            raise unknown_name("choice of kernels", kernels, KERNELS)
        tensor = self._stimulus.graph.get_tensor_by_name(self.layer(layer).tensor)
        frozen = FrozenFunction(
            self._stimulus,
            tensor,
            self._weights,
            straight_through=relu_gradient == "straight-through",
            kernels=kernels,
        )
        return self._after_front_end(frozen, front_end)

    def kernel_bytes(self, layer: str) -> int:
        """Return the bytes that the quick kernels of a layer take, computed without building them."""
        return kernel_bytes(self._stimulus, self._stimulus.graph.get_tensor_by_name(self.layer(layer).tensor))

    def default_kernels(self, layer: str) -> str:
        """Return the choice of kernels that suits a layer: ``"quick"``, unless those are larger than most memories."""
        return "quick" if self.kernel_bytes(layer) <= MAX_QUICK_BYTES else "small"

    def step_bytes(self, layers: Sequence[str], batch_size: int = 1, kernels: str | None = None) -> dict[str, int]:
        """Return about how much memory a step takes at each of some layers, with the reference front end.

        It is computed from the graph: the weights, the kernels, and `STEP_FACTOR` times what is computed for a batch on
        the way to the layer. TensorFlow itself takes some hundred megabytes more.

        Args:
            layers: names of layers.
            batch_size: the number of metamers that advance together.
            kernels: ``"quick"`` or ``"small"``; by default what suits each layer.

        Raises:
            ArgumentError: an unknown layer.
        """
        found = {}
        for name in layers:
            layer = self.layer(name)
            weights, computed = layer_bytes(
                self._stimulus, self._stimulus.graph.get_tensor_by_name(layer.tensor), self._stimulus_bytes
            )
            copies = self.kernel_bytes(name) if (kernels or self.default_kernels(name)) == "quick" else 0
            found[layer.name] = round(weights + copies + STEP_FACTOR * batch_size * (self._front_end_bytes + computed))
        return found

    @cached_property
    def _stimulus_bytes(self) -> dict[str, int]:
        return stimulus_bytes(self._stimulus)

    @cached_property
    def _front_end_bytes(self) -> int:
        if not self._builders:
            return 0
        return front_end_bytes(self.front_end(self.front_ends[0]), self.stimulus_shape)

    def activations_together(self, layers: Sequence[str]) -> Callable[[tf.Tensor], list[tf.Tensor]]:
        """Return the function from a batch of stimuli to the activations of several layers, computed in one pass.

        They are those of `activations` with the reference front end, with ordinary gradients.

        Args:
            layers: names of layers, at least one.

        Returns:
            A function from float32 `(batch, *stimulus_shape)` to one float32 `(batch, *layer shape)` for each layer.

        Raises:
            ArgumentError: an unknown layer.
        """
        graph = self._stimulus.graph
        tensors = [graph.get_tensor_by_name(self.layer(name).tensor) for name in layers]
        return self._after_front_end(FrozenLayers(self._stimulus, tensors, self._weights), None)

    def measurements(self, layers: Sequence[str]) -> Callable[[np.ndarray], tuple[dict[str, np.ndarray], np.ndarray]]:
        """Return the function from a batch of stimuli to activations by layer, and logits, computed in one pass.

        Args:
            layers: names of layers.

        Returns:
            A function from float32 `(batch, *stimulus_shape)` to float32 `(batch, *layer shape)` by the layer's name,
            and the logits; None in their place for a network without labels.

        Raises:
            ArgumentError: an unknown layer.
        """
        names = [self.layer(name).name for name in layers]
        tensors = [self._stimulus.graph.get_tensor_by_name(self.layer(name).tensor) for name in names]
        has_logits = self._traced.logits is not None and self.labels is not None
        tensors += [self._traced.logits] if has_logits else []
        compute = self._after_front_end(FrozenLayers(self._stimulus, tensors, self._weights), None)

        def measure(stimuli):
            outputs = [output.numpy() for output in compute(stimuli)]
            logits = outputs.pop() if has_logits else None
            return dict(zip(names, outputs, strict=True)), logits

        return measure

    @cached_property
    def logits(self) -> Callable[[tf.Tensor], tf.Tensor] | None:
        """The function from a batch of stimuli to logits, (batch, classes) or (batch, frames, characters).

        None without labels.
        """
        if self._traced.logits is None or self.labels is None:
            return None
        return self._after_front_end(FrozenFunction(self._stimulus, self._traced.logits, self._weights), None)

    def _after_front_end(self, frozen: FrozenFunction, name: str | None) -> Callable[[tf.Tensor], tf.Tensor]:
        name = name or next(iter(self._builders), "none")
        has_front_end = name != "none" or bool(self._builders)
        front_end = self.front_end(name) if has_front_end else None

        def compute(stimuli):
            with deterministic_operations():
                return frozen(front_end(stimuli) if front_end else stimuli)

        return compute

    def predict(self, stimuli) -> list[Prediction | None]:
        """Return the label of the largest logit, or the transcript, for each stimulus of a batch; None without labels.

        Args:
            stimuli: float array `(batch, *stimulus_shape)`.

        Raises:
            ArgumentError: the stimuli are whole numbers, as pictures of 8 bits and sounds of 16 are.
            ResultError: logits are not finite.
        """
        if self.logits is None:
            return [None] * len(stimuli)
        stimuli = tf.convert_to_tensor(stimuli)
        if not stimuli.dtype.is_floating:
            raise ArgumentError(
                f"The stimuli have the type {stimuli.dtype.name}; floating-point numbers were expected, as "
                "network.domain.load(FILE) gives."
            )
        return self.predictions(self.logits(tf.cast(stimuli, tf.float32)).numpy())

    def predictions(self, logits: np.ndarray) -> list[Prediction]:
        """Return the labels or transcripts that logits of the network stand for, one for each item of a batch.

        Args:
            logits: float array, as `logits` gives it.

        Raises:
            ResultError: they are not finite; the largest of NaN would be the first label.
        """
        return read_predictions(logits, self.name, self.labels, self.transcribe)

    def describe(self) -> NetworkRecord:
        """Return what is recorded of the network with every metamer."""
        return NetworkRecord(
            name=self.name,
            domain=self.domain.to_json(),
            stimulus_shape=tuple(self.stimulus_shape),
            layers=tuple(self.layers),
            recipe=self.recipe,
            spec=self.spec,
            spec_digest=self.spec.digest,
            **vars(self.provenance),
        )


def check_name(name: str) -> None:
    """Refuse a network's name that cannot be that of a file.

    Raises:
        ArgumentError: it cannot.
    """
    if not isinstance(name, str) or not name or name != Path(name).name or name.startswith("."):
        raise ArgumentError(f"The network's name is {shown(name)}; a plain name was expected, as of a file.")


def checked_network(value) -> Network:
    """Return a network.

    Raises:
        ArgumentError: it is something else, such as the name of one.
    """
    if not isinstance(value, Network):
        raise ArgumentError(f"The network is {shown(value)}; a Network was expected, as load_network(NAME) gives.")
    return value
