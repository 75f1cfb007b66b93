"""Training: corpora, mixtures of speech and backgrounds, and word and sound-category tasks on them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
