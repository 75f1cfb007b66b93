"""Analysis of variance of designs with repeated measures, with corrections for sphericity and permutation tests."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
