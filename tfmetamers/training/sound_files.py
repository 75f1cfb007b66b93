"""The sounds of a folder, and how long they are."""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tfmetamers.errors import CorpusError, StimulusError, shown
from tfmetamers.stimuli.sounds import SUFFIXES, sound_extent


def list_sounds(folder: str | os.PathLike) -> list[str]:
    """Return the paths of the sounds in a folder and its subfolders, relative to it, sorted, without hidden ones.

    Paths are text rather than objects, because AudioSet has two million sounds.

    Raises:
        CorpusError: the folder does not exist or has no sounds, or a name is not in UTF-8, which manifests are in.
    """
    if not Path(folder).is_dir():
        raise CorpusError(f"There is no folder {folder}; give the folder of the sounds.")
    sounds = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        below = os.path.relpath(parent, folder)
        sounds += [
            name if below == os.curdir else os.path.join(below, name)
            for name in names
            if name.lower().endswith(SUFFIXES) and not name.startswith(".")
        ]
    if not sounds:
        raise CorpusError(f"{folder} has no file that ends in {', '.join(SUFFIXES)}; give the folder of the sounds.")
    for path in (os.path.abspath(folder), *sounds):
        try:
            path.encode("utf-8")
        except UnicodeEncodeError as error:
            raise CorpusError(f"The name {shown(path)} is not in UTF-8, which manifests are in; rename it.") from error
    return sorted(sounds)


def measure_sounds(
    files: Sequence[str], progress: Callable[[Sequence[str]], Iterable[str]] = iter
) -> tuple[dict[str, float], dict[str, str]]:
    """Read the headers of sounds.

    Args:
        files: their paths.
        progress: called with the paths; yields them one by one, such as a progress bar.

    Returns:
        For each usable sound, how late a clip of it may end, in s: one sample after the sound, because programs round
        differently. For each other sound, why it cannot be used.
    """
    ends, unusable = {}, {}
    for file in progress(files):
        try:
            samples, rate = sound_extent(file)
        except StimulusError as error:
            unusable[file] = str(error)
        else:
            ends[file] = (samples + 1) / rate
    return ends, unusable
