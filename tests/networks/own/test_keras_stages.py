"""Models of Keras Applications have the stages of the 2023 paper's networks, by the paper's names."""

import random

import keras
import numpy as np
import pytest

import tfmetamers as tm
from tests.making import make_metamers
from tfmetamers.metamers import read_metamer
from tfmetamers.networks.own.keras_applications import load_keras_application
from tfmetamers.networks.own.keras_stages import INPUT_STAGE, STAGES, describe_stages, layers_by_stage
from tfmetamers.published import find_published
from tfmetamers.published.models import find_model, published_models
from tfmetamers.stimuli.collection import collect_stimuli

#: What torchvision's networks give for a picture of 224 x 224, channels last.
VGG_19 = [(224, 64), (112, 128), (56, 256), (28, 512), (14, 512), (7, 512)]
RESNET = [(112, 64), (56, 256), (28, 512), (14, 1024), (7, 2048)]
RESNET_SHAPES = [*((side, side, channels) for side, channels in RESNET), (2048,), (1000,)]
SHAPES = {
    "VGG19": [*((side, side, channels) for side, channels in VGG_19), (4096,), (4096,), (1000,)],
    "ResNet50": RESNET_SHAPES,
    "ResNet101": RESNET_SHAPES,
}


def relu_stages(model: str) -> set[str]:
    """Return the stages that end in a ReLU in the release, which says so in their names."""
    stages = find_published("recognition_2023").read().query("model == @model")["stage"].unique()
    return {stage.removesuffix("_fake_relu") for stage in stages if stage.endswith("_fake_relu")}


@pytest.fixture(scope="module")
def network():
    return load_keras_application("VGG19", random_seed=0, size=32)


@pytest.mark.parametrize("name", STAGES)
def test_each_stage_is_a_layer_of_the_shape_that_it_has_in_torchvision(name):
    with keras.StatelessScope(initialize_variables=False):
        model = getattr(keras.applications, name)(weights=None)
    layers = layers_by_stage(name)
    assert tuple(layers) == find_model(STAGES[name].model).stages
    assert layers.pop(INPUT_STAGE) is None
    assert [model.get_layer(layer).output.shape[1:] for layer in layers.values()] == SHAPES[name]
    # A stage of a residual network is the output of its last block: what follows halves the picture, or is the pool.
    if name != "VGG19":
        ordered = [layer.name for layer in model.layers]
        for layer, following in zip(list(layers.values())[1:4], ("conv3", "conv4", "conv5"), strict=True):
            assert ordered[ordered.index(layer) + 1].startswith(f"{following}_block1")
        assert ordered[ordered.index(layers["layer4"]) + 1] == layers["avgpool"]


def test_the_catalogue_names_the_architectures():
    named = {model.name: model.keras for model in published_models() if model.keras}
    assert set(named.values()) == set(STAGES)
    for name, stages in STAGES.items():
        assert named[stages.model] == name
        assert all(find_model(model).stages == tuple(layers_by_stage(name)) for model in named if named[model] == name)
    assert layers_by_stage("MobileNet") is None and describe_stages("MobileNet") == ""


def test_layers_are_the_stages_and_end_in_a_relu_where_the_releases_do(network):
    assert tuple(network.layers) == find_model("vgg_19").stages
    assert {layer.name for layer in network.layers.values() if layer.path.relus} == relu_stages("vgg_19")
    assert network.provenance.note == describe_stages("VGG19")


def test_a_stage_is_the_layer_of_keras_that_is_recorded_by_the_papers_name(network):
    levels = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3)).astype(np.float32)
    prepared = keras.applications.vgg19.preprocess_input(levels.copy())
    np.testing.assert_allclose(network.activations(INPUT_STAGE)(levels / 255), prepared, atol=1e-3)
    random.seed(0)
    model = keras.applications.VGG19(weights=None, input_shape=(32, 32, 3), classifier_activation=None)
    for stage in ("conv_relu_1_1", "avgpool", "final"):
        layer = STAGES["VGG19"].layers[stage]
        assert network.layer(layer) == network.layer(stage)
        expected = keras.Model(model.inputs[0], model.get_layer(layer).output)(prepared)
        found = network.activations(stage)(levels / 255)
        assert np.linalg.norm(found - expected) < 1e-4 * np.linalg.norm(expected)
    assert network.layer("block3_conv3").name == "block3_conv3"


def test_layers_that_are_asked_for_are_offered_alone(monkeypatch):
    """A small model has the place of the large one."""

    def small(weights, input_shape, classifier_activation):
        names = [layer for layer in STAGES["VGG19"].layers.values() if layer != "predictions"]
        layers = [keras.layers.Conv2D(2, 1, name=name) for name in names]
        top = [keras.layers.GlobalAveragePooling2D(name="pool"), keras.layers.Dense(1000, name="predictions")]
        return keras.Sequential([keras.Input(input_shape), *layers, *top])

    small.__module__ = keras.applications.VGG19.__module__
    monkeypatch.setattr(keras.applications, "VGG19", small)
    asked = ["conv_relu_0_1", "pool"]
    network = load_keras_application("VGG19", random_seed=0, size=32, layers=asked)
    assert list(network.layers) == asked and not network.further_layers
    network = load_keras_application("VGG19", random_seed=0, size=32)
    assert set(network.layer_names("all")) == set(layers_by_stage("VGG19"))
    assert set(network.further_layers) == {*STAGES["VGG19"].layers.values(), "pool"}


def made_at(network, layer, folder):
    tm.save_image(np.random.default_rng(0).random((32, 32, 3), np.float32), folder / "a.png")
    stimuli = collect_stimuli([folder / "a.png"], (".png",))
    [made] = make_metamers(network, [layer], stimuli, folder / "out", steps=3, recipe="feather2023-image")
    return read_metamer(made)


def test_a_metamer_of_a_stage_is_recorded_by_the_papers_name(network, tmp_path):
    metamer = made_at(network, "conv_relu_1_1", tmp_path)
    assert metamer.record.layer.name == "conv_relu_1_1"
    assert metamer.losses[-1] < metamer.losses[0]
    assert metamer.record.network.layers == tuple(network.layers)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ResNet50", "ResNet101"])
def test_a_residual_network_has_metamers_of_its_stages(name, tmp_path):
    network = load_keras_application(name, random_seed=0, size=32)
    model = STAGES[name].model
    assert tuple(network.layers) == find_model(model).stages
    assert {layer.name for layer in network.layers.values() if layer.path.relus} == relu_stages(model)
    metamer = made_at(network, "layer2", tmp_path)
    assert metamer.record.layer.name == "layer2"
    assert metamer.losses[-1] < metamer.losses[0]
