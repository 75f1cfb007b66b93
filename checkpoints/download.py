"""One file over HTTP, resumed where an earlier attempt stopped, and never spliced from two versions."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import requests

from tfmetamers.errors import CheckpointError

Progress = Callable[[int, int | None], None]

_CONNECT_AND_READ_SECONDS = (15, 60)
_BLOCK_BYTES = 1 << 18
_BAD_ADDRESS = (requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema, requests.exceptions.InvalidURL)


class _Version(NamedTuple):
    """Which version of a file a server has, told by a strong ETag or else by Last-Modified."""

    url: str
    validator: str | None
    total: int | None


def download(url: str, part: Path, *, progress: Progress | None = None) -> None:
    """Download ``url`` to the file ``part``, resuming an earlier download of the same version.

    A download is resumed only if the server gave the file's version and length, and still has that version;
    otherwise it starts again. The version is kept beside the part, in a file with the additional suffix ``.json``.

    Args:
        url: address of the file.
        part: where the bytes go; it is kept after a failure, so that a later call can resume.
        progress: called after each block with the number of bytes received and the total, None if unknown.

    Raises:
        CheckpointError: the address is not a valid HTTP one; the server cannot be reached, refuses, or sends fewer
            bytes than it announced; or the connection broke.
        OSError: the part cannot be written.
    """
    try:
        _receive(url, part, progress)
    except _BAD_ADDRESS as error:
        raise CheckpointError(f"{url} is not a valid http or https address ({error}); correct it.") from error
    except requests.RequestException as error:
        received = _received(part)
        remedy = f"run the same command again ({received} bytes are kept)" if received else "try again later"
        raise CheckpointError(
            f"The download of {url} {'was interrupted' if received else 'did not start'} ({_cause(error)}); {remedy}."
        ) from error


def discard(part: Path) -> None:
    """Remove a part and the record of its version."""
    part.unlink(missing_ok=True)
    _version_file(part).unlink(missing_ok=True)


def _receive(url: str, part: Path, progress: Progress | None) -> None:
    earlier = _resumable(url, part)
    start = _received(part) if earlier else 0
    if earlier and start == earlier.total:
        return
    # Without "identity" a server may compress what it sends, and lengths would not be those of the file.
    headers = {"Accept-Encoding": "identity"}
    if earlier:
        headers |= {"Range": f"bytes={start}-", "If-Range": earlier.validator}
    with requests.get(url, headers=headers, stream=True, timeout=_CONNECT_AND_READ_SECONDS) as response:
        version = _version(url, response)
        if earlier and response.status_code in (206, 416):
            if not _resumes(response, version, earlier, start):
                discard(part)
                return _receive(url, part, progress)
            version = earlier
        else:
            start = 0
            if response.status_code != 200:
                raise CheckpointError(
                    f"The server answered {response.status_code} {response.reason} for {url}; run the same command "
                    "again later, or get the file from elsewhere if it has moved."
                )
        _write(response, part, start, version, progress)
    if version.total not in (None, received := _received(part)):
        raise CheckpointError(
            f"The download of {url} was interrupted after {received} of {version.total} bytes; run the same command "
            "again."
        )


def _resumable(url: str, part: Path) -> _Version | None:
    """Return the version that ``part`` is the beginning of, or None when it cannot be resumed."""
    try:
        version = _Version(**json.loads(_version_file(part).read_text(encoding="utf-8")))
        fits = version.url == url and version.validator and 0 < _received(part) <= version.total
        return version if fits else None
    except (OSError, ValueError, TypeError):
        return None


def _resumes(response: requests.Response, version: _Version, earlier: _Version, start: int) -> bool:
    """Return whether a response carries exactly the bytes that follow those already received."""
    following = f"bytes {start}-{earlier.total - 1}/{earlier.total}"
    same_range = response.status_code == 206 and response.headers.get("Content-Range") == following
    # Some servers ignore If-Range, so the version is compared once more.
    return same_range and version.validator in (None, earlier.validator)


def _version(url: str, response: requests.Response) -> _Version:
    headers = response.headers
    etag, length = headers.get("ETag", "W/"), headers.get("Content-Length", "")
    # If-Range takes strong validators only.
    validator = headers.get("Last-Modified") if etag.startswith("W/") else etag
    return _Version(url, validator, int(length) if length.isdigit() else None)


def _write(response: requests.Response, part: Path, start: int, version: _Version, progress: Progress | None) -> None:
    received = start
    with part.open("ab" if start else "wb") as stream:
        # Written once the part is empty, so that an old part is never recorded as the new version.
        if not start:
            _version_file(part).write_text(json.dumps(version._asdict()), encoding="utf-8")
        for block in response.iter_content(_BLOCK_BYTES):
            stream.write(block)
            received += len(block)
            if progress:
                progress(received, version.total)


def _received(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _version_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _cause(error: Exception) -> str:
    """Return the innermost reason of a failed request, without what requests and urllib3 wrap around it."""
    within = [item for item in (getattr(error, "reason", None), *error.args) if isinstance(item, Exception)]
    return _cause(within[0]) if within else str(error)
