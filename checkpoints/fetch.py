"""Published files fetched into the cache folder: downloaded, checked, unpacked, and recorded."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from filelock import FileLock, Timeout

from tfmetamers.checkpoints.catalog import CatalogEntry, cache_folder
from tfmetamers.checkpoints.download import Progress, discard, download
from tfmetamers.checkpoints.download_hashes import add_hashes, hashes_file, read_hashes
from tfmetamers.checkpoints.layout import find_checkpoint
from tfmetamers.checkpoints.unpack import unpack
from tfmetamers.errors import CheckpointError
from tfmetamers.utilities.files import atomic_write, file_digest, sweep
from tfmetamers.utilities.regular_files import open_regular

#: An archive of weights, which hardly compress, may unpack to this many times its largest size.
MAX_GROWTH = 3


def fetch_entry(entry: CatalogEntry, *, cache: Path | None = None, progress: Progress | None = None) -> Path:
    """Get an entry of the catalogue into the cache, and return the path to give to a reader.

    A complete file is left as it is, unless it has changed, which is an error; an interrupted download is resumed.

    Args:
        entry: the entry, as ``find_entry`` returns it.
        cache: the folder to keep it in; ``cache_folder()`` by default.
        progress: called with the number of bytes received and the total, None if the server does not give it.

    Raises:
        CheckpointError: the file cannot be downloaded, is not the published one or the one downloaded before, cannot be
            unpacked safely, has changed since it was fetched, or is being fetched by another process; or the disk is
            full.
        ResultError: the download cannot be unpacked or recorded for lack of space or permission.
    """
    cache = cache_folder() if cache is None else Path(cache)
    found = entry.location(cache)
    if found is not None:
        hashes = read_hashes(cache)
        if entry.url in hashes and entry.address not in hashes:
            # The archive was fetched for another of its entries.
            add_hashes(cache, {entry.address: _checkpoint_digest(entry, found)})
        check_unchanged(entry, found, cache)
        return found
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / f".{entry.file}.lock", timeout=0):
            sweep(cache)
            _fetch(entry, cache, progress)
    except Timeout as error:
        raise CheckpointError(
            f"Another process is already fetching {entry.file} into {cache}; wait until it is done."
        ) from error
    except OSError as error:
        raise CheckpointError(
            f"{cache} cannot be written: {error.strerror or error}; make room there or move the cache with "
            "TFMETAMERS_CACHE, and run the same command again to resume."
        ) from error
    return entry.location(cache)


def check_unchanged(entry: CatalogEntry, found: Path, cache: Path | None = None) -> None:
    """Refuse a checkpoint of the cache that is not what was fetched.

    Args:
        entry: its entry of the catalogue.
        found: its path.
        cache: the folder that it is kept in; ``cache_folder()`` by default.

    Raises:
        CheckpointError: its hash is not the one that was recorded then.
    """
    cache = cache_folder() if cache is None else Path(cache)
    recorded = read_hashes(cache).get(entry.address)
    if recorded is not None and recorded != _checkpoint_digest(entry, found):
        raise CheckpointError(
            f"{found} has changed since it was fetched: its SHA-256 is not {recorded}, the one in "
            f"{hashes_file(cache)}. Delete {cache / (entry.folder if entry.archive else entry.file)}, and fetch it "
            "again."
        )


def _fetch(entry: CatalogEntry, cache: Path, progress: Progress | None) -> None:
    part = cache / f"{entry.file}.part"
    download(entry.url, part, max_bytes=entry.max_bytes, progress=progress)
    try:
        digest = file_digest(part)
        _require_hash(entry, cache, digest)
        if entry.archive:
            unpack(
                part,
                cache / entry.folder,
                max_bytes=MAX_GROWTH * entry.max_bytes,
                check=lambda folder: _accept(entry, cache, folder, digest),
            )
        else:
            _require_published(entry, {entry.file: part})
            add_hashes(cache, {entry.url: digest, entry.address: _checkpoint_digest(entry, part)})
            with atomic_write(cache / entry.file) as partial:
                part.replace(partial)
    except CheckpointError:
        # A wrong file would only be refused again.
        discard(part)
        raise
    discard(part)


def _require_hash(entry: CatalogEntry, cache: Path, digest: str) -> None:
    """Compare the SHA-256 of a complete download with that of the first one."""
    first = read_hashes(cache).get(entry.url)
    if first not in (None, digest):
        raise CheckpointError(
            f"The download of {entry.file} has the SHA-256 {digest}, but the first download had {first} (recorded in "
            f"{hashes_file(cache)}): the file was changed or damaged, and was not kept; run the same command again, "
            "or get the file from elsewhere."
        )


def _require_published(entry: CatalogEntry, files: Mapping[str, Path]) -> None:
    """Compare the MD5 of files, by their names, with those that others have published."""
    for name, published in entry.md5.items():
        digest = hashlib.md5(usedforsecurity=False)
        with open_regular(files[name]) as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
        if digest.hexdigest() != published:
            raise CheckpointError(
                f"{name} has the MD5 {digest.hexdigest()}, but {published} was published ({entry.md5_source}): it is "
                "another file, and was not kept; get the published one from elsewhere."
            )


def _accept(entry: CatalogEntry, cache: Path, folder: Path, digest: str) -> None:
    """Require that an unpacked archive holds what the catalogue says, and record its hashes."""
    checkpoint = entry.location_in(folder)
    if checkpoint is None:
        held = sorted(path.name for path in folder.rglob("*") if path.is_file())
        raise CheckpointError(
            f"{entry.file} contains {', '.join(held[:8]) or 'no file'}, but not all of "
            f"{', '.join((entry.checkpoint, *entry.files))}: it is not the published archive, and was not kept; get "
            "that one from elsewhere."
        )
    _require_published(entry, {path.name: path for path in folder.rglob("*")})
    add_hashes(cache, {entry.url: digest, entry.address: _checkpoint_digest(entry, checkpoint)})


def _checkpoint_digest(entry: CatalogEntry, path: Path) -> str:
    """Return the SHA-256 of an entry's files, after checking that they exist and are of the right kind."""
    files = find_checkpoint(path)[2] if entry.format in ("V1", "V2") else (path,)
    return file_digest(*files)
