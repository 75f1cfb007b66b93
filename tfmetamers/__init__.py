"""Model metamers of image and sound networks.

A model metamer is a stimulus, made from noise by gradient descent, that gives the same activations at one
layer of a network as a natural image or sound (Feather, Durango, Gonzalez and McDermott, NeurIPS 2019).
Names are loaded on first use, so that importing the package does not import TensorFlow.
"""

import lazy_loader

from tfmetamers.version import __version__

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["checkpoints", "cochlea", "inclusion", "metamers", "metrics", "networks", "recognition", "stimuli"],
    submod_attrs={
        "errors": ["TfmetamersError"],
        "inclusion": ["NullDistribution", "include"],
        "metamers": ["Metamer", "read_metamer", "write_index"],
        "networks": ["load_architecture", "load_network", "load_release"],
        "recipes": ["Recipe", "find_recipe"],
        "stimuli": ["load_image", "load_sound", "save_image", "save_sound"],
        "synthesis": ["synthesize"],
    },
)

__all__ += ["__version__"]
