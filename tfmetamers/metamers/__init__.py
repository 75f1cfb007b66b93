"""Metamers: what they are made of, and their folders on disk."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submod_attrs={"folder": ["Metamer", "find_metamers", "read_metamer", "write_index"]}
)
