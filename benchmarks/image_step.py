"""Seconds a synthesis step and peak memory, against the original way of running it, in the same run.

    python benchmarks/image_step.py
    python benchmarks/image_step.py --device GPU:0    # docs/devices.md says what to report of it

The original way is the released one: tf_slim's graph in a TensorFlow 1 session, stepped by
`tf.compat.v1.train.AdamOptimizer`. Pairs alternate, and medians of the pairs' ratios are printed. Beside them
stand the machine's matrix-multiply rate and the share of it that each way reaches. A second table compares the
frozen function with the plain one (the traced operations as they are, reading variables) at every layer.
Weights are random: speed does not depend on them.
"""

import os
import re
import statistics
import tempfile
from functools import partial

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import numpy as np
import tensorflow as tf
from original import imported_layer, stepping
from tabulate import tabulate
from workers import Worker, alternate, median_ratio, timed

from tfmetamers.networks import load_network, slim
from tfmetamers.networks.graph.traced_graph import TracedGraph
from tfmetamers.recipes import find_recipe
from tfmetamers.stimuli.noise import stimulus_digest
from tfmetamers.synthesis.loop import Synthesis
from tfmetamers.utilities.determinism import deterministic_operations
from tfmetamers.utilities.device import describe_device, driver_version, has_gpu, uses_tf32
from tfmetamers.utilities.versions import describe_versions

CASES = [("vgg_19", "conv5_4"), ("inception_v3", "Mixed_6e"), ("resnet_v2_101", "block4")]

#: Each way but the original, as the kernels and the batch size of a synthesis.
OURS = {"quick": ("quick", 1), "small": ("small", 1), "quick, batch of 4": ("quick", 4)}


def convolution_operations(layer: tf.Tensor) -> float:
    """Return the floating-point operations of the convolutions up to a layer, forward and backward."""
    total, pending, seen = 0, [layer.op], set()
    while pending:
        operation = pending.pop()
        if operation.name in seen:
            continue
        seen.add(operation.name)
        pending.extend(tensor.op for tensor in operation.inputs)
        if operation.type == "Conv2D":
            height, width, channels_in, _ = operation.inputs[1].shape
            total += 2 * np.prod(operation.outputs[0].shape[1:]) * height * width * channels_in
    return 2.0 * total


def matrix_multiply_rate() -> float:
    """Return the floating-point operations a second of a large matrix product, the best of five."""
    size = 4096
    matrix = tf.random.normal([size, size])
    product = tf.function(tf.matmul)
    product(matrix, matrix)
    return max(2 * size**3 / timed(lambda: product(matrix, matrix).numpy()) for _ in range(5))


def write_checkpoint(name: str, folder: str) -> str:
    """Write a checkpoint of random weights, so that both ways begin with reading one, and return its path."""
    v1 = tf.compat.v1
    traced = slim.trace(name)
    with v1.Session(graph=traced.stimulus.graph) as session:
        session.run([variable.initializer for variable in traced.variables])
        with traced.stimulus.graph.as_default():
            return v1.train.Saver(traced.variables).save(session, f"{folder}/{name}.ckpt", write_meta_graph=False)


def original_way(name: str, layer: str, checkpoint: str):
    """Return a function that does steps as the released code does."""
    size = slim.DEFINITIONS[name].default_size
    traced = slim.trace(name)
    with tf.Graph().as_default():
        start = np.random.default_rng(0).uniform(0.5, 0.6, (1, size, size, 3)).astype(np.float32)
        stimulus = tf.compat.v1.get_variable(
            "metamer", initializer=start, constraint=lambda x: tf.clip_by_value(x, 0.0, 1.0)
        )
        activations, variables = imported_layer(traced, layer, stimulus)
        return stepping(activations, stimulus, variables, tf.train.load_checkpoint(checkpoint).get_tensor)


def our_way(name: str, layer: str, checkpoint: str, kernels: str, batch: int):
    """Return a function that does steps as tfmetamers does."""
    network = load_network(name, checkpoint=checkpoint)
    originals = np.random.default_rng(0).random((batch, *network.stimulus_shape), np.float32)
    synthesis = Synthesis(network, layer=layer, recipe=find_recipe(network.recipe), kernels=kernels)
    start = synthesis.start([stimulus_digest(original) for original in originals], seed=0)
    targets = synthesis.targets(originals)
    return lambda steps: synthesis.advance(targets, start, steps)


def build(way: str, name: str, layer: str, checkpoint: str):
    if way == "original":
        return original_way(name, layer, checkpoint)
    return our_way(name, layer, checkpoint, *OURS[way])


def plain_function(traced: TracedGraph, layer: str, checkpoint: str):
    """Return the traced function as it is: its own operations and gradients, reading variables."""
    graph_def = tf.compat.v1.graph_util.extract_sub_graph(
        traced.stimulus.graph.as_graph_def(), [traced.layers[layer].op.name]
    )
    reader = tf.train.load_checkpoint(checkpoint)
    reads = {
        f"{node.name}:0": tf.Variable(reader.get_tensor(node.input[0]))
        for node in graph_def.node
        if node.op == "ReadVariableOp"
    }

    def imported(stimulus):
        mapped = {"stimulus:0": stimulus} | {name: variable.read_value() for name, variable in reads.items()}
        [activations] = tf.graph_util.import_graph_def(graph_def, mapped, [traced.layers[layer].name], name="")
        return activations

    return tf.compat.v1.wrap_function(imported, [tf.TensorSpec(traced.stimulus.shape, tf.float32)])


def with_gradient(function):
    """Return a compiled function from stimuli to the gradient of half the summed squared activations."""

    @tf.function(autograph=False)
    def gradient(stimuli):
        with tf.GradientTape() as tape:
            tape.watch(stimuli)
            loss = tf.nn.l2_loss(function(stimuli))
        return tape.gradient(loss, stimuli)

    return lambda stimuli: gradient(stimuli).numpy()


def compare_steps(pairs: int, steps: int, checkpoints: dict[str, str]) -> list[list[str]]:
    rows, rate = [], matrix_multiply_rate()
    print(f"Matrix multiplication: {rate / 1e9:.0f} GFLOP/s\n")
    for name, layer in CASES:
        operations = convolution_operations(slim.trace(name).layers[layer])
        workers = {way: Worker(build, way, name, layer, checkpoints[name]) for way in ("original", *OURS)}
        seconds = alternate({way: partial(worker.seconds, steps) for way, worker in workers.items()}, pairs)
        memory = {way: worker.peak_memory() for way, worker in workers.items()}
        for way in workers:
            _, items = OURS.get(way, ("", 1))
            each = [total / steps / items for total in seconds[way]]
            ratio = median_ratio([total / steps for total in seconds["original"]], each)
            share = operations / statistics.median(each) / rate
            numbers = [f"{statistics.median(each):.4f}", f"{ratio:.2f}", f"{share:.2f}"]
            sizes = [f"{memory[way]:.2f}", f"{memory[way] / memory['original']:.2f}"]
            rows.append([name, layer, way, *numbers, *sizes])
    return rows


def compare_layers(pairs: int, checkpoints: dict[str, str]) -> list[list[str]]:
    rows = []
    for name, definition in slim.DEFINITIONS.items():
        network, traced = load_network(name, checkpoint=checkpoints[name]), slim.trace(name)
        stimuli = tf.constant(np.random.default_rng(0).random((1, *network.stimulus_shape), np.float32))
        for layer in definition.end_points:
            frozen = with_gradient(network.activations(layer, relu_gradient="normal", kernels="quick"))
            plain = with_gradient(plain_function(traced, layer, checkpoints[name]))
            calls = {
                "plain": partial(timed, partial(plain, stimuli)),
                "frozen": partial(timed, partial(frozen, stimuli)),
            }
            seconds = alternate(calls, pairs)
            medians = [statistics.median(seconds[way]) for way in calls]
            ratio = median_ratio(seconds["plain"], seconds["frozen"])
            rows.append([name, layer, *(f"{median:.4f}" for median in medians), f"{ratio:.2f}"])
    return rows


def choose_device(context, option, device: str) -> str:
    """Have this process and those that it starts see one device alone; TensorFlow must not be at work yet."""
    named = re.fullmatch(r"CPU|GPU:(\d+)", device)
    if not named:
        raise click.BadParameter(f"{device!r} is no device; CPU or GPU:NUMBER was expected, such as GPU:0.")
    os.environ["CUDA_VISIBLE_DEVICES"] = named[1] or "-1"
    os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"  # The processes of all ways share it.
    if named[1] and not has_gpu():
        raise click.BadParameter(f"TensorFlow sees no {device}; docs/devices.md says how it gets to see a GPU.")
    return device


def describe_machine() -> list[tuple[str, str]]:
    """Return what numbers of a device are reported with."""
    build = tf.sysconfig.get_build_info()
    with deterministic_operations():
        tf32 = uses_tf32()
    rows = [("device", describe_device()), *describe_versions().items()]
    if has_gpu():
        rows += [("driver", driver_version()), ("TF32 in steps of tfmetamers", tf32)]
        rows += [("CUDA", build.get("cuda_version")), ("cuDNN", build.get("cudnn_version"))]
    return rows


@click.command()
@click.option("--device", default="CPU", show_default=True, callback=choose_device, help="CPU, or a GPU such as GPU:0.")
@click.option("--pairs", default=7, show_default=True, help="Alternations to take medians of.")
@click.option("--steps", default=5, show_default=True, help="Steps in a row.")
def main(device, pairs, steps):
    """Measure and print both tables."""
    print(tabulate([("asked for", device), *describe_machine()], tablefmt="plain", disable_numparse=True), end="\n\n")
    with tempfile.TemporaryDirectory() as folder:
        checkpoints = {name: write_checkpoint(name, folder) for name in slim.DEFINITIONS}
        headers = [
            "network",
            "layer",
            "way",
            "s a step and stimulus",
            "original / this",
            "share of matmul rate",
            "peak GB",
            "this / original",
        ]
        print(tabulate(compare_steps(pairs, steps, checkpoints), headers, disable_numparse=True))
        print("\nForward and backward of one stimulus")
        headers = ["network", "layer", "plain s", "frozen s", "plain / frozen"]
        print(tabulate(compare_layers(3 * pairs, checkpoints), headers, disable_numparse=True))


if __name__ == "__main__":
    main()
