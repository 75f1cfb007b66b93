"""Released networks of CIFAR-10, some of them trained adversarially, from ONNX to Keras.

    python reproduce/scripts/robust_networks.py --output FOLDER resnet_2b.onnx resnet_4b.onnx cifar10_large.onnx

The files are those of the competition of verifiers of 2021 (stanleybak/vnncomp2021, benchmarks/cifar10_resnet, oval21
and marabou-cifar10). Only the operations that these small networks have are read, so that the package ONNX is not
needed. Converted networks take pictures in [0, 1], height x width x RGB; what their authors subtract and divide by is a
layer.
"""

import math
from pathlib import Path

import click
import keras
import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

from tfmetamers.errors import CheckpointError
from tfmetamers.utilities.files import atomic_write

#: The fields of ONNX's messages that are read: number, type and whether there are several (``onnx.proto``).
MESSAGES = {
    "Model": {"graph": (7, "Graph", False)},
    "Graph": {"node": (1, "Node", True), "initializer": (5, "Tensor", True), "input": (11, "Value", True),
              "output": (12, "Value", True)},
    "Value": {"name": (1, Field.TYPE_STRING, False)},
    "Node": {"input": (1, Field.TYPE_STRING, True), "output": (2, Field.TYPE_STRING, True),
             "op_type": (4, Field.TYPE_STRING, False), "attribute": (5, "Attribute", True)},
    "Attribute": {"name": (1, Field.TYPE_STRING, False), "i": (3, Field.TYPE_INT64, False),
                  "ints": (8, Field.TYPE_INT64, True)},
    "Tensor": {"dims": (1, Field.TYPE_INT64, True), "data_type": (2, Field.TYPE_INT32, False),
               "float_data": (4, Field.TYPE_FLOAT, True), "name": (8, Field.TYPE_STRING, False),
               "raw_data": (9, Field.TYPE_BYTES, False)},
}  # fmt: skip

#: ONNX's number of the type float32.
FLOAT = 1

#: Height and width of a picture in pixels.
SIZE = 32

#: Mean and standard deviation of each channel that networks expect to be taken out, by the beginning of their names.
NORMALIZATIONS = {
    "resnet_": ((0.4914, 0.4822, 0.4465), (0.2471, 0.2435, 0.2616)),
    "cifar_": ((0.485, 0.456, 0.406), (0.225, 0.225, 0.225)),
}


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), required=True, help="The folder to write.")
def main(files, output):
    """Convert networks, each to a file NAME.keras."""
    for file in files:
        click.echo(write_keras(file, output))


def write_keras(file: Path, output: Path) -> Path:
    """Convert a file to a folder, and return what was written.

    Raises:
        CheckpointError: the file has an operation that is not known here.
    """
    normalization = next((each for name, each in NORMALIZATIONS.items() if file.name.startswith(name)), None)
    model = to_keras(read_graph(file), file.stem, normalization)
    written = output / f"{file.stem}.keras"
    with atomic_write(written) as partial:
        model.save(partial.with_suffix(".keras"))
        partial.with_suffix(".keras").rename(partial)
    return written


def message_class(name: str):
    """Return the class of one of `MESSAGES`."""
    file = descriptor_pb2.FileDescriptorProto(name="onnx_part.proto", package="onnx_part", syntax="proto2")
    for message, fields in MESSAGES.items():
        described = file.message_type.add(name=message)
        for field, (number, kind, is_repeated) in fields.items():
            label = Field.LABEL_REPEATED if is_repeated else Field.LABEL_OPTIONAL
            added = described.field.add(name=field, number=number, label=label)
            if isinstance(kind, str):
                added.type, added.type_name = Field.TYPE_MESSAGE, f".onnx_part.{kind}"
            else:
                added.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"onnx_part.{name}"))


def read_graph(file: Path):
    """Return the graph of an ONNX file."""
    return message_class("Model").FromString(file.read_bytes()).graph


def weights_of(graph) -> dict[str, np.ndarray]:
    """Return the float32 arrays of a graph by their names."""
    found = {}
    for tensor in graph.initializer:
        if tensor.data_type == FLOAT:
            values = np.frombuffer(tensor.raw_data, "<f4") if tensor.raw_data else np.asarray(tensor.float_data, "f4")
            found[tensor.name] = values.reshape(tensor.dims)
    return found


def to_keras(graph, name: str, normalization=None) -> keras.Model:
    """Make a Keras model of a graph, channels last; layers are called by their kind and number, such as ``relu_0``.

    Args:
        graph: what `read_graph` returned.
        name: the model's name.
        normalization: mean and standard deviation of the channels of its input; None for pictures as they are.

    Raises:
        CheckpointError: the graph has an operation that is not known here.
    """
    return _Conversion(graph, name).convert(normalization)


class _Conversion:
    """A graph on its way to a Keras model: the tensors that are made, by their names in ONNX."""

    def __init__(self, graph, name: str):
        self.graph, self.name = graph, name
        self.weights = weights_of(graph)
        self.made: dict[str, object] = {}
        self.loaded: list[tuple[keras.Layer, list[np.ndarray]]] = []
        self.numbers: dict[str, int] = {}
        # A graph that came from TensorFlow turns pictures, and turns what it flattens back.
        self.is_channels_first = graph.node[0].op_type != "Transpose"

    def convert(self, normalization) -> keras.Model:
        inputs = keras.Input((SIZE, SIZE, 3), name="pictures")
        pictures = inputs
        if normalization is not None:
            mean, deviation = (np.asarray(each, np.float32) for each in normalization)
            pictures = keras.layers.Normalization(mean=mean, variance=deviation**2, name="normalization")(inputs)
        self.made[self.graph.input[0].name] = pictures
        for node in self.graph.node:
            if node.output[0] not in self.made:
                self._convert_node(node)
        model = keras.Model(inputs, self.made[self.graph.output[0].name], name=self.name)
        for layer, weights in self.loaded:
            layer.set_weights(weights)
        return model

    def _convert_node(self, node) -> None:
        kinds = {
            "Conv": self._convolution, "Gemm": self._dense, "MatMul": self._dense, "Flatten": self._flatten,
            "Reshape": self._flatten, "Transpose": lambda node: self.made[node.input[0]],
            "Relu": lambda node: keras.layers.ReLU(name=self._named("relu"))(self.made[node.input[0]]),
            "Add": lambda node: keras.layers.Add(name=self._named("add"))([self.made[each] for each in node.input]),
        }  # fmt: skip
        if node.op_type not in kinds:
            raise CheckpointError(
                f"{self.name} has the operation {node.op_type}; only {', '.join(sorted(kinds))} can be converted."
            )
        self.made[node.output[0]] = kinds[node.op_type](node)

    def _convolution(self, node):
        attributes = {each.name: list(each.ints) for each in node.attribute}
        kernel, *bias = (self.weights[each] for each in node.input[1:])
        inputs, pads = self.made[node.input[0]], attributes.get("pads", [0, 0, 0, 0])
        name = self._named("conv")
        if any(pads):
            padding = ((pads[0], pads[2]), (pads[1], pads[3]))
            inputs = keras.layers.ZeroPadding2D(padding, name=f"{name}_padding")(inputs)
        strides = tuple(attributes.get("strides", [1, 1]))
        layer = keras.layers.Conv2D(len(kernel), kernel.shape[2:], strides, use_bias=bool(bias), name=name)
        self.loaded.append((layer, [kernel.transpose(2, 3, 1, 0), *bias]))
        return layer(inputs)

    def _dense(self, node):
        is_transposed = any(each.name == "transB" and each.i for each in node.attribute)
        kernel, *bias = (self.weights[each] for each in node.input[1:])
        reader = next((each for each in self.graph.node if node.output[0] in each.input), None)
        is_biased = not bias and reader is not None and reader.op_type == "Add"
        if is_biased:  # The bias is added by an operation of its own.
            bias = [self.weights[each] for each in reader.input if each in self.weights]
        kernel = kernel.T if is_transposed else kernel
        layer = keras.layers.Dense(kernel.shape[1], use_bias=bool(bias), name=self._named("dense"))
        self.loaded.append((layer, [kernel, *bias]))
        outputs = layer(self.made[node.input[0]])
        if is_biased:
            self.made[reader.output[0]] = outputs
        return outputs

    def _flatten(self, node):
        inputs = self.made[node.input[0]]
        if self.is_channels_first:  # Weights expect channels before height and width.
            inputs = keras.layers.Permute((3, 1, 2), name="channels_first")(inputs)
        return keras.layers.Reshape((math.prod(inputs.shape[1:]),), name="flatten")(inputs)

    def _named(self, kind: str) -> str:
        number = self.numbers.get(kind, 0)
        self.numbers[kind] = number + 1
        return f"{kind}_{number}"


if __name__ == "__main__":
    main()
