"""The slim networks against TensorFlow 1: the same checkpoint in a session on tf_slim's own graph."""

import gc
import shutil

import numpy as np
import pytest
import tensorflow as tf

from tfmetamers.errors import ArgumentError
from tfmetamers.networks import load_network, slim
from tfmetamers.networks.graph.legacy_layers import import_tf_slim

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


@pytest.fixture(scope="module", params=[vgg_19, inception_v3, resnet_v2_101], ids=lambda build: build.__name__)
def original(request, tmp_path_factory):
    """A network's layers as a TensorFlow 1 session computes them, and checkpoints of both formats."""
    import_tf_slim()
    name, size = request.param.__name__, slim.DEFINITIONS[request.param.__name__].default_size
    folder = tmp_path_factory.mktemp(name)
    pictures = np.random.default_rng(5).random((2, size, size, 3), np.float32)
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        v1.set_random_seed(6)
        layers = request.param(tf.constant(pictures))
        v1.train.create_global_step()
        session.run(v1.global_variables_initializer())
        # Statistics as of a trained network: those that initialisers give would hide a mistake.
        for variable in v1.global_variables():
            if "moving_" in variable.op.name or "beta" in variable.op.name:
                variable.load(np.random.default_rng(7).uniform(0.5, 1.5, variable.shape), session)
        saved = {
            str(version): v1.train.Saver(write_version=version).save(session, str(folder / f"v{version}.ckpt"))
            for version in (v1.train.SaverDef.V1, v1.train.SaverDef.V2)
        }
        activations = dict(zip(PAPER_LAYERS[name], session.run(layers), strict=True))
    yield name, pictures, activations, saved
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def memory_given_back():
    """Functions of large networks lie in cycles, which Python would collect when memory is long gone."""
    yield
    gc.collect()


def relative_error(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


def test_layers_and_logits_equal_those_of_tensorflow_1_from_both_checkpoint_formats(original):
    name, pictures, expected, saved = original
    for path in saved.values():
        network = load_network(name, checkpoint=path)
        assert list(network.layers) == PAPER_LAYERS[name]
        for layer, activations in expected.items():
            found = network.activations(layer)(pictures).numpy()
            assert found.shape == activations.shape == (2, *network.layers[layer].shape)
            assert relative_error(found, activations) < 1e-5, layer
            gc.collect()
        largest = list(expected.values())[-1].argmax(-1)
        assert [prediction.index for prediction in network.predict(pictures)] == largest.tolist()


@pytest.mark.parametrize("name", PAPER_LAYERS)
def test_each_paper_layer_gets_its_relu_rule(name):
    traced = slim.trace(name)
    from tfmetamers.networks.graph.relu import producing_path

    found = {layer: len(producing_path(tensor).relus) for layer, tensor in traced.layers.items()}
    assert found == {layer: STRAIGHT_THROUGH[name].get(layer, 0) for layer in PAPER_LAYERS[name]}


@pytest.mark.parametrize(("name", "layer"), [("vgg_19", "conv2_2"), ("inception_v3", "Conv2d_3b_1x1")])
def test_gradient_is_the_identity_at_the_matched_relu_and_ordinary_upstream(name, layer):
    network = load_network(name, weights="random", weights_seed=1)
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


def test_random_weights_are_the_same_at_every_size():
    small, large = (load_network("resnet_v2_101", weights="random", weights_seed=4, size=size) for size in (64, 96))
    assert (small.provenance.digest, small.provenance.seed) == (large.provenance.digest, large.provenance.seed)
    assert (small.provenance.source, small.provenance.seed) == ("random", 4)


def test_random_weights_come_from_the_initialisers_of_tf_slim():
    weights = slim.random_weights("resnet_v2_101", seed=0)
    kernel = weights["resnet_v2_101/block1/unit_1/bottleneck_v2/conv2/weights"]
    # variance_scaling_initializer: a normal of variance 2 / fan-in, truncated at two deviations and rescaled.
    assert kernel.std() == pytest.approx(np.sqrt(2 / (3 * 3 * 64)), rel=0.02)
    assert abs(kernel).max() < 2 * np.sqrt(1.3 * 2 / (3 * 3 * 64)) + 1e-6
    assert not weights["resnet_v2_101/conv1/biases"].any()
    other = slim.random_weights("resnet_v2_101", seed=1)
    assert not np.allclose(kernel, other["resnet_v2_101/block1/unit_1/bottleneck_v2/conv2/weights"])


@pytest.mark.parametrize(
    ("name", "size", "maps"), [("vgg_19", 299, 3), ("inception_v3", 224, 1), ("inception_v3", 400, 2)]
)
def test_another_size_gives_one_row_of_logits_the_mean_over_places(name, size, maps):
    traced = slim.trace(name, size)
    assert traced.logits.shape.as_list() == [None, slim.DEFINITIONS[name].classes]
    assert traced.logits.op.type == ("Squeeze" if maps == 1 else "Mean")
    assert traced.logits.op.inputs[0].shape[1:3] == [maps, maps]


@pytest.mark.parametrize(("name", "size"), [("vgg_19", 223), ("inception_v3", 74), ("resnet_v2_101", 31)])
def test_a_size_too_small_for_the_network_is_refused(name, size):
    with pytest.raises(ArgumentError, match=f"{name} got a size of {size} pixels; .* at least {size + 1}"):
        slim.trace(name, size)


def test_labels_follow_wordnet_order_and_background_comes_first_where_there_are_1001():
    labels = slim.labels("vgg_19")
    assert (len(labels), labels[0], labels[404], labels[999]) == (1000, "tench", "airliner", "toilet tissue")
    assert slim.labels("inception_v3") == slim.labels("resnet_v2_101") == ["background", *labels]


@pytest.mark.parametrize("name", PAPER_LAYERS)
def test_variables_are_those_listed_for_the_published_network(shared, name):
    file = shared / "reference" / "slim_variables" / {"resnet_v2_101": "resnet_v2_101_299"}.get(name, name)
    listed = file.with_suffix(".txt").read_text().split("## ENDPOINTS")[0].splitlines()
    names = {line.split("\t")[0] for line in listed if "\t" in line and "AuxLogits" not in line}
    assert {variable.op.name for variable in slim.trace(name).variables} == names


def test_the_8_bit_vgg_19_sees_an_airliner(shared, vgg_19_8bit):
    import tfmetamers as tm

    network = tm.load_network("vgg_19", checkpoint=vgg_19_8bit)
    airplane = tm.load_image(shared / "data" / "paper_stimuli" / "airplane.png", network.input_size)
    assert network.predict([airplane])[0].label == "airliner"
    pocketwatch = tm.load_image(shared / "data" / "paper_stimuli" / "pocketwatch.jpg", network.input_size)
    from tfmetamers.recipes import find_recipe

    for layer, published in {"conv1_2": 37735337984.0, "conv5_4": 3655203.0}.items():
        metamer = tm.synthesize(
            network, pocketwatch, layer=layer, recipe=find_recipe("feather2019-image").replace(steps=1)
        )
        assert metamer.losses[0] == pytest.approx(published, rel=0.03), layer
