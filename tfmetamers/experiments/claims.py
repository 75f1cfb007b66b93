"""Which worker has which item: files that only one worker can create, and heartbeats in place of locks.

Each attempt at an item creates a file ``<key>.<generation>`` with ``O_EXCL``, which network file systems honour: of all
workers that try, one succeeds. Names are not used again until the item is done, so a worker can only take over from the
one that it found dead. A claim is rewritten in place while its worker is alive; its blocks are allocated when it is
created, so that the reason of a failure fits even when the disk is full.
"""

import contextlib
import dataclasses
import functools
import json
import os
import platform
import stat
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import psutil

from tfmetamers.errors import ResultError
from tfmetamers.utilities.json_files import parse_json, typed

#: A worker's claim is rewritten this often, in seconds.
SECONDS_A_BEAT = 10.0

#: A claim that was not rewritten for this long, in seconds, no longer belongs to its worker. Well above the
#: minute for which network file systems may show a file as it was.
SECONDS_UNTIL_STALE = 180.0

#: The size of a claim in bytes: one block, which is read and written as a whole.
CLAIM_BYTES = 4096

#: States of a claim: at work, failed, or given back by a worker that was stopped.
RUNNING, FAILED, STOPPED = "running", "failed", "stopped"

#: The most reasons of a failure that are kept, and to how many characters each is cut until all fit.
MAX_REASONS, REASON_LENGTHS = 8, (1500, 700, 300, 100, 30, 0)


class ClaimLost(ResultError):
    """Another worker has taken over what this one worked on."""


@dataclass(frozen=True)
class ClaimRecord:
    """What a claim holds.

    Attributes:
        state: `RUNNING`, `FAILED` or `STOPPED`.
        worker: the host and the process.
        machine: tells the machine, since it was started, and its process numbers from others.
        process: the number of the process.
        started: when the process was started, which tells it from a later one of the same number.
        since: when the work began, in UTC, as ISO 8601 has it.
        step: how many steps of a batch, or how many stimuli, are done.
        steps: how many there are.
        steps_a_second: steps, or stimuli, a second since the work began.
        reasons: why it failed, by what failed; cut where they are too long or too many for the file.
        failures: how many failed.
    """

    state: str
    worker: str
    machine: str
    process: int
    started: float
    since: str
    step: int = 0
    steps: int = 0
    steps_a_second: float = 0.0
    reasons: Mapping[str, str] = field(default_factory=dict)
    failures: int = 0

    @classmethod
    def own(cls) -> "ClaimRecord":
        """Return the claim of this process, begun now."""
        process = psutil.Process()
        return cls(
            RUNNING, f"{platform.node()}:{process.pid}", this_machine(), process.pid, process.create_time(), _utc_now()
        )

    def encode(self) -> bytes:
        """Return the claim as its file holds it."""
        for length in REASON_LENGTHS:
            reasons = {name[:length]: text[:length] for name, text in list(self.reasons.items())[:MAX_REASONS]}
            text = json.dumps({**vars(self), "reasons": reasons}, ensure_ascii=False).encode()
            if len(text) < CLAIM_BYTES:
                break
        return text.ljust(CLAIM_BYTES - 1) + b"\n"

    @classmethod
    def decode(cls, content: bytes) -> "ClaimRecord | None":
        """Return what `encode` gave, None for anything else, such as a claim that is just being made."""
        try:
            return typed(parse_json(content), cls)
        except ValueError:
            return None


@dataclass(frozen=True)
class FoundClaim:
    """The newest claim of an item, as it was found on disk.

    Attributes:
        generation: its number among the claims of the item.
        record: what it holds; None while it is being created, or where it is not a claim.
        beat: when it was last written, in seconds, by the file system's clock.
    """

    generation: int
    record: ClaimRecord | None
    beat: float

    def is_held(self, now: float) -> bool:
        """Tell whether its worker may be at work.

        Args:
            now: the time by the file system's clock (`Claims.now`).
        """
        if self.record is not None:
            if self.record.state != RUNNING:
                return False
            if self.record.machine == this_machine() and not _lives(self.record):
                return False
        return now - self.beat <= SECONDS_UNTIL_STALE

    @property
    def has_failed(self) -> bool:
        """Whether the item was tried and failed."""
        return self.record is not None and self.record.state == FAILED


class Claims:
    """The claims of an experiment: a folder of files."""

    def __init__(self, folder: Path):
        self.folder = folder

    def find(self, key: str) -> FoundClaim | None:
        """Return the newest claim of an item, None where there is none."""
        generation, found = 0, None
        while (claim := self._read(key, generation)) is not None:
            found, generation = claim, generation + 1
        return found

    def find_all(self) -> dict[str, FoundClaim]:
        """Return the newest claim of each item that has one, by the item's key."""
        newest: dict[str, int] = {}
        with contextlib.suppress(FileNotFoundError), os.scandir(self.folder) as entries:
            for entry in entries:
                key, _, generation = entry.name.rpartition(".")
                if generation.isdecimal():
                    newest[key] = max(newest.get(key, 0), int(generation))
        found = {key: self._read(key, generation) for key, generation in newest.items()}
        return {key: claim for key, claim in found.items() if claim is not None}

    def take(self, key: str, found: FoundClaim | None) -> "Claim | None":
        """Claim an item that no worker has; None if another worker was faster.

        Args:
            key: the item's key.
            found: its newest claim, which is not held by its worker.

        Raises:
            ResultError: the claim cannot be written.
        """
        path = self._path(key, 0 if found is None else found.generation + 1)
        record = ClaimRecord.own()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with path.open("xb", buffering=0) as stream:
                try:
                    stream.write(record.encode())
                    os.fsync(stream.fileno())
                except OSError:
                    path.unlink()
                    raise
        except FileExistsError:
            return None
        except OSError as error:
            raise ResultError(
                f"{path} cannot be written: {error.strerror or error}. Make room there, and run the experiment again."
            ) from error
        return Claim(path, record)

    def reset(self, key: str, found: FoundClaim) -> None:
        """Let an item that failed be tried again.

        Raises:
            ResultError: its claim cannot be written.
        """
        record = dataclasses.replace(found.record, state=STOPPED)
        try:
            _rewrite(self._path(key, found.generation), record)
        except FileNotFoundError:
            pass  # Meanwhile it is done.
        except OSError as error:
            raise ResultError(f"{self.folder} cannot be written: {error.strerror or error}.") from error

    def forget(self, key: str, generation: int) -> None:
        """Remove a claim of an item that is done, and all claims before it, the newest first.

        Workers that looked before the item was done may create later claims; each removes its own.
        """
        for each in reversed(range(generation + 1)):
            with contextlib.suppress(FileNotFoundError, IsADirectoryError):
                self._path(key, each).unlink()  # Of a link, the link alone.

    def now(self) -> float:
        """Return the time by the clock of the file system, which all workers share."""
        try:
            with tempfile.TemporaryFile(dir=self.folder) as stream:
                return os.fstat(stream.fileno()).st_mtime
        except OSError:  # Where nothing can be written, nothing is taken over.
            return time.time()

    def _path(self, key: str, generation: int) -> Path:
        return self.folder / f"{key}.{generation}"

    def _read(self, key: str, generation: int) -> FoundClaim | None:
        path = self._path(key, generation)
        try:
            status = path.lstat()
            if not stat.S_ISREG(status.st_mode):  # A link, a pipe, a folder: no worker has made it.
                return FoundClaim(generation, None, status.st_mtime)
            with path.open("rb", buffering=0) as stream:
                content, beat = stream.read(CLAIM_BYTES), os.fstat(stream.fileno()).st_mtime
        except FileNotFoundError:
            return None
        return FoundClaim(generation, ClaimRecord.decode(content), beat)


class Claim:
    """An item that this process has claimed.

    Attributes:
        record: what the claim holds.
        generation: its number among the claims of the item.
    """

    def __init__(self, path: Path, record: ClaimRecord):
        self.record = record
        self.generation = int(path.suffix[1:])
        self._path = path
        self._successor = path.with_suffix(f".{self.generation + 1}")

    def write(self, **changes: Any) -> None:
        """Rewrite the claim in place, which is also its heartbeat.

        Raises:
            ClaimLost: another worker has taken it over, or the item is done.
            OSError: it cannot be written.
        """
        self.record = dataclasses.replace(self.record, **changes)
        try:
            if self._successor.exists():
                raise ClaimLost(f"{self._path.name} was taken over by another worker.")
            _rewrite(self._path, self.record)
        except FileNotFoundError as error:
            raise ClaimLost(f"{self._path.name} is done, or was deleted.") from error

    def fail(self, reasons: Mapping[str, str]) -> None:
        """Note why the item failed; it is left alone until it is reset.

        Args:
            reasons: why, by what failed.
        """
        self.write(state=FAILED, reasons=dict(reasons), failures=len(reasons))

    def stop(self) -> None:
        """Give the item back."""
        self.write(state=STOPPED)


def _rewrite(path: Path, record: ClaimRecord) -> None:
    with path.open("r+b", buffering=0) as stream:
        stream.write(record.encode())


def _utc_now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


@functools.cache
def this_machine() -> str:
    """Tell this machine, since it was started, and its process numbers from others."""
    parts = [platform.node()]
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(os.readlink("/proc/self/ns/pid"))  # Containers start counting processes again.
    return " ".join(parts)


def _lives(record: ClaimRecord) -> bool:
    """Tell whether a process of this machine still exists."""
    try:
        process = psutil.Process(record.process)
        # When the clock is set, the time at which a process was started moves with it.
        is_same = abs(process.create_time() - record.started) < SECONDS_A_BEAT
        return is_same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
