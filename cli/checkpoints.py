"""`tfmetamers checkpoints`: the published checkpoints, fetched and verified."""

from pathlib import Path

import click

from tfmetamers.checkpoints.catalog import (
    CatalogEntry,
    cache_folder,
    cached_checkpoint,
    find_entry,
    load_catalog,
)
from tfmetamers.errors import ArgumentError, CheckpointError


@click.group()
def checkpoints() -> None:
    """Published checkpoints: what there is, fetching, verifying."""


@checkpoints.command("list")
def list_checkpoints() -> None:
    """List the published checkpoints, and which of them the cache has."""
    from tabulate import tabulate

    cache = cache_folder()
    columns = ("name", "network", "format", "bytes", "licence", "in the cache", "path")
    click.echo(tabulate([_row(entry, cache) for entry in load_catalog().values()], columns, disable_numparse=True))
    click.echo(f"\nThe cache is {cache}; the environment variable TFMETAMERS_CACHE moves it.")


def _row(entry: CatalogEntry, cache: Path) -> tuple[str, ...]:
    path = entry.location(cache)
    size = "unknown" if entry.size is None else str(entry.size)
    cached = "no" if path is None else "yes"
    return entry.name, entry.network, entry.format, size, entry.licence, cached, str(path or "")


@checkpoints.command()
@click.argument("name")
@click.option("--url", help="Get the same file from here instead of where it is published.")
def fetch(name: str, url: str | None) -> None:
    """Get the checkpoint NAME into the cache, continuing a download that broke off."""
    from tqdm import tqdm

    from tfmetamers.checkpoints.fetch import fetch as fetch_checkpoint

    entry = find_entry(name)
    with tqdm(desc=entry.file, unit="B", unit_scale=True, unit_divisor=1024) as bar:

        def show(received: int, total: int | None) -> None:
            bar.total = total
            bar.update(received - bar.n)

        path = fetch_checkpoint(name, progress=show, url=url)
    click.echo(path)


@checkpoints.command()
@click.argument("name")
@click.argument("path", required=False)
def verify(name: str, path: str | None) -> None:
    """Prove that the checkpoint NAME is complete and works: the one in the cache, or the one at PATH.

    The hash is compared with the one of the first download for the checkpoint in the cache only.
    """
    from tabulate import tabulate

    from tfmetamers.checkpoints.records import recorded_checkpoint
    from tfmetamers.checkpoints.verify import verify as verify_checkpoint

    entry = find_entry(name)
    _require_verifiable(entry)
    checkpoint = Path(path) if path else cached_checkpoint(name)
    if checkpoint is None:
        raise CheckpointError(
            f"{name} is not in the cache {cache_folder()}; get it with "
            f"`tfmetamers checkpoints fetch {name}`, or give the path of a copy."
        )
    # Networks bring TensorFlow, which takes seconds: not before there is something to verify.
    from tfmetamers.networks import registry

    verification = verify_checkpoint(
        checkpoint,
        registry.network_variables(entry.network),
        entry.known_extras,
        _probe(entry),
        None if path else recorded_checkpoint(cache_folder(), name),
        variables=entry.variables,
        parameters=entry.parameters,
    )
    words = {True: "ok", False: "OFF", None: "not run"}
    rows = [(row.check, row.expected, row.found, words[row.ok]) for row in verification.rows]
    click.echo(f"{checkpoint}\n")
    click.echo(
        tabulate(rows, ("check", "expected", "found", ""), disable_numparse=True, maxcolwidths=[None, 36, 64, None])
    )
    if not verification.ok:
        off = ", ".join(row.check for row in verification.rows if row.ok is False)
        raise CheckpointError(
            f"{checkpoint} is not the checkpoint {name} (off: {off}); do not use it, fetch or copy it again."
        )


def _require_verifiable(entry: CatalogEntry) -> None:
    if entry.format not in ("V1", "V2"):
        raise ArgumentError(
            f"{entry.name} is a file of the format {entry.format}, and only checkpoints (V1, V2) can be "
            "verified; see the formats with `tfmetamers checkpoints list`."
        )


def _probe(entry: CatalogEntry):
    """Return the probe of a network as ``verify`` takes it, or None where no prediction is known."""
    from tfmetamers.networks import registry

    if entry.probe is None:
        return None

    def predict(values):
        labels = registry.probe_label(entry.network, values)[: entry.probe.among]
        expected = f"{entry.probe.label!r} among the {entry.probe.among} likeliest for {entry.probe.stimulus}"
        return ", ".join(labels), entry.probe.label in labels, expected

    return predict
