"""A browser, jsPsych, and sites that are served."""

import shutil
import subprocess

import pytest

from tests.people.page.servers import Server
from tests.people.page.sites import PAGE, write_experiment
from tfmetamers.people.browser import find_chromium, open_browser

ASSETS = PAGE.parent / "assets"


@pytest.fixture(scope="session")
def browser():
    """Chromium: $CHROMIUM, or the one on the path."""
    pytest.importorskip("playwright", reason="Playwright is not installed")
    if find_chromium() is None:
        pytest.skip("there is no Chromium: install it, or set CHROMIUM")
    with open_browser() as chromium:
        yield chromium


@pytest.fixture(scope="session")
def node_modules(tmp_path_factory):
    """The packages of `tfmetamers/people/assets`, installed there or by npm."""
    if (ASSETS / "node_modules" / "axe-core").is_dir():
        return ASSETS / "node_modules"
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed, and tfmetamers/people/assets/node_modules is missing")
    folder = tmp_path_factory.mktemp("assets")
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(ASSETS / name, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"npm cannot install: {done.stderr.strip()[:200]}")
    return folder / "node_modules"


@pytest.fixture
def make_site(tmp_path, node_modules):
    """A function that writes an experiment: its task, its number of trials, keys of it that differ."""
    return lambda task, **changes: write_experiment(tmp_path / "out", node_modules, task, **changes)


@pytest.fixture
def serve(make_site):
    """A function that writes and serves a site."""
    servers = []

    def start(task, **changes):
        servers.append(Server(make_site(task, **changes)))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


@pytest.fixture
def context(browser):
    """A context whose pages may report no error: no exception, and nothing against the Content-Security-Policy."""
    made = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    made.set_default_timeout(15000)
    errors = []
    made.on("weberror", lambda error: errors.append(str(error.error)))
    made.on(
        "console",
        lambda message: (
            errors.append(message.text)
            if message.type == "error" and "Failed to load resource" not in message.text
            else None
        ),
    )
    yield made
    made.close()
    assert errors == []


@pytest.fixture
def page(context):
    return context.new_page()
