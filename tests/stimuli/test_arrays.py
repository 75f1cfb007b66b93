"""Arrays are loaded as they are, and what cannot be one is refused by its header."""

import numpy as np
import pytest
from PIL import Image

from tfmetamers.errors import ArgumentError, ResultError, StimulusError
from tfmetamers.recipes import find_recipe
from tfmetamers.stimuli.arrays import load_array, picture_of, save_array
from tfmetamers.stimuli.domains import DOMAINS, Arrays

SHAPE = (5, 4)


@pytest.fixture
def spectrogram() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 30, SHAPE).astype(np.float32)


def saved(path, array):
    np.save(path, array)
    return path


class TestLoading:
    def test_values_are_as_they_are_in_the_file(self, tmp_path, spectrogram):
        np.testing.assert_array_equal(load_array(saved(tmp_path / "a.npy", spectrogram), SHAPE), spectrogram)

    @pytest.mark.parametrize("dtype", ["<f2", ">f8"])
    def test_other_precisions_are_brought_to_single(self, tmp_path, spectrogram, dtype):
        path = saved(tmp_path / "a.npy", np.asfortranarray(spectrogram.astype(dtype)))
        loaded = load_array(path, SHAPE)
        assert loaded.dtype == np.float32 and loaded.flags.c_contiguous
        np.testing.assert_array_equal(loaded, spectrogram.astype(dtype).astype(np.float32))

    @pytest.mark.parametrize(
        ("array", "fault"),
        [
            (np.zeros((4, 5)), "4 x 5"),
            (np.zeros(SHAPE, np.int16), "int16"),
            (np.zeros(SHAPE, np.complex64), "complex64"),
            (np.full(SHAPE, np.nan), "20 of 20 values"),
            (np.full(SHAPE, 1e300), "20 of 20 values"),
        ],
    )
    def test_an_array_that_does_not_fit_is_refused(self, tmp_path, array, fault):
        with pytest.raises(StimulusError, match=fault):
            load_array(saved(tmp_path / "a.npy", array), SHAPE)

    def test_objects_are_not_unpickled(self, tmp_path):
        np.save(tmp_path / "a.npy", np.array([{"a": 1}], object), allow_pickle=True)
        with pytest.raises(StimulusError, match=r"a\.npy cannot be read"):
            load_array(tmp_path / "a.npy", (1,))

    def test_a_large_array_is_refused_before_it_is_read(self, tmp_path):
        """The file is sparse: its header tells of 400 GB, which nobody could read."""
        with (tmp_path / "a.npy").open("wb") as stream:
            np.lib.format.write_array_header_1_0(stream, {"shape": (10**11,), "fortran_order": False, "descr": "<f4"})
            stream.truncate(stream.tell() + 4 * 10**11)
        with pytest.raises(StimulusError, match="100000000000; 5 x 4 was expected"):
            load_array(tmp_path / "a.npy", SHAPE)

    @pytest.mark.parametrize("content", [b"", b"not an array", b"PK\x03\x04"])
    def test_what_is_not_an_array_is_refused(self, tmp_path, content):
        (tmp_path / "a.npy").write_bytes(content)
        with pytest.raises(StimulusError, match=r"a\.npy"):
            load_array(tmp_path / "a.npy", SHAPE)

    def test_a_file_that_is_cut_short_is_refused(self, tmp_path, spectrogram):
        path = saved(tmp_path / "a.npy", spectrogram)
        path.write_bytes(path.read_bytes()[:-8])
        with pytest.raises(StimulusError, match=r"a\.npy cannot be read"):
            load_array(path, SHAPE)

    @pytest.mark.parametrize("name", ["missing.npy", "sound.wav"])
    def test_a_missing_file_and_another_ending_are_refused(self, tmp_path, name):
        with pytest.raises(StimulusError, match=name):
            load_array(tmp_path / name, SHAPE)


class TestDomain:
    def test_is_found_by_name(self):
        assert DOMAINS["array"] is Arrays

    @pytest.mark.parametrize(("shape", "picture"), [((5, 4), (4, 5)), ((5, 4, 3), (4, 5)), ((7,), None)])
    def test_what_is_saved_is_read_exactly_and_has_a_picture(self, tmp_path, shape, picture):
        stimulus = np.random.default_rng(1).normal(0, 30, shape).astype(np.float32)
        Arrays(shape).save(stimulus, tmp_path / "metamer")
        np.testing.assert_array_equal(Arrays(shape).read(tmp_path / "metamer"), stimulus)
        np.testing.assert_array_equal(Arrays(shape).load(tmp_path / "metamer.npy"), stimulus)
        file = tmp_path / "metamer.png"
        assert file.exists() == (picture is not None)
        if picture:
            with Image.open(file) as drawing:
                assert (drawing.size, drawing.mode, drawing.getextrema()) == (picture, "L", (0, 255))

    def test_the_picture_of_a_constant_array_is_white(self):
        np.testing.assert_array_equal(picture_of(np.full((2, 3), 7.0)), np.ones((2, 3, 1)))

    def test_noise_is_that_of_the_recipe(self):
        noise = Arrays((50, 40)).noise(find_recipe("feather2019-array"), "digest", "layer", 0)
        assert noise.shape == (50, 40)
        assert -0.05 <= noise.min() < -0.049 and 0.049 < noise.max() < 0.05

    def test_fitting_is_for_sounds(self, tmp_path, spectrogram):
        with pytest.raises(ArgumentError, match="'centre'"):
            Arrays(SHAPE).load(saved(tmp_path / "a.npy", spectrogram), "centre")

    def test_a_place_that_cannot_be_written_is_named(self, tmp_path):
        (tmp_path / "file").write_text("mine")
        with pytest.raises(ResultError, match=r"a\.npy"):
            save_array(np.zeros(3), tmp_path / "file" / "a.npy")
