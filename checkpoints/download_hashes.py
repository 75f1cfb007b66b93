"""The hashes of first downloads, kept in the cache folder so that later downloads can be compared with them."""

import json
from pathlib import Path

from filelock import FileLock

from tfmetamers.errors import CheckpointError
from tfmetamers.utilities.files import atomic_write
from tfmetamers.utilities.json_files import read_json, typed


def hashes_file(cache: Path) -> Path:
    """Return the path of the file in which a cache folder keeps its hashes."""
    return cache / "downloads.json"


def read_hashes(cache: Path) -> dict[str, str]:
    """Return every recorded SHA-256: of downloads by URL, of an entry's files by ``CatalogEntry.address``.

    Raises:
        CheckpointError: the file of hashes is damaged.
    """
    path = hashes_file(cache)
    try:
        return typed(read_json(path), dict[str, str]) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{path}, which keeps the hashes of earlier downloads, is damaged; delete it, and they will be recorded "
            "again."
        ) from error


def add_hashes(cache: Path, hashes: dict[str, str]) -> None:
    """Add hashes to those that ``read_hashes`` returns.

    Raises:
        CheckpointError: the file of hashes is damaged.
        ResultError: it cannot be written.
    """
    with FileLock(cache / ".downloads.lock"):
        recorded = read_hashes(cache) | hashes
        with atomic_write(hashes_file(cache)) as partial:
            partial.write_text(json.dumps(recorded, indent=2, sort_keys=True) + "\n", encoding="utf-8")
