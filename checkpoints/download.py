"""One file over HTTP, continued where an earlier attempt stopped, and never spliced from two files."""

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
    """What tells one version of a file on a server from another: a strong ETag, or else Last-Modified."""

    url: str
    validator: str | None
    total: int | None


def download(url: str, part: Path, *, size: int | None = None, progress: Progress | None = None) -> None:
    """Download ``url`` to the file ``part``, continuing what is already there when it is of the same version.

    A part is continued only when the server told its version and length, and only if the server says that it
    still has that version; otherwise the download starts again. The version is kept beside the part, in a file
    with the further suffix ``.json``.

    Args:
        url: address of the file.
        part: where the bytes go; it stays there after a failure that a later call can continue from.
        size: bytes that the file must have, where known.
        progress: called after each block with the bytes that are there and the total, or None where unknown.

    Raises:
        CheckpointError: the address is none of HTTP; the server cannot be reached, refuses, or sends a file
            of another length; or the connection broke.
        OSError: the part cannot be written.
    """
    try:
        _receive(url, part, size, progress)
    except _BAD_ADDRESS as error:
        raise CheckpointError(
            f"{url} cannot be downloaded, it is no valid http or https address ({error}); correct it."
        ) from error
    except requests.RequestException as error:
        there = _there(part)
        kept = f"; {there} bytes are kept, and the same command run again continues" if there else "; try again later"
        raise CheckpointError(
            f"The download of {url} {'broke off' if there else 'did not start'} ({_cause(error)}){kept}."
        ) from error


def discard(part: Path) -> None:
    """Remove a part and what identifies its version."""
    part.unlink(missing_ok=True)
    _version_file(part).unlink(missing_ok=True)


def _receive(url: str, part: Path, size: int | None, progress: Progress | None) -> None:
    earlier = _continuable(url, part)
    start = _there(part) if earlier else 0
    if earlier and start == earlier.total:
        return
    # Without "identity" a server may compress what it sends, and lengths would not be those of the file.
    headers = {"Accept-Encoding": "identity"}
    if earlier:
        headers |= {"Range": f"bytes={start}-", "If-Range": earlier.validator}
    with requests.get(url, headers=headers, stream=True, timeout=_CONNECT_AND_READ_SECONDS) as response:
        version = _version(url, response)
        if earlier and response.status_code in (206, 416):
            if not _continues(response, version, earlier, start):
                discard(part)
                return _receive(url, part, size, progress)
            version = earlier
        else:
            start = 0
            if response.status_code != 200:
                raise CheckpointError(
                    f"{url} was answered with {response.status_code} {response.reason} in place of the file; "
                    "run the same command again later, or get it from elsewhere if it has moved."
                )
        if size is not None and version.total not in (None, size):
            raise CheckpointError(
                f"{url} has {version.total} bytes where the catalogue says {size}: it is not the published "
                "file; nothing was downloaded, get the published one from elsewhere and give its path."
            )
        _write(response, part, start, version, progress)
    expected, received = version.total or size, _there(part)
    if expected not in (None, received):
        raise CheckpointError(
            f"The download of {url} broke off after {received} of {expected} bytes; run the same command again."
        )


def _continuable(url: str, part: Path) -> _Version | None:
    """Return the version that ``part`` is the beginning of, or None when it cannot be continued."""
    try:
        version = _Version(**json.loads(_version_file(part).read_text(encoding="utf-8")))
        fits = version.url == url and version.validator and 0 < _there(part) <= version.total
        return version if fits else None
    except (OSError, ValueError, TypeError):
        return None


def _continues(response: requests.Response, version: _Version, earlier: _Version, start: int) -> bool:
    """Say whether a response carries exactly the bytes that follow the ones that are there."""
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
        # Written only after the part is empty, so that an old part never gets a new version's name.
        if not start:
            _version_file(part).write_text(json.dumps(version._asdict()), encoding="utf-8")
        for block in response.iter_content(_BLOCK_BYTES):
            stream.write(block)
            received += len(block)
            if progress:
                progress(received, version.total)


def _there(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _version_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _cause(error: Exception) -> str:
    """Return the innermost reason of a failed request, without the wrapping of the libraries between."""
    within = [item for item in (getattr(error, "reason", None), *error.args) if isinstance(item, Exception)]
    return _cause(within[0]) if within else str(error)
