"""Regular files, opened and read with bounds: whatever a path leads to, reading it ends."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from tfmetamers.errors import TfmetamersError


def require_file(path: Path, expected: str, error_type: type[TfmetamersError]) -> None:
    """Refuse a path where there is no file.

    Args:
        path: the path.
        expected: what to give, for the message.
        error_type: the type of error to raise.

    Raises:
        TfmetamersError: there is no file; the error has the given type.
    """
    if not os.path.isfile(path):  # Which takes what cannot be a path for a missing file.
        raise error_type(f"There is no file {path}; give {expected}.")


def regular_status(path: str | os.PathLike) -> os.stat_result:
    """Return the status of a regular file.

    Raises:
        OSError: there is no such file, or it is something else: a folder, a device, or a FIFO, which waits for a
            writer for ever.
    """
    try:
        status = os.stat(path)
    except ValueError as error:  # A null character in the path.
        raise OSError(errno.EINVAL, "this cannot be the name of a file", os.fspath(path)) from error
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is a device or a pipe, not a file", os.fspath(path))
    return status


def open_regular(path: str | os.PathLike) -> BinaryIO:
    """Open a regular file for reading.

    Raises:
        OSError: as `regular_status` does, or it cannot be opened.
    """
    regular_status(path)
    return Path(path).open("rb")


def read_regular(path: str | os.PathLike, max_bytes: int) -> bytes:
    """Return the bytes of a regular file that is not larger than expected.

    Args:
        path: the file.
        max_bytes: the largest size that is expected.

    Raises:
        OSError: as `regular_status` does, it cannot be read, or it is larger.
    """
    with open_regular(path) as stream:
        content = stream.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise OSError(errno.EFBIG, f"it has more than the {max_bytes:,} bytes that were expected at most", str(path))
    return content


def read_text(path: str | os.PathLike, max_bytes: int) -> str:
    """Return the text of a regular file in UTF-8, with or without a byte order mark.

    Args:
        path: the file.
        max_bytes: the largest size that is expected.

    Raises:
        OSError: as `read_regular` does.
        ValueError: it is not UTF-8.
    """
    return read_regular(path, max_bytes).decode("utf-8-sig")
