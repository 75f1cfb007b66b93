"""Networks: traced once, from the stimulus to every named activation."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "keras": ["from_keras", "load_keras"],
        "network": ["Layer", "Network", "Prediction", "Provenance"],
        "registry": ["load_network", "network_names"],
    },
)
