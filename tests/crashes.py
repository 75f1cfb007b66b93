"""Crashes at every point at which a file is touched, without a process for each.

A crash is simulated: from one event on, every call that would change a file below a folder fails, so that the disk
stays as a kill at that moment would have left it, whatever the code does to clean up.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

#: Calls of Python that change what is in a folder, and which of their arguments are paths and the folders of these.
_CHANGES = {
    "os.mkdir": ((0, 2),),
    "os.rename": ((0, 2), (1, 3)),
    "os.remove": ((0, 1),),
    "os.rmdir": ((0, 1),),
    "os.truncate": ((0, None),),
}


class Crash(BaseException):
    """The process would be dead by now."""


class _Disk:
    """A folder that stops changing at a given event."""

    def __init__(self):
        self.events, self.last, self._folder = 0, None, None
        sys.addaudithook(self._audit)  # Which cannot be removed again.

    @contextlib.contextmanager
    def dying(self, folder: Path, last: int | None) -> Iterator[None]:
        self.events, self.last, self._folder = 0, last, f"{folder.resolve()}/"
        try:
            yield
        finally:
            self._folder = None

    def _audit(self, event: str, arguments: tuple) -> None:
        if self._folder is None or not self._is_change(event, arguments):
            return
        if self.last is not None and self.events >= self.last:
            raise Crash
        self.events += 1

    def _is_change(self, event: str, arguments: tuple) -> bool:
        if event == "open":
            path, _, flags = arguments
            is_written = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            return bool(is_written) and self._is_inside(path, None)
        places = [(arguments[path], arguments[at] if at else None) for path, at in _CHANGES.get(event, ())]
        return any(self._is_inside(*place) for place in places)

    def _is_inside(self, path, at: int | None) -> bool:
        if isinstance(path, int):  # A file that is open already.
            return False
        folder = os.readlink(f"/proc/self/fd/{at}") if at is not None and at >= 0 else os.getcwd()
        return os.path.join(folder, os.fsdecode(path)).startswith(self._folder)


_disk: list[_Disk] = []


def count_events(work: Callable[[], object], folder: Path) -> int:
    """Do some work, and return how many events of it change what is below a folder."""
    disk = _the_disk()
    with disk.dying(folder, None):
        work()
    return disk.events


def crash(work: Callable[[], object], folder: Path, events: int) -> None:
    """Do some work, of which nothing below a folder changes after so many events."""
    with _the_disk().dying(folder, events), contextlib.suppress(Crash):
        work()


def tree(folder: Path) -> dict[str, bytes | None]:
    """Return the content of every file below a folder, and None for each folder, by their paths."""
    paths = sorted(folder.rglob("*"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None for path in paths}


def _the_disk() -> _Disk:
    if not _disk:
        _disk.append(_Disk())
    return _disk[0]
