"""The versions of what made a result."""

import platform
from importlib.metadata import PackageNotFoundError, version

from tfmetamers.version import __version__

_PACKAGES = ("tensorflow", "numpy", "pillow", "scipy", "soundfile")


def describe_versions() -> dict[str, str]:
    """Return the versions of tfmetamers, of Python, and of the packages that numbers depend on."""
    found = {"tfmetamers": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # Built under another name, as TensorFlow for some processors is.
            found[package] = "unknown"
    return found
