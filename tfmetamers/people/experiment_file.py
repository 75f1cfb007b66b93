"""What the page is told: ``experiment.js``, which holds no right answer of a trial that counts."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from tfmetamers.errors import ResultError
from tfmetamers.utilities.json_files import content_digest, other_format, parse_json, typed
from tfmetamers.utilities.regular_files import read_text

#: The version of the file's format.
FORMAT = 1

#: The file's name, what stands before the object and after it, and the largest file that is read, in bytes.
NAME, _BEFORE, _AFTER, MAX_BYTES = "experiment.js", "window.TFMETAMERS_EXPERIMENT = ", ";\n", 2**26

Opaque = Annotated[str, Meta(pattern="^[0-9a-f]{16}$")]
Count = Annotated[int, Meta(ge=0)]


class _Closed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An object of which no other key is accepted."""


class Trial(_Closed, frozen=True):
    """A trial of a list: its number, what it is, the stimulus, and the mask of an image."""

    trial: Count
    kind: Literal["main", "catch"]
    stimulus: Opaque
    mask: Count | None


class TrialList(_Closed, frozen=True):
    """A list: its number and its trials in order."""

    list: Count
    trials: tuple[Trial, ...]


class PracticeTrial(_Closed, frozen=True):
    """A trial with feedback; ``slow`` ones show images longer."""

    stimulus: Opaque
    answer: str
    slow: bool
    mask: Count | None


class DemoTrial(_Closed, frozen=True):
    """A trial without feedback, of which some must be right."""

    stimulus: Opaque
    answer: str
    mask: Count | None


class Demo(_Closed, frozen=True):
    """Trials before the others, and how many must be right."""

    trials: tuple[DemoTrial, ...]
    pass_: Count = msgspec.field(name="pass")


class HeadphoneCheck(_Closed, frozen=True):
    """The check for headphones: trials, how many must be right, and what becomes of those who fail."""

    trials: Count
    pass_: Count = msgspec.field(name="pass")
    on_fail: Literal["end", "continue"] = "end"


class ExperimentFile(_Closed, frozen=True):
    """What ``experiment.js`` holds (``docs/people.md`` describes it)."""

    format: Literal[1]
    id: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    task: Literal["images", "sounds"]
    protocol: str
    title: str
    language: str
    timing_ms: dict[str, int | None] | None
    size_px: Count | None
    minimum_window: tuple[int, int] | None
    categories: tuple[str, ...] | None
    words: tuple[str, ...] | None
    practice: tuple[PracticeTrial, ...]
    demo: Demo
    lists: tuple[TrialList, ...]
    breaks: tuple[float, ...]
    headphones: HeadphoneCheck | None
    level: dict[str, float] | None
    texts: dict[str, str]
    save: dict[str, str]
    finish: dict[str, str | None]


def experiment_id(content: Mapping[str, Any]) -> str:
    """Return the id of an experiment: the SHA-256 of what its file holds.

    How answers are saved and what comes at the end are not part of it, so that an export is the same experiment.
    """
    return content_digest({key: value for key, value in content.items() if key not in ("id", "save", "finish")})


def written(content: Mapping[str, Any]) -> str:
    """Return the text of ``experiment.js``.

    Raises:
        ValueError: the content is not as `ExperimentFile` has it.
    """
    typed(json.loads(json.dumps(content)), ExperimentFile)
    return _BEFORE + json.dumps(content, ensure_ascii=True) + _AFTER


def read_content(site: Path) -> dict[str, Any]:
    """Return what the ``experiment.js`` of a site holds.

    Raises:
        ResultError: it is missing, damaged, altered, or of another format.
    """
    path = site / NAME
    try:
        text = read_text(path, MAX_BYTES)
        if not text.startswith(_BEFORE) or not text.endswith(_AFTER):
            raise ValueError("it does not hold an experiment")
        content = parse_json(text[len(_BEFORE) : -len(_AFTER)])
        version = content["format"]
        if version == FORMAT:
            typed(content, ExperimentFile)
            if experiment_id(content) != content["id"]:
                raise ValueError("its id is not that of its content")
            return content
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ResultError(f"{path} is missing or damaged ({reason}); build the site again.") from error
    raise other_format(path, version, FORMAT, "build the site again")
