"""Embeddings in the form in which AudioSet published them."""

import numpy as np
import pytest

from tfmetamers.errors import ArgumentError, CheckpointError
from tfmetamers.networks import postprocess, read_postprocessing


@pytest.fixture
def parameters():
    generator = np.random.default_rng(0)
    return {"pca_eigen_vectors": generator.normal(size=(128, 128)), "pca_means": generator.normal(size=(128, 1))}


@pytest.fixture
def file(parameters, tmp_path):
    np.savez(tmp_path / "vggish_pca_params.npz", **parameters)
    return tmp_path / "vggish_pca_params.npz"


def test_each_number_is_rotated_shifted_clipped_and_cut(file, parameters):
    embeddings = np.random.default_rng(1).normal(size=(3, 2, 128)).astype(np.float32) * 0.2
    found = postprocess(embeddings, read_postprocessing(file))
    assert found.dtype == np.uint8 and found.shape == embeddings.shape
    for item, example, number in [(0, 0, 0), (2, 1, 127), (1, 0, 64)]:
        difference = embeddings[item, example].astype(float) - parameters["pca_means"][:, 0]
        rotated = sum(parameters["pca_eigen_vectors"][number] * difference)
        assert found[item, example, number] == int((min(max(rotated, -2), 2) + 2) * 63.75)
    assert {0, 255} <= set(found.flat)


def test_the_mean_becomes_the_middle(file, parameters):
    found = postprocess(parameters["pca_means"].T, read_postprocessing(file))
    assert set(found.flat) == {127}


class TestBadInput:
    def test_a_missing_file(self, tmp_path):
        with pytest.raises(CheckpointError, match=r"cannot be read.*fetch vggish_pca"):
            read_postprocessing(tmp_path / "nothing.npz")

    @pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04"])
    def test_no_archive(self, content, tmp_path):
        (tmp_path / "other.npz").write_bytes(content)
        with pytest.raises(CheckpointError, match="cannot be read as VGGish's postprocessing"):
            read_postprocessing(tmp_path / "other.npz")

    def test_a_single_array(self, tmp_path):
        np.save(tmp_path / "other.npy", np.zeros(3))
        with pytest.raises(CheckpointError, match="cannot be read as VGGish's postprocessing"):
            read_postprocessing(tmp_path / "other.npy")

    def test_a_part_that_is_missing(self, parameters, tmp_path):
        del parameters["pca_means"]
        np.savez(tmp_path / "other.npz", **parameters)
        with pytest.raises(CheckpointError, match="pca_means"):
            read_postprocessing(tmp_path / "other.npz")

    @pytest.mark.parametrize(
        "vectors",
        [np.zeros((128, 64)), np.full((128, 128), np.nan), np.zeros((128, 128), int)],
        ids=lambda each: each.dtype,
    )
    def test_other_arrays(self, vectors, parameters, tmp_path):
        np.savez(tmp_path / "other.npz", **{**parameters, "pca_eigen_vectors": vectors})
        with pytest.raises(CheckpointError, match=r"holds .* and float64 \[128\]; finite numbers"):
            read_postprocessing(tmp_path / "other.npz")

    def test_an_object_is_not_unpickled(self, parameters, tmp_path):
        np.savez(tmp_path / "other.npz", **{**parameters, "pca_means": np.array([object()] * 128)})
        with pytest.raises(CheckpointError, match="cannot be read as VGGish's postprocessing"):
            read_postprocessing(tmp_path / "other.npz")

    @pytest.mark.parametrize(
        ("embeddings", "said"),
        [
            (np.zeros((2, 127)), "numbers of shape"),
            (np.zeros((2, 128), int), "numbers of shape"),
            (np.full((2, 128), np.nan), "not finite"),
            (1.0, "numbers of shape"),
        ],
    )
    def test_other_embeddings(self, embeddings, said, file):
        with pytest.raises(ArgumentError, match=said):
            postprocess(embeddings, read_postprocessing(file))
