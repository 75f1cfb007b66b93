"""From noise to metamers: the loop of steps, metamers of arrays, and runs of many metamers on disk."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
