"""The metamer test of a model: how recognisable its metamers are, layer by layer, to itself and to other networks."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
