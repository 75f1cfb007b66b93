"""A browser, jsPsych, and sites that are served."""

import os
import shutil
import subprocess

import pytest

from tests.people.page.servers import Server
from tests.people.page.sites import PAGE, write_experiment

ASSETS = PAGE.parent / "assets"


@pytest.fixture(scope="session")
def browser():
    """Chromium: $CHROMIUM, or the one on the path."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if executable is None:
        pytest.skip("there is no Chromium: install it, or set CHROMIUM")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=executable, args=arguments)
        yield chromium
        chromium.close()


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
