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
    @pytest.mark.parametrize("content", [None, b"hello"])
    def test_a_file_that_is_missing_or_is_not_an_archive(self, content, tmp_path):
        if content is not None:
            (tmp_path / "other.npz").write_bytes(content)
        with pytest.raises(CheckpointError, match=r"other\.npz"):
            read_postprocessing(tmp_path / "other.npz")

    def test_a_single_array(self, tmp_path):
        np.save(tmp_path / "other.npy", np.zeros(3))
        with pytest.raises(CheckpointError, match=r"other\.npy"):
            read_postprocessing(tmp_path / "other.npy")

    def test_a_missing_part(self, parameters, tmp_path):
        del parameters["pca_means"]
        np.savez(tmp_path / "other.npz", **parameters)
        with pytest.raises(CheckpointError, match="pca_means"):
            read_postprocessing(tmp_path / "other.npz")

    @pytest.mark.parametrize("vectors", [np.zeros((128, 64)), np.full((128, 128), np.nan)], ids=["shape", "nan"])
    def test_other_arrays(self, vectors, parameters, tmp_path):
        np.savez(tmp_path / "other.npz", **{**parameters, "pca_eigen_vectors": vectors})
        with pytest.raises(CheckpointError, match="float64"):
            read_postprocessing(tmp_path / "other.npz")

    def test_an_object_is_not_unpickled(self, parameters, tmp_path):
        np.savez(tmp_path / "other.npz", **{**parameters, "pca_means": np.array([object()] * 128)})
        with pytest.raises(CheckpointError, match=r"other\.npz"):
            read_postprocessing(tmp_path / "other.npz")

    @pytest.mark.parametrize("embeddings", [np.zeros((2, 127)), np.full((2, 128), np.nan)], ids=["shape", "nan"])
    def test_other_embeddings(self, embeddings, file):
        with pytest.raises(ArgumentError, match="embeddings"):
            postprocess(embeddings, read_postprocessing(file))
