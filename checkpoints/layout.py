"""Which files make up a checkpoint, and what a file that is not one seems to be, without TensorFlow."""

import os
import re
from pathlib import Path

from tfmetamers.checkpoints.tables import MAGIC
from tfmetamers.errors import CheckpointError
from tfmetamers.utilities.regular_files import open_regular

_SUFFIX = re.compile(r"\.(index|meta|data-\d{5}-of-(\d{5}))$")

# What is often mistaken for a checkpoint, by the file's first bytes; the last entry matches anything.
_OTHER_KINDS = (
    (rb"\Z", "an empty file; fetch or copy the checkpoint again"),
    (rb"\x1f\x8b", "a gzip archive; unpack it with 'tar -xzf', as 'tfmetamers checkpoints fetch' does"),
    (rb"PK\x03\x04", "a zip file such as .npz or .keras; give a Keras model as --network FILE.keras instead"),
    (rb"\x89HDF", "an HDF5 file such as Keras writes; load it in Keras, and save the model as FILE.keras"),
    (rb"[^\x00-\x08\x0e-\x1f\x7f]*\Z", "a text file, perhaps the page of a failed download; fetch or copy it again"),
    (rb"", "a checkpoint that was cut short, or another kind of file; fetch or copy it again"),
)


def find_checkpoint(path: str | os.PathLike) -> tuple[Path, str, tuple[Path, ...]]:
    """Return path, format and files of a checkpoint, as the attributes of ``CheckpointFile`` describe them.

    Args:
        path: a V1 file; or a V2 prefix, or any of the files that begin with it (``.index``, ``.meta``,
            ``.data-00000-of-00001``).

    Raises:
        CheckpointError: there is no checkpoint, or only a part of one; or the file is of another kind, and the
            message says which it seems to be.
    """
    try:
        return _find(Path(path))
    except (OSError, ValueError) as error:  # A null character in the path is a ValueError.
        reason = getattr(error, "strerror", None) or error
        raise CheckpointError(f"{path} cannot be read: {reason}; check the path.") from error


def _find(path: Path) -> tuple[Path, str, tuple[Path, ...]]:
    prefix = Path(_SUFFIX.sub("", str(path)))
    index = Path(f"{prefix}.index")
    if prefix.is_file() and index.is_file():
        raise CheckpointError(
            f"{prefix} and {index.name} belong to two checkpoints of the same name, a V1 and a V2 one; move one of "
            "them to another folder."
        )
    if prefix.is_file():
        _require_table(prefix)
        return prefix, "V1", (prefix,)
    if index.is_file():
        _require_table(index)
        return prefix, "V2", (index, *_data_shards(prefix))
    if path.is_file():
        raise CheckpointError(
            f"{path} is only part of a checkpoint; {index.name} was expected beside it. Copy it there."
        )
    raise CheckpointError(
        f"{path} is {'a folder' if path.is_dir() else 'missing'}; a V1 checkpoint or the prefix of a V2 one was "
        "expected. Check the path."
    )


def _data_shards(prefix: Path) -> list[Path]:
    """Return every data shard of a V2 checkpoint, or raise if one is missing."""
    beside = [path for path in prefix.parent.iterdir() if path.name.startswith(f"{prefix.name}.data-")]
    counts = [int(match[2]) for path in beside if (match := _SUFFIX.search(path.name))]
    count = max(counts, default=1)
    shards = [Path(f"{prefix}.data-{number:05d}-of-{count:05d}") for number in range(count)]
    missing = [shard.name for shard in shards if shard not in beside]
    if missing:
        raise CheckpointError(
            f"{prefix}.index belongs to a V2 checkpoint with missing data: {missing[0]} was expected beside it; copy "
            "or fetch it too."
        )
    return shards


def _require_table(path: Path) -> None:
    """Raise with what ``path`` seems to be and what to do about it, if it does not end as a table does."""
    with open_regular(path) as stream:
        beginning = stream.read(1024)
        stream.seek(max(0, path.stat().st_size - len(MAGIC)))
        if stream.read() == MAGIC:
            return
    if path.suffix == ".pb":
        likeness = "a TensorFlow graph; give the checkpoint of the same release"
    else:
        likeness = next(kind for pattern, kind in _OTHER_KINDS if re.match(pattern, beginning))
    raise CheckpointError(f"{path} is not a TensorFlow checkpoint: it seems to be {likeness}.")
