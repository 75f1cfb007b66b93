"""The catalogue of published checkpoints, and where the cache folder keeps them."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from tfmetamers.errors import unknown_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class CatalogEntry:
    """One published file: where it is, and what it must contain; ``catalog.toml`` explains each field."""

    name: str
    network: str
    url: str
    format: str
    checkpoint: str
    licence: str
    licence_note: str
    max_bytes: int
    archive: str = ""
    files: Sequence[str] = ()
    variables: int | None = None
    parameters: int | None = None
    known_extras: Sequence[str] = ()
    variable_names: Sequence[str] = ()
    note: str = ""
    probe: str = ""
    further_networks: Sequence[str] = ()
    md5: Mapping[str, str] = field(default_factory=dict)
    md5_source: str = ""

    @property
    def file(self) -> str:
        """Name of the file that is downloaded: the checkpoint itself, or the end of the archive's URL."""
        return Path(urlsplit(self.url).path).name if self.archive else self.checkpoint

    @property
    def address(self) -> str:
        """Where this entry's files are published, distinguished from others in the same archive."""
        return f"{self.url}#{self.name}"

    @property
    def folder(self) -> str:
        """Name of the folder in the cache that the archive is unpacked to."""
        return self.file.removesuffix(f".{self.archive}")

    def location(self, cache: Path) -> Path | None:
        """Return the path to give to a reader, or None when ``cache`` does not hold the whole entry.

        Files and folders get their names only once they are complete, so it is enough that they exist.
        """
        if self.archive:
            return self.location_in(cache / self.folder)
        path = cache / self.file
        return path if path.is_file() else None

    def location_in(self, folder: Path) -> Path | None:
        """Return the path to give to a reader in an unpacked archive, or None when the archive lacks a file."""
        held = {path.name: path for path in sorted(folder.rglob("*")) if path.is_file()}
        found = held.get(f"{self.checkpoint}.index") or held.get(self.checkpoint)
        return found.with_name(self.checkpoint) if found and held.keys() >= set(self.files) else None


def load_catalog() -> dict[str, CatalogEntry]:
    """Return every entry of the catalogue by its name."""
    tables = tomllib.loads(files("tfmetamers.checkpoints").joinpath("catalog.toml").read_text(encoding="utf-8"))
    return {name: CatalogEntry(name, **table) for name, table in tables.items()}


def find_entry(name: str) -> CatalogEntry:
    """Return the entry of that name.

    Raises:
        ArgumentError: the catalogue has no such entry; the message lists near names.
    """
    catalog = load_catalog()
    if name not in catalog:
        raise unknown_name("checkpoint", name, catalog, "'tfmetamers checkpoints list' lists them all.")
    return catalog[name]


def network_entry(network: str) -> CatalogEntry | None:
    """Return the entry that holds a network's weights, its first; None when the catalogue has none."""
    entries = load_catalog().values()
    return next((entry for entry in entries if network in (entry.network, *entry.further_networks)), None)


def cache_folder() -> Path:
    """Return the folder that keeps fetched files: TFMETAMERS_CACHE if set, else this system's cache folder."""
    moved = os.environ.get("TFMETAMERS_CACHE")
    return Path(moved).expanduser() if moved else Path(platformdirs.user_cache_dir("tfmetamers"))


def cached_checkpoint(name: str) -> Path | None:
    """Return the path to give to a reader if the cache holds the entry ``name``, else None.

    Raises:
        ArgumentError: the catalogue has no such entry.
    """
    return find_entry(name).location(cache_folder())
