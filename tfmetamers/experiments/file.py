"""An experiment's file: TOML, checked against the JSON schema beside this module."""

import functools
import json
import sys
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from tfmetamers.errors import ArgumentError, first_line, shown, unknown_name
from tfmetamers.utilities.regular_files import read_text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: The largest file that is read, in bytes.
MAX_BYTES = 2**24

#: Where the fields of the file are described.
_REMEDY = "docs/experiments.md lists them."


def read_experiment_file(path: Path) -> dict[str, Any]:
    """Return what an experiment's file holds, with the defaults of what it leaves out.

    Args:
        path: the file.

    Raises:
        ArgumentError: it is missing, is not TOML, has a key that is not known, or a value that cannot be used.
    """
    try:
        text = read_text(path, MAX_BYTES)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ArgumentError(
            f"The experiment {path} cannot be read: {reason}; 'tfmetamers experiment new NAME' writes one."
        ) from error
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # Numbers of thousands of digits, lists that are nested too deeply.
        raise ArgumentError(f"{path} is not TOML that can be read: {first_line(error)}; correct that line.") from error
    _check(path, content)
    _check_choices(path, content)
    return _with_defaults(experiment_schema(), content)


@functools.cache
def experiment_schema() -> dict[str, Any]:
    """Return the JSON schema of experiments."""
    text = resources.files("tfmetamers.experiments").joinpath("experiment.schema.json").read_text(encoding="utf-8")
    return json.loads(text)


def _check(path: Path, content: dict) -> None:
    """Refuse what is not as the schema says, naming the first fault."""
    import jsonschema

    errors = jsonschema.Draft202012Validator(experiment_schema()).iter_errors(content)
    for error in sorted(errors, key=lambda error: ([str(part) for part in error.absolute_path], _rank(error))):
        raise _refusal(path, error)


def _rank(error) -> bool:
    """Put keys that are not known first: one that is missing is likely to be one that is misspelt."""
    return error.validator != "additionalProperties"


def _refusal(path: Path, error) -> ArgumentError:
    """Return a fault in one sentence: where it is, what is there, and what was expected."""
    if error.validator == "anyOf":  # Of tables among alternatives, what is wrong in the table says more.
        inner = [each for each in error.context if each.validator in ("additionalProperties", "required")]
        if inner and isinstance(error.instance, Mapping):
            return _refusal(path, min(inner, key=_rank))
    place = _place(error.absolute_path)
    known = error.schema.get("properties", {})
    if error.validator == "additionalProperties":
        unknown = next(key for key in error.instance if key not in known)
        return unknown_name("key", unknown, known, _REMEDY, where=f" in {f'{place} of ' if place else ''}{path}")
    if error.validator == "required":
        missing = next(key for key in error.validator_value if key not in error.instance)
        return ArgumentError(f"{path} lacks {f'{place}.' if place else ''}{missing}; add it. {_REMEDY}")
    return ArgumentError(
        f"{path} has {shown(error.instance)} for {place or 'the whole'}; {error.schema['title']} was expected."
    )


def _place(parts) -> str:
    """Return where a value is, as ``networks[0].layers``; the first of a list is number 0."""
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _check_choices(path: Path, content: dict) -> None:
    """Refuse tables in which one of several keys has to be given, and none or several are."""
    choices = {"stimuli": ("inputs", "data_set"), "null": ("stimuli", "data_set", "files")}
    for table, keys in choices.items():
        if table in content and sum(key in content[table] for key in keys) != 1:
            listed = ", ".join(keys[:-1]) + f" or {keys[-1]}"
            raise ArgumentError(f"[{table}] of {path} has none or several of {listed}; give one of them.")


def _with_defaults(schema: dict, value: Any) -> Any:
    """Return a value with the schema's defaults for what it leaves out."""
    if isinstance(value, dict) and "properties" in schema:
        filled = {
            key: each["default"] for key, each in schema["properties"].items() if "default" in each and key not in value
        }
        properties = schema["properties"]
        return {key: _with_defaults(properties[key], each) for key, each in {**value, **filled}.items()}
    if isinstance(value, list) and "items" in schema:
        return [_with_defaults(schema["items"], each) for each in value]
    return value
