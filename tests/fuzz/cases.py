"""One case: valid files, one of them damaged, and what came of reading them."""

import contextlib
import io
import logging
import os
import random
import resource
import shutil
import sys
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from tests.fuzz.doors import DOORS, SHARED, make_shared
from tests.fuzz.mutations import damaged
from tfmetamers.errors import TfmetamersError

#: What reading a damaged file may take beyond what was taken before, in bytes.
MAX_MEMORY = 2 * 10**9

#: What a case may at most ask of the system, so that a bomb ends the case and not the machine.
HARD_LIMIT = 5 * 10**9

#: Outcomes of a case that are as they should be.
ACCEPTED, REFUSED, SPARED = "accepted", "refused", "spared"

#: Calls of Python that change names in folders: which of their arguments are such names, and which is the descriptor of
#: the folder that a relative name starts in. Of a link, they change the link, and not what it leads to.
_NAMES = {
    "os.remove": [(0, 1)],
    "os.rename": [(0, 2), (1, 3)],
    "os.mkdir": [(0, 2)],
    "os.rmdir": [(0, 1)],
    "os.symlink": [(1, 2)],
    "os.link": [(1, 3)],
}

#: Calls of Python that change what their first argument leads to.
_CONTENTS = ("os.truncate", "os.chmod")


@dataclass
class Outcome:
    """What came of a case.

    Attributes:
        kind: `ACCEPTED`, `REFUSED` with one sentence, `SPARED` (an error of another kind, that spared all other
            metamers), or a fault: ``traceback``, ``lines``, ``memory``, ``outside``; and, told by others, ``abort`` and
            ``hang``.
        detail: the sentence, or what is at fault.
    """

    kind: str
    detail: str = ""


def make_valid(folder: Path) -> None:
    """Make the valid files of every door, which the door must accept."""
    make_shared(folder / SHARED)
    for name, door in DOORS.items():
        (folder / name).mkdir()
        door.make(folder / name, folder / SHARED)
        with tempfile.TemporaryDirectory() as copy:
            door.read(shutil.copytree(folder / name, Path(copy) / "files"), folder / SHARED)


class Watch:
    """What the running case has done: errors that spared other metamers, and writing outside its own folder."""

    def __init__(self):
        self.spared: list[str] = []
        self.outside: list[str] = []
        self._allowed: tuple[str, ...] | None = None
        self._handler = logging.Handler()
        self._handler.emit = lambda record: self.spared.append(logging.Formatter().format(record))
        sys.addaudithook(self._audit)

    @contextlib.contextmanager
    def over(self, *allowed: Path) -> Iterator[None]:
        """Watch while the block runs; it may write below some folders."""
        self.spared.clear(), self.outside.clear()
        self._allowed = tuple(os.path.realpath(folder) for folder in (*allowed, "/dev/null", "/proc/self"))
        logger = logging.getLogger("tfmetamers.metamers.failures")
        before = logger.level, logger.propagate
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
        logger.addHandler(self._handler)
        try:
            yield
        finally:
            self._allowed = None
            logger.removeHandler(self._handler)
            logger.setLevel(before[0])
            logger.propagate = before[1]

    def _audit(self, event: str, arguments: tuple) -> None:
        if self._allowed is None:
            return
        if event == "open":
            path, _, flags = arguments
            if not isinstance(flags, int) or not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
                return
        elif event in _NAMES:
            for path, folder in _NAMES[event]:
                self._check(event, _entry(arguments[path], arguments[folder]))
            return
        elif event in _CONTENTS:
            path = arguments[0]
        elif event.startswith(("subprocess", "os.system", "os.exec", "os.posix_spawn")):
            self.outside.append(f"{event}{arguments}"[:300])
            return
        else:
            return
        if not isinstance(path, int):
            self._check(event, os.path.realpath(os.fsdecode(path)))

    def _check(self, event: str, real: str) -> None:
        if not any(real == folder or real.startswith(f"{folder}/") for folder in self._allowed):
            self.outside.append(f"{event} {real}"[:300])


def _entry(path, folder: int) -> str:
    """Return the name in a folder that a path stands for, without following it where it is a link."""
    start = f"/proc/self/fd/{folder}" if folder >= 0 else ""
    above, name = os.path.split(os.path.join(start, os.path.normpath(os.fsdecode(path))))
    return os.path.join(os.path.realpath(above), name)


def run_case(valid: Path, name: str, seed: str, watch: Watch) -> Outcome:
    """Damage one of a door's files and read them.

    Args:
        valid: what `make_valid` made.
        name: the door's name.
        seed: decides which file is damaged, and how.
        watch: the watch of this process.
    """
    door, chance = DOORS[name], random.Random(f"{seed}/{name}")
    with tempfile.TemporaryDirectory(prefix="fuzz") as sandbox:
        folder, elsewhere = Path(sandbox) / "files", Path(sandbox) / "elsewhere"
        shutil.copytree(valid / name, folder)
        elsewhere.mkdir()
        before = os.getcwd()
        victims = sorted({path for pattern in door.victims for path in folder.glob(pattern) if path.is_file()})
        damaged(chance.choice(victims), chance)
        os.chdir(elsewhere)
        try:
            with watch.over(folder, Path(tempfile.gettempdir())):
                outcome = _read(door, folder, valid / SHARED)
        finally:
            os.chdir(before)
        written = [path.name for path in (*elsewhere.iterdir(), *Path(sandbox).iterdir())]
        outside = [*watch.outside, *(name for name in written if name not in ("files", "elsewhere"))]
        if outside:
            return Outcome("outside", "; ".join(outside))
        if watch.spared and outcome.kind in (ACCEPTED, REFUSED):
            return Outcome(SPARED, watch.spared[0])
        return outcome


def _read(door, folder: Path, shared: Path) -> Outcome:
    _reset_peak()
    before = _memory("VmRSS")
    limit = _memory("VmData") + HARD_LIMIT
    resource.setrlimit(resource.RLIMIT_DATA, (limit, resource.RLIM_INFINITY))
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            door.read(folder, shared)
        outcome = Outcome(ACCEPTED)
    except (TfmetamersError, click.ClickException) as error:
        message = error.format_message() if isinstance(error, click.ClickException) else str(error)
        outcome = Outcome(REFUSED, message)
        if "\n" in message or not message:
            outcome = Outcome("lines", message)
    except KeyboardInterrupt:
        raise
    except BaseException:
        outcome = Outcome("traceback", traceback.format_exc())
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    taken = _memory("VmHWM") - before
    return Outcome("memory", f"{taken / 1e9:.1f} GB: {outcome.detail}") if taken > MAX_MEMORY else outcome


def _reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _memory(field: str) -> int:
    """Return a number of bytes of /proc/self/status."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(f"{field}:")]
    return int(line.split()[1]) * 1024
