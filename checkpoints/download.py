"""One file over HTTP, resumed where an earlier attempt stopped, and never spliced from two versions."""

import contextlib
import dataclasses
import json
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from tfmetamers.errors import CheckpointError, shown
from tfmetamers.utilities.files import atomic_write
from tfmetamers.utilities.json_files import read_json, typed

Progress = Callable[[int, int | None], None]

#: The largest number of redirects.
MAX_REDIRECTS = 10

_CONNECT_AND_READ_SECONDS = (15, 60)
_BLOCK_BYTES = 1 << 18


@dataclass(frozen=True)
class _Version:
    """Which version of a file a server has, by a strong ETag or else by Last-Modified."""

    url: str
    validator: str | None
    total: int | None


def download(url: str, part: Path, *, max_bytes: int, progress: Progress | None = None) -> None:
    """Download ``url`` to the file ``part``, resuming an earlier download of the same version.

    A download is resumed only if the server gave the file's version and length, and still has that version;
    otherwise it starts again. The version is kept beside the part, in a file with the additional suffix ``.json``.
    (``pooch`` and other libraries that fetch files do not resume, and some of these have 2 GB.)

    Args:
        url: address of the file.
        part: where the bytes go; it is kept after a failure, so that a later call can resume. A link in its place is
            removed, not followed.
        max_bytes: the largest size of the file; nothing is kept of a larger one.
        progress: called after each block with the number of bytes received and the total, None if unknown.

    Raises:
        CheckpointError: the address, or one that the server leads to, is not a valid HTTP one, or leads from an
            encrypted connection to one that is not; the server cannot be reached, refuses, or sends fewer bytes than it
            announced, or more than the file can have; or the connection broke.
        OSError: the part cannot be written.
    """
    for path in (part, _version_file(part)):
        _remove_link(path)
    try:
        _receive(url, part, max_bytes, progress)
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


def _receive(url: str, part: Path, max_bytes: int, progress: Progress | None) -> None:
    earlier = _resumable(url, part)
    start = _received(part) if earlier else 0
    if earlier and start == earlier.total:
        return
    # Without "identity" a server may compress what it sends, and lengths would not be those of the file.
    headers = {"Accept-Encoding": "identity"}
    if earlier:
        headers |= {"Range": f"bytes={start}-", "If-Range": earlier.validator}
    with _get(url, headers) as response:
        version = _version(url, response)
        if earlier and response.status_code in (206, 416):
            if not _resumes(response, version, earlier, start):
                discard(part)
                return _receive(url, part, max_bytes, progress)
            version = earlier
        else:
            start = 0
            if response.status_code != 200:
                raise CheckpointError(
                    f"The server answered {response.status_code} {response.reason} for {url}; run the same command "
                    "again later, or get the file from elsewhere if it has moved."
                )
        if version.total is not None and version.total > max_bytes:
            raise _too_large(url, version.total, max_bytes)
        _write(response, part, start, version, max_bytes, progress)
    if version.total not in (None, received := _received(part)):
        raise CheckpointError(
            f"The download of {url} was interrupted after {received} of {version.total} bytes; run the same command "
            "again."
        )


def _get(url: str, headers: dict[str, str]) -> requests.Response:
    """Request a file, following redirects as long as these are as safe as the first address."""
    address = url
    for _ in range(MAX_REDIRECTS + 1):
        try:
            response = requests.get(
                address, headers=headers, stream=True, timeout=_CONNECT_AND_READ_SECONDS, allow_redirects=False
            )
            if not response.is_redirect:
                return response
            response.close()
            following = urljoin(address, response.headers["location"])
            scheme, host = urlsplit(following).scheme, urlsplit(following).hostname
        # Each of the libraries has its own errors for an invalid address.
        except (ValueError, urllib3.exceptions.LocationParseError) as error:
            raise CheckpointError(
                f"{shown(address)} is not a valid http or https address, or leads to one that is not ({error}); "
                "correct it, or get the file from elsewhere."
            ) from error
        if scheme not in ("http", "https") or not host:
            raise CheckpointError(
                f"{address} leads to {shown(following)}, which is not http or https; get the file elsewhere."
            )
        if scheme == "http" and urlsplit(address).scheme == "https":
            raise CheckpointError(
                f"{address} leads from https to {shown(following)}, where anybody on the way could change the file; "
                "get it from elsewhere."
            )
        address = following
    raise CheckpointError(f"{url} is redirected more than {MAX_REDIRECTS} times; try again later.")


def _resumable(url: str, part: Path) -> _Version | None:
    """Return the version that ``part`` is the beginning of, or None when it cannot be resumed."""
    try:
        version = typed(read_json(_version_file(part)), _Version)
    except (OSError, ValueError):
        return None
    is_known = version.url == url and version.validator and version.total is not None
    return version if is_known and 0 < _received(part) <= version.total else None


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


def _write(
    response: requests.Response, part: Path, start: int, version: _Version, max_bytes: int, progress: Progress | None
) -> None:
    received = start
    with _open_part(part, is_continued=bool(start)) as stream:
        # Written once the part is empty, so that an old part is never recorded as the new version.
        if not start:
            with atomic_write(_version_file(part)) as partial:
                partial.write_text(json.dumps(dataclasses.asdict(version)), encoding="utf-8")
        for block in response.iter_content(_BLOCK_BYTES):
            received += len(block)
            if received > max_bytes:
                discard(part)
                raise _too_large(version.url, received, max_bytes)
            stream.write(block)
            if progress:
                progress(received, version.total)


def _open_part(part: Path, is_continued: bool) -> BinaryIO:
    flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if is_continued else os.O_TRUNC)
    return os.fdopen(os.open(part, flags | getattr(os, "O_NOFOLLOW", 0), 0o666), "ab" if is_continued else "wb")


def _remove_link(path: Path) -> None:
    """Remove a link to another file, where somebody else may want the bytes to go."""
    with contextlib.suppress(FileNotFoundError):
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
            path.unlink()


def _too_large(url: str, size: int, max_bytes: int) -> CheckpointError:
    return CheckpointError(
        f"{url} has at least {size:,} bytes, but the published file at most {max_bytes:,}: it is another file, and was "
        "not kept; get the published one from elsewhere."
    )


def _received(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _version_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _cause(error: Exception) -> str:
    """Return the innermost reason of a failed request, without what requests and urllib3 wrap around it."""
    within = [item for item in (getattr(error, "reason", None), *error.args) if isinstance(item, Exception)]
    return _cause(within[0]) if within else str(error)
