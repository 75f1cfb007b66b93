"""Ids, by which results name their stimuli, and which become paths below an output folder."""

from collections.abc import Sequence

from tfmetamers.errors import ArgumentError, TfmetamersError, shown
from tfmetamers.utilities.files import is_lock, is_partial
from tfmetamers.utilities.lists import listed

#: Names of files by which metamers are found: a folder of such a name would be taken for one of them.
FOUND_BY = ("metamer.json", "metamer.npy")

#: The longest id, and the longest part of one, in bytes.
MAX_ID, MAX_PART = 1024, 255


def check_ids(ids: Sequence[str], sources: Sequence[object], error: type[TfmetamersError]) -> None:
    """Refuse ids that cannot be paths, and those that would put two results in one folder or inside one another.

    Args:
        ids: the ids.
        sources: what has each of them, as a message names it.
        error: what is raised.

    Raises:
        TfmetamersError: one cannot be used; it is an `error`.
    """
    for id_, source in zip(ids, sources, strict=True):
        _check_id(id_, source, error)
    _check_distinct(ids, sources, error)


def array_ids(ids: Sequence[str] | None, digests: Sequence[str]) -> list[str]:
    """Return an id for each of several arrays; by default the first digits of its hash.

    Args:
        ids: those that were given.
        digests: `tfmetamers.stimuli.noise.stimulus_digest` of each array.

    Raises:
        ArgumentError: there is not one for each, or one cannot be used.
    """
    if ids is None:
        return [digest[:12] for digest in digests]
    ids = listed(ids)
    if len(ids) != len(digests):
        raise ArgumentError(f"There are {len(digests)} stimuli and {len(ids)} ids; give one for each.")
    check_ids(ids, [f"Stimulus {place}, counted from 0," for place in range(len(ids))], ArgumentError)
    return ids


def _check_id(id_: str, source: object, error: type[TfmetamersError]) -> None:
    """Refuse an id that cannot be a path below the output folder, or that is the name of one of its own files there."""
    if not isinstance(id_, str):
        raise error(f"{source} has the id {shown(id_)}; text was expected.")
    parts = id_.split("/")
    is_plain = all(part.strip() == part and part not in ("", ".", "..") for part in parts)
    is_own = any(is_partial(part) or is_lock(part) or part in FOUND_BY for part in parts)
    if not is_plain or is_own or not id_.isprintable() or "\\" in id_:
        raise error(f"{source} has the id {id_!r}; a plain name, or names separated by '/', was expected.")
    if len(id_.encode()) > MAX_ID or any(len(part.encode()) > MAX_PART for part in parts):
        raise error(
            f"{source} has the id {shown(id_)} of {len(id_.encode())} bytes; at most {MAX_ID}, and {MAX_PART} between "
            "two '/', were expected. Give it a shorter one, for files in a manifest."
        )


def _check_distinct(ids: Sequence[str], sources: Sequence[object], error: type[TfmetamersError]) -> None:
    by_id: dict[str, object] = {}
    for id_, source in zip(ids, sources, strict=True):
        if id_ in by_id:
            raise error(
                f"{by_id[id_]} and {source} both have the id {id_!r}; give each its own, for files in a manifest."
            )
        by_id[id_] = source
    for id_ in by_id:
        parent, slash, _ = id_.rpartition("/")
        while slash:
            if parent in by_id:
                raise error(
                    f"The ids {parent!r} and {id_!r} overlap: one result would be inside the folder of the other; "
                    "rename one."
                )
            parent, slash, _ = parent.rpartition("/")
