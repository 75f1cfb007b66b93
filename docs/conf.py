"""The site: `make docs` builds it into docs/_build/html."""

from docutils import nodes
from sphinx.util import logging

import tfmetamers

logger = logging.getLogger(__name__)

project = "tfmetamers"
author = "The tfmetamers developers"
release = version = tfmetamers.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinxcontrib.bibtex",
]
exclude_patterns = ["_build"]

# Anchors of headings are those that GitHub gives, so that links work in both places.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
suppress_warnings = ["config.cache"]

# Notebooks are committed as they were run: `make notebooks` runs them again.
nb_execution_mode = "off"

# Docstrings write code between single backticks.
default_role = "code"
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
napoleon_use_ivar = True

bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "unsrt"

html_theme = "pydata_sphinx_theme"
html_title = "tfmetamers"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "header_links_before_dropdown": 7,
    "navigation_with_keys": False,
    "show_prev_next": True,
    "show_toc_level": 2,
}
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_sidebars = {page: [] for page in ("start", "installation", "papers")}  # Which have no pages below them.


def check_page(app, doctree, name):
    """Warn, which is an error, of a page without a title and of a picture without a text in its place."""
    if not doctree.next_node(nodes.title):
        logger.warning("the page has no title", location=name)
    for image in doctree.findall(nodes.image):
        if not image.get("alt"):
            logger.warning("the picture %s has no text", image["uri"], location=image)


def setup(app):
    app.connect("doctree-resolved", check_page)
