"""What participants read: consent, instructions, debrief, from a file that the laboratory edits."""

import os
import re
import sys
from importlib import resources

import msgspec

from tfmetamers.errors import ArgumentError, ResultError, first_line
from tfmetamers.utilities.files import atomic_write
from tfmetamers.utilities.json_files import typed
from tfmetamers.utilities.regular_files import read_text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: The largest file of texts that is read, in bytes.
MAX_BYTES = 2**18


class Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What participants read; paragraphs are apart by an empty line.

    Attributes:
        title: the page's title.
        consent: what they agree to.
        debrief: what they read at the end.
        language: its tag, such as ``"en"``.
        instructions: in place of the page's own; empty for these.
    """

    title: str
    consent: str
    debrief: str
    language: str = "en"
    instructions: str = ""

    @property
    def blanks(self) -> list[str]:
        """What is still in brackets."""
        return re.findall(r"\[[^\]]*\]", "\n".join((self.title, self.consent, self.debrief, self.instructions)))


def template() -> str:
    """Return the file that a laboratory begins with."""
    return resources.files(__package__).joinpath("texts.toml").read_text("utf-8")


def write_template(file: str | os.PathLike) -> None:
    """Write the file that a laboratory begins with.

    Raises:
        ResultError: the file exists, or cannot be written.
    """
    if os.path.lexists(file):
        raise ResultError(f"{file} already exists; give another name, or move it away.")
    with atomic_write(file) as partial:
        partial.write_text(template(), encoding="utf-8")


def read_texts(file: str | os.PathLike | None) -> Texts:
    """Read what participants read; without a file, the template.

    Raises:
        ArgumentError: the file cannot be read, lacks a text, or has one that is not known.
    """
    try:
        content = tomllib.loads(template() if file is None else read_text(file, MAX_BYTES))
        texts = typed({key: each.strip() if isinstance(each, str) else each for key, each in content.items()}, Texts)
        if not texts.consent or not texts.title:
            raise ValueError("title or consent is empty")
        return texts
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or first_line(error)
        raise ArgumentError(
            f"{file} cannot be used ({reason}); title, consent and debrief were expected, as 'tfmetamers people texts "
            "FILE' writes them."
        ) from error
