"""A file or folder is there whole or not at all."""

import hashlib
import os
import signal
import subprocess
import sys

import pytest

from tfmetamers.errors import ResultError
from tfmetamers.utilities.files import atomic_write, file_digest, file_lock, is_lock, is_partial, lock_beside, sweep


def tree(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


class TestAtomicWrite:
    def test_a_file_appears_when_the_block_ends(self, tmp_path):
        path = tmp_path / "file.txt"
        with atomic_write(path) as partial:
            partial.write_text("new")
            assert not path.exists()
        assert path.read_text() == "new"
        assert tree(tmp_path) == ["file.txt"]

    def test_a_file_takes_the_place_of_an_older_one(self, tmp_path):
        path = tmp_path / "file.txt"
        path.write_text("older")
        with atomic_write(path) as partial:
            partial.write_text("new")
            assert path.read_text() == "older"
        assert path.read_text() == "new"

    def test_a_folder_appears_with_all_that_is_in_it(self, tmp_path):
        with atomic_write(tmp_path / "folder") as partial:
            (partial / "inner").mkdir(parents=True)
            (partial / "inner" / "file").write_text("new")
            assert not (tmp_path / "folder").exists()
        assert tree(tmp_path) == ["folder", "folder/inner", "folder/inner/file"]

    def test_the_temporary_path_has_the_same_name_on_the_same_disk(self, tmp_path):
        with atomic_write(tmp_path / "picture.png") as partial:
            assert partial.name == "picture.png"
            assert partial.parent.parent == tmp_path
            partial.touch()

    def test_the_file_has_ordinary_permissions(self, tmp_path):
        (tmp_path / "ordinary").touch()
        with atomic_write(tmp_path / "file") as partial:
            partial.touch()
        assert (tmp_path / "file").stat().st_mode == (tmp_path / "ordinary").stat().st_mode

    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
    def test_when_the_block_fails_nothing_has_changed(self, tmp_path, error):
        path = tmp_path / "file.txt"
        path.write_text("older")
        with pytest.raises(error, match="as it was"), atomic_write(path) as partial:
            partial.write_text("half")
            raise error("as it was")
        assert path.read_text() == "older"
        assert tree(tmp_path) == ["file.txt"]

    def test_a_system_error_in_the_block_says_which_file_and_why(self, tmp_path):
        with pytest.raises(ResultError) as refused, atomic_write(tmp_path / "file") as partial:
            partial.write_text("half")
            raise OSError(28, "No space left on device")
        assert str(tmp_path / "file") in str(refused.value) and "No space left on device" in str(refused.value)
        assert tree(tmp_path) == []

    def test_a_folder_does_not_take_the_place_of_one_that_holds_something(self, tmp_path):
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "mine").touch()
        with pytest.raises(ResultError, match="folder"), atomic_write(tmp_path / "folder") as partial:
            partial.mkdir()
            (partial / "new").touch()
        assert tree(tmp_path) == ["folder", "folder/mine"]

    def test_a_block_that_writes_nothing_is_refused(self, tmp_path):
        with pytest.raises(ResultError, match="file"), atomic_write(tmp_path / "file"):
            pass
        assert tree(tmp_path) == []

    def test_a_path_below_a_file_is_refused_before_the_block(self, tmp_path):
        (tmp_path / "file").write_text("mine")
        reached = []
        with pytest.raises(ResultError, match=r"inner\.png"), atomic_write(tmp_path / "file" / "inner.png"):
            reached.append(True)
        assert not reached
        assert (tmp_path / "file").read_text() == "mine"

    def test_a_full_disk_leaves_nothing(self, tmp_path):
        script = """
import resource, sys
from tfmetamers.errors import ResultError
from tfmetamers.utilities.files import atomic_write
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    with atomic_write(sys.argv[1]) as partial:
        partial.write_bytes(bytes(5000))
except ResultError as error:
    sys.exit(str(error))
"""
        path = tmp_path / "file"
        finished = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True)
        assert finished.returncode == 1
        assert str(path) in finished.stderr and "File too large" in finished.stderr
        assert tree(tmp_path) == []

    def test_a_name_of_255_bytes_is_written_too(self, tmp_path):
        for name in ("a" * 255, "é" * 127):
            with atomic_write(tmp_path / name) as partial:
                partial.write_text("new")
            assert (tmp_path / name).read_text() == "new"

    def test_the_rename_is_on_disk_too_and_so_are_the_folders_above(self, tmp_path, monkeypatch):
        """A rename that is not is lost with the power, and what was there before with it."""
        synchronized, fsync = [], os.fsync

        def noted(descriptor):
            synchronized.append(os.readlink(f"/proc/self/fd/{descriptor}"))
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", noted)
        with atomic_write(tmp_path / "a" / "b" / "folder") as partial:
            (partial / "inner").mkdir(parents=True)
            (partial / "inner" / "file").write_text("new")
            written = str(partial)
        inside = {written, f"{written}/inner", f"{written}/inner/file"}
        assert set(synchronized[: len(inside)]) == inside
        assert {str(tmp_path), str(tmp_path / "a"), str(tmp_path / "a" / "b")} <= set(synchronized[len(inside) :])


#: Writes to a path and kills itself in the middle.
KILLED = """
import os, signal, sys
from tfmetamers.utilities.files import atomic_write, file_lock, lock_beside
from pathlib import Path
path = Path(sys.argv[1])
with file_lock(lock_beside(path), path.parent, path, busy="", remedy=""), atomic_write(path) as partial:
    partial.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


class TestWhatKilledProcessesLeave:
    @pytest.fixture
    def left(self, tmp_path):
        """A folder in which a process was killed while it wrote the file a/b."""
        killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "a" / "b")])
        assert killed.returncode == -signal.SIGKILL
        names = [path.name for path in (tmp_path / "a").iterdir()]
        assert sorted(map(is_partial, names)) == [False, True] and sorted(map(is_lock, names)) == [False, True]
        return tmp_path

    def test_is_swept_whole(self, left):
        sweep(left)
        assert tree(left) == ["a"]

    def test_goes_when_the_same_is_written_again(self, left):
        path = left / "a" / "b"
        with file_lock(lock_beside(path), path.parent, path, busy="", remedy=""), atomic_write(path) as partial:
            partial.write_text("new")
        assert tree(left) == ["a", "a/b"]

    def test_what_a_living_process_is_at_work_on_stays(self, tmp_path):
        path = tmp_path / "a"
        with file_lock(lock_beside(path), path.parent, path, busy="", remedy=""), atomic_write(path) as partial:
            partial.write_text("new")
            before = tree(tmp_path)
            sweep(tmp_path)
            with atomic_write(path) as other:
                other.write_text("another")
            assert set(before) < set(tree(tmp_path)) == {*before, "a"}
        assert tree(tmp_path) == ["a"] and path.read_text() == "new"

    def test_files_of_other_programs_stay(self, tmp_path):
        for name in (".other.lock", ".lock", "a.tfmetamers.lock", "download.partial"):
            (tmp_path / name).touch()
        (tmp_path / ".other.partial").mkdir()
        before = tree(tmp_path)
        sweep(tmp_path)
        assert tree(tmp_path) == before


class TestFileDigest:
    @pytest.mark.parametrize("content", [b"", bytes(range(256)) * 9000])
    def test_is_the_sha_256_of_the_bytes(self, tmp_path, content):
        (tmp_path / "file").write_bytes(content)
        assert file_digest(tmp_path / "file") == hashlib.sha256(content).hexdigest()

    def test_of_several_files_is_that_of_their_bytes_in_order(self, tmp_path):
        first, second = tmp_path / "first", tmp_path / "second"
        first.write_bytes(b"one")
        second.write_bytes(b"two")
        assert file_digest(first, str(second)) == hashlib.sha256(b"onetwo").hexdigest()
        assert file_digest(second, first) == hashlib.sha256(b"twoone").hexdigest()
