"""Recognition of metamers: judges, their decisions, and the 16 categories."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
