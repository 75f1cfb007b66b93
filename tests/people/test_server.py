"""The server stores every answer once, gives lists out evenly, and refuses what is not of its page."""

import http.client
import sqlite3
import threading
import uuid

import pytest

from tfmetamers.errors import ResultError
from tfmetamers.people.build_record import read_build
from tfmetamers.people.database import Database, read_rows
from tfmetamers.people.server import MAX_BYTES, Settings, make_app, open_server

HEADERS = {"X-Tfmetamers": "1"}


class Page:
    """What the page asks of the server."""

    def __init__(self, client, experiment: str):
        self.client, self.experiment = client, experiment
        self.session, self.token, self.list = str(uuid.uuid4()), None, 0

    def post(self, path: str, body, **headers):
        own = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return self.client.post(f"/api/v1/sessions{path}", json=body, headers={**HEADERS, **own, **headers})

    def begin(self, **further):
        answer = self.post("", {"session": self.session, "experiment": self.experiment, **further})
        self.token, self.list = self.token or answer.json.get("token"), answer.json.get("list")
        return answer

    def row(self, seq: int, **further):
        return {
            "session": self.session,
            "seq": seq,
            "experiment": self.experiment,
            "list": self.list,
            "kind": "main",
            **further,
        }

    def store(self, *rows, **headers):
        return self.post(f"/{self.session}/rows", {"rows": rows}, **headers)


@pytest.fixture
def database(experiment, tmp_path):
    return Database(tmp_path / "data.sqlite", read_build(experiment).experiment, busy_seconds=0.05)


@pytest.fixture
def client(experiment, database):
    return make_app(experiment, Settings(code="C0DE", redirect="https://example.org/done"), database).test_client()


@pytest.fixture
def new_page(client, experiment):
    return lambda: Page(client, read_build(experiment).experiment)


@pytest.fixture
def page(new_page):
    page = new_page()
    page.begin()
    return page


def stored(database):
    return [(row.seq, row.response) for row in read_rows(database.path)]


class TestSessions:
    def test_lists_are_given_out_evenly_and_unfinished_ones_again(self, new_page):
        pages = [new_page() for _ in range(8)]
        assert [page.begin().json["list"] for page in pages] == [0, 1, 2, 3, 0, 1, 2, 3]
        for page in pages[:3]:
            assert page.post(f"/{page.session}/finish", {}).json == {
                "code": "C0DE",
                "redirect": "https://example.org/done",
            }
        assert new_page().begin().json["list"] == 3

    def test_a_session_that_comes_back_has_its_list_and_what_is_stored(self, page):
        page.store(page.row(0), page.row(1))
        again = page.begin()
        assert (again.status_code, again.json) == (200, {"token": None, "list": 0, "stored": 1})

    def test_a_session_that_comes_back_without_its_token_is_refused(self, page):
        page.token = None
        assert page.begin().status_code == 409

    def test_another_experiment_and_unknown_keys_are_refused(self, new_page):
        assert new_page().begin(list=3).status_code == 400
        page = new_page()
        page.experiment = "0" * 64
        assert page.begin().status_code == 400
        assert new_page().post("", ["x"]).status_code == 400

    def test_no_more_sessions_an_hour_than_allowed(self, experiment, database):
        client = make_app(experiment, Settings(most_an_hour=1), database).test_client()
        pages = [Page(client, read_build(experiment).experiment) for _ in range(2)]
        assert [page.begin().status_code for page in pages] == [201, 429]

    @pytest.mark.parametrize("is_kept", [False, True])
    def test_identifiers_are_hashed_unless_they_are_to_be_kept(self, experiment, database, is_kept):
        client = make_app(experiment, Settings(keep_identifiers=is_kept), database).test_client()
        Page(client, read_build(experiment).experiment).begin(url={"PROLIFIC_PID": "someone", "list": "3"})
        with sqlite3.connect(database.path) as connection:
            [(name, value)] = connection.execute("SELECT name, value FROM recruited")
        assert name == "PROLIFIC_PID" and (value == "someone") == is_kept
        assert all(b"someone" not in path.read_bytes() for path in database.path.parent.iterdir()) != is_kept


class TestRows:
    def test_rows_are_stored_once_however_often_they_come(self, page, database):
        assert page.store(page.row(0, response="dog"), page.row(1, response="cat")).json == {"stored": 1}
        assert page.store(page.row(1, response="bear"), page.row(2, response="car")).json == {"stored": 2}
        assert stored(database) == [(0, "dog"), (1, "cat"), (2, "car")]

    def test_rows_out_of_order_are_stored_and_the_gap_is_told(self, page, database):
        assert page.store(page.row(2), page.row(0)).json == {"stored": 0}
        assert page.store(page.row(1)).json == {"stored": 2}
        assert [seq for seq, _ in stored(database)] == [0, 1, 2]

    def test_rows_that_are_refused(self, page, new_page, database):
        other = new_page()
        assert other.store(other.row(0)).status_code == 404
        assert page.store({**page.row(0), "session": other.session}).status_code == 400
        assert page.store({**page.row(0), "experiment": "0" * 64}).status_code == 400
        assert page.store(page.row(0, list=page.list + 1)).status_code == 400
        assert page.store(page.row(0), Authorization="Bearer wrong").status_code == 401
        assert page.store(page.row(0), Authorization="").status_code == 401
        assert page.store(page.row(0), **{"X-Tfmetamers": ""}).status_code == 403
        assert page.store(page.row(0), **{"Content-Type": "text/plain"}).status_code == 415
        assert page.store(page.row(0, colour="red")).status_code == 400
        assert page.store(page.row(-1)).status_code == 400
        assert page.store(page.row(0, kind="other")).status_code == 400
        assert page.store(page.row(0, rt="fast")).status_code == 400
        assert page.store(page.row(0, response="x" * 20_000)).status_code == 400
        assert page.store(*[page.row(number) for number in range(51)]).status_code == 400
        assert page.store(page.row(0, response="x" * MAX_BYTES)).status_code == 413
        assert page.post(f"/{page.session}/rows", {"rows": []}, Authorization="Bearer wrong").status_code == 401
        nested = b'{"rows": ' + b"[" * 60_000 + b"}"
        path, headers = f"/api/v1/sessions/{page.session}/rows", {**HEADERS, "Content-Type": "application/json"}
        assert page.client.post(path, data=nested, headers=headers).status_code == 400
        assert stored(database) == []

    def test_a_refusal_says_which_key_is_at_fault(self, page):
        assert "colour" in page.store(page.row(0, colour="red")).json["error"]

    def test_one_row_that_is_refused_keeps_the_others_of_its_request_out(self, page, database):
        assert page.store(page.row(0), page.row(1, colour="red")).status_code == 400
        assert stored(database) == []


class TestDeleting:
    def test_a_participant_withdraws_with_the_token_alone(self, page, database):
        page.store(page.row(0, response="secretly"))
        path = f"/api/v1/sessions/{page.session}"
        assert page.client.delete(path, headers=HEADERS).status_code == 401
        own = {**HEADERS, "Authorization": f"Bearer {page.token}"}
        assert [page.client.delete(path, headers=own).status_code for _ in range(2)] == [200, 404]
        assert stored(database) == []
        assert all(b"secretly" not in file.read_bytes() for file in database.path.parent.iterdir())

    def test_a_participant_is_forgotten_by_code_and_no_other(self, new_page, database):
        for code in ("anna", "anna", "bert"):
            page = new_page()
            page.begin(participant=code)
            page.store(page.row(0, response=f"of {code}"))
        assert database.forget("anna") == 2
        assert stored(database) == [(0, "of bert")]
        assert all(b"of anna" not in file.read_bytes() for file in database.path.parent.iterdir())
        with pytest.raises(ResultError, match="anna"):
            database.forget("anna")


class TestFiles:
    def test_the_site_is_served_and_nothing_beside_it(self, client, experiment):
        assert client.get("/").status_code == client.get("/experiment.js").status_code == 200
        [first, *_] = sorted((experiment / "site" / "stimuli").iterdir())
        assert client.get(f"/stimuli/{first.name}").data == first.read_bytes()
        for path in (
            "/../private/key.csv",
            "/%2e%2e/private/key.csv",
            "/private/key.csv",
            "/stimuli/..%2f..%2fprivate/key.csv",
        ):
            assert client.get(path).status_code == 404

    def test_answers_set_a_policy_and_no_cookie(self, client):
        answer = client.get("/api/v1/health")
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert "Set-Cookie" not in answer.headers and answer.json["free_bytes"] > 0


class TestDatabase:
    def test_a_locked_database_asks_the_page_to_come_back(self, page, database, caplog):
        other = sqlite3.connect(database.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        answer = page.store(page.row(0))
        assert answer.status_code == 503 and answer.headers["Retry-After"]
        assert str(database.path) not in answer.text and str(database.path) in caplog.text
        other.execute("ROLLBACK")
        other.close()
        assert page.store(page.row(0)).json == {"stored": 0}

    def test_a_full_database_loses_nothing_that_it_confirmed(self, page, database, monkeypatch):
        assert page.store(page.row(0)).json == {"stored": 0}
        connect = sqlite3.connect

        def small(*arguments, **options):
            connection = connect(*arguments, **options)
            [pages] = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages}")
            return connection

        with monkeypatch.context() as patch:
            patch.setattr(sqlite3, "connect", small)
            answer = page.store(*[page.row(number, response="x" * 5000) for number in range(1, 9)])
        assert answer.status_code == 507
        assert [seq for seq, _ in stored(database)] == [0]
        assert page.store(page.row(1)).json == {"stored": 1}

    def test_a_database_of_another_experiment_or_program_is_refused(self, database, tmp_path):
        with pytest.raises(ResultError, match="0000"):
            Database(database.path, "0" * 64)
        with sqlite3.connect(tmp_path / "other.sqlite") as connection:
            connection.execute("CREATE TABLE mine (x)")
        with pytest.raises(ResultError, match=r"other\.sqlite"):
            Database(tmp_path / "other.sqlite", "0" * 64)

    def test_it_is_read_while_it_is_written(self, page, database):
        page.store(page.row(0))
        writer = sqlite3.connect(database.path, isolation_level=None)
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM rows")
        assert len(stored(database)) == 1
        writer.execute("ROLLBACK")
        writer.close()

    def test_a_torn_copy_is_refused(self, page, database, tmp_path):
        for number in range(8):
            page.store(page.row(number, response="x" * 9000))
        database._erase()
        whole = database.path.read_bytes()
        copy = tmp_path / "copy" / "data.sqlite"
        copy.parent.mkdir()
        copy.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(ResultError, match=r"copy/data\.sqlite"):
            read_rows(copy)

    def test_a_read_of_a_missing_one_makes_none(self, tmp_path):
        with pytest.raises(ResultError, match=r"none\.sqlite"):
            read_rows(tmp_path / "none.sqlite")
        assert not list(tmp_path.iterdir())


def test_many_connections_are_kept_open_at_once(experiment, database):
    """Waitress closes the door after a hundred unless told otherwise, and browsers keep connections open."""
    server = open_server(make_app(experiment, database=database), "127.0.0.1", 0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    connections = [http.client.HTTPConnection("127.0.0.1", server.effective_port, timeout=5) for _ in range(130)]
    try:
        for connection in connections:
            connection.request("GET", "/api/v1/health")
            assert connection.getresponse().read()
    finally:
        for connection in connections:
            connection.close()
        server.close()
        thread.join(timeout=5)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1"])
def test_an_address_that_is_not_of_this_machine(experiment, database, host):
    with pytest.raises(ResultError, match=host):
        open_server(make_app(experiment, database=database), host, 0)
