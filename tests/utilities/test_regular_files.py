"""Whatever a path leads to, reading it ends."""

import os
from pathlib import Path

import pytest

from tfmetamers.utilities.files import file_digest
from tfmetamers.utilities.regular_files import open_regular, read_regular, read_text


@pytest.fixture
def pipe(tmp_path) -> Path:
    """A pipe that nobody writes to: opening it would wait for ever."""
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


@pytest.mark.parametrize("read", [open_regular, file_digest, lambda path: read_regular(path, 10)])
class TestWhatIsNoFile:
    def test_a_pipe_is_not_waited_for(self, read, pipe):
        with pytest.raises(OSError, match="device or a pipe"):
            read(pipe)

    def test_a_device_without_an_end_is_not_read(self, read, tmp_path):
        (tmp_path / "zeros").symlink_to("/dev/zero")
        with pytest.raises(OSError, match="device or a pipe"):
            read(tmp_path / "zeros")

    @pytest.mark.parametrize("name", ["", "missing", "a\0b"])
    def test_a_folder_or_nothing_is_an_error_of_the_system(self, read, tmp_path, name):
        with pytest.raises(OSError):
            read(f"{tmp_path}/{name}")


def test_no_more_is_read_than_was_expected(tmp_path):
    (tmp_path / "file").write_bytes(b"12345")
    assert read_regular(tmp_path / "file", 5) == b"12345"
    with pytest.raises(OSError, match=r"4 bytes.*file"):
        read_regular(tmp_path / "file", 4)
    with (tmp_path / "file").open("wb") as stream:
        stream.truncate(2**40)  # Which takes no room on disk.
    with pytest.raises(OSError, match=r"1,000 bytes.*file"):
        read_regular(tmp_path / "file", 1000)


def test_text_is_utf_8_with_or_without_a_mark(tmp_path):
    for content in ("größe".encode(), "\N{BYTE ORDER MARK}größe".encode()):
        (tmp_path / "text").write_bytes(content)
        assert read_text(tmp_path / "text", 100) == "größe"
    (tmp_path / "text").write_bytes(b"\xff")
    with pytest.raises(ValueError):
        read_text(tmp_path / "text", 100)
