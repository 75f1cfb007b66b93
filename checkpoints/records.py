"""Hashes of what was downloaded first, kept in the cache folder so that later downloads can be compared."""

import json
from pathlib import Path

from filelock import FileLock

from tfmetamers.errors import CheckpointError
from tfmetamers.files import written_whole


def records_file(cache: Path) -> Path:
    """Return the path of the file in which a cache folder keeps its hashes."""
    return cache / "downloads.json"


def recorded_download(cache: Path, url: str) -> str | None:
    """Return the SHA-256 of the first complete download of ``url``, or None when there was none.

    Raises:
        CheckpointError: the file of recorded hashes is damaged.
    """
    return _read(cache)["downloads"].get(url)


def recorded_checkpoint(cache: Path, name: str) -> str | None:
    """Return the SHA-256 that the files of the entry ``name`` had when they were fetched, or None.

    Raises:
        CheckpointError: the file of recorded hashes is damaged.
    """
    return _read(cache)["checkpoints"].get(name)


def record(cache: Path, *, downloads: dict[str, str], checkpoints: dict[str, str]) -> None:
    """Add SHA-256 hashes to those that a cache folder keeps.

    Args:
        cache: the cache folder.
        downloads: hash of the downloaded file, by its URL in the catalogue.
        checkpoints: hash of the checkpoint's files, by the name of its entry.

    Raises:
        CheckpointError: the file of recorded hashes is damaged.
        ResultError: it cannot be written.
    """
    with FileLock(cache / ".downloads.lock"):
        records = _read(cache)
        records["downloads"].update(downloads)
        records["checkpoints"].update(checkpoints)
        with written_whole(records_file(cache)) as partial:
            partial.write_text(json.dumps(records, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _read(cache: Path) -> dict[str, dict[str, str]]:
    path = records_file(cache)
    if not path.exists():
        return {"downloads": {}, "checkpoints": {}}
    try:
        records = json.loads(path.read_text(encoding="utf-8"))
        return {"downloads": dict(records["downloads"]), "checkpoints": dict(records["checkpoints"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{path}, which keeps the hashes of earlier downloads, is damaged; remove it to record them anew."
        ) from error
