"""The site: `make docs` builds it into docs/_build/html."""

import tfmetamers

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
html_theme_options = {"show_toc_level": 2, "navigation_with_keys": False, "show_prev_next": True}
