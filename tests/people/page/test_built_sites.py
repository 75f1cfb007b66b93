"""Sites that were built from metamers: opened from a file, and used by simulated observers."""

import csv
import subprocess
import sys

import pytest

from tests.people.making import TEXTS
from tests.people.page.participants import Mouse, arrive, begin_trials, heading, leave, listen, look
from tfmetamers.people.build_record import Design
from tfmetamers.people.database import database_path, read_rows
from tfmetamers.people.experiment_file import read_content
from tfmetamers.people.exports import export_offline
from tfmetamers.people.site import PAGE, build_site


@pytest.fixture
def build_task(metamers, build_sounds, tmp_path, node_modules, monkeypatch):
    """A function that builds a small experiment of a task, with the real page."""
    monkeypatch.setenv("TFMETAMERS_JSPSYCH", str(node_modules))

    def make(task, **numbers):
        if task == "sounds":
            return build_sounds(PAGE, **numbers)
        design = Design("images", "feather2019", **{"lists": 2, "trials": 1, "practice": 1, **numbers})
        build_site(metamers, tmp_path / "out", design, TEXTS)
        return tmp_path / "out"

    return make


@pytest.mark.slow
@pytest.mark.parametrize("task", ["images", "sounds"])
def test_an_offline_folder_opens_from_a_file(build_task, page, tmp_path, task):
    out = build_task(task, practice=0, headphones=False)
    export_offline(out, tmp_path / "offline")
    trials = read_content(out / "site")["lists"][1]["trials"]
    person = Mouse(page)
    page.goto((tmp_path / "offline/index.html").as_uri() + "?list=1")
    arrive(person)
    if task == "sounds":
        heading(page, "Sound level")
        person.press("Play the noise")
        person.press("Continue")
    begin_trials(person)
    for _ in trials:
        page.get_by_role("button", name="Play the sound").or_(page.get_by_role("button", name="Show the image")).or_(
            page.get_by_role("heading", name="Break")).first.wait_for()  # fmt: skip
        if page.get_by_role("heading", name="Break").is_visible():
            person.press("Continue")
        look(person, "cat") if task == "images" else listen(person, "don't")
    leave(person)
    with page.expect_download() as download:
        person.press("Download the answers (CSV)")
    with open(download.value.path(), newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "main"]
    assert [row["stimulus"] for row in rows] == [trial["stimulus"] for trial in trials]
    assert {row["response"] for row in rows} == {"cat" if task == "images" else "don't"}


@pytest.mark.slow
@pytest.mark.parametrize("task", ["images", "sounds"])
def test_observers_answer_by_the_page_as_they_do_without_it(build_task, browser, task):
    out = build_task(task)
    answers = {}
    for further in ([], ["--browser"]):
        command = [sys.executable, "-m", "tfmetamers", "people", "simulate", str(out), "--accuracy", "0.5"]
        subprocess.run([*command, "--participants", "2", *further], check=True)
        rows = read_rows(database_path(out))
        database_path(out).unlink()
        kept = [row for row in rows if row.kind in ("main", "end")]
        answers[bool(further)] = [(row.participant, row.list, row.trial, row.stimulus, row.response) for row in kept]
    assert answers[True] and answers[True] == answers[False]
