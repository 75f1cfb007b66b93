"""Files that are written whole or not at all, what killed processes leave of them, and digests of what they hold."""

import contextlib
import functools
import glob
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import filelock

from tfmetamers.errors import BusyError, ResultError
from tfmetamers.utilities.regular_files import open_regular, regular_status

#: How the names end of the folders in which `atomic_write` has files written, and of locks (`lock_beside`); no other
#: program's files are taken for one of them.
_PARTIAL, _LOCK = ".tfmetamers.partial", ".tfmetamers.lock"

#: How often a lock is tried for whose folder another process removes in the same moment.
LOCK_ATTEMPTS = 5

#: The name of a partial file's folder begins with up to this many characters of the file's own.
_SHOWN = 50


def is_partial(name: str) -> bool:
    """Tell whether a name is that of a temporary folder of `atomic_write`."""
    return name.startswith(".") and name.endswith(_PARTIAL)


def is_lock(name: str) -> bool:
    """Tell whether a name is one that `lock_beside` gives."""
    return name.startswith(".") and name.endswith(_LOCK)


def lock_beside(path: Path) -> Path:
    """Return the path of the lock file of what is written to a path."""
    return path.with_name(f".{path.name}{_LOCK}")


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside ``path``, and rename it to ``path`` when the block succeeds.

    The block may make a file or a folder there. A file replaces an existing one; a folder does not. When the block
    fails, nothing of it remains and ``path`` is as it was. What a process that was killed had begun to write to the
    same path is removed first.

    Raises:
        ResultError: the file cannot be written (no permission, no space left, a limit on its size).
    """
    path = Path(path)
    try:
        made = _make_folders(path.parent)
        sweep_beside(path)
        enclosing, lock = _own_folder(path)
    except OSError as error:
        raise ResultError(_cannot_write(path, error)) from error
    partial = enclosing / path.name
    with lock:
        try:
            yield partial
            _make_durable(partial)
            partial.replace(path)
            for folder in {path.parent, *(folder.parent for folder in made)}:
                _synchronize(folder)
        except OSError as error:
            raise ResultError(_cannot_write(path, error)) from error
        finally:
            shutil.rmtree(enclosing, ignore_errors=True)


def _make_folders(folder: Path) -> list[Path]:
    """Make a folder and those above it, and return those that did not exist."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _own_folder(path: Path) -> tuple[Path, filelock.BaseFileLock]:
    """Return a new folder beside a path, and the lock that shows other processes that its process is running."""
    enclosing = Path(tempfile.mkdtemp(prefix=f".{path.name[:_SHOWN]}.", suffix=_PARTIAL, dir=path.parent))
    return enclosing, filelock.FileLock(enclosing / ".lock", blocking=False).acquire()


def _make_durable(path: Path) -> None:
    """Have the operating system write bytes and names to disk, so that a rename never outlives them."""
    for each in [*path.rglob("*"), path] if path.is_dir() else [path]:
        if each.is_file() or each.is_dir():
            _synchronize(each)


def _synchronize(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError) if path.is_dir() else contextlib.nullcontext():
            os.fsync(descriptor)  # Which some file systems do not have for folders.
    finally:
        os.close(descriptor)


def sweep(folder: str | os.PathLike) -> None:
    """Remove what processes that were killed left below a folder: what they were just writing, and their locks.

    What running processes are working on is left alone.
    """
    for parent, folders, files in os.walk(folder):
        for name in filter(is_partial, list(folders)):
            folders.remove(name)
            _remove_unless_held(Path(parent, name))
        for name in filter(is_lock, files):
            with contextlib.suppress(OSError, filelock.Timeout), filelock.FileLock(Path(parent, name), blocking=False):
                Path(parent, name).unlink()


def sweep_beside(path: Path) -> None:
    """Remove what processes that were killed left of what they were writing to a path."""
    for left in path.parent.glob(f".{glob.escape(path.name[:_SHOWN])}.*{_PARTIAL}"):
        _remove_unless_held(left)


def _remove_unless_held(enclosing: Path) -> None:
    with contextlib.suppress(OSError, filelock.Timeout), filelock.FileLock(enclosing / ".lock", blocking=False):
        shutil.rmtree(enclosing, ignore_errors=True)


def _cannot_write(path: Path, error: OSError) -> str:
    # NumPy says "3072 requested and 718 written", and does not mention a full disk.
    reason = error.strerror or f"the disk may be full ({error})"
    return (
        f"{path} cannot be written: {reason}. "
        "Nothing was left half written. Give another folder or make room there, and run the command again."
    )


@contextlib.contextmanager
def file_lock(file: Path, folder: Path, written: Path, *, busy: str, remedy: str) -> Iterator[None]:
    """Hold a lock file, so that no other process writes to the same place; it is deleted at the end.

    Args:
        file: the lock file.
        folder: a folder to make first if it does not exist; it is removed if it is still empty at the end.
        written: what is to be written, for the message.
        busy: the message if another process holds the lock.
        remedy: what to do if the lock cannot be made, for the message.

    Raises:
        BusyError: another process holds the lock.
        ResultError: it cannot be made.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        lock = _acquired(file, folder)
    except filelock.Timeout as error:
        raise BusyError(busy) from error
    except OSError as error:
        raise ResultError(f"{written} cannot be written: {error.strerror or error}. {remedy}") from error
    with lock:
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                file.unlink()
                for path in made:
                    path.rmdir()  # Which fails for the first that is not empty.


def _acquired(file: Path, folder: Path):
    """Return the lock of a file in a folder that is made first; held."""
    for attempt in range(LOCK_ATTEMPTS):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return filelock.FileLock(file, blocking=False).acquire()
        except FileNotFoundError:  # Another process has just removed the folder, which was empty.
            if attempt == LOCK_ATTEMPTS - 1:
                raise


def file_digest(*paths: str | os.PathLike) -> str:
    """Return the SHA-256 of the bytes of one file, or of several files one after another, in hexadecimal.

    Files that have not changed since are not read again by the same process.

    Raises:
        OSError: one is missing, cannot be read, or is not a regular file.
    """
    states = [(os.fspath(path), regular_status(path)) for path in paths]
    return _digest(tuple((path, state.st_size, state.st_mtime_ns) for path, state in states))


@functools.lru_cache(maxsize=10_000)
def _digest(files: tuple[tuple[str, int, int], ...]) -> str:
    digest = hashlib.sha256()
    for path, *_ in files:
        with open_regular(path) as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
