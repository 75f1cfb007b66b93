"""Model metamers of image and sound networks.

A model metamer is a stimulus, made from noise by gradient descent, that gives the same activations at one
layer of a network as a natural image or sound (Feather, Durango, Gonzalez and McDermott, NeurIPS 2019).
Names are loaded on first use, so that importing the package does not import TensorFlow.
"""

import lazy_loader

from tfmetamers.version import __version__

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

__all__ += ["__version__"]
