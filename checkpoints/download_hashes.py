"""Hashes of what was downloaded first, kept in the cache folder so that later downloads can be compared."""

import json
from pathlib import Path

from filelock import FileLock

from tfmetamers.errors import CheckpointError
from tfmetamers.utilities.files import atomic_write


def records_file(cache: Path) -> Path:
    """Return the path of the file in which a cache folder keeps its hashes."""
    return cache / "downloads.json"


def recorded_hashes(cache: Path) -> dict[str, str]:
    """Return every SHA-256 on record: of downloads by URL, of an entry's files by ``CatalogEntry.address``.

    Raises:
        CheckpointError: the file of recorded hashes is damaged.
    """
    path = records_file(cache)
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointError(
            f"{path}, which keeps the hashes of earlier downloads, is damaged; remove it to record them anew."
        ) from error


def record(cache: Path, hashes: dict[str, str]) -> None:
    """Add hashes to those that ``recorded_hashes`` returns.

    Raises:
        CheckpointError: the file of recorded hashes is damaged.
        ResultError: it cannot be written.
    """
    with FileLock(cache / ".downloads.lock"):
        records = recorded_hashes(cache) | hashes
        with atomic_write(records_file(cache)) as partial:
            partial.write_text(json.dumps(records, indent=2, sort_keys=True) + "\n", encoding="utf-8")
