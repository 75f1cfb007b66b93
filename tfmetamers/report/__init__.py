"""The HTML report of an evaluation."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs={"page": ["find_unreadable", "write_report"]})
