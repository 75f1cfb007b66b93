"""JSON that others may have altered: read with bounds, checked for its types, and sealed by its own hash."""

import hashlib
import json
import math
import os
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from tfmetamers.errors import ResultError, shown
from tfmetamers.utilities.regular_files import read_regular

#: The largest file that is read unless a caller expects larger ones, in bytes.
MAX_BYTES = 2**24

#: Lists and objects inside one another, of which no file of this package has as many.
MAX_DEPTH = 64

#: The key of the hash of everything else.
SEAL = "sha256"

Kind = TypeVar("Kind")


def read_json(path: str | os.PathLike, max_bytes: int = MAX_BYTES) -> Any:
    """Return what a JSON file in UTF-8 holds.

    Args:
        path: the file.
        max_bytes: the largest size that is expected.

    Raises:
        OSError: the file is missing, not a regular file, or larger.
        ValueError: as `parse_json` does.
    """
    return parse_json(read_regular(path, max_bytes))


def parse_json(text: str | bytes) -> Any:
    """Return what a text in JSON stands for.

    Raises:
        ValueError: it is not JSON in UTF-8; it has lists or objects more than `MAX_DEPTH` deep, numbers that are not
            finite or beyond 64 bits, or half a character.
    """
    text = text.decode("utf-8-sig") if isinstance(text, bytes) else text
    try:
        content = json.loads(text)
    except RecursionError as error:
        raise ValueError("its lists are nested too deeply") from error
    _check_values(content)
    return content


def _check_values(content: Any) -> None:
    level, depth = [content], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise ValueError(f"its lists are nested more than {MAX_DEPTH} deep")
        below = []
        for value in level:
            if isinstance(value, str):
                value.encode()  # Half of a surrogate pair raises an error, here rather than where it is written.
            elif isinstance(value, list):
                below += value
            elif isinstance(value, dict):
                below += [*value, *value.values()]
            elif isinstance(value, float) and not math.isfinite(value):
                raise ValueError("it holds a number that is not finite")
            elif isinstance(value, int) and abs(value) >= 2**64:
                raise ValueError("it holds a whole number of more than 64 bits")
        level = below


def typed(content: Any, kind: type[Kind]) -> Kind:
    """Return a value of JSON as a kind of data: a dataclass, a mapping, a list, each with the types of its parts.

    Args:
        content: what `parse_json` returned, or a part of it.
        kind: an annotation, such as ``dict[str, float | None]`` or a dataclass.

    Raises:
        ValueError: a part is missing or has another type; where and which is said.
    """
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error


def other_format(path: str | os.PathLike, found: Any, known: int, remedy: str) -> ResultError:
    """Return the error for a file of another version of its format than is read here.

    Args:
        path: the file.
        found: its version.
        known: the version that is read.
        remedy: what to do about a file of an earlier version, as an imperative clause.
    """
    is_later = isinstance(found, int) and found > known
    return ResultError(
        f"{path} has format {shown(found)}, and this version of tfmetamers reads format {known}; "
        f"{'update tfmetamers' if is_later else remedy}."
    )


def content_digest(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a value of JSON, however it is laid out, in hexadecimal."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object of JSON with the hash of the rest of it in addition, under `SEAL`."""
    return {**content, SEAL: content_digest(content)}


def check_seal(content: Any) -> None:
    """Refuse an object that `sealed` returned and that was altered since.

    Raises:
        ValueError: it is not an object, its hash is missing, or it is another than that of the rest.
    """
    if not isinstance(content, dict):
        raise ValueError("it is not an object")
    rest = {key: value for key, value in content.items() if key != SEAL}
    if content.get(SEAL) != content_digest(rest):
        raise ValueError("its hash is not that of its content")
