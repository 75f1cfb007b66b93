"""Files that are written whole or not at all, and digests of what they hold."""

import contextlib
import functools
import hashlib
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import filelock

from tfmetamers.errors import BusyError, ResultError

#: What NumPy raises on archives that are cut short or altered, or lack a part.
ARCHIVE_ERRORS = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside ``path``, and rename it to ``path`` when the block succeeds.

    The block may make a file or a folder there. A file replaces an existing one; a folder does not. When the block
    fails, nothing of it remains and ``path`` is as it was.

    Raises:
        ResultError: the file cannot be written (no permission, no space left, a limit on its size).
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        enclosing = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent))
    except OSError as error:
        raise ResultError(_cannot_write(path, error)) from error
    partial = enclosing / path.name
    try:
        yield partial
        _make_durable(partial)
        partial.replace(path)
    except OSError as error:
        raise ResultError(_cannot_write(path, error)) from error
    finally:
        shutil.rmtree(enclosing, ignore_errors=True)


def _make_durable(path: Path) -> None:
    """Have the operating system write the bytes to disk, so that a rename never outlives them."""
    for file in path.rglob("*") if path.is_dir() else [path]:
        if file.is_file():
            with file.open("rb") as stream:
                os.fsync(stream.fileno())


def _cannot_write(path: Path, error: OSError) -> str:
    # NumPy says "3072 requested and 718 written" and nothing of a full disk.
    reason = error.strerror or f"the disk may be full ({error})"
    return (
        f"{path} cannot be written: {reason}. "
        "Nothing was left half written. Give another folder, or make room there, and run the command again."
    )


@contextlib.contextmanager
def file_lock(file: Path, folder: Path, written: Path, *, busy: str, remedy: str) -> Iterator[None]:
    """Hold a lock file, so that no other process writes to the same place; it is deleted at the end.

    Args:
        file: the lock file.
        folder: a folder to make first if it does not exist.
        written: what is to be written, for the message.
        busy: the message if another process holds the lock.
        remedy: what to do if the lock cannot be made, for the message.

    Raises:
        BusyError: another process holds the lock.
        ResultError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(file, blocking=False).acquire()
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


def file_digest(*paths: str | os.PathLike) -> str:
    """Return the SHA-256 of the bytes of one file, or of several files one after another, in hexadecimal.

    Files that have not changed since are not read again by the same process.
    """
    states = [(os.fspath(path), os.stat(path)) for path in paths]
    return _digest(tuple((path, state.st_size, state.st_mtime_ns) for path, state in states))


@functools.lru_cache(maxsize=10_000)
def _digest(files: tuple[tuple[str, int, int], ...]) -> str:
    digest = hashlib.sha256()
    for path, *_ in files:
        with open(path, "rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
