"""Experiments in files: grids of networks, layers and stimuli, done by any number of workers."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
