"""The models of Keras Applications take pictures in [0, 1] and give what Keras itself gives."""

import hashlib
import random

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src.utils import file_utils  # Whose function every model fetches its weights by.

from tfmetamers.errors import ArgumentError, CheckpointError
from tfmetamers.networks import slim
from tfmetamers.networks.moved_files import locate
from tfmetamers.networks.own import keras_applications
from tfmetamers.networks.own.keras_applications import application_names, load_keras_application
from tfmetamers.networks.own.keras_weights import FILES, weights_file
from tfmetamers.networks.spec import NetworkSpec


def relative_error(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


def built(name: str, seed: int, **options) -> keras.Model:
    random.seed(seed)
    return getattr(keras.applications, name)(weights=None, **options)


def test_each_model_with_a_preprocessing_is_one():
    names = application_names()
    assert {"ResNet50", "EfficientNetB0", "MobileNetV3Small", "VGG19", "ConvNeXtTiny", "InceptionV3"} <= set(names)
    assert set(names) == set(FILES)
    assert len(names) == sum(name[0].isupper() for name in vars(keras.applications))


@pytest.mark.parametrize(
    ("name", "module", "mode"),
    [
        ("ResNet152", keras.applications.resnet, "caffe"),
        ("MobileNet", keras.applications.mobilenet, "tf"),
        ("DenseNet121", keras.applications.densenet, "torch"),
        ("EfficientNetB0", keras.applications.efficientnet, "none"),
        ("MobileNetV3Small", keras.applications.mobilenet_v3, "none"),
    ],
)
def test_a_picture_is_preprocessed_as_keras_does_it_with_0_to_255(monkeypatch, name, module, mode):
    """A small model has the place of the large one. Keras's function of arrays is compared, the graph has its other."""

    def small(weights, input_shape, classifier_activation):
        layers = [keras.layers.Conv2D(4, 3, name="first"), keras.layers.GlobalAveragePooling2D()]
        return keras.Sequential([keras.Input(input_shape), *layers, keras.layers.Dense(1000)])

    small.__module__ = getattr(keras.applications, name).__module__
    monkeypatch.setattr(keras.applications, name, small)
    levels = np.random.default_rng(0).integers(0, 256, (2, 16, 12, 3)).astype(np.float32)
    prepared = module.preprocess_input(levels.copy())
    by_hand = {
        "caffe": levels[..., ::-1] - [103.939, 116.779, 123.68],
        "tf": levels / 127.5 - 1,
        "torch": (levels / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225],
        "none": levels,
    }
    np.testing.assert_allclose(prepared, by_hand[mode], rtol=1e-5, atol=1e-5)
    network = load_keras_application(name, random_seed=3, size=(16, 12))
    random.seed(3)
    model = small(None, (16, 12, 3), None)
    assert relative_error(network.activations("first")(levels / 255), model.layers[0](prepared)) < 1e-5
    assert relative_error(network.logits(levels / 255), model(prepared)) < 1e-5


@pytest.mark.parametrize("name", ["MobileNetV2", "EfficientNetB0"])
def test_a_model_gives_what_it_gives_in_keras_and_can_be_inverted(name):
    levels = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3)).astype(np.float32)
    network = load_keras_application(name, random_seed=3, size=32)
    model = built(name, 3, input_shape=(32, 32, 3))
    probabilities = model(levels / 127.5 - 1 if name == "MobileNetV2" else levels)
    assert relative_error(tf.nn.softmax(network.logits(levels / 255)), probabilities) < 1e-4
    picture = tf.constant(levels / 255)
    layer = list(network.layers)[-2]
    with tf.GradientTape() as tape:
        tape.watch(picture)
        activations = network.activations(layer)(picture)
    assert np.any(tape.gradient(activations, picture))


def test_labels_are_in_the_order_of_keras():
    """That of WordNet numbers, as imagenet_class_index.json has it; some of its places are well known."""
    network = load_keras_application("MobileNetV3Small", random_seed=0)
    places = {0: "tench", 281: "tabby", 652: "military uniform", 999: "toilet tissue"}
    assert len(network.labels) == 1000
    assert {place: network.labels[place].split(",")[0] for place in places} == places
    assert network.labels == slim.labels("vgg_19")
    assert network.domain.size == keras_applications.DEFAULT_SIZE


def test_a_seed_is_the_same_weights_and_names_whatever_was_built_before():
    before = keras.layers.Dropout(0.5).name
    random.seed(7)
    expected = random.random()
    random.seed(7)
    networks = [load_keras_application("MobileNet", random_seed=seed, size=32) for seed in (1, 1, 2)]
    digests = [network.provenance.digest for network in networks]
    assert digests[0] == digests[1] != digests[2]
    assert networks[0].layers.keys() == networks[2].layers.keys() >= {"dropout"}
    assert random.random() == expected
    assert keras.layers.Dropout(0.5).name not in (before, "dropout")


def test_weights_are_read_from_a_file(tmp_path):
    model = built("MobileNet", 5, input_shape=(32, 32, 3), classifier_activation=None)
    model.save_weights(tmp_path / "mine.weights.h5")
    network = load_keras_application("MobileNet", checkpoint=tmp_path / "mine.weights.h5", size=32)
    pictures = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    assert relative_error(network.logits(pictures), model(pictures * 2 - 1)) < 1e-4
    assert (network.provenance.source, network.provenance.file) == ("checkpoint", "mine.weights.h5")
    assert load_keras_application("MobileNet", random_seed=5, size=32).provenance.digest != network.provenance.digest


def test_a_file_that_does_not_hold_the_models_weights_is_refused(tmp_path):
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save_weights(tmp_path / "other.weights.h5")
    (tmp_path / "text.weights.h5").write_text("not weights")
    for name in ("other.weights.h5", "text.weights.h5", "missing.weights.h5"):
        with pytest.raises(CheckpointError, match=name):
            load_keras_application("MobileNet", checkpoint=tmp_path / name, size=32)


class TestWeightsThatKerasFetches:
    @pytest.fixture
    def published(self, monkeypatch, tmp_path):
        """A stand-in for weights that are fetched, and for the file that they are in, which is returned."""
        monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
        weights_file("MobileNet").parent.mkdir(parents=True)
        weights_file("MobileNet").write_bytes(b"weights")
        function = keras.applications.MobileNet

        def fetching(weights, **options):
            return built("_own", 9, **options) if weights == "imagenet" else function(weights=weights, **options)

        fetching.__module__ = function.__module__
        monkeypatch.setattr(keras.applications, "_own", function, raising=False)
        monkeypatch.setattr(keras.applications, "MobileNet", fetching)
        return weights_file("MobileNet")

    def test_the_file_that_keras_used_is_recorded_by_its_hash(self, published, tmp_path, monkeypatch):
        """A small model has the place of the large one."""

        def small(weights, classifier_activation):
            layers = [keras.Input((16, 16, 3)), keras.layers.Conv2D(4, 3), keras.layers.GlobalAveragePooling2D()]
            return keras.Sequential([*layers, keras.layers.Dense(1000)])

        small.__module__ = keras.applications.MobileNet.__module__
        monkeypatch.setattr(keras.applications, "MobileNet", small)
        digest = hashlib.sha256(b"weights").hexdigest()
        recorded = NetworkSpec.parse("keras:MobileNet").load().describe()
        assert (recorded.spec_digest, recorded.digest, recorded.file) == (digest, digest, published.name)
        assert recorded.spec_identity == NetworkSpec.parse("keras:MobileNet").identity
        (tmp_path / "moved").mkdir()
        published.rename(tmp_path / "moved" / published.name)
        found = locate(recorded.spec.replace(), digest, [tmp_path / "moved"])
        assert found.checkpoint == str(tmp_path / "moved" / published.name)
        with pytest.raises(CheckpointError, match=published.name):
            load_keras_application("MobileNet")

    @pytest.mark.parametrize("name", ["MobileNet", *(pytest.param(name, marks=pytest.mark.slow) for name in FILES)])
    def test_keras_fetches_the_file_of_that_name(self, name, monkeypatch, tmp_path):
        monkeypatch.setenv("KERAS_HOME", str(tmp_path))
        asked = []

        def fetch(fname, *_, cache_subdir, **__):
            asked.append(tmp_path / cache_subdir / fname)
            raise OSError("not fetched")

        monkeypatch.setattr(file_utils, "get_file", fetch)
        with keras.StatelessScope(initialize_variables=False), pytest.raises(CheckpointError, match="not fetched"):
            load_keras_application(name)
        assert asked == [weights_file(name)]

    def test_they_serve_another_size_too(self, published):
        networks = [load_keras_application("MobileNet", size=size) for size in (None, (40, 32))]
        assert [network.stimulus_shape for network in networks] == [(224, 224, 3), (40, 32, 3)]
        at_random = load_keras_application("MobileNet", random_seed=9, size=(40, 32))
        pictures = np.random.default_rng(0).random((1, 40, 32, 3), np.float32)
        np.testing.assert_array_equal(networks[1].logits(pictures), at_random.logits(pictures))
        assert networks[1].provenance.source == "keras"

    def test_a_download_that_fails_is_one_sentence(self, monkeypatch):
        def fetching(**options):
            raise Exception("URL fetch failure on https://... : None -- Name or service not known\nmore")

        fetching.__module__ = keras.applications.MobileNet.__module__
        monkeypatch.setattr(keras.applications, "MobileNet", fetching)
        with pytest.raises(CheckpointError, match=r"MobileNet cannot be fetched \(URL fetch failure") as caught:
            load_keras_application("MobileNet")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "options", "fault"),
    [
        ("ResNet51", {"random_seed": 0}, "'ResNet51'.*ResNet"),
        ("MobileNet", {"random_seed": 0, "size": 8}, "MobileNet .*size"),
        ("MobileNet", {"random_seed": -1}, "-1"),
        ("MobileNet", {"random_seed": 0, "checkpoint": "a.h5"}, r"a\.h5"),
        ("MobileNet", {"random_seed": 0, "size": 32, "layers": ["conv_pw_99"]}, "conv_pw_99"),
    ],
)
def test_what_cannot_be_is_refused(name, options, fault):
    with pytest.raises(ArgumentError, match=fault):
        load_keras_application(name, **options)
