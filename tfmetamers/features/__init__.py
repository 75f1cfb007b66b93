"""Features that networks of sounds take in place of cochleagrams, differentiably."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "log_mel": ["LogMel", "mel_bands"],
        "mfcc": ["Mfcc", "mel_filters"],
    },
)
