"""The files of a network that was recorded, where they are now."""

import itertools
from collections.abc import Sequence
from pathlib import Path

from tfmetamers.errors import CheckpointError
from tfmetamers.networks.spec import PATHS, NetworkSpec


def locate(spec: NetworkSpec, digest: str, look_in: Sequence[Path] = ()) -> NetworkSpec:
    """Return a network's spec with its files where they are now.

    Args:
        spec: as it was recorded.
        digest: `NetworkSpec.digest` at that time.
        look_in: folders to look in for files that have moved or were replaced.

    Raises:
        CheckpointError: the files are gone or have changed.
    """
    present = False
    for each in (spec.replace(), *_moved(spec, look_in)):  # A copy, whose files are those of now.
        try:
            found = each.digest
        except CheckpointError:
            continue
        present = True
        if found == digest:
            return each
    name = spec.name or spec.file
    if present:
        raise CheckpointError(
            f"The files of {name} have changed since the metamer was made; give the folder that has the earlier ones "
            "with --look-in DIR."
        )
    where = f"{spec.checkpoint or spec.file} is gone" if spec.checkpoint or spec.file else f"{name} was not fetched"
    raise CheckpointError(f"{where}; fetch it, or give the folder that it is in with --look-in DIR.")


def _moved(spec: NetworkSpec, look_in: Sequence[Path]) -> list[NetworkSpec]:
    """Return the spec with its files looked for in other folders, by their names and by the folders above them."""
    paths = {field: Path(getattr(spec, field)) for field in PATHS if getattr(spec, field) is not None}
    if not paths:  # A network with its own weights, which may be in any of the folders.
        return [
            spec.replace(checkpoint=str(path))
            for folder in look_in
            for path in spec.network_family.own_files(folder, spec)
        ]
    places = [
        [path, *(place for folder in look_in for place in (*(Path(folder, *path.parts[-n:]) for n in (1, 3)), folder))]
        for path in paths.values()
    ]
    return [
        spec.replace(**dict(zip(paths, map(str, chosen), strict=True)))
        for chosen in list(itertools.product(*places))[1:]
    ]
