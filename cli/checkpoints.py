"""`tfmetamers checkpoints`: the published checkpoints, fetched and verified."""

from pathlib import Path

import click
from tabulate import tabulate

from tfmetamers.checkpoints.catalog import CatalogEntry, cache_folder, find_entry, load_catalog
from tfmetamers.cli.network_options import quiet_tensorflow
from tfmetamers.errors import ArgumentError, CheckpointError


@click.group()
def checkpoints() -> None:
    """Published checkpoints: what there is, fetching, verifying."""


@checkpoints.command("list")
def list_checkpoints() -> None:
    """List the published checkpoints, and which of them the cache has."""
    cache = cache_folder()
    rows = [
        (
            entry.name,
            entry.network,
            entry.format,
            entry.size or "unknown",
            entry.variables or "unknown",
            entry.parameters or "unknown",
            entry.licence,
            entry.location(cache) or "no",
        )
        for entry in load_catalog().values()
    ]
    columns = ("name", "network", "format", "bytes", "variables", "parameters", "licence", "in the cache")
    click.echo(tabulate(rows, columns))
    click.echo(f"\nThe cache is {cache}; the environment variable TFMETAMERS_CACHE moves it.")


@checkpoints.command()
@click.argument("name")
def fetch(name: str) -> None:
    """Get the checkpoint NAME into the cache, continuing a download that broke off."""
    from tqdm import tqdm

    from tfmetamers.checkpoints.fetch import fetch_entry

    entry = find_entry(name)
    click.echo(f"Licence: {entry.licence}. {entry.licence_note}\n{entry.note}".rstrip(), err=True)
    with tqdm(desc=entry.file, unit="B", unit_scale=True, unit_divisor=1024) as bar:

        def show(received: int, total: int | None) -> None:
            bar.total = total
            bar.update(received - bar.n)

        path = fetch_entry(entry, progress=show)
    click.echo(path)


@checkpoints.command()
@click.argument("name")
@click.argument("path", required=False)
def verify(name: str, path: str | None) -> None:
    """Prove that the checkpoint NAME is complete and works: the one in the cache, or the one at PATH.

    The hash is compared with the one of the first download for the checkpoint in the cache only.
    """
    entry = find_entry(name)
    quiet_tensorflow()
    from tfmetamers.checkpoints.download_hashes import recorded_hashes
    from tfmetamers.checkpoints.verify import verify as verify_checkpoint
    from tfmetamers.networks import registry
    from tfmetamers.networks.probes import find_probe

    _require_verifiable(entry)
    cache = cache_folder()
    checkpoint = Path(path) if path else entry.location(cache)
    if checkpoint is None:
        raise CheckpointError(
            f"{name} is not in the cache {cache}; get it with `tfmetamers checkpoints fetch {name}`, "
            "or give the path of a copy."
        )
    rows = verify_checkpoint(
        checkpoint,
        registry.network_variables(entry.network, checkpoint),
        entry.known_extras,
        recorded_digest=None if path else recorded_hashes(cache).get(entry.address),
        probe=find_probe(entry),
    )
    words = {True: "ok", False: "OFF", None: "not run"}
    table = [(row.check, row.expected, row.found, words[row.ok]) for row in rows]
    columns, widths = ("check", "expected", "found", ""), [None, 36, 64, None]
    click.echo(f"{checkpoint}\n\n{tabulate(table, columns, disable_numparse=True, maxcolwidths=widths)}")
    off = ", ".join(row.check for row in rows if row.ok is False)
    if off:
        raise CheckpointError(
            f"{checkpoint} is not the checkpoint {name} (off: {off}); do not use it, fetch or copy it again."
        )


def _require_verifiable(entry: CatalogEntry) -> None:
    if entry.format not in ("V1", "V2"):
        raise ArgumentError(
            f"{entry.name} is a file of the format {entry.format}, and only checkpoints (V1, V2) can be "
            "verified; see the formats with `tfmetamers checkpoints list`."
        )
