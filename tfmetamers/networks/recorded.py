"""The network that made a metamer, loaded again from its record."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tfmetamers.errors import CheckpointError
from tfmetamers.identity import NETWORK_IDENTITY
from tfmetamers.networks import architecture as architectures
from tfmetamers.networks.keras import load_keras
from tfmetamers.networks.network import Network
from tfmetamers.networks.registry import load_architecture, load_network


def load_recorded(record: Mapping, look_in: Sequence[Path] = ()) -> Network:
    """Load the network that a metamer was made with.

    Args:
        record: what metamer.json holds.
        look_in: folders to look in for a checkpoint or model that is no longer where it was.

    Raises:
        CheckpointError: the network was a model in memory, its file is gone or has changed, or it cannot be read.
    """
    described = record["network"]
    loading = described.get("loading")
    if loading is None:
        raise CheckpointError(
            f"{described['name']} was a model in memory, which cannot be loaded again; save it with "
            "model.save('FILE.keras') and make its metamers with load_keras or --keras-model."
        )
    network = _loaded(dict(loading), look_in)
    network = network.without_front_end() if record["domain"] == "cochleagram" else network
    found = network.describe()
    changed = [key for key in NETWORK_IDENTITY if found[key] != described.get(key)]
    if changed:
        raise CheckpointError(
            f"{described['name']} is not what it was when the metamer was made: its {' and '.join(changed)} "
            f"changed ({described['file'] or 'random weights'}); give the file of that time by --look-in DIR."
        )
    return network


def _loaded(loading: dict, look_in: Sequence[Path]) -> Network:
    by = loading.pop("by")
    if by == "load_keras":
        return load_keras(_present(loading.pop("file"), look_in), **loading)
    if "checkpoint" in loading:
        loading["checkpoint"] = _present(loading["checkpoint"], look_in)
    if by == "load_architecture":
        return load_architecture(architectures.from_json(loading.pop("architecture")), **loading)
    return load_network(loading.pop("name"), **loading)


def _present(file: str, look_in: Sequence[Path]) -> Path:
    """Return where a file, or a checkpoint of several files, is now."""
    candidates = [Path(file), *(Path(folder) / Path(file).name for folder in look_in)]
    for candidate in candidates:
        if candidate.exists() or candidate.with_name(f"{candidate.name}.index").exists():
            return candidate
    raise CheckpointError(f"{file} is gone; give the folder that it is in now by --look-in DIR.")
