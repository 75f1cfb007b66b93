"""``tfmetamers checkpoints``: the published checkpoints, fetched and verified."""

from pathlib import Path

import click

from tfmetamers.checkpoints.catalog import CatalogEntry, cache_folder, find_entry, load_catalog
from tfmetamers.cli.network_options import quiet_tensorflow
from tfmetamers.cli.output import Column, json_option, progress_counter, quiet_option, say, show_table
from tfmetamers.errors import ArgumentError, CheckpointError


@click.group()
def checkpoints() -> None:
    """List, fetch and verify the published checkpoints."""


@checkpoints.command("list")
@quiet_option
@json_option
def list_checkpoints() -> None:
    """List the published checkpoints, and which of them are in the cache."""
    cache = cache_folder()
    columns = {
        "name": "name",
        "network": "network",
        "format": "format",
        "variables": Column("variables", _known),
        "parameters": Column("parameters", _known),
        "licence": "licence",
        "location": Column("in the cache", lambda location: str(location or "no")),
    }
    rows = [
        {**{key: getattr(entry, key) for key in columns if key != "location"}, "location": entry.location(cache)}
        for entry in load_catalog().values()
    ]
    show_table(rows, columns)
    say(f"\nThe cache is {cache}; set the environment variable TFMETAMERS_CACHE to move it.")


def _known(count: int | None) -> str:
    return str(count or "unknown")


def _complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    return [name for name in load_catalog() if name.startswith(incomplete)]


@checkpoints.command()
@click.argument("name", shell_complete=_complete)
@quiet_option
def fetch(name: str) -> None:
    """Download the checkpoint NAME into the cache; an interrupted download is resumed."""
    from tfmetamers.checkpoints.download_hashes import read_hashes
    from tfmetamers.checkpoints.fetch import fetch_entry

    entry = find_entry(name)
    click.echo(f"Licence: {entry.licence}. {entry.licence_note}\n{entry.note}".rstrip(), err=True)
    with progress_counter(entry.file, "B", unit_scale=True, unit_divisor=1024) as progress:
        path = fetch_entry(entry, progress=progress)
    published = f"its MD5 is the one published by {entry.md5_source}" if entry.md5 else "no published hash is known"
    click.echo(
        f"SHA-256 {read_hashes(cache_folder())[entry.address]}, recorded at the first download; {published}.", err=True
    )
    click.echo(path)


@checkpoints.command()
@click.argument("name", shell_complete=_complete)
@click.argument("path", required=False)
@quiet_option
@json_option
def verify(name: str, path: str | None) -> None:
    """Check that the checkpoint NAME is complete and works: the one in the cache, or the one at PATH.

    The hash of the checkpoint in the cache is compared with that of the first download.
    """
    entry = find_entry(name)
    quiet_tensorflow()
    from tfmetamers.checkpoints.download_hashes import read_hashes
    from tfmetamers.checkpoints.verify import verify as verify_checkpoint
    from tfmetamers.networks.spec import NetworkSpec

    _require_verifiable(entry)
    cache = cache_folder()
    checkpoint = Path(path) if path else entry.location(cache)
    if checkpoint is None:
        raise CheckpointError(
            f"{name} is not in the cache {cache}; fetch it with 'tfmetamers checkpoints fetch {name}', or give the "
            "path of a copy."
        )
    spec = NetworkSpec.parse(entry.network, checkpoint=str(checkpoint))
    rows = verify_checkpoint(
        checkpoint,
        spec.network_family.variables(spec),
        entry.known_extras,
        recorded_digest=None if path else read_hashes(cache).get(entry.address),
        probe=spec.network_family.probe(entry),
    )
    say(f"{checkpoint}\n")
    words = {True: "ok", False: "FAILED", None: "not run"}
    columns = {"check": "check", "expected": "expected", "found": "found", "ok": Column("", words.get)}
    show_table([row._asdict() for row in rows], columns, maxcolwidths=[None, 36, 64, None])
    failed = ", ".join(row.check for row in rows if row.ok is False)
    if failed:
        raise CheckpointError(
            f"{checkpoint} is not the checkpoint {name} (failed: {failed}); do not use it, fetch or copy it again."
        )


def _require_verifiable(entry: CatalogEntry) -> None:
    if entry.format not in ("V1", "V2"):
        raise ArgumentError(
            f"{entry.name} is a {entry.format} file, and only checkpoints (V1, V2) can be verified; list the formats "
            "with 'tfmetamers checkpoints list'."
        )
