"""The package's server with a site, which can be killed and revived on the same port."""

import sqlite3
import threading
from pathlib import Path

import msgspec
from werkzeug.serving import make_server

from tfmetamers.people.build_record import read_build
from tfmetamers.people.database import Database, database_path, read_rows
from tfmetamers.people.server import Settings, make_app


class _CountingDatabase(Database):
    """Counts rows that arrive again."""

    replayed = 0

    def store(self, session, token, rows):
        known = {row.seq for row in read_rows(self.path) if row.session == session}
        self.replayed += sum(row.seq in known for row in rows)
        return super().store(session, token, rows)


class Server:
    """An experiment that is served; `kill` and `revive` keep the port and the rows."""

    def __init__(self, out: Path):
        self.out, self.site = out, out / "site"
        self.database = _CountingDatabase(database_path(out), read_build(out).experiment)
        self.app = make_app(out, Settings(code="DONE-7"), self.database)
        self.port = 0
        self.revive()

    def revive(self):
        self.server = make_server("127.0.0.1", self.port, self.app, threaded=True)
        self.port = self.server.port
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def kill(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/index.html"

    @property
    def rows(self):
        """The rows of each session by their numbers, as JSON."""
        found = {session: {} for session in self.lists}
        for row in read_rows(self.database.path):
            found[row.session][row.seq] = msgspec.to_builtins(row)
        return found

    @property
    def lists(self):
        """The list of each session, in the order in which they were begun."""
        return dict(self._query("SELECT session, list FROM sessions ORDER BY rowid"))

    @property
    def finished(self):
        return [session for (session,) in self._query("SELECT session FROM sessions WHERE finished IS NOT NULL")]

    @property
    def replayed(self):
        return self.database.replayed

    def _query(self, query):
        connection = sqlite3.connect(self.database.path)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def only(self):
        """The rows of the one session, in order."""
        (rows,) = self.rows.values()
        assert sorted(rows) == list(range(len(rows)))
        return [rows[seq] for seq in sorted(rows)]
