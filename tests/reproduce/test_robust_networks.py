"""Networks from ONNX to Keras: against NumPy, operation by operation, and against accuracies that were measured."""

import numpy as np
import pytest

from tests.golden import SHARED, needs_shared
from tests.scripts import load_script
from tfmetamers.errors import CheckpointError


@pytest.fixture(scope="module")
def script():
    return load_script("robust_networks")


def graph_of(script, nodes, weights, inputs="x", outputs="y"):
    """Return a graph of nodes: (operation, inputs, output, attributes)."""
    graph = script.message_class("Model")().graph
    graph.input.add(name=inputs)
    graph.output.add(name=outputs)
    for operation, read, written, attributes in nodes:
        node = graph.node.add(op_type=operation, input=read, output=[written])
        for name, value in attributes.items():
            is_several = isinstance(value, list)
            node.attribute.add(name=name, **({"ints": value} if is_several else {"i": value}))
    for name, value in weights.items():
        graph.initializer.add(name=name, dims=value.shape, data_type=1, raw_data=value.astype("<f4").tobytes())
    return graph


def run(graph, weights, pictures):
    """Compute a graph in NumPy, in double precision, channels first."""
    made = {graph.input[0].name: pictures.transpose(0, 3, 1, 2).astype(float)}
    made |= {name: value.astype(float) for name, value in weights.items()}
    for node in graph.node:
        given = [made[name] for name in node.input if name in made]
        made[node.output[0]] = {
            "Conv": _convolve,
            "Relu": lambda _, x: np.maximum(x, 0),
            "Add": lambda _, x, y: x + y,
            "Flatten": lambda _, x: x.reshape(len(x), -1),
            "Gemm": lambda _, x, kernel, bias: x @ kernel.T + bias,
        }[node.op_type](node, *given)
    return made[graph.output[0].name]


def _convolve(node, x, kernel, bias):
    settings = {each.name: list(each.ints) for each in node.attribute}
    (top, left, bottom, right), (down, across) = settings["pads"], settings["strides"]
    padded = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[2:], axis=(2, 3))[:, :, ::down, ::across]
    return np.einsum("nchwij,ocij->nohw", windows, kernel) + bias[:, None, None]


@pytest.fixture
def residual(script):
    """A small residual network, its weights, and pictures."""
    random = np.random.default_rng(0)
    weights = {
        "k0": random.normal(size=(4, 3, 3, 3)), "b0": random.normal(size=4),
        "k1": random.normal(size=(4, 4, 3, 3)), "b1": random.normal(size=4),
        "k2": random.normal(size=(4, 4, 1, 1)), "b2": random.normal(size=4),
        "w": 0.1 * random.normal(size=(5, 4 * 8 * 8)), "b": random.normal(size=5),
    }  # fmt: skip
    nodes = [
        ("Conv", ["x", "k0", "b0"], "c0", {"pads": [1, 1, 1, 1], "strides": [2, 2]}),
        ("Relu", ["c0"], "r0", {}),
        ("Conv", ["r0", "k1", "b1"], "c1", {"pads": [1, 1, 1, 1], "strides": [2, 2]}),
        ("Conv", ["r0", "k2", "b2"], "c2", {"pads": [0, 0, 0, 0], "strides": [2, 2]}),
        ("Add", ["c1", "c2"], "a", {}),
        ("Relu", ["a"], "r1", {}),
        ("Flatten", ["r1"], "f", {}),
        ("Gemm", ["f", "w", "b"], "y", {"transB": 1}),
    ]
    return graph_of(script, nodes, weights), weights, random.random((2, 32, 32, 3)).astype("float32")


def test_logits_are_those_of_numpy(script, residual):
    graph, weights, pictures = residual
    model = script.to_keras(graph, "residual", ((0.5, 0.4, 0.3), (0.2, 0.3, 0.4)))
    normalized = (pictures - [0.5, 0.4, 0.3]) / [0.2, 0.3, 0.4]
    expected = run(graph, weights, normalized)
    assert np.abs(model(pictures).numpy() - expected).max() < 1e-4 * np.abs(expected).max()
    assert [layer.name for layer in model.layers if "relu" in layer.name] == ["relu_0", "relu_1"]


def test_channels_last_and_a_bias_of_its_own(script):
    random = np.random.default_rng(1)
    weights = {"w": random.normal(size=(3072, 5)), "b": random.normal(size=5)}
    nodes = [
        ("Transpose", ["x"], "t", {"perm": [0, 3, 1, 2]}),
        ("Transpose", ["t"], "u", {"perm": [0, 2, 3, 1]}),
        ("Reshape", ["u", "shape"], "f", {}),
        ("MatMul", ["f", "w"], "m", {}),
        ("Add", ["m", "b"], "y", {}),
    ]
    pictures = random.random((2, 32, 32, 3)).astype("float32")
    model = script.to_keras(graph_of(script, nodes, weights), "flat")
    assert model(pictures).numpy() == pytest.approx(pictures.reshape(2, -1) @ weights["w"] + weights["b"], abs=1e-3)


def test_an_unknown_operation_is_named(script):
    graph = graph_of(script, [("Relu", ["x"], "a", {}), ("Erf", ["a"], "y", {})], {})
    with pytest.raises(CheckpointError, match="Erf"):
        script.to_keras(graph, "odd")


@needs_shared
@pytest.mark.parametrize(
    ("name", "accuracy"),
    [("resnet_2b", 0.730), ("resnet_4b", 0.850), ("cifar_wide_kw", 0.652), ("cifar_deep_kw", 0.587),
     ("cifar10_large", 0.910)],
)  # fmt: skip
def test_released_networks_are_as_often_right_as_was_measured(script, name, accuracy, tmp_path):
    import keras

    written = script.write_keras(SHARED / "data" / "networks" / "cifar10_robust" / f"{name}.onnx", tmp_path)
    assert written.name == f"{name}.keras" and len(list(tmp_path.iterdir())) == 1
    with np.load(SHARED / "data" / "cifar10_4000.npz") as file:
        pictures, labels = file["images"][:400] / np.float32(255), file["labels"][:400]
    model = keras.saving.load_model(written)
    assert np.mean(model(pictures).numpy().argmax(axis=1) == labels) == pytest.approx(accuracy, abs=6e-4)
