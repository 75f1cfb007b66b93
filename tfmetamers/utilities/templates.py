"""Templates of pages."""

from collections.abc import Callable
from pathlib import Path

import jinja2


def find_template(name: str, *folders: Path, **filters: Callable) -> jinja2.Template:
    """Return a template; a value that it names and does not get is an error.

    Where its name ends in ``.html``, values are escaped, and lines that hold nothing but a tag leave no empty line. In
    other pages, such as Markdown, where line breaks have a meaning, the template says where they are.

    Args:
        name: the file's name.
        folders: where it is, and then the folders of the parts that it includes.
        filters: functions that the template calls by name.
    """
    is_html = name.endswith(".html")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        autoescape=is_html,
        undefined=jinja2.StrictUndefined,
        trim_blocks=is_html,
        lstrip_blocks=is_html,
        keep_trailing_newline=True,
    )
    environment.filters |= filters
    return environment.get_template(name)
