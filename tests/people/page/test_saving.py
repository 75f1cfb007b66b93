"""No answer is lost, and none is stored twice: reloads, two tabs, no connection, a server that dies."""

import csv
import json
import time

import pytest

from tests.people.page.participants import (
    Keyboard,
    Mouse,
    arrive,
    begin_trials,
    heading,
    leave,
    listen,
    look,
    practise_images,
)

ROW_KEYS = {
    "session", "seq", "experiment", "list", "participant", "kind", "trial", "stimulus", "response", "answer", "correct",
    "how", "rt", "rt_first_key", "keystrokes", "shown_at", "answered_at", "session_ms", "onsets_ms", "frame_ms_median",
    "frame_ms_max", "frames_dropped", "timing_ok", "mask", "plays", "audio", "window", "device_pixel_ratio", "visible",
    "reload", "app", "client",
}  # fmt: skip


def begin(server, page, hand=Mouse):
    """A session of the images that has come to its main trials, which have no breaks."""
    person = hand(page)
    page.goto(server.url)
    arrive(person)
    practise_images(person)
    return person


def main_responses(rows):
    return [row["response"] for row in rows if row["kind"] == "main"]


def wait_for(condition, seconds=15):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "this did not come about"
        time.sleep(0.05)


def test_a_reload_goes_on_where_it_stopped(serve, page):
    server = serve("images", breaks=[])
    person = begin(server, page)
    look(person, "cat")
    look(person, "dog")
    heading(page, "Trial 3 of 4")
    page.reload()
    heading(page, "Welcome back")
    person.press("Go on")
    heading(page, "The experiment")
    person.press("Start")
    heading(page, "Trial 3 of 4")
    look(person, "bear")
    look(person, "oven")
    leave(person)
    page.get_by_text("DONE-7").wait_for()
    rows = server.only()
    assert main_responses(rows) == ["cat", "dog", "bear", "oven"]
    assert [row["reload"] for row in rows if row["kind"] == "main"] == [0, 0, 1, 1]
    assert [row["kind"] for row in rows].count("practice") == 1
    assert set().union(*rows) <= ROW_KEYS
    assert not any({"answer", "correct"} & set(row) for row in rows if row["kind"] == "main")


def test_an_offline_stretch(serve, page, context):
    server = serve("images", breaks=[])
    person = begin(server, page)
    look(person, "cat")
    wait_for(lambda: main_responses(server.only()) == ["cat"])
    context.set_offline(True)
    for category in ("dog", "bear", "oven"):
        look(person, category)
    heading(page, "Comments")
    assert main_responses(server.only()) == ["cat"]
    page.get_by_role("status").filter(has_text="not yet saved").wait_for()
    context.set_offline(False)
    leave(person)
    page.get_by_text("DONE-7").wait_for()
    assert main_responses(server.only()) == ["cat", "dog", "bear", "oven"]


def test_the_server_dies_between_two_answers(serve, page):
    server = serve("images", breaks=[])
    person = begin(server, page)
    look(person, "cat")
    wait_for(lambda: main_responses(server.only()) == ["cat"])
    server.kill()
    look(person, "dog")
    look(person, "bear")
    look(person, "oven")
    person.press("Continue")
    page.get_by_text("not yet saved").first.wait_for()
    page.get_by_role("button", name="Download the answers (CSV)").wait_for()
    server.revive()
    page.get_by_text("DONE-7").wait_for()
    assert main_responses(server.only()) == ["cat", "dog", "bear", "oven"]
    assert page.get_by_role("button", name="Download the answers (CSV)").is_hidden()


def test_rows_whose_receipt_was_lost_are_sent_again_and_stored_once(serve, page):
    server = serve("images", breaks=[])
    person = begin(server, page)
    lost = []

    def lose(route):
        route.fetch()
        lost.append(route.request.post_data_json["rows"])
        route.abort()

    page.route("**/rows", lose, times=1)
    for category in ("cat", "dog", "bear", "oven"):
        look(person, category)
    leave(person)
    page.get_by_text("DONE-7").wait_for()
    assert lost and server.replayed >= len(lost[0])
    assert main_responses(server.only()) == ["cat", "dog", "bear", "oven"]


def test_a_lost_token_begins_another_session(serve, page):
    server = serve("images", breaks=[], practice=[])
    page.route("**/sessions", lambda route: (route.fetch(), route.abort()), times=1)
    page.goto(server.url)
    arrive(Mouse(page))
    heading(page, "Instructions")
    first, second = server.rows
    wait_for(lambda: server.rows[second])
    assert server.rows[first] == {}
    assert {row["session"] for row in server.rows[second].values()} == {second}


def test_two_tabs(serve, page, context):
    server = serve("images", breaks=[])
    person = begin(server, page)
    look(person, "cat")
    other = context.new_page()
    other.goto(server.url)
    heading(other, "The experiment is open in another tab")
    Mouse(other).press("Go on here")
    heading(page, "The experiment continues in another tab")
    person = Mouse(other)
    person.press("Go on")
    person.press("Start")
    for category in ("dog", "bear", "oven"):
        look(person, category)
    leave(person)
    other.get_by_text("DONE-7").wait_for()
    assert main_responses(server.only()) == ["cat", "dog", "bear", "oven"]


@pytest.mark.parametrize("choice", ["keep", "delete"])
def test_withdrawal(serve, page, choice):
    server = serve("images", breaks=[])
    person = begin(server, page, Keyboard)
    look(person, "cat")
    heading(page, "Trial 2 of 4")
    wait_for(lambda: main_responses(server.only()) == ["cat"])
    person.press("Stop taking part")
    if choice == "keep":
        person.press("Stop, and keep my answers so far")
        heading(page, "You have stopped")
        page.get_by_text("All answers are saved").wait_for()
        assert [row["response"] for row in server.only()[-2:]] == ["cat", "withdrawn"]
    else:
        person.press("Stop, and delete my answers")
        heading(page, "Your answers are deleted")
        assert server.rows == {}
        assert page.evaluate("Object.keys(localStorage).filter(key => /row|session/.test(key))") == []


def test_nothing_is_stored_without_consent(serve, page):
    server = serve("images")
    page.goto(server.url)
    Mouse(page).press("I do not take part")
    heading(page, "Thank you")
    assert server.rows == {}
    assert page.evaluate("Object.keys(localStorage).filter(key => /row|session/.test(key))") == []


def test_somebody_else_can_start(serve, page):
    server = serve("images", breaks=[])
    person = begin(server, page)
    look(person, "cat")
    page.reload()
    person.press("Start as someone else")
    arrive(person)
    heading(page, "Instructions")
    first, second = server.rows
    assert main_responses(server.rows[first].values()) == ["cat"]
    assert (server.lists[first], server.lists[second]) == (0, 1)


@pytest.mark.parametrize("task", ["images", "sounds"])
def test_an_offline_folder(make_site, page, task):
    site = make_site(task, save={"kind": "offline"}, practice=[], trials=2, breaks=[], level=None) / "site"
    person = Keyboard(page)
    page.goto((site / "index.html").as_uri() + "?list=1&participant=P07")
    arrive(person)
    begin_trials(person)
    act, answers = (look, ["cat", "dog"]) if task == "images" else (listen, ["water", "don't"])
    act(person, answers[0])
    heading(page, "Trial 2 of 2")
    page.reload()
    person.press("Go on")
    person.press("Start")
    act(person, answers[1])
    leave(person)
    with page.expect_download() as download:
        person.press("Download the answers (CSV)")
    with open(download.value.path(), newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert main_responses(rows) == answers
    assert {(row["list"], row["participant"]) for row in rows} == {("1", "P07")}
    assert [row["seq"] for row in rows] == [str(number) for number in range(len(rows))]
    assert {key.split(".")[0] for key in rows[0]} <= ROW_KEYS
    assert json.loads(rows[0]["window"]) == [1280, 800]
    person.press("Next participant")
    heading(page, "Consent")


JATOS = """
window.jatos = {
  urlQueryParameters: {}, results: "", ended: false,
  batchSession: {
    values: { sessions: 3 }, get(key) { return this.values[key]; },
    async set(key, value) { this.values[key] = value; },
  },
  onLoad(start) { setTimeout(start); },
  async appendResultData(text) { this.results += text; },
  async endStudyWithoutRedirect() { this.ended = true; },
};
"""


def test_jatos(serve, page):
    """A stand-in for jatos.js: what the page calls, by the names of its reference."""
    server = serve("images", save={"kind": "jatos"}, practice=[], trials=2, breaks=[])
    (server.site / "jatos.js").write_text(JATOS)
    index = server.site / "index.html"
    index.write_text(index.read_text().replace("<head>", '<head><script src="jatos.js"></script>'))
    person = Mouse(page)
    page.goto(server.url)
    arrive(person)
    begin_trials(person)
    look(person, "cat")
    look(person, "dog")
    leave(person)
    page.get_by_text("All answers are saved").wait_for()
    assert page.evaluate("jatos.ended")
    rows = [json.loads(line) for line in page.evaluate("jatos.results").splitlines()]
    assert [row["seq"] for row in rows] == list(range(len(rows)))
    assert main_responses(rows) == ["cat", "dog"]
    assert {row["list"] for row in rows} == {1}
    assert page.evaluate("jatos.batchSession.get('sessions')") == 4


def test_datapipe(serve, browser):
    """The file goes out at the end; one that has arrived already, its receipt lost, is not an error."""
    server = serve("images", save={"kind": "datapipe", "experiment": "abcdefghijkl"}, practice=[], trials=2, breaks=[])
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    files = []

    def answer(route):
        headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}
        if route.request.method == "OPTIONS":
            return route.fulfill(status=204, headers=headers)
        if "condition" in route.request.url:
            return route.fulfill(status=200, headers=headers, json={"message": "Success", "condition": 3})
        files.append(route.request.post_data_json)
        if len(files) == 1:
            return route.abort()
        return route.fulfill(status=400, headers=headers, json={"error": "OSF_FILE_EXISTS"})

    page.route("https://pipe.jspsych.org/**", answer)
    person = Mouse(page)
    page.goto(server.url)
    arrive(person)
    begin_trials(person)
    look(person, "cat")
    look(person, "dog")
    assert files == []
    leave(person)
    page.get_by_text("All answers are saved").wait_for()
    context.close()
    rows = list(csv.DictReader(files[0]["data"].splitlines()))
    assert files[0]["experimentID"] == "abcdefghijkl" and files[0]["filename"] == f"{rows[0]['session']}.csv"
    assert main_responses(rows) == ["cat", "dog"]
    assert {row["list"] for row in rows} == {"1"}
