"""Files of Keras 3 and Keras 2, and what is not executed."""

import json
import pathlib
import re
import zipfile

import h5py
import keras
import numpy as np
import psutil
import pytest
import tensorflow as tf
import tf_keras

from tests.golden import SHARED, needs_shared
from tfmetamers.errors import CheckpointError
from tfmetamers.networks import load_keras
from tfmetamers.networks.own.keras_files import read_keras


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(3, 6)).astype(np.float32)


def small(library):
    return library.Sequential([library.Input((6,)), library.layers.Dense(4, activation="relu", name="dense")])


@pytest.mark.parametrize("name", ["mine.keras", "mine.h5", "mine.hdf5"])
@pytest.mark.parametrize("library", [keras, tf_keras], ids=["3", "2"])
def test_models_of_both_versions_are_read_in_each_format(tmp_path, values, library, name):
    model = small(library)
    model.save(tmp_path / name)
    network = load_keras(tmp_path / name)
    np.testing.assert_allclose(network.activations("dense")(values), model(values), rtol=1e-5, atol=1e-6)
    assert (network.name, network.provenance.file) == ("mine", name)


@pytest.mark.parametrize("name", ["mine.keras", "mine.h5"])
def test_functions_of_tensorflow_in_a_model_of_keras_2(tmp_path, values, name):
    """Keras 3 knows nothing of them."""
    inputs = tf_keras.Input((6,))
    model = tf_keras.Model(inputs, tf.nn.relu(tf.expand_dims(inputs, -1)[:, 1:] * 2.0))
    model.save(tmp_path / name)
    np.testing.assert_allclose(read_keras(tmp_path / name)(values), model(values), rtol=1e-6)


@needs_shared
def test_a_published_file_of_keras_2():
    network = load_keras(
        SHARED / "data/networks/cifar10_robust/standard_resnet8.h5", input_range=(0, 255), labels=[*"abcdefghij"]
    )
    with np.load(SHARED / "data/cifar10_4000.npz") as file:
        arrays = {name: file[name] for name in file.files}
    pictures = next(array for array in arrays.values() if array.ndim == 4)[:200]
    truth = next(array for array in arrays.values() if array.ndim == 1)[:200]
    predicted = [prediction.index for prediction in network.predict(pictures.astype(np.float32) / 255)]
    assert np.mean(predicted == truth) > 0.85  # 0.925 of 400 pictures, as its README measured.


def with_layer(path, layer: dict):
    """Write the configuration of a model of one layer, in a file that is well formed otherwise."""
    configuration = {"class_name": "Sequential", "config": {"name": "model", "layers": [layer]}}
    if path.suffix == ".h5":
        with h5py.File(path, "w") as file:
            file.attrs["model_config"], file.attrs["keras_version"] = json.dumps(configuration), "2.10.0"
            file.create_group("model_weights").attrs["layer_names"] = []
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", json.dumps(configuration))
            archive.writestr("metadata.json", json.dumps({"keras_version": "3.0.0"}))
    return path


@pytest.mark.parametrize(
    ("layer", "fault"),
    [
        ({"class_name": "Lambda", "config": {"name": "code", "function": ["4wEA", None, None]}}, "'code'"),
        ({"class_name": "Activation", "config": {"activation": {"class_name": "__lambda__"}}}, "__lambda__"),
        ({"class_name": "Popen", "module": "subprocess", "config": {}}, r"subprocess\.Popen"),
        ({"class_name": "TFOpLambda", "config": {"name": "write", "function": "io.write_file"}}, "'write'"),
        ({"class_name": "TFOpLambda", "config": {"name": "call", "function": "py_function"}}, "'call'"),
        ({"class_name": "TensorFlowOpLayer", "config": {"name": "node", "node_def": {}}}, "'node'"),
    ],
)
@pytest.mark.parametrize("name", ["code.keras", "code.h5"])
def test_code_in_a_file_is_refused(tmp_path, layer, fault, name):
    with pytest.raises(CheckpointError, match=rf"code\..* holds .*{fault}"):
        read_keras(with_layer(tmp_path / name, layer))


@pytest.mark.parametrize("library", [keras, tf_keras], ids=["3", "2"])
@pytest.mark.parametrize("name", ["lambda.keras", "lambda.h5"])
def test_a_pickled_lambda_is_not_executed(tmp_path, library, name):
    witness = tmp_path / "witness"
    path = str(witness)
    function = lambda x: (open(path, "w").close(), x)[1]  # noqa: E731  What Keras pickles.
    library.Sequential([library.Input((6,)), library.layers.Lambda(function)]).save(tmp_path / name)
    witness.unlink(missing_ok=True)
    with pytest.raises(CheckpointError, match="Lambda"):
        load_keras(tmp_path / name)
    assert not witness.exists()


def test_a_file_that_is_not_what_its_ending_says_is_refused(tmp_path):
    small(keras).save(tmp_path / "model.keras")
    small(keras).save(tmp_path / "model.h5")
    small(keras).save_weights(tmp_path / "model.weights.h5")
    (tmp_path / "text.keras").write_text("not a model")
    (tmp_path / "named.h5").write_bytes((tmp_path / "model.keras").read_bytes())
    (tmp_path / "named.keras").write_bytes((tmp_path / "model.h5").read_bytes())
    for name, fault in [
        ("text.keras", "archive was expected"),
        ("named.h5", r"a \.keras archive"),
        ("named.keras", "an HDF5 file"),
        ("model.weights.h5", "weights without a model"),
        ("missing.keras", ""),
        ("model.zip", "not named"),
    ]:
        with pytest.raises(CheckpointError, match=rf"{name}.*{fault}"):
            load_keras(tmp_path / name)


@pytest.mark.parametrize("name", ["half.keras", "half.h5"])
def test_a_file_that_is_cut_short_is_refused(tmp_path, name):
    small(keras).save(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match=name):
        load_keras(tmp_path / name)


@pytest.mark.parametrize("content", [[], "text", {"class_name": "Unknown", "config": {}}])
def test_a_configuration_that_describes_no_model_is_refused(tmp_path, content):
    with h5py.File(tmp_path / "odd.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(content)
    with pytest.raises(CheckpointError, match=r"odd\.h5"):
        read_keras(tmp_path / "odd.h5")


class TestBombs:
    """Files of some kilobytes that would take gigabytes."""

    @pytest.fixture
    def peak(self):
        """A function that tells by how much the process grows, in bytes, while a file is refused."""

        def measure(path, match) -> int:
            before = psutil.Process().memory_info().rss
            pathlib.Path("/proc/self/clear_refs").write_text("5")  # The highest so far is forgotten.
            with pytest.raises(CheckpointError, match=match):
                read_keras(path)
            with keras.StatelessScope():  # After which Keras gives values to all variables that wait for some.
                pass
            status = pathlib.Path("/proc/self/status").read_text()
            return 1024 * int(re.search(r"VmHWM:\s+(\d+)", status)[1]) - before

        return measure

    @staticmethod
    def rewritten(path, change) -> None:
        """Write the members of an archive anew, compressed."""
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, change(name, content))

    def test_an_archive_that_inflates_is_not_inflated(self, tmp_path, peak):
        small(keras).save(tmp_path / "mine.keras")
        self.rewritten(tmp_path / "mine.keras", lambda name, content: content + bytes(10**8 * name.endswith(".h5")))
        assert peak(tmp_path / "mine.keras", "holds 100,") < 5 * 10**7

    def test_arrays_without_values_are_not_filled(self, tmp_path, peak):
        small(keras).save(tmp_path / "mine.h5")
        with h5py.File(tmp_path / "mine.h5", "r+") as file:
            file.create_dataset("bomb", (10**9,), "f4")
        assert (tmp_path / "mine.h5").stat().st_size < 10**5
        assert peak(tmp_path / "mine.h5", "much larger than the file") < 10**8

    @pytest.mark.parametrize("library", [keras, tf_keras], ids=["3", "2"])
    @pytest.mark.parametrize("name", ["mine.keras", "mine.h5"])
    def test_layers_that_the_file_has_no_weights_for_are_not_allocated(self, tmp_path, peak, library, name):
        path = tmp_path / name
        small(library).save(path)
        old, new = b'"units": 4', b'"units": 400000000'
        if name.endswith(".h5"):
            with h5py.File(path, "r+") as file:
                file.attrs["model_config"] = str(file.attrs["model_config"]).replace(old.decode(), new.decode())
        else:
            self.rewritten(path, lambda _, content: content.replace(old, new))
        assert peak(path, r"cannot be read as a Keras model") < 5 * 10**8

    @pytest.mark.parametrize("link", [h5py.ExternalLink("other.h5", "/a"), h5py.SoftLink("/a")])
    def test_what_leads_elsewhere_is_not_followed(self, tmp_path, link):
        small(keras).save(tmp_path / "mine.h5")
        with h5py.File(tmp_path / "mine.h5", "r+") as file:
            file["other"] = link
        with pytest.raises(CheckpointError, match="other"):
            read_keras(tmp_path / "mine.h5")

    def test_values_in_other_files_are_not_read(self, tmp_path):
        (tmp_path / "secret").write_bytes(bytes(400))
        small(keras).save(tmp_path / "mine.h5")
        with h5py.File(tmp_path / "mine.h5", "r+") as file:
            file.create_dataset("x", (100,), "f4", external=[(str(tmp_path / "secret"), 0, 400)])
        with pytest.raises(CheckpointError, match="are in other files"):
            read_keras(tmp_path / "mine.h5")

    def test_a_configuration_nested_without_an_end_is_refused(self, tmp_path):
        small(keras).save(tmp_path / "mine.keras")
        for depth in (900, 100_000):
            deep = b"[" * depth + b"]" * depth
            self.rewritten(tmp_path / "mine.keras", lambda name, old, deep=deep: deep if "config" in name else old)
            with pytest.raises(CheckpointError, match=r"mine\.keras"):
                read_keras(tmp_path / "mine.keras")
