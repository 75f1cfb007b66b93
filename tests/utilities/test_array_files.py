"""NumPy's files come back as NumPy reads them, and no header and no archive has more allocated than it should."""

import bz2
import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from tfmetamers.utilities.array_files import read_archive, read_array, read_header

ARRAYS = [
    np.arange(24.0, dtype=np.float32).reshape(2, 3, 4),
    np.asfortranarray(np.arange(6).reshape(2, 3)),
    np.arange(3, dtype=">f8"),
    np.array(2.5),
    np.array("größe"),
    np.array(["a", "bcd"]),
    np.array([True, False]),
    np.zeros((0, 5), np.float32),
    np.zeros((3, 0, 2)),
    np.array([1 + 2j]),
]


@pytest.fixture
def peak():
    """A function that returns the most that another allocated at once, in bytes, whatever it raised."""

    def measure(function, *arguments) -> int:
        tracemalloc.start()
        try:
            with pytest.raises((OSError, ValueError)):
                function(*arguments)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    return measure


class TestWhatNumPyWrote:
    @pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype}{array.shape}")
    def test_comes_back(self, array, tmp_path):
        np.save(tmp_path / "a.npy", array)
        np.savez(tmp_path / "a.npz", first=array, second=array[None])
        np.savez_compressed(tmp_path / "small.npz", first=array)
        found = read_array(tmp_path / "a.npy", max_bytes=1000), read_archive(tmp_path / "a.npz")["first"]
        for read in (*found, read_archive(tmp_path / "small.npz", max_bytes=2000)["first"]):
            assert (read.dtype, read.shape, read.flags.f_contiguous) == (
                array.dtype,
                array.shape,
                array.flags.f_contiguous,
            )
            np.testing.assert_array_equal(read, array)
        assert set(read_archive(tmp_path / "a.npz")) == {"first", "second"}
        assert read_header(tmp_path / "a.npy").shape == array.shape

    def test_of_python_2_and_of_the_second_version_of_the_format(self, tmp_path):
        header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (3L, 1L), }"
        values = np.arange(3.0).tobytes()
        first = b"\x93NUMPY\1\0" + struct.pack("<H", 70) + header.ljust(69) + b"\n" + values
        second = b"\x93NUMPY\2\0" + struct.pack("<I", 70) + header.ljust(69) + b"\n" + values
        for content in (first, second):
            (tmp_path / "a.npy").write_bytes(content)
            np.testing.assert_array_equal(read_array(tmp_path / "a.npy", 100), np.arange(3.0)[:, None])


def with_header(text: str, values: bytes = b"") -> bytes:
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text) + 1) + text.encode() + b"\n" + values


class TestCraftedArrays:
    @pytest.mark.parametrize(
        "header",
        [
            "{'descr': '<f4', 'fortran_order': False, 'shape': (10000000000,), }",
            "{'descr': '<U900000000', 'fortran_order': False, 'shape': (), }",
            "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
            "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1" + ", 1" * 40 + ",), }",
            "{'descr': '<f9', 'fortran_order': False, 'shape': (1,), }",
            "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,), }",
            "__import__('os').system('false')",
            "(" * 9000,
            "{'descr': '<f4', 'fortran_order': False, 'shape': (" + "1" * 9000 + "!",
        ],
        ids=lambda header: header[:70],
    )
    def test_a_header_is_not_believed(self, header, tmp_path, peak):
        (tmp_path / "a.npy").write_bytes(with_header(header, bytes(8)))
        assert peak(read_array, tmp_path / "a.npy", 10**12) < 10**6

    @pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"\x93NUMPY\1\0\xff\xff{", b"PK\3\4", bytes(100)])
    def test_what_is_no_array_is_refused(self, content, tmp_path):
        (tmp_path / "a.npy").write_bytes(content)
        with pytest.raises(ValueError):
            read_array(tmp_path / "a.npy", 100)

    def test_values_that_are_cut_short_or_more_than_expected(self, tmp_path):
        np.save(tmp_path / "a.npy", np.zeros(100))
        with pytest.raises(OSError, match="800 bytes"):
            read_array(tmp_path / "a.npy", 799)
        content = (tmp_path / "a.npy").read_bytes()
        for changed in (content[:-1], content + b"x"):
            (tmp_path / "a.npy").write_bytes(changed)
            with pytest.raises(ValueError, match="800 bytes"):
                read_array(tmp_path / "a.npy", 800)


class TestBombs:
    def test_an_archive_is_not_inflated_beyond_what_was_expected(self, tmp_path, peak):
        """A hundred megabytes in a tenth of one."""
        np.savez_compressed(tmp_path / "a.npz", a=np.zeros(10**8, np.uint8))
        assert (tmp_path / "a.npz").stat().st_size < 10**6
        assert peak(read_archive, tmp_path / "a.npz") < 10**6
        assert peak(read_archive, tmp_path / "a.npz", 10**7) < 10**6

    def test_a_member_that_says_less_than_it_holds_is_not_inflated_further(self, tmp_path, peak):
        stream = io.BytesIO()
        np.savez_compressed(stream, a=np.zeros(10**8, np.uint8))
        size = (10**8 + 128).to_bytes(4, "little")
        assert stream.getvalue().count(size) == 2
        (tmp_path / "a.npz").write_bytes(stream.getvalue().replace(size, (1000).to_bytes(4, "little")))
        assert peak(read_archive, tmp_path / "a.npz") < 10**6

    def test_methods_that_inflate_without_a_bound_are_refused(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_BZIP2) as archive:
            archive.writestr("a.npy", bz2.compress(b"x"))
        with pytest.raises(ValueError, match="unusual"):
            read_archive(tmp_path / "a.npz", 10**6)

    @pytest.mark.parametrize("kept", [0.3, 0.9, 0.99])
    def test_an_archive_that_is_cut_short(self, kept, tmp_path):
        np.savez(tmp_path / "a.npz", a=np.arange(100))
        content = (tmp_path / "a.npz").read_bytes()
        (tmp_path / "a.npz").write_bytes(content[: int(len(content) * kept)])
        with pytest.raises(ValueError):
            read_archive(tmp_path / "a.npz")

    def test_any_changed_byte_of_the_values_is_noticed(self, tmp_path):
        np.savez(tmp_path / "a.npz", a=np.arange(100.0))
        content = bytearray((tmp_path / "a.npz").read_bytes())
        content[400] ^= 1
        (tmp_path / "a.npz").write_bytes(content)
        with pytest.raises(ValueError, match="CRC"):
            read_archive(tmp_path / "a.npz")
