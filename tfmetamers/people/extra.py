"""What an experiment with people needs besides the package, and how to install it."""

import importlib.util

from tfmetamers.errors import TfmetamersError


def require_server() -> None:
    """Refuse to go on without what the server needs.

    Raises:
        TfmetamersError: it is not installed.
    """
    _require(("flask", "waitress"), "The server of experiments needs Flask and waitress", "tfmetamers[people]")


def require_browser() -> None:
    """Refuse to go on without what drives a browser.

    Raises:
        TfmetamersError: it is not installed.
    """
    _require(("playwright",), "Observers who use the page need Playwright", "playwright")


def _require(modules: tuple[str, ...], need: str, package: str) -> None:
    if any(importlib.util.find_spec(module) is None for module in modules):
        raise TfmetamersError(f"{need}, which is not installed; run: pip install '{package}'")
