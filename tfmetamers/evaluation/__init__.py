"""Evaluation: how well a metamer matches, and who recognises it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs={"correlation": ["spearman"]})
