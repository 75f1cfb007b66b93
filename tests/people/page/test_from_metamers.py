"""The page, built from metamers and served by the package's own server."""

import threading

import pytest
from waitress import create_server

from tests.people.making import TEXTS
from tests.people.page.participants import Mouse, heading, leave, look
from tests.people.page.sites import PAGE
from tfmetamers.people.build_record import Design, read_build
from tfmetamers.people.database import Database, read_rows
from tfmetamers.people.server import Settings, make_app
from tfmetamers.people.site import build_site


@pytest.fixture
def served(metamers, tmp_path, node_modules, monkeypatch):
    """The address of a site of images, and its database."""
    monkeypatch.setenv("TFMETAMERS_JSPSYCH", str(node_modules))
    out = tmp_path / "out"
    build_site(metamers, out, Design("images", "feather2019", lists=2, trials=1, practice=1), TEXTS, page=PAGE)
    database = Database(tmp_path / "data.sqlite", read_build(out).experiment)
    server = create_server(make_app(out, Settings(code="C0DE"), database), host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}/", database
    server.close()


@pytest.mark.slow
def test_a_session_from_metamers_to_the_database(served, page):
    url, database = served
    person = Mouse(page)
    page.goto(url)
    person.press("I agree, and take part")
    heading(page, "Your code")
    person.press("Continue")
    heading(page, "Instructions")
    person.press("Continue")
    person.press("Start")
    person.press("Show the image")
    person.choose("dog")
    person.press("Continue")
    person.press("Start")
    trials = page.evaluate("TFMETAMERS_EXPERIMENT.lists[0].trials.length")
    for trial in range(trials):
        heading_or_break(page, person)
        if trial == 1:
            page.reload()
            person.press("Go on")
            person.press("Start")
        look(person, "cat")
    leave(person)
    page.get_by_text("C0DE").wait_for()
    rows = [row for row in read_rows(database.path) if row.kind == "main"]
    assert [row.response for row in rows] == ["cat"] * trials
    assert [row.trial for row in rows] == list(range(trials))


def heading_or_break(page, person):
    """Goes on where there is a break before the trial."""
    page.get_by_role("button", name="Show the image").or_(page.get_by_role("heading", name="Break")).first.wait_for()
    if page.get_by_role("heading", name="Break").is_visible():
        person.press("Continue")
