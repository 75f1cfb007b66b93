"""The network that made a metamer, loaded again from its record."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tfmetamers.checkpoints.layout import find_checkpoint
from tfmetamers.errors import CheckpointError, TfmetamersError
from tfmetamers.networks.auditory import architecture as architectures
from tfmetamers.networks.identity import NETWORK_IDENTITY
from tfmetamers.networks.network import Network
from tfmetamers.networks.own.keras import load_keras
from tfmetamers.networks.registry import load_architecture, load_network
from tfmetamers.utilities.files import file_digest

#: What a record of how a network was loaded was seen to raise when it lacks a part.
_DAMAGED = (KeyError, TypeError, ValueError, AttributeError)


def load_recorded(record: Mapping, look_in: Sequence[Path] = ()) -> Network:
    """Load the network that a metamer was made with.

    Args:
        record: what metamer.json holds.
        look_in: folders to look in for a checkpoint or model that is no longer where it was, or is another there.

    Raises:
        CheckpointError: the network was a model in memory, its file is gone or has changed, or it cannot be read; or
            the record is damaged.
    """
    file = find_recorded(record, look_in)
    described = record["network"]
    try:
        network = _loaded(dict(described["loading"]), file)
        network = network.without_front_end() if record["domain"] == "cochleagram" else network
    except TfmetamersError:
        raise
    except _DAMAGED as error:
        raise _damaged(described, error) from error
    found = network.describe()
    changed = [key for key in NETWORK_IDENTITY if found[key] != described.get(key)]
    if changed:
        raise _changed(described, changed)
    return network


def find_recorded(record: Mapping, look_in: Sequence[Path] = ()) -> Path | None:
    """Return where the file of the network that made a metamer is now, None for random weights; nothing is loaded.

    Args:
        record: what metamer.json holds.
        look_in: folders to look in for a file that is no longer where it was, or is another there.

    Raises:
        CheckpointError: the network was a model in memory, its file is gone or has changed, or the record is damaged.
    """
    described = record["network"]
    loading = described.get("loading")
    if loading is None:
        raise CheckpointError(
            f"{described['name']} was a model in memory, which cannot be loaded again; save it with "
            "model.save('FILE.keras') and make its metamers with load_keras or --keras-model."
        )
    try:
        is_keras = loading["by"] == "load_keras"
        file = loading["file"] if is_keras else loading.get("checkpoint")
        # The folder of a trained network has its checkpoints two folders further down.
        below = [] if file is None else [Path(*Path(file).parts[-count:]) for count in (1, 3)]
        places = [] if file is None else [Path(file), *(Path(folder) / each for folder in look_in for each in below)]
        present = [place for place in places if place.exists() or place.with_name(f"{place.name}.index").exists()]
    except (*_DAMAGED, OSError) as error:  # A file's name may be longer than any can be.
        raise _damaged(described, error) from error
    if file is None:
        return None
    if not present:
        raise CheckpointError(f"{file} is gone; give the folder that it is in now by --look-in DIR.")
    for place in present:
        if _digest(place, is_keras) == described.get("digest"):
            return place
    raise _changed(described, ["digest"])


def _digest(place: Path, is_keras: bool) -> str | None:
    """Return the digest of a model, or of a checkpoint of one or several files; None where it cannot be read."""
    try:
        return file_digest(*([place] if is_keras else find_checkpoint(place)[2]))
    except (OSError, CheckpointError):
        return None


def _loaded(loading: dict, file: Path | None) -> Network:
    by = loading.pop("by")
    if by == "load_keras":
        del loading["file"]
        return load_keras(file, **loading)
    if file is not None:
        loading["checkpoint"] = file
    if by == "load_architecture":
        return load_architecture(architectures.from_json(loading.pop("architecture")), **loading)
    return load_network(loading.pop("name"), **loading)


def _changed(described: Mapping, changed: Sequence[str]) -> CheckpointError:
    return CheckpointError(
        f"{described['name']} is not what it was when the metamer was made: its {' and '.join(changed)} "
        f"changed ({described.get('file') or 'random weights'}); give the file of that time by --look-in DIR."
    )


def _damaged(described: Mapping, error: Exception) -> CheckpointError:
    return CheckpointError(
        f"How {described['name']} was loaded cannot be read from metamer.json ({type(error).__name__}: {error}); "
        "delete the folder and make the metamer again."
    )
