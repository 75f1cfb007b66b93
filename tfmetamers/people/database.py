"""The database of answers: SQLite, one file, written by the server and read by the analysis."""

import contextlib
import hashlib
import hmac
import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from tfmetamers.errors import ArgumentError, BusyError, ResultError
from tfmetamers.people.rows import Row, checked_row, text_of
from tfmetamers.utilities.json_files import other_format, parse_json

#: The version of the tables, kept as SQLite's ``user_version``.
FORMAT = 1

#: Seconds that a writer waits for another process.
BUSY_SECONDS = 5.0

#: The identifiers that a recruiting service puts into the address, of which hashes are kept.
IDENTIFIERS = ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID")

#: File systems on which SQLite's locks, or its memory that processes share, cannot be relied on.
_NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "9p", "fuse.sshfs", "ceph", "lustre", "beegfs"}

_TABLES = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE sessions (
    session TEXT PRIMARY KEY, token TEXT NOT NULL, list INTEGER NOT NULL, participant TEXT,
    started TEXT NOT NULL, finished TEXT
) STRICT;
CREATE TABLE rows (
    session TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE, seq INTEGER NOT NULL, kind TEXT NOT NULL,
    received TEXT NOT NULL, content TEXT NOT NULL, PRIMARY KEY (session, seq)
) STRICT;
CREATE TABLE recruited (
    session TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE, name TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (session, name)
) STRICT;
"""


class DiskFullError(ResultError):
    """There is no room for another row."""


class UnknownSessionError(ResultError):
    """There is no session of that name."""


class TokenError(ResultError):
    """The token is not that of the session."""


class TooManySessionsError(ResultError):
    """More sessions were begun within an hour than are allowed."""


@dataclass(frozen=True)
class Begun:
    """A session that was begun, or begun before.

    Attributes:
        token: what its rows must come with; None for a session that was begun before.
        list: the number of its list.
        stored: the highest number up to which all rows are stored; -1 for none.
    """

    token: str | None
    list: int
    stored: int


class Database:
    """The database of one experiment."""

    def __init__(self, path: str | os.PathLike, experiment: str, *, busy_seconds: float = BUSY_SECONDS):
        """Open a database, or make it.

        Args:
            path: the file.
            experiment: the experiment's id.
            busy_seconds: how long a writer waits for another process.

        Raises:
            ResultError: it is damaged, of another experiment or format, or on a file system of a network.
            BusyError: another process is writing.
        """
        self.path, self._busy_seconds = Path(path), busy_seconds
        # One writer at a time within this process: SQLite's own waiting is neither fair nor prompt.
        self._writer = threading.Lock()
        _refuse_network_file_system(self.path)
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ResultError(f"{self.path} cannot be made: {error.strerror}; give another folder.") from error
        with self._transaction() as connection:
            if not _is_made(connection, self.path):
                for statement in _TABLES.strip().split(";")[:-1]:
                    connection.execute(statement)
                values = {"experiment": experiment, "salt": secrets.token_hex(16)}
                connection.executemany("INSERT INTO about VALUES (?, ?)", values.items())
                connection.execute(f"PRAGMA user_version = {FORMAT}")
            _require_experiment(connection, self.path, experiment)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection within a transaction that is written when the block succeeds."""
        with self._writer, _named_errors(self.path):
            connection = sqlite3.connect(self.path, timeout=self._busy_seconds, isolation_level=None)
            with contextlib.closing(connection):
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA foreign_keys = ON")
                connection.execute("PRAGMA secure_delete = ON")
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                    connection.execute("COMMIT")
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise

    def begin(
        self,
        session: str,
        lists: int,
        *,
        participant: str | None = None,
        token: str | None = None,
        identifiers: Mapping[str, str] | None = None,
        keep_identifiers: bool = False,
        most_an_hour: int | None = None,
    ) -> Begun:
        """Begin a session with the list that the fewest participants finished, of these the one the fewest began.

        Args:
            session: its UUID, which the page draws.
            lists: how many lists there are.
            participant: a code that the participant was given.
            token: the token of a session that was begun before.
            identifiers: those of `IDENTIFIERS` that a recruiting service gave; salted hashes of them are kept.
            keep_identifiers: keep them as they are, for payment.
            most_an_hour: how many sessions may be begun within an hour.

        Raises:
            TokenError: the session was begun before, with another token.
            TooManySessionsError: too many were begun within the last hour.
            BusyError, DiskFullError: it cannot be written now.
        """
        now = datetime.now(timezone.utc)
        with self._transaction() as connection:
            found = connection.execute("SELECT list FROM sessions WHERE session = ?", (session,)).fetchone()
            if found:
                _check_token(connection, session, token)
                return Begun(None, found[0], _stored(connection, session))
            hour_ago = (now - timedelta(hours=1)).isoformat()
            [begun] = connection.execute("SELECT count(*) FROM sessions WHERE started > ?", (hour_ago,)).fetchone()
            if most_an_hour is not None and begun >= most_an_hour:
                raise TooManySessionsError(f"{begun} sessions were begun within the last hour; come back later.")
            number = _next_list(connection, lists)
            new = secrets.token_urlsafe(24)
            connection.execute(
                "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, NULL)",
                (session, _hashed(new), number, participant, now.isoformat()),
            )
            [salt] = connection.execute("SELECT value FROM about WHERE key = 'salt'").fetchone()
            for name in IDENTIFIERS:
                if identifiers and name in identifiers:
                    value = identifiers[name] if keep_identifiers else _hashed(salt + identifiers[name])
                    connection.execute("INSERT INTO recruited VALUES (?, ?, ?)", (session, name, value))
            return Begun(new, number, -1)

    def store(self, session: str, token: str | None, rows: Sequence[Row]) -> int:
        """Store rows of a session; a row whose number is stored already is left as it is.

        Args:
            session: the session.
            token: its token.
            rows: the rows, in any order.

        Returns:
            The highest number up to which all rows are stored.

        Raises:
            UnknownSessionError, TokenError: there is no such session, or the token is another's.
            ArgumentError: a row is of another list than the session.
            BusyError, DiskFullError: they cannot be written now.
        """
        received = datetime.now(timezone.utc).isoformat()
        with self._transaction() as connection:
            _check_token(connection, session, token)
            [number] = connection.execute("SELECT list FROM sessions WHERE session = ?", (session,)).fetchone()
            for row in rows:
                if row.list != number:
                    raise ArgumentError(f"Row {row.seq} is of the list {row.list}; the session's is {number}.")
            connection.executemany(
                "INSERT INTO rows VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [(session, row.seq, row.kind, received, text_of(row)) for row in rows],
            )
            return _stored(connection, session)

    def finish(self, session: str, token: str | None) -> None:
        """Mark a session as finished.

        Raises:
            UnknownSessionError, TokenError: there is no such session, or the token is another's.
            BusyError, DiskFullError: it cannot be written now.
        """
        now = datetime.now(timezone.utc).isoformat()
        with self._transaction() as connection:
            _check_token(connection, session, token)
            connection.execute("UPDATE sessions SET finished = coalesce(finished, ?) WHERE session = ?", (now, session))

    def withdraw(self, session: str, token: str | None) -> None:
        """Delete a session, as its participant asks.

        Raises:
            UnknownSessionError, TokenError: there is no such session, or the token is another's.
            BusyError: it cannot be written now.
        """
        with self._transaction() as connection:
            _check_token(connection, session, token)
            connection.execute("DELETE FROM sessions WHERE session = ?", (session,))
        self._erase()

    def forget(self, name: str) -> int:
        """Delete a participant: all sessions of a UUID or of a code.

        Returns:
            The number of sessions.

        Raises:
            UnknownSessionError: there is none.
            BusyError: it cannot be written now.
        """
        with self._transaction() as connection:
            deleted = connection.execute("DELETE FROM sessions WHERE session = ? OR participant = ?", (name, name))
            if not deleted.rowcount:
                raise UnknownSessionError(f"{self.path} has no session or participant {name!r}; nothing was deleted.")
        self._erase()
        return deleted.rowcount

    def _erase(self) -> None:
        """Empty SQLite's log, which holds what was deleted, too."""
        with self._writer, _named_errors(self.path), contextlib.closing(sqlite3.connect(self.path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def database_path(out: str | os.PathLike) -> Path:
    """Return where the server keeps the answers of an experiment."""
    return Path(out) / "data" / "data.sqlite"


def read_rows(path: str | os.PathLike, experiment: str | None = None) -> list[Row]:
    """Return all rows of a database, session by session, in their order; it may be in use.

    Args:
        path: the file.
        experiment: the id of the experiment that it must be of.

    Raises:
        ResultError: it is missing, damaged (a copy that was taken while it was written to is), or of another
            experiment or format.
    """
    path = Path(path)
    if not path.is_file():
        raise ResultError(f"{path} is missing; nobody has taken part yet, or give another file.")
    with _reading(path) as connection:
        [state] = connection.execute("PRAGMA quick_check(1)").fetchone()
        if state != "ok":
            raise _damaged(path, state.splitlines()[-1])
        if not _is_made(connection, path):
            raise _damaged(path, "it is empty")
        if experiment is not None:
            _require_experiment(connection, path, experiment)
        query = "SELECT rows.content FROM rows JOIN sessions USING (session) ORDER BY sessions.rowid, seq"
        contents = [content for (content,) in connection.execute(query)]
    try:
        return [checked_row(parse_json(content)) for content in contents]
    except ValueError as error:
        raise _damaged(path, error) from error


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    with _named_errors(path):
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)
        with contextlib.closing(connection):
            yield connection


@contextlib.contextmanager
def _named_errors(path: Path) -> Iterator[None]:
    """Raise the package's errors in place of SQLite's."""
    try:
        yield
    except sqlite3.Error as error:
        reason = str(error)  # Python 3.10 has no code of the error.
        if "is locked" in reason:
            raise BusyError(f"{path} is locked by another process; close it there, and try again.") from error
        if "is full" in reason:
            raise DiskFullError(f"{path} cannot grow: the disk is full; make room.") from error
        raise _damaged(path, error) from error


def _damaged(path: Path, reason: object) -> ResultError:
    return ResultError(
        f"{path} cannot be used ({reason}); give the database that the server writes, or a copy made while it was "
        "stopped. 'tfmetamers people export OUT --to csv' makes one at any time."
    )


def _is_made(connection: sqlite3.Connection, path: Path) -> bool:
    """Tell whether a database has its tables.

    Raises:
        ResultError: it is of another format, or some other database.
    """
    [version] = connection.execute("PRAGMA user_version").fetchone()
    [tables] = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if version not in (0, FORMAT):
        raise other_format(path, version, FORMAT, "analyse it with the version that wrote it")
    if version == 0 and tables:
        raise ResultError(f"{path} is another program's database; give another file.")
    return version == FORMAT


def _require_experiment(connection: sqlite3.Connection, path: Path, experiment: str) -> None:
    [found] = connection.execute("SELECT value FROM about WHERE key = 'experiment'").fetchone()
    if found != experiment:
        raise ResultError(
            f"{path} has answers to the experiment {found[:12]}, and this one is {experiment[:12]}; give the folder "
            "that it was built in."
        )


def _next_list(connection: sqlite3.Connection, lists: int) -> int:
    """Return the list with the fewest finished sessions, of these the one with the fewest begun, of these the first."""
    query = "SELECT list, count(finished), count(*) FROM sessions GROUP BY list"
    counts = {number: (finished, begun) for number, finished, begun in connection.execute(query)}
    return min(range(lists), key=lambda number: (*counts.get(number, (0, 0)), number))


def _stored(connection: sqlite3.Connection, session: str) -> int:
    """Return the highest number up to which all rows of a session are stored; -1 for none."""
    count, last = connection.execute("SELECT count(*), max(seq) FROM rows WHERE session = ?", (session,)).fetchone()
    if not count or last == count - 1:
        return count - 1
    numbers = connection.execute("SELECT seq FROM rows WHERE session = ? ORDER BY seq", (session,))
    stored = -1
    for (number,) in numbers:
        if number != stored + 1:
            break
        stored = number
    return stored


def _check_token(connection: sqlite3.Connection, session: str, token: str | None) -> None:
    found = connection.execute("SELECT token FROM sessions WHERE session = ?", (session,)).fetchone()
    if found is None:
        raise UnknownSessionError("There is no such session; begin one.")
    if token is None or not hmac.compare_digest(found[0], _hashed(token)):
        raise TokenError("The token is not that of the session; send the one that the session was begun with.")


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _refuse_network_file_system(path: Path) -> None:
    """Refuse a file system of a network, where what SQLite relies on may be missing."""
    import psutil

    folder = path.absolute().parent
    while not folder.exists():
        folder = folder.parent
    folder = folder.resolve()
    mounts = [part for part in psutil.disk_partitions(all=True) if folder.is_relative_to(part.mountpoint)]
    kind = max(mounts, key=lambda part: len(part.mountpoint)).fstype if mounts else ""
    if kind.lower() in _NETWORK_FILE_SYSTEMS:
        raise ResultError(f"{folder} is on a file system of the kind {kind}; give a folder on a disk of this machine.")
