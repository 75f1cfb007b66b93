"""The slim networks against TensorFlow 1: the same checkpoint in a session on tf_slim's own graph."""

import functools
import gc
import re
import shutil

import numpy as np
import pytest
import tensorflow as tf

from tests.golden import GOLDEN
from tfmetamers.errors import ArgumentError
from tfmetamers.networks import NetworkOutline, NetworkSpec, load_network, slim
from tfmetamers.networks.families.checkpoints import weights_digest
from tfmetamers.networks.graph.legacy_layers import import_tf_slim
from tfmetamers.networks.graph.relu import producing_path
from tfmetamers.networks.graph.traced_graph import TracedGraph

PAPER_LAYERS = {
    "vgg_19": ["conv1_2", "conv2_2", "conv3_4", "conv4_4", "conv5_4", "fc6", "fc7", "fc8"],
    "inception_v3": [
        "Conv2d_1a_3x3",
        "Conv2d_2b_3x3",
        "Conv2d_3b_1x1",
        "Conv2d_4a_3x3",
        "Mixed_5d",
        "Mixed_6e",
        "Logits",
    ],
    "resnet_v2_101": ["conv1", "block1", "block2", "block3", "block4", "global_pool", "logits"],
}
STRAIGHT_THROUGH = {
    "vgg_19": dict.fromkeys(PAPER_LAYERS["vgg_19"][:-1], 1),
    "inception_v3": {"Mixed_5d": 4, "Mixed_6e": 4} | dict.fromkeys(PAPER_LAYERS["inception_v3"][:4], 1),
    "resnet_v2_101": {},
}
#: Pictures on which a trace and a pass take less time than at the networks' own sizes.
SIZES = {"vgg_19": 224, "inception_v3": 139, "resnet_v2_101": 97}
# Means over the pictures of ImageNet, in RGB order, as VGG's own preprocessing has them.
MEANS = [123.68, 116.779, 103.939]


def vgg_19(pictures):
    from tf_slim.nets import vgg

    logits, points = vgg.vgg_19(pictures * 255.0 - MEANS, is_training=False)
    layers = [points[f"vgg_19/conv{block}/conv{block}_{last}"] for block, last in enumerate((2, 2, 4, 4, 4), 1)]
    return [*layers, points["vgg_19/fc6"], points["vgg_19/fc7"], logits]


def inception_v3(pictures):
    from tf_slim.nets import inception

    slim_scope = import_tf_slim().arg_scope(inception.inception_v3_arg_scope())
    with slim_scope:  # With the auxiliary head, as the published checkpoint was trained.
        logits, points = inception.inception_v3(pictures * 2.0 - 1.0, num_classes=1001, is_training=False)
    return [*(points[layer] for layer in PAPER_LAYERS["inception_v3"][:-1]), logits]


def resnet_v2_101(pictures):
    from tf_slim.nets import resnet_v2

    with import_tf_slim().arg_scope(resnet_v2.resnet_arg_scope()):
        logits, points = resnet_v2.resnet_v2_101(pictures * 2.0 - 1.0, num_classes=1001, is_training=False)
    layers = [points[f"resnet_v2_101/{layer}"] for layer in PAPER_LAYERS["resnet_v2_101"][:5]]
    pooled = tf.compat.v1.get_default_graph().get_tensor_by_name("resnet_v2_101/pool5:0")
    return [*layers, pooled, tf.squeeze(logits, [1, 2])]


@pytest.fixture(scope="module", autouse=True)
def traced_once():
    """A graph takes seconds to trace; here, that of one network, size and seed is traced once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slim, "trace", functools.cache(slim.trace))
        yield


@pytest.fixture(
    scope="module",
    params=[
        (inception_v3, SIZES["inception_v3"]),
        (resnet_v2_101, SIZES["resnet_v2_101"]),
        *(pytest.param((build, None), marks=pytest.mark.slow) for build in (vgg_19, inception_v3, resnet_v2_101)),
    ],
    ids=lambda case: f"{case[0].__name__}-{case[1] or 'own size'}",
)
def original(request, tmp_path_factory):
    """A network's layers as a TensorFlow 1 session computes them, and its checkpoint, of one format or the other."""
    import_tf_slim()
    build, size = request.param
    version = tf.compat.v1.train.SaverDef.V1 if build is inception_v3 else tf.compat.v1.train.SaverDef.V2
    name, size = build.__name__, size or slim.DEFINITIONS[build.__name__].default_size
    folder = tmp_path_factory.mktemp(name)
    pictures = np.random.default_rng(5).random((2, size, size, 3), np.float32)
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        v1.set_random_seed(6)
        stimulus = tf.constant(pictures)
        layers = build(stimulus)
        v1.train.create_global_step()
        session.run(v1.global_variables_initializer())
        # Statistics as of a trained network: those that initialisers give would hide a mistake.
        statistics = [each for each in v1.global_variables() if "moving_" in each.op.name or "beta" in each.op.name]
        values = {
            each.initializer.inputs[1]: np.random.default_rng(7).uniform(0.5, 1.5, each.shape) for each in statistics
        }
        session.run([each.initializer for each in statistics], values)
        saved = v1.train.Saver(write_version=version).save(session, str(folder / "trained.ckpt"))
        activations = dict(zip(PAPER_LAYERS[name], session.run(layers), strict=True))
        upstream = np.random.default_rng(9).normal(size=layers[-1].shape).astype(np.float32)
        gradient = session.run(tf.gradients(layers[-1], stimulus, upstream)[0])
    yield name, pictures, activations, upstream, gradient, saved
    shutil.rmtree(folder)


@pytest.fixture
def memory_given_back():
    """Functions of large networks lie in cycles, which Python would collect when memory is long gone."""
    yield
    gc.collect()


def relative_error(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


@pytest.mark.usefixtures("memory_given_back")
def test_layers_logits_and_gradients_equal_those_of_tensorflow_1(original):
    name, pictures, expected, upstream, expected_gradient, checkpoint = original
    network = load_network(name, checkpoint=checkpoint, size=pictures.shape[1])
    assert list(network.layers) == list(expected) == PAPER_LAYERS[name]
    together = network.activations_together(list(expected))(pictures)
    for (layer, activations), found in zip(expected.items(), together, strict=True):
        assert found.shape == activations.shape == (2, *network.layers[layer].shape)
        assert relative_error(found.numpy(), activations) < 1e-5, layer
    middle, last = PAPER_LAYERS[name][3], PAPER_LAYERS[name][-1]
    assert relative_error(network.activations(middle)(pictures).numpy(), expected[middle]) < 1e-5
    assert [prediction.index for prediction in network.predict(pictures)] == expected[last].argmax(-1).tolist()
    found = gradient(network.activations(last, relu_gradient="normal"), tf.constant(pictures), tf.constant(upstream))
    assert relative_error(found, expected_gradient) < 1e-2, "up to kinks that rounding flips"


@pytest.mark.parametrize("name", PAPER_LAYERS)
def test_the_outline_is_what_the_network_itself_says(name):
    spec = NetworkSpec.parse(name, size=SIZES[name])
    outline = spec.network_family.outline(spec)
    assert outline == NetworkOutline.of(spec.describe())
    assert (list(outline.layers), outline.classes) == (PAPER_LAYERS[name], len(slim.labels(name)))


@pytest.mark.parametrize("name", PAPER_LAYERS)
def test_each_paper_layer_gets_its_relu_rule(name):
    traced = slim.trace(name, SIZES[name], seed=0)
    found = {layer: len(producing_path(tensor).relus) for layer, tensor in traced.layers.items()}
    assert found == {layer: STRAIGHT_THROUGH[name].get(layer, 0) for layer in PAPER_LAYERS[name]}


@pytest.mark.usefixtures("memory_given_back")
@pytest.mark.parametrize(("name", "layer"), [("vgg_19", "conv2_2"), ("inception_v3", "Conv2d_3b_1x1")])
def test_gradient_is_the_identity_at_the_matched_relu_and_ordinary_upstream(name, layer):
    spec = NetworkSpec.parse(name, size=SIZES[name])
    network = spec.network_family.with_weights(
        spec, drawn_weights(slim.trace(name, SIZES[name], seed=0), "/conv[12]/", "/Conv2d_")
    )
    stimulus = tf.constant(np.random.default_rng(8).random((1, *network.stimulus_shape), np.float32))
    upstream = tf.random.stateless_normal([1, *network.layers[layer].shape], [9, 9])
    relu = network.layers[layer].path.relus[0]
    before = next(name for name in (f"{relu.removesuffix('/Relu')}/{end}:0" for end in ENDS) if name in network.tensors)
    assert (
        relative_error(
            gradient(network.activations(layer), stimulus, upstream),
            gradient(network.activations(f"tensor:{before}"), stimulus, upstream),
        )
        < 1e-5
    )
    normal = gradient(network.activations(layer, relu_gradient="normal"), stimulus, upstream)
    gated = upstream * tf.cast(network.activations(layer)(stimulus) > 0, tf.float32)
    assert relative_error(normal, gradient(network.activations(f"tensor:{before}"), stimulus, gated)) < 1e-5


ENDS = ("BiasAdd", "BatchNorm/FusedBatchNormV3")


def gradient(function, stimulus, upstream):
    with tf.GradientTape() as tape:
        tape.watch(stimulus)
        activations = function(stimulus)
    return tape.gradient(activations, stimulus, output_gradients=upstream).numpy()


def drawn_weights(traced, *patterns):
    """Draw those of a network's weights whose names match one of the patterns, as all of them are drawn together."""
    chosen = [each for each in traced.variables if any(re.search(pattern, each.op.name) for pattern in patterns)]
    return TracedGraph(traced.stimulus, traced.layers, traced.logits, chosen).random_weights()


@pytest.mark.slow
@pytest.mark.usefixtures("memory_given_back")
def test_random_weights_are_the_same_at_every_size():
    own, weights = slim.random_weights("vgg_19", seed=4), load_network("vgg_19", random_seed=4, size=256).provenance
    assert (weights.source, weights.seed, weights.digest) == ("random", 4, weights_digest(own))


def test_random_weights_are_others_for_another_seed():
    first = "vgg_19/conv1/conv1_1/weights"
    one, again, other = (drawn_weights(slim.trace("vgg_19", 224, seed=seed), first)[first] for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert not np.allclose(one, other)


def test_random_weights_come_from_the_initialisers_of_tf_slim():
    name, traced = "resnet_v2_101", slim.trace("resnet_v2_101", SIZES["resnet_v2_101"], seed=0)
    weights = drawn_weights(traced, f"{name}/block1/unit_1/", f"{name}/conv1/")
    kernel = weights[f"{name}/block1/unit_1/bottleneck_v2/conv2/weights"]
    # variance_scaling_initializer: a normal of variance 2 / fan-in, truncated at two deviations and rescaled.
    assert kernel.std() == pytest.approx(np.sqrt(2 / (3 * 3 * 64)), rel=0.02)
    assert abs(kernel).max() < 2 * np.sqrt(1.3 * 2 / (3 * 3 * 64)) + 1e-6
    assert not weights[f"{name}/conv1/biases"].any()


@pytest.mark.parametrize(
    ("name", "size", "maps"),
    [("vgg_19", 299, 3), ("inception_v3", 139, 1), pytest.param("inception_v3", 400, 2, marks=pytest.mark.slow)],
)
def test_another_size_gives_one_row_of_logits_the_mean_over_places(name, size, maps):
    traced = slim.trace(name, size, seed=0)
    assert traced.logits.shape.as_list() == [None, slim.DEFINITIONS[name].classes]
    assert traced.logits.op.type == ("Squeeze" if maps == 1 else "Mean")
    assert traced.logits.op.inputs[0].shape[1:3] == [maps, maps]


@pytest.mark.parametrize(("name", "size"), [("vgg_19", 223), ("inception_v3", 74), ("resnet_v2_101", (64, 32))])
def test_a_size_that_is_too_small_for_the_network_or_not_square_is_refused(name, size):
    spec = NetworkSpec.parse(name, random_seed=0, size=size)
    for use in (spec.network_family.outline, spec.network_family.load):
        with pytest.raises(ArgumentError, match=f"{name} got a size of"):
            use(spec)


def test_labels_follow_wordnet_order_and_background_comes_first_where_there_are_1001():
    labels = slim.labels("vgg_19")
    assert (len(labels), labels[0], labels[404], labels[999]) == (1000, "tench", "airliner", "toilet tissue")
    assert slim.labels("inception_v3") == slim.labels("resnet_v2_101") == ["background", *labels]


@pytest.mark.parametrize("name", PAPER_LAYERS)
def test_variables_are_those_listed_for_the_published_network(name):
    file = GOLDEN / "slim_variables" / {"resnet_v2_101": "resnet_v2_101_299"}.get(name, name)
    listed = file.with_suffix(".txt").read_text().split("## ENDPOINTS")[0].splitlines()
    names = {line.split("\t")[0] for line in listed if "\t" in line and "AuxLogits" not in line}
    assert {variable.op.name for variable in slim.trace(name, SIZES[name], seed=0).variables} == names


@pytest.mark.slow
def test_the_8_bit_vgg_19_sees_an_airliner(vgg_19_8bit):
    network = load_network("vgg_19", checkpoint=vgg_19_8bit)
    airplane = network.domain.load(GOLDEN / "paper_stimuli" / "airplane.png")
    assert network.predict([airplane])[0].label == "airliner"
