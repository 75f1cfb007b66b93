"""Checkpoints written by TensorFlow's own Saver, and a server on this machine that can misbehave."""

import gzip
import http.server
import io
import tarfile
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tfmetamers.checkpoints.catalog import CatalogEntry

VARIABLES = {
    "net/conv1/weights": ((3, 3, 3, 8), "float32"),
    "net/conv1/biases": ((8,), "float32"),
    "net/fc/weights": ((40, 30), "float32"),
    "net/fc/biases": ((30,), "float32"),
}
EXTRAS = {"global_step": ((), "int64"), "net/mean_rgb": ((3,), "float32")}


@pytest.fixture(scope="session")
def network_variables():
    """The variables of a small network: shape and dtype by name."""
    return VARIABLES


@pytest.fixture(scope="session")
def save_checkpoint():
    """A function that writes arrays by name with a TensorFlow 1 Saver, and returns the path."""

    def save(path: Path, arrays: dict[str, np.ndarray], file_format: str) -> Path:
        import tensorflow.compat.v1 as tf

        path.parent.mkdir(parents=True, exist_ok=True)
        with tf.Graph().as_default(), tf.Session() as session:
            variables = [
                tf.Variable(value, name=name, use_resource=False, dtype=value.dtype) for name, value in arrays.items()
            ]
            session.run(tf.global_variables_initializer())
            saver = tf.train.Saver(variables, write_version=getattr(tf.train.SaverDef, file_format))
            saver.save(session, str(path), write_meta_graph=False, write_state=False)
        return path

    return save


@pytest.fixture(scope="session")
def arrays():
    """Values of every variable of the small network and of its extras."""
    random = np.random.default_rng(0)
    shapes = VARIABLES | EXTRAS
    return {name: random.normal(size=shape).astype(dtype) for name, (shape, dtype) in shapes.items()}


@pytest.fixture(scope="session", params=["V1", "V2"])
def saved(request, tmp_path_factory, save_checkpoint, arrays):
    """A checkpoint of the small network with extras, once in each format."""
    path = tmp_path_factory.mktemp(request.param) / "net.ckpt"
    return SimpleNamespace(format=request.param, path=save_checkpoint(path, arrays, request.param), arrays=arrays)


@pytest.fixture
def entry():
    """An entry for a single file; tests replace its fields."""
    return CatalogEntry(
        name="small",
        network="small",
        url="http://127.0.0.1/small.npz",
        format="npz",
        checkpoint="small.npz",
        licence="unknown",
        licence_note="Nobody states it.",
        max_bytes=10_000_000,
    )


@pytest.fixture
def make_archive():
    """A function that returns the bytes of a .tar.gz archive of files, and of members made otherwise."""

    def make(files: dict[str, bytes], members=()) -> bytes:
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as tar:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
            for member in members:
                tar.addfile(member)
        return gzip.compress(stream.getvalue(), mtime=0)

    return make


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        behaviour = self.server.behaviour
        behaviour.requests.append(dict(self.headers))
        if behaviour.leads_to and "from=here" not in self.path:
            self.send_response(302)
            self.send_header("Location", behaviour.leads_to)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if behaviour.status != 200:
            self.send_response(behaviour.status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start = self._start(behaviour)
        if start is not None and start >= len(behaviour.content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(behaviour.content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._send(behaviour, start)

    def _start(self, behaviour):
        """Return where the answer begins, or None for the whole file."""
        asked = self.headers.get("Range")
        if asked is None or behaviour.ignores_range:
            return None
        same = self.headers.get("If-Range") in (behaviour.etag, behaviour.last_modified)
        return int(asked.removeprefix("bytes=").rstrip("-")) if same or behaviour.ignores_if_range else None

    def _send(self, behaviour, start):
        content = behaviour.content[0 if start is None else start + behaviour.range_shift :]
        self.send_response(200 if start is None else 206)
        if start is not None:
            begin = start + behaviour.range_shift
            total = len(behaviour.content)
            self.send_header("Content-Range", f"bytes {begin}-{total - 1}/{total}")
        if not behaviour.hides_length:
            self.send_header("Content-Length", str(len(content) + behaviour.claims_more))
        for name, value in (("ETag", behaviour.etag), ("Last-Modified", behaviour.last_modified)):
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content if behaviour.drops_after is None else content[: behaviour.drops_after])
        if behaviour.drops_after is not None or behaviour.claims_more or behaviour.hides_length:
            self.close_connection = True

    def log_message(self, *_):
        """Keep the test's output free of the server's."""


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Expect clients that hang up: some tests stop them in the middle of a download."""


@pytest.fixture
def server(monkeypatch):
    """A server on this machine whose behaviour a test can change while it runs."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with _Server(("127.0.0.1", 0), _Handler) as running:
        running.behaviour = SimpleNamespace(
            url=f"http://127.0.0.1:{running.server_port}/published.bin",
            content=bytes(range(256)) * 4000,
            status=200,
            etag='"first"',
            last_modified=None,
            ignores_range=False,
            ignores_if_range=False,
            range_shift=0,
            claims_more=0,
            drops_after=None,
            hides_length=False,
            leads_to=None,
            requests=[],
        )
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield running.behaviour
        running.shutdown()
        thread.join()
