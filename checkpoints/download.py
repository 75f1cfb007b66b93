"""One file over HTTP, continued where an earlier attempt stopped, and never spliced from two files."""

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from tfmetamers.errors import CheckpointError

Progress = Callable[[int, int | None], None]

_CONNECT_AND_READ_SECONDS = (15, 60)
_BLOCK_BYTES = 1 << 18
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


@dataclass(frozen=True)
class _Version:
    """What tells one version of a file on a server from another."""

    url: str
    etag: str | None
    last_modified: str | None
    total: int | None

    @property
    def validator(self) -> str | None:
        """The value for If-Range, which takes strong validators only."""
        if self.etag and not self.etag.startswith("W/"):
            return self.etag
        return self.last_modified


def download(url: str, part: Path, *, size: int | None = None, progress: Progress | None = None) -> None:
    """Download ``url`` to the file ``part``, continuing what is already there when it is of the same version.

    A part is continued only when the server identified the version that it was of (ETag or Last-Modified),
    and only if the server says that it still has that version; otherwise the download starts again. What
    identifies the version is kept beside the part, in a file with the further suffix ``.json``.

    Args:
        url: address of the file.
        part: where the bytes go; it stays there after a failure that a later call can continue from.
        size: bytes that the file must have, where known.
        progress: called after each block with the bytes that are there and the total, or None where unknown.

    Raises:
        CheckpointError: the server cannot be reached, refuses, or sends a file of another length; the
            connection broke; or the disk is full.
    """
    try:
        with _session() as session:
            _receive(session, url, part, size, progress)
    except requests.RequestException as error:
        raise CheckpointError(
            f"The download of {url} broke off ({_cause(error)}); "
            f"{_there(part)} bytes are kept, and the same command run again continues from there."
        ) from error
    except OSError as error:
        raise CheckpointError(
            f"{part} cannot be written: {error.strerror or error}; make room there or move the cache with "
            "TFMETAMERS_CACHE, and run the same command again to continue."
        ) from error


def discard(part: Path) -> None:
    """Remove a part and what identifies its version."""
    part.unlink(missing_ok=True)
    _version_file(part).unlink(missing_ok=True)


def _session() -> requests.Session:
    """Return a session that tries a few times to get a connection and past an overloaded server."""
    retry = Retry(total=3, backoff_factor=0.3, status_forcelist=(502, 503, 504), raise_on_status=False)
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


def _receive(session: requests.Session, url: str, part: Path, size: int | None, progress: Progress | None) -> None:
    earlier = _continuable(url, part)
    there = _there(part) if earlier else 0
    if earlier and there == earlier.total:
        return
    # Without "identity" a server may compress what it sends, and lengths would not be those of the file.
    headers = {"Accept-Encoding": "identity"}
    if earlier:
        headers |= {"Range": f"bytes={there}-", "If-Range": earlier.validator}
    with session.get(url, headers=headers, stream=True, timeout=_CONNECT_AND_READ_SECONDS) as response:
        if earlier and response.status_code in (206, 416) and not _continues(response, earlier, there):
            discard(part)
            return _receive(session, url, part, size, progress)
        continued = earlier is not None and response.status_code == 206
        _require_success(response, url, continued)
        version = earlier if continued else _version(url, response)
        _require_size(url, version.total, size)
        _write(response, part, there if continued else 0, version, progress)
    _require_complete(url, part, version.total, size)


def _continuable(url: str, part: Path) -> _Version | None:
    """Return the version that ``part`` is the beginning of, or None when it cannot be continued."""
    try:
        version = _Version(**json.loads(_version_file(part).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    there = _there(part)
    whole = version.total is not None and there > version.total
    return version if version.url == url and version.validator and there and not whole else None


def _continues(response: requests.Response, earlier: _Version, there: int) -> bool:
    """Say whether a response carries exactly the bytes that follow the ones that are there."""
    sent = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if response.status_code != 206 or not sent or int(sent[1]) != there:
        return False
    total = None if sent[2] == "*" else int(sent[2])
    same_total = total is None or earlier.total is None or total == earlier.total
    same_etag = response.headers.get("ETag", earlier.etag) == earlier.etag
    same_date = response.headers.get("Last-Modified", earlier.last_modified) == earlier.last_modified
    return same_total and same_etag and same_date


def _require_success(response: requests.Response, url: str, continued: bool) -> None:
    if continued or response.status_code == 200:
        return
    status = f"{response.status_code} {response.reason}".strip()
    if response.status_code in (408, 429) or response.status_code >= 500:
        remedy = "the server cannot serve it now; run the same command again later"
    else:
        remedy = "it may have moved; get it from elsewhere and give the path or the URL of that copy"
    raise CheckpointError(f"{url} was answered with {status} in place of the file: {remedy}.")


def _version(url: str, response: requests.Response) -> _Version:
    length = response.headers.get("Content-Length", "")
    headers = response.headers
    return _Version(url, headers.get("ETag"), headers.get("Last-Modified"), int(length) if length.isdigit() else None)


def _write(response: requests.Response, part: Path, start: int, version: _Version, progress: Progress | None) -> None:
    received = start
    with part.open("ab" if start else "wb") as stream:
        # Written only after the part is empty, so that an old part never gets a new version's name.
        if not start:
            _version_file(part).write_text(json.dumps(asdict(version)), encoding="utf-8")
        for block in response.iter_content(_BLOCK_BYTES):
            stream.write(block)
            received += len(block)
            if progress:
                progress(received, version.total)


def _require_size(url: str, total: int | None, size: int | None) -> None:
    if size is not None and total is not None and total != size:
        raise CheckpointError(
            f"{url} has {total} bytes where the catalogue says {size}: it is not the published file; "
            "nothing was downloaded, get the published one from elsewhere and give its path."
        )


def _require_complete(url: str, part: Path, total: int | None, size: int | None) -> None:
    expected = size if total is None else total
    there = _there(part)
    if expected is None or there == expected:
        return
    if there < expected:
        raise CheckpointError(
            f"The download of {url} broke off after {there} of {expected} bytes; "
            "run the same command again to continue."
        )
    discard(part)
    raise CheckpointError(
        f"{url} sent {there} bytes where {expected} were expected; nothing was kept, run the command again."
    )


def _there(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _version_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _cause(error: requests.RequestException) -> str:
    """Return the innermost reason of a failed request, without the wrapping of the libraries between."""
    reason = error
    while True:
        inner = getattr(reason, "reason", None) or next(
            (item for item in reason.args if isinstance(item, Exception)), None
        )
        if not isinstance(inner, Exception):
            return str(reason)
        reason = inner
