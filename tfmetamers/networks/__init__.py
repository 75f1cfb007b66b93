"""Networks: traced once, from the stimulus to every named activation."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "auditory.architecture": ["Architecture", "LayerSpecification", "read_architecture", "write_architecture"],
        "own.keras": ["from_keras", "load_keras"],
        "network": ["Layer", "Network", "Prediction", "Provenance"],
        "registry": [
            "describe_architecture",
            "describe_network",
            "describe_release",
            "load_architecture",
            "load_network",
            "load_release",
            "network_names",
            "summarize_networks",
        ],
        "auditory.vggish_postprocessing": ["postprocess", "read_postprocessing"],
    },
)
