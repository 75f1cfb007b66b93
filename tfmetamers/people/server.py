"""The server: gives out the site and the lists, and stores every answer before the next trial.

It keeps no addresses, no names of browsers and no cookies.
"""

import os
import shutil
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from flask import Flask, Response, jsonify, request, send_from_directory
from msgspec import Meta
from werkzeug.exceptions import HTTPException

from tfmetamers.errors import ArgumentError, BusyError, ResultError, first_line
from tfmetamers.people.build_record import read_build
from tfmetamers.people.database import (
    Database,
    DiskFullError,
    TokenError,
    TooManySessionsError,
    UnknownSessionError,
    database_path,
)
from tfmetamers.people.experiment_file import read_content
from tfmetamers.people.rows import Session, Short, checked_row
from tfmetamers.version import __version__

if TYPE_CHECKING:
    from waitress.server import BaseWSGIServer

#: The largest request in bytes, and the most rows of one.
MAX_BYTES, MAX_ROWS = 2**16, 50

#: The most connections at once. Browsers keep some open between answers, so that a participant may have several.
MAX_CONNECTIONS = 2000

#: A header that a page of another site cannot send without being asked first whether it may.
HEADER = "X-Tfmetamers"

#: What a page may load: nothing from elsewhere, and no script or style that is written in the page itself.
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)

#: The status of the answer to each error of a request, and to each failure of the server's; the first that fits.
_STATUS = {
    UnknownSessionError: HTTPStatus.NOT_FOUND,
    TokenError: HTTPStatus.UNAUTHORIZED,
    TooManySessionsError: HTTPStatus.TOO_MANY_REQUESTS,
    ArgumentError: HTTPStatus.BAD_REQUEST,
}
_FAILURES = {
    BusyError: HTTPStatus.SERVICE_UNAVAILABLE,
    DiskFullError: HTTPStatus.INSUFFICIENT_STORAGE,
    ResultError: HTTPStatus.INTERNAL_SERVER_ERROR,
}


@dataclass(frozen=True)
class Settings:
    """How an experiment is served.

    Attributes:
        code: shown to those who finished.
        redirect: where those who finished are sent.
        keep_identifiers: keep the identifiers of a recruiting service as they are, for payment.
        most_an_hour: how many sessions may be begun within an hour.
    """

    code: str | None = None
    redirect: str | None = None
    keep_identifiers: bool = False
    most_an_hour: int = 1000


class _Beginning(msgspec.Struct, forbid_unknown_fields=True):
    session: Session
    experiment: str
    participant: Annotated[Short, Meta(min_length=1)] | None = None
    url: dict[str, Short] = {}


class _Rows(msgspec.Struct, forbid_unknown_fields=True):
    rows: Annotated[list[dict[str, Any]], Meta(max_length=MAX_ROWS)]


def make_app(out: str | os.PathLike, settings: Settings | None = None, database: Database | None = None) -> Flask:
    """Return the application that serves an experiment.

    Args:
        out: the folder that `tfmetamers.people.site.build_site` wrote.
        settings: how it is served.
        database: where answers go; by default ``data/data.sqlite`` in the folder.

    Raises:
        ResultError: the folder is no experiment's, or its database cannot be used.
    """
    out, settings = Path(out).absolute(), settings or Settings()
    site, experiment = out / "site", read_build(out).experiment
    content = read_content(site)
    if content["id"] != experiment:
        raise ResultError(f"The site and the key in {out} are of different experiments; build it again.")
    database = database or Database(database_path(out), experiment)
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BYTES
    lists = len(content["lists"])

    @app.get("/")
    def index():
        return send_from_directory(site, "index.html")

    @app.get("/<path:name>")
    def file(name):
        # What is named by its content never changes; the rest is asked for again.
        is_fixed = name.startswith(("stimuli/", "vendor/"))
        return send_from_directory(site, name, max_age=31_536_000 if is_fixed else 0)

    @app.post("/api/v1/sessions")
    @_own_pages_only
    def begin():
        asked = _body(_Beginning)
        if asked.experiment != experiment:
            raise ArgumentError("The session is of another experiment; load the page again.")
        options = {"participant": asked.participant, "token": _token(), "identifiers": asked.url}
        limits = {"keep_identifiers": settings.keep_identifiers, "most_an_hour": settings.most_an_hour}
        try:
            begun = database.begin(asked.session, lists, **options, **limits)
        except TokenError as error:
            return _refusal(str(error), HTTPStatus.CONFLICT)
        answer = jsonify(token=begun.token, list=begun.list, stored=begun.stored)
        return answer, HTTPStatus.OK if begun.token is None else HTTPStatus.CREATED

    @app.post("/api/v1/sessions/<session>/rows")
    @_own_pages_only
    def store(session):
        rows = [checked_row(each) for each in _body(_Rows).rows]
        for row in rows:
            if (row.session, row.experiment) != (session, experiment):
                raise ArgumentError(f"Row {row.seq} is of another session or experiment; send it where it belongs.")
        return jsonify(stored=database.store(session, _token(), rows))

    @app.post("/api/v1/sessions/<session>/finish")
    @_own_pages_only
    def finish(session):
        database.finish(session, _token())
        return jsonify(code=settings.code, redirect=settings.redirect)

    @app.delete("/api/v1/sessions/<session>")
    @_own_pages_only
    def withdraw(session):
        database.withdraw(session, _token())
        return jsonify({})

    @app.get("/api/v1/health")
    def health():
        free = shutil.disk_usage(database.path.parent).free
        return jsonify(version=__version__, experiment=experiment, free_bytes=free)

    @app.errorhandler(Exception)
    def refuse(error):
        if isinstance(error, HTTPException):
            return _refusal(error.description, error.code)
        for kind, status in _STATUS.items():
            if isinstance(error, kind):
                return _refusal(str(error), status)
        # Who serves the experiment is told what is wrong here; participants are not told of files.
        for kind, status in _FAILURES.items():
            if isinstance(error, kind):
                app.logger.error(str(error))
                return _refusal("The server cannot store answers now; try again.", status)
        app.logger.error("A request failed", exc_info=error)
        return _refusal("The server failed; try again.", HTTPStatus.INTERNAL_SERVER_ERROR)

    @app.after_request
    def protect(answer):
        answer.headers["Content-Security-Policy"] = POLICY
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Referrer-Policy"] = "no-referrer"
        return answer

    return app


def open_server(app: Flask, host: str, port: int) -> "BaseWSGIServer":
    """Return a server that listens on a port, of which ``run()`` serves an application; no request is logged.

    Args:
        app: the application.
        host: the address to listen on.
        port: the port; 0 for any that is free, which is then its ``effective_port``.

    Raises:
        ResultError: the port is in use, or may not be used, or the address is not this machine's.
    """
    import waitress

    try:
        return waitress.create_server(
            app,
            host=host,
            port=port,
            threads=16,
            connection_limit=MAX_CONNECTIONS,
            asyncore_use_poll=True,  # `select` cannot wait for more than 1,024.
            ident=None,
            clear_untrusted_proxy_headers=True,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or first_line(error)
        raise ResultError(f"Port {port} of {host} cannot be used: {reason}; give another --port or --host.") from error


def _own_pages_only(view):
    """Refuse requests that a page of another site could send unasked."""

    @wraps(view)
    def checked(**arguments):
        if request.headers.get(HEADER) != "1":
            return _refusal(f"The header {HEADER}: 1 is missing.", HTTPStatus.FORBIDDEN)
        if request.method == "POST" and request.mimetype != "application/json":
            return _refusal("JSON was expected (Content-Type: application/json).", HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        return view(**arguments)

    return checked


def _body(kind: type) -> Any:
    """Return the request's JSON as a kind of data.

    Raises:
        ArgumentError: it is something else.
    """
    try:
        return msgspec.json.decode(request.get_data(), type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ArgumentError(f"The request is not as expected: {error}.") from error


def _token() -> str | None:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if kind == "Bearer" and token else None


def _refusal(reason: str, status: int) -> tuple[Response, int]:
    answer = jsonify(error=reason)
    if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.INSUFFICIENT_STORAGE):
        answer.headers["Retry-After"] = "5"
    return answer, status
