"""The catalogue of published checkpoints, and where the cache folder keeps them."""

import os
import sys
from dataclasses import MISSING, dataclass, fields
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from tfmetamers.errors import CheckpointError, unknown_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CACHE_VARIABLE = "TFMETAMERS_CACHE"
FORMATS = ("V1", "V2", "npz", "frozen graph")
ARCHIVES = ("", "tar.gz")


@dataclass(frozen=True)
class Probe:
    """A stimulus whose prediction by the trained network is known.

    Attributes:
        stimulus: file name of one of matplotlib's sample photographs.
        label: the label that is expected.
        among: the label is expected among this many likeliest ones.
        evidence: ``"run"`` when this was seen with trained weights, ``"expected"`` when it was not.
    """

    stimulus: str
    label: str
    among: int
    evidence: str


@dataclass(frozen=True)
class CatalogEntry:
    """One published file: where it is, and what it must contain; ``catalog.toml`` explains the fields.

    Attributes:
        name: the name of the entry.
        network: the network that the file belongs to.
        url: where the file is published.
        format: ``"V1"``, ``"V2"``, ``"npz"`` or ``"frozen graph"``.
        checkpoint: name of the file, or prefix of the files, that a reader opens.
        licence: short name, or ``"unknown"``.
        licence_note: what is known about the licence, and where it is written.
        archive: ``"tar.gz"``, or empty when the download is the file itself.
        files: further files that the archive must hold, by name.
        size: bytes of the download, where published.
        sha256: SHA-256 of the download in hexadecimal, where published.
        variables: number of variables, known extras not counted.
        parameters: number of numbers that those variables hold together.
        classes: number of classes that the network tells apart.
        known_extras: shell patterns of variables that the network may leave unused.
        variable_names: shell patterns that tell this network's variables from another's.
        note: anything else that a user should know.
        probe: a stimulus whose prediction is known.
    """

    name: str
    network: str
    url: str
    format: str
    checkpoint: str
    licence: str
    licence_note: str
    archive: str = ""
    files: tuple[str, ...] = ()
    size: int | None = None
    sha256: str | None = None
    variables: int | None = None
    parameters: int | None = None
    classes: int | None = None
    known_extras: tuple[str, ...] = ()
    variable_names: tuple[str, ...] = ()
    note: str = ""
    probe: Probe | None = None

    @property
    def file(self) -> str:
        """Name of the file that is downloaded: the checkpoint itself, or the end of the archive's URL."""
        return Path(urlsplit(self.url).path).name if self.archive else self.checkpoint

    @property
    def folder(self) -> str:
        """Name of the folder in the cache that holds what the archive held."""
        return self.file.removesuffix(f".{self.archive}")

    def location(self, cache: Path) -> Path | None:
        """Return the path to give to a reader, or None when ``cache`` does not hold the whole entry.

        Files and folders come under their names only once they are complete, so being there is enough.
        """
        if self.archive:
            return self.checkpoint_in(cache / self.folder)
        path = cache / self.file
        return path if path.is_file() else None

    def checkpoint_in(self, folder: Path) -> Path | None:
        """Return the path to give to a reader in an unpacked archive, or None when it is not there."""
        for name in (f"{self.checkpoint}.index", self.checkpoint):
            found = sorted(path for path in folder.rglob(name) if path.is_file())
            if found:
                return found[0].with_name(self.checkpoint)
        return None


def load_catalog() -> dict[str, CatalogEntry]:
    """Return every entry of the catalogue by its name.

    Raises:
        CheckpointError: ``catalog.toml`` is not valid.
    """
    return parse_catalog(files("tfmetamers.checkpoints").joinpath("catalog.toml").read_text(encoding="utf-8"))


def parse_catalog(text: str) -> dict[str, CatalogEntry]:
    """Return the entries that a catalogue in TOML describes, by name.

    Raises:
        CheckpointError: it is not TOML, a field is missing, not known or of the wrong type, or names a
            format that does not exist.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CheckpointError(f"The catalogue of checkpoints is not valid TOML: {error}. Correct that line.") from error
    entries = {}
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise CheckpointError(
                f"The catalogue of checkpoints holds the value {name!r} outside any entry; move it into one."
            )
        table = dict(table)
        if "probe" in table:
            table["probe"] = _record(Probe, f"{name}.probe", table["probe"])
        entries[name] = _record(CatalogEntry, name, {"name": name, **table})
        _require_choice(name, "format", entries[name].format, FORMATS)
        _require_choice(name, "archive", entries[name].archive, ARCHIVES)
    return entries


def _record(kind: type, where: str, table: dict):
    """Return the dataclass ``kind`` made of a TOML table, after checking names and types of its fields."""
    known = {field.name: field for field in fields(kind)}
    if not isinstance(table, dict) or set(table) - set(known):
        surplus = ", ".join(sorted(set(table) - set(known))) if isinstance(table, dict) else repr(table)
        raise CheckpointError(
            f"In the catalogue of checkpoints, {where} holds {surplus}; the fields are {', '.join(known)}."
        )
    lacking = [name for name, field in known.items() if field.default is MISSING and name not in table]
    if lacking:
        raise CheckpointError(f"In the catalogue of checkpoints, {where} lacks {', '.join(lacking)}; add it.")
    return kind(**{name: _field_value(where, known[name], value) for name, value in table.items()})


def _field_value(where: str, field, value):
    """Return a field's value, lists as tuples, or raise when its type is not the one that is declared."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = tuple(value)
    declared = {str: str, int: int, int | None: int, str | None: str, Probe | None: Probe}
    expected = declared.get(field.type, tuple)
    words = {str: "a string", int: "a positive integer", tuple: "a list of strings", Probe: "a table"}
    if type(value) is not expected or (expected is int and value <= 0):
        raise CheckpointError(
            f"In the catalogue of checkpoints, {where}.{field.name} is {value!r}; {words[expected]} was expected."
        )
    return value


def _require_choice(entry: str, field: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise CheckpointError(
            f"In the catalogue of checkpoints, {entry}.{field} is {value!r}; "
            f"it must be one of {', '.join(repr(choice) for choice in choices)}."
        )


def find_entry(name: str) -> CatalogEntry:
    """Return the entry of that name.

    Raises:
        ArgumentError: the catalogue has no such entry; the message lists near names.
    """
    catalog = load_catalog()
    if name not in catalog:
        raise unknown_name("checkpoint", name, catalog, "See all of them with: tfmetamers checkpoints list.")
    return catalog[name]


def cache_folder() -> Path:
    """Return the folder that keeps fetched files.

    It is what the environment variable TFMETAMERS_CACHE says, else the user's cache folder of this system.
    """
    moved = os.environ.get(CACHE_VARIABLE)
    return Path(moved).expanduser() if moved else Path(platformdirs.user_cache_dir("tfmetamers"))


def cached_checkpoint(name: str) -> Path | None:
    """Return the path to give to a reader when the entry ``name`` is in the cache, else None.

    Raises:
        ArgumentError: the catalogue has no such entry.
    """
    return find_entry(name).location(cache_folder())
