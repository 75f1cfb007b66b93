"""Simulated observers who use the page: Chromium without a window, driven by Playwright."""

import json
import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfmetamers.errors import ResultError, first_line
from tfmetamers.people.database import Database
from tfmetamers.people.observers import Observer
from tfmetamers.people.server import make_app, open_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ElementHandle, Page

#: The environment variable that names Chromium, and names by which it is found otherwise.
VARIABLE, NAMES = "CHROMIUM", ("chromium", "chromium-browser", "google-chrome")

#: Chromium refuses to isolate its processes for root; it loads nothing but the page of this machine.
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]

#: Milliseconds that a screen may take to come.
_PATIENCE = 60_000


def find_chromium() -> Path | None:
    """Return where Chromium is: what ``CHROMIUM`` names, else the first of `NAMES` on the path; None without any."""
    named = os.environ.get(VARIABLE)
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)
    return Path(found) if found else None


@contextmanager
def open_browser() -> Iterator["Browser"]:
    """Yield a Chromium without a window.

    Raises:
        ResultError: there is none.
    """
    from playwright.sync_api import sync_playwright

    executable = find_chromium()
    if executable is None:
        raise ResultError(f"There is no Chromium on this machine; install it, or name it with {VARIABLE}=PATH.")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def take_part_by_page(out: str | os.PathLike, database: Database, observers: list[Observer]) -> Iterator[Observer]:
    """Let observers take part one after another by the page, which a server of their own gives out.

    They answer what `tfmetamers.people.observers.take_part` stores, as fast as the page lets them.

    Args:
        out: the folder that `tfmetamers.people.site.build_site` wrote.
        database: where answers go.
        observers: who takes part.

    Yields:
        Each observer who has finished.

    Raises:
        ResultError: there is no Chromium, or the page stopped.
    """
    server = open_server(make_app(out, database=database), "127.0.0.1", 0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        with open_browser() as browser:
            for observer in observers:
                context = browser.new_context(viewport=_viewport(observer.content))
                context.set_default_timeout(_PATIENCE)
                address = f"http://127.0.0.1:{server.effective_port}/?participant={observer.name}"
                _Visit(context.new_page(), observer).take_part(address)
                context.close()
                yield observer
    finally:
        server.close()
        thread.join()


def _viewport(content: Mapping[str, Any]) -> dict[str, int]:
    width, height = content["minimum_window"] or (0, 0)
    return {"width": max(width, 1280), "height": max(height, 800)}


class _Visit:
    """An observer before the page, from the consent to the end."""

    def __init__(self, page: "Page", observer: Observer):
        self._page, self._observer, self._content = page, observer, observer.content

    def take_part(self, address: str) -> None:
        """Go through the session, screen by screen.

        Raises:
            ResultError: a screen does not come.
        """
        from playwright.sync_api import Error

        try:
            self._page.goto(address)
            self._press(self._await("button.first"))  # The consent.
            self._press(self._await("button.first"))  # The code.
            self._check_sound()
            for trial in self._content["practice"]:
                self._respond(trial["answer"])
            if self._pass_demo():
                for trial in self._content["lists"][self._session["list"]]["trials"]:
                    self._respond(self._observer.answer(trial["stimulus"])[0])
                self._press(self._await("button.first"))  # The comments.
            self._page.get_by_text(self._page.evaluate("metamers.messages.saved")).wait_for()
        except Error as error:
            screen = self._page.locator("#screen").inner_text().partition("\n")[0]
            raise ResultError(f"The page stopped at {screen!r}: {first_line(error)}; try again.") from error

    @property
    def _session(self) -> dict[str, Any]:
        """What the page keeps of the session."""
        return json.loads(self._page.evaluate("key => localStorage[key]", f"tfmetamers:{self._content['id']}:session"))

    def _await(self, selector: str) -> "ElementHandle":
        return self._page.wait_for_selector(f"#screen :is({selector}):enabled")

    def _press(self, button: "ElementHandle") -> None:
        """Press a button, and wait until its screen has gone."""
        button.click()
        button.wait_for_element_state("hidden")

    def _check_sound(self) -> None:
        """Set the level, and find the softest of three tones as often as asked."""
        if self._content["level"]:
            self._await("button.first").click()
            self._press(self._await("button.second"))
        check = self._content["headphones"]
        for trial in range(check["trials"] if check else 0):
            orders = self._page.evaluate("arguments => metamers.toneOrders(...arguments)",
                                         [self._session["session"], check["trials"]])  # fmt: skip
            self._await("button.first").click()
            self._press(self._await(f"[role=group] button:nth-child({orders[trial].index('S') + 1})"))

    def _pass_demo(self) -> bool:
        demo = self._content["demo"]
        right = 0
        for trial in demo["trials"]:
            answer, _ = self._observer.answer(trial["stimulus"])
            self._respond(answer)
            right += answer == trial["answer"]
        return right >= demo["pass"]

    def _respond(self, answer: str) -> None:
        """Go on to the next trial, through screens of text, and answer."""
        button = self._await(".ready, button.first")
        while not button.evaluate("button => button.matches('.ready')"):
            self._press(button)
            button = self._await(".ready, button.first")
        self._press(button)
        if self._content["task"] == "images":
            grid = self._page.locator(".grid")
            self._press(grid.get_by_role("button", name=answer, exact=True).element_handle())
        else:
            box = self._page.wait_for_selector("[role=combobox]")
            box.fill(answer)
            box.press("Enter")
            box.wait_for_element_state("hidden")
