"""Published files fetched into the cache folder: downloaded, checked, unpacked, and recorded."""

from pathlib import Path

from filelock import FileLock, Timeout

from tfmetamers.checkpoints.catalog import CatalogEntry, cache_folder
from tfmetamers.checkpoints.download import Progress, discard, download
from tfmetamers.checkpoints.download_hashes import record, recorded_hashes, records_file
from tfmetamers.checkpoints.layout import find_checkpoint
from tfmetamers.checkpoints.unpack import unpack
from tfmetamers.errors import CheckpointError
from tfmetamers.utilities.files import file_digest


def fetch_entry(entry: CatalogEntry, *, cache: Path | None = None, progress: Progress | None = None) -> Path:
    """Get an entry of the catalogue into the cache, and return the path to give to a reader.

    What is complete is left as it is; what broke off is continued.

    Args:
        entry: the entry, as ``find_entry`` returns it.
        cache: the folder to keep it in; ``cache_folder()`` by default.
        progress: called with the bytes that are there and the total, or None where the server gives none.

    Raises:
        CheckpointError: it cannot be downloaded, is not the file that was published or recorded, cannot be
            unpacked safely, or is being fetched by another process; or the disk is full.
        ResultError: what was downloaded cannot be unpacked or recorded for want of space or permission.
    """
    cache = cache_folder() if cache is None else Path(cache)
    found = entry.location(cache)
    if found is not None:
        hashes = recorded_hashes(cache)
        if entry.url in hashes and entry.address not in hashes:
            # The archive was fetched for another entry that it holds too.
            record(cache, {entry.address: _checkpoint_digest(entry, found)})
        return found
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / f".{entry.file}.lock", timeout=0):
            _fetch(entry, cache, progress)
    except Timeout as error:
        raise CheckpointError(
            f"Another process is fetching {entry.file} into {cache} at this moment; wait until it is done."
        ) from error
    except OSError as error:
        raise CheckpointError(
            f"{cache} cannot be written: {error.strerror or error}; make room there or move the cache with "
            "TFMETAMERS_CACHE, and run the same command again to continue."
        ) from error
    return entry.location(cache)


def _fetch(entry: CatalogEntry, cache: Path, progress: Progress | None) -> None:
    part = cache / f"{entry.file}.part"
    download(entry.url, part, size=entry.size, progress=progress)
    try:
        digest = file_digest(part)
        _require_hash(entry, cache, digest)
        if entry.archive:
            unpack(part, cache / entry.folder, check=lambda folder: _accept(entry, cache, folder, digest))
        else:
            record(cache, {entry.url: digest, entry.address: _checkpoint_digest(entry, part)})
            part.replace(cache / entry.file)
    except CheckpointError:
        # What is not the published file would only be found wrong again.
        discard(part)
        raise
    discard(part)


def _require_hash(entry: CatalogEntry, cache: Path, digest: str) -> None:
    """Compare the SHA-256 of a complete download with the published one, or else with the recorded one."""
    known = entry.sha256 or recorded_hashes(cache).get(entry.url)
    if known not in (None, digest):
        source = "in the catalogue" if entry.sha256 else f"of the first download, on record in {records_file(cache)}"
        raise CheckpointError(
            f"The download of {entry.file} has the SHA-256 {digest} where {known} is that {source}, so it was "
            "changed or damaged; nothing was kept, run the same command again or get the file from elsewhere."
        )


def _accept(entry: CatalogEntry, cache: Path, folder: Path, digest: str) -> None:
    """Require that an unpacked archive holds what the catalogue says, and record its hashes."""
    checkpoint = entry.location_in(folder)
    if checkpoint is None:
        held = sorted(path.name for path in folder.rglob("*") if path.is_file())
        raise CheckpointError(
            f"{entry.file} holds {', '.join(held[:8]) or 'no file'} where "
            f"{', '.join((entry.checkpoint, *entry.files))} should be: it is not the published archive; "
            "nothing was kept, get that one from elsewhere."
        )
    record(cache, {entry.url: digest, entry.address: _checkpoint_digest(entry, checkpoint)})


def _checkpoint_digest(entry: CatalogEntry, path: Path) -> str:
    """Return the SHA-256 of an entry's files, once they are seen to be there and of the right kind."""
    files = find_checkpoint(path)[2] if entry.format in ("V1", "V2") else (path,)
    return file_digest(*files)
