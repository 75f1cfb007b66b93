"""Archives unpacked whole or not at all, and never outside their folder."""

import gzip
import shutil
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

from tfmetamers.errors import CheckpointError
from tfmetamers.utilities.files import atomic_write

#: The largest number of files in an archive.
MAX_FILES = 10_000

_DAMAGE = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError, OverflowError)


def unpack(archive: Path, folder: Path, *, max_bytes: int, check: Callable[[Path], None]) -> None:
    """Unpack a ``.tar.gz`` archive to ``folder``, which appears once everything in it is there.

    Args:
        archive: the archive; it may hold only files and folders, below its own root.
        folder: the folder to make; an existing one is replaced.
        max_bytes: the most that all its files are expected to have.
        check: called with the unpacked folder before it is renamed to ``folder``; if it raises, nothing is kept.

    Raises:
        CheckpointError: the archive is damaged, holds more than expected, or has a link, a device, or a path that
            leads outside the folder.
        ResultError: the folder cannot be written.
    """
    with atomic_write(folder) as partial:
        partial.mkdir()
        try:
            with gzip.open(archive) as stream:
                with tarfile.open(fileobj=stream, mode="r:") as tar:
                    taken = 0
                    for number, member in enumerate(tar):
                        taken += member.size
                        if taken > max_bytes or number >= MAX_FILES:
                            raise _too_much(archive, max_bytes)
                        _extract(tar, member, partial.resolve(), archive.name)
                # The checksum comes last, where tarfile does not look.
                while stream.read(1 << 20):
                    if stream.tell() > 2 * max_bytes:
                        raise _too_much(archive, max_bytes)
        except _DAMAGE as error:
            raise CheckpointError(
                f"{archive.name} is not a complete .tar.gz archive ({error}), and was not kept; run the same command "
                "again to download it once more."
            ) from error
        check(partial)
        shutil.rmtree(folder, ignore_errors=True)


def _too_much(archive: Path, max_bytes: int) -> CheckpointError:
    return CheckpointError(
        f"{archive.name} holds more than {max_bytes:,} bytes or {MAX_FILES:,} files, unlike the published archive, and "
        "was not kept; do not trust its source."
    )


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, archive: str) -> None:
    """Write one file or folder of an archive, keeping only its name and content."""
    # A backslash separates folders as on Windows, so that an archive is accepted on every system or on none.
    path = (folder / member.name.replace("\\", "/")).resolve()
    if not (member.isreg() or member.isdir()) or not path.is_relative_to(folder):
        raise CheckpointError(
            f"{archive} has {member.name!r}, which is a link, a special file or a path that leads outside its folder; "
            "it was not kept; do not trust its source."
        )
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with tar.extractfile(member) as source, path.open("wb") as target:
        shutil.copyfileobj(source, target)
