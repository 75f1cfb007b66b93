"""Which files make up a checkpoint, and what a file that is none seems to be, without TensorFlow."""

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tfmetamers.errors import CheckpointError

# The last bytes of every table that TensorFlow writes: a V1 checkpoint is one, as is the index of a V2 one.
TABLE_END = bytes.fromhex("57fb808b247547db")

_SUFFIX = re.compile(r"\.(index|meta|data-\d{5}-of-\d{5})$")
_SHARD = re.compile(r"\.data-(\d{5})-of-(\d{5})$")
_BEGINNINGS = (
    (b"\x1f\x8b", "a gzip archive; `tfmetamers checkpoints fetch` unpacks it, or unpack it with `tar -xzf`"),
    (
        b"\x89HDF",
        "an HDF5 file such as Keras writes; load it in Keras, or give a checkpoint of TensorFlow's Saver",
    ),
    (b"\x93NUMPY", "a NumPy array"),
    (b"BZh", "a bzip2 archive; unpack it first"),
    (b"\xfd7zXZ", "an xz archive; unpack it first"),
    (b"\x80\x02", "a Python pickle"),
    (b"\x80\x03", "a Python pickle"),
    (b"\x80\x04", "a Python pickle"),
    (b"\x80\x05", "a Python pickle"),
)


@dataclass(frozen=True)
class Layout:
    """The files of one checkpoint.

    Attributes:
        path: the path to give to a reader: the file itself (V1) or the prefix of the files (V2).
        format: ``"V1"`` or ``"V2"``.
        files: the files that hold its variables: one (V1), or the index and then the data shards (V2).
    """

    path: Path
    format: str
    files: tuple[Path, ...]


def find_checkpoint(path: str | Path) -> Layout:
    """Return the files of the checkpoint at ``path``.

    Args:
        path: a V1 file; a V2 prefix, or any of the files that begin with it (``.index``, ``.meta``,
            ``.data-00000-of-00001``); or a folder with exactly one checkpoint in it.

    Raises:
        CheckpointError: there is none, more than one, or only a part of one; or the file is another kind of
            file, and the message says which it seems to be.
    """
    path = Path(path)
    try:
        if path.is_dir():
            path = _only_checkpoint_in(path)
        return _layout(path)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}; check the path.") from error


def _layout(path: Path) -> Layout:
    prefix = Path(_SUFFIX.sub("", str(path)))
    index = Path(f"{prefix}.index")
    if prefix.is_file() and index.is_file():
        raise CheckpointError(
            f"{prefix} is a file, and {index.name} beside it belongs to another checkpoint of the same name; "
            "move one of the two to another folder."
        )
    if prefix.is_file():
        _require_table(prefix)
        return Layout(prefix, "V1", (prefix,))
    if index.is_file():
        _require_table(index)
        return Layout(prefix, "V2", (index, *_data_shards(prefix)))
    if path.exists():
        raise CheckpointError(
            f"{path} is only a part of a checkpoint; {index.name} was expected beside it, copy it there."
        )
    raise CheckpointError(
        f"There is no checkpoint at {path}; give a V1 file or the prefix of a V2 one{_known_in(path.parent)}."
    )


def _data_shards(prefix: Path) -> list[Path]:
    """Return every data shard of a V2 checkpoint, or raise when one is missing."""
    beside = sorted(prefix.parent.iterdir())
    shards = [path for path in beside if path.name.startswith(prefix.name + ".") and _SHARD.search(path.name)]
    count = int(_SHARD.search(shards[0].name)[2]) if shards else 1
    expected = [Path(f"{prefix}.data-{number:05d}-of-{count:05d}") for number in range(count)]
    missing = [path for path in expected if path not in shards]
    if missing:
        raise CheckpointError(
            f"{prefix}.index belongs to a V2 checkpoint whose data are missing: {missing[0].name} was "
            "expected beside it; copy or fetch it too."
        )
    return expected


def _only_checkpoint_in(folder: Path) -> Path:
    found = checkpoints_in(folder)
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(path.name for path in found[:8])
        raise CheckpointError(f"{folder} holds {len(found)} checkpoints ({names}); give the path of one of them.")
    names = sorted(path.name for path in folder.iterdir())
    held = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    raise CheckpointError(f"{folder} holds no checkpoint; what it holds is {held or 'nothing'}.")


def checkpoints_in(folder: Path) -> list[Path]:
    """Return the path of every checkpoint in a folder, V1 and V2, ordered by name."""
    paths = [path for path in sorted(folder.iterdir()) if path.is_file()]
    indices = [path.with_suffix("") for path in paths if path.suffix == ".index"]
    return indices + [path for path in paths if not _SUFFIX.search(path.name) and _ends_as_table(path)]


def _known_in(folder: Path) -> str:
    found = checkpoints_in(folder) if folder.is_dir() else []
    return f" ({folder} holds {', '.join(path.name for path in found[:8])})" if found else ""


def _require_table(path: Path) -> None:
    """Raise with what ``path`` seems to be when it does not end as a table does."""
    if path.stat().st_size == 0:
        raise CheckpointError(f"{path} is empty; fetch or copy the checkpoint again.")
    if not _ends_as_table(path):
        raise CheckpointError(f"{path} is not a TensorFlow checkpoint: it seems to be {_likeness(path)}.")


def _ends_as_table(path: Path) -> bool:
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - len(TABLE_END)))
        return stream.read() == TABLE_END


def _likeness(path: Path) -> str:
    """Say what kind of file this seems to be, and what to do with it, from its first bytes and its name."""
    with path.open("rb") as stream:
        beginning = stream.read(1024)
    for mark, kind in _BEGINNINGS:
        if beginning.startswith(mark):
            return kind
    if beginning[257:262] == b"ustar":
        return "a tar archive; unpack it with `tar -xf` and give the checkpoint in it"
    if beginning.startswith(b"PK"):
        return _zip_likeness(path)
    if path.suffix in (".pb", ".pbtxt"):
        return "a TensorFlow graph (.pb), which holds no checkpoint; give the checkpoint of the same release"
    if beginning.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer; get the file itself with `git lfs pull`"
    if beginning.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return "a web page, probably of a failed download; download the checkpoint again"
    if beginning.startswith(b"model_checkpoint_path"):
        return "the text file in which TensorFlow lists checkpoints; give the path of one that it lists"
    if _is_text(beginning):
        return "a text file; give the checkpoint itself"
    return "a checkpoint that was cut short, or another kind of file; fetch or copy it again"


def _zip_likeness(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        return "a damaged zip archive"
    if names and all(name.endswith(".npy") for name in names):
        return "NumPy arrays (.npz), not a checkpoint; give the checkpoint that they were made from"
    if "model.weights.h5" in names:
        return "a Keras model (.keras); give it with --keras-model instead"
    return "a zip archive; unpack it first"


def _is_text(beginning: bytes) -> bool:
    try:
        # A character may be cut in two at the end of the block.
        text = beginning[:-3].decode("utf-8") if len(beginning) == 1024 else beginning.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in "\r\n\t\f" for character in text)
