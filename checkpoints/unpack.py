"""Archives unpacked whole or not at all, and never outside their folder."""

import gzip
import shutil
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from tfmetamers.errors import CheckpointError
from tfmetamers.files import written_whole

_DAMAGE = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError)


def require_safe_unpacking() -> None:
    """Raise a ``CheckpointError`` when this Python cannot keep an archive inside its folder."""
    if not hasattr(tarfile, "data_filter"):
        raise CheckpointError(
            "This Python's tarfile cannot keep an archive inside its folder (it has no extraction filter); "
            "update Python to 3.10.12, 3.11.4, 3.12 or later and run the same command again."
        )


def unpack(archive: Path, folder: Path, *, check: Callable[[Path], None]) -> None:
    """Unpack a ``.tar.gz`` archive to ``folder``, which appears once everything in it is there.

    Args:
        archive: the archive; it may hold files and folders only, below its own root.
        folder: the folder to make; one that exists is replaced.
        check: called with the unpacked folder before it gets its name; what it raises keeps it from it.

    Raises:
        CheckpointError: the archive is damaged, or holds a link, a device, an absolute path or one that
            leads out of it; or this Python cannot unpack safely.
        ResultError: the folder cannot be written.
    """
    require_safe_unpacking()
    with written_whole(folder) as partial:
        partial.mkdir()
        _extract(archive, partial)
        check(partial)
        shutil.rmtree(folder, ignore_errors=True)


def _extract(archive: Path, folder: Path) -> None:
    try:
        with gzip.open(archive) as stream:
            with tarfile.open(fileobj=stream, mode="r:") as tar:
                for member in tar:
                    _require_harmless(archive, member)
                    tar.extract(member, folder, filter="data")
            # The checksum of what was unpacked comes last, where tarfile would not look.
            while stream.read(1 << 20):
                pass
    except _DAMAGE as error:
        raise CheckpointError(
            f"{archive.name} is not a complete .tar.gz archive ({error}); "
            "nothing of it was kept, run the same command again to download it anew."
        ) from error


def _require_harmless(archive: Path, member: tarfile.TarInfo) -> None:
    """Refuse what no checkpoint needs, by name, where the extraction filter would say less or rewrite it."""
    path = PurePosixPath(member.name.replace("\\", "/"))
    if not (member.isreg() or member.isdir()):
        kind = "link" if member.issym() or member.islnk() else "special file"
        problem = f"the {kind} {member.name!r}"
    elif path.is_absolute() or ".." in path.parts:
        problem = f"the path {member.name!r}, which leads out of it"
    else:
        return
    raise CheckpointError(
        f"{archive.name} holds {problem}; only files and folders inside the archive are unpacked, "
        "so nothing of it was kept: do not trust the place that it came from."
    )
