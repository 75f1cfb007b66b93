"""Published files fetched into the cache folder: downloaded, checked, unpacked, and recorded."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from tfmetamers.checkpoints.catalog import CatalogEntry, cache_folder, find_entry
from tfmetamers.checkpoints.download import Progress, discard, download
from tfmetamers.checkpoints.layout import find_checkpoint
from tfmetamers.checkpoints.records import record, recorded_download, records_file
from tfmetamers.checkpoints.unpack import require_safe_unpacking, unpack
from tfmetamers.errors import CheckpointError, ResultError
from tfmetamers.files import file_digest


def fetch(name: str, *, cache: Path | None = None, progress: Progress | None = None, url: str | None = None) -> Path:
    """Get an entry of the catalogue into the cache, and return the path to give to a reader.

    What is complete is left as it is; what broke off is continued.

    Args:
        name: the entry of the catalogue.
        cache: the folder to keep it in; ``cache_folder()`` by default.
        progress: called with the bytes that are there and the total, or None where the server gives none.
        url: where to get the same file instead of where the catalogue says.

    Raises:
        ArgumentError: the catalogue has no such entry.
        CheckpointError: it cannot be downloaded, is not the file that was published or recorded, cannot be
            unpacked safely, or is being fetched by another process; or the disk is full.
    """
    return fetch_entry(find_entry(name), cache=cache, progress=progress, url=url)


def fetch_entry(
    entry: CatalogEntry,
    *,
    cache: Path | None = None,
    progress: Progress | None = None,
    url: str | None = None,
) -> Path:
    """Do what ``fetch`` does, for an entry that need not be in the catalogue."""
    cache = cache_folder() if cache is None else Path(cache)
    found = entry.location(cache)
    if found is not None:
        return found
    if entry.archive:
        require_safe_unpacking()
    with _alone(entry, cache):
        part = cache / f"{entry.file}.part"
        download(url or entry.url, part, size=entry.size, progress=progress)
        digest = _checked_digest(entry, cache, part)
        _publish(entry, cache, part, digest)
    return entry.location(cache)


@contextlib.contextmanager
def _alone(entry: CatalogEntry, cache: Path) -> Iterator[None]:
    """Keep every other process from fetching the same file into the same cache meanwhile."""
    lock = FileLock(cache / f".{entry.file}.lock")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise CheckpointError(
            f"Another process is fetching {entry.file} into {cache} at this moment; wait until it is done."
        ) from error
    except OSError as error:
        raise CheckpointError(
            f"{cache} cannot be written: {error.strerror or error}; move the cache with TFMETAMERS_CACHE."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _checked_digest(entry: CatalogEntry, cache: Path, part: Path) -> str:
    """Return the SHA-256 of a complete download, once compared with the published or recorded one."""
    digest = file_digest(part)
    recorded = recorded_download(cache, entry.url)
    if entry.sha256 and digest != entry.sha256:
        discard(part)
        raise CheckpointError(
            f"The download of {entry.file} has the SHA-256 {digest} where the catalogue says {entry.sha256}; "
            "nothing was kept, run the same command again or get the file from elsewhere."
        )
    if recorded and digest != recorded:
        discard(part)
        raise CheckpointError(
            f"The download of {entry.file} has the SHA-256 {digest} where {recorded} was recorded on the "
            f"first download, so it was changed or damaged; nothing was kept; if you trust the new one, "
            f"remove the old hash from {records_file(cache)} and run the same command again."
        )
    return digest


def _publish(entry: CatalogEntry, cache: Path, part: Path, digest: str) -> None:
    """Give a checked download its name in the cache, unpacked, once its hashes are recorded."""
    try:
        if entry.archive:
            unpack(part, cache / entry.folder, check=lambda folder: _accept(entry, cache, folder, digest))
        else:
            _record(entry, cache, part, digest)
            part.replace(cache / entry.file)
    except CheckpointError:
        # What is not the published file would only be found wrong again.
        discard(part)
        raise
    except (ResultError, OSError) as error:
        raise CheckpointError(str(error)) from error
    discard(part)


def _accept(entry: CatalogEntry, cache: Path, folder: Path, digest: str) -> None:
    """Require that an unpacked archive holds what the catalogue says, and record its hashes."""
    checkpoint = entry.checkpoint_in(folder)
    lacking = [name for name in entry.files if not any(folder.rglob(name))]
    if checkpoint is None:
        lacking.insert(0, entry.checkpoint)
    if lacking:
        held = sorted(path.name for path in folder.rglob("*") if path.is_file())
        raise CheckpointError(
            f"{entry.file} holds {', '.join(held[:8]) or 'no file'}, without {', '.join(lacking)}: it is not "
            "the published archive; nothing was kept, get that one from elsewhere."
        )
    _record(entry, cache, checkpoint, digest)


def _record(entry: CatalogEntry, cache: Path, path: Path, digest: str) -> None:
    is_checkpoint = entry.format in ("V1", "V2")
    paths = find_checkpoint(path).files if is_checkpoint else (path,)
    record(cache, downloads={entry.url: digest}, checkpoints={entry.name: file_digest(*paths)})
