"""A stand-in for `people serve`, in memory: what the page relies on, and no more."""

import json
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


class Handler(SimpleHTTPRequestHandler):
    def __init__(self, *arguments, server_state, **options):
        self.state = server_state
        super().__init__(*arguments, **options)

    def end_headers(self):
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, *arguments):
        pass

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.state.lock:
            self.answer(*self.state.respond(self.command, self.path, self.headers, content))

    do_DELETE = do_POST


class StandIn:
    """Serves a site and takes its rows; `kill` and `revive` keep the port and the rows."""

    def __init__(self, site: Path):
        self.site = site
        self.rows = {}  # {session: {seq: row}}
        self.tokens = {}
        self.lists = {}
        self.finished = []
        self.replayed = 0
        self.lock = threading.Lock()
        self.port = 0
        self.revive()

    def revive(self):
        handler = partial(Handler, server_state=self, directory=self.site)
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def kill(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/index.html"

    def respond(self, method, path, headers, content):
        if headers["X-Tfmetamers"] != "1" or headers["Content-Type"] != "application/json":
            return 403, {"error": "no header"}
        parts = path.split("/")[4:]
        token = (headers["Authorization"] or "").removeprefix("Bearer ")
        if not parts:
            session = content["session"]
            if session in self.tokens:
                if token != self.tokens[session]:
                    return 409, {"error": "this session exists"}
                return 200, {"token": None, "list": self.lists[session], "stored": self.stored(session)}
            self.tokens[session], self.lists[session], self.rows[session] = f"token-{session}", len(self.lists) % 2, {}
            return 201, {"token": self.tokens[session], "list": self.lists[session], "stored": -1}
        session = parts[0]
        if session not in self.tokens:
            return 404, {"error": "unknown session"}
        if token != self.tokens[session]:
            return 401, {"error": "wrong token"}
        if method == "DELETE":
            del self.rows[session], self.tokens[session]
            return 200, {}
        if parts[1] == "finish":
            self.finished.append(session)
            return 200, {"code": "DONE-7", "redirect": None}
        for row in content["rows"]:
            self.replayed += row["seq"] in self.rows[session]
            self.rows[session].setdefault(row["seq"], row)
        return 200, {"stored": self.stored(session)}

    def stored(self, session):
        last = -1
        while last + 1 in self.rows[session]:
            last += 1
        return last

    def only(self):
        """The rows of the one session, in order."""
        (rows,) = self.rows.values()
        assert sorted(rows) == list(range(len(rows)))
        return [rows[seq] for seq in sorted(rows)]
