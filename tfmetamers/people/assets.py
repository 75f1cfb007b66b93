"""jsPsych, which the page is built on: where its files are looked for, and the hashes that they must have.

jsPsych and its plugins are of the MIT licence. They are not part of this package's source: they are found in a folder
that is named, beside the installed package, in the user's cache, or where ``npm ci`` put them; else they are
downloaded.
"""

import base64
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from tfmetamers.errors import ResultError
from tfmetamers.utilities.files import atomic_write

#: The version of jsPsych, which names the folder in a site.
VERSION = "8.3.0"

#: Where a site has them, below its root.
FOLDER = f"vendor/jspsych-{VERSION}"

#: The environment variable that names a folder to look in first.
VARIABLE = "TFMETAMERS_JSPSYCH"

#: Of each file by its name in a site: the npm package, its version, and SHA-384 of its ``dist/index.browser.min.js`` as
#: subresource integrity writes it.
FILES = {
    "jspsych": ("jspsych", VERSION, "PPMNzYQfqrWFhrOxhpwxXmKK+LDH//fBCLsvA/JIRHOfiuOcZ2j8wJhqo87V4R4B"),
    "plugin-browser-check": (
        "@jspsych/plugin-browser-check", "2.1.0", "Gl0MJHqvNsA2o6d5nmuYB+ZkBYb4rJxX2mchuwVS9FkG2umKfV0eVflpWbKMdy/f",
    ),
}  # fmt: skip

#: Where a package's file is in its npm tarball, and where whole packages are served from.
_PATH = "dist/index.browser.min.js"
_SERVERS = ("https://cdn.jsdelivr.net/npm", "https://unpkg.com")

#: The largest file, in bytes, and seconds to wait for a server.
_MAX_BYTES, _TIMEOUT = 2**20, 20

NOTICE = f"""jsPsych {VERSION} and its plugins, in {FOLDER}

MIT License

Copyright (c) 2014-2022 Joshua R. de Leeuw

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def named_files(page: str) -> list[str]:
    """Return the names of the files of jsPsych that a page loads.

    Raises:
        ResultError: it loads one that is not known.
    """
    names = re.findall(rf'src="{re.escape(FOLDER)}/([\w-]+)\.js"', page)
    for name in names:
        if name not in FILES:
            raise ResultError(f"The page loads {name} of jsPsych, whose hash is not known; it may load {list(FILES)}.")
    return names


def find_file(name: str, folder: str | os.PathLike | None = None) -> Path:
    """Return a file of jsPsych: from the first place that has it, or downloaded into the user's cache.

    Places are, in this order: `folder`, else the folder that ``TFMETAMERS_JSPSYCH`` names; ``vendor`` beside this
    module; the user's cache; ``assets/node_modules`` beside this module. The first two and the cache hold ``NAME.js``
    or whole packages as ``node_modules`` has them.

    Args:
        name: one of `FILES`.
        folder: a folder to look in first.

    Raises:
        ResultError: it is found nowhere and cannot be downloaded, or has another hash.
    """
    for path in _places(name, folder):
        if path.is_file():
            _check(name, path.read_bytes(), str(path))
            return path
    return _download(name)


def _places(name: str, folder: str | os.PathLike | None) -> Iterator[Path]:
    here, package = Path(__file__).parent, Path(FILES[name][0]) / _PATH
    first = folder or os.environ.get(VARIABLE)
    for place in (*([Path(first)] if first else []), here / "vendor", _cache(), here / "assets" / "node_modules"):
        yield place / f"{name}.js"
        yield place / package


def _cache() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("tfmetamers") / "jspsych" / VERSION


def _check(name: str, content: bytes, source: str) -> None:
    package, version, expected = FILES[name]
    found = base64.b64encode(hashlib.sha384(content).digest()).decode()
    if found != expected:
        raise ResultError(
            f"{source} is not {_PATH} of {package} {version}: its SHA-384 is {found}, and {expected} was expected; "
            "remove it, or give the right one."
        )


def _download(name: str) -> Path:
    import requests

    package, version, _ = FILES[name]
    for server in _SERVERS:
        address = f"{server}/{package}@{version}/{_PATH}"
        try:
            answer = requests.get(address, timeout=_TIMEOUT)
            answer.raise_for_status()
        except requests.RequestException:
            continue
        content = answer.content[:_MAX_BYTES]
        _check(name, content, address)
        path = _cache() / f"{name}.js"
        with atomic_write(path) as partial:
            partial.write_bytes(content)
        return path
    raise ResultError(
        f"{package} {version} is not on this machine and cannot be downloaded; run 'npm ci --ignore-scripts' in "
        f"{Path(__file__).parent / 'assets'}, or give a folder that has it with --assets DIR."
    )
