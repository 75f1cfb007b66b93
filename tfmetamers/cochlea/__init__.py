"""The model of the ear: the filter bank, and the front ends that turn waveforms into cochleagrams."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "cochleagram": ["FrontEnd", "build_front_end"],
        "filters": ["FilterBank", "erb_filter_bank"],
        "settings": ["CochleagramSettings", "find_cochleagram_settings"],
    },
)
